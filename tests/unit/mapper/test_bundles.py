"""Section 13: a bundle of the ledger costs what its members come to, and a difference to the order is said."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.mapper.samples import D, configuration, ledger, line, mapped, order

from common.messages.orders import Order
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex, ProductTarget

SET = CatalogItem("1", "SET", "SET", item_type="Group", details={"members": "2 2,3 0.5"})
MUG = CatalogItem("2", "MUG", "MUG", details={"unit_price": "4.00"})
TEA = CatalogItem("3", "TEA", "TEA", details={"unit_price": "5.00"})


def sold(price: str, quantity: str = "1") -> Order:
    total = D(price) * D(quantity)
    return order(lines=(line("l1", "SET", price, quantity),), total=total, tenders=())


def said(source: Order, *items: CatalogItem, mapped_to: str = "", **settings: Any) -> list[str]:
    product_map = {"set": ProductTarget(mapped_to)} if mapped_to else {}
    catalog = Catalog(items=ItemIndex(items), product_map=product_map)
    (invoice,) = mapped(source, configuration("invoices_only", **settings), catalog).documents
    return [notice.text for notice in invoice.notices if notice.code == "BUNDLE_PRICE_DIFFERS"]


@pytest.mark.parametrize(
    ("price", "quantity", "differs"),
    [
        ("10.50", "1", False),
        ("10.50", "3", False),
        ("10.52", "1", False),
        ("10.53", "1", True),
        ("10.48", "1", False),
        ("9.99", "1", True),
        ("10.51", "4", True),
    ],
)
def test_a_bundle_that_is_sold_for_another_price_is_said(price: str, quantity: str, differs: bool) -> None:
    assert bool(said(sold(price, quantity), SET, MUG, TEA)) is differs


def test_both_amounts_are_named_and_the_connections_tolerance_counts() -> None:
    (text,) = said(sold("9.00", "2"), SET, MUG, TEA)
    assert "'SET'" in text
    assert "come to 21.00 USD" in text
    assert "for 18.00 USD" in text
    assert said(sold("9.00", "2"), SET, MUG, TEA, rounding_tolerance=Decimal("3.00")) == []


def test_what_has_no_members_is_no_bundle() -> None:
    items = ItemIndex([SET, MUG, TEA])
    assert [items.bundle_price(one) for one in (SET, MUG, CatalogItem("9", "Odd", "Odd", details={"members": ""}))] == [
        Decimal("10.50"),
        None,
        None,
    ]


def test_a_bundle_that_a_map_names_is_looked_at_too() -> None:
    bundle = CatalogItem("1", "Gift set", "Gift set", details=SET.details)
    assert said(sold("9.00"), bundle, MUG, TEA, mapped_to="Gift set") != []


def test_prices_of_members_say_nothing_of_an_order_in_another_currency() -> None:
    foreign = sold("9.00").model_copy(update={"currency": "EUR"})
    assert said(foreign, SET, MUG, TEA, file=ledger(multi_currency=True)) == []


@pytest.mark.parametrize(
    "items",
    [
        (SET, MUG),
        (SET, MUG, CatalogItem("3", "TEA", "TEA")),
        (CatalogItem("1", "SET", "SET", details={"members": "2 many"}), MUG),
        (CatalogItem("1", "SET", "SET"), MUG, TEA),
        (CatalogItem("1", "SET", "SET", details={"members": ""}), MUG, TEA),
    ],
    ids=["a member is unknown", "a price is unknown", "a quantity is no number", "no bundle", "without members"],
)
def test_nothing_is_said_where_nobody_knows(items: tuple[CatalogItem, ...]) -> None:
    assert said(sold("1.00"), *items) == []
