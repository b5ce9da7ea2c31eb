"""Loops come back from whatever ends them, and only from that."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from common import runtime
from common.broker import BrokerLost
from common.runtime import keep_running


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_pause_s", lambda _before_s, _ran_s: 0.0)


async def waits_for_something_cancelled() -> None:
    """How a library rejects what waits on its dead connection."""
    waiting = asyncio.get_running_loop().create_future()
    waiting.set_exception(asyncio.CancelledError())
    await waiting


async def loses_the_broker() -> None:
    raise BrokerLost("gone")


async def has_a_bug() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("ends", [waits_for_something_cancelled, loses_the_broker, has_a_bug])
async def test_work_that_ended_is_started_again(ends: Callable[[], Awaitable[None]]) -> None:
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts < 4:
            await ends()

    await asyncio.wait_for(keep_running("work", work), 5)
    assert starts == 4


async def test_a_cancelled_loop_ends_and_its_work_with_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    loop = asyncio.create_task(keep_running("work", work))
    await begun.wait()
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    assert ended.is_set()
