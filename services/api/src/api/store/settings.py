"""Settings of connections and company files: the current snapshot on the row, every version in the history."""

from typing import Any, Literal

from api.store.sql import Row, Where, rows_of, to_json

Scope = Literal["connection", "company"]

_STORE: dict[str, str] = {
    "connection": """
        UPDATE connections SET settings = $3::jsonb, settings_revision = settings_revision + 1,
            name = $3::jsonb ->> 'name', company_id = $3::jsonb ->> 'company_id'
        WHERE connection_id = $1 AND tenant_id = $2 RETURNING settings_revision
        """,
    "company": """
        UPDATE companies SET settings = $3::jsonb, settings_revision = settings_revision + 1,
            name = $3::jsonb ->> 'name'
        WHERE company_id = $1 AND tenant_id = $2 RETURNING settings_revision
        """,
}


async def save(
    where: Where, scope: Scope, tenant_id: str, scope_id: str, settings: dict[str, Any], changed_by: str
) -> int:
    """Store a new version on a row the caller has locked. Returns its revision."""
    text = to_json(settings)
    revision: int = await where.fetchval(_STORE[scope], scope_id, tenant_id, text)
    await where.execute(
        "INSERT INTO settings_history (scope, scope_id, revision, tenant_id, settings, changed_by)"
        " VALUES ($1, $2, $3, $4, $5::jsonb, $6)",
        scope,
        scope_id,
        revision,
        tenant_id,
        text,
        changed_by,
    )
    return revision


async def history(
    where: Where, scope: Scope, tenant_id: str, scope_id: str, before: int | None, limit: int
) -> list[Row]:
    """Versions, newest first."""
    return rows_of(
        await where.fetch(
            """
            SELECT revision, settings, changed_by, changed_at FROM settings_history
            WHERE scope = $1 AND scope_id = $2 AND tenant_id = $3 AND ($4::bigint IS NULL OR revision < $4)
            ORDER BY revision DESC LIMIT $5
            """,
            scope,
            scope_id,
            tenant_id,
            before,
            limit,
        ),
        "settings",
    )


async def snapshots(where: Where, tenant_ids: list[str]) -> list[Row]:
    """Every current snapshot of these tenants, for mirrors that are rebuilt."""
    if not tenant_ids:
        return []
    return rows_of(
        await where.fetch(
            """
            SELECT 'connection' AS scope, connection_id AS scope_id, tenant_id, settings, settings_revision
            FROM connections WHERE settings IS NOT NULL AND tenant_id = ANY($1::text[])
            UNION ALL
            SELECT 'company', company_id, tenant_id, settings, settings_revision
            FROM companies WHERE settings IS NOT NULL AND tenant_id = ANY($1::text[])
            """,
            tenant_ids,
        ),
        "settings",
    )
