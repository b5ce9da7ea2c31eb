"""Section 15: the worked day, to the cent."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ORDER_DAY,
    D,
    configuration,
    example_a,
    first_refund,
    ledger,
    line,
    mapped,
    order,
    tax,
    tender,
)

from common.messages.control import TransactionMode
from common.messages.orders import FinancialStatus, Lifecycle, Order, OrderDiscount, ShippingLine, TenderKind
from common.messages.transactions import DocumentKind, LineKind, SetOutcome, TransactionSet
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex
from mapper.mapping.orders import NO_RULES
from mapper.mapping.postings import trial_balance
from mapper.mapping.summaries import map_summary, memberships
from mapper.summarising import end_of


def shipping(amount: str) -> tuple[ShippingLine, ...]:
    return (ShippingLine(external_id="s", title="Post", amount=D(amount), discount=D(0)),)


O1 = order(
    external_id="o1",
    number="1",
    lines=(line("l1", "A", "25.00", "2", taxes=(tax("3.13"),)),),
    shipping_lines=shipping("5.00"),
    taxes=(tax("3.13"),),
    tax_total=D("3.13"),
    total=D("58.13"),
    tenders=(tender("58.13"),),
)
O2 = order(
    external_id="o2",
    number="2",
    lines=(
        line("l1", "A", "25.00", taxes=(tax("1.56"),)),
        line("l2", "B", "19.99", taxes=(tax("1.25", "City", None),)),
    ),
    taxes=(tax("1.56"), tax("1.25", "City", None)),
    tax_total=D("2.81"),
    total=D("47.80"),
    tenders=(tender("47.80"),),
)
O3 = order(
    external_id="o3",
    number="3",
    lines=(line("l1", "B", "19.99"),),
    discounts=(OrderDiscount(code="X", amount=D("2.00")),),
    shipping_lines=shipping("5.00"),
    total=D("22.99"),
    tenders=(tender("22.99"),),
)


def summary(*orders: Order, day: date = ORDER_DAY, finished: bool = True, **changes: Any) -> TransactionSet:
    mode = changes.pop("mode", "summary_sales_receipt")
    settings = configuration(mode, **changes)
    (member, *_) = [one for one in memberships(orders[0], settings, NO_RULES) if one.day == day]
    return map_summary(
        member,
        "tenant",
        orders,
        settings,
        NO_RULES,
        Catalog(),
        mode=TransactionMode(mode),
        finished=finished,
    )


@pytest.mark.vector_core
def test_vector_25_a_day_is_one_receipt_and_the_same_again() -> None:
    result = summary(O1, O2, O3)
    (receipt,) = result.documents
    assert receipt.kind is DocumentKind.SALES_RECEIPT
    assert receipt.total == D("128.92")
    names = {item.key: item.name for item in result.items}
    shown = [(names[one.item_key or ""], one.quantity, one.amount) for one in receipt.lines]
    assert shown == [
        ("A", D(3), D("75.00")),
        ("Shipping", None, D("10.00")),
        ("Sales tax", None, D("5.94")),
        ("B", D(2), D("39.98")),
        ("Discount", None, D("-2.00")),
    ]
    assert trial_balance([receipt]) == {
        "UF": D("128.92"),
        "INC": D("-114.98"),
        "SHIP": D("-10.00"),
        "TAX": D("-5.94"),
        "DISC": D("2.00"),
    }
    assert receipt.note == "1, 2, 3"
    assert [one.display_name for one in result.customers] == ["Shopify summary"]
    again = summary(O3, O1, O2)
    assert again.documents == result.documents, "the order of arrival does not matter"


def test_a_day_that_is_not_over_waits() -> None:
    hold = summary(O1, finished=False).documents[0].hold
    assert hold is not None
    assert hold.code == "WAITING_FOR_DAY_END"


def test_orders_of_other_stores_currencies_and_accounts_are_apart() -> None:
    settings = configuration("summary_sales_receipt", deposit_accounts={"wallet": "Wallet"})
    others = [
        O1.model_copy(update={"store_name": "Outlet"}),
        O1.model_copy(update={"currency": "EUR"}),
        O1.model_copy(update={"tenders": (tender("58.13", method="Wallet"),)}),
        O1.model_copy(update={"ordered_on": ORDER_DAY + timedelta(days=1)}),
    ]
    ids = {memberships(one, settings, NO_RULES)[0].summary_id for one in (O1, *others)}
    assert len(ids) == 5


def test_merged_refunds_are_negative_lines_of_their_own_day() -> None:
    source = example_a(refunds=(first_refund(),))
    settings = configuration("summary_sales_receipt", merge_refunds=True)
    assert [one.day for one in memberships(source, settings, NO_RULES)] == [ORDER_DAY, date(2026, 3, 10)]
    later = O1.model_copy(update={"ordered_on": date(2026, 3, 10)})
    result = summary(later, source, day=date(2026, 3, 10), merge_refunds=True)
    (receipt,) = result.documents
    assert receipt.total == D("58.13") - D("24.66")
    back = [one for one in receipt.lines if one.kind is LineKind.PRODUCT and one.amount < 0]
    assert [(one.quantity, one.amount) for one in back] == [(D(-1), D("-25.00"))]


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (None, None, None),
        ("1.10", "1.10", "1.10"),
        ("1.10", None, "1.10"),
        # 58.13 at 1.10 and 22.99 at 1.20 are 91.531 of the home currency for 81.12.
        ("1.10", "1.20", "1.1283407298"),
    ],
)
def test_a_day_in_a_foreign_currency_is_worth_what_its_orders_are(
    first: str | None, second: str | None, wanted: str | None
) -> None:
    def foreign(source: Order, rate: str | None) -> Order:
        paid = tuple(one.model_copy(update={"currency": "EUR"}) for one in source.tenders)
        known = D(rate) if rate else None
        return source.model_copy(update={"currency": "EUR", "tenders": paid, "exchange_rate": known})

    (receipt,) = summary(foreign(O1, first), foreign(O3, second), file=ledger(multi_currency=True)).documents
    assert receipt.exchange_rate == (D(wanted) if wanted else None)
    free = {"lines": (line("l1", "A", "0.00"),), "total": D("0.00"), "tenders": ()}
    nothing = [
        foreign(O1, rate).model_copy(
            update={**free, "taxes": (), "tax_total": D("0.00"), "shipping_lines": (), "external_id": n}
        )
        for n, rate in (("a", first), ("b", second))
    ]
    (receipt,) = summary(*nothing, file=ledger(multi_currency=True)).documents
    assert (receipt.total, receipt.exchange_rate) == (D("0.00"), D(first) if first else None), (
        "free orders weigh nothing"
    )


def test_a_member_that_does_not_add_up_holds_the_summary_and_is_named() -> None:
    result = summary(O1, O2.model_copy(update={"total": D("60.00")}))
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == "TOTALS_MISMATCH"
    assert result.reason.text.startswith("Order 2 of the summary")


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("summary_invoice", DocumentKind.INVOICE), ("summary_sales_order", DocumentKind.SALES_ORDER)],
)
def test_summaries_can_be_invoices_and_sales_orders(mode: str, kind: DocumentKind) -> None:
    (document,) = summary(O1, O2, mode=mode).documents
    assert document.kind is kind
    assert document.total == D("105.93")


def test_a_summary_invoice_takes_unpaid_orders_where_settings_say_so() -> None:
    due = O3.model_copy(update={"tenders": (), "financial_status": FinancialStatus.PENDING})
    part = due.model_copy(update={"tenders": (tender("5.00", method="paypal"),)})
    cancelled = part.model_copy(update={"lifecycle": Lifecycle.CANCELLED})
    usual: dict[str, Any] = {"deposit_accounts": {"paypal": "PayPal"}}
    asked = configuration("summary_invoice", unpaid_in_summary_invoice=True, **usual)

    def codes(one: Order, **changes: Any) -> list[str]:
        found = (mapped(one, settings).reason for settings in (asked, configuration("summary_invoice", **changes)))
        return [reason.code if reason else "" for reason in found]

    assert codes(due, **usual)[0] == codes(part, **usual)[0] == "IN_SUMMARY"
    assert "IN_SUMMARY" not in (codes(due)[1], codes(part)[1], *codes(cancelled))
    assert codes(O3) == ["IN_SUMMARY"] * 2
    receipts = configuration("summary_sales_receipt", unpaid_in_summary_invoice=True)
    assert mapped(due, receipts).reason != mapped(O3, receipts).reason
    (invoice,) = summary(O1, due, mode="summary_invoice", unpaid_in_summary_invoice=True).documents
    assert (invoice.kind, invoice.total) == (DocumentKind.INVOICE, D("81.12"))
    assert trial_balance([invoice])["AR"] == D("81.12")
    same = {memberships(one, asked, NO_RULES)[0].summary_id for one in (O1, due, part, O3)}
    assert len(same) == 1, "it stays in its summary when it is paid, into whatever account"
    other = configuration("summary_sales_receipt", unpaid_in_summary_invoice=True, **usual)
    assert memberships(part, other, NO_RULES) != memberships(O3, other, NO_RULES)
    assert memberships(part, other, NO_RULES, "summary_invoice") == memberships(O3, asked, NO_RULES)


@pytest.mark.parametrize(
    ("zone", "over"),
    [
        ("Europe/Helsinki", datetime(2026, 3, 2, 22, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 3, 3, 8, tzinfo=UTC)),
        ("Nowhere/Land", datetime(2026, 3, 3, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_the_channels_midnight(zone: str, over: datetime) -> None:
    assert end_of(ORDER_DAY, zone) == over


def test_refunds_that_are_not_merged_follow_their_summary() -> None:
    source = example_a(refunds=(first_refund(),))
    settings = configuration("summary_sales_receipt")
    own = mapped(source, settings)
    (refund,) = own.documents
    assert (refund.kind, refund.total) == (DocumentKind.REFUND_RECEIPT, D("24.66"))
    assert refund.depends_on == (summary(source).documents[0].key,)


def test_a_change_after_the_summary_was_written_is_said_and_stays_said() -> None:
    settings = configuration("summary_sales_receipt")
    (day,) = memberships(O1, settings, NO_RULES)

    def made(*members: Order, previous: TransactionSet | None, finished: bool = True) -> TransactionSet:
        mode = TransactionMode.SUMMARY_SALES_RECEIPT
        return map_summary(
            day, "tenant", members, settings, NO_RULES, Catalog(), mode=mode, finished=finished, previous=previous
        )

    waiting = made(O1, previous=None, finished=False)
    first = made(O1, O2, previous=waiting)
    assert first.documents[0].notices == (), "nothing was written while the day went on"
    assert made(O1, O2, previous=first) == first
    changed = made(O2, O3, previous=first)
    (notice,) = changed.documents[0].notices
    assert notice.code == "SUMMARY_CHANGED"
    assert "105.93 USD became 70.79" in notice.text
    assert "Added: 3. Gone: 1." in notice.text
    assert notice.cure
    assert made(O2, O3, previous=changed) == changed


def test_a_day_of_more_orders_than_a_note_holds_names_all_of_them_beside_it() -> None:
    many = [O3.model_copy(update={"external_id": f"x{n:04}", "number": f"SHOP-{n:04}"}) for n in range(1000)]
    numbers = tuple(one.number for one in many)
    (receipt,) = summary(*many).documents
    assert receipt.orders == receipt.orders_of_summary == numbers
    # 11 characters each with what parts them.
    assert receipt.note == ", ".join(numbers[:354]) + " … and 646 more"
    (few,) = summary(*many[:354]).documents
    assert (few.orders, few.orders_of_summary, few.note) == ((), numbers[:354], ", ".join(numbers[:354]))


def test_a_day_of_more_orders_than_a_message_holds_says_how_many_it_left_out() -> None:
    # A message holds a million characters of numbers.
    many = [O3.model_copy(update={"external_id": f"x{n:04}", "number": f"{n:0500}"}) for n in range(2001)]
    (receipt,) = summary(*many).documents
    assert (len(receipt.orders), receipt.orders_left_out) == (2000, 1)


def test_an_order_beyond_the_note_that_joins_or_leaves_a_day_is_named() -> None:
    many = [O3.model_copy(update={"external_id": f"x{n:04}", "number": f"SHOP-{n:04}"}) for n in range(1000)]
    settings = configuration("summary_sales_receipt")
    (day,) = memberships(O3, settings, NO_RULES)

    def made(orders: list[Order], previous: TransactionSet | None = None) -> TransactionSet:
        mode = TransactionMode.SUMMARY_SALES_RECEIPT
        return map_summary(
            day, "tenant", orders, settings, NO_RULES, Catalog(), mode=mode, finished=True, previous=previous
        )

    changed = made(many[1:998] + many[999:], made(many[:999]))
    (notice,) = changed.documents[0].notices
    assert "Added: SHOP-0999. Gone: SHOP-0000, SHOP-0998." in notice.text


def test_the_cost_of_a_summary_is_a_journal_beside_it() -> None:
    items = [
        CatalogItem("1", "A", "A", purchase_cost=D("10.00")),
        CatalogItem("2", "B", "B", item_type="NonInventory", purchase_cost=D("0")),
    ]
    settings = configuration("summary_sales_receipt", summary_costs="journal")
    (day,) = memberships(O1, settings, NO_RULES)

    def made(catalog: Catalog, previous: TransactionSet | None = None) -> TransactionSet:
        mode = TransactionMode.SUMMARY_SALES_RECEIPT
        return map_summary(
            day, "tenant", [O1, O2], settings, NO_RULES, catalog, mode=mode, finished=True, previous=previous
        )

    first = made(Catalog(items=ItemIndex(items)))
    receipt, journal = first.documents
    assert (receipt.orders_of_summary, journal.orders_of_summary) == (("1", "2"), ())
    assert trial_balance([journal]) == {"COGS": D("30.00"), "INV": D("-30.00")}
    assert (journal.kind, journal.depends_on) == (DocumentKind.JOURNAL_ENTRY, (receipt.key,))
    assert [(one.code, one.value) for one in receipt.notices] == [("COGS_UNRELIABLE", "B")]
    dearer = [CatalogItem("1", "A", "A", purchase_cost=D("12.00")), CatalogItem("2", "B", "B", item_type="Inventory")]
    later = made(Catalog(items=ItemIndex(dearer)), first)
    assert trial_balance([later.documents[1]]) == {"COGS": D("30.00"), "INV": D("-30.00")}, "the cost of that day"
    assert [one.code for one in later.documents[0].notices] == []


DAY = {"UF": D("128.92"), "INC": D("-114.98"), "SHIP": D("-10.00"), "TAX": D("-5.94"), "DISC": D("2.00")}


def test_a_day_as_a_journal_entry_is_what_its_receipt_would_be() -> None:
    result = summary(O1, O2, O3, mode="summary_journal_entry")
    (entry,) = result.documents
    assert (entry.kind, entry.ordinal, entry.total) == (DocumentKind.JOURNAL_ENTRY, 0, D("130.92"))
    assert trial_balance([entry]) == DAY == trial_balance(list(summary(O1, O2, O3).documents))
    assert [(one.description, one.amount) for one in entry.lines] == [
        ("Sales", D("-114.98")),
        ("Shipping", D("-10.00")),
        ("Sales tax", D("-5.94")),
        ("Discounts", D("2.00")),
        ("Money received", D("128.92")),
    ]
    assert (entry.customer_key, entry.deposit_to, entry.receivable) == (None, None, None)
    assert (result.customers, result.items) == ((), ())
    assert (entry.note, entry.orders_of_summary) == ("1, 2, 3", ("1", "2", "3"))
    waiting = summary(O1, O2, O3, mode="summary_journal_entry", finished=False)
    assert [one.hold.code if one.hold else None for one in waiting.documents] == ["WAITING_FOR_DAY_END"]


def test_a_journal_entry_asks_for_no_items_and_takes_a_day_that_lost_money() -> None:
    stop = {"missing": "stop_and_queue"}
    held = summary(O1, products=stop)
    assert held.outcome is SetOutcome.HELD
    (entry,) = summary(O1, mode="summary_journal_entry", products=stop).documents
    assert trial_balance([entry])["UF"] == D("58.13")
    lost = O1.model_copy(update={"refunds": (first_refund(refunded_on=ORDER_DAY + timedelta(days=1)),)})
    (loss,) = summary(
        lost, mode="summary_journal_entry", merge_refunds=True, day=ORDER_DAY + timedelta(days=1)
    ).documents
    assert trial_balance([loss])["UF"] == D("-24.66")
    assert sum(one.amount for one in loss.lines) == 0


def test_a_day_of_nothing_is_no_journal_entry() -> None:
    free = O3.model_copy(
        update={
            "lines": (line("l1", "B", "0.00"),),
            "discounts": (),
            "shipping_lines": (),
            "total": D(0),
            "tenders": (),
        }
    )
    assert [one.total for one in summary(free).documents] == [D(0)]
    assert summary(free, mode="summary_journal_entry").documents == ()


def test_refunds_follow_the_journal_entry_of_their_day() -> None:
    settings = configuration("summary_journal_entry")
    refunded = mapped(O1.model_copy(update={"refunds": (first_refund(),)}), settings)
    (entry,) = summary(O1, mode="summary_journal_entry").documents
    assert [one.depends_on for one in refunded.documents] == [(entry.key,)]


def test_the_costs_of_a_journal_entry_are_a_second_one() -> None:
    settings = configuration("summary_journal_entry", summary_costs="journal")
    known = [CatalogItem("1", "A", "A", purchase_cost=D("10.00")), CatalogItem("2", "B", "B", purchase_cost=D("8.50"))]
    (member,) = memberships(O1, settings, NO_RULES)
    result = map_summary(
        member, "tenant", (O1, O2, O3), settings, NO_RULES, Catalog(items=ItemIndex(known)),
        mode=TransactionMode.SUMMARY_JOURNAL_ENTRY, finished=True,
    )  # fmt: skip
    day, costs = result.documents
    assert trial_balance([costs]) == {"COGS": D("47.00"), "INV": D("-47.00")}
    assert (day.key != costs.key, costs.ordinal, costs.depends_on) == (True, 1, (day.key,))
    assert costs.orders_of_summary == ()


@pytest.mark.parametrize(
    ("mode", "costs", "missing"),
    [("summary_sales_receipt", [], []), ("summary_journal_entry", [D("30.00")], ["B"])],
)
def test_no_ledger_books_what_the_stock_of_a_journal_entry_cost(
    mode: str, costs: list[Decimal], missing: list[str]
) -> None:
    settings = configuration(mode, summary_costs="journal")
    stock = [CatalogItem("1", "A", "A", item_type="Inventory", purchase_cost=D("10.00"))]
    stock.append(CatalogItem("2", "B", "B", item_type="Inventory"))
    (member,) = memberships(O1, settings, NO_RULES)
    day, *journals = map_summary(
        member, "tenant", (O1, O2, O3), settings, NO_RULES, Catalog(items=ItemIndex(stock)),
        mode=TransactionMode(mode), finished=True,
    ).documents  # fmt: skip
    assert [trial_balance([one])["COGS"] for one in journals] == costs
    assert [one.value for one in day.notices if one.code == "COGS_UNRELIABLE"] == missing


def test_a_journal_entry_names_the_money_only_where_there_was_any() -> None:
    by_card = O1.model_copy(update={"tenders": (tender("58.13", kind=TenderKind.GIFT_CARD),)})
    (entry,) = summary(by_card, mode="summary_journal_entry").documents
    assert trial_balance([entry]) == {"GIFT": D("58.13"), "INC": D("-50.00"), "SHIP": D("-5.00"), "TAX": D("-3.13")}
    assert "Money received" not in [one.description for one in entry.lines]
    cents = O3.model_copy(
        update={
            "discounts": (OrderDiscount(code="X", amount=D("0.40")),),
            "total": D("24.59"),
            "tenders": (tender("24.59"),),
        }
    )
    (small,) = summary(cents, mode="summary_journal_entry").documents
    assert small.total == D("24.99"), "debits of less than one count too"
