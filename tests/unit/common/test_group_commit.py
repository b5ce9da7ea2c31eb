"""Whoever waits for a group to be committed learns what became of it."""

import asyncio
from collections.abc import Sequence

import pytest

from common.group_commit import GroupCommit, QueueFull


async def submitted(group: GroupCommit[int, int], *items: int) -> list[int | BaseException]:
    """Submit everything at once and run the loop until all have an answer."""
    running = asyncio.create_task(group.run())
    results = await asyncio.wait_for(asyncio.gather(*map(group.submit, items), return_exceptions=True), 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return results


async def test_concurrent_items_share_a_commit_and_each_gets_its_own_result() -> None:
    sizes: list[int] = []

    async def commit(items: Sequence[int]) -> list[int | Exception]:
        sizes.append(len(items))
        return [ValueError("odd") if item % 2 else item * 10 for item in items]

    results = await submitted(GroupCommit(commit), 2, 3, 4)
    assert sizes == [3]
    assert [results[0], results[2]] == [20, 40]
    assert isinstance(results[1], ValueError)


async def test_one_bad_item_costs_only_itself() -> None:
    async def commit(items: Sequence[int]) -> list[int]:
        if 3 in items:
            raise ZeroDivisionError
        return list(items)

    results = await submitted(GroupCommit(commit), 2, 3, 4)
    assert [results[0], results[2]] == [2, 4]
    assert isinstance(results[1], ZeroDivisionError)


async def test_a_lost_database_is_told_to_all_after_one_try() -> None:
    tries = 0

    async def commit(_: Sequence[int]) -> list[int]:
        nonlocal tries
        tries += 1
        raise ConnectionRefusedError

    results = await submitted(GroupCommit(commit, lost=(OSError,)), 1, 2, 3)
    assert [type(result) for result in results] == [ConnectionRefusedError] * 3
    assert tries == 1


async def test_nobody_waits_for_ever_for_a_commit_that_forgot_an_item() -> None:
    async def commit(items: Sequence[int]) -> list[int]:
        return list(items)[1:]

    results = await submitted(GroupCommit(commit), 1, 2, 3)
    assert isinstance(results[-1], ValueError)
    assert all(result == item + 1 or isinstance(result, ValueError) for item, result in enumerate(results, start=1))


async def test_more_than_may_wait_are_refused() -> None:
    async def commit(items: Sequence[int]) -> list[int]:
        return list(items)

    group = GroupCommit(commit, waiting_max=2)
    waiting = [asyncio.create_task(group.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        await group.submit(3)
    running = asyncio.create_task(group.run())
    assert await asyncio.gather(*waiting) == [1, 2]
    running.cancel()
