"""The company's limits: never more in any window than is allowed, and never a wait that nobody may wait for."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_writer.ledgers.quickbooks_online.limits import OutOfTime, RealmLimits, Taken, Window
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings


@given(
    most=st.integers(1, 5),
    gaps=st.lists(
        st.tuples(st.floats(0, 2, allow_nan=False), st.floats(0, 0.5, allow_nan=False)), min_size=1, max_size=60
    ),
)
def test_no_window_of_any_position_holds_more_than_its_limit_however_late_requests_arrive(
    most: int, gaps: list[tuple[float, float]]
) -> None:
    window = Window(most, 3.0)
    now, arrived = 0.0, []
    for gap, lateness in gaps:
        now += gap
        while (wait_s := window.wait_s(now)) > 0:
            now += max(wait_s, 1e-9)
        window.take(Taken(now, now + 0.5))
        arrived.append(now + lateness)
    for start in arrived:
        assert sum(1 for at in arrived if start <= at < start + 3.0 - 1e-9) <= most


async def test_the_next_holder_of_the_lane_keeps_within_what_the_last_one_left() -> None:
    given = OnlineSettings(requests_per_window=10, limit_window_s=60, requests_per_second=1000, batches_per_window=3)
    first, clock = RealmLimits(given, lambda: 1000.0), 5_000.0
    for _ in range(6):
        async with first.slot():
            pass
    for _ in range(2):
        async with first.slot(batch=True):
            pass
    spent = first.spent(clock)
    second = RealmLimits(given, lambda: 20.0)
    second.inherit(spent, clock + 10)
    second.inherit(spent, clock + 10)
    for _ in range(2):
        async with second.slot(latest=20.5):
            pass
    with pytest.raises(OutOfTime) as late:
        async with second.slot(latest=20.5):
            pytest.fail("the window was full already")
    assert 49 <= late.value.wait_s <= 51
    assert spent == {"requests": "5000:8", "batches": "5000:2"}
    third = RealmLimits(given, lambda: 20.0)
    third.inherit(spent, clock + 61)
    async with third.slot(latest=20.5):
        pass
    assert third.spent(clock + 61)["requests"] == "5061:1"


async def test_what_was_inherited_is_not_counted_again_however_often_it_is_told() -> None:
    given = OnlineSettings(requests_per_window=500)
    # Two clocks are never read at the same moment, so what they differ by is never quite the same.
    limits = RealmLimits(given, lambda: 20.0)
    told = {"requests": "4990:100 5002:1"}
    for jitter in (0.0, 0.0001, 0.002, 0.0003, 0.003):
        limits.inherit(told, 5_000.0 + jitter)
    assert limits.spent(5_000.0) == {**told, "batches": ""}


def test_an_event_that_counts_for_long_does_not_keep_those_after_it() -> None:
    window = Window(2, 1.0)
    window.take(Taken(0.0, 5.0))
    window.take(Taken(0.0, 0.1))
    assert window.wait_s(0.5) == pytest.approx(0.6)
    assert window.wait_s(1.2) == 0.0


async def test_requests_per_window_hold_back_the_next_one() -> None:
    limits = RealmLimits(OnlineSettings(requests_per_window=5, limit_window_s=0.3, requests_per_second=1000))
    started = time.monotonic()

    async def one() -> None:
        async with limits.slot():
            pass

    await asyncio.gather(*(one() for _ in range(11)))
    assert time.monotonic() - started >= 0.6


async def test_no_more_run_at_once_than_allowed() -> None:
    limits = RealmLimits(OnlineSettings(concurrent_requests=3, requests_per_second=1000))
    running, most = 0, 0

    async def one() -> None:
        nonlocal running, most
        async with limits.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1

    await asyncio.gather(*(one() for _ in range(12)))
    assert most == 3


async def test_a_caller_that_may_not_wait_so_long_is_told_at_once() -> None:
    limits = RealmLimits(OnlineSettings(requests_per_window=1, limit_window_s=30, requests_per_second=1000))
    async with limits.slot():
        pass
    with pytest.raises(OutOfTime) as late:
        async with limits.slot(latest=time.monotonic() + 1):
            pytest.fail("no slot was free")
    assert 25 < late.value.wait_s < 31
    with pytest.raises(OutOfTime):
        async with limits.slot(latest=time.monotonic() - 1):
            pytest.fail("the time was over")


async def test_after_a_refusal_the_company_rests() -> None:
    limits = RealmLimits(OnlineSettings())
    limits.rest(0.2)
    started = time.monotonic()
    async with limits.slot():
        assert time.monotonic() - started >= 0.19


async def test_batches_have_a_limit_of_their_own() -> None:
    limits = RealmLimits(OnlineSettings(batches_per_window=1, limit_window_s=60))
    async with limits.slot(batch=True):
        pass
    async with limits.slot(latest=time.monotonic() + 0.5):
        pass
    with pytest.raises(OutOfTime):
        async with limits.slot(batch=True, latest=time.monotonic() + 0.5):
            pytest.fail("the second batch should have waited")
