"""Filling a basket: which lines, discounts, shipping and tip an order starts with."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from sandbox.shops.pricing import allocate, half_up, taxes_on
from sandbox.shops.state import Discount, Line, Order, Product, Shipping

Flavour = Literal["plain", "single", "coupon", "percent", "free_shipping", "free", "tip", "gift_card"]

SHIPPING: Final = (("Standard", 595), ("Express", 1450), ("Courier", 1995))


def add_line(order: Order, product: Product, quantity: int) -> Line:
    """Put a product on the order at its list price; taxes follow when the basket is priced."""
    rates = () if product.gift_card else order.region.rates(product.tax_class)
    line = Line(order.next_id(), product, product.price, quantity, rates, [0] * len(rates))
    order.lines.append(line)
    return line


def price_line(order: Order, line: Line) -> None:
    """Work out the taxes of a line from what it costs after discounts."""
    line.taxes = taxes_on(line.net, line.rates, order.shop.taxes_included)


def fill_cart(order: Order, rng: Random, products: list[Product], gift_card: Product, flavour: Flavour) -> None:
    """Choose lines, discounts, shipping and tip, and price them all."""
    lines = (
        1 if flavour == "single" else rng.choice((1, 1, 2, 2, 3, 4)) if flavour == "plain" else rng.choice((2, 3, 4))
    )
    for product in rng.sample(products, min(lines, len(products))):
        add_line(order, product, rng.choice((1, 1, 1, 2, 3)) if flavour != "single" else rng.choice((2, 3, 4)))
    if flavour == "gift_card":
        order.lines[1:] = []
        add_line(order, gift_card, rng.choice((1, 2)))
    if flavour in ("coupon", "percent", "free"):
        _discount_goods(order, rng, flavour)
    if flavour != "free" and order.customer is not None:
        _ship(order, rng, free=flavour == "free_shipping")
    if flavour == "tip":
        order.tip = half_up(sum(line.net for line in order.lines) * rng.choice((10, 15, 18)), 100)
    for line in order.lines:
        price_line(order, line)


def _discount_goods(order: Order, rng: Random, flavour: Flavour) -> None:
    """Reduce the goods: a fixed coupon over all lines, a percentage of some, or everything."""
    gross = [line.gross for line in order.lines]
    if flavour == "coupon":
        value = min(rng.choice((500, 750, 1001)) * order.shop.price_scale, sum(gross))
        discount, parts = Discount(f"SAVE{value}", True, False, value), allocate(value, gross)
    elif flavour == "free":
        discount, parts = Discount("ONTHEHOUSE", True, True, 100), gross
    else:
        percent = rng.choice((10, 15, 33))
        discount = Discount(f"{percent} % off selected goods", False, True, percent)
        parts = [half_up(amount * percent, 100) for amount in gross]
        if len(parts) > 2:
            parts[-1] = 0
    order.discounts.append(discount)
    for line, part in zip(order.lines, parts, strict=True):
        if part:
            line.discounts.append((0, part))


def _ship(order: Order, rng: Random, *, free: bool) -> None:
    """Charge shipping by the region's tax rule; a free shipping code takes all of it off again."""
    title, price = rng.choice(SHIPPING)
    unit = order.shop.price_unit
    shipping = Shipping(
        order.next_id(), title, price * order.shop.price_scale // unit * unit, order.region.shipping_rates(), []
    )
    if free:
        shipping.discount, shipping.discount_index = shipping.price, len(order.discounts)
        order.discounts.append(Discount("SHIPFREE", True, True, 100, shipping=True))
    shipping.taxes = taxes_on(shipping.net, shipping.rates, order.shop.taxes_included)
    order.shipping = shipping
