"""Payments over several invoices, cents too much, where rules send money and what they call it (section 8)."""

from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
    D,
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
    tender,
)
from tests.unit.mapper.test_rules import compiled, rule
from tests.unit.mapper.test_shipments import MODE, RULES, shipped

from common.messages.orders import FinancialStatus, FulfillmentStatus, Order, TenderKind
from common.messages.transactions import AccountRole, DocumentKind, LineKind, SetOutcome, TransactionSet
from mapper.mapping.configuration import Ledger
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.postings import trial_balance

INVOICES = "invoices_payments_if_paid"
GIFT = TenderKind.GIFT_CARD


def in_two_shipments(source: Order, first: dict[str, str], **changes: Any) -> TransactionSet:
    settings = configuration(MODE, **changes)
    part = shipped(source, FulfillmentStatus.PARTIAL, **first)
    history = History.of(mapped(part, settings, rules=RULES, history=FIRST_TIME))
    whole = {one.external_id: str(one.quantity) for one in source.lines}
    return mapped(shipped(source, FulfillmentStatus.FULFILLED, **whole), settings, rules=RULES, history=history)


def applied(result: TransactionSet) -> list[list[tuple[str | None, str]]]:
    """Of each payment, the number of each invoice that it pays for, and how much."""
    numbers = {one.key: one.number for one in result.documents}
    return [
        [(numbers[part.document_key], str(part.amount)) for part in one.applications]
        for one in result.documents
        if one.kind is DocumentKind.PAYMENT
    ]


def of_two_parts(*tenders: Any) -> Order:
    lines = (line("l1", "A", "0.60"), line("l2", "B", "20.00"), line("l3", "C", "10.00"))
    return order(lines=lines, total=D("30.60"), tenders=tenders)


def test_payments_fill_the_invoices_of_an_order_in_turn_and_each_only_once() -> None:
    source = of_two_parts(tender("0.35", "t1"), tender("15.00", "t2"), tender("15.25", "t3"))
    result = in_two_shipments(source, {"l1": "1"})
    assert kinds(result) == ["sales_order", "invoice", "invoice", "payment", "payment", "payment"]
    assert applied(result) == [[("1001", "0.35")], [("1001", "0.25"), ("1001-1", "14.75")], [("1001-1", "15.25")]]
    assert "AR" not in trial_balance(list(result.documents))


def test_a_gift_card_pays_part_invoices_as_a_tender_of_its_own() -> None:
    source = of_two_parts(tender("10.60", "g", kind=GIFT), tender("20.00", "t2"))
    result = in_two_shipments(source, {"l1": "1", "l3": "1"})
    assert applied(result) == [[("1001", "10.60")], [("1001-1", "20.00")]]
    assert trial_balance(list(result.documents)) == {"GIFT": D("10.60"), "UF": D("20.00"), "INC": D("-30.60")}


@pytest.mark.parametrize("paid", ["77.01", "77.50", "78.00"])
def test_cents_paid_too_much_are_a_tip_where_settings_say_so(paid: str) -> None:
    result = mapped(example_a(tenders=(tender(paid),)), configuration(INVOICES, overpayment_policy="tip"))
    invoice = only(result, DocumentKind.INVOICE)
    assert invoice.total == D(paid)
    assert [one.amount for one in invoice.lines if one.kind is LineKind.TIP] == [D(paid) - D("77.00")]


def test_only_more_than_the_total_stops_an_order() -> None:
    settings = configuration(INVOICES, overpayment_policy="stop")
    assert mapped(example_a(), settings).outcome is SetOutcome.MAPPED
    over = mapped(example_a(tenders=(tender("77.01"),)), settings)
    assert over.outcome is SetOutcome.HELD


def test_a_payment_pays_no_more_than_goods_taken_off_have_left_to_pay() -> None:
    taken_off = {"refunds": (first_refund(transactions=()),), "financial_status": FinancialStatus.PARTIALLY_PAID}
    result = mapped(example_a(tenders=(tender("52.34"),), **taken_off), configuration(INVOICES))
    assert [(one.kind.value, str(part.amount)) for one in result.documents for part in one.applications] == [
        ("payment", "52.34"),
        ("credit_memo", "24.66"),
    ]
    part = mapped(
        example_a(tenders=(tender("30.00", "t1"), tender("22.33", "t2")), **taken_off), configuration(INVOICES)
    )
    assert trial_balance(list(part.documents))["AR"] == D("0.01")


NO_RECEIPTS = ledger(capabilities=ALL_CAPABILITIES - {"refund_receipt"})
BY_CARD = ("payment_method", "equals", "card")
RULES_OF_CARDS = compiled(rule("map_payment_method", "Plastic", BY_CARD), rule("map_deposit_account", "Cards", BY_CARD))


