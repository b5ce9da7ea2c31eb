"""A batch forgets what a failing part recorded, and nothing else."""

import asyncio

import pytest

from common.batch import Batch
from common.bulk import Upsert
from common.group_commit import GroupCommit, QueueFull
from common.messages.orders import Product

ROWS = Upsert("things", ("id",), {"id": "text", "revision": "bigint"}, guard="t.revision < excluded.revision")


def product(identity: str) -> Product:
    return Product(tenant_id="t", revision=1, connection_id="c", external_id=identity, sku="s", name="n")


def test_statement_unnests_once_and_guards_against_older_revisions() -> None:
    assert ROWS.statement == (
        "INSERT INTO things AS t (id, revision) SELECT id, revision FROM unnest($1::text[], $2::bigint[])"
        " AS rows (id, revision) ON CONFLICT (id) DO UPDATE SET revision = excluded.revision"
        " WHERE t.revision < excluded.revision"
    )
    assert Upsert("things", ("id",), {"id": "text"}, update=()).statement.endswith("ON CONFLICT (id) DO NOTHING")


def test_a_failing_part_leaves_nothing_behind() -> None:
    batch = Batch()
    woken: list[str] = []
    with batch.part("good", None, b"{}"):
        batch.upsert(ROWS, {"id": "a", "revision": 1})
        batch.publish(product("a"))
        batch.after_commit(lambda: woken.append("a"))

    def record_and_fail() -> None:
        with batch.part("bad", None, b"{}"):
            batch.upsert(ROWS, {"id": "b", "revision": 1})
            batch.execute("DELETE FROM things")
            batch.publish(product("b"))
            batch.after_commit(lambda: woken.append("b"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fail()
    ((_, rows),) = batch._rows.values()
    assert rows == [("a", 1)]
    assert [row.entity_key for row in batch._outgoing] == ["c/product/a"]
    assert batch._outgoing[0].correlation_id == "good"
    assert batch._statements == []
    batch.committed()
    assert woken == ["a"]


async def test_group_commit_shares_a_commit_and_isolates_a_bad_item() -> None:
    commits: list[list[int]] = []

    async def commit(items: list[int]) -> list[int]:
        commits.append(list(items))
        if 13 in items:
            raise ValueError("unlucky")
        return [item * 2 for item in items]

    group = GroupCommit[int, int](commit, linger_s=0.01)  # type: ignore[arg-type]
    running = asyncio.create_task(group.run())
    good = await asyncio.gather(*(group.submit(n) for n in range(5)))
    assert good == [0, 2, 4, 6, 8]
    assert commits == [[0, 1, 2, 3, 4]]
    mixed = await asyncio.gather(group.submit(1), group.submit(13), group.submit(2), return_exceptions=True)
    assert mixed[0] == 2
    assert isinstance(mixed[1], ValueError)
    assert mixed[2] == 4
    running.cancel()


async def test_group_commit_refuses_when_too_many_wait() -> None:
    async def never(items: list[int]) -> list[int]:
        await asyncio.sleep(60)
        return items

    group = GroupCommit[int, int](never, waiting_max=1, linger_s=0)  # type: ignore[arg-type]
    held = asyncio.create_task(group.submit(1))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await group.submit(2)
    held.cancel()
