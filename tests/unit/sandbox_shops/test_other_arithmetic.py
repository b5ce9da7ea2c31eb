"""WooCommerce and custom store documents add up by themselves and agree with the expectation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.properties import percent_of_the_examples

from sandbox.shops import SHOPS, ShopLife

START = date(2026, 3, 1)
ORDERS = 40
SEEDS = st.integers(0, 10_000)
SHOP_NAMES = st.sampled_from(sorted(SHOPS))


def total(rows: list[dict[str, Any]], *keys: str) -> Decimal:
    return sum((Decimal(row[key]) for row in rows for key in keys), Decimal(0))


def check_woocommerce(order: dict[str, Any]) -> None:
    lines, shipping, fees = order["line_items"], order["shipping_lines"], order["fee_lines"]
    charged = total([*lines, *shipping, *fees], "total", "total_tax")
    assert Decimal(order["total"]) == charged - total(order["gift_cards"], "amount")
    assert Decimal(order["total_tax"]) == total([*lines, *shipping, *fees], "total_tax")
    assert Decimal(order["total_tax"]) == total(order["tax_lines"], "tax_total", "shipping_tax_total")
    assert Decimal(order["cart_tax"]) == total(lines, "total_tax")
    assert Decimal(order["discount_total"]) == total(lines, "subtotal") - total(lines, "total")
    assert Decimal(order["discount_tax"]) == total(lines, "subtotal_tax") - total(lines, "total_tax")
    assert Decimal(order["discount_total"]) == total(order["coupon_lines"], "discount")
    for line in lines:
        assert Decimal(line["total_tax"]) == total(line["taxes"], "total")
        assert Decimal(line["subtotal_tax"]) == total(line["taxes"], "subtotal")


@percent_of_the_examples(12)
@given(seed=SEEDS, shop=SHOP_NAMES)
def test_every_woocommerce_order_adds_up_at_every_moment(seed: int, shop: str) -> None:
    for snapshot in ShopLife(seed, "woocommerce", shop, START).snapshots(ORDERS):
        check_woocommerce(snapshot.body)
        for refund in snapshot.refunds:
            rows = [*refund["line_items"], *refund["shipping_lines"]]
            if rows:
                assert Decimal(refund["amount"]) == -total(rows, "total", "total_tax")


@percent_of_the_examples(8)
@given(seed=SEEDS, shop=SHOP_NAMES)
def test_the_expectation_agrees_with_the_last_state_of_every_woocommerce_order(seed: int, shop: str) -> None:
    life = ShopLife(seed, "woocommerce", shop, START)
    last = {snapshot.order_id: snapshot.body for snapshot in life.snapshots(ORDERS)}
    expectation = life.expectation(ORDERS)
    assert set(last) == set(expectation.orders)
    for key, row in expectation.orders.items():
        order = last[key]
        assert expectation.money(row.total) == Decimal(order["total"]) + total(order["gift_cards"], "amount")
        assert expectation.money(row.tax) == Decimal(order["total_tax"])
        assert expectation.money(row.refunded) == -total(order["refunds"], "total")
        if order["date_paid"]:
            assert row.paid == row.total


def check_custom(order: dict[str, Any]) -> None:
    totals, lines = order["totals"], order["lines"]
    taxes = [tax for row in [*lines, *order["shipping"]] for tax in row["taxes"]]
    gross = sum((Decimal(line["quantity"]) * Decimal(line["unit_price"]) for line in lines), Decimal(0))
    assert Decimal(totals["subtotal"]) == gross
    assert Decimal(totals["discount"]) == total(lines, "discount")
    assert Decimal(totals["tax"]) == total(taxes, "amount")
    goods = [row for row in order["discounts"] if row["scope"] != "shipping"]
    assert Decimal(totals["discount"]) == total(goods, "amount")
    expected = gross - total(lines, "discount") + total(order["shipping"], "amount") + Decimal(order["tip"])
    assert Decimal(totals["grand_total"]) == expected + (0 if order["prices_include_tax"] else total(taxes, "amount"))
    assert Decimal(totals["paid"]) == total(order["payments"], "amount") + total(order["gift_cards"], "amount")
    assert Decimal(totals["due"]) == Decimal(totals["grand_total"]) - Decimal(totals["paid"])
    for refund in order["refunds"]:
        if refund["lines"]:
            tax = 0 if order["prices_include_tax"] else total(refund["lines"], "tax") + Decimal(refund["shipping_tax"])
            assert Decimal(refund["amount"]) == total(refund["lines"], "amount") + Decimal(refund["shipping"]) + tax


@percent_of_the_examples(12)
@given(seed=SEEDS, shop=SHOP_NAMES)
def test_every_custom_order_adds_up_at_every_moment_and_ends_as_expected(seed: int, shop: str) -> None:
    life = ShopLife(seed, "custom", shop, START)
    last: dict[str, dict[str, Any]] = {}
    for snapshot in life.snapshots(ORDERS):
        check_custom(snapshot.body)
        last[snapshot.order_id] = snapshot.body
    expectation = life.expectation(ORDERS)
    assert set(last) == set(expectation.orders)
    for key, row in expectation.orders.items():
        assert expectation.money(row.total) == Decimal(last[key]["totals"]["grand_total"])
        assert expectation.money(row.tax) == Decimal(last[key]["totals"]["tax"])
        assert expectation.money(row.paid) == Decimal(last[key]["totals"]["paid"])
        assert expectation.money(row.refunded) == total(last[key]["refunds"], "amount")


@percent_of_the_examples(6)
@given(seed=SEEDS, shop=SHOP_NAMES)
def test_the_older_pull_shape_says_the_same_as_the_native_one(seed: int, shop: str) -> None:
    minor = Decimal(1).scaleb(-SHOPS[shop].currency.exponent)
    for snapshot in ShopLife(seed, "custom", shop, START).snapshots(ORDERS):
        assert snapshot.pulled is not None
        (order,) = snapshot.pulled["orders"]
        assert Decimal(str(order["total"])) == Decimal(snapshot.body["totals"]["grand_total"])
        lines = order["orderDetails"]
        gross = sum((Decimal(str(row["priceInclTax"])) * row["quantity"] for row in lines), Decimal(0))
        off = sum((Decimal(str(row["discountInclTax"])) for row in lines), Decimal(0))
        extra = Decimal(str(order["shippingInclTax"])) + Decimal(str(order["paymentMethodAdditionalFeeExclTax"]))
        assert abs(gross - off + extra - Decimal(str(order["total"]))) < minor / 100
        refunded = sum((Decimal(str(row["total"])) for row in snapshot.pulled["cancelledOrders"]), Decimal(0))
        assert refunded == total(snapshot.body["refunds"], "amount")
