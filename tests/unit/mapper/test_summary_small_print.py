"""What section 15 says beside its example day: what goods cost, which day a refund belongs to, changes."""

from datetime import date
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ORDER_DAY,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    line,
    order,
    refunded,
    tender,
)
from tests.unit.mapper.test_rules import compiled, rule
from tests.unit.mapper.test_summaries import O1, O2

from common.messages.control import TransactionMode
from common.messages.keys import document_key
from common.messages.orders import FinancialStatus, Order
from common.messages.transactions import AccountRole, Document, DocumentKind, SetOutcome, TransactionSet
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex, ProductTarget
from mapper.mapping.orders import NO_RULES, map_order
from mapper.mapping.summaries import Membership, map_summary, memberships, summary_mode
from mapper.mapping.summary_changes import with_change_noted
from mapper.rules.engine import CompiledRules

REFUND_DAY = date(2026, 3, 10)


def made(
    *orders: Order,
    catalog: Catalog | None = None,
    day: Membership | None = None,
    finished: bool = True,
    previous: TransactionSet | None = None,
    mode: str = "summary_sales_receipt",
    **changes: Any,
) -> TransactionSet:
    settings = configuration(mode, **changes)
    member = day or memberships(orders[0], settings, NO_RULES)[0]
    return map_summary(
        member,
        "tenant",
        orders,
        settings,
        NO_RULES,
        catalog or Catalog(),
        mode=TransactionMode(mode),
        finished=finished,
        previous=previous,
    )


def priced(*items: tuple[str, str | None], **more: Any) -> Catalog:
    return Catalog(
        items=ItemIndex(
            CatalogItem(
                f"id-{sku}", f"Item {sku}", f"Item {sku}", sku=sku, purchase_cost=D(cost) if cost else None, **more
            )
            for sku, cost in items
        )
    )


def sold(external_id: str, *lines: tuple[str, str, str], **changes: Any) -> Order:
    made_of = tuple(line(f"l{n}", sku, price, quantity) for n, (sku, price, quantity) in enumerate(lines))
    total = sum((one.amount for one in made_of), D("0.00"))
    values: dict[str, Any] = {"lines": made_of, "total": total, "tenders": (tender(str(total)),)} | changes
    return order(external_id=external_id, number=external_id, **values)


def postings(document: Document) -> list[tuple[str, str, Any, Any, Any]]:
    return [
        (one.account.role.value, one.description, one.quantity, one.unit_price, one.amount) for one in document.lines
    ]


def costs(*orders: Order, catalog: Catalog, **changes: Any) -> list[Document]:
    result = made(*orders, catalog=catalog, summary_costs="journal", products=BY_SKU, **changes)
    assert result.reason is None
    return list(result.documents)


BY_SKU = {"missing": "create_non_inventory", "match_field": "sku"}


def test_what_was_sold_of_a_product_costs_its_quantity_once_whatever_it_was_sold_for() -> None:
    day = [sold("1", ("X", "9.00", "1"), ("A", "25.00", "2"), ("B", "1.00", "1")), sold("2", ("A", "20.00", "1"))]
    receipt, journal = costs(*day, catalog=priced(("A", "10.00"), ("B", "0.50")))
    assert postings(journal) == [
        ("COGS", "A", D(3), D("10.00"), D("30.00")),
        ("INV", "A", D(3), D("10.00"), D("-30.00")),
        ("COGS", "B", D(1), D("0.50"), D("0.50")),
        ("INV", "B", D(1), D("0.50"), D("-0.50")),
    ]
    assert journal.total == D("30.50")
    assert [(one.code, one.value) for one in receipt.notices] == [("COGS_UNRELIABLE", "X")], "and the rest goes on"


