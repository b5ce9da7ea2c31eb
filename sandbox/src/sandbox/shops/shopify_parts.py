"""The smaller pieces of Shopify's REST shapes: money, addresses, customers, lines, taxes, discounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sandbox.shops.pricing import Currency, TaxRate
from sandbox.shops.state import Customer, Line, Order

Json = dict[str, Any]
BAGS_MAX: Final = 50_000
_BAGS: dict[tuple[str, int], Json] = {}


class Money:
    """Writes amounts the way Shopify does. Bags are shared between documents, so treat a rendered body as read-only."""

    def __init__(self, currency: Currency) -> None:
        self.code = currency.code
        self.text = currency.text

    def bag(self, minor: int) -> Json:
        """An amount in shop money and in presentment money, which are the same here."""
        key = (self.code, minor)
        bag = _BAGS.get(key)
        if bag is None:
            if len(_BAGS) >= BAGS_MAX:
                _BAGS.clear()
            money = {"amount": self.text(minor), "currency_code": self.code}
            bag = _BAGS[key] = {"shop_money": money, "presentment_money": money}
        return bag

    def number(self, minor: int) -> int | float:
        """An amount as the JSON number a few fields are sent as; its shortest text is the exact amount again."""
        text = self.text(minor)
        return float(text) if "." in text else int(text)

    def allocation(self, index: int, minor: int) -> Json:
        """What one announced discount took off one line."""
        return {"amount": self.text(minor), "discount_application_index": index, "amount_set": self.bag(minor)}


def tax_lines(taxes: Iterable[tuple[TaxRate, int]], money: Money) -> list[Json]:
    """One row per tax, with the rate as a JSON number."""
    return [
        {
            "channel_liable": False,
            "price": money.text(amount),
            "price_set": money.bag(amount),
            "rate": float(rate.fraction),
            "title": rate.title,
        }
        for rate, amount in taxes
    ]


def line_json(line: Line, money: Money, *, completed: bool) -> Json:
    """A line item. `total_discount` stays zero, as Shopify leaves it: what discounts took is in the allocations."""
    product = line.product
    title = product.title
    return {
        "id": line.id,
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line.id}",
        "attributed_staffs": [],
        "current_quantity": line.current,
        "fulfillable_quantity": 0 if completed else line.current,
        "fulfillment_service": "gift_card" if product.gift_card else "manual",
        "fulfillment_status": "fulfilled" if completed else None,
        "gift_card": product.gift_card,
        "grams": product.grams,
        "name": f"{title} - {product.variant_title}" if product.variant_title else title,
        "price": money.text(line.unit),
        "price_set": money.bag(line.unit),
        "product_exists": True,
        "product_id": product.id,
        "properties": [],
        "quantity": line.quantity,
        "requires_shipping": not product.gift_card,
        "sales_line_item_group_id": None,
        "sku": product.sku,
        "taxable": bool(line.rates),
        "title": title,
        "total_discount": money.text(0),
        "total_discount_set": money.bag(0),
        "variant_id": product.variant_id,
        "variant_inventory_management": None if product.gift_card else "shopify",
        "variant_title": product.variant_title,
        "vendor": "Sample Goods",
        "tax_lines": tax_lines(zip(line.rates, line.taxes, strict=True), money),
        "duties": [],
        "discount_allocations": [money.allocation(index, amount) for index, amount in line.discounts],
    }


def discount_applications(order: Order, money: Money) -> list[Json]:
    """The discounts as announced; lines point at them by index."""
    rows: list[Json] = []
    for index, discount in enumerate(order.discounts):
        every = discount.shipping or all(any(used == index for used, _ in line.discounts) for line in order.lines)
        row: Json = {
            "target_type": "shipping_line" if discount.shipping else "line_item",
            "type": "discount_code" if discount.code else "automatic",
            "value": f"{discount.value}.0" if discount.percentage else money.text(discount.value),
            "value_type": "percentage" if discount.percentage else "fixed_amount",
            "allocation_method": "each" if discount.shipping else "across",
            "target_selection": "all" if every else "entitled",
        }
        row["code" if discount.code else "title"] = discount.title
        rows.append(row)
    return rows


def address_json(customer: Customer) -> Json:
    """A billing or shipping address."""
    region = customer.region
    return {
        "first_name": customer.first_name,
        "address1": customer.street,
        "phone": customer.phone,
        "city": customer.city,
        "zip": customer.postal_code,
        "province": region.province,
        "country": region.country,
        "last_name": customer.last_name,
        "address2": None,
        "company": customer.company,
        "latitude": None,
        "longitude": None,
        "name": customer.name,
        "country_code": region.country_code,
        "province_code": region.province_code,
    }


def customer_json(customer: Customer, currency: str) -> Json:
    """A customer. A guest is one too, whose account is `disabled` because it was never opened."""
    address = address_json(customer)
    del address["latitude"], address["longitude"]
    return {
        "id": customer.id,
        "created_at": None,
        "updated_at": None,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "state": "disabled" if customer.guest else "enabled",
        "note": None,
        "verified_email": not customer.guest,
        "multipass_identifier": None,
        "tax_exempt": False,
        "email": customer.email,
        "phone": None,
        "currency": currency,
        "tax_exemptions": [],
        "admin_graphql_api_id": f"gid://shopify/Customer/{customer.id}",
        "default_address": {
            **address,
            "id": customer.id + 1,
            "customer_id": customer.id,
            "country_name": customer.region.country,
            "default": True,
        },
    }
