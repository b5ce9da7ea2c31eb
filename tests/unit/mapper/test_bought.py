"""Purchase feeds: what was bought as a purchase order, a bill or an expense, cell by cell (sections 5 and 6)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ALL_CAPABILITIES,
    NOON,
    D,
    company,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    line,
    mapped,
    only,
    order,
    refunded,
    tax,
    tender,
)
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.control import TransactionMode
from common.messages.orders import (
    Direction,
    FinancialStatus,
    FulfillmentStatus,
    Lifecycle,
    Order,
    OrderDiscount,
    ShippingLine,
    Surcharge,
)
from common.messages.transactions import (
    Account,
    AccountRole,
    Document,
    DocumentKind,
    LineKind,
    SetOutcome,
    TransactionSet,
)
from mapper.mapping.catalog import Catalog, CatalogItem, ItemIndex
from mapper.mapping.history import History
from mapper.mapping.modes import PURCHASE_FEEDS
from mapper.mapping.postings import trial_balance

MODES = ("purchase_orders", "bills", "purchase_orders_bills", "expenses")
ITEMS = Catalog(
    items=ItemIndex(
        [
            CatalogItem("1", "HAMMER", "HAMMER", item_type="Inventory", purchase_cost=D("10.00")),
            CatalogItem("2", "NAILS", "NAILS", item_type="NonInventory", details={"expense_account": "Job Materials"}),
            CatalogItem("3", "TAPE", "TAPE", item_type="Service"),
        ]
    )
)


def bought(**changes: Any) -> Order:
    """Purchase PO-7 of Forge: 4 × 10.00 + 3 × 8.50, freight 6.00, tax 2.00 = 73.50; not paid, terms NET 30."""
    values: dict[str, Any] = {
        "direction": Direction.PURCHASE,
        "vendor_name": "Forge",
        "external_id": "purchase:77",
        "number": "PO-7",
        "financial_status": FinancialStatus.PENDING,
        "customer": None,
        "billing_address": None,
        "terms": "NET 30",
        "reference_number": "F-2026-9",
        "lines": (line("l1", "HAMMER", "10.00", "4"), line("l2", "NAILS", "8.50", "3", taxes=(tax("2.00"),))),
        "shipping_lines": (ShippingLine(external_id="s1", title="Freight", amount=D("6.00"), discount=D("0.00")),),
        "taxes": (tax("2.00"),),
        "tax_total": D("2.00"),
        "total": D("73.50"),
    }
    return order(**(values | changes))


SITUATIONS: dict[str, dict[str, Any]] = {
    "unpaid": {},
    "partly paid": {"tenders": (tender("20.00"),), "financial_status": FinancialStatus.PARTIALLY_PAID},
    "paid": {"tenders": (tender("73.50"),), "financial_status": FinancialStatus.PAID},
    "zero": {
        "lines": (line("l1", "HAMMER", "0.00"),),
        "shipping_lines": (),
        "taxes": (),
        "tax_total": D("0.00"),
        "total": D("0.00"),
    },
    "cancelled unpaid": {"lifecycle": Lifecycle.CANCELLED},
    "cancelled paid": {"lifecycle": Lifecycle.CANCELLED, "tenders": (tender("73.50"),)},
}
BOOKED = {
    "purchase_orders": ["purchase_order"],
    "bills": ["bill"],
    "purchase_orders_bills": ["purchase_order", "bill"],
    "expenses": ["expense"],
}
CANCELLED = {
    "purchase_orders": ["purchase_order closed"],
    "bills": ["bill void"],
    "purchase_orders_bills": ["purchase_order closed", "bill void"],
    "expenses": ["expense void"],
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_cell_gives_its_documents(mode: str, situation: str) -> None:
    result = booked(bought(**SITUATIONS[situation]), mode)
    wanted = [] if situation == "zero" else CANCELLED[mode] if "cancelled" in situation else BOOKED[mode]
    assert (result.outcome, kinds(result)) == (SetOutcome.MAPPED, wanted)
    assert result.customers == ()
    assert result.kept_mode == mode
    assert {one.hold for one in result.documents} <= {None}


def test_the_four_modes_are_the_feeds_of_purchases() -> None:
    assert {mode.value for mode in PURCHASE_FEEDS} == set(MODES)


def test_a_purchase_of_nothing_says_that_nothing_is_written() -> None:
    result = booked(bought(**SITUATIONS["zero"]), "bills")
    assert result.reason is not None
    assert result.reason.code == "NO_DOCUMENTS"


def test_a_bill_debits_stock_and_cost_and_credits_the_payable() -> None:
    result = booked(bought(), "bills")
    bill = only(result, DocumentKind.BILL)
    assert trial_balance([bill]) == {"INV": D("40.00"), "COGS": D("33.50"), "AP": D("-73.50")}
    assert [(one.kind, one.amount, one.account.name, one.description) for one in bill.lines] == [
        (LineKind.PRODUCT, D("40.00"), "Account INV", "Product HAMMER"),
        (LineKind.PRODUCT, D("25.50"), "Job Materials", "Product NAILS"),
        (LineKind.SHIPPING, D("6.00"), "Account COGS", "Freight"),
        (LineKind.TAX, D("2.00"), "Account COGS", "State tax"),
    ]
    assert [(one.quantity, one.unit_price, one.source_line_id) for one in bill.lines[:2]] == [
        (D(4), D("10.00"), "l1"),
        (D(3), D("8.50"), "l2"),
    ]
    assert [one.item_key is not None for one in bill.lines] == [True, True, False, False]
    assert (bill.number, bill.memo_number, bill.reference, bill.terms) == ("PO-7", "PO-7", "F-2026-9", "NET 30")
    assert (bill.date, bill.due_date) == (date(2026, 3, 2), date(2026, 4, 1))
    assert (bill.closes, bill.depends_on, bill.taxes, bill.deposit_to) == ((), (), (), None)
    assert (bill.source_kind, bill.source_id) == ("order", "purchase:77")
    assert [(one.key, one.display_name) for one in result.vendors] == [(bill.customer_key, "Forge")]


def test_an_expense_is_paid_from_the_bank_and_needs_no_vendor() -> None:
    expense = only(booked(bought(vendor_name=" "), "expenses"), DocumentKind.EXPENSE)
    assert trial_balance([expense]) == {"INV": D("40.00"), "COGS": D("33.50"), "BANK": D("-73.50")}
    assert (expense.customer_key, expense.hold) == (None, None)
    assert (expense.payment_method, expense.reference, expense.number) == ("", "F-2026-9", "PO-7")
    assert expense.receivable is None
    paid_to = booked(bought(), "expenses")
    assert only(paid_to, DocumentKind.EXPENSE).customer_key == paid_to.vendors[0].key


def test_an_expense_is_paid_from_the_account_of_its_largest_payment() -> None:
    paid = bought(
        tenders=(tender("20.00", "t1", method="cash", reference="c"), tender("53.50", "t2", method="Amex")),
        financial_status=FinancialStatus.PAID,
    )
    by_method: dict[str, Any] = {
        "deposit_accounts": {"amex": "Amex Card"},
        "payment_methods": {"amex": "American Express"},
    }
    for settings, account in (
        (by_method, Account(role=AccountRole.CLEARING, name="Amex Card", qualifier="Amex")),
        (
            by_method | {"deposit_accounts": {}, "deposit_account": "Petty Cash"},
            Account(role=AccountRole.CLEARING, name="Petty Cash", qualifier="Amex"),
        ),
    ):
        expense = only(booked(paid, "expenses", **settings), DocumentKind.EXPENSE)
        assert (expense.deposit_to, expense.payment_method) == (account, "American Express")
        assert expense.reference == "ch_t2"
    by_rule = compiled(rule("map_deposit_account", "Company Card"), rule("map_payment_method", "Company"))
    expense = only(mapped(paid, configuration("expenses", **by_method), ITEMS, rules=by_rule), DocumentKind.EXPENSE)
    assert expense.deposit_to == Account(role=AccountRole.CLEARING, name="Company Card", qualifier="Amex")
    assert expense.payment_method == "Company"


def test_a_bill_closes_the_purchase_order_that_stands_before_it() -> None:
    result = booked(bought(), "purchase_orders_bills")
    ordered, bill = result.documents
    assert (bill.closes, bill.depends_on) == ((ordered.key,), (ordered.key,))
    assert ordered.key != bill.key
    assert (ordered.total, ordered.number, ordered.hold) == (D("73.50"), "PO-7", None)
    assert trial_balance([ordered]) == {}
    assert [one.item_key for one in ordered.lines] == [one.item_key for one in bill.lines]
    assert ordered.customer_key == bill.customer_key == result.vendors[0].key


def test_a_purchase_order_has_its_number_where_the_ledger_numbers_bills() -> None:
    ordered, bill = booked(bought(), "purchase_orders_bills", numbers={"policy": "next"}).documents
    assert (ordered.number, bill.number, bill.memo_number) == ("PO-7", None, "PO-7")


def test_a_rule_keeps_the_bill_back_until_the_goods_are_in() -> None:
    waits = compiled(rule("do_not_create_invoice", "", ("fulfillment_status", "is_not", "fulfilled")))
    result = mapped(bought(), configuration("purchase_orders_bills"), ITEMS, rules=waits)
    assert (kinds(result), result.reason) == (["purchase_order"], None)


def test_a_bill_that_may_be_written_stays_though_its_rule_would_keep_it_back_now() -> None:
    waits = compiled(rule("do_not_create_invoice", "", ("fulfillment_status", "is_not", "fulfilled")))
    settings = configuration("bills", books=company(approved_at=NOON))
    billed = mapped(bought(fulfillment_status=FulfillmentStatus.FULFILLED), settings, ITEMS, rules=waits)
    assert kinds(billed) == ["bill"]
    back = bought(fulfillment_status=FulfillmentStatus.PARTIAL)
    assert mapped(back, settings, ITEMS, History.of(billed), rules=waits).documents == billed.documents
    unapproved = configuration("bills")
    waiting = mapped(back, unapproved, ITEMS, History.of(billed), rules=waits)
    assert waiting.documents == ()
    assert waiting.reason is not None
    name = waits.apply(back)[1].no_invoice_by
    assert (waiting.reason.code, waiting.reason.field, waiting.reason.value) == ("NO_DOCUMENTS", "rules", name)
    assert waiting.reason.text.startswith(f"The rule {name!r} keeps the bill back")
    given_up = mapped(bought(lifecycle=Lifecycle.CANCELLED), unapproved, ITEMS, rules=waits)
    assert (kinds(given_up), given_up.reason) == (["bill void"], None)


def test_only_the_bill_of_a_purchase_that_waits_for_nothing_may_be_written() -> None:
    assert History.of(booked(bought(), "bills")).invoiced
    assert not History.of(booked(bought(), "purchase_orders")).invoiced
    assert not History.of(booked(bought(vendor_name=""), "bills")).invoiced
    assert not History.of(booked(bought(lifecycle=Lifecycle.CANCELLED), "bills")).invoiced
    of_fee = mapped(example_a(merchant_fee=D("2.53")), configuration(fees={"on_order": "bill", "payee": "Stripe"}))
    assert kinds(of_fee) == ["sales_receipt", "bill"]
    assert not History.of(of_fee).invoiced


@pytest.mark.parametrize("mode", ["purchase_orders", "bills"])
def test_what_was_bought_from_nobody_waits_for_a_vendor(mode: str) -> None:
    for document in booked(bought(vendor_name=""), mode).documents:
        assert document.hold is not None
        assert (document.hold.code, document.hold.field, document.hold.value) == ("VENDOR_MISSING", "vendor_name", "")
        assert document.customer_key is None
    named = compiled(rule("map_customer_name", "Forge & Sons"))
    result = mapped(bought(vendor_name=""), configuration(mode), ITEMS, rules=named)
    assert [one.display_name for one in result.vendors] == ["Forge & Sons"]
    assert result.documents[0].hold is None


def test_a_vendor_is_only_made_where_customers_may_be() -> None:
    vendors = booked(bought(), "bills", customers={"missing": "stop"}).vendors
    assert [one.missing.value for one in vendors] == ["stop"]


def test_a_rule_names_the_account_of_every_line_and_no_product_is_needed() -> None:
    by_rule = compiled(rule("map_bill_expense_account", "Office Supplies"))
    settings = configuration("purchase_orders_bills", products={"missing": "stop_and_queue"})
    result = mapped(bought(), settings, ITEMS, rules=by_rule)
    ordered, bill = result.documents
    assert {one.account.name for one in bill.lines} == {"Office Supplies"}
    assert {one.account.role for one in bill.lines} == {AccountRole.COST_OF_GOODS}
    assert [one.item_key for one in bill.lines] == [None] * 4
    assert [one.item_key is not None for one in ordered.lines] == [True, True, False, False]
    unknown = bought(lines=(line("l1", "", "65.50"),), taxes=(), tax_total=D("2.00"))
    for mode, held in (("bills", None), ("expenses", None), ("purchase_orders", "PRODUCT_MISSING")):
        (document,) = mapped(
            unknown, configuration(mode, products={"missing": "stop_and_queue"}), ITEMS, rules=by_rule
        ).documents
        assert (document.hold.code if document.hold else None) == held


@pytest.mark.parametrize(("method", "account"), [("inclusive", "TAX"), ("tax_codes", "COGS"), ("none", "COGS")])
def test_tax_is_a_cost_unless_it_comes_back(method: str, account: str) -> None:
    bill = only(booked(bought(), "bills", tax={"method": method, "non_taxable_code": "NON"}), DocumentKind.BILL)
    assert [one.account.role.value for one in bill.lines if one.kind is LineKind.TAX] == [account]
    assert {one.tax_code for one in bill.lines} == {"NON"}
    assert bill.taxes == ()


def test_discounts_charges_and_tips_are_cost_as_well() -> None:
    more = bought(
        discounts=(OrderDiscount(code="", title="Trade", amount=D("5.00")),),
        surcharges=(Surcharge(external_id="f", title="", amount=D("1.50")),),
        tips=D("1.00"),
        total=D("71.00"),
    )
    bill = only(booked(more, "bills"), DocumentKind.BILL)
    assert [(one.kind, one.amount, one.description) for one in bill.lines[3:6]] == [
        (LineKind.DISCOUNT, D("-5.00"), "Trade"),
        (LineKind.SURCHARGE, D("1.50"), "Surcharge"),
        (LineKind.SURCHARGE, D("1.00"), "Tip"),
    ]
    assert trial_balance([bill]) == {"INV": D("40.00"), "COGS": D("31.00"), "AP": D("-71.00")}


def test_lines_say_what_they_are_of() -> None:
    hammers = line(
        "l1",
        "HAMMER",
        "10.00",
        "4",
        description="Claw hammers",
        class_name="Tools",
        site="North",
        uom="each",
        ship_date=date(2026, 3, 4),
    )
    nails = line("l2", "NAILS", "8.333", "3", amount=D("25.00"))
    bill = only(booked(bought(lines=(hammers, nails), total=D("73.00")), "bills", site="South"), DocumentKind.BILL)
    assert [
        (one.description, one.class_name, one.site, one.uom, one.service_date, one.unit_price) for one in bill.lines[:2]
    ] == [
        ("Claw hammers", "Tools", "North", "each", date(2026, 3, 4), D("10.00")),
        ("Product NAILS", "", "South", "", None, D("8.333")),
    ]


@pytest.mark.parametrize(
    ("title", "method", "code", "name", "shown"),
    [
        ("Freight", "Truck", "T5", "Trade", ["Freight", "T5"]),
        ("", "Truck", "", "Trade", ["Truck", "Trade"]),
        ("", "", "", "", ["Shipping", "Discount"]),
    ],
)
def test_charges_are_called_as_the_store_calls_them(
    title: str, method: str, code: str, name: str, shown: list[str]
) -> None:
    source = bought(
        shipping_lines=(ShippingLine(external_id="s1", title=title, amount=D("6.00"), discount=D("0.00")),),
        ship_method=method,
        discounts=(OrderDiscount(code=code, title=name, amount=D("1.00")),),
        total=D("72.50"),
    )
    bill = only(booked(source, "bills"), DocumentKind.BILL)
    assert [one.description for one in bill.lines[2:4]] == shown


def test_a_cent_of_rounding_is_a_line_and_more_is_refused() -> None:
    bill = only(booked(bought(total=D("73.51")), "bills"), DocumentKind.BILL)
    last = bill.lines[-1]
    assert (last.kind, last.amount, last.account.role, last.item_key) == (
        LineKind.ROUNDING,
        D("0.01"),
        AccountRole.ROUNDING,
        None,
    )
    assert [one.code for one in bill.notices] == ["ROUNDING_ADDED"]
    result = booked(bought(total=D("74.50")), "bills")
    assert (result.outcome, result.documents) == (SetOutcome.HELD, ())
    assert result.reason is not None
    assert result.reason.code == "TOTALS_MISMATCH"
    assert result.reason.text.startswith("The purchase says 74.50 USD, its parts add up to 73.50 USD")


def test_a_purchase_makes_an_item_with_its_cost_and_no_price() -> None:
    (made,) = booked(bought(lines=(line("l1", "SAW", "65.50"),), taxes=(), tax_total=D("2.00")), "bills").items
    assert (made.name, made.unit_price, made.purchase_cost, made.taxable) == ("SAW", None, D("65.50"), True)
    sold = mapped(example_a(), configuration("sales_receipts")).items
    assert {one.purchase_cost for one in sold} == {None}


def test_one_item_of_a_sale_and_a_purchase_is_known_apart() -> None:
    settings = configuration("bills")
    both = [
        mapped(source, settings).items
        for source in (
            bought(lines=(line("l1", "SAW", "65.50"),), taxes=(), tax_total=D("2.00")),
            example_a(lines=(line("l1", "SAW", "65.50"),), invoice_mode="invoices_only", total=D("72.51")),
        )
    ]
    prices = [[(one.unit_price, one.purchase_cost) for one in items if one.name == "SAW"] for items in both]
    assert prices == [[(None, D("65.50"))], [(D("65.50"), None)]]


def test_stock_that_is_made_goes_to_inventory() -> None:
    source = bought(lines=(line("l1", "SAW", "65.50"),), taxes=(), tax_total=D("2.00"))
    bill = only(booked(source, "bills", products={"missing": "create_inventory"}), DocumentKind.BILL)
    assert bill.lines[0].account.role is AccountRole.INVENTORY
    service = bought(lines=(line("l1", "TAPE", "65.50"),), taxes=(), tax_total=D("2.00"))
    assert only(booked(service, "bills"), DocumentKind.BILL).lines[0].account.name == "Account COGS"


def test_a_product_that_is_missing_holds_the_purchase() -> None:
    result = booked(
        bought(lines=(line("l1", "SAW", "65.50"),), taxes=()), "bills", products={"missing": "stop_and_queue"}
    )
    (bill,) = result.documents
    assert bill.hold is not None
    assert bill.hold.code == "PRODUCT_MISSING"


@pytest.mark.parametrize(("amount", "said"), [("24.66", ["24.66"]), ("0.50", ["0.50"]), ("0.00", [])])
def test_what_a_vendor_gave_back_is_said_and_not_booked(amount: str, said: list[str]) -> None:
    back = first_refund(lines=(), tax=D("0.00"), transactions=(refunded(amount, "rt1"),))
    bill = only(booked(bought(tenders=(tender("73.50"),), refunds=(back,)), "bills"), DocumentKind.BILL)
    assert [(one.code, one.field, one.value, one.text.split(";")[0]) for one in bill.notices] == [
        ("PURCHASE_REFUND_NOT_BOOKED", "refunds", value, f"The vendor gave {value} USD back") for value in said
    ]
    assert bill.total == D("73.50")


@pytest.mark.parametrize(
    "mode", [mode for mode in TransactionMode if mode.value not in MODES and mode is not TransactionMode.NONE]
)
def test_a_mode_of_sales_books_no_purchase_and_says_so(mode: TransactionMode) -> None:
    result = booked(bought(), mode.value)
    assert (result.outcome, result.documents) == (SetOutcome.FILTERED, ())
    assert result.reason is not None
    assert (result.reason.code, result.reason.field, result.reason.value) == ("PURCHASE_NOT_BOOKED", "mode", mode.value)
    assert "map_transaction_type" in result.reason.cure


def test_a_rule_or_the_purchase_itself_chooses_its_mode() -> None:
    feed = compiled(rule("map_transaction_type", "bills", ("direction", "equals", "purchase")))
    settings = configuration("invoices_only")
    assert kinds(mapped(bought(), settings, ITEMS, rules=feed)) == ["bill"]
    assert kinds(mapped(example_a(), settings, ITEMS, rules=feed)) == ["invoice"]
    by_vendor = compiled(rule("map_transaction_type", "expenses", ("vendor_name", "equals", "forge")))
    assert kinds(mapped(bought(), settings, ITEMS, rules=by_vendor)) == ["expense"]
    assert kinds(mapped(bought(invoice_mode="purchase_orders"), settings, ITEMS)) == ["purchase_order"]


@pytest.mark.parametrize("mode", MODES)
def test_a_sale_is_in_no_feed_of_purchases(mode: str) -> None:
    result = booked(example_a(), mode)
    assert (result.outcome, result.documents) == (SetOutcome.HELD, ())
    assert result.reason is not None
    assert (result.reason.code, result.reason.value) == ("MODE_NOT_SUPPORTED", mode)


def test_a_ledger_without_purchase_orders_says_so() -> None:
    file = ledger(capabilities=ALL_CAPABILITIES - {"purchase_order"})
    result = mapped(bought(), configuration("purchase_orders_bills", file=file), ITEMS)
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert (result.reason.code, result.reason.field, result.reason.value) == (
        "MODE_NOT_SUPPORTED",
        "mode",
        "purchase_orders",
    )
    assert (result.reason.text, result.reason.cure) == (
        "The mode purchase_orders can't be used here: the ledger has no purchase orders.",
        "Choose bills or expenses for purchases.",
    )


def test_an_account_that_is_not_set_is_named() -> None:
    books = company(
        accounts={role: name for role, name in company().accounts.items() if role is not AccountRole.PAYABLE}
    )
    result = mapped(bought(), configuration("bills", books=books), ITEMS)
    assert result.reason is not None
    assert (result.reason.code, result.reason.field) == ("ACCOUNT_MISSING", "accounts.AP")


@pytest.mark.parametrize("mode", MODES)
def test_mapping_a_purchase_again_changes_nothing(mode: str) -> None:
    first = booked(bought(), mode)
    again = mapped(bought(), configuration(mode), ITEMS, History.of(first))
    assert again == first
    approved = company(approved_at=NOON)
    later = configuration("expenses" if mode == "bills" else "bills", books=approved)
    other = mapped(bought(), later, ITEMS, History.of(first))
    assert kinds(other) == kinds(first), "what was written by one mode stays with it"


def test_a_purchase_and_an_order_of_one_number_share_no_document() -> None:
    settings = configuration("bills")
    keys: set[str] = set()
    sold = example_a(external_id="77", number="PO-7", invoice_mode="sales_orders_invoices_po")
    for source in (bought(), bought(invoice_mode="purchase_orders_bills"), bought(invoice_mode="expenses"), sold):
        keys |= {one.key for one in mapped(source, settings, ITEMS).documents}
    assert len(keys) == 6, "the bill is one, whichever mode makes it"


def booked(source: Order, mode: str, **settings: Any) -> TransactionSet:
    result = mapped(source, configuration(mode, **settings), ITEMS)
    for document in result.documents:
        assert balances(document), document
    return result


def balances(document: Document) -> bool:
    posted = sum(trial_balance([document]).values(), Decimal(0))
    return posted == 0 and sum((one.amount for one in document.lines), Decimal(0)) == document.total
