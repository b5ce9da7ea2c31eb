"""Lanes: who may write to a company file, fenced by an epoch, measured by the database's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from common.database import Connection, Pool

CHANNEL = "ledger_writer_lanes"

NOTIFY = f"SELECT pg_notify('{CHANNEL}', company_id) FROM unnest($1::text[]) AS company_id"

_DUE = """
    (EXISTS (SELECT FROM documents AS d WHERE d.company_id = l.company_id AND d.state IN ('not_tried', 'queued'))
     OR EXISTS (SELECT FROM documents AS d WHERE d.company_id = l.company_id
                AND d.state IN ('retry_wait', 'unknown') AND d.next_attempt_at <= now())
     OR l.intents IS NOT NULL OR c.lists_wanted OR c.feed_wanted OR c.check_wanted
     OR EXISTS (SELECT FROM checks AS k WHERE k.company_id = l.company_id))
"""

_ACQUIRE = f"""
UPDATE lanes SET holder = $1, epoch = epoch + 1, expires_at = now() + make_interval(secs => $2), wait_until = NULL
WHERE company_id IN (
    SELECT l.company_id FROM lanes AS l
    JOIN companies AS c USING (company_id)
    LEFT JOIN company_settings AS s USING (company_id)
    WHERE (l.expires_at IS NULL OR l.expires_at < now()) AND (l.wait_until IS NULL OR l.wait_until < now())
    AND c.status = 'connected' AND NOT c.lane_paused AND coalesce(s.settings ->> 'paused', 'false') = 'false'
    AND {_DUE}
    ORDER BY l.expires_at NULLS FIRST LIMIT $3 FOR UPDATE OF l SKIP LOCKED)
RETURNING company_id, tenant_id, epoch, intents, bookmark
"""

_INTEND = """
UPDATE lanes AS l SET intents = $4, expires_at = now() + make_interval(secs => $5)
FROM companies AS c LEFT JOIN company_settings AS s USING (company_id)
WHERE l.company_id = $1 AND l.holder = $2 AND l.epoch = $3 AND l.expires_at > now()
AND c.company_id = l.company_id AND c.status = 'connected' AND NOT c.lane_paused
AND c.revision = $6 AND coalesce(s.revision, 0) = $7
"""

_FENCE = """
UPDATE lanes SET intents = $4, bookmark = coalesce($5::jsonb, bookmark)
WHERE company_id = $1 AND holder = $2 AND epoch = $3
RETURNING EXISTS (SELECT FROM documents AS d WHERE d.company_id = $1 AND d.blocked_by IS NOT NULL)
"""

_BORROWED_S = 5.0
"""Whoever borrows a lane gives it back at once; for so long it is nobody's where that fails."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write to one company file, until it expires or somebody with a higher epoch took over."""

    company_id: str
    tenant_id: str
    holder: str
    epoch: int
    intents: str | None
    bookmark: dict[str, Any]


class LeaseLost(Exception):
    """Somebody else holds the lane now, or it was paused: nothing more may be sent or recorded."""


async def acquire(pool: Pool, holder: str, lease_s: float, limit: int) -> list[Lease]:
    """Lease up to `limit` lanes that have work, are free, and may be written to."""
    records = await pool.fetch(_ACQUIRE, holder, lease_s, limit)
    return [_lease(record, holder) for record in records]


async def intend(
    pool: Pool, lease: Lease, intents: str | None, lease_s: float, company_revision: int, settings_revision: int
) -> None:
    """Commit what is about to be sent and renew the lease.

    Raises `LeaseLost` when the lane is no longer ours, was paused, or the company's settings are not those that the
    plan was made with.
    """
    status = await pool.execute(
        _INTEND, lease.company_id, lease.holder, lease.epoch, intents, lease_s, company_revision, settings_revision
    )
    if status != "UPDATE 1":
        raise LeaseLost(lease.company_id)


async def fence(connection: Connection, lease: Lease, intents: str | None, bookmark: Mapping[str, str] | None) -> bool:
    """First statement of every transaction that records outcomes: prove the epoch and lock the lane's row.

    Returns whether anything of the company waits for a dependency. Raises `LeaseLost`.
    """
    has_blocked = await connection.fetchval(
        _FENCE, lease.company_id, lease.holder, lease.epoch, intents, _written(bookmark)
    )
    if has_blocked is None:
        raise LeaseLost(lease.company_id)
    return bool(has_blocked)


async def renew(pool: Pool, lease: Lease, lease_s: float) -> bool:
    """Hold the lane longer. False when it is no longer ours."""
    status = await pool.execute(
        "UPDATE lanes SET expires_at = now() + make_interval(secs => $4)"
        " WHERE company_id = $1 AND holder = $2 AND epoch = $3",
        lease.company_id,
        lease.holder,
        lease.epoch,
        lease_s,
    )
    return bool(status == "UPDATE 1")


async def release(pool: Pool, lease: Lease, wait_s: float = 0.0) -> None:
    """Give the lane back; nobody takes it before `wait_s` have passed."""
    await pool.execute(
        "UPDATE lanes SET holder = '', expires_at = NULL,"
        " wait_until = CASE WHEN $4 > 0 THEN now() + make_interval(secs => $4) END"
        " WHERE company_id = $1 AND holder = $2 AND epoch = $3",
        lease.company_id,
        lease.holder,
        lease.epoch,
        wait_s,
    )


async def next_due_s(pool: Pool, company_id: str) -> float | None:
    """Seconds until a document of the company is due again by itself; None where none is."""
    seconds = await pool.fetchval(
        "SELECT extract(epoch FROM min(next_attempt_at) - now())::float8 FROM documents"
        " WHERE company_id = $1 AND state IN ('retry_wait', 'unknown')",
        company_id,
    )
    return None if seconds is None else max(float(seconds), 0.0)


async def borrow(pool: Pool, company_id: str, holder: str) -> Lease | None:
    """Hold a lane that nobody holds for a moment, whether or not it may be written to. None where somebody holds it."""
    record = await pool.fetchrow(
        "UPDATE lanes SET holder = $2, epoch = epoch + 1, expires_at = now() + make_interval(secs => $3)"
        " WHERE company_id = $1 AND (expires_at IS NULL OR expires_at < now())"
        " RETURNING company_id, tenant_id, epoch, intents, bookmark",
        company_id,
        holder,
        _BORROWED_S,
    )
    return None if record is None else _lease(record, holder)


async def give_back(pool: Pool, lease: Lease, bookmark: Mapping[str, str] | None) -> bool:
    """End what `borrow` began, and wake whoever waited for the lane. False where somebody took it meanwhile."""
    async with pool.acquire() as connection, connection.transaction():
        status = await connection.execute(
            "UPDATE lanes SET holder = '', expires_at = NULL, bookmark = coalesce($4::jsonb, bookmark)"
            " WHERE company_id = $1 AND holder = $2 AND epoch = $3",
            lease.company_id,
            lease.holder,
            lease.epoch,
            _written(bookmark),
        )
        await connection.execute(NOTIFY, [lease.company_id])
    return bool(status == "UPDATE 1")


def _lease(record: asyncpg.Record, holder: str) -> Lease:
    bookmark = orjson.loads(record["bookmark"])
    return Lease(record["company_id"], record["tenant_id"], holder, record["epoch"], record["intents"], bookmark)


def _written(bookmark: Mapping[str, str] | None) -> str | None:
    return None if bookmark is None else orjson.dumps(dict(bookmark)).decode()
