"""The worked numbers of the domain reference, to the cent."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests.unit.mapper.samples import (
    ACCOUNTS,
    ALL_CAPABILITIES,
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
    second_refund,
    tax,
    tender,
    unpaid,
)

from common.messages.orders import (
    FinancialStatus,
    Lifecycle,
    RefundAdjustment,
    RefundLine,
    ShippingLine,
    TenderKind,
)
from common.messages.transactions import AccountRole, DocumentKind, LineKind, SetOutcome
from mapper.mapping.history import History
from mapper.mapping.postings import trial_balance

A = {"INC": D("-69.99"), "SHIP": D("-7.95"), "TAX": D("-4.06"), "DISC": D("5.00")}


@pytest.mark.vector_core
def test_vector_01_paid_order_in_receipt_mode_is_one_receipt() -> None:
    result = mapped(example_a(), configuration("sales_receipts"))
    assert kinds(result) == ["sales_receipt"]
    assert trial_balance(list(result.documents)) == A | {"UF": D("77.00")}
    assert result.documents[0].total == D("77.00")


@pytest.mark.vector_core
def test_vector_02_paid_order_in_invoice_mode_ends_with_balance_zero() -> None:
    result = mapped(example_a(), configuration("invoices_payments_if_paid"))
    assert kinds(result) == ["invoice", "payment"]
    assert trial_balance(list(result.documents)) == A | {"UF": D("77.00")}
    payment = only(result, DocumentKind.PAYMENT)
    assert payment.reference == "ch_t1"
    assert payment.memo_number == "1001"


@pytest.mark.vector_core
def test_vector_03_pending_then_paid_adds_only_the_payment() -> None:
    settings = configuration("invoices_payments_if_paid", order_statuses=["paid", "pending"])
    first = mapped(unpaid(), settings)
    second = mapped(example_a(revision=2), settings)
    assert kinds(first) == ["invoice"]
    assert kinds(second) == ["invoice", "payment"]
    assert first.documents[0] == second.documents[0]


@pytest.mark.vector_core
def test_vector_05_a_full_discount_leaves_an_invoice_of_zero_and_skips_the_payment() -> None:
    free = order(lines=(line("l1", "HAMMER", "25.00", amount=D("0.00"), discount=D("25.00")),), total=D("0.00"))
    result = mapped(free, configuration("invoices_payments_if_paid"))
    assert only(result, DocumentKind.INVOICE).total == 0
    skipped = only(result, DocumentKind.PAYMENT).hold
    assert skipped is not None
    assert skipped.code == "NO_BALANCE"


@pytest.mark.vector_core
def test_vector_06_two_equal_tenders_with_different_ids_are_two_payments() -> None:
    source = example_a(tenders=(tender("38.50", "t1"), tender("38.50", "t2")))
    result = mapped(source, configuration("invoices_payments_if_paid"))
    payments = [one for one in result.documents if one.kind is DocumentKind.PAYMENT]
    assert [one.total for one in payments] == [D("38.50"), D("38.50")]
    assert payments[0].key != payments[1].key
    assert trial_balance(list(result.documents)) == A | {"UF": D("77.00")}


@pytest.mark.vector_core
def test_vector_07_the_same_tender_delivered_twice_is_one_payment() -> None:
    settings = configuration("invoices_payments_if_paid")
    again = mapped(example_a(revision=2), settings)
    assert mapped(example_a(), settings).documents == again.documents
    assert len(again.documents) == 2


@pytest.mark.vector_core
def test_vector_08_an_overpayment_applies_the_balance_and_leaves_the_rest() -> None:
    source = example_a(tenders=(tender("80.00"),))
    payment = only(mapped(source, configuration("invoices_payments_if_paid")), DocumentKind.PAYMENT)
    assert payment.total == D("80.00")
    assert [one.amount for one in payment.applications] == [D("77.00")]


def test_an_overpayment_can_be_a_tip_or_stop_the_order() -> None:
    source = example_a(tenders=(tender("80.00"),))
    tipped = mapped(source, configuration("invoices_payments_if_paid", overpayment_policy="tip"))
    assert trial_balance(list(tipped.documents)) == A | {"UF": D("80.00"), "TIPS": D("-3.00")}
    stopped = mapped(source, configuration("invoices_payments_if_paid", overpayment_policy="stop"))
    assert stopped.outcome is SetOutcome.HELD
    assert stopped.reason is not None
    assert stopped.reason.code == "OVERPAYMENT"


def test_an_overpaid_receipt_keeps_the_deposit_account_right() -> None:
    result = mapped(example_a(tenders=(tender("80.00"),)), configuration("sales_receipts"))
    assert kinds(result) == ["sales_receipt", "payment"]
    assert trial_balance(list(result.documents)) == A | {"UF": D("80.00"), "AR": D("-3.00")}


def test_money_lands_in_the_account_of_its_method_else_the_connections_else_undeposited() -> None:
    chosen = configuration(
        "sales_receipts", deposit_accounts={"wallet": "Wallet clearing"}, deposit_account="Card clearing"
    )
    wanted = {"wallet": "Wallet clearing", "card": "Card clearing"}
    for method, account in wanted.items():
        source = example_a(tenders=(tender("77.00", method=method),))
        receipt = mapped(source, chosen).documents[0]
        assert receipt.deposit_to is not None
        assert (receipt.deposit_to.name, receipt.deposit_to.role) == (account, AccountRole.CLEARING)
    plain = mapped(example_a(), configuration("sales_receipts", deposit_account="Account UF")).documents[0]
    assert plain.deposit_to is not None
    assert plain.deposit_to.role is AccountRole.UNDEPOSITED_FUNDS


def test_a_split_payment_lands_in_two_accounts() -> None:
    settings = configuration("invoices_payments_if_paid", deposit_accounts={"Wallet": "Wallet clearing"})
    source = example_a(tenders=(tender("30.00", "ch_1"), tender("47.00", "W9", method="wallet")))
    result = mapped(source, settings)
    assert trial_balance(list(result.documents)) == A | {"UF": D("30.00"), "CLR": D("47.00")}
    assert result.documents[2].deposit_to is not None
    assert result.documents[2].deposit_to.name == "Wallet clearing"


@pytest.mark.vector_core
def test_vector_14_two_refunds_take_the_whole_order_back() -> None:
    for mode in ("sales_receipts", "invoices_payments_if_paid"):
        result = mapped(example_a(refunds=(second_refund(), first_refund())), configuration(mode))
        refunds = [one for one in result.documents if one.kind is DocumentKind.REFUND_RECEIPT]
        assert [(one.number, one.total) for one in refunds] == [("1001", D("24.66")), ("1001-1", D("52.34"))]
        assert trial_balance([refunds[0]]) == {
            "INC": D("25.00"),
            "TAX": D("1.45"),
            "DISC": D("-1.79"),
            "UF": D("-24.66"),
        }
        assert trial_balance([refunds[1]]) == {
            "INC": D("44.99"),
            "SHIP": D("7.95"),
            "TAX": D("2.61"),
            "DISC": D("-3.21"),
            "UF": D("-52.34"),
        }
        assert trial_balance(list(result.documents)) == {}
        assert refunds[0].date == date(2026, 3, 10)


@pytest.mark.vector_core
def test_vector_15_the_original_stands_before_its_refund() -> None:
    result = mapped(example_a(refunds=(first_refund(),)), configuration("sales_receipts"))
    receipt, refund = result.documents
    assert refund.depends_on == (receipt.key,)


@pytest.mark.vector_core
def test_vector_16_goods_that_stay_away_use_an_item_without_stock() -> None:
    kept = first_refund(lines=(first_refund().lines[0].model_copy(update={"restock": False}),))
    for refund, wanted in ((first_refund(), "HAMMER"), (kept, "Returned without restock")):
        result = mapped(example_a(refunds=(refund,)), configuration("sales_receipts"))
        names = {item.key: item.name for item in result.items}
        assert names[only(result, DocumentKind.REFUND_RECEIPT).lines[0].item_key or ""] == wanted


@pytest.mark.vector_core
def test_vector_17_cancelling_an_unpaid_order_voids_its_invoice() -> None:
    cancelled = unpaid(lifecycle=Lifecycle.CANCELLED, cancelled_on=date(2026, 3, 5))
    result = mapped(cancelled, configuration("invoices_payments_if_paid"))
    assert kinds(result) == ["invoice void"]
    assert trial_balance(list(result.documents)) == {}
    credited = mapped(cancelled, configuration("invoices_payments_if_paid", unpaid_cancel="credit_memo"))
    assert kinds(credited) == ["invoice", "credit_memo"]
    assert trial_balance(list(credited.documents)) == {}


def test_cancelling_an_order_of_a_closed_period_credits_it_on_the_day() -> None:
    cancelled = unpaid(lifecycle=Lifecycle.CANCELLED, cancelled_on=date(2026, 4, 5))
    books = company(closed_through=date(2026, 3, 31))
    written = History.of(mapped(unpaid(), configuration("invoices_payments_if_paid")))
    result = mapped(cancelled, configuration("invoices_payments_if_paid", books=books), history=written)
    assert kinds(result) == ["invoice", "credit_memo"]
    assert [one.date for one in result.documents] == [date(2026, 3, 2), date(2026, 4, 5)]
    again = mapped(
        cancelled,
        configuration("invoices_payments_if_paid", books=company(closed_through=date(2026, 4, 30))),
        history=History.of(result),
    )
    assert again.documents == result.documents, "a period that closes later changes nothing"
    for cancellation in ("void", "credit_memo"):
        settings = configuration("invoices_payments_if_paid", books=books, unpaid_cancel=cancellation)
        first_sight = mapped(cancelled, settings)
        assert first_sight.outcome is SetOutcome.FILTERED, "its invoice was never written, and can't be any more"
        assert first_sight.reason is not None
        assert first_sight.reason.code == "CLOSED_PERIOD"


@pytest.mark.parametrize("cancelled_on", [None, date(2026, 3, 5), date(2026, 3, 31)])
def test_a_cancellation_that_is_closed_itself_or_unknown_is_credited_on_the_first_open_day(
    cancelled_on: date | None,
) -> None:
    closed = configuration("invoices_payments_if_paid", books=company(closed_through=date(2026, 3, 31)))
    written = History.of(mapped(unpaid(), configuration("invoices_payments_if_paid")))
    cancelled = unpaid(lifecycle=Lifecycle.CANCELLED, cancelled_on=cancelled_on)
    result = mapped(cancelled, closed, history=written)
    assert kinds(result) == ["invoice", "credit_memo"]
    assert [one.date for one in result.documents] == [date(2026, 3, 2), date(2026, 4, 1)]
    assert trial_balance(list(result.documents)) == {}
    later = configuration("invoices_payments_if_paid", books=company(closed_through=date(2026, 5, 31)))
    assert mapped(cancelled, later, history=History.of(result)).documents == result.documents
    first_sight = mapped(cancelled, closed)
    assert first_sight.reason is not None
    assert first_sight.reason.code == "CLOSED_PERIOD"


def test_the_rest_of_a_partly_paid_order_is_credited_on_the_first_open_day() -> None:
    paid = {"financial_status": FinancialStatus.PARTIALLY_PAID, "tenders": (tender("30.00"),)}
    written = History.of(mapped(example_a(**paid), configuration("invoices_payments_if_paid")))
    closed = configuration("invoices_payments_if_paid", books=company(closed_through=date(2026, 3, 31)))
    cancelled = example_a(**paid, lifecycle=Lifecycle.CANCELLED, cancelled_on=date(2026, 3, 5))
    memo = only(mapped(cancelled, closed, history=written), DocumentKind.CREDIT_MEMO)
    assert (memo.date, memo.total) == (date(2026, 4, 1), D("47.00"))


@pytest.mark.parametrize(("paid", "rest"), [("30.00", "47.00"), ("76.99", "0.01")])
def test_a_partly_paid_order_that_is_cancelled_gets_its_rest_credited(paid: str, rest: str) -> None:
    source = example_a(
        financial_status=FinancialStatus.PARTIALLY_PAID,
        lifecycle=Lifecycle.CANCELLED,
        cancelled_on=date(2026, 3, 5),
        tenders=(tender(paid),),
    )
    for mode in ("invoices_payments_if_paid", "sales_receipts"):
        result = mapped(source, configuration(mode))
        assert kinds(result) == ["invoice", "payment", "credit_memo"]
        assert only(result, DocumentKind.CREDIT_MEMO).total == D(rest)
        balance = trial_balance(list(result.documents))
        assert balance["UF"] == D(paid)
        assert "AR" not in balance


def test_a_partly_paid_order_refunded_in_full_credits_everything_and_returns_the_money() -> None:
    back = first_refund(
        lines=(
            RefundLine(line_external_id="l1", quantity=D(2), amount=D("46.42"), discount=D("3.58"), tax=D("2.90")),
            RefundLine(line_external_id="l2", quantity=D(1), amount=D("18.57"), discount=D("1.42"), tax=D("1.16")),
        ),
        tax=D("4.06"),
        shipping=D("7.95"),
        transactions=(refunded("30.00", "rt1"),),
    )
    source = example_a(
        financial_status=FinancialStatus.PARTIALLY_PAID,
        lifecycle=Lifecycle.CANCELLED,
        tenders=(tender("30.00"),),
        refunds=(back,),
    )
    for mode in ("invoices_payments_if_paid", "sales_receipts"):
        result = mapped(source, configuration(mode))
        assert kinds(result) == ["invoice", "payment", "credit_memo", "refund_payment"]
        assert trial_balance(list(result.documents)) == {}
        memo = only(result, DocumentKind.CREDIT_MEMO)
        assert [one.amount for one in memo.applications] == [D("47.00")]


def test_items_removed_before_payment_leave_a_receipt_of_what_was_paid() -> None:
    source = example_a(tenders=(tender("52.34"),), refunds=(first_refund(transactions=()),))
    receipt = mapped(source, configuration("sales_receipts"))
    assert kinds(receipt) == ["sales_receipt"]
    assert trial_balance(list(receipt.documents)) == {
        "UF": D("52.34"),
        "INC": D("-44.99"),
        "SHIP": D("-7.95"),
        "TAX": D("-2.61"),
        "DISC": D("3.21"),
    }
    invoiced = mapped(source, configuration("invoices_payments_if_paid"))
    assert kinds(invoiced) == ["invoice", "payment", "credit_memo"]
    assert trial_balance(list(invoiced.documents)) == trial_balance(list(receipt.documents))


def test_goods_that_come_back_without_money_change_no_books() -> None:
    result = mapped(example_a(refunds=(first_refund(transactions=()),)), configuration("sales_receipts"))
    assert kinds(result) == ["sales_receipt"]
    assert result.documents[0].total == D("77.00")


def test_an_amount_without_lines_goes_to_returns() -> None:
    books = company(accounts=ACCOUNTS | {AccountRole.RETURNS: "Returns"})
    back = first_refund(lines=(), tax=D("0.00"), transactions=(refunded("10.00", "rt1"),))
    result = mapped(example_a(refunds=(back,)), configuration("sales_receipts", books=books))
    refund = only(result, DocumentKind.REFUND_RECEIPT)
    assert trial_balance([refund]) == {"REFC": D("10.00"), "UF": D("-10.00")}


def test_a_stated_adjustment_is_kept_with_its_sign() -> None:
    back = first_refund(
        adjustments=(RefundAdjustment(title="Restocking fee", amount=D("-4.66"), tax=D("0.00")),),
        transactions=(refunded("20.00", "rt1"),),
    )
    refund = only(mapped(example_a(refunds=(back,)), configuration("sales_receipts")), DocumentKind.REFUND_RECEIPT)
    assert refund.total == D("20.00")
    assert [one.amount for one in refund.lines if one.kind is LineKind.REFUND_ADJUSTMENT] == [D("-4.66")]


def test_a_refund_that_does_not_add_up_is_held_and_the_sale_goes_on() -> None:
    back = first_refund(transactions=(refunded("20.00", "rt1"),))
    result = mapped(example_a(refunds=(back,)), configuration("sales_receipts"))
    assert kinds(result) == ["sales_receipt", "refund_receipt"]
    assert result.documents[0].hold is None
    held = result.documents[1].hold
    assert held is not None
    assert held.code == "TOTALS_MISMATCH"
    assert "20.00" in held.text
    assert "24.66" in held.text


def test_a_ledger_without_refund_receipts_gets_a_credit_memo_and_the_money_that_leaves() -> None:
    file = ledger(capabilities=ALL_CAPABILITIES - {"refund_receipt"})
    result = mapped(example_a(refunds=(first_refund(),)), configuration("sales_receipts", file=file))
    assert kinds(result) == ["sales_receipt", "credit_memo", "refund_payment"]
    memo, money = result.documents[1:]
    assert money.applications[0].document_key == memo.key
    assert trial_balance([memo, money]) == {
        "INC": D("25.00"),
        "TAX": D("1.45"),
        "DISC": D("-1.79"),
        "UF": D("-24.66"),
    }


@pytest.mark.vector_core
def test_vector_26_inclusive_tax_sends_net_and_tax_as_amounts() -> None:
    source = order(
        lines=(line("l1", "MUG", "13.55", taxes=(tax("1.35", "GST", "0.10"),)),),
        taxes=(tax("1.35", "GST", "0.10"),),
        tax_total=D("1.35"),
        total=D("14.90"),
        tax_included=True,
        tenders=(tender("14.90"),),
    )
    settings = configuration("sales_receipts", tax={"method": "inclusive", "codes": {"default_taxed": "GST10"}})
    receipt = mapped(source, settings).documents[0]
    assert receipt.total == D("14.90")
    assert (receipt.lines[0].amount, receipt.lines[0].tax_amount) == (D("13.55"), D("1.35"))
    assert receipt.lines[0].tax_code == "GST10"
    assert receipt.taxes[0].amount == D("1.35")


@pytest.mark.vector_core
def test_vector_27_a_cent_is_rounded_and_half_a_unit_stops_the_order() -> None:
    rounded = mapped(example_a(total=D("77.01"), tenders=(tender("77.01"),)), configuration("sales_receipts"))
    receipt = only(rounded, DocumentKind.SALES_RECEIPT)
    assert [one.amount for one in receipt.lines if one.kind is LineKind.ROUNDING] == [D("0.01")]
    assert [one.code for one in receipt.notices] == ["ROUNDING_ADDED"]
    assert trial_balance([receipt]) == A | {"UF": D("77.01"), "RND": D("-0.01")}
    stopped = mapped(example_a(total=D("77.50"), tenders=(tender("77.50"),)), configuration("sales_receipts"))
    assert stopped.outcome is SetOutcome.HELD
    assert stopped.reason is not None
    assert stopped.reason.code == "TOTALS_MISMATCH"
    assert "77.50" in stopped.reason.text
    assert stopped.documents == ()


GIFT_ORDER = order(
    lines=(line("l1", "LAMP", "75.00", taxes=(tax("5.00", rate=None),)),),
    taxes=(tax("5.00", rate=None),),
    tax_total=D("5.00"),
    total=D("80.00"),
    tenders=(tender("30.00", "g1", kind=TenderKind.GIFT_CARD, method="gift_card"), tender("50.00", "t2")),
)


@pytest.mark.vector_core
def test_vector_28_a_gift_card_is_a_line_on_receipts_and_a_payment_on_invoices() -> None:
    wanted = {"UF": D("50.00"), "GIFT": D("30.00"), "INC": D("-75.00"), "TAX": D("-5.00")}
    receipt = mapped(GIFT_ORDER, configuration("sales_receipts"))
    assert only(receipt, DocumentKind.SALES_RECEIPT).total == D("50.00")
    assert trial_balance(list(receipt.documents)) == wanted
    invoiced = mapped(GIFT_ORDER, configuration("invoices_payments_if_paid"))
    assert kinds(invoiced) == ["invoice", "payment", "payment"]
    assert invoiced.documents[0].total == D("80.00")
    assert trial_balance(list(invoiced.documents)) == wanted
    file = ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"})
    lined = mapped(GIFT_ORDER, configuration("invoices_payments_if_paid", file=file))
    assert kinds(lined) == ["invoice", "payment"]
    assert lined.documents[0].total == D("50.00")
    assert trial_balance(list(lined.documents)) == wanted


def test_an_order_paid_by_gift_card_alone_is_a_receipt_of_zero() -> None:
    source = GIFT_ORDER.model_copy(
        update={"tenders": (tender("80.00", "g1", kind=TenderKind.GIFT_CARD, method="gift_card"),)}
    )
    receipt = only(mapped(source, configuration("sales_receipts")), DocumentKind.SALES_RECEIPT)
    assert receipt.total == 0
    assert trial_balance([receipt]) == {"GIFT": D("80.00"), "INC": D("-75.00"), "TAX": D("-5.00")}


def test_a_refund_to_a_gift_card_makes_the_card_worth_more() -> None:
    back = first_refund(
        lines=(RefundLine(line_external_id="l1", quantity=D(1), amount=D("75.00"), discount=D(0), tax=D("5.00")),),
        tax=D("5.00"),
        transactions=(
            refunded("30.00", "r1", kind=TenderKind.GIFT_CARD, tender_external_id="g1"),
            refunded("50.00", "r2", tender_external_id="t2"),
        ),
    )
    source = GIFT_ORDER.model_copy(update={"refunds": (back,)})
    for mode in ("sales_receipts", "invoices_payments_if_paid"):
        assert trial_balance(list(mapped(source, configuration(mode)).documents)) == {}


def test_a_sold_gift_card_is_a_liability_without_tax() -> None:
    source = order(
        lines=(line("l1", "CARD", "50.00", is_gift_card=True),), total=D("50.00"), tenders=(tender("50.00"),)
    )
    receipt = only(mapped(source, configuration("sales_receipts")), DocumentKind.SALES_RECEIPT)
    assert trial_balance([receipt]) == {"UF": D("50.00"), "GIFT": D("-50.00")}
    assert receipt.lines[0].kind is LineKind.GIFT_CARD_SALE
    assert not receipt.lines[0].taxable


def test_a_merchant_fee_can_stand_on_the_order() -> None:
    settings = configuration(
        "sales_receipts", fees={"on_order": "negative_line", "percent": D("2.9"), "fixed": D("0.30")}
    )
    receipt = only(mapped(example_a(), settings), DocumentKind.SALES_RECEIPT)
    assert trial_balance([receipt]) == A | {"UF": D("74.47"), "FEES": D("2.53")}
    invoiced = mapped(
        example_a(),
        configuration(
            "invoices_payments_if_paid", fees={"on_order": "negative_line", "percent": D("2.9"), "fixed": D("0.30")}
        ),
    )
    assert trial_balance(list(invoiced.documents)) == A | {"UF": D("74.47"), "FEES": D("2.53")}


@pytest.mark.vector_core
def test_vector_49_fees_on_the_order_and_on_the_payout_are_refused_together() -> None:
    result = mapped(example_a(), configuration(fees={"on_order": "negative_line"}, payouts={"enabled": True}))
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == "FEES_TWICE"


@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid"])
def test_tax_that_the_marketplace_pays_nets_to_nothing(remitted: str, mode: str) -> None:
    source = example_a(tax_remitted=D("4.06"))
    result = mapped(source, configuration(mode, tax={"remitted": remitted}))
    balance = trial_balance(list(result.documents))
    assert balance == {"UF": D("72.94"), "INC": D("-69.99"), "SHIP": D("-7.95"), "DISC": D("5.00")}


def test_tips_and_surcharges_have_their_accounts() -> None:
    source = example_a(tips=D("5.00"), total=D("82.00"), tenders=(tender("82.00"),))
    liability = mapped(source, configuration("sales_receipts"))
    assert trial_balance(list(liability.documents))["TIPS"] == D("-5.00")
    income = mapped(source, configuration("sales_receipts", tips_to="income"))
    assert trial_balance(list(income.documents))["INC"] == D("-74.99")


def test_line_discounts_are_netted_or_shown() -> None:
    source = order(
        lines=(line("l1", "HAMMER", "25.00", "2", amount=D("45.00"), discount=D("5.00")),),
        shipping_lines=(ShippingLine(external_id="s", title="Post", amount=D("3.00"), discount=D("1.00")),),
        total=D("48.00"),
        tenders=(tender("48.00"),),
    )
    netted = only(mapped(source, configuration()), DocumentKind.SALES_RECEIPT)
    assert [(one.amount, one.unit_price) for one in netted.lines] == [(D("45.00"), D("22.5")), (D("3.00"), None)]
    shown = only(mapped(source, configuration(show_line_discounts=True)), DocumentKind.SALES_RECEIPT)
    assert [one.amount for one in shown.lines] == [D("50.00"), D("-5.00"), D("4.00"), D("-1.00")]
    assert shown.lines[0].unit_price == D("25.00")
    assert trial_balance([shown])["DISC"] == D("6.00")


def test_a_price_without_an_exact_form_sends_the_amount_alone() -> None:
    source = order(
        lines=(line("l1", "BOLT", "3.50", "3", amount=D("10.00"), discount=D("0.50")),),
        total=D("10.00"),
        tenders=(tender("10.00"),),
    )
    receipt = only(mapped(source, configuration()), DocumentKind.SALES_RECEIPT)
    assert (receipt.lines[0].quantity, receipt.lines[0].unit_price) == (D(3), None)


@pytest.mark.vector_core
def test_vector_09_section_nine_row_by_row() -> None:
    """Order 3001: 221.24 + 13 % tax; 100.00 paid at order, 150.00 at shipping."""
    mode = "sales_orders_invoices_payments_if_paid"
    p1 = tender("100.00", "P1", reference="P1")
    base = {
        "number": "3001",
        "lines": (line("l1", "DESK", "221.24", taxes=(tax("28.76", rate="0.13"),)),),
        "taxes": (tax("28.76", rate="0.13"),),
        "tax_total": D("28.76"),
        "total": D("250.00"),
    }
    day_5 = mapped(order(tenders=(p1,), financial_status=FinancialStatus.PARTIALLY_PAID, **base), configuration(mode))
    assert kinds(day_5) == ["sales_order", "invoice", "payment"]
    sales_order, invoice, payment = day_5.documents
    assert (sales_order.number, sales_order.memo_number, invoice.number) == ("3001", "3001", "3001")
    assert invoice.closes == (sales_order.key,)
    assert trial_balance([invoice]) == {"AR": D("250.00"), "INC": D("-221.24"), "TAX": D("-28.76")}
    assert [(one.document_key, one.amount) for one in payment.applications] == [(invoice.key, D("100.00"))]
    assert trial_balance(list(day_5.documents))["AR"] == D("150.00")
    p2 = tender("150.00", "P2", captured_at=datetime(2026, 3, 7, tzinfo=UTC), captured_on=date(2026, 3, 7))
    day_6 = mapped(order(tenders=(p1, p2), **base), configuration(mode))
    assert day_6.documents[:3] == day_5.documents
    assert trial_balance(list(day_6.documents)) == {"UF": D("250.00"), "INC": D("-221.24"), "TAX": D("-28.76")}


@pytest.mark.vector_core
def test_vector_50_mapping_twice_gives_the_same_set() -> None:
    """The pure half of a preview: nothing but the inputs decides."""
    settings = configuration("invoices_payments_if_paid")
    source = example_a(refunds=(first_refund(),))
    assert mapped(source, settings) == mapped(source, configuration("invoices_payments_if_paid"))


def test_zero_decimal_currencies_round_to_whole_units() -> None:
    source = order(
        currency="JPY",
        lines=(line("l1", "TEA", "1000", amount=Decimal(1000), discount=Decimal(0)),),
        total=Decimal(1001),
        tenders=(tender("1001", currency="JPY"),),
    )
    file = ledger(home_currency="JPY")
    receipt = only(mapped(source, configuration(file=file)), DocumentKind.SALES_RECEIPT)
    assert [one.amount for one in receipt.lines] == [D(1000), D(1)]


def test_a_gift_card_that_paid_too_much_is_not_lost_on_a_receipt() -> None:
    card = tender("90.00", kind=TenderKind.GIFT_CARD, method="gift_card")
    result = mapped(example_a(tenders=(card,)), configuration())
    assert kinds(result) == ["sales_receipt", "payment"]
    balance = trial_balance(list(result.documents))
    assert (balance["GIFT"], balance["AR"]) == (D("90.00"), D("-13.00"))
    plain = ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"})
    assert kinds(mapped(example_a(tenders=(card,)), configuration(file=plain))) == ["sales_receipt"]
