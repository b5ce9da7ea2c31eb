"""A run belongs to whoever took it last: who was slow, or had lost the database, writes nothing on top."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from tests.integration.ingest.conftest import task

from common.database import Pool, connect
from ingest.store import runs
from ingest.store.runs import StoredRun
from sandbox.fresh import FreshDatabase

_LEFT_S = "SELECT extract(epoch FROM leased_until - now())::float8 FROM runs"


@pytest.fixture
async def pool(postgres_database: FreshDatabase) -> AsyncIterator[Pool]:
    url = SecretStr(postgres_database.url_for("ingest"))
    pool = await connect(url, connections_max=2, application="test")
    await pool.execute(
        "INSERT INTO runs (run_id, tenant_id, connection_id, revision, request, state, position, pages, attempts,"
        " requested_at) VALUES ('run', 'tenant', 'con', 1, $1, 'open', '{}', 0, 0, now())",
        task("run", "con").model_dump_json(),
    )
    yield pool
    await pool.close()


async def picked(pool: Pool) -> StoredRun:
    run = await runs.pick(pool)
    assert run is not None
    return run


async def is_ours(pool: Pool, run: StoredRun) -> bool:
    async with pool.acquire() as connection, connection.transaction():
        return await runs.still_ours(connection, run)


async def test_only_the_last_holder_of_a_run_may_write(pool: Pool) -> None:
    slow = await picked(pool)
    assert await runs.pick(pool) is None
    await pool.execute("UPDATE runs SET leased_until = now() - interval '1 second'")
    holder = await picked(pool)
    assert not await is_ours(pool, slow)
    assert await is_ours(pool, holder)
    await pool.execute("UPDATE runs SET leased_until = now() + interval '5 seconds'")
    await runs.renew(pool, slow)
    await runs.put_back(pool, slow, 600)
    await runs.release(pool, slow)
    assert await pool.fetchval("SELECT attempts FROM runs") == 0
    assert 0 < await pool.fetchval(_LEFT_S) <= 5
    await runs.renew(pool, holder)
    assert await pool.fetchval(_LEFT_S) > 5


async def test_a_run_given_back_is_taken_at_once(pool: Pool) -> None:
    await runs.release(pool, await picked(pool))
    again = await picked(pool)
    assert await is_ours(pool, again)