def test_goods_whose_cost_the_ledger_books_itself_are_left_out_and_the_rest_goes_on() -> None:
    stock = CatalogItem("s", "Item S", "Item S", sku="S", item_type="Inventory", purchase_cost=D("4.00"))
    plain = CatalogItem("a", "Item A", "Item A", sku="A", purchase_cost=D("10.00"))
    day = sold("1", ("S", "9.00", "1"), ("A", "25.00", "2"))
    _, journal = costs(day, catalog=Catalog(items=ItemIndex([stock, plain])))
    assert [one.description for one in journal.lines] == ["A", "A"]
    (receipt,) = costs(sold("1", ("S", "9.00", "1")), catalog=Catalog(items=ItemIndex([stock])))
    assert (receipt.kind, receipt.notices) == (DocumentKind.SALES_RECEIPT, ())


def test_a_gift_card_costs_nothing_and_is_no_product_without_a_cost() -> None:
    card = sold("1", ("A", "25.00", "1"), ("GIFT", "50.00", "1"))
    card = card.model_copy(update={"lines": (card.lines[0], card.lines[1].model_copy(update={"is_gift_card": True}))})
    receipt, journal = costs(card, catalog=priced(("A", "10.00")))
    assert receipt.notices == ()
    assert journal.total == D("10.00")


def test_the_journal_of_costs_belongs_to_its_summary_in_every_respect() -> None:
    settings = {"class_name": "Shop", "department": "North"}
    receipt, journal = costs(O1, catalog=priced(("A", "10.00")), finished=False, **settings)
    assert journal.key == document_key(
        "tenant", "books-1", "shop-1", "summary", receipt.source_id, DocumentKind.JOURNAL_ENTRY
    )
    assert (journal.source_kind, journal.source_id, journal.memo_number) == (
        "summary",
        receipt.source_id,
        receipt.memo_number,
    )
    assert (journal.class_name, journal.department) == ("Shop", "North")
    assert journal.note == "Cost of goods sold"
    assert journal.hold is not None
    assert journal.hold == receipt.hold, "both wait for the end of the day"


def test_only_sales_that_are_written_have_a_cost() -> None:
    catalog = priced(("A", "10.00"))
    (form,) = costs(O1, catalog=catalog, mode="summary_sales_order")
    assert form.kind is DocumentKind.SALES_ORDER


def test_a_summary_waits_as_a_whole_for_the_account_of_its_costs() -> None:
    without = {role: name for role, name in ACCOUNTS.items() if role is not AccountRole.COST_OF_GOODS}
    result = made(
        O1,
        catalog=priced(("A", "10.00")),
        summary_costs="journal",
        products=BY_SKU,
        books=company(accounts=without),
    )
    assert (result.outcome, result.documents, result.items, result.customers) == (SetOutcome.HELD, (), (), ())
    assert result.reason is not None
    assert (result.reason.code, result.reason.field) == ("ACCOUNT_MISSING", "accounts.COGS")
    assert (result.tenant_id, result.source_id, result.date, result.currency, result.kept_mode) == (
        "tenant",
        memberships(O1, configuration("summary_sales_receipt"), NO_RULES)[0].summary_id,
        ORDER_DAY,
        "USD",
        "summary_sales_receipt",
    )


def test_a_summary_that_lost_all_its_members_has_no_document() -> None:
    (day,) = memberships(O1, configuration("summary_sales_receipt"), NO_RULES)
    result = made(day=day)
    assert (result.outcome, result.reason, result.documents) == (SetOutcome.MAPPED, None, ())
    assert (result.tenant_id, result.source_id, result.source_total) == ("tenant", day.summary_id, D(0))
    assert result.currency == "USD", "the ledger's own"


def test_a_summary_that_is_held_keeps_the_currency_of_its_orders() -> None:
    euros = O1.model_copy(update={"currency": "EUR", "total": D("99.00")})
    result = made(euros)
    assert (result.outcome, result.currency) == (SetOutcome.HELD, "EUR")


