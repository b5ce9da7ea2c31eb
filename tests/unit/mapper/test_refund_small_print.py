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
from common.messages.transactions import DocumentKind, LineKind, SetOutcome
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
            assert f"{sum(fact.amount for r in source.refunds for fact in r.transactions)}" in one.hold.text


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
