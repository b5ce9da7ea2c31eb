"""Refunds that give back more than came in, a cent too much, or go to a gift card in a summary (sections 3, 11, 15)."""

from datetime import date
from typing import Any

import pytest
from tests.unit.mapper.samples import (
    ALL_CAPABILITIES,
    D,
    configuration,
    example_a,
    first_refund,
    kinds,
    ledger,
    mapped,
    only,
    refunded,
    second_refund,
    tender,
    unpaid,
)
from tests.unit.mapper.test_rules import compiled, rule
from tests.unit.mapper.test_summaries import summary

from common.messages.orders import Lifecycle, Order, Refund, TenderKind
from common.messages.transactions import AccountRole, DocumentKind, LineKind, SetOutcome
from mapper.mapping.configuration import Ledger
from mapper.mapping.postings import trial_balance

REFUND_DAY = date(2026, 3, 10)
UNPAID_RULE = compiled(rule("mark_as_unpaid", "", ("financial_status", "equals", "paid")))


def amount_only(amount: str, external_id: str = "r1") -> Refund:
    return first_refund(
        external_id=external_id, lines=(), tax=D("0.00"), transactions=(refunded(amount, f"t-{external_id}"),)
    )


@pytest.mark.parametrize(
    ("source", "held"),
    [
        (example_a(refunds=(amount_only("77.01"),)), [True]),
        (example_a(refunds=(amount_only("60.00", "r1"), amount_only("17.01", "r2"))), [False, True]),
        (example_a(refunds=(amount_only("60.00", "r1"), amount_only("17.00", "r2"))), [False, False]),
        (unpaid(refunds=(first_refund(),)), [True]),
    ],
)
def test_more_than_was_paid_never_goes_back_unseen(source: Order, held: list[bool]) -> None:
    result = mapped(source, configuration("invoices_payments_if_paid"))
    back = [one for one in result.documents if one.kind is DocumentKind.REFUND_RECEIPT]
    assert [one.hold is not None for one in back] == held
    for one in back:
        if one.hold is not None:
            assert (one.hold.code, one.hold.field) == ("TOTALS_MISMATCH", "refunds")
            back_in_all = sum(fact.amount for r in source.refunds for fact in r.transactions)
            paid = sum(one.amount for one in source.tenders)
            assert f"{back_in_all} USD were given back, and only {paid} USD was ever paid" in one.hold.text


def test_money_that_a_rule_keeps_out_for_now_still_came_in() -> None:
    result = mapped(example_a(refunds=(first_refund(),)), configuration("invoices_payments_if_paid"), rules=UNPAID_RULE)
    assert all(one.hold is None for one in result.documents)


def test_a_cent_that_a_refund_is_off_is_rounding_and_no_return() -> None:
    back = first_refund(transactions=(refunded("24.67", "rt1"),))
    refund = only(mapped(example_a(refunds=(back,)), configuration("sales_receipts")), DocumentKind.REFUND_RECEIPT)
    assert [(one.kind, one.amount) for one in refund.lines][-1] == (LineKind.ROUNDING, D("0.01"))
    assert [one.code for one in refund.notices] == ["ROUNDING_ADDED"]


def test_merged_refunds_take_from_the_bank_what_left_it_to_the_cent() -> None:
    lamp = example_a(
        tenders=(tender("57.00"), tender("20.00", "t2", kind=TenderKind.GIFT_CARD)),
        refunds=(
            first_refund(
                refunded_on=date(2026, 3, 2),
                transactions=(
                    refunded("14.67", "rt1"),
                    refunded("10.00", "rt2", kind=TenderKind.GIFT_CARD, tender_external_id="t2"),
                ),
            ),
        ),
    )
    (receipt,) = summary(lamp, merge_refunds=True).documents
    assert receipt.total == D("57.00") - D("14.67")
    balance = trial_balance([receipt])
    assert (balance["GIFT"], balance["RND"]) == (D("20.00") - D("10.00"), D("0.01"))


def test_a_merged_refund_that_does_not_add_up_holds_the_summary_and_is_named() -> None:
    off = example_a(refunds=(first_refund(transactions=(refunded("20.00", "rt1"),)),))
    result = summary(off, day=REFUND_DAY, merge_refunds=True)
    assert result.outcome is SetOutcome.HELD
    assert result.reason is not None
    assert result.reason.code == "TOTALS_MISMATCH"
    assert "Order 1001" in result.reason.text


