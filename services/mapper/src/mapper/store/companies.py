"""Company files as ledger-writer describes them, and the mirror of their reference lists."""

from collections.abc import Sequence

from common.bulk import Upsert
from common.database import Connection

CompanyKey = tuple[str, str]
"""(tenant id, company id)"""

COMPANIES = Upsert(
    "companies",
    ("tenant_id", "company_id"),
    {"tenant_id": "text", "company_id": "text", "revision": "bigint", "body": "text"},
    guard="t.revision < excluded.revision",
)

CATALOG = Upsert(
    "catalog",
    ("tenant_id", "company_id", "list_name", "ledger_id"),
    {
        "tenant_id": "text",
        "company_id": "text",
        "list_name": "text",
        "ledger_id": "text",
        "revision": "bigint",
        "catalog_revision": "bigint",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
)

_STORED = """
SELECT c.tenant_id, c.company_id, c.revision, c.body
FROM unnest($1::text[], $2::text[]) AS wanted (tenant_id, company_id)
JOIN companies c USING (tenant_id, company_id)
"""

_NEXT_CATALOG_REVISION = """
INSERT INTO companies AS c (tenant_id, company_id, revision, catalog_revision, body)
SELECT tenant_id, company_id, 0, 1, '' FROM unnest($1::text[], $2::text[]) AS wanted (tenant_id, company_id)
ON CONFLICT (tenant_id, company_id) DO UPDATE SET catalog_revision = c.catalog_revision + 1
RETURNING tenant_id, company_id, catalog_revision
"""

LINKS_CHANGED = """
INSERT INTO companies AS c (tenant_id, company_id, revision, links_revision, body) VALUES ($1, $2, 0, 1, '')
ON CONFLICT (tenant_id, company_id) DO UPDATE SET links_revision = c.links_revision + 1
"""

LINKS_CHANGED_OF_CONNECTION = """
INSERT INTO companies AS c (tenant_id, company_id, revision, links_revision, body)
SELECT DISTINCT tenant_id, company_id, 0, 1, '' FROM settings
WHERE tenant_id = $1 AND scope = 'connection' AND ($2 = '*' OR scope_id = $2)
ON CONFLICT (tenant_id, company_id) DO UPDATE SET links_revision = c.links_revision + 1
"""


async def stored_companies(connection: Connection, keys: Sequence[CompanyKey]) -> dict[CompanyKey, tuple[int, str]]:
    """Company → (revision, body as JSON)."""
    unique = sorted(set(keys))
    rows = await connection.fetch(_STORED, [key[0] for key in unique], [key[1] for key in unique])
    return {(row["tenant_id"], row["company_id"]): (row["revision"], row["body"]) for row in rows}


async def next_catalog_revisions(connection: Connection, keys: Sequence[CompanyKey]) -> dict[CompanyKey, int]:
    """Count one more change of these catalogs; the rows stay locked, so revisions become visible in order."""
    unique = sorted(set(keys))
    rows = await connection.fetch(_NEXT_CATALOG_REVISION, [key[0] for key in unique], [key[1] for key in unique])
    return {(row["tenant_id"], row["company_id"]): row["catalog_revision"] for row in rows}