def moved(result: TransactionSet) -> list[tuple[str, str, str]]:
    """Kind, account and method of every document that moves money."""
    return [
        (one.kind.value, one.deposit_to.name, one.payment_method)
        for one in result.documents
        if one.deposit_to is not None
    ]


@pytest.mark.parametrize(
    ("file", "back"), [(None, "refund_receipt"), (NO_RECEIPTS, "refund_payment")], ids=["receipts", "memos"]
)
def test_rules_of_a_payment_hold_for_the_money_that_goes_back(file: Ledger | None, back: str) -> None:
    settings = configuration(INVOICES, file=file)
    source = example_a(refunds=(first_refund(),))
    result = mapped(source, settings, rules=RULES_OF_CARDS)
    assert moved(result) == [("payment", "Cards", "Plastic"), (back, "Cards", "Plastic")]
    elsewhere = first_refund(transactions=(refunded("24.66", "rt1", method="cash", tender_external_id=None),))
    result = mapped(example_a(refunds=(elsewhere,)), settings, rules=RULES_OF_CARDS)
    assert moved(result)[1:] == [(back, ACCOUNTS[AccountRole.UNDEPOSITED_FUNDS], "cash")]


def test_rules_name_account_and_method_of_receipts_and_the_accounts_of_a_warning() -> None:
    source = example_a(tenders=(tender("40.00", "t1"), tender("37.00", "t2", method="wallet")))
    result = mapped(source, configuration("sales_receipts"), rules=RULES_OF_CARDS)
    assert moved(result) == [("sales_receipt", "Cards", "Plastic")]
    (mixed,) = result.documents[0].notices
    assert mixed.code == "MIXED_TENDERS"
    assert f"({ACCOUNTS[AccountRole.UNDEPOSITED_FUNDS]}, Cards)" in mixed.text


def test_money_that_goes_back_to_two_accounts_leaves_each_of_them() -> None:
    tenders = (tender("40.00", "t1"), tender("37.00", "t2", method="wallet"))
    back = first_refund(
        transactions=(refunded("14.66", "rt1"), refunded("10.00", "rt2", method="wallet", tender_external_id="t2"))
    )
    source = example_a(tenders=tenders, refunds=(back,))
    settings = configuration(INVOICES, deposit_accounts={"wallet": "Wallet"})
    assert kinds(mapped(source, settings))[3:] == ["credit_memo", "refund_payment", "refund_payment"]
    assert [name for _, name, _ in moved(mapped(source, settings))][2:] == ["Account UF", "Wallet"]
    card = first_refund(
        transactions=(refunded("14.66", "rt1"), refunded("10.00", "rt2", kind=GIFT, tender_external_id="t2"))
    )
    gifted = example_a(tenders=(tenders[0], tender("37.00", "t2", kind=GIFT)), refunds=(card,))
    assert kinds(mapped(gifted, settings))[3:] == ["refund_receipt"], "a gift card is no second account"


def unapplied(*transactions: Any) -> list[tuple[str, str]]:
    """Of each refund of unapplied payments: the tender that it goes back to, and how much."""
    tenders = (tender("40.00", "t1"), tender("30.00", "t2"), tender("7.00", "g", kind=GIFT))
    back = first_refund(lines=(), tax=D("0.00"), transactions=transactions)
    result = mapped(example_a(tenders=tenders, refunds=(back,)), configuration("sales_orders_payments_if_paid"))
    paid = {one.key: one.source_id for one in result.documents if one.kind is DocumentKind.PAYMENT}
    return [
        (paid[part.document_key], str(part.amount))
        for one in result.documents
        if one.kind is DocumentKind.REFUND_PAYMENT
        for part in one.applications
    ]


def test_money_that_was_never_applied_goes_back_to_the_payment_it_came_by() -> None:
    assert unapplied(refunded("10.00", "r", tender_external_id="t2")) == [("t2", "10.00")]
    assert unapplied(refunded("10.00", "r", tender_external_id=None)) == [("t1", "10.00")]
    card = refunded("7.00", "c", kind=GIFT, tender_external_id="g")
    nothing = refunded("0.00", "n", tender_external_id="t1")
    assert unapplied(card, nothing, refunded("10.00", "r", tender_external_id="t2")) == [("t2", "10.00")]
    assert unapplied(refunded("5.00", "x", kind=GIFT, tender_external_id="t1")) == [("t1", "5.00")]


CARDS_AS_LINES = ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"})


