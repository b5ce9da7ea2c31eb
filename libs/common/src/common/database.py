"""Postgres: one asyncpg pool a service, locks by entity key, and which errors mean that it is gone.

Statements live in each service's store modules. There is no ORM at run time: on the message path it costs more than
the domain work (docs/decisions), and one way of writing SQL is easier to read than two.
"""

import asyncio
from collections.abc import Iterable

import asyncpg
import structlog
from pydantic import SecretStr

from common.backoff import Backoff

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Pool = asyncpg.Pool

LOST: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What asyncpg says of a connection that went away between two steps of one statement.
    asyncpg.InternalClientError,
    asyncpg.exceptions.AdminShutdownError,
    asyncpg.exceptions.CrashShutdownError,
    asyncpg.exceptions.CannotConnectNowError,
    asyncpg.exceptions.TooManyConnectionsError,
    asyncpg.exceptions.DiskFullError,
    asyncpg.exceptions.ReadOnlySQLTransactionError,
    TimeoutError,
)
"""Raised when the database can't be used right now: nothing is wrong with the work, so nobody's attempt is counted."""

CONTENDED: tuple[type[Exception], ...] = (
    asyncpg.exceptions.DeadlockDetectedError,
    asyncpg.exceptions.SerializationError,
    asyncpg.exceptions.LockNotAvailableError,
)
"""Raised when transactions met: the same work succeeds when it is run again."""

log = structlog.get_logger(__name__)


_LEARN_ARRAYS = """
SELECT $1::text[], $2::bigint[], $3::integer[], $4::boolean[], $5::bytea[], $6::jsonb[], $7::timestamptz[], $8::date[],
       $9::numeric[], $10::double precision[]
"""


class _Session(asyncpg.Connection):
    """A connection that is handed back without the library's reset query, which would cost a round trip each time.

    It has nothing to undo: locks are those of transactions, no statement changes a session's settings, and listeners
    are taken off by who added them.
    """

    def get_reset_query(self) -> str:
        return ""


async def _learn_arrays(connection: asyncpg.Connection) -> None:
    """Look up the array types of bulk statements at once; else each new one costs a slow look-up on the hot path."""
    await connection.prepare(_LEARN_ARRAYS)


async def connect(url: SecretStr, *, connections_max: int, application: str, statement_timeout_s: float = 30.0) -> Pool:
    """Open a pool. Raises one of `LOST` when the server can't be reached."""
    return await asyncpg.create_pool(
        url.get_secret_value(),
        min_size=1,
        max_size=connections_max,
        command_timeout=statement_timeout_s,
        connection_class=_Session,
        init=_learn_arrays,
        server_settings={"application_name": application, "timezone": "UTC"},
    )


async def connect_when_ready(url: SecretStr, *, connections_max: int, application: str) -> Pool:
    """Open a pool, waiting for as long as the database is not there yet (a pod may start before its database)."""
    backoff = Backoff()
    while True:
        try:
            return await connect(url, connections_max=connections_max, application=application)
        except LOST as error:
            pause_s = backoff.failed()
            log.warning("database_not_ready", error=type(error).__name__, retry_in_s=pause_s)
            await asyncio.sleep(pause_s)


async def answers(pool: Pool, within_s: float = 5.0) -> bool:
    """Whether the database can be used: tells a statement that was too slow from a database that is away."""
    try:
        async with asyncio.timeout(within_s):
            await pool.fetchval("SELECT 1")
    except LOST:
        return False
    return True


def affected(status: str) -> int:
    """Number of rows in a command's status, e.g. `UPDATE 3`."""
    return int(status.rsplit(" ", 1)[1])


async def lock_keys(connection: Connection, keys: Iterable[str]) -> None:
    """Take the transaction's lock on each entity, in sorted order so that two batches can't deadlock.

    Advisory rather than row locks, because an entity that has no row yet needs the lock as much: two first states of
    one order must not both become revision 1.
    """
    ordered = sorted(set(keys))
    if ordered:
        await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest($1::text[]) AS key", ordered
        )
