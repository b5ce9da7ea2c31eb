"""What a fault of ours kept from being worked on: out of the way of the rest for an hour, then waiting again."""

from collections.abc import Sequence
from typing import Final

from common.database import Connection, Pool
from common.messages.orders import Payout
from mapper.store import payouts
from mapper.store.summaries import DueSummary

SourceKey = tuple[str, str, str]
"""(tenant id, connection id, external id of an order or payout, or summary id)"""

RETRY_AFTER_S: Final = 3600.0

_PUT = """
INSERT INTO set_aside AS s (tenant_id, kind, connection_id, source_id, error, frame, retry_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
ON CONFLICT (tenant_id, kind, connection_id, source_id)
DO UPDATE SET error = excluded.error, frame = excluded.frame, retry_at = excluded.retry_at
"""
_NO_LONGER_WAITING: Final = {
    "order": """
        UPDATE orders SET dirty_since = NULL, dirty_live = false, dirty_correlation = '', dirty_again = false
        WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3
    """,
    "payout": payouts.CLEAN,
    "summary": """
        UPDATE summaries SET dirty_since = NULL, finished = true
        WHERE tenant_id = $1 AND connection_id = $2 AND summary_id = $3
    """,
}
_WAITING: Final = {
    "order": """
        SELECT connection_id, external_id AS source_id FROM orders WHERE tenant_id = $1 AND dirty_since IS NOT NULL
        ORDER BY dirty_live DESC, dirty_since LIMIT $2
    """,
    "payout": """
        SELECT connection_id, external_id AS source_id FROM payouts WHERE tenant_id = $1 AND dirty_since IS NOT NULL
        ORDER BY dirty_since LIMIT $2
    """,
    "summary": """
        SELECT connection_id, summary_id AS source_id FROM summaries
        WHERE tenant_id = $1 AND (dirty_since IS NOT NULL OR (NOT finished AND due_at <= now()))
        ORDER BY dirty_since NULLS LAST, day LIMIT $2
    """,
}
_WAKE = """
WITH due AS (
    DELETE FROM set_aside WHERE retry_at <= now() RETURNING tenant_id, kind, connection_id, source_id
), orders_due AS (
    UPDATE orders o SET dirty_since = coalesce(o.dirty_since, now()) FROM due
    WHERE due.kind = 'order' AND o.tenant_id = due.tenant_id AND o.connection_id = due.connection_id
      AND o.external_id = due.source_id
), payouts_due AS (
    UPDATE payouts p SET dirty_since = coalesce(p.dirty_since, now()) FROM due
    WHERE due.kind = 'payout' AND p.tenant_id = due.tenant_id AND p.connection_id = due.connection_id
      AND p.external_id = due.source_id
)
UPDATE summaries s SET dirty_since = coalesce(s.dirty_since, now()) FROM due
WHERE due.kind = 'summary' AND s.tenant_id = due.tenant_id AND s.connection_id = due.connection_id
  AND s.summary_id = due.source_id
"""
_CLAIM_PAYOUT = """
SELECT body FROM payouts
WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3 AND dirty_since IS NOT NULL FOR UPDATE SKIP LOCKED
"""
_CLAIM_SUMMARY = """
SELECT connection_id, summary_id, day, due_at FROM summaries
WHERE tenant_id = $1 AND connection_id = $2 AND summary_id = $3
  AND (dirty_since IS NOT NULL OR (NOT finished AND due_at <= now())) FOR UPDATE SKIP LOCKED
"""
_NEXT_SET = """
SELECT tenant_id, company_id, connection_id, source_kind, source_id FROM sets
WHERE ($1 = '' OR tenant_id = $1)
  AND (tenant_id, company_id, connection_id, source_kind, source_id) > ($2, $3, $4, $5, $6)
ORDER BY tenant_id, company_id, connection_id, source_kind, source_id LIMIT 1
"""


async def put_aside(connection: Connection, kind: str, key: SourceKey, error: str, frame: str) -> None:
    """Take one source entity out of the way. `error` and `frame` say where the fault is, never what was in it."""
    await connection.execute(_PUT, key[0], kind, key[1], key[2], error, frame, RETRY_AFTER_S)
    await connection.execute(_NO_LONGER_WAITING[kind], *key)


async def waiting(connection: Connection, kind: str, tenant_id: str, limit: int) -> list[SourceKey]:
    """What the next batch of a tenant would take, without reading it."""
    rows = await connection.fetch(_WAITING[kind], tenant_id, limit)
    return [(tenant_id, row["connection_id"], row["source_id"]) for row in rows]


async def wake_due(pool: Pool) -> None:
    """Let what was set aside wait for its turn again."""
    await pool.execute(_WAKE)


async def all_due(pool: Pool) -> None:
    """A process that starts may be the release that mends the fault."""
    await pool.execute("UPDATE set_aside SET retry_at = now() WHERE retry_at > now()")


async def claim_payout(connection: Connection, key: SourceKey) -> list[Payout]:
    """One waiting payout, locked; none while another replica has it."""
    return [Payout.model_validate_json(row["body"]) for row in await connection.fetch(_CLAIM_PAYOUT, *key)]


async def claim_summary(connection: Connection, key: SourceKey) -> list[DueSummary]:
    """One due summary, locked; none while another replica has it."""
    rows = await connection.fetch(_CLAIM_SUMMARY, *key)
    return [DueSummary(row["connection_id"], row["summary_id"], row["day"], row["due_at"]) for row in rows]


async def next_set(connection: Connection, tenant_id: str, after: Sequence[str]) -> list[str] | None:
    """The position behind the next set, which is not read; None at the end."""
    row = await connection.fetchrow(_NEXT_SET, tenant_id, *after)
    return None if row is None else list(row)
