"""Section 11 by its rules: the worked refunds to the cent, and where the money of a refund leaves."""

from datetime import date
from decimal import Decimal
from typing import Any

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
    tender,
    unpaid,
)

from common.messages.orders import FinancialStatus, Lifecycle, Order, RefundLine, TenderKind
from common.messages.transactions import AccountRole, DocumentKind, LineKind, TransactionSet
from mapper.mapping.postings import postings, trial_balance

INVOICES = "invoices_payments_if_paid"
RETURNS = company(accounts=ACCOUNTS | {AccountRole.RETURNS: "Returns"})
ASSETS_ONLY = ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"})
NO_RECEIPTS = ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability", "refund_receipt"})


def sides(result: TransactionSet, number: str) -> tuple[Decimal, Decimal]:
    """Debits and credits of the refund of that number."""
    (refund,) = [one for one in result.documents if one.source_kind == "refund" and one.number == number]
    amounts = [amount for _, amount in postings(refund)]
    return sum((one for one in amounts if one > 0), D(0)), -sum((one for one in amounts if one < 0), D(0))


def test_the_worked_refunds_balance_at_26_45_and_55_55_and_come_to_77_00() -> None:
    result = mapped(example_a(refunds=(first_refund(), second_refund())), configuration())
    assert sides(result, "1001") == (D("26.45"), D("26.45"))
    assert sides(result, "1001-1") == (D("55.55"), D("55.55"))
    back = [one.total for one in result.documents if one.kind is DocumentKind.REFUND_RECEIPT]
    assert (back, sum(back)) == ([D("24.66"), D("52.34")], D("77.00"))


def test_the_processor_keeps_its_fee_when_money_goes_back() -> None:
    fees = {"on_order": "negative_line", "percent": D("2.9"), "fixed": D("0.30")}
    for mode in ("sales_receipts", INVOICES):
        result = mapped(example_a(refunds=(first_refund(), second_refund())), configuration(mode, fees=fees))
        assert trial_balance(list(result.documents)) == {"UF": D("-2.53"), "FEES": D("2.53")}


def test_money_goes_back_from_the_account_it_came_into() -> None:
    source = example_a(
        tenders=(tender("77.00", method="wallet"),),
        refunds=(first_refund(transactions=(refunded("24.66", "rt1", method="card"),)),),
    )
    result = mapped(source, configuration(deposit_accounts={"wallet": "Wallet clearing"}))
    assert [(one.deposit_to.name if one.deposit_to else "") for one in result.documents] == ["Wallet clearing"] * 2


@pytest.mark.parametrize("kind", [TenderKind.GIFT_CARD, TenderKind.STORE_CREDIT])
@pytest.mark.parametrize("mode", ["sales_receipts", INVOICES])
def test_store_credit_that_is_given_for_goods_is_owed_on_gift_cards_and_no_money_moves(
    kind: TenderKind, mode: str
) -> None:
    back = first_refund(transactions=(refunded("24.66", "rt1", kind=kind),))
    refund = only(mapped(example_a(refunds=(back,)), configuration(mode)), DocumentKind.REFUND_RECEIPT)
    assert refund.total == D("0.00")
    assert trial_balance([refund]) == {
        "INC": D("25.00"),
        "TAX": D("1.45"),
        "DISC": D("-1.79"),
        "GIFT": D("-24.66"),
    }


SPLIT: dict[str, Any] = {
    "lines": (line("l1", "LAMP", "80.00"),),
    "total": D("80.00"),
    "tenders": (
        tender("30.00", "m"),
        tender("27.00", "w", method="wallet"),
        tender("23.00", "g", kind=TenderKind.GIFT_CARD, method="gift_card"),
    ),
}


def all_back() -> Order:
    """Paid by card, wallet and gift card, and all of it given back the same way."""
    gone = RefundLine(line_external_id="l1", quantity=D(1), amount=D("80.00"), discount=D(0), tax=D(0), restock=True)
    back = first_refund(
        lines=(gone,),
        tax=D("0.00"),
        transactions=(
            refunded("30.00", "rm", tender_external_id="m"),
            refunded("27.00", "rw", tender_external_id="w"),
            refunded("23.00", "rg", tender_external_id="g", kind=TenderKind.GIFT_CARD),
        ),
    )
    return order(**SPLIT, refunds=(back,))


