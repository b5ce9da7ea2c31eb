"""What routes ask of a company counts within the limits that its lane keeps, whichever replica they are in."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair

from api.settings import ApiSettings
from common.errors import Retryable
from ledger_writer.lanes import turns
from ledger_writer.lanes.turns import Turns
from ledger_writer.ledgers.quickbooks_online.limits import Beside, OutOfTime, RealmLimits
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.routes import companies as routes
from ledger_writer.store import lanes


@pytest.fixture
async def desk(open_desk: OpenDesk, company: Company) -> AsyncIterator[Desk]:
    """A company whose lane is paused, so that nobody holds it but who does here."""
    async with open_desk() as made:
        await pair(made, company)
        await made.until("SELECT lists_read_at IS NOT NULL FROM companies", True, timeout_s=60)
        paused = await made.call("POST", f"/internal/companies/{COMPANY}/lane/pause", {"tenant_id": TENANT})
        assert paused.status_code == 200, paused.text
        await made.until("SELECT holder FROM lanes", "", timeout_s=60)
        yield made


def hear(replica: Turns, _connection: Any, _pid: int, _channel: str, said: object) -> None:
    replica.heard(str(said))


@asynccontextmanager
async def replica_of(desk: Desk) -> AsyncIterator[Turns]:
    """Another replica, as far as turns go."""
    made = Turns(desk.pool)
    heard = partial(hear, made)
    async with desk.pool.acquire() as connection:
        await connection.add_listener(turns.CHANNEL, heard)
        yield made
        await connection.remove_listener(turns.CHANNEL, heard)


def beside_of(replica: Turns) -> Beside:
    return Beside(RealmLimits(OnlineSettings()), partial(replica.take, COMPANY))


async def send(beside: Beside) -> None:
    async with beside.slot():
        pass


def lend(limits: RealmLimits, rest_s: float) -> AbstractAsyncContextManager[None]:
    limits.rest(rest_s)
    return limits.slot()


def spent(limits: dict[str, str]) -> int:
    return sum(int(part.partition(":")[2]) for part in limits.get("requests", "").split())


async def counted(desk: Desk) -> int:
    return spent({"requests": await desk.pool.fetchval("SELECT bookmark ->> 'requests' FROM lanes") or ""})


async def test_what_a_route_asks_is_left_in_the_lane_for_who_holds_it_next(desk: Desk) -> None:
    before = await counted(desk)
    path = f"/internal/companies/{COMPANY}/trial-balance?tenant_id={TENANT}"
    answer = await desk.call("GET", path)
    assert answer.status_code == 200, answer.text
    assert await counted(desk) >= before + 3
    assert await desk.pool.fetchval("SELECT holder FROM lanes") == ""


async def test_the_lane_s_holder_counts_what_other_replicas_ask(desk: Desk) -> None:
    await desk.pool.execute("UPDATE lanes SET holder = 'a lane', expires_at = now() + interval '10 minutes'")
    limits = RealmLimits(OnlineSettings(requests_per_window=2, requests_per_second=1000))
    async with replica_of(desk) as holder, replica_of(desk) as other:
        beside = beside_of(other)
        with holder.lending(COMPANY, partial(lend, limits)):
            for taken in (1, 2):
                async with asyncio.timeout(30), beside.slot():
                    assert spent(limits.spent(1000.0)) == taken
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0), beside.slot():
                    raise AssertionError("a third request of two")
    assert await desk.pool.fetchval("SELECT holder FROM lanes") == "a lane"


async def test_a_lane_that_nobody_holds_is_free_again_while_a_request_is_sent(desk: Desk) -> None:
    before = await counted(desk)
    async with (
        asyncio.timeout(60),
        replica_of(desk) as one,
        replica_of(desk) as other,
        beside_of(one).slot(),
        beside_of(other).slot(),
    ):
        assert await desk.pool.fetchval("SELECT holder FROM lanes") == ""
        assert await counted(desk) >= before + 2
    assert await desk.pool.fetchval("SELECT holder FROM lanes") == ""


async def test_the_lane_is_not_held_while_its_limits_are_waited_for(desk: Desk) -> None:
    one_a_minute = RealmLimits(OnlineSettings(requests_per_window=1))
    async with replica_of(desk) as replica:
        beside = Beside(one_a_minute, partial(replica.take, COMPANY))

        async def two() -> None:
            for _ in range(2):
                async with beside.slot(latest=time.monotonic() + 10):
                    pass

        # What was sent to pair the company fills the minute, or the first of the two does.
        with pytest.raises(OutOfTime):
            await two()
    assert await desk.pool.fetchval("SELECT holder FROM lanes") == ""


async def test_a_refusal_beside_the_lane_is_rested_for_by_its_holder_before_the_next_turn(desk: Desk) -> None:
    await desk.pool.execute("UPDATE lanes SET holder = 'a lane', expires_at = now() + interval '10 minutes'")
    limits = RealmLimits(OnlineSettings())
    async with replica_of(desk) as holder, replica_of(desk) as other:
        beside = beside_of(other)
        with holder.lending(COMPANY, partial(lend, limits)):
            async with asyncio.timeout(30), beside.slot():
                pass
            beside.rest(600)
            asking = asyncio.create_task(send(beside))
            async with asyncio.timeout(30):
                while not limits.resting_s():
                    await asyncio.sleep(0.05)
            assert limits.resting_s() > 300
            assert not asking.done()
            asking.cancel()


@pytest.mark.parametrize("step", ["borrow", "give_back"])
async def test_a_database_that_does_not_answer_is_not_taken_for_the_ledger(
    desk: Desk, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unanswered(*_: Any) -> None:
        raise TimeoutError

    async with replica_of(desk) as replica:
        monkeypatch.setattr(lanes, step, unanswered)
        with pytest.raises(Retryable, match="turn"):
            async with beside_of(replica).slot():
                raise AssertionError("sent though nobody may know of it")
        monkeypatch.undo()
        # A lane that could not be given back is nobody's for seconds, not minutes.
        async with asyncio.timeout(60), beside_of(replica).slot():
            pass


async def test_a_request_is_counted_again_by_whoever_took_the_lane_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back, tries = lanes.give_back, 0

    async def too_late(pool: Any, lease: lanes.Lease, bookmark: Any) -> bool:
        nonlocal tries
        tries += 1
        if tries == 1:
            await pool.execute("UPDATE lanes SET epoch = epoch + 1, expires_at = now()")
        return await given_back(pool, lease, bookmark)

    monkeypatch.setattr(lanes, "give_back", too_late)
    before = await counted(desk)
    async with replica_of(desk) as replica, asyncio.timeout(60), beside_of(replica).slot():
        assert tries == 2
        assert await counted(desk) > before


async def test_a_report_that_gets_no_turn_says_why_and_when_to_try_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.pool.execute("UPDATE lanes SET holder = 'a dead lane', expires_at = now() + interval '10 minutes'")
    assert ApiSettings.model_fields["internal_timeout_s"].default > routes._REPORT_TIMEOUT_S
    monkeypatch.setattr(routes, "_REPORT_TIMEOUT_S", 1.0)
    answer = await desk.call("GET", f"/internal/companies/{COMPANY}/trial-balance?tenant_id={TENANT}")
    assert answer.status_code == 503, answer.text
    assert "limits leave no request" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "60"
