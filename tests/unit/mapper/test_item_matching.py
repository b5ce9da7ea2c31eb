"""How a product finds its item: the ledger's list, the explicit map, and what is asked for where nothing fits."""

from decimal import Decimal

import pytest
from tests.unit.mapper.samples import D, configuration, line, mapped, order, tax, tender
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.base import Reason
from common.messages.documents import CatalogEntry
from common.messages.orders import Order, OrderLine
from common.messages.transactions import AccountRole, TransactionSet
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex, ProductTarget, match_keys


def item(ledger_id: str, full_name: str, **more: object) -> CatalogItem:
    name = full_name.rsplit(":", 1)[-1]
    return CatalogItem(ledger_id, name, full_name, **more)  # type: ignore[arg-type]


def entry(**changes: object) -> CatalogEntry:
    values = {
        "tenant_id": "tenant",
        "company_id": "books-1",
        "revision": 1,
        "ledger_id": "7",
        "list_name": "items",
        "object_type": "inventory",
        "name": "Hammer",
        "full_name": "Tools:Hand:Hammer",
        "sku": "HAM-1",
        "details": {"part_number": "P-9", "barcode": "4006", "purchase_cost": "3.50", "preferred_vendor": "Mill"},
    }
    return CatalogEntry.model_validate(values | changes, strict=False)


def ids(found: list[CatalogItem]) -> list[str]:
    return [one.ledger_id for one in found]


FOUND = [
    ("name", "tools:hand:HAMMER", ["1"]),
    ("name", "hammer", ["1", "2"]),
    ("name", "hand:hammer", []),
    ("name", "Saw", ["3"]),
    ("sku", "ham-1", ["1"]),
    ("sku", "hammer", []),
    ("part_number", "p-9", ["1"]),
    ("barcode", "4006", ["2"]),
    ("barcode", "p-9", []),
    ("colour", "red", []),
    ("sku", "", []),
    ("part_number", "", []),
    ("barcode", "", []),
]


@pytest.mark.parametrize(("field", "key", "wanted"), FOUND)
def test_items_are_found_by_the_field_of_the_settings_and_names_below_any_parent(
    field: str, key: str, wanted: list[str]
) -> None:
    index = ItemIndex(
        [
            item("1", "Tools:Hand:Hammer", sku="HAM-1", details={"part_number": "P-9"}),
            item("2", "Spare:Hammer", details={"barcode": "4006"}),
            item("3", "Saw"),
            item("4", "Old:Saw"),
        ]
    )
    assert ids(index.find(field, key)) == wanted
    assert len(index) == 4


def test_an_item_that_comes_again_takes_the_place_of_its_former_self() -> None:
    index = ItemIndex([item("1", "Tools:Hammer", sku="A"), item("2", "Saw", sku="B")])
    index.put([item("3", "Drill", sku="C")])
    assert [ids(index.find("sku", key)) for key in "ABC"] == [["1"], ["2"], ["3"]]
    index.put([item("1", "Tools:Mallet", sku="D")])
    assert [ids(index.find("sku", key)) for key in "ABCD"] == [[], ["2"], ["3"], ["1"]]
    assert (ids(index.find("name", "hammer")), ids(index.find("name", "mallet"))) == ([], ["1"])
    assert len(index) == 3


def test_a_new_item_is_found_by_every_form_in_which_a_product_may_ask_for_it() -> None:
    assert match_keys(entry()) == {"hammer", "tools:hand:hammer", "ham-1", "p-9", "4006"}
    assert match_keys(entry(name="Mallet", details={}, sku="")) == {"mallet", "tools:hand:hammer", "hammer"}
    assert match_keys(entry(full_name="", sku="", details={})) == {"hammer"}


@pytest.mark.parametrize(("cost", "wanted"), [("3.50", D("3.50")), ("", None), ("cheap", None)])
def test_an_item_is_read_from_what_the_ledger_lists(cost: str, wanted: Decimal | None) -> None:
    read = CatalogItem.of(entry(details={"purchase_cost": cost, "preferred_vendor": "Mill"}))
    assert (read.full_name, read.item_type, read.preferred_vendor, read.purchase_cost) == (
        "Tools:Hand:Hammer",
        "inventory",
        "Mill",
        wanted,
    )
    bare = CatalogItem.of(entry(full_name="", details={}))
    assert (bare.full_name, bare.preferred_vendor, bare.purchase_cost) == ("Hammer", "", None)