CANCELLED: dict[str, Any] = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 12)}
PART_PAID = (tender("20.00", "g", kind=TenderKind.GIFT_CARD), tender("10.00", "m"))
CARDS_AS_LINES = {"file": ledger(capabilities=ALL_CAPABILITIES - {"deposit_to_liability"})}


@pytest.mark.parametrize("books", [{}, CARDS_AS_LINES], ids=["cards-as-payments", "cards-as-lines"])
def test_an_order_cancelled_after_everything_went_back_leaves_no_account_touched(books: dict[str, Any]) -> None:
    back = first_refund(
        shipping=D("7.95"),
        tax=D("4.06"),
        transactions=(
            refunded("10.00", "x", tender_external_id="m"),
            refunded("20.00", "y", kind=TenderKind.GIFT_CARD, tender_external_id="g"),
        ),
    )
    source = example_a(tenders=PART_PAID, refunds=(back,), **CANCELLED)
    result = mapped(source, configuration("invoices_payments_if_paid", **books))
    assert trial_balance(list(result.documents)) == {}


def test_what_a_gift_card_paid_for_a_cancelled_order_stays_used() -> None:
    balances = [
        trial_balance(
            list(
                mapped(
                    example_a(tenders=PART_PAID, **CANCELLED), configuration("invoices_payments_if_paid", file=file)
                ).documents
            )
        )
        for file in (None, CARDS_AS_LINES["file"])
    ]
    assert balances[0] == balances[1]
    assert (balances[0]["GIFT"], balances[0]["UF"]) == (D("20.00"), D("10.00"))


NO_REFUND_RECEIPTS = {"file": ledger(capabilities=ALL_CAPABILITIES - {"refund_receipt"})}


@pytest.mark.parametrize("remitted", ["show_and_reverse", "leave_out"])
@pytest.mark.parametrize("books", [{}, NO_REFUND_RECEIPTS], ids=["receipts", "memos"])
@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid"])
def test_tax_that_a_marketplace_gives_back_itself_costs_the_merchant_nothing(
    mode: str, books: dict[str, Any], remitted: str
) -> None:
    settings = configuration(mode, tax={"remitted": remitted}, **books)
    one = trial_balance(list(mapped(example_a(tax_remitted=D("4.06"), refunds=(first_refund(),)), settings).documents))
    assert one == {"UF": D("49.73"), "INC": D("-44.99"), "SHIP": D("-7.95"), "DISC": D("3.21")}
    everything = example_a(tax_remitted=D("4.06"), refunds=(first_refund(), second_refund()))
    assert trial_balance(list(mapped(everything, settings).documents)) == {}


def test_a_merged_refund_gives_no_tax_back_that_the_marketplace_gives_back() -> None:
    source = example_a(tax_remitted=D("4.06"), refunds=(first_refund(refunded_on=date(2026, 3, 2)),))
    (receipt,) = summary(source, merge_refunds=True).documents
    assert receipt.total == D("49.73")
    assert "TAX" not in trial_balance([receipt])


def test_goods_that_came_back_without_money_do_not_hide_the_refund_after_them() -> None:
    source = example_a(refunds=(first_refund(transactions=()), second_refund()))
    result = mapped(source, configuration())
    assert kinds(result) == ["sales_receipt", "refund_receipt"]
    assert (result.documents[1].source_id, result.documents[1].total) == ("r2", D("52.34"))


def test_a_refund_receipt_names_the_largest_money_that_went_back() -> None:
    tenders = (tender("57.00"), tender("20.00", "g", kind=TenderKind.GIFT_CARD))
    small, large = refunded("4.66", "rt1"), refunded("7.00", "rt2", reference="re_2")
    card = refunded("13.00", "rt3", kind=TenderKind.GIFT_CARD, method="gift_card", tender_external_id="g")
    source = example_a(tenders=tenders, refunds=(first_refund(transactions=(small, large, card)),))
    receipt = only(mapped(source, configuration()), DocumentKind.REFUND_RECEIPT)
    assert receipt.deposit_to is not None
    assert (receipt.total, receipt.deposit_to.role) == (D("11.66"), AccountRole.UNDEPOSITED_FUNDS)
    assert (receipt.payment_method, receipt.reference) == ("card", "re_2")


