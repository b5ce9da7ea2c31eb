"""Taking due orders in turns: one tenant's many don't delay another's few."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from common.database import Pool, connect
from ingest.store import due
from sandbox.fresh import FreshDatabase

_INSERT = """
INSERT INTO orders (connection_id, external_id, tenant_id, revision, state_hash, content_revision, number, status,
    currency, received_at, due_at, due_kind, due_attempts)
SELECT 'con-' || $1, $2 || '-' || n, $1, 1, '', 0, '', '', '', now(), now() + make_interval(secs => $4), $2, 0
FROM generate_series(1, $3::integer) n
"""


@pytest.fixture
async def pool(postgres_database: FreshDatabase) -> AsyncIterator[Pool]:
    pool = await connect(SecretStr(postgres_database.url_for("ingest")), connections_max=2, application="test")
    yield pool
    await pool.close()


async def take(pool: Pool, rows_max: int = 100) -> Counter[tuple[str, str]]:
    return Counter((item.key[0], item.kind) for item in await due.take_due(pool, rows_max))


async def test_everybodys_work_takes_its_turn_whoever_came_first(pool: Pool) -> None:
    await pool.execute(_INSERT, "large", due.RENORMALISE, 5000, -900.0)
    await pool.execute(_INSERT, "large", due.REFETCH, 2, -3.0)
    await pool.execute(_INSERT, "small", due.REFETCH, 1, -1.0)
    await pool.execute(_INSERT, "waiting", due.FAULT, 50, 600.0)
    first = await take(pool)
    assert first == {("con-large", "renormalise"): 33, ("con-large", "refetch"): 2, ("con-small", "refetch"): 1}
    assert await take(pool) == {("con-large", "renormalise"): 100}


async def test_no_more_is_taken_than_was_asked_for_and_nobody_is_left_out_for_long(pool: Pool) -> None:
    tenants = [f"t{number:02}" for number in range(25)]
    for number, tenant in enumerate(tenants):
        await pool.execute(_INSERT, tenant, due.RENORMALISE, 2, number - 100.0)
    taken = [await take(pool, 10) for _ in range(5)]
    assert [sum(one.values()) for one in taken] == [10, 10, 10, 10, 10]
    assert taken[0] == {(f"con-{tenant}", "renormalise"): 1 for tenant in tenants[:10]}
    assert sum(taken, Counter()) == {(f"con-{tenant}", "renormalise"): 2 for tenant in tenants}
    assert await take(pool, 10) == {}


@pytest.mark.parametrize(
    ("kind", "waits_s"),
    [(due.REFETCH, [60, 120, 180, 240]), (due.FAULT, [60, 120, 240, 480]), (due.RENORMALISE, [60, 120, 240, 480])],
)
async def test_what_fails_again_waits_longer_each_time(pool: Pool, kind: str, waits_s: list[int]) -> None:
    await pool.execute(_INSERT, "one", kind, 1, -1.0)
    waited = []
    for _ in waits_s:
        await pool.execute("UPDATE orders SET due_at = now()")
        assert sum((await take(pool)).values()) == 1
        waited.append(await pool.fetchval("SELECT round(extract(epoch FROM due_at - now()) / 10) * 10 FROM orders"))
    assert waited == waits_s
    await pool.execute("UPDATE orders SET due_at = now(), due_attempts = 500")
    await take(pool)
    assert await pool.fetchval("SELECT due_at < now() + interval '9 hours' FROM orders")
