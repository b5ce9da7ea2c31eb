"""Every Shopify document adds up by itself, in the words of its own wire format, and agrees with the expectation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties import percent_of_the_examples

from sandbox.shops import SHOPS, ShopLife

START = date(2026, 3, 1)
ORDERS = 40


def amount(text: Any) -> Decimal:
    assert isinstance(text, str)
    return Decimal(text)


def total(rows: list[dict[str, Any]], key: str) -> Decimal:
    return sum((amount(row[key]) for row in rows), Decimal(0))


def check_order(order: dict[str, Any]) -> None:
    """The invariants of a Shopify order, from its JSON alone."""
    lines, shipping = order["line_items"], order["shipping_lines"]
    included = order["taxes_included"]
    gross = sum((amount(line["price"]) * line["quantity"] for line in lines), Decimal(0))
    off = sum((total(line["discount_allocations"], "amount") for line in lines), Decimal(0))
    shipping_off = sum((total(row["discount_allocations"], "amount") for row in shipping), Decimal(0))
    tax = sum((total(row["tax_lines"], "price") for row in [*lines, *shipping]), Decimal(0))
    assert amount(order["total_line_items_price"]) == gross
    assert amount(order["subtotal_price"]) == gross - off
    assert amount(order["total_discounts"]) == off + shipping_off
    assert amount(order["total_tax"]) == tax == total(order["tax_lines"], "price")
    assert total(shipping, "discounted_price") == total(shipping, "price") - shipping_off
    expected = gross - off + total(shipping, "discounted_price") + amount(order["total_tip_received"])
    assert amount(order["total_price"]) == expected + (0 if included else tax)
    assert amount(order["current_total_price"]) == amount(order["total_price"]) - sum(
        (value_of(refund, included=included) for refund in order["refunds"]), Decimal(0)
    )
    current = {line["id"]: line["quantity"] for line in lines}
    for refund in order["refunds"]:
        for row in refund["refund_line_items"]:
            current[row["line_item_id"]] -= row["quantity"]
    assert current == {line["id"]: line["current_quantity"] for line in lines}
    for name, value in order.items():
        if name.endswith("_set") and isinstance(value, dict) and name.removesuffix("_set") in order:
            assert value["shop_money"] == {
                "amount": order[name.removesuffix("_set")],
                "currency_code": order["currency"],
            }


def value_of(refund: dict[str, Any], *, included: bool) -> Decimal:
    """What a refund takes off an order: its lines, less its adjustments, which are written with the sign turned."""
    worth = Decimal(0)
    for row in refund["refund_line_items"]:
        assert amount(row["subtotal_set"]["shop_money"]["amount"]) == Decimal(str(row["subtotal"]))
        worth += Decimal(str(row["subtotal"])) + (0 if included else Decimal(str(row["total_tax"])))
    for row in refund["order_adjustments"]:
        worth -= amount(row["amount"]) + amount(row["tax_amount"])
    return worth


@percent_of_the_examples(12)
@given(seed=st.integers(0, 10_000), shop=st.sampled_from(sorted(SHOPS)))
def test_every_order_adds_up_at_every_moment_and_every_refund_pays_what_it_says(seed: int, shop: str) -> None:
    for snapshot in ShopLife(seed, "shopify", shop, START).snapshots(ORDERS):
        order = orjson.loads(orjson.dumps(snapshot.body))
        check_order(order)
        for refund in order["refunds"]:
            if refund["transactions"]:
                assert total(refund["transactions"], "amount") == value_of(refund, included=order["taxes_included"])


@percent_of_the_examples(8)
@given(seed=st.integers(0, 10_000), shop=st.sampled_from(sorted(SHOPS)))
def test_the_expectation_agrees_with_the_last_state_of_every_order(seed: int, shop: str) -> None:
    life = ShopLife(seed, "shopify", shop, START)
    last = {snapshot.order_id: snapshot for snapshot in life.snapshots(ORDERS)}
    expectation = life.expectation(ORDERS)
    assert set(last) == set(expectation.orders)
    for key, row in expectation.orders.items():
        order, transactions = last[key].body, last[key].transactions
        removed = sum(
            (
                value_of(refund, included=order["taxes_included"])
                for refund in order["refunds"]
                if not refund["transactions"]
            ),
            Decimal(0),
        )
        taken = [t for t in transactions if t["kind"] in ("sale", "capture")]
        returned = [t for t in transactions if t["kind"] == "refund"]
        assert expectation.money(row.total) == amount(order["total_price"]) - removed
        assert expectation.money(row.paid) == total(taken, "amount")
        assert expectation.money(row.refunded) == total(returned, "amount")
        assert expectation.money(row.net) == amount(order["current_total_price"])
        gift = sum(
            (amount(line["price"]) * line["quantity"] for line in order["line_items"] if line["gift_card"]), Decimal(0)
        )
        assert expectation.money(row.gift_cards_sold) == gift
        for refund, wire in zip(row.refunds, [r for r in order["refunds"] if r["transactions"]], strict=True):
            parts = refund.goods + refund.shipping + refund.tax + refund.extra
            assert refund.money == parts
            assert expectation.money(refund.money) == total(wire["transactions"], "amount")


@pytest.mark.parametrize("shop", sorted(SHOPS))
def test_taxes_are_the_rate_of_what_they_are_charged_on_to_half_a_minor_unit(shop: str) -> None:
    exponent = SHOPS[shop].currency.exponent
    tolerance = Decimal(1).scaleb(-exponent)
    for event in ShopLife(3, "shopify", shop, START).orders(60):
        included = event.body["taxes_included"]
        for line in event.body["line_items"]:
            net = amount(line["price"]) * line["quantity"] - total(line["discount_allocations"], "amount")
            together = sum((Decimal(str(row["rate"])) for row in line["tax_lines"]), Decimal(0))
            for row in line["tax_lines"]:
                rate = Decimal(str(row["rate"]))
                exact = net * rate / (1 + together) if included else net * rate
                assert abs(amount(row["price"]) - exact) < tolerance


def test_zero_decimal_currencies_are_written_without_decimals() -> None:
    order = next(ShopLife(1, "shopify", "jp", START).orders(1)).body
    assert "." not in order["total_price"]
    assert order["currency"] == "JPY"


def test_a_fully_discounted_order_is_paid_without_any_transaction() -> None:
    life = ShopLife(5, "shopify", "us", START, scenarios=["fully_discounted"])
    snapshot = next(life.snapshots(1))
    assert snapshot.body["financial_status"] == "paid"
    assert amount(snapshot.body["total_price"]) == 0
    assert snapshot.transactions == []
