"""The same facts however often, in whatever order and through however many replicas they come: one set of documents."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from itertools import repeat
from random import Random

import pytest
from tests.e2e import expected
from tests.e2e.canonical import Json
from tests.e2e.outcome import ended
from tests.e2e.world import World, eventually, first_day

from common.topology import SERVICES
from sandbox.shops.life import Event, ShopLife
from sandbox.shops.shop import Kind
from sandbox.shops.signatures import Delivery
from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORDERS = 30
MODE = "invoices_payments_if_paid"
MANY = 10_000
MANY_WITHIN_S = 240
CONCURRENCY = 48


def twice_and_shuffled(events: Iterable[Event], seed: int) -> list[Delivery]:
    """Every event twice, as a repetition (same delivery id) or a new delivery of the same words, all mixed up."""
    rng = Random(seed)
    deliveries = []
    for event in events:
        first = Delivery.of(event)
        again = first if rng.random() < 0.5 else replace(first, delivery_id=str(uuid.UUID(int=rng.getrandbits(128))))
        deliveries += [first, again]
    rng.shuffle(deliveries)
    return deliveries


@pytest.mark.parametrize("ledger", ["beancount", "quickbooks_online"])
@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "custom"])
async def test_webhooks_twice_and_shuffled_leave_one_set_of_documents(world: World, kind: Kind, ledger: str) -> None:
    shops = [await world.open_shop(kind, orders=ORDERS) for _ in range(2)]
    for shop in shops:
        await world.begin_life(shop)
    connections = [
        await world.connect_shop(await world.company(ledger, first_day(40)), shop, mode=MODE) for shop in shops
    ]
    plain, mixed = connections
    await world.send(plain, shops[0].life.events(ORDERS), in_order=True)
    await world.send(mixed, twice_and_shuffled(shops[1].life.events(ORDERS), seed=3))
    story = shops[0].life.expectation(ORDERS)
    once, twice = await asyncio.gather(*(ended(world, connection, story) for connection in connections))
    assert once.accounts == expected.balances(story, MODE)
    assert not once.not_in_ledger
    assert twice == once


@pytest.mark.slow
async def test_two_replicas_of_each_service_give_the_same_result_as_one(product: Stack, world: World) -> None:
    kinds: tuple[Kind, ...] = ("shopify", "woocommerce")
    async with (
        Stack(f"e2e_{uuid.uuid4().hex[:8]}", replicas=dict.fromkeys(SERVICES, 2)).running() as doubled,
        World.of(doubled) as other,
    ):
        results = []
        for place in (world, other):
            connections, stories = [], []
            for kind, ledger in zip(kinds, ("beancount", "quickbooks_online"), strict=True):
                shop = await place.open_shop(kind, orders=ORDERS, seed=11)
                company = await place.company(ledger, first_day(40))
                connections.append(await place.connect_shop(company, shop, mode=MODE))
                await place.begin_life(shop)
                report = await place.send(connections[-1], shop.life.events(ORDERS), concurrency=24)
                assert report.accepted == report.sent
                stories.append(shop.life.expectation(ORDERS))
            results.append(await asyncio.gather(*map(ended, repeat(place), connections, stories)))
        assert results[0] == results[1]


@pytest.mark.slow
async def test_ten_thousand_orders_twice_over_leave_one_set_of_documents_each(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    company = await world.company("beancount", first_day(400))
    life = ShopLife(5, "woocommerce", "us", first_day(60), orders_per_day=400, scenarios=["plain_paid", "coupon"])
    connection = await world.connect(
        company, "woocommerce", config={"store_url": "http://127.0.0.1:9"}, secrets={"webhook_secret": "whsec_many"},
        start=first_day(399), mode="sales_receipts", time_zone="America/New_York",
    )  # fmt: skip
    events = list(life.orders(MANY))
    started = time.monotonic()
    for _ in range(2):
        report = await world.send(connection, [again(event) for event in events], concurrency=CONCURRENCY)
        assert report.accepted == MANY, report.failures[:3]
    sent_s = time.monotonic() - started
    await settled(world, company.company_id)
    seconds = time.monotonic() - started
    rows = await world.documents(company)
    assert Counter(row["source_id"] for row in rows) == Counter(event.order_id for event in events)
    assert {(row["kind"], row["state"]) for row in rows} == {("sales_receipt", "synced")}
    sold = sum(Decimal(event.body["total"]) for event in events)
    assert expected.by_role(await world.balances(company))["money"] == sold
    with capsys.disabled():
        print(f"\n{MANY} orders twice over: {seconds:.0f} s, {2 * MANY / sent_s:.0f} webhooks/s accepted")
    assert seconds < MANY_WITHIN_S


def again(event: Event) -> Delivery:
    """A delivery with an id of its own: the receiver can't know it by that."""
    return Delivery(event, uuid.uuid4().hex)


async def settled(world: World, company_id: str) -> None:
    """Wait by the overview alone: it is asked seldom, for it adds up ten thousand orders each time."""
    last: Json = {}

    async def is_written() -> bool:
        nonlocal last
        rows = (await world.gateway.get(f"/companies/{company_id}/overview"))["rows"]
        last = next(row for row in rows if row["name"] == "sales_receipts")
        return bool(last["in_ledger"] == last["source"] == MANY)

    await eventually(is_written, "all are written", within_s=MANY_WITHIN_S, every_s=3, seen=lambda: last)