def test_a_gift_card_that_can_be_no_payment_is_a_line_of_the_first_part_invoice_only() -> None:
    source = of_two_parts(tender("10.00", "g", kind=GIFT), tender("20.60", "t2"))
    result = in_two_shipments(source, {"l1": "1", "l3": "1"}, file=CARDS_AS_LINES)
    invoices = [one for one in result.documents if one.kind is DocumentKind.INVOICE]
    assert [one.total for one in invoices] == [D("0.60"), D("20.00")]
    assert applied(result) == [[("1001", "0.60"), ("1001-1", "20.00")]]
    assert trial_balance(list(result.documents)) == {"GIFT": D("10.00"), "UF": D("20.60"), "INC": D("-30.60")}


def test_a_tip_of_an_order_shipped_in_parts_is_on_its_first_invoice() -> None:
    source = of_two_parts(tender("31.60"))
    result = in_two_shipments(source, {"l1": "1"}, overpayment_policy="tip")
    tips = [[one.amount for one in invoice.lines if one.kind is LineKind.TIP] for invoice in result.documents[1:3]]
    assert tips == [[D("1.00")], []]
    unapplied_rest = in_two_shipments(source, {"l1": "1"})
    assert [one.total for one in unapplied_rest.documents[1:3]] == [D("0.60"), D("30.00")]


def test_a_payment_of_a_part_waits_for_the_invoice_that_it_pays() -> None:
    result = in_two_shipments(of_two_parts(tender("0.60", "t1"), tender("30.00", "t2")), {"l1": "1"})
    form, first, second, one, two = result.documents
    assert (one.depends_on, two.depends_on) == ((first.key,), (second.key,))
    more = in_two_shipments(of_two_parts(tender("30.60", "t1"), tender("1.00", "t2")), {"l1": "1"})
    assert more.documents[-1].depends_on == (form.key,), "what is left waits for the order alone"


@pytest.mark.parametrize("paid", ["77.01", "77.50", "78.00"])
def test_cents_beyond_a_receipt_are_an_unapplied_payment_after_it(paid: str) -> None:
    result = mapped(example_a(tenders=(tender(paid),)), configuration("sales_receipts"))
    receipt, rest = result.documents
    assert (rest.kind, rest.total, rest.applications) == (DocumentKind.PAYMENT, D(paid) - D("77.00"), ())
    assert rest.depends_on == (receipt.key,)


@pytest.mark.parametrize("paid", ["77.01", "77.50", "78.00"])
def test_cents_of_a_gift_card_beyond_a_receipt_are_an_unapplied_payment_after_it(paid: str) -> None:
    cards = (tender(paid, "g", kind=GIFT, method="gift_card"), tender("0.25", "h", kind=GIFT, method="gift_card"))
    receipt, rest = mapped(example_a(tenders=cards), configuration("sales_receipts")).documents
    assert [one.amount for one in receipt.lines if one.kind is LineKind.GIFT_CARD_REDEMPTION] == [D("-77.00")]
    assert (rest.kind, rest.total) == (DocumentKind.PAYMENT, D(paid) - D("76.75"))
    assert rest.depends_on == (receipt.key,)


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("sales_receipts", ["sales_receipt", "refund_receipt"]),
        ("invoices_only", ["invoice", "credit_memo"]),
        ("credit_memos_only", ["credit_memo"]),
        ("summary_sales_receipt", ["refund_receipt"]),
        (INVOICES, ["invoice", "payment"]),
        ("sales_orders_payments_if_paid", ["sales_order closed", "payment"]),
    ],
)
def test_a_refund_is_a_document_where_there_is_no_payment_to_be_lower(mode: str, wanted: list[str]) -> None:
    settings = configuration(mode, refund_policy="reduce_payment", merge_refunds=False)
    assert kinds(mapped(example_a(refunds=(first_refund(),)), settings)) == wanted


def test_goods_taken_off_lower_no_payment_and_are_credited() -> None:
    source = example_a(tenders=(tender("52.34"),), refunds=(first_refund(transactions=()),))
    result = mapped(source, configuration(INVOICES, refund_policy="reduce_payment"))
    assert kinds(result) == ["invoice", "payment", "credit_memo"]
    assert "AR" not in trial_balance(list(result.documents))


def test_a_payment_that_went_back_whole_is_none() -> None:
    back = first_refund(transactions=(refunded("24.66", "rt1", tender_external_id="t2"),))
    source = example_a(tenders=(tender("52.34", "t1"), tender("24.66", "t2")), refunds=(back,))
    result = mapped(source, configuration(INVOICES, refund_policy="reduce_payment"))
    assert kinds(result) == ["invoice", "payment"]
    assert result.documents[1].total == D("52.34")


@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_a_payment_that_its_order_lists_twice_is_one(mode: str) -> None:
    once = example_a(tenders=(tender("38.50", "t1"), tender("38.50", "t2")))
    twice = example_a(tenders=(*once.tenders, *once.tenders))
    assert mapped(twice, configuration(mode)).documents == mapped(once, configuration(mode)).documents
