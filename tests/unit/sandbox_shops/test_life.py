"""A life is the same whenever it is drawn, comes in the order of time, and holds every story."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, timedelta
from decimal import Decimal

import orjson
import pytest

from sandbox.shops import Kind, ShopLife
from sandbox.shops.pricing import Currency, TaxRate, allocate, taxes_on
from sandbox.shops.scenarios import STORIES

START = date(2026, 3, 1)
KINDS: tuple[Kind, ...] = ("shopify", "woocommerce", "custom")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_bytes(kind: Kind) -> None:
    first = [(event.topic, event.event_id, event.raw()) for event in ShopLife(7, kind, "us", START).events(50)]
    again = [(event.topic, event.event_id, event.raw()) for event in ShopLife(7, kind, "us", START).events(50)]
    other = [(event.topic, event.event_id, event.raw()) for event in ShopLife(8, kind, "us", START).events(50)]
    assert first == again
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_events_come_in_the_order_of_time_and_no_event_id_twice(kind: Kind) -> None:
    events = list(ShopLife(7, kind, "eu", START).events(200))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert len({event.event_id for event in events}) == len(events)


@pytest.mark.parametrize("kind", KINDS)
def test_orders_are_all_different(kind: Kind) -> None:
    events = list(ShopLife(7, kind, "us", START).orders(500))
    assert len({event.order_id for event in events}) == 500
    assert len({event.raw() for event in events}) == 500
    assert [event.raw() for event in ShopLife(7, kind, "us", START).orders(100, first=400)] == [
        e.raw() for e in events[400:]
    ]


def test_ids_of_lines_transactions_and_refunds_are_unique_in_a_shop() -> None:
    seen: Counter[int] = Counter()
    last = {s.order_id: s for s in ShopLife(7, "shopify", "us", START).snapshots(300)}
    for snapshot in last.values():
        seen.update(row["id"] for row in snapshot.body["line_items"])
        seen.update(row["id"] for row in snapshot.transactions)
        seen.update(row["id"] for row in snapshot.refunds)
    assert seen.most_common(1)[0][1] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_life_has_every_story_that_suits_the_kind(kind: Kind) -> None:
    suitable = {story.name for story in STORIES if kind in story.kinds}
    expectation = ShopLife(7, kind, "us", START).expectation(len(suitable))
    assert {row.scenario for row in expectation.orders.values()} == suitable


def test_a_life_cut_off_at_a_time_expects_only_what_had_happened_by_then() -> None:
    life = ShopLife(7, "shopify", "us", START)
    until = life.start + timedelta(days=2)
    events = list(life.events(until=until))
    assert events
    assert all(event.at < until for event in events)
    paid = sum(
        (
            Decimal(event.body["amount"])
            for event in events
            if event.topic == "order_transactions/create" and event.body["kind"] in ("sale", "capture")
        ),
        Decimal(0),
    )
    assert life.expectation(until=until).totals()["paid"] == paid


def test_days_add_up_to_the_totals_in_any_time_zone() -> None:
    expectation = ShopLife(7, "shopify", "jp", START).expectation(200)
    totals = expectation.totals()
    for zone in (None, UTC):
        days = expectation.by_day(zone).values()
        assert expectation.money(sum(day.sold for day in days)) == totals["total"]
        assert expectation.money(sum(day.captured for day in days)) == totals["paid"]
        assert expectation.money(sum(day.refunded for day in days)) == totals["refunded"]
        assert expectation.money(sum(day.tax for day in days)) == totals["tax"]
    assert orjson.loads(orjson.dumps(expectation.as_json()))["totals"]["total"] == str(totals["total"])


def test_the_mix_has_guests_walk_ins_missing_skus_unicode_names_and_returning_customers() -> None:
    bodies = [event.body for event in ShopLife(7, "shopify", "us", START).orders(400)]
    named = [body["customer"] for body in bodies if body["customer"]]
    assert any(body["customer"] is None for body in bodies)
    assert any(customer["state"] == "disabled" for customer in named)
    assert any(not customer["last_name"].isascii() for customer in named)
    assert any(line["sku"] == "" for body in bodies for line in body["line_items"])
    assert Counter(customer["id"] for customer in named).most_common(1)[0][1] > 2


def test_unknown_names_are_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match="use one of ca, eu, jp, us"):
        ShopLife(1, "shopify", "mars", START)
    with pytest.raises(ValueError, match="authorized_then_voided unknown for a woocommerce shop"):
        ShopLife(1, "woocommerce", "us", START, scenarios=["authorized_then_voided"])
    with pytest.raises(ValueError, match="say how many orders"):
        next(ShopLife(1, "shopify", "us", START).events())


def test_transactions_are_inside_the_order_only_when_asked_for() -> None:
    assert "transactions" not in next(ShopLife(1, "shopify", "us", START).orders(1)).body
    with_them = next(ShopLife(1, "shopify", "us", START, with_transactions=True).orders(1)).body
    assert sum(Decimal(row["amount"]) for row in with_them["transactions"]) == Decimal(with_them["total_price"])


def test_parts_of_an_allocation_add_up_and_included_tax_is_what_the_price_contains() -> None:
    assert allocate(1001, [333, 333, 334]) == [333, 333, 335]
    assert allocate(5, [0, 0]) == [0, 0]
    assert taxes_on(1490, [TaxRate(1, "VAT", 100_000)], included=True) == [135]
    assert taxes_on(6499, [TaxRate(1, "MA", 62_500)], included=False) == [406]
    assert Currency("JPY", 0).text(2980) == "2980"
    assert Currency("USD", 2).text(-5) == "-0.05"
