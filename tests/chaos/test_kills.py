"""kill -9 in the middle of the work: the result is what it would have been."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import count

import pytest
from tests.chaos.poison import ORDERS as POISONED
from tests.chaos.poison import Poisoned
from tests.e2e import expected
from tests.e2e.outcome import ended
from tests.e2e.world import Connection, SampleShop, World, first_day

from common.topology import SERVICES
from sandbox.shops.life import Event
from sandbox.shops.shop import Kind

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("poisoned"),
    pytest.mark.chaos,
    pytest.mark.slow,
]

ORDERS = 24
"""Every story of the sample shops once."""
MODE = "invoices_payments_if_paid"
KINDS: tuple[tuple[Kind, str], ...] = (("shopify", "beancount"), ("woocommerce", "quickbooks_online"))
WITHIN_S = 150


async def opened(world: World, *, seed: int) -> list[tuple[SampleShop, Connection]]:
    """A shop of each kind in which everything has happened, connected to a ledger of its own."""
    pairs = []
    for kind, ledger in KINDS:
        shop = await world.open_shop(kind, orders=ORDERS, seed=seed)
        connection = await world.connect_shop(await world.company(ledger, first_day(40)), shop, mode=MODE)
        await world.begin_life(shop)
        pairs.append((shop, connection))
    return pairs


async def expect_undisturbed_result(world: World, pairs: Iterable[tuple[SampleShop, Connection]]) -> None:
    """Both ledgers end as if nothing had happened; what a webhook could not deliver comes by the poll."""

    async def one(shop: SampleShop, connection: Connection) -> None:
        story = shop.life.expectation(ORDERS)
        outcome = await ended(world, connection, story, within_s=WITHIN_S)
        assert outcome.accounts == expected.balances(story, MODE)
        assert not outcome.not_in_ledger
        kinds = {key: expected.documents(row, MODE) for key, row in story.orders.items()}
        assert outcome.kinds() == {key: wanted for key, wanted in kinds.items() if wanted}

    async with asyncio.TaskGroup() as group:
        for shop, connection in pairs:
            group.create_task(one(shop, connection))


@pytest.mark.parametrize(
    "crashes",
    [
        pytest.param([[service] for service in SERVICES], id="each-service"),
        pytest.param([["rabbitmq"]], id="rabbitmq"),
        pytest.param([["postgres"]], id="postgres"),
        pytest.param([["rabbitmq", "postgres"], [*SERVICES]], id="everything"),
    ],
)
async def test_crashes_in_the_middle_change_nothing_in_the_result(
    world: World, crashes: Sequence[Sequence[str]]
) -> None:
    pairs = await opened(world, seed=23)
    total = sum(1 for shop, _ in pairs for _ in shop.life.events(ORDERS))
    moments = [asyncio.Event() for _ in crashes]
    at = {total * number // (len(crashes) + 1): moment for number, moment in enumerate(moments, start=1)}
    sent = count(1)

    def on_sent(_: int) -> None:
        if (moment := at.get(next(sent))) is not None:
            moment.set()

    async def send(connection: Connection, events: Iterable[Event]) -> None:
        # A shop does not ask twice: what can't be delivered now comes by the polling run.
        await world.send(connection, events, in_order=True, concurrency=2, timeout_s=10, on_sent=on_sent)

    async with asyncio.TaskGroup() as group:
        for shop, connection in pairs:
            group.create_task(send(connection, shop.life.events(ORDERS)))
        for victims, moment in zip(crashes, moments, strict=True):
            await moment.wait()
            await world.stack.crash(*victims)
    await expect_undisturbed_result(world, pairs)


async def test_crashes_under_a_polling_run_and_its_lanes_change_nothing_in_the_result(world: World) -> None:
    pairs = await opened(world, seed=31)

    async def crash_one_after_the_other() -> None:
        # Nothing came by webhook: while a run is fetched and written, its lane dies again and again, and both servers.
        for victim in ("ledger-writer", "rabbitmq", "ledger-writer", "postgres", "ledger-writer"):
            await asyncio.sleep(2)
            await world.stack.crash(victim)

    async with asyncio.TaskGroup() as group:
        group.create_task(expect_undisturbed_result(world, pairs))
        group.create_task(crash_one_after_the_other())


async def test_the_poisoned_connection_is_in_nobodys_way(poisoned: Poisoned) -> None:
    orders = await poisoned.world.orders(poisoned.connection)
    assert len(orders) == POISONED
    # Still tried again, or, on a machine that took its time over the crashes, set aside already.
    assert {order["column"] for order in orders.values()} <= {"in_progress", "warnings"}
