"""What happened to the documents of one order, for people to read."""

from collections.abc import Sequence

from common.database import Connection, Pool, affected
from common.messages.base import Reason
from common.messages.documents import Attempt
from ledger_writer.planning.dependencies import referred
from ledger_writer.store import due
from ledger_writer.store.rows import COLUMNS, Row, parse_wanted

_OF_SOURCE = f"""
SELECT {COLUMNS} FROM documents WHERE set_key <> '' AND set_key IN (
    SELECT set_key FROM sets
    WHERE source_id = $4 AND connection_id = $2 AND source_kind = $3 AND tenant_id = $1)
"""
_ATTEMPTS_MAX = 200


async def of_source(pool: Pool, tenant_id: str, connection_id: str, source_kind: str, source_id: str) -> list[Row]:
    """Documents of one source entity, with the customers and items they need."""
    rows = [Row.of(r) for r in await pool.fetch(_OF_SOURCE, tenant_id, connection_id, source_kind, source_id)]
    keys = {row.document_key for row in rows}
    needed = {key for row in rows for key in referred(parse_wanted(row.kind, row.wanted))} - keys
    return rows + await due.by_keys(pool, needed)


async def of_tenant(pool: Pool, tenant_id: str, keys: Sequence[str]) -> dict[str, str]:
    """Those of these documents that are the tenant's → what the ledger said to the last attempt, if it said no."""
    records = await pool.fetch(
        "SELECT document_key, raw FROM documents WHERE tenant_id = $1 AND document_key = ANY($2::text[])",
        tenant_id,
        list(keys),
    )
    return {record["document_key"]: record["raw"] for record in records}


async def attempts_of(where: Pool | Connection, keys: Sequence[str]) -> dict[str, list[Attempt]]:
    """Attempts by document key, oldest first, at most the latest 200 each."""
    records = await where.fetch(
        "SELECT a.* FROM unnest($1::text[]) AS d (document_key), LATERAL ("
        " SELECT document_key, at, operation, outcome, reason, ledger_id, duration_ms, id FROM attempts"
        " WHERE attempts.document_key = d.document_key ORDER BY id DESC LIMIT $2) AS a ORDER BY a.id",
        list(keys),
        _ATTEMPTS_MAX,
    )
    found: dict[str, list[Attempt]] = {}
    for record in records:
        attempt = Attempt(
            at=record["at"],
            operation=record["operation"],
            outcome=record["outcome"],
            reason=Reason.model_validate_json(record["reason"]) if record["reason"] else None,
            ledger_id=record["ledger_id"],
            duration_ms=record["duration_ms"],
        )
        found.setdefault(record["document_key"], []).append(attempt)
    return found


async def forget_attempts(pool: Pool, days: int) -> int:
    """Remove attempts of documents that are in the ledger, once they are older than this."""
    status = await pool.execute(
        "DELETE FROM attempts WHERE id IN (SELECT a.id FROM attempts AS a JOIN documents AS d USING (document_key)"
        " WHERE a.at < now() - make_interval(days => $1) AND d.state IN ('synced', 'voided', 'skipped') LIMIT 5000)",
        days,
    )
    return affected(status)
