"""Edges of the core that whole orders seldom touch: smallest amounts, longest tables, what follows what is skipped."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.unit.mapper.samples import (
    D,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    line,
    mapped,
    order,
    tax,
    tender,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.errors import Rejected
from common.internal.mapper_rules import Condition
from common.messages.documents import CatalogEntry
from common.messages.orders import FinancialStatus
from common.messages.transactions import LineKind
from mapper.mapping import map_table
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex
from mapper.mapping.directives import NO_DIRECTIVES
from mapper.mapping.facts import read_facts
from mapper.mapping.map_table import read_map
from mapper.mapping.modes import Situation
from mapper.mapping.tax import without_remitted
from mapper.rules import table
from mapper.rules.table import read_table


@pytest.mark.parametrize(
    ("total", "paid", "situation"),
    [
        ("0.01", "0.00", Situation.UNPAID),
        ("1.00", "0.00", Situation.UNPAID),
        ("2.00", "0.01", Situation.PARTLY_PAID),
        ("2.00", "1.99", Situation.PARTLY_PAID),
        ("2.00", "2.00", Situation.PAID),
        ("0.00", "0.00", Situation.ZERO),
    ],
)
def test_a_cent_decides_whether_an_order_is_paid(total: str, paid: str, situation: Situation) -> None:
    tenders = (tender(paid),) if D(paid) else ()
    source = order(
        lines=(line("l1", "A", total),),
        total=D(total),
        tenders=tenders,
        financial_status=FinancialStatus.PENDING,
    )
    assert read_facts(source, NO_DIRECTIVES, None).situation is situation


def test_remitted_tax_is_left_out_of_every_rate_by_its_share() -> None:
    reduced = without_remitted([tax("4.00"), tax("1.00", "City")], D("2.50"), "USD")
    assert [(one.title, one.amount) for one in reduced] == [("State tax", D("2.00")), ("City", D("0.50"))]


def test_goods_taken_off_before_payment_do_not_hide_a_later_refund() -> None:
    removed = first_refund(transactions=())
    back = first_refund(
        external_id="r2",
        created_at=datetime(2026, 3, 11, tzinfo=UTC),
        refunded_on=date(2026, 3, 11),
    )
    source = example_a(tenders=(tender("52.34"),), refunds=(removed, back))
    result = mapped(source, configuration("sales_receipts"))
    assert kinds(result) == ["sales_receipt", "refund_receipt"]
    receipt, refund = result.documents
    assert (receipt.total, refund.total) == (D("52.34"), D("24.66"))


def test_an_item_of_the_ledger_keeps_everything_that_its_entry_says() -> None:
    details = {"preferred_vendor": "Smith", "purchase_cost": "7.50", "barcode": "4006"}
    entry = CatalogEntry(
        tenant_id="tenant",
        revision=1,
        company_id="books-1",
        list_name="items",
        object_type="inventory",
        ledger_id="i1",
        name="Hammer",
        full_name="Tools:Hammer",
        active=False,
        sku="H-1",
        details=details,
    )
    assert CatalogItem.of(entry) == CatalogItem(
        "i1", "Hammer", "Tools:Hammer", False, "H-1", "inventory", "Smith", D("7.50"), details
    )
    bare = CatalogItem.of(entry.model_copy(update={"full_name": "", "details": {"purchase_cost": "much"}}))
    assert (bare.full_name, bare.preferred_vendor, bare.purchase_cost) == ("Hammer", "", None)


def test_a_box_of_ten_is_sold_at_ten_times_the_price_of_each() -> None:
    details = {"uom:each": "10", "uom": "box"}
    items = ItemIndex([CatalogItem("i1", "NAILS", "NAILS", details=details)])
    source = order(lines=(line("l1", "NAILS", "0.50", "30", uom="each"),), total=D("15.00"), tenders=(tender("15.00"),))
    result = mapped(source, configuration(), Catalog(items=items))
    (sold,) = result.documents[0].lines
    assert (sold.quantity, sold.unit_price, sold.uom, sold.amount) == (Decimal(3), Decimal(5), "box", D("15.00"))


@pytest.mark.parametrize(
    ("cost", "on_hand", "says"), [(None, "5", "no purchase cost"), ("10.00", "-1", "-1 on hand"), ("10.00", "5", "")]
)
def test_a_stock_item_without_cost_or_below_nothing_on_hand_is_sold_with_a_warning(
    cost: str | None, on_hand: str, says: str
) -> None:
    details = {"quantity_on_hand": on_hand}
    item = CatalogItem(
        "i1", "NAILS", "NAILS", item_type="Inventory", purchase_cost=D(cost) if cost else None, details=details
    )
    source = order(lines=(line("l1", "NAILS", "0.50", "30"),), total=D("15.00"), tenders=(tender("15.00"),))
    notices = mapped(source, configuration(), Catalog(items=ItemIndex([item]))).documents[0].notices
    assert [one.code for one in notices] == (["COGS_UNRELIABLE"] if says else [])
    assert all(says in one.text for one in notices)


def test_representative_template_and_site_reach_the_document_by_default_and_by_rule() -> None:
    settings = configuration(sales_rep="Grace", site="Main")
    by_default = mapped(example_a(), settings).documents[0]
    assert (by_default.sales_rep, by_default.template, by_default.lines[0].site) == ("Grace", "", "Main")
    rules = compiled(rule("map_sales_rep", "Ada"), rule("map_template", "Invoice B"), rule("map_site", "East"))
    by_rule = mapped(example_a(), settings, rules=rules).documents[0]
    assert (by_rule.sales_rep, by_rule.template, by_rule.lines[0].site) == ("Ada", "Invoice B", "East")


@pytest.mark.parametrize(
    ("sku", "value", "left"),
    [("HAMMER", "er", "HAMM"), ("HAMMER", "HA", "MMER"), ("HAMMER", "mm", "HAMMER"), ("abab", "ab", "ab")],
)
def test_a_sku_loses_its_prefix_or_else_its_suffix(sku: str, value: str, left: str) -> None:
    source = order(lines=(line("l1", sku, "1.00"),), total=D("1.00"))
    result, _ = compiled(rule("strip_sku", value)).apply(source)
    assert result.lines[0].sku == left


def test_a_payments_rule_copies_a_field_of_lines_from_the_first_line() -> None:
    tenders = tuple(tender("25.66", f"t{number}") for number in range(3))
    source = example_a(tenders=tenders)
    _, directives = compiled(rule("map_payment_method", copy_from="sku")).apply(source)
    assert directives.payment_methods == {"t0": "HAMMER", "t1": "NAILS", "t2": "HAMMER"}


def test_a_table_needs_a_name_and_an_action_and_no_more() -> None:
    (found,) = read_table("name,action\nKeep out,do_not_import\n")
    assert (found.name, found.conditions, found.priority, found.connections) == ("Keep out", (), 100, "all")


@pytest.mark.parametrize("column", ["match", "priority", "action", "value"])
def test_rows_of_one_rule_that_disagree_name_row_and_column(column: str) -> None:
    first = {"match": "all", "priority": "1", "action": "map_memo", "value": "x"}
    other = first | {column: {"match": "any", "priority": "2", "action": "map_terms", "value": "y"}[column]}
    rows = [",".join(("A", "sku", sku, *cells.values())) for sku, cells in (("a", first), ("b", other))]
    with pytest.raises(Rejected, match=f"Row 3, column '{column}'") as refused:
        read_table("\n".join(("name,field,source_value,match,priority,action,value", *rows)))
    assert (refused.value.reason.field, refused.value.reason.value) == (column, other[column])


@pytest.mark.parametrize(("total", "added"), [("77.03", D("0.03")), ("76.97", D("-0.03")), ("77.04", None)])
def test_as_many_cents_as_an_order_has_lines_and_one_more_are_rounding(total: str, added: Decimal | None) -> None:
    result = mapped(example_a(total=D(total), tenders=(tender(total),)), configuration())
    lines = [one.amount for document in result.documents for one in document.lines if one.kind is LineKind.ROUNDING]
    assert lines == ([] if added is None else [added])
    assert (result.reason.code if result.reason else None) == ("TOTALS_MISMATCH" if added is None else None)


@pytest.mark.parametrize(
    ("assigns", "warned"),
    [(True, []), (False, ["NEXT_NUMBER_UNAVAILABLE"])],
)
def test_a_ledger_that_says_it_assigns_no_numbers_is_believed(assigns: bool, warned: list[str]) -> None:
    settings = configuration("invoices_only", file=ledger(assigns_numbers=assigns), numbers={"policy": "next"})
    (invoice,) = mapped(example_a(), settings).documents
    assert [one.code for one in invoice.notices] == warned


def test_a_row_without_a_condition_leaves_those_after_it() -> None:
    text = "name,action,value,field,comparison,source_value\nA,map_memo,x,sku,map all,\nA,map_memo,x,sku,is,b\n"
    (found,) = read_table(text)
    (condition,) = found.conditions
    assert isinstance(condition, Condition)
    assert (condition.field, condition.value) == ("sku", "b")


def test_tables_end_at_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS_MAX", 3)
    monkeypatch.setattr(map_table, "ROWS_MAX", 3)
    assert len(read_table("name,action,value\nA,map_memo,x\nB,map_memo,x\n")) == 2
    with pytest.raises(Rejected, match="Row 4, column 'name'") as refused:
        read_table("name,action,value\nA,map_memo,x\nB,map_memo,x\nC,map_memo,x\n")
    assert (refused.value.reason.field, refused.value.reason.value) == ("name", "")
    assert len(read_map("connection_id,source,target\n*,a,X\n*,b,X\n")) == 2
    with pytest.raises(Rejected, match="Row 4, column 'source'") as refused:
        read_map("connection_id,source,target\n*,a,X\n*,b,X\n*,c,X\n")
    assert (refused.value.reason.field, refused.value.reason.value) == ("source", "")
    assert "3 rows" in refused.value.reason.text
