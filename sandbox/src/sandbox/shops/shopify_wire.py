"""Shopify's REST shapes of an order, as its webhooks send them and its Admin API answers.

`fulfillments` stay empty: sample shops hand goods over without parcels, and only the fulfilment status shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sandbox.shops.pricing import TaxRate, cut
from sandbox.shops.shopify_parts import (
    Json,
    Money,
    address_json,
    customer_json,
    discount_applications,
    line_json,
    tax_lines,
)
from sandbox.shops.shopify_payments import financial_status, refund_json, transaction_json
from sandbox.shops.state import Edit, Order

API_VERSION: Final = "2026-10"
STATIC: Final[Json] = {
    "app_id": 580111,
    "browser_ip": None,
    "buyer_accepts_marketing": False,
    "cart_token": None,
    "checkout_token": None,
    "client_details": None,
    "confirmed": True,
    "current_total_additional_fees_set": None,
    "current_total_duties_set": None,
    "customer_locale": "en",
    "device_id": None,
    "duties_included": False,
    "estimated_taxes": False,
    "fulfillments": [],
    "landing_site": None,
    "landing_site_ref": None,
    "line_item_groups": [],
    "location_id": None,
    "merchant_business_entity_id": "MTU0ODM4MDAwOQ",
    "merchant_of_record_app_id": None,
    "note_attributes": [],
    "original_total_additional_fees_set": None,
    "original_total_duties_set": None,
    "payment_terms": None,
    "phone": None,
    "po_number": None,
    "reference": None,
    "referring_site": None,
    "returns": [],
    "source_identifier": None,
    "source_url": None,
    "tax_exempt": False,
    "test": False,
    "user_id": None,
}


def order_json(order: Order, *, with_transactions: bool = False) -> Json:
    """The full order resource as it stands. Shopify itself never puts `transactions` into it; some relays do."""
    money = Money(order.shop.currency)
    zone = order.shop.zone
    body = {
        **STATIC,
        "id": order.id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order.id}",
        "cancel_reason": order.cancel_reason,
        "cancelled_at": _time(order.cancelled_at, order),
        "closed_at": None,
        "confirmation_number": f"X{order.id % 0xFFFFFFF:07X}",
        "contact_email": order.customer.email if order.customer else None,
        "created_at": order.created_at.astimezone(zone).isoformat(timespec="seconds"),
        "currency": money.code,
        "discount_applications": discount_applications(order, money),
        "discount_codes": _discount_codes(order, money),
        "email": order.customer.email if order.customer else "",
        "financial_status": financial_status(order, current_total(order)),
        "fulfillment_status": "fulfilled" if order.completed_at else None,
        "line_items": [line_json(line, money, completed=order.completed_at is not None) for line in order.lines],
        "name": f"#{order.number}",
        "note": order.note,
        "number": order.number - order.shop.first_number + 1,
        "order_number": order.number,
        "order_status_url": f"https://{order.shop.domain}/orders/{order.id:x}/authenticate?key=sample",
        "payment_gateway_names": list(order.gateways),
        "presentment_currency": money.code,
        "processed_at": order.created_at.astimezone(zone).isoformat(timespec="seconds"),
        "refunds": [refund_json(order, refund, money) for refund in order.refunds],
        "shipping_lines": _shipping_lines(order, money),
        "source_name": "web" if order.customer else "pos",
        "tags": "",
        "tax_lines": tax_lines(_added_up(order.taxes()), money),
        "taxes_included": order.shop.taxes_included,
        "token": f"{order.id:x}",
        "total_weight": sum(line.product.grams * line.quantity for line in order.lines),
        "updated_at": order.updated_at.astimezone(zone).isoformat(timespec="seconds"),
        **_people(order),
        **_totals(order, money),
    }
    if with_transactions:
        body["transactions"] = [transaction_json(order, row, money) for row in order.transactions]
    return body


def edit_json(order: Order, edit: Edit) -> Json:
    """The body of orders/edited: a difference and nothing else."""

    def deltas(pairs: tuple[tuple[int, int], ...]) -> list[Json]:
        return [{"id": line_id, "delta": units} for line_id, units in pairs]

    at = edit.at.astimezone(order.shop.zone).isoformat(timespec="seconds")
    return {
        "order_edit": {
            "id": edit.id,
            "app_id": None,
            "created_at": at,
            "committed_at": at,
            "notify_customer": False,
            "order_id": order.id,
            "staff_note": edit.note,
            "user_id": None,
            "line_items": {"additions": deltas(edit.additions), "removals": deltas(edit.removals)},
            "discounts": {"line_item": {"additions": [], "removals": []}},
            "shipping_lines": {"additions": [], "removals": []},
        }
    }


def current_total(order: Order) -> int:
    """What is left of the order's total after edits and refunds."""
    return _sold_total(order) - sum(_given_up(order))