def test_the_explicit_map_is_asked_by_sku_then_variant_then_product_then_title() -> None:
    steps = {"ham": "by sku", "id:v1": "by variant", "id:p1": "by product", "title:big hammer": "by title"}
    catalog = Catalog(product_map={key: ProductTarget(name) for key, name in steps.items()})
    asked = []
    for key in (*steps, "none"):
        found = catalog.target("HAM", "p1", "v1", "Big  Hammer")
        asked.append(found.item_name if found else None)
        catalog.product_map.pop(key, None)
        catalog.product_map["other"] = ProductTarget("other")
    assert asked == ["by sku", "by variant", "by product", "by title", None]
    nameless = Catalog(product_map={"id:": ProductTarget("A"), "title:": ProductTarget("B"), "": ProductTarget("C")})
    assert nameless.target("", "", "", "") is None


def sold(*lines: OrderLine) -> Order:
    total = sum((one.amount for one in lines), D("0.00"))
    return order(lines=lines, total=total, tenders=(tender(str(total)),))


def result_of(source: Order, items: list[CatalogItem], match_field: str = "sku", **products: str) -> TransactionSet:
    settings = configuration(products={"match_field": match_field, "missing": "stop_and_queue", **products})
    return mapped(source, settings, Catalog(items=ItemIndex(items)))


def hold_of(result: TransactionSet) -> Reason:
    reason = result.reason or next(one.hold for one in result.documents if one.hold is not None)
    assert reason is not None
    return reason


def test_several_active_items_stop_and_the_first_five_are_named() -> None:
    many = [item(str(n), f"Item {n}", sku="A") for n in range(7)]
    reason = hold_of(result_of(sold(line("l1", "A", "5.00")), many))
    assert reason.code == "PRODUCT_AMBIGUOUS"
    assert "Item 4" in reason.text
    assert "Item 5" not in reason.text
    one_left = [*many[:1], *(item(str(n), f"Item {n}", sku="A", active=False) for n in range(1, 3))]
    (found,) = result_of(sold(line("l1", "A", "5.00")), one_left).items
    assert (found.ledger_id, found.name) == ("0", "Item 0")


def test_an_inactive_and_a_missing_product_are_named() -> None:
    inactive = hold_of(result_of(sold(line("l1", "A", "5.00")), [item("1", "Old", sku="A", active=False)]))
    assert inactive.code == "PRODUCT_INACTIVE"
    assert "Old" in f"{inactive.text} {inactive.value}"
    missing = hold_of(result_of(sold(line("l1", "A", "5.00", name="Big Hammer")), []))
    assert missing.code == "PRODUCT_MISSING"
    assert (missing.field, missing.value) == ("lines.sku", "A")
    nameless = hold_of(result_of(sold(line("l1", "", "5.00", name="Big Hammer")), []))
    assert nameless.code == missing.code
    assert "Big Hammer" in nameless.text


def test_an_item_that_is_made_is_described_by_the_line() -> None:
    source = sold(line("l1", "A", "5.00", name="N" * 500), line("l2", "B", "-1.00", name="Rebate"))
    made = {one.sku: one for one in result_of(source, [], missing="create_inventory").items}
    assert (len(made["A"].name), made["A"].unit_price, made["A"].taxable) == (500, D("5.00"), False)
    assert (made["B"].name, made["B"].unit_price, made["B"].item_type) == ("Rebate", None, "inventory")
    assert {one.match_field for one in made.values()} == {"sku"}


def test_a_rule_gives_one_line_or_the_whole_order_its_income_account() -> None:
    source = sold(line("l1", "A", "5.00"), line("l2", "B", "6.00"))
    one_line = compiled(rule("map_income_account", "Sales:Tools", ("sku", "equals", "A")))
    (document,) = mapped(source, configuration(), rules=one_line).documents
    accounts = [(one.account.role, one.account.name) for one in document.lines]
    assert accounts == [(AccountRole.INCOME, "Sales:Tools"), (AccountRole.INCOME, "Account INC")]


@pytest.mark.parametrize(("many", "named"), [(5, 5), (6, 5)])
def test_a_map_to_a_name_that_several_items_have_names_the_first_five(many: int, named: int) -> None:
    twins = [item(f"i{number}", f"Tools {number}:LAMP") for number in range(many)]
    catalog = Catalog(items=ItemIndex(twins), product_map={"a": ProductTarget("LAMP")})
    hold = hold_of(mapped(sold(line("l1", "A", "5.00")), configuration(), catalog))
    assert hold.code == "PRODUCT_AMBIGUOUS"
    assert hold.text.count("Tools ") == named


