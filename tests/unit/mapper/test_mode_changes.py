"""A new transaction mode is for what is not written yet; what is written stays until somebody asks for it anew."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.mapper.samples import D, company, configuration, example_a, first_refund, kinds, mapped, unpaid
from tests.unit.mapper.test_rules import compiled, rule

from common.messages.base import Reason
from common.messages.transactions import SetOutcome, TransactionSet, WantedState
from mapper.mapping.configuration import Configuration
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.orders import map_order
from mapper.store.sets import KnownSet

APPROVED = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC))


def in_mode(mode: str, **changes: Any) -> Configuration:
    return configuration(mode, books=APPROVED, **changes)


def after(result: TransactionSet) -> History:
    return History.of(result)


def test_a_written_order_stays_with_the_mode_it_was_written_by() -> None:
    first = mapped(example_a(), in_mode("sales_receipts"))
    again = mapped(example_a(), in_mode("invoices_payments_if_paid"), history=after(first))
    assert again.documents == first.documents
    assert again.kept_mode == "sales_receipts"


def test_what_happens_to_it_later_is_booked_in_that_mode_too() -> None:
    first = mapped(example_a(), in_mode("invoices_payments_if_paid"))
    refunded = mapped(example_a(refunds=(first_refund(),)), in_mode("sales_receipts"), history=after(first))
    assert kinds(refunded) == ["invoice", "payment", "refund_receipt"]


def held(result: TransactionSet, *kinds_held: str) -> TransactionSet:
    """The same while an item is missing."""
    missing = Reason(code="PRODUCT_MISSING", text="x", cure="x")
    documents = tuple(
        one.model_copy(update={"hold": missing}) if not kinds_held or one.kind in kinds_held else one
        for one in result.documents
    )
    return result.model_copy(update={"documents": documents})


def test_a_written_order_keeps_its_mode_while_it_is_held() -> None:
    first = mapped(example_a(), in_mode("sales_receipts"))
    waiting = after(first).after(held(first))
    assert waiting == after(first)
    again = mapped(example_a(), in_mode("invoices_payments_if_paid"), history=waiting.after(held(first)))
    assert again.documents == first.documents


def test_an_invoice_that_is_written_is_one_while_it_is_held() -> None:
    invoiced = mapped(example_a(), in_mode("invoices_only"))
    assert after(invoiced).after(held(invoiced)).invoiced
    assert not FIRST_TIME.after(held(invoiced)).invoiced
    receipt = mapped(example_a(), in_mode("sales_receipts"))
    assert not after(invoiced).after(receipt).invoiced


def test_what_was_only_ever_held_or_is_made_by_another_mode_keeps_none() -> None:
    first = mapped(example_a(), in_mode("sales_receipts"))
    assert FIRST_TIME.after(held(first)).mode == ""
    renewed = mapped(example_a(), in_mode("invoices_payments_if_paid"))
    assert after(first).after(held(renewed)).mode == ""
    assert after(first).after(renewed).mode == "invoices_payments_if_paid"
    gone = tuple(one.model_copy(update={"wanted": WantedState.VOID}) for one in first.documents)
    assert after(first).after(first.model_copy(update={"documents": gone})).mode == ""


def test_a_set_that_is_no_answer_changes_nothing_of_what_is_known() -> None:
    first = mapped(example_a(), in_mode("sales_receipts"))
    refused = first.model_copy(update={"outcome": SetOutcome.HELD, "documents": ()})
    assert after(first).after(refused) == after(first)


def test_a_new_order_follows_the_new_mode() -> None:
    assert kinds(mapped(example_a(), in_mode("invoices_only"))) == ["invoice"]


@pytest.mark.parametrize("mode", ["invoices_only", "sales_orders"])
def test_an_order_of_which_everything_waits_follows_the_new_mode(mode: str) -> None:
    waiting = mapped(unpaid(), in_mode("sales_receipts"))
    assert [one.hold is not None for one in waiting.documents] == [True]
    assert kinds(mapped(unpaid(), in_mode(mode), history=after(waiting))) == kinds(mapped(unpaid(), in_mode(mode)))


def test_before_the_first_approval_nothing_is_written_so_the_preview_follows_the_setting() -> None:
    first = mapped(example_a(), configuration("sales_receipts"))
    assert kinds(mapped(example_a(), configuration("invoices_only"), history=after(first))) == ["invoice"]


def test_who_asks_for_an_order_anew_gets_the_new_mode() -> None:
    first = mapped(example_a(), in_mode("sales_receipts"))
    known = KnownSet(1, "", after(first), False).renewed()
    assert kinds(mapped(example_a(), in_mode("invoices_only"), history=known.history)) == ["invoice"]
    assert known.history.mapped


def test_a_rule_that_chooses_the_mode_is_not_bound_by_what_was_before() -> None:
    first = mapped(example_a(), in_mode("sales_receipts"))
    by_rule = compiled(rule("map_transaction_type", "invoices_only"))
    ruled = map_order(example_a(), in_mode("sales_receipts"), by_rule, history=after(first))
    assert (kinds(ruled), ruled.kept_mode) == (["invoice"], "")
    without = mapped(example_a(), in_mode("sales_receipts"), history=after(ruled))
    assert kinds(without) == ["sales_receipt"]


@pytest.mark.parametrize("mode", ["summary_sales_receipt", "summary_payout"])
def test_an_order_that_is_part_of_a_summary_or_payout_stays_in_it(mode: str) -> None:
    first = mapped(example_a(), in_mode(mode))
    assert first.outcome is SetOutcome.MAPPED
    again = mapped(example_a(), in_mode("sales_receipts"), history=after(first))
    assert again.documents == ()
    assert again.reason == first.reason


def test_a_filtered_order_has_no_mode_to_keep() -> None:
    assert after(mapped(example_a(tags=()), in_mode("none"))) == FIRST_TIME


def test_what_was_ever_mapped_and_shipped_is_remembered_without_documents() -> None:
    known = History(mapped=True, shipments=({"l1": D(1)},), cancellation="void")
    nothing = mapped(example_a(), in_mode("sales_receipts")).model_copy(update={"documents": ()})
    assert known.after(nothing) == History(mapped=True, shipments=({"l1": D(1)},))
