"""Whole lives of sample shops, event by event and in any order, against what their books must say."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random
from typing import get_args

import orjson
import pytest
from tests.connectors.conftest import SECRET, Shelf, account

from common.messages.orders import Order, Tender
from ingest.channels import BY_NAME
from ingest.channels.custom.compatible import split
from ingest.channels.custom.webhook import order_part
from ingest.parts import Part, PartKind, Source
from ingest.signatures import moment
from sandbox.shops.expectation import Expectation
from sandbox.shops.life import Event, ShopLife, Snapshot
from sandbox.shops.shop import SHOPS, Kind
from sandbox.shops.signatures import Delivery, headers_of

KINDS: tuple[Kind, ...] = get_args(Kind)
ORDERS = 80


def parts_of(event: Event) -> tuple[Part, ...]:
    headers = headers_of(Delivery.of(event), event.raw(), SECRET)
    return BY_NAME[event.kind].parse({name.lower(): value for name, value in headers.items()}, event.raw()).parts


def fetched_refunds(snapshot: Snapshot) -> tuple[Part, ...]:
    """What a fetch of a WooCommerce order's refunds brings; its webhooks name them only."""
    if not snapshot.refunds:
        return ()
    raw = orjson.dumps(snapshot.refunds)
    return (Part(PartKind.REFUNDS, snapshot.order_id, raw, snapshot.at, source=Source.API),)


def assert_books_agree(shelf: Shelf, expected: Expectation) -> None:
    for order_id, wanted in expected.orders.items():
        order, where = shelf.order(order_id), f"{order_id} {wanted.scenario}"
        assert order.total == expected.money(wanted.total), where
        assert order.tax_total == expected.money(wanted.tax), where
        assert sum(tender.amount for tender in order.tenders) == expected.money(wanted.paid), where
        assert order.rounding == 0, where
        refunds = sorted(wanted.refunds, key=lambda refund: refund.at)
        assert len(order.refunds) == len(refunds), where
        for given, refund in zip(order.refunds, refunds, strict=True):
            assert sum(row.amount for row in given.transactions) == expected.money(refund.money), where
            assert sum(line.amount for line in given.lines) == expected.money(refund.goods), where
            assert given.shipping == expected.money(refund.shipping), where
            assert given.tax == expected.money(refund.tax), where
            assert sum(item.amount for item in given.adjustments) == expected.money(refund.extra), where
        assert_balances(order)


def assert_balances(order: Order) -> None:
    """The invariant of the contract, to the cent."""
    parts = (
        sum(line.amount for line in order.lines)
        + sum(line.amount for line in order.shipping_lines)
        - sum(discount.amount for discount in order.discounts)
        + sum(item.amount for item in order.surcharges)
        + order.tax_total
        + order.tips
        + order.rounding
    )
    assert order.total == parts
    assert order.tax_total == sum(tax.amount for tax in order.taxes)


@pytest.mark.parametrize("fetches", [True, False], ids=["with api", "webhooks only"])
@pytest.mark.parametrize("shop", sorted(SHOPS))
@pytest.mark.parametrize("kind", KINDS)
def test_a_life_read_event_by_event_agrees_with_the_books(kind: Kind, shop: str, fetches: bool) -> None:
    life = ShopLife(7, kind, shop, date(2026, 3, 1))
    shelf = Shelf(BY_NAME[kind], account(life.shop.timezone, fetches=fetches))
    for snapshot in life.snapshots(ORDERS):
        if kind == "woocommerce":
            shelf.take(fetched_refunds(snapshot))
        for event in snapshot.events:
            shelf.take(parts_of(event))
    assert_books_agree(shelf, life.expectation(ORDERS))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_any_order_of_arrival_with_repetitions_ends_in_the_same_orders(kind: Kind, seed: int) -> None:
    life = ShopLife(9, kind, "eu", date(2026, 3, 1))
    snapshots = list(life.snapshots(30))
    arrivals = [parts_of(event) for snapshot in snapshots for event in snapshot.events]
    if kind == "woocommerce":
        arrivals += [fetched_refunds(snapshot) for snapshot in snapshots]
    arrivals = [*arrivals, *arrivals]
    Random(seed).shuffle(arrivals)
    shelf = Shelf(BY_NAME[kind], account(life.shop.timezone, fetches=True))
    for parts in arrivals:
        shelf.take(parts)
    assert_books_agree(shelf, life.expectation(30))


@pytest.mark.parametrize("shop", sorted(SHOPS))
def test_the_older_pull_envelope_gives_the_same_money_as_the_native_document(shop: str) -> None:

    life = ShopLife(7, "custom", shop, date(2026, 3, 1))
    shelf = Shelf(BY_NAME["custom"], account(life.shop.timezone))
    native = Shelf(BY_NAME["custom"], account(life.shop.timezone))
    for snapshot in life.snapshots(ORDERS):
        assert snapshot.pulled is not None
        for envelope in split(orjson.loads(orjson.dumps(snapshot.pulled))):
            raw = orjson.dumps(envelope)
            shelf.take([Part(PartKind.ORDER, snapshot.order_id, raw, snapshot.at, source=Source.API)])
        body = orjson.loads(orjson.dumps(snapshot.body))
        native.take([order_part(body, orjson.dumps(body), Source.API)])
    expected = life.expectation(ORDERS)
    for order_id, wanted in expected.orders.items():
        order, twin = shelf.order(order_id), native.order(order_id)
        assert order.total == twin.total == expected.money(wanted.total), wanted.scenario
        assert order.tax_total == twin.tax_total
        assert [line.amount for line in order.lines] == [line.amount for line in twin.lines]
        assert moment(snapshot.at.isoformat()) >= order.created_at


@pytest.mark.parametrize("shop", sorted(SHOPS))
def test_a_payment_that_was_concluded_keeps_its_identity_when_the_real_one_arrives(shop: str) -> None:
    """Webhooks only: the paid order first, its transaction later; the tender is the same one, with a reference."""
    life = ShopLife(7, "shopify", shop, date(2026, 3, 1), scenarios=["plain_paid"])
    shelf = Shelf(BY_NAME["shopify"], account(life.shop.timezone, fetches=False))
    for snapshot in life.snapshots(10):
        created = [event for event in snapshot.events if event.topic == "orders/create"]
        moved = [event for event in snapshot.events if event.topic == "order_transactions/create"]
        if not created or not moved:
            continue
        shelf.take(parts_of(created[0]))
        before = shelf.order(snapshot.order_id).tenders
        assert [tender.external_id for tender in before] == [f"derived:{snapshot.order_id}:1"]
        shelf.take(parts_of(moved[0]))
        after = shelf.order(snapshot.order_id).tenders
        assert _known_by(after) == [(t.external_id, t.amount, t.method) for t in before]
        assert after[0].reference
    assert shelf.outcomes


def _known_by(tenders: Sequence[Tender]) -> list[tuple[str, Decimal, str]]:
    return [(tender.external_id, tender.amount, tender.method) for tender in tenders]