def test_what_goes_back_to_a_gift_card_alone_is_a_receipt_of_no_money() -> None:
    card = refunded("24.66", "rt1", kind=TenderKind.GIFT_CARD, method="gift_card", reference="GC-1")
    source = example_a(refunds=(first_refund(transactions=(card,)),))
    receipt = only(mapped(source, configuration()), DocumentKind.REFUND_RECEIPT)
    assert receipt.deposit_to is not None
    assert (receipt.total, receipt.deposit_to.role) == (D("0.00"), AccountRole.UNDEPOSITED_FUNDS)
    assert (receipt.payment_method, receipt.reference) == ("", "")
    assert [one.amount for one in receipt.lines if one.kind is LineKind.GIFT_CARD_REDEMPTION] == [D("-24.66")]


@pytest.mark.parametrize(
    ("mode", "file", "kind", "waits"),
    [
        ("invoices_payments_if_paid", None, DocumentKind.REFUND_RECEIPT, True),
        ("invoices_payments_if_paid", NO_REFUND_RECEIPTS["file"], DocumentKind.CREDIT_MEMO, True),
        ("invoices_only", None, DocumentKind.CREDIT_MEMO, True),
        ("sales_orders_payments_if_paid", None, DocumentKind.CREDIT_MEMO, True),
        ("credit_memos_only", None, DocumentKind.CREDIT_MEMO, False),
    ],
)
def test_a_refund_that_does_not_add_up_is_held_as_what_it_would_become(
    mode: str, file: Ledger | None, kind: DocumentKind, *, waits: bool
) -> None:
    source = example_a(refunds=(first_refund(transactions=(refunded("50.00", "rt1"),)),))
    result = mapped(source, configuration(mode, file=file))
    held = only(result, kind)
    assert held.hold is not None
    assert (held.hold.code, held.total, held.lines) == ("TOTALS_MISMATCH", D("50.00"), ())
    money, claim = held.deposit_to, held.receivable
    is_receipt = kind is DocumentKind.REFUND_RECEIPT
    assert (money.role if money else None) == (AccountRole.UNDEPOSITED_FUNDS if is_receipt else None)
    assert (claim.role if claim else None) == (None if is_receipt else AccountRole.RECEIVABLE)
    assert held.depends_on == ((result.documents[0].key,) if waits else ())


@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid"])
def test_what_was_paid_too_much_goes_back_from_the_customers_own_money(mode: str) -> None:
    source = example_a(tenders=(tender("80.00"),), refunds=(amount_only("2.00"), amount_only("1.00", "r2")))
    result = mapped(source, configuration(mode))
    sale, payment, *backs = result.documents
    assert [(one.kind, one.total, one.date) for one in backs] == [
        (DocumentKind.REFUND_PAYMENT, D("2.00"), REFUND_DAY),
        (DocumentKind.REFUND_PAYMENT, D("1.00"), REFUND_DAY),
    ]
    assert [[(one.document_key, one.amount) for one in back.applications] for back in backs] == [
        [(payment.key, D("2.00"))],
        [(payment.key, D("1.00"))],
    ]
    paid_exactly = mapped(example_a(), configuration(mode))
    assert trial_balance(list(result.documents)) == trial_balance(list(paid_exactly.documents))
    assert sale.total == D("77.00")


@pytest.mark.parametrize(
    ("paid", "back", "policy"),
    [("80.00", "3.01", "unapplied"), ("80.00", "3.00", "tip"), ("77.00", "3.00", "unapplied")],
)
def test_money_that_goes_back_is_a_return_where_the_customer_has_not_that_much_left(
    paid: str, back: str, policy: str
) -> None:
    source = example_a(tenders=(tender(paid),), refunds=(amount_only(back),))
    result = mapped(source, configuration("invoices_payments_if_paid", overpayment_policy=policy))
    assert kinds(result) == ["invoice", "payment", "refund_receipt"]


def test_refunds_that_name_no_payment_take_from_each_what_is_left_of_it() -> None:
    def back(amount: str, name: str) -> Refund:
        unnamed = refunded(amount, f"t-{name}", tender_external_id=None)
        return first_refund(external_id=name, lines=(), tax=D("0.00"), transactions=(unnamed,))

    paid = (tender("30.00", "t1"), tender("47.00", "t2"))
    source = example_a(tenders=paid, refunds=(back("20.00", "r1"), back("50.00", "r2"), back("7.00", "r3")))
    _, one, two, *backs = mapped(source, configuration("sales_orders_payments_if_paid")).documents
    assert [[(part.document_key, part.amount) for part in document.applications] for document in backs] == [
        [(one.key, D("20.00"))],
        [(one.key, D("10.00")), (two.key, D("40.00"))],
        [(two.key, D("7.00"))],
    ]
    assert [document.depends_on for document in backs] == [(one.key,), (one.key, two.key), (two.key,)]
