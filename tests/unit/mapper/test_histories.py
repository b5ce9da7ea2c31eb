"""What the set before says of an order: what stands, what was invoiced, how it was cancelled (sections 4, 6, 9)."""

from datetime import date
from typing import Any

from tests.unit.mapper.samples import D, company, configuration, example_a, first_refund, mapped, tender, unpaid
from tests.unit.mapper.test_summaries import O1, summary

from common.messages.orders import FinancialStatus, Lifecycle
from common.messages.transactions import SetOutcome
from mapper.mapping.history import FIRST_TIME, History

MODE = "invoices_payments_if_paid"
CANCELLED: dict[str, Any] = {"lifecycle": Lifecycle.CANCELLED, "cancelled_on": date(2026, 3, 12)}


def test_sets_that_were_held_or_never_made_say_nothing() -> None:
    assert History.of(None) == FIRST_TIME
    held = mapped(example_a(total=D("90.00")), configuration(MODE))
    assert held.outcome is SetOutcome.HELD
    assert History.of(held) == FIRST_TIME


def test_an_order_that_a_summary_or_payout_has_keeps_its_mode() -> None:
    for mode in ("summary_sales_receipt", "summary_payout"):
        result = mapped(example_a(), configuration(mode))
        assert History.of(result).mode == mode
    waiting = summary(O1, finished=False)
    assert waiting.documents[0].hold is not None
    assert History.of(waiting).mode == "summary_sales_receipt", "its members are kept from the first day on"


def test_how_a_cancellation_was_booked_is_remembered_and_a_refund_is_none() -> None:
    voided = mapped(unpaid(**CANCELLED), configuration(MODE))
    assert History.of(voided).cancellation == "void"
    credited = mapped(unpaid(**CANCELLED), configuration(MODE, unpaid_cancel="credit_memo"))
    assert History.of(credited).cancellation.startswith("credit")
    refunded = mapped(example_a(refunds=(first_refund(),)), configuration("credit_memos_only"))
    assert History.of(refunded).cancellation == ""
    sold = mapped(example_a(), configuration(MODE))
    assert History.of(sold).cancellation == ""


def test_the_day_of_a_credit_is_remembered_though_payments_stand_before_it() -> None:
    part_paid = example_a(tenders=(tender("20.00"),), financial_status=FinancialStatus.PARTIALLY_PAID, **CANCELLED)
    result = mapped(part_paid, configuration(MODE))
    assert [one.source_kind for one in result.documents] == ["order", "tender", "order"]
    assert History.of(result).credited_on == date(2026, 3, 12)


def test_a_period_that_closes_later_does_not_change_how_a_cancellation_was_booked() -> None:
    voided = mapped(unpaid(**CANCELLED), configuration(MODE))
    closed = configuration(MODE, books=company(closed_through=date(2026, 3, 5)))
    again = mapped(unpaid(**CANCELLED), closed, history=History.of(voided))
    assert [(one.kind, one.wanted) for one in again.documents] == [(one.kind, one.wanted) for one in voided.documents]
