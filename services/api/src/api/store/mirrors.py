"""The read model counted, and how far the comparison of each tenant's mirrors is."""

from datetime import datetime
from typing import Final

from api.store.sql import Row, Where, row_of, to_json
from common.counting import Statements
from common.messages.documents import CompanyChanged, DocumentChanged
from common.messages.fetching import OrderListed
from common.messages.transactions import TransactionsListed

STATEMENTS: Final[Statements] = {
    OrderListed: "SELECT '', connection_id, count(*), sum(revision) FROM orders WHERE tenant_id = $1 GROUP BY 2",
    TransactionsListed: "SELECT company_id, connection_id, count(*), sum(revision) FROM sets"
    " WHERE company_id IN (SELECT company_id FROM companies WHERE tenant_id = $1) AND tenant_id = $1 GROUP BY 1, 2",
    DocumentChanged: "SELECT company_id, connection_id, count(*), sum(revision) FROM documents"
    " WHERE tenant_id = $1 AND revision > 0 GROUP BY 1, 2",
    CompanyChanged: "SELECT company_id, '', 1, 0 FROM companies WHERE tenant_id = $1 AND ledger_revision > 0",
}

_LEASE_MINUTES = 10
_CLAIM = f"""
UPDATE mirror_checks SET next_look_at = now() + make_interval(mins => {_LEASE_MINUTES})
WHERE tenant_id = (
    SELECT tenant_id FROM mirror_checks WHERE next_look_at <= now()
    ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING tenant_id, first_look, now() AS now
"""
_DIFFERENCES = """
SELECT d->>'mirror' AS mirror, d->>'entity' AS entity,
       sum(greatest(abs((d->>'owner_rows')::bigint - (d->>'mirror_rows')::bigint), 1)) AS rows
FROM mirror_checks, jsonb_array_elements(result->'differences') AS d GROUP BY 1, 2
"""


async def places(where: Where, tenant_id: str) -> tuple[list[str], list[str]]:
    """The company files and connections that the tenant has."""
    companies = await where.fetch("SELECT company_id FROM companies WHERE tenant_id = $1", tenant_id)
    connections = await where.fetch("SELECT connection_id FROM connections WHERE tenant_id = $1", tenant_id)
    return [record["company_id"] for record in companies], [record["connection_id"] for record in connections]


async def add_missing(where: Where, at: datetime) -> None:
    """Let tenants that were never looked at be looked at then."""
    await where.execute(
        "INSERT INTO mirror_checks (tenant_id, next_look_at) SELECT tenant_id, $1 FROM tenants AS t WHERE"
        " deleted_at IS NULL AND NOT EXISTS (SELECT FROM mirror_checks AS c WHERE c.tenant_id = t.tenant_id)"
        " ON CONFLICT DO NOTHING",
        at,
    )


async def claim(where: Where) -> Row | None:
    """A tenant that is due for a look; due again in some minutes, should the one who claimed it die."""
    return row_of(await where.fetchrow(_CLAIM), "first_look")


async def look_again(where: Where, tenant_id: str, first: list[Row], after_s: float) -> None:
    """Keep what differed, and look at the tenant a second time."""
    await where.execute(
        "UPDATE mirror_checks SET first_look = $2::jsonb, next_look_at = now() + make_interval(secs => $3)"
        " WHERE tenant_id = $1",
        tenant_id,
        to_json(first),
        after_s,
    )


async def finish(where: Where, tenant_id: str, result: Row, next_at: datetime) -> None:
    """Keep what a comparison found until the next one."""
    await where.execute(
        "UPDATE mirror_checks SET first_look = NULL, checked_at = now(), result = $2::jsonb, next_look_at = $3"
        " WHERE tenant_id = $1",
        tenant_id,
        to_json(result),
        next_at,
    )


async def begin(where: Where, tenant_id: str) -> None:
    """Have a comparison begin now."""
    await where.execute(
        "INSERT INTO mirror_checks (tenant_id, next_look_at) VALUES ($1, now())"
        " ON CONFLICT (tenant_id) DO UPDATE SET first_look = NULL, next_look_at = now()",
        tenant_id,
    )


async def one(where: Where, tenant_id: str) -> Row | None:
    """How far the comparison is, and what the last one found."""
    record = await where.fetchrow(
        "SELECT checked_at, next_look_at, first_look IS NOT NULL AS going_on, result"
        " FROM mirror_checks WHERE tenant_id = $1",
        tenant_id,
    )
    return row_of(record, "result")


async def differences(where: Where) -> dict[tuple[str, str], int]:
    """(mirror, entity) → entities that are missing, too many or stale, at least, over all tenants."""
    return {(record["mirror"], record["entity"]): int(record["rows"]) for record in await where.fetch(_DIFFERENCES)}