@pytest.mark.parametrize("file", [ASSETS_ONLY, NO_RECEIPTS], ids=["several accounts", "no refund receipts"])
def test_what_goes_back_to_a_gift_card_is_a_line_where_no_liability_pays(file: Any) -> None:
    settings = configuration(INVOICES, file=file, deposit_accounts={"wallet": "Wallet clearing"})
    result = mapped(all_back(), settings)
    assert kinds(result) == [
        "invoice", "payment", "payment", "credit_memo", "refund_payment", "refund_payment"
    ]  # fmt: skip
    memo = only(result, DocumentKind.CREDIT_MEMO)
    assert memo.total == D("57.00")
    assert [(one.kind, one.amount) for one in memo.lines] == [
        (LineKind.PRODUCT, D("80.00")),
        (LineKind.GIFT_CARD_REDEMPTION, D("-23.00")),
    ]
    paid = [one for one in result.documents if one.kind is DocumentKind.REFUND_PAYMENT]
    assert [(one.total, one.deposit_to.name if one.deposit_to else "") for one in paid] == [
        (D("30.00"), "Account UF"),
        (D("27.00"), "Wallet clearing"),
    ]
    assert sum(part.amount for one in paid for part in one.applications) == memo.total
    assert trial_balance(list(result.documents)) == {}


def test_a_ledger_that_pays_from_liabilities_gives_a_gift_card_its_own_payment() -> None:
    settings = configuration(INVOICES, deposit_accounts={"wallet": "Wallet clearing"})
    result = mapped(all_back(), settings)
    assert only(result, DocumentKind.CREDIT_MEMO).total == D("80.00")
    paid = [one for one in result.documents if one.kind is DocumentKind.REFUND_PAYMENT]
    assert [one.total for one in paid] == [D("30.00"), D("27.00"), D("23.00")]
    assert trial_balance(list(result.documents)) == {}


def test_a_credit_memo_alone_is_worth_what_came_back_however_it_was_paid() -> None:
    (memo,) = mapped(all_back(), configuration("credit_memos_only", file=ASSETS_ONLY)).documents
    assert (memo.kind, memo.total, len(memo.lines)) == (DocumentKind.CREDIT_MEMO, D("80.00"), 1)


def test_an_amount_that_no_line_explains_goes_to_returns_and_not_to_income() -> None:
    back = first_refund(lines=(), tax=D("0.00"), transactions=(refunded("10.00", "rt1"),))
    for mode in ("sales_receipts", INVOICES):
        refund = only(
            mapped(example_a(refunds=(back,)), configuration(mode, books=RETURNS)), DocumentKind.REFUND_RECEIPT
        )
        assert [(one.kind, one.account.name, one.amount) for one in refund.lines] == [
            (LineKind.REFUND_ADJUSTMENT, "Returns", D("10.00"))
        ]
        assert trial_balance([refund]) == {"REFC": D("10.00"), "UF": D("-10.00")}


def test_a_credit_on_an_unpaid_invoice_pays_nothing_out() -> None:
    source = unpaid(refunds=(first_refund(transactions=()),))
    result = mapped(source, configuration(INVOICES))
    assert kinds(result) == ["invoice", "credit_memo"]
    invoice, memo = result.documents
    assert [(one.document_key, one.amount) for one in memo.applications] == [(invoice.key, D("24.66"))]
    assert memo.depends_on == (invoice.key,)
    assert trial_balance(list(result.documents))["AR"] == D("52.34")


@pytest.mark.parametrize(("file", "gift"), [(ledger(), "-24.66"), (ASSETS_ONLY, None)], ids=["liabilities pay", "no"])
def test_store_credit_for_a_payment_that_was_never_applied_is_the_credit_that_the_customer_has(
    file: Any, gift: str | None
) -> None:
    back = first_refund(transactions=(refunded("24.66", "rt1", kind=TenderKind.STORE_CREDIT),))
    result = mapped(example_a(refunds=(back,)), configuration("sales_orders_payments_if_paid", file=file))
    wanted = {"UF": D("77.00"), "AR": D("-77.00") if gift is None else D("-52.34")}
    assert trial_balance(list(result.documents)) == (wanted if gift is None else wanted | {"GIFT": D(gift)})


@pytest.mark.parametrize("method", ["override", "tax_line"])
def test_tax_that_went_back_alone_is_not_credited_again_when_the_order_is_cancelled(method: str) -> None:
    back = first_refund(lines=(), tax=D("4.06"), transactions=(refunded("4.06", "rt1"),))
    source = example_a(
        tenders=(tender("30.00"),),
        financial_status=FinancialStatus.PARTIALLY_PAID,
        lifecycle=Lifecycle.CANCELLED,
        cancelled_on=date(2026, 3, 12),
        refunds=(back,),
    )
    result = mapped(source, configuration(INVOICES, tax={"method": method}))
    assert kinds(result) == ["invoice", "payment", "refund_receipt", "credit_memo"]
    assert trial_balance([result.documents[2]]) == {"TAX": D("4.06"), "UF": D("-4.06")}
    memo = result.documents[3]
    assert (memo.total, memo.taxes) == (D("47.00"), ())
    assert LineKind.TAX not in {one.kind for one in memo.lines}
    assert "TAX" not in trial_balance(list(result.documents))
