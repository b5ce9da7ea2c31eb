"""Price levels and units of measure that the ledger keeps (section 18)."""

from decimal import Decimal

import pytest
from tests.unit.mapper.samples import D, configuration, line, mapped, order, tender
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.orders import Order, OrderLine
from common.messages.transactions import TransactionSet
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex

WHOLESALE = compiled(rule("map_price_level", "Wholesale", ("sku", "equals", "A")))


def sold(*lines: OrderLine) -> Order:
    total = sum((one.amount for one in lines), D("0.00"))
    return order(lines=lines, total=total, tenders=(tender(str(total)),))


def listed(*items: CatalogItem) -> Catalog:
    return Catalog(items=ItemIndex(items))


def item(sku: str, ledger_id: str = "1", **more: object) -> CatalogItem:
    values: dict[str, object] = {"sku": sku, **more}
    return CatalogItem(ledger_id, f"Item {ledger_id}", f"Item {ledger_id}", **values)  # type: ignore[arg-type]


def kept(result: TransactionSet) -> list[tuple[str, str | None]]:
    notices = [one for document in result.documents for one in document.notices]
    return [(one.code, one.value) for one in notices]


@pytest.mark.parametrize(
    "details", [{}, {"price:Retail": "8.00"}, {"price:Wholesale": "much"}, {"price:Wholesale": ""}]
)
def test_an_item_without_a_price_in_its_level_keeps_the_channels_and_says_so(details: dict[str, str]) -> None:
    source = sold(line("l1", "A", "10.00"), line("l2", "B", "5.00"))
    settings = configuration(products={"match_field": "sku", "missing": "create_non_inventory"})
    result = mapped(source, settings, listed(item("A", details=details)), rules=WHOLESALE)
    (receipt,) = result.documents
    assert receipt.total == D("15.00")
    (notice,) = receipt.notices
    assert (notice.code, notice.value) == ("PRICE_LEVEL_MISSING", "A")
    assert "'Wholesale'" in notice.text


def test_a_line_is_sold_at_the_price_of_its_level() -> None:
    source = sold(line("l1", "A", "10.00", "3"), line("l2", "B", "5.00"))
    settings = configuration("invoices_only", products={"match_field": "sku", "missing": "create_non_inventory"})
    rules = compiled(rule("map_price_level", "Wholesale", ("sku", "equals", "A"), allow_total_change=True))
    result = mapped(source, settings, listed(item("A", details={"price:Wholesale": "8.00"})), rules=rules)
    (invoice,) = result.documents
    assert [(one.unit_price, one.amount) for one in invoice.lines] == [(D("8.00"), D("24.00")), (D("5.00"), D("5.00"))]
    assert kept(result) == []


def in_units(details: dict[str, str], quantity: str, price: str) -> tuple[Decimal | None, Decimal | None, str, Decimal]:
    amount = (D(price) * D(quantity)).quantize(D("0.01"))
    source = sold(line("l1", "A", price, quantity, amount=amount, uom="each"))
    settings = configuration(products={"match_field": "sku", "missing": "create_non_inventory"})
    (found,) = mapped(source, settings, listed(item("A", details=details))).documents[0].lines
    return found.quantity, found.unit_price, found.uom, found.amount


def test_the_amount_of_a_line_stays_the_same_to_the_cent_in_any_unit() -> None:
    box = {"uom": "box", "uom:each": "3"}
    assert in_units(box, "7", "1.00") == (D("2.333333333333"), D("3.00"), "box", D("7.00"))
    assert in_units({"uom:each": "3"}, "6", "1.00") == (D(2), D("3.00"), "each", D("6.00")), "no name of the default"
    assert in_units(box | {"uom:each": "0.5"}, "2", "1.00") == (D(4), D("0.5"), "box", D("2.00"))
    assert in_units(box | {"uom:each": "1"}, "2", "1.00") == (D(2), D(1), "box", D("2.00"))
    for unusable in ("0", "-3", "some", ""):
        assert in_units(box | {"uom:each": unusable}, "6", "1.00") == (D(6), D("1.00"), "each", D("6.00"))


def test_only_the_one_active_item_of_a_sku_says_what_it_costs_and_how_it_is_counted() -> None:
    one, other, gone = item("A", "1"), item("A", "2"), item("A", "3", active=False)
    assert listed(one, gone).active_item("sku", "A") == one
    for items in ((one, other), (gone,), (item("B"),), (item(""),)):
        assert listed(*items).active_item("sku", "A") is None
    assert listed(item("")).active_item("sku", "") is None, "an item without a SKU is nobody's"


def test_the_total_follows_every_line_that_a_level_reprices_and_discounts_stay() -> None:
    lines = (
        line("l1", "A", "10.00", "3", amount=D("28.00"), discount=D("2.00")),
        line("l2", "B", "5.00"),
        line("l3", "C", "1.00", "3"),
    )
    settings = configuration("invoices_only", products={"match_field": "sku", "missing": "create_non_inventory"})
    wholesale = compiled(rule("map_price_level", "Wholesale", ("sku", "is_not", "B"), allow_total_change=True))
    items = listed(
        item("A", "1", details={"price:Wholesale": "8.00"}), item("C", "3", details={"price:Wholesale": "0.333"})
    )
    result = mapped(sold(*lines), settings, items, rules=wholesale)
    (invoice,) = result.documents
    # 3 x 0.333 is 0.999: the price is the level's, and no third of a dollar.
    assert [(one.unit_price, one.amount) for one in invoice.lines][1:] == [
        (D("5.00"), D("5.00")),
        (D("0.333"), D("1.00")),
    ]
    assert (invoice.lines[0].amount, invoice.total) == (D("22.00"), D("28.00"))


def test_a_level_that_changes_a_paid_total_names_its_rule() -> None:
    source = sold(line("l1", "A", "10.00"), line("l2", "B", "5.00"))
    settings = configuration(products={"match_field": "sku", "missing": "create_non_inventory"})
    result = mapped(source, settings, listed(item("A", details={"price:Wholesale": "8.00"})), rules=WHOLESALE)
    assert result.reason is not None
    assert result.reason.code == "AMOUNT_CHANGED_BY_RULE"
    assert "map_price_level" in result.reason.text
