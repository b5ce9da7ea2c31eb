"""kill -9 in the middle of the work: the result is what it would have been."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import count

import pytest
from tests.chaos.poison import Poisoned
from tests.e2e import expected
from tests.e2e.outcome import ended
from tests.e2e.world import Connection, World, first_day

from common.topology import SERVICES
from sandbox.shops.life import Event
from sandbox.stack import Stack

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("poisoned"),
    pytest.mark.chaos,
    pytest.mark.slow,
]

ORDERS = 24
"""Every story of the sample shops once."""
MODE = "invoices_payments_if_paid"
KINDS = (("shopify", "beancount"), ("woocommerce", "quickbooks_online"))
WITHIN_S = 150


async def kill_service(stack: Stack, name: str) -> None:
    """Crash every replica of a service. The supervisor starts it again."""
    stack.kill(f"{name}-1")


async def kill_servers(stack: Stack, name: str) -> None:
    """Crash Postgres or RabbitMQ, leave it down for a moment, start it again."""
    infrastructure = stack.infrastructure
    await asyncio.to_thread(infrastructure.crash, postgres=name == "postgres", rabbitmq=name == "rabbitmq")
    await asyncio.sleep(1)
    await asyncio.to_thread(infrastructure.up)


UNSEEN = pytest.mark.xfail(strict=False, reason="not yet seen to its end beside the kills of the servers")
# A defect that is open: after a server was killed, the run that polls stays at `working` for more than 150 s.
RUN_NEVER_ENDS = pytest.mark.xfail(
    raises=AssertionError, strict=False, reason="after a killed server the run never ends"
)
VICTIMS = [
    *(pytest.param(kill_service, service, id=service) for service in SERVICES),
    pytest.param(kill_servers, "rabbitmq", id="rabbitmq", marks=RUN_NEVER_ENDS),
    pytest.param(kill_servers, "postgres", id="postgres", marks=RUN_NEVER_ENDS),
]


@pytest.mark.parametrize(("kill", "victim"), VICTIMS)
async def test_a_crash_in_the_middle_changes_nothing_in_the_result(
    world: World, kill: Callable[[Stack, str], Awaitable[None]], victim: str
) -> None:
    shops, connections = [], []
    for kind, ledger in KINDS:
        shops.append(await world.open_shop(kind, orders=ORDERS, seed=23))
        company = await world.company(ledger, first_day(40))
        connections.append(await world.connect_shop(company, shops[-1], mode=MODE))
        await world.begin_life(shops[-1])
    total = sum(1 for shop in shops for _ in shop.life.events(ORDERS))
    middle = asyncio.Event()
    sent = count(1)

    async def send(connection: Connection, events: Iterable[Event]) -> None:
        def on_sent(_: int) -> None:
            if next(sent) == total // 3:
                middle.set()

        # A shop does not ask twice: what can't be delivered now comes by the polling run.
        await world.send(connection, events, in_order=True, concurrency=2, timeout_s=10, on_sent=on_sent)

    async with asyncio.TaskGroup() as group:
        for shop, connection in zip(shops, connections, strict=True):
            group.create_task(send(connection, shop.life.events(ORDERS)))
        await middle.wait()
        await kill(world.stack, victim)

    for shop, connection in zip(shops, connections, strict=True):
        story = shop.life.expectation(ORDERS)
        outcome = await ended(world, connection, story, within_s=WITHIN_S)
        assert outcome.accounts == expected.balances(story, MODE)
        assert not outcome.not_in_ledger
        kinds = {key: expected.documents(row, MODE) for key, row in story.orders.items()}
        assert outcome.kinds() == {key: wanted for key, wanted in kinds.items() if wanted}


@UNSEEN
async def test_a_lane_killed_again_and_again_writes_every_document_once(world: World) -> None:
    shop = await world.open_shop("woocommerce", orders=ORDERS, seed=31)
    await world.begin_life(shop)
    connections = [
        await world.connect_shop(await world.company(ledger, first_day(40)), shop, mode=MODE) for _, ledger in KINDS
    ]
    for connection in connections:
        await world.send(connection, shop.life.events(ORDERS), concurrency=16)
    for _ in range(4):
        world.stack.kill("ledger-writer-1")
        await asyncio.sleep(2.5)
    story = shop.life.expectation(ORDERS)
    for connection in connections:
        outcome = await ended(world, connection, story, within_s=WITHIN_S)
        assert outcome.accounts == expected.balances(story, MODE)
        assert not outcome.not_in_ledger


@UNSEEN
async def test_the_poisoned_connection_is_in_nobodys_way(world: World, poisoned: Poisoned) -> None:
    orders = await poisoned.world.orders(poisoned.connection)
    assert {order["column"] for order in orders.values()} == {"in_progress"}
