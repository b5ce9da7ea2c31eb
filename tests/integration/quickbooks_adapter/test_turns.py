"""What routes ask of a company counts within the limits that its lane keeps, whichever replica they are in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair

from ledger_writer.lanes import turns
from ledger_writer.lanes.turns import Turns
from ledger_writer.ledgers.quickbooks_online.limits import Beside, RealmLimits
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings


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
        beside = Beside(RealmLimits(OnlineSettings()), lambda: other.take(COMPANY))
        with holder.lending(COMPANY, limits.slot):
            for taken in (1, 2):
                async with asyncio.timeout(30), beside.slot():
                    assert spent(limits.spent(1000.0)) == taken
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0), beside.slot():
                    raise AssertionError("a third request of two")
    assert await desk.pool.fetchval("SELECT holder FROM lanes") == "a lane"


async def test_one_after_the_other_holds_a_lane_that_nobody_holds(desk: Desk) -> None:
    limits = RealmLimits(OnlineSettings(requests_per_second=1000))
    order: list[str] = []
    before = await counted(desk)

    async def ask(replica: Turns, name: str) -> None:
        async with asyncio.timeout(60), Beside(limits, lambda: replica.take(COMPANY)).slot():
            order.append(f"{name} begins")
            await asyncio.sleep(0.05)
            order.append(f"{name} ends")

    async with replica_of(desk) as one, replica_of(desk) as other:
        await asyncio.gather(ask(one, "one"), ask(other, "other"))
    assert [step.split()[0] for step in order] in (["one", "one", "other", "other"], ["other", "other", "one", "one"])
    assert await counted(desk) >= before + 2