def test_a_map_to_an_inactive_item_names_it_and_one_to_stock_without_a_cost_warns() -> None:
    def through(found: CatalogItem) -> TransactionSet:
        catalog = Catalog(items=ItemIndex([found]), product_map={"a": ProductTarget("LAMP")})
        return mapped(sold(line("l1", "A", "5.00")), configuration(), catalog)

    hold = hold_of(through(item("i1", "Tools:LAMP", active=False)))
    assert (hold.code, "Tools:LAMP" in hold.text) == ("PRODUCT_INACTIVE", True)
    (notice,) = through(item("i1", "Tools:LAMP", item_type="Inventory")).documents[0].notices
    assert (notice.code, "Tools:LAMP" in notice.text) == ("COGS_UNRELIABLE", True)


def test_a_missing_product_is_named_by_its_sku_else_by_its_title() -> None:
    stopped = {"missing": "stop_and_queue"}
    unknown = hold_of(mapped(sold(line("l1", "A", "5.00", name="Lamp")), configuration(products=stopped)))
    assert (unknown.code, "'A'" in unknown.text, unknown.value) == ("PRODUCT_MISSING", True, "A")
    untitled = hold_of(mapped(sold(line("l1", "", "5.00", name="Lamp")), configuration(products=stopped)))
    assert (untitled.code, "Lamp" in untitled.text) == ("PRODUCT_MISSING", True)


def test_a_name_that_grows_when_it_is_written_out_is_cut_to_what_a_name_may_have() -> None:
    (made,) = result_of(sold(line("l1", "A", "5.00", name="\ufb03" * 300)), [], missing="create_inventory").items
    assert made.name == ("ffi" * 300)[:500]


def test_an_item_is_taxable_as_the_order_that_asks_for_it_says() -> None:
    settings = configuration(products={"missing": "create_non_inventory"})
    taxed = order(
        lines=(line("l1", "A", "5.00", taxes=(tax("0.50"),)),),
        taxes=(tax("0.50"),),
        tax_total=D("0.50"),
        total=D("5.50"),
        tenders=(tender("5.50"),),
    )
    found = [mapped(source, settings).items[0].taxable for source in (sold(line("l1", "A", "5.00")), taxed)]
    assert found == [False, True]


STRIP = rule("strip_sku", "FBA-", ("sku", "starts_with", "FBA-"))


@pytest.mark.parametrize(
    ("mapped_to", "wanted"),
    [
        ({"fba-1": "By the channel's SKU", "1": "By the rule's", "title:lamp": "By title"}, "By the channel's SKU"),
        ({"1": "By the rule's", "title:lamp": "By title"}, "By the rule's"),
        ({"title:lamp": "By title"}, "By title"),
        ({}, "1"),
    ],
)
def test_a_map_of_the_channels_sku_goes_before_what_a_rule_makes_of_it(mapped_to: dict[str, str], wanted: str) -> None:
    catalog = Catalog(product_map={key: ProductTarget(name) for key, name in mapped_to.items()})
    source = sold(line("l1", "FBA-1", "5.00", name="Lamp"))
    settings = configuration(products={"missing": "create_non_inventory"})
    again = rule("map_sku", "{sku}", ("sku", "equals", "1"), priority=200)
    assert [one.name for one in mapped(source, settings, catalog, rules=compiled(STRIP, again)).items] == [wanted]


def test_a_gift_card_and_goods_that_a_rule_sends_elsewhere_on_their_return_are_not_mapped_by_the_channels_sku() -> None:
    catalog = Catalog(product_map={"fba-1": ProductTarget("Mapped"), "": ProductTarget("Nothing")})
    card = sold(line("l1", "FBA-1", "5.00", is_gift_card=True))
    assert [one.name for one in mapped(card, configuration(), catalog, rules=compiled(STRIP)).items] == ["Gift card"]
    named = rule("map_sku", "TITLED", ("sku_missing", "equals", "true"))
    settings = configuration(products={"missing": "create_non_inventory"})
    source = sold(line("l1", "", "5.00"))
    assert [one.name for one in mapped(source, settings, catalog, rules=compiled(named)).items] == ["TITLED"]
