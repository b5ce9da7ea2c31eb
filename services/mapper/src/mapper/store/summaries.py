"""Which orders belong to which summary, and which summaries must be made again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from common.database import Connection
from common.messages.orders import Order

SET_MEMBERSHIPS = """
WITH wanted AS (
    SELECT * FROM unnest($4::text[], $5::date[], $6::timestamptz[]) AS w (summary_id, day, due_at)
), gone AS (
    DELETE FROM summary_members
    WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3
      AND NOT summary_id IN (SELECT summary_id FROM wanted)
    RETURNING summary_id
), added AS (
    INSERT INTO summary_members (tenant_id, connection_id, external_id, summary_id)
    SELECT $1, $2, $3, summary_id FROM wanted
    ON CONFLICT DO NOTHING
), left_behind AS (
    UPDATE summaries SET dirty_since = coalesce(dirty_since, now())
    WHERE tenant_id = $1 AND connection_id = $2 AND summary_id IN (SELECT summary_id FROM gone)
)
INSERT INTO summaries AS s (tenant_id, connection_id, summary_id, day, due_at, dirty_since)
SELECT $1, $2, summary_id, day, due_at, now() FROM wanted ORDER BY summary_id
ON CONFLICT (tenant_id, connection_id, summary_id) DO UPDATE SET dirty_since = coalesce(s.dirty_since, now())
"""

LEAVE_OPEN = """
WITH gone AS (
    DELETE FROM summary_members m USING summaries s
    WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.external_id = $3
      AND s.tenant_id = $1 AND s.connection_id = $2 AND s.summary_id = m.summary_id AND NOT s.finished
    RETURNING m.summary_id
)
UPDATE summaries SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id = $2 AND summary_id IN (SELECT summary_id FROM gone)
"""

KEEP_MEMBERS_MODE = """
WITH joined AS (
    UPDATE sets SET mode = $5 FROM summary_members m
    WHERE m.tenant_id = $1 AND m.connection_id = $3 AND m.summary_id = $4
      AND sets.tenant_id = $1 AND sets.company_id = $2 AND sets.connection_id = $3 AND sets.source_kind = 'order'
      AND sets.source_id = m.external_id AND sets.mode = ANY($6::text[]) AND sets.mode <> $5
    RETURNING sets.source_id
)
UPDATE orders SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id = $3 AND external_id IN (SELECT source_id FROM joined)
"""

_DUE_TENANTS = """
SELECT DISTINCT tenant_id FROM summaries WHERE dirty_since IS NOT NULL OR (NOT finished AND due_at <= $1)
"""
_CLAIM = """
SELECT connection_id, summary_id, day, due_at FROM summaries
WHERE tenant_id = $1 AND (dirty_since IS NOT NULL OR (NOT finished AND due_at <= $2))
ORDER BY dirty_since NULLS LAST, day LIMIT $3 FOR UPDATE SKIP LOCKED
"""
_MEMBERS = """
SELECT o.body FROM summary_members m
JOIN orders o ON o.tenant_id = m.tenant_id AND o.connection_id = m.connection_id AND o.external_id = m.external_id
WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.summary_id = $3
ORDER BY m.external_id
"""
MARK_LEFT_BEHIND = """
UPDATE summaries SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id = $2 AND EXISTS (
    SELECT FROM sets s WHERE s.tenant_id = $1 AND s.connection_id = $2 AND s.source_kind = 'summary'
        AND s.source_id = summaries.summary_id AND s.company_id <> $3)
"""
"""Summaries that the connection has in other company files than where it points to now."""
MADE = """
UPDATE summaries SET dirty_since = NULL, finished = $4
WHERE tenant_id = $1 AND connection_id = $2 AND summary_id = $3
"""


@dataclass(frozen=True, slots=True)
class DueSummary:
    connection_id: str
    summary_id: str
    day: date
    due_at: datetime


async def tenants_with_due_summaries(connection: Connection, now: datetime) -> list[str]:
    """Tenants with summaries whose members changed, or whose day is over since they were made."""
    return [row["tenant_id"] for row in await connection.fetch(_DUE_TENANTS, now)]


async def claim_summaries(connection: Connection, tenant_id: str, now: datetime, limit: int) -> list[DueSummary]:
    """Lock due summaries that no other replica has locked."""
    rows = await connection.fetch(_CLAIM, tenant_id, now, limit)
    return [DueSummary(row["connection_id"], row["summary_id"], row["day"], row["due_at"]) for row in rows]


async def members_of(connection: Connection, tenant_id: str, due: DueSummary) -> Sequence[Order]:
    rows = await connection.fetch(_MEMBERS, tenant_id, due.connection_id, due.summary_id)
    return [Order.model_validate_json(row["body"]) for row in rows]
