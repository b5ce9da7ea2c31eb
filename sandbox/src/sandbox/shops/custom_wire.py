"""A custom store's shapes of an order: the native one that is pushed or pulled by cursor, and the older pull envelope.

Gift cards paid with are in `gift_cards`, not in `payments`; `totals.paid` counts both.
"""

from __future__ import annotations

from sandbox.shops.pricing import cut
from sandbox.shops.shopify_parts import Json, Money
from sandbox.shops.state import Customer, Line, Order, Refund, Transaction


def order_status(order: Order) -> str:
    """The native contract's word for how an order is paid."""
    if order.returned:
        return "refunded" if order.returned >= order.captured else "partially_refunded"
    if order.cancelled_at:
        return "cancelled"
    if order.captured >= order.due():
        return "paid"
    if order.captured:
        return "partially_paid"
    return "authorized" if order.money("authorization") else "pending"


def order_json(order: Order) -> Json:
    """The native order document."""
    money, zone = Money(order.shop.currency), order.shop.zone
    address = _address(order.customer)
    return {
        "external_id": str(order.id),
        "order_number": str(order.number),
        "status": order_status(order),
        "created_at": order.created_at.astimezone(zone).isoformat(timespec="seconds"),
        "updated_at": order.updated_at.astimezone(zone).isoformat(timespec="seconds"),
        "currency": money.code,
        "prices_include_tax": order.shop.taxes_included,
        "channel": "Web",
        "store_name": order.shop.name,
        "customer": _customer(order.customer),
        "billing_address": address,
        "shipping_address": address if order.shipping else None,
        "lines": [_line(line, money) for line in order.lines if line.quantity > line.removed],
        "shipping": _shipping(order, money),
        "fees": [],
        "discounts": _discounts(order, money),
        "tip": money.text(order.tip),
        "gift_cards": [
            {"code_last4": "7F3A", "amount": money.text(row.amount)}
            for row in order.transactions
            if row.tender == "gift_card" and row.kind == "sale"
        ],
        "totals": _totals(order, money),
        "payments": [
            _payment(order, row, money)
            for row in order.transactions
            if row.tender == "money" and row.kind in ("sale", "capture")
        ],
        "refunds": [_refund(order, refund, money) for refund in order.refunds],
    }


def _kept(line: Line) -> tuple[int, int, list[int]]:
    """Units, net amount and taxes of a line after edits."""
    net, taxes = line.worth(line.removed, since=0)
    return line.quantity - line.removed, line.net - net, [a - b for a, b in zip(line.taxes, taxes, strict=True)]


def _line(line: Line, money: Money) -> Json:
    units, net, taxes = _kept(line)
    return {
        "external_id": str(line.id),
        "sku": line.product.sku or None,
        "name": line.product.title,
        "quantity": str(units),
        "unit_price": money.text(line.unit),
        "discount": money.text(line.unit * units - net),
        "taxable": bool(line.rates),
        "kind": "gift_card" if line.product.gift_card else "product",
        "taxes": [
            {"name": rate.title, "rate": rate.fraction, "amount": money.text(tax)}
            for rate, tax in zip(line.rates, taxes, strict=True)
        ],
    }


def _shipping(order: Order, money: Money) -> list[Json]:
    shipping = order.shipping
    if shipping is None:
        return []
    taxes = zip(shipping.rates, shipping.taxes, strict=True)
    return [
        {
            "name": shipping.title,
            "amount": money.text(shipping.net),
            "taxes": [{"name": rate.title, "rate": rate.fraction, "amount": money.text(tax)} for rate, tax in taxes],
        }
    ]


def _discounts(order: Order, money: Money) -> list[Json]:
    """The discounts by name; their amounts are on the lines already."""
    rows: list[Json] = []
    for index, discount in enumerate(order.discounts):
        if discount.shipping:
            amount = order.shipping.discount if order.shipping else 0
            scope = "shipping"
        else:
            shares = [(line, part) for line in order.lines for used, part in line.discounts if used == index]
            amount = sum(part - cut(part, line.removed, line.quantity) for line, part in shares)
            scope = "line" if discount.percentage else "order"
        rows.append({"code": discount.title, "scope": scope, "amount": money.text(amount)})
    return rows


def _totals(order: Order, money: Money) -> Json:
    kept = [(line, *_kept(line)) for line in order.lines]
    gross = sum(line.unit * units for line, units, _, _ in kept)
    tax = sum(sum(taxes) for _, _, _, taxes in kept) + (order.shipping.tax if order.shipping else 0)
    shipping = order.shipping.net if order.shipping else 0
    discount = gross - sum(net for _, _, net, _ in kept)
    total = gross - discount + shipping + order.tip + (0 if order.shop.taxes_included else tax)
    return {
        "subtotal": money.text(gross),
        "discount": money.text(discount),
        "shipping": money.text(shipping),
        "tax": money.text(tax),
        "fees": money.text(0),
        "tip": money.text(order.tip),
        "grand_total": money.text(total),
        "paid": money.text(order.captured),
        "due": money.text(total - order.captured),
    }


def _payment(order: Order, row: Transaction, money: Money) -> Json:
    return {
        "external_id": f"pay_{row.id}",
        "method": row.card or row.gateway,
        "gateway": row.gateway,
        "amount": money.text(row.amount),
        "currency": money.code,
        "paid_at": row.at.astimezone(order.shop.zone).isoformat(timespec="seconds"),
        "reference": f"pay_{row.id}",
        "fee": money.text(row.fee),
    }


def _refund(order: Order, refund: Refund, money: Money) -> Json:
    """A refund; line amounts and shipping are in the order's price terms, with tax where its prices contain tax."""
    document = {
        "external_id": f"ref_{refund.id}",
        "created_at": refund.at.astimezone(order.shop.zone).isoformat(timespec="seconds"),
        "reason": refund.note,
        "amount": money.text(refund.money),
        "lines": [
            {
                "line_external_id": str(row.line.id),
                "quantity": str(row.quantity),
                "amount": money.text(row.subtotal),
                "tax": money.text(row.tax),
                "restock": row.restock == "return",
            }
            for row in refund.lines
        ],
        "shipping": money.text(refund.shipping),
        "shipping_tax": money.text(refund.shipping_tax),
    }
    if refund.transactions:
        document["payment_external_id"] = f"pay_{refund.transactions[0].parent_id}"
    return document


def _customer(customer: Customer | None) -> Json | None:
    if customer is None:
        return None
    return {
        "external_id": None if customer.guest else str(customer.id),
        "email": customer.email,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "company": customer.company,
        "phone": customer.phone,
        "tax_exempt": False,
    }


def _address(customer: Customer | None) -> Json | None:
    if customer is None:
        return None
    return {
        "name": customer.name,
        "company": customer.company,
        "line1": customer.street,
        "line2": None,
        "city": customer.city,
        "region": customer.region.province_code,
        "postal_code": customer.postal_code,
        "country": customer.region.country_code,
        "phone": customer.phone,
        "email": customer.email,
    }
