"""Runs and watermarks: who works on what, how far it has come, and from where the next one starts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from common.bulk import Upsert
from common.database import Connection, Pool
from common.messages.control import TaskRequested

RUNS = Upsert(
    "runs",
    ("run_id",),
    {
        "run_id": "text",
        "tenant_id": "text",
        "connection_id": "text",
        "revision": "bigint",
        "request": "jsonb",
        "state": "text",
        "position": "jsonb",
        "pages": "integer",
        "attempts": "integer",
        "requested_at": "timestamptz",
        "leased_until": "timestamptz",
        "retry_at": "timestamptz",
    },
    # `pages` numbers the progress already published, so a restart must go on counting.
    update=("revision", "request", "state", "position", "attempts", "requested_at", "leased_until", "retry_at"),
    guard="t.revision < excluded.revision",
)
LEASE_S = 45
_PICK = """
UPDATE runs SET leased_until = now() + make_interval(secs => $1), retry_at = NULL, epoch = epoch + 1
WHERE run_id = (
    SELECT run_id FROM runs AS candidate
    WHERE state = 'open' AND (leased_until IS NULL OR leased_until < now()) AND (retry_at IS NULL OR retry_at < now())
    AND NOT EXISTS (
        SELECT FROM runs AS other WHERE other.connection_id = candidate.connection_id
        AND other.run_id <> candidate.run_id AND other.state = 'open' AND other.leased_until >= now())
    ORDER BY (
        SELECT count(*) FROM runs AS busy
        WHERE busy.tenant_id = candidate.tenant_id AND busy.state = 'open' AND busy.leased_until >= now()),
        requested_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""


class RunEnded(Exception):
    """The run was cancelled, restarted or finished by somebody else while we worked on it."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run under our lease. `epoch` counts the leases: with a later one somebody else has taken it over."""

    run_id: str
    connection_id: str
    tenant_id: str
    revision: int
    request: TaskRequested
    position: dict[str, Any]
    pages: int
    attempts: int
    epoch: int


def _stored(row: Any) -> StoredRun:
    return StoredRun(
        run_id=row["run_id"],
        connection_id=row["connection_id"],
        tenant_id=row["tenant_id"],
        revision=row["revision"],
        request=TaskRequested.model_validate_json(row["request"]),
        position=orjson.loads(row["position"]),
        pages=row["pages"],
        attempts=row["attempts"],
        epoch=row["epoch"],
    )


async def pick(pool: Pool) -> StoredRun | None:
    """Lease an open run of a connection that nobody works on; None where there is none.

    The tenant with the fewest runs under way goes first, so that one with many connections leaves room for others.
    """
    async with pool.acquire() as connection, connection.transaction():
        # Two replicas choosing at once could otherwise take two runs of one connection.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('ingest runs', 0))")
        row = await connection.fetchrow(_PICK, LEASE_S)
        return None if row is None else _stored(row)


async def still_ours(connection: Connection, run: StoredRun) -> bool:
    """Whether the run is still open at the revision we work on, and nobody took it over; locks its row."""
    row = await connection.fetchrow("SELECT state, revision, epoch FROM runs WHERE run_id = $1 FOR UPDATE", run.run_id)
    return row is not None and (row["state"], row["revision"], row["epoch"]) == ("open", run.revision, run.epoch)


async def require_ours(connection: Connection, run: StoredRun) -> None:
    """Raise `RunEnded` unless the run is `still_ours`."""
    if not await still_ours(connection, run):
        raise RunEnded


async def advance(
    connection: Connection, run: StoredRun, *, position: dict[str, Any], pages: int, finished: bool
) -> None:
    """Record how far a run is, and keep the lease."""
    await connection.execute(
        "UPDATE runs SET position = $2, pages = $3, attempts = 0, state = $4,"
        " leased_until = now() + make_interval(secs => $5) WHERE run_id = $1",
        run.run_id,
        orjson.dumps(position).decode(),
        pages,
        "finished" if finished else "open",
        LEASE_S,
    )


async def renew(pool: Pool, run: StoredRun) -> None:
    """Keep the lease for as long as the run is the one we took."""
    await pool.execute(
        "UPDATE runs SET leased_until = now() + make_interval(secs => $2)"
        " WHERE run_id = $1 AND revision = $3 AND epoch = $4 AND state = 'open' AND leased_until IS NOT NULL",
        run.run_id,
        LEASE_S,
        run.revision,
        run.epoch,
    )


async def release(pool: Pool, run: StoredRun) -> None:
    """Give a run back that we could not go on with, so that nobody has to wait for the end of the lease."""
    await pool.execute(
        "UPDATE runs SET leased_until = NULL WHERE run_id = $1 AND epoch = $2 AND state = 'open'", run.run_id, run.epoch
    )


async def put_back(pool: Pool, run: StoredRun, wait_s: float) -> None:
    """Try the run again after a while."""
    await pool.execute(
        "UPDATE runs SET attempts = attempts + 1, leased_until = NULL, retry_at = now() + make_interval(secs => $2)"
        " WHERE run_id = $1 AND revision = $3 AND epoch = $4",
        run.run_id,
        wait_s,
        run.revision,
        run.epoch,
    )


async def attempts(pool: Pool, run: StoredRun) -> int | None:
    """How often the run was put back since it last stored a page; None where it is no longer ours."""
    count: int | None = await pool.fetchval(
        "SELECT attempts FROM runs WHERE run_id = $1 AND revision = $2 AND epoch = $3 AND state = 'open'",
        run.run_id,
        run.revision,
        run.epoch,
    )
    return count


async def watermark(where: Connection | Pool, connection_id: str, kind: str) -> datetime | None:
    """Up to where this kind of task has fetched and stored everything."""
    value: datetime | None = await where.fetchval(
        "SELECT value FROM watermarks WHERE connection_id = $1 AND kind = $2", connection_id, kind
    )
    return value


async def move_watermark(connection: Connection, connection_id: str, kind: str, value: datetime) -> None:
    """Move a watermark forward, never back."""
    await connection.execute(
        "INSERT INTO watermarks AS t (connection_id, kind, value) VALUES ($1, $2, $3)"
        " ON CONFLICT (connection_id, kind) DO UPDATE SET value = excluded.value, updated_at = now()"
        " WHERE t.value < excluded.value",
        connection_id,
        kind,
        value,
    )