def _sold_total(order: Order) -> int:
    """Everything ever sold on the order; Shopify's total_price shrinks for no edit and no refund."""
    goods = sum(line.net for line in order.lines)
    shipping = order.shipping.net if order.shipping else 0
    tax = 0 if order.shop.taxes_included else sum(amount for _, amount in order.taxes())
    return goods + shipping + tax + order.tip


def _given_up(order: Order) -> Iterable[int]:
    """What each refund or removal took off the order's total."""
    included = order.shop.taxes_included
    for refund in order.refunds:
        lines = sum(row.subtotal + (0 if included else row.tax) for row in refund.lines)
        yield lines + refund.shipping + (0 if included else refund.shipping_tax) + refund.extra


def _totals(order: Order, money: Money) -> Json:
    """Every total twice: as sold, and `current_` after edits and refunds; nearly all as text and as a money bag."""
    shipping, lines = order.shipping, order.lines
    tax = sum(amount for _, amount in order.taxes())
    refunded_tax = sum(sum(row.tax for row in refund.lines) + refund.shipping_tax for refund in order.refunds)
    line_discounts = sum(line.discount for line in lines)
    discounts = line_discounts + (shipping.discount if shipping else 0)
    kept_discounts = discounts - sum(cut(line.discount, line.gone, line.quantity) for line in lines)
    current = current_total(order)
    gross = sum(line.gross for line in lines)
    back = sum(row.subtotal for refund in order.refunds for row in refund.lines)
    shipped = shipping.net if shipping else 0
    both = {
        "subtotal_price": gross - line_discounts,
        "total_price": _sold_total(order),
        "total_discounts": discounts,
        "total_line_items_price": gross,
        "total_tax": tax,
        "current_subtotal_price": gross - line_discounts - back,
        "current_total_price": current,
        "current_total_discounts": kept_discounts,
        "current_total_tax": tax - refunded_tax,
    }
    bags = {
        "total_shipping_price_set": shipped,
        "current_shipping_price_set": shipped - (shipping.refunded if shipping else 0),
        "total_cash_rounding_payment_adjustment_set": 0,
        "total_cash_rounding_refund_adjustment_set": 0,
    }
    outstanding = 0 if order.cancelled_at else current - (order.captured - order.returned)
    return {
        **{name: money.text(amount) for name, amount in both.items()},
        **{f"{name}_set": money.bag(amount) for name, amount in both.items()},
        **{name: money.bag(amount) for name, amount in bags.items()},
        "total_outstanding": money.text(outstanding),
        "total_tip_received": money.text(order.tip),
    }


def _people(order: Order) -> Json:
    if order.customer is None:
        return {"customer": None, "billing_address": None, "shipping_address": None}
    address = address_json(order.customer)
    return {
        "customer": customer_json(order.customer, order.shop.currency.code),
        "billing_address": address,
        "shipping_address": address if order.shipping else None,
    }


def _shipping_lines(order: Order, money: Money) -> list[Json]:
    shipping = order.shipping
    if shipping is None:
        return []
    allocations = []
    if shipping.discount:
        allocations.append(money.allocation(shipping.discount_index, shipping.discount))
    return [
        {
            "id": shipping.id,
            "carrier_identifier": None,
            "code": shipping.title,
            "current_discounted_price_set": money.bag(shipping.net - shipping.refunded),
            "discounted_price": money.text(shipping.net),
            "discounted_price_set": money.bag(shipping.net),
            "is_removed": False,
            "phone": None,
            "price": money.text(shipping.price),
            "price_set": money.bag(shipping.price),
            "requested_fulfillment_service_id": None,
            "source": "shopify",
            "title": shipping.title,
            "tax_lines": tax_lines(zip(shipping.rates, shipping.taxes, strict=True), money),
            "discount_allocations": allocations,
        }
    ]


def _discount_codes(order: Order, money: Money) -> list[Json]:
    rows: list[Json] = []
    for index, discount in enumerate(order.discounts):
        if discount.code:
            amount = sum(part for line in order.lines for used, part in line.discounts if used == index)
            if discount.shipping and order.shipping:
                amount = order.shipping.discount
            kind = "shipping" if discount.shipping else "percentage" if discount.percentage else "fixed_amount"
            rows.append({"code": discount.title, "amount": money.text(amount), "type": kind})
    return rows


def _added_up(taxes: Iterable[tuple[TaxRate, int]]) -> Iterable[tuple[TaxRate, int]]:
    sums: dict[TaxRate, int] = {}
    for rate, amount in taxes:
        sums[rate] = sums.get(rate, 0) + amount
    return sums.items()


def _time(at: datetime | None, order: Order) -> Any:
    return at.astimezone(order.shop.zone).isoformat(timespec="seconds") if at else None
