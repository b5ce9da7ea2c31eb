"""The smaller pieces of WooCommerce's shapes: lines, refunded lines, shipping, addresses, times."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from sandbox.shops.pricing import cut, half_up, taxes_on
from sandbox.shops.shopify_parts import Json, Money
from sandbox.shops.state import Customer, Line, Order, RefundLine, Shipping


def kept(order: Order, line: Line) -> tuple[int, int, list[int], list[int]]:
    """What is sold of a line after edits: net before discount, net after it, and the taxes of both."""
    removed_net, removed_taxes = line.worth(line.removed, since=0)
    taxes = [tax - gone for tax, gone in zip(line.taxes, removed_taxes, strict=True)]
    kept_gross = line.gross - cut(line.gross, line.removed, line.quantity)
    full_taxes = taxes_on(kept_gross, line.rates, order.shop.taxes_included) if line.discounts else taxes
    net = line.net - removed_net
    if order.shop.taxes_included:
        return kept_gross - sum(full_taxes), net - sum(taxes), full_taxes, taxes
    return kept_gross, net, full_taxes, taxes


def line_json(order: Order, line: Line, money: Money) -> Json | None:
    """A line as sold after edits; None when an edit took all of it out."""
    quantity = line.quantity - line.removed
    if quantity == 0:
        return None
    before, after, full_taxes, taxes = kept(order, line)
    return {
        **_goods(line),
        "id": line.id,
        "quantity": quantity,
        "subtotal": money.text(before),
        "subtotal_tax": money.text(sum(full_taxes)),
        "total": money.text(after),
        "total_tax": money.text(sum(taxes)),
        "taxes": [
            {"id": rate.id, "total": money.text(tax), "subtotal": money.text(full)}
            for rate, tax, full in zip(line.rates, taxes, full_taxes, strict=True)
        ],
        "meta_data": [],
        "price": money.number(half_up(after, quantity)),
    }


def refund_line_json(order: Order, row: RefundLine, money: Money) -> Json:
    """Units of a line that came back, as negative quantity and amounts."""
    net = row.subtotal - (row.tax if order.shop.taxes_included else 0)
    return {
        **_goods(row.line),
        "id": row.id,
        "quantity": -row.quantity,
        "subtotal": money.text(-net),
        "subtotal_tax": money.text(-row.tax),
        "total": money.text(-net),
        "total_tax": money.text(-row.tax),
        "taxes": [
            {"id": rate.id, "total": money.text(-tax), "subtotal": money.text(-tax)}
            for rate, tax in zip(row.line.rates, row.taxes, strict=True)
        ],
        "meta_data": [{"id": row.id * 10, "key": "_refunded_item_id", "value": str(row.line.id)}],
        "price": money.number(half_up(net, row.quantity)),
    }


def _goods(line: Line) -> Json:
    product = line.product
    return {
        "name": f"{product.title} - {product.variant_title}" if product.variant_title else product.title,
        "product_id": product.id,
        "variation_id": product.variant_id if product.variant_title else 0,
        "tax_class": {"standard": "", "reduced": "reduced-rate", "none": "zero-rate"}[product.tax_class],
        "sku": product.sku,
        "parent_name": None,
    }


def shipping_json(shipping: Shipping, money: Money, net: int, taxes: list[int], row_id: int) -> Json:
    """A shipping line with a net amount and taxes of the caller's choice."""
    return {
        "id": row_id,
        "method_title": shipping.title,
        "method_id": "free_shipping" if shipping.net == 0 else "flat_rate",
        "instance_id": "1",
        "total": money.text(net),
        "total_tax": money.text(sum(taxes)),
        "taxes": [
            {"id": rate.id, "total": money.text(tax), "subtotal": ""}
            for rate, tax in zip(shipping.rates, taxes, strict=True)
        ],
        "meta_data": [],
    }


def shipping_net(order: Order) -> int:
    """What shipping cost without tax."""
    if order.shipping is None:
        return 0
    return order.shipping.net - (order.shipping.tax if order.shop.taxes_included else 0)


def address_json(customer: Customer | None, *, contact: bool) -> Json:
    """A billing or shipping address; all fields are empty strings where there is none."""
    address = {
        "first_name": customer.first_name if customer else "",
        "last_name": customer.last_name if customer else "",
        "company": (customer.company or "") if customer else "",
        "address_1": customer.street if customer else "",
        "address_2": "",
        "city": customer.city if customer else "",
        "state": customer.region.province_code if customer else "",
        "postcode": customer.postal_code if customer else "",
        "country": customer.region.country_code if customer else "",
        "phone": customer.phone if customer else "",
    }
    if contact:
        address["email"] = customer.email if customer else ""
    return address


def times(name: str, at: datetime | None, zone: tzinfo) -> Json:
    """A time twice: by the shop's clock, and in UTC under `_gmt`; neither says so itself."""
    if at is None:
        return {name: None, f"{name}_gmt": None}
    return {
        name: at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds"),
        f"{name}_gmt": at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
    }
