"""One order of each story, followed while it happens: what is there after each step, and nothing twice."""

from collections.abc import Iterable
from decimal import Decimal

import pytest
from tests.e2e.world import Company, World, first_day

from sandbox.demo.gateway import Json
from sandbox.shops.life import Event
from sandbox.shops.shop import Kind

pytestmark = pytest.mark.asyncio(loop_scope="session")

STORIES = ("pending_then_paid", "refunded_in_full", "edited_before_payment", "cancelled_unpaid")
MODE = "invoices_payments_if_paid"


def first_moments(events: Iterable[Event]) -> tuple[list[Event], list[Event]]:
    """The events of the moment each order was placed, and all others."""
    placed: list[Event] = []
    later: list[Event] = []
    born: dict[str, object] = {}
    for event in events:
        (placed if born.setdefault(event.order_id, event.at) == event.at else later).append(event)
    return placed, later


async def states(world: World, company: Company, order: str) -> dict[str, tuple[str, Decimal]]:
    """Kind → (state, amount) of an order's documents, each kind once."""
    rows: list[Json] = await world.documents(company, of=order)
    assert len({row["kind"] for row in rows}) == len(rows), rows
    return {row["kind"]: (row["state"], Decimal(row["amount"])) for row in rows}


@pytest.mark.parametrize("ledger", ["beancount", "quickbooks_online"])
@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "custom"])
async def test_documents_follow_the_order(world: World, kind: Kind, ledger: str) -> None:
    company = await world.company(ledger, first_day(40))
    shop = await world.open_shop(kind, orders=len(STORIES), scenarios=STORIES)
    connection = await world.connect_shop(company, shop, mode=MODE)
    placed, later = first_moments(shop.life.events(len(STORIES)))
    by_story = {row.scenario: row for row in shop.life.expectation(len(STORIES)).orders.values()}

    await world.send(connection, placed, in_order=True)
    await world.settled(company, orders=len(STORIES))
    before = {}
    for name, row in by_story.items():
        before[name] = await states(world, company, row.id)
        assert before[name]["invoice"][0] == "synced", name
        assert ("payment" in before[name]) is (name == "refunded_in_full"), name

    await world.begin_life(shop)
    await world.send(connection, later, in_order=True)
    await world.settled(company, orders=len(STORIES))
    after = {name: await states(world, company, row.id) for name, row in by_story.items()}

    money = shop.life.shop.currency.decimal
    paid = by_story["pending_then_paid"]
    assert after["pending_then_paid"] == {
        **before["pending_then_paid"],
        "payment": ("synced", money(paid.total)),
    }
    refunded = by_story["refunded_in_full"]
    assert after["refunded_in_full"] == {
        **before["refunded_in_full"],
        "refund_receipt": ("synced", money(refunded.refunded)),
    }
    edited = by_story["edited_before_payment"]
    assert before["edited_before_payment"]["invoice"] != ("synced", money(edited.total))
    assert after["edited_before_payment"]["invoice"] == ("synced", money(edited.total))
    assert after["edited_before_payment"]["payment"] == ("synced", money(edited.paid))
    assert {kind: state for kind, (state, _) in after["cancelled_unpaid"].items()} == {"invoice": "voided"}
