"""WooCommerce's v3 shapes of an order and its refunds.

Line and shipping amounts are always net of tax, whatever the shop's price tags say. There is no list of payments: an
order is paid when it has a `date_paid`. Gift cards are those of the official plugin, which takes them off `total`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sandbox.shops.pricing import TaxRate
from sandbox.shops.shopify_parts import Json, Money
from sandbox.shops.state import Order, Refund
from sandbox.shops.woocommerce_parts import (
    address_json,
    kept,
    line_json,
    refund_line_json,
    shipping_json,
    shipping_net,
    times,
)

METHODS: Final = {
    "stripe": ("stripe", "Credit Card (Stripe)"),
    "paypal": ("ppcp-gateway", "PayPal"),
    "bank_transfer": ("bacs", "Direct bank transfer"),
    "gift_card": ("", ""),
}


def order_status(order: Order) -> str:
    """WooCommerce's one word for where an order stands. A partial refund doesn't change it."""
    if order.captured and order.returned >= order.captured:
        return "refunded"
    if order.cancelled_at:
        return "cancelled"
    if order.captured < order.due():
        return "on-hold"
    return "completed" if order.completed_at else "processing"


def order_json(order: Order) -> Json:
    """The order resource: the body of order.created and order.updated, and what the REST API answers."""
    money, zone = Money(order.shop.currency), order.shop.zone
    host = order.shop.host("woocommerce")
    gateway = next((name for name in order.gateways if name != "gift_card"), "gift_card")
    method, method_title = METHODS[gateway]
    charge = next((row for row in order.transactions if row.tender == "money" and row.moves_money), None)
    paid_at = order.paid_at or (order.created_at if order.due() == 0 else None)
    return {
        "id": order.id,
        "parent_id": 0,
        "number": str(order.number),
        "order_key": f"wc_order_{order.id:x}",
        "created_via": "checkout",
        "version": "10.2.1",
        "status": order_status(order),
        "currency": money.code,
        **times("date_created", order.created_at, zone),
        **times("date_modified", order.updated_at, zone),
        "prices_include_tax": order.shop.taxes_included,
        "customer_id": 0 if order.customer is None or order.customer.guest else order.customer.id,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "customer_note": order.note or "",
        "billing": address_json(order.customer, contact=True),
        "shipping": address_json(order.customer if order.shipping else None, contact=False),
        "payment_method": method,
        "payment_method_title": method_title,
        "transaction_id": f"ch_{charge.id}" if charge and gateway != "bank_transfer" else "",
        **times("date_paid", paid_at, zone),
        **times("date_completed", order.completed_at, zone),
        "cart_hash": "",
        "meta_data": _meta(order, money),
        "line_items": [row for line in order.lines if (row := line_json(order, line, money))],
        **_charges(order, money),
        **_totals(order, money),
        "refunds": [
            {"id": refund.id, "reason": refund.note, "total": money.text(-refund.money)} for refund in order.refunds
        ],
        "gift_cards": [
            {"id": row.id, "code": "GIFT-****-7F3A", "amount": money.text(row.amount)}
            for row in order.transactions
            if row.tender == "gift_card" and row.kind == "sale"
        ],
        "_links": {
            "self": [{"href": f"https://{host}/wp-json/wc/v3/orders/{order.id}"}],
            "collection": [{"href": f"https://{host}/wp-json/wc/v3/orders"}],
        },
    }


def refund_json(order: Order, refund: Refund) -> Json:
    """A refund resource; amounts and quantities of its lines are negative, and each names the line it takes back."""
    money, host = Money(order.shop.currency), order.shop.host("woocommerce")
    base = f"https://{host}/wp-json/wc/v3/orders"
    shipping = []
    if refund.shipping and order.shipping:
        net = refund.shipping - (refund.shipping_tax if order.shop.taxes_included else 0)
        shipping.append(
            shipping_json(order.shipping, money, -net, [-tax for tax in order.shipping.taxes], refund.id * 10)
        )
    return {
        "id": refund.id,
        **times("date_created", refund.at, order.shop.zone),
        "amount": money.text(refund.money),
        "reason": refund.note,
        "refunded_by": 1,
        "refunded_payment": True,
        "meta_data": [],
        "line_items": [refund_line_json(order, row, money) for row in refund.lines],
        "shipping_lines": shipping,
        "tax_lines": [],
        "fee_lines": [],
        "_links": {
            "self": [{"href": f"{base}/{order.id}/refunds/{refund.id}"}],
            "collection": [{"href": f"{base}/{order.id}/refunds"}],
            "up": [{"href": f"{base}/{order.id}"}],
        },
    }


def _charges(order: Order, money: Money) -> Json:
    """Shipping, tips as a fee, coupons, and the taxes added up by rate."""
    shipping = order.shipping
    fee = {
        "id": order.id * 100 + 91,
        "name": "Tip",
        "tax_class": "",
        "tax_status": "none",
        "amount": money.text(order.tip),
        "total": money.text(order.tip),
        "total_tax": money.text(0),
        "taxes": [],
        "meta_data": [],
    }
    return {
        "tax_lines": _tax_lines(order, money),
        "shipping_lines": [shipping_json(shipping, money, shipping_net(order), shipping.taxes, shipping.id)]
        if shipping
        else [],
        "fee_lines": [fee] if order.tip else [],
        "coupon_lines": _coupons(order, money),
    }


def _tax_lines(order: Order, money: Money) -> list[Json]:
    goods: dict[TaxRate, int] = {}
    for line in order.lines:
        _add(goods, zip(line.rates, kept(order, line)[3], strict=True))
    shipped: dict[TaxRate, int] = {}
    if order.shipping:
        _add(shipped, zip(order.shipping.rates, order.shipping.taxes, strict=True))
    return [
        {
            "id": order.id * 100 + 60 + index,
            "rate_code": f"{order.region.country_code}-{order.region.province_code}-{rate.title.upper()}-1",
            "rate_id": rate.id,
            "label": rate.title,
            "compound": False,
            "tax_total": money.text(goods.get(rate, 0)),
            "shipping_tax_total": money.text(shipped.get(rate, 0)),
            "rate_percent": rate.parts / 10_000,
            "meta_data": [],
        }
        for index, rate in enumerate({**goods, **shipped})
    ]


def _coupons(order: Order, money: Money) -> list[Json]:
    rows = []
    for index, discount in enumerate(order.discounts):
        net = tax = 0
        for line in order.lines:
            if any(used == index for used, _ in line.discounts):
                before, after, full_taxes, taxes = kept(order, line)
                net, tax = net + before - after, tax + sum(full_taxes) - sum(taxes)
        rows.append(
            {
                "id": order.id * 100 + 80 + index,
                "code": discount.title.lower(),
                "discount": money.text(net),
                "discount_tax": money.text(tax),
                "meta_data": [],
            }
        )
    return rows


def _totals(order: Order, money: Money) -> Json:
    rows = [kept(order, line) for line in order.lines]
    cart_tax = sum(sum(taxes) for _, _, _, taxes in rows)
    shipping_tax = order.shipping.tax if order.shipping else 0
    gift = sum(row.amount for row in order.transactions if row.tender == "gift_card" and row.kind == "sale")
    total = sum(after for _, after, _, _ in rows) + cart_tax + shipping_net(order) + shipping_tax + order.tip - gift
    return {
        "discount_total": money.text(sum(before - after for before, after, _, _ in rows)),
        "discount_tax": money.text(sum(sum(full) - sum(taxes) for _, _, full, taxes in rows)),
        "shipping_total": money.text(shipping_net(order)),
        "shipping_tax": money.text(shipping_tax),
        "cart_tax": money.text(cart_tax),
        "total": money.text(total),
        "total_tax": money.text(cart_tax + shipping_tax),
    }


def _meta(order: Order, money: Money) -> list[Json]:
    """What the card plugin leaves behind: its fee and what is left of the payment."""
    rows: list[tuple[str, int]] = []
    for row in order.transactions:
        if row.fee:
            rows += [("_stripe_fee", row.fee), ("_stripe_net", row.amount - row.fee)]
    return [
        {"id": order.id * 100 + 40 + index, "key": key, "value": money.text(amount)}
        for index, (key, amount) in enumerate(rows)
    ]


def _add(sums: dict[TaxRate, int], taxes: Iterable[tuple[TaxRate, int]]) -> None:
    for rate, amount in taxes:
        sums[rate] = sums.get(rate, 0) + amount