@pytest.mark.parametrize(("tolerance", "left"), [(None, "15.34"), (D("0.10"), "15.40")])
def test_the_tolerance_of_the_settings_decides_what_a_refund_takes_off_its_day(tolerance: Any, left: str) -> None:
    part = example_a(
        tenders=(tender("60.00"),),
        financial_status=FinancialStatus.PARTIALLY_PAID,
        refunds=(first_refund(transactions=(refunded("24.60", "rt1"),)),),
    )
    changes = {"merge_refunds": True, "rounding_tolerance": tolerance}
    found = memberships(part, configuration("summary_sales_receipt", **changes), NO_RULES)
    assert [one.day for one in found] == [ORDER_DAY, REFUND_DAY]
    later = sold("2", ("A", "40.00", "1"), ordered_on=REFUND_DAY)
    (receipt,) = made(later, part, **changes).documents
    assert receipt.total == D(left)


@pytest.mark.parametrize(("price", "held"), [("24.65", True), ("24.66", False), ("25.16", False)])
def test_a_day_on_which_as_much_went_back_as_came_in_is_a_summary(price: str, held: bool) -> None:
    back = example_a(refunds=(first_refund(),))
    result = made(sold("2", ("A", price, "1"), ordered_on=REFUND_DAY), back, merge_refunds=True)
    assert (result.reason.code if result.reason else None) == ("SUMMARY_NEGATIVE" if held else None)
    assert [one.total for one in result.documents] == ([] if held else [D(price) - D("24.66")])


def test_a_summary_keeps_its_id_so_that_an_upgrade_makes_no_second_one() -> None:
    usual = configuration("summary_sales_receipt", deposit_accounts={"card": "Card clearing"})
    unpaid_too = configuration("summary_invoice", unpaid_in_summary_invoice=True)
    named = O1.model_copy(update={"store_name": "Outlet", "invoice_mode": "summary_invoice"})
    assert [
        memberships(*given, NO_RULES)[0].summary_id for given in ((O1, usual), (O1, unpaid_too), (named, usual))
    ] == [
        "2026-03-02.USD.91dc7df1",
        "2026-03-02.USD.ffe679bb",
        "2026-03-02.USD.340120f7",
    ]


def test_a_product_that_must_be_mapped_first_holds_its_summary_and_names_the_order() -> None:
    result = made(O2, O1, products={"missing": "stop_and_queue"})
    assert (result.outcome, result.documents) == (SetOutcome.HELD, ())
    assert result.reason is not None
    assert (result.reason.code, result.reason.value) == ("PRODUCT_MISSING", "A")
    assert result.reason.text.startswith("Order 1 of the summary: ")


def test_a_summary_follows_the_connections_policy_of_changes() -> None:
    assert made(O1).after_posting == "update"
    assert made(O1, after_posting="hold").after_posting == "hold"


BEFORE = made(O1, O2)


def noted(note: str, before: str = "1, 2", total: str = "1.00") -> list[str]:
    (receipt,) = BEFORE.documents
    previous = BEFORE.model_copy(update={"documents": (receipt.model_copy(update={"note": before}),)})
    changed = with_change_noted(receipt.model_copy(update={"note": note, "total": D(total)}), previous)
    return [one.text.partition(" became ")[2].partition(".")[2] for one in changed.notices]


def test_what_joined_and_what_left_is_named_up_to_twenty_numbers() -> None:
    twenty = ", ".join(f"n{number}" for number in range(20))
    (exactly,) = noted(f"1, 2, {twenty}")
    assert f"Added: {twenty}." in exactly
    (more,) = noted(f"1, 2, {twenty}, n20")
    assert f"Added: {twenty} …." in more


def test_another_kind_of_document_is_no_change_of_the_one_before() -> None:
    invoice = made(O1, mode="summary_invoice", previous=made(O1, O2))
    assert invoice.documents[0].notices == ()


def test_a_warning_of_another_kind_is_no_change() -> None:
    catalog = priced(("A", "10.00"))
    first = made(O2, catalog=catalog, summary_costs="journal", products=BY_SKU)
    assert [one.code for one in first.documents[0].notices] == ["COGS_UNRELIABLE"]
    assert made(O2, catalog=catalog, summary_costs="journal", products=BY_SKU, previous=first) == first


def test_an_item_of_many_answers_to_no_sku_even_if_another_has_it_as_its_name() -> None:
    twins = [CatalogItem(n, f"Twin {n}", f"Twin {n}", sku="A", purchase_cost=D("10.00")) for n in ("1", "2")]
    named = CatalogItem("3", "A", "A", sku="Z", purchase_cost=D("99.00"))
    catalog = Catalog(items=ItemIndex([*twins, named]), product_map={"a": ProductTarget("Twin 1")})
    (receipt,) = costs(sold("1", ("A", "25.00", "1")), catalog=catalog)
    assert [(one.code, one.value) for one in receipt.notices] == [("COGS_UNRELIABLE", "A")]


def test_a_product_that_answers_to_no_sku_costs_what_the_item_of_its_name_does() -> None:
    named = CatalogItem("1", "A", "A", purchase_cost=D("7.00"))
    receipt, journal = costs(sold("1", ("A", "25.00", "2")), catalog=Catalog(items=ItemIndex([named])))
    assert (receipt.notices, journal.total) == ((), D("14.00"))


OWN: dict[str, Any] = {"invoice_mode": "summary_invoice", "refunds": (first_refund(),)}
BY_RULE = compiled(rule("map_transaction_type", "summary_invoice"))


@pytest.mark.parametrize("unpaid_too", [False, True])
@pytest.mark.parametrize("mode", ["summary_sales_receipt", "sales_receipts", "summary_invoice"])
@pytest.mark.parametrize(
    ("source", "rules"),
    [(example_a(**OWN), NO_RULES), (example_a(refunds=(first_refund(),)), BY_RULE)],
    ids=["the order", "a rule"],
)
def test_the_refund_of_an_order_that_names_its_summary_waits_for_that_very_summary(
    source: Order, rules: CompiledRules, mode: str, unpaid_too: bool
) -> None:
    settings = configuration(mode, unpaid_in_summary_invoice=unpaid_too)
    own = map_order(source, settings, rules)
    assert (own.reason.code if own.reason else "", own.kept_mode) == ("IN_SUMMARY", "")
    (day,) = memberships(source, settings, rules, own.kept_mode)
    chosen = summary_mode([source], settings, rules, "")
    result = map_summary(day, "tenant", [source], settings, rules, Catalog(), mode=chosen, finished=True)
    assert [one.kind for one in result.documents] == [DocumentKind.INVOICE]
    assert {one.depends_on for one in own.documents} == {(result.documents[0].key,)}
    assert memberships(example_a(), settings, NO_RULES) != (day,), "those of the connection's mode are apart"


def test_a_summary_stays_with_the_mode_it_was_made_by() -> None:
    settings = configuration("summary_sales_receipt")
    named = example_a(**OWN)
    assert summary_mode([named], settings, NO_RULES, "summary_sales_order") == "summary_sales_order"
    assert summary_mode([example_a()], settings, NO_RULES, "") == "summary_sales_receipt"
    assert summary_mode([], settings, NO_RULES, "") == "summary_sales_receipt"


def test_a_refund_that_also_lowers_what_is_owed_is_part_of_its_day_where_unpaid_orders_are() -> None:
    back = first_refund(transactions=(refunded("7.66", "x"),))
    source = example_a(tenders=(tender("60.00"),), refunds=(back,), financial_status=FinancialStatus.PARTIALLY_PAID)
    sold = example_a(external_id="9002", ordered_on=REFUND_DAY)
    changes: dict[str, Any] = {"unpaid_in_summary_invoice": True, "merge_refunds": True}
    member = Membership("2026-03-10.USD.all", REFUND_DAY)
    settings = configuration("summary_invoice", **changes)
    assert [one.day for one in memberships(source, settings, NO_RULES)] == [ORDER_DAY, REFUND_DAY]
    (day,) = made(source, sold, mode="summary_invoice", day=member, **changes).documents
    assert day.total == D("77.00") - D("24.66")
