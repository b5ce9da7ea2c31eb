"""What must be done: the difference between what is wanted and what was written."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.transactions import DocumentKind as K
from common.messages.transactions import WantedState
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.planning.model import Effect, Settle, Write
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import Event

D = Decimal


def test_a_new_document_is_created_after_a_look_up(make: Any) -> None:
    wanted = make.document()
    (step,) = plan([make.desired(wanted)], {}, make.TERMS)
    assert isinstance(step, Write)
    assert step.lookup
    assert step.operation.operation is OperationKind.CREATE
    assert step.operation.wanted is wanted
    assert step.operation.link is None
    assert step.operation.previous is None


def test_a_written_document_that_did_not_change_needs_nothing(make: Any) -> None:
    wanted = make.document()
    (step,) = plan([make.desired(wanted, written=make.written(wanted))], {}, make.TERMS)
    assert step == Settle(wanted.key, Event.UNCHANGED)


def test_a_change_of_when_to_write_is_no_change_of_what_is_written(make: Any) -> None:
    wanted = make.document()
    notice = Reason(code="NAME_TRUNCATED", text="shortened")
    held = wanted.model_copy(update={"hold": notice, "notices": (notice,), "depends_on": (wanted.key,)})
    (step,) = plan([make.desired(held, written=make.written(wanted))], {}, make.TERMS)
    assert step == Settle(wanted.key, Event.UNCHANGED)


def test_an_edit_is_an_update_with_what_stood_before(make: Any) -> None:
    before, after = make.document(), make.document(amount="80.00")
    (step,) = plan([make.desired(after, written=make.written(before), generation=3)], {}, make.TERMS)
    assert isinstance(step, Write)
    assert not step.lookup
    operation = step.operation
    assert (operation.operation, operation.generation) == (OperationKind.UPDATE, 3)
    assert operation.previous is before
    assert operation.link is not None


def test_what_is_wanted_is_written_once_more_where_something_else_was_sent_without_an_answer(make: Any) -> None:
    wanted = make.document()
    due = make.desired(wanted, written=make.written(wanted), unanswered=True)
    (step,) = plan([due], {}, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.UPDATE
    paid = ((wanted.key, D("77.00")),)
    money = make.document(K.PAYMENT, applies=[(wanted.key, "77.00")])
    known = {wanted.key: make.known(wanted.key, there=True, open_balance=D("0.00"))}
    due = make.desired(money, written=make.written(money, applications=paid), unanswered=True)
    (step,) = plan([due], known, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.applications == paid


def test_a_ledger_that_cannot_edit_voids_and_then_writes_anew(make: Any) -> None:
    terms = replace(make.TERMS, edits_posted=False)
    before, after = make.document(), make.document(amount="80.00")
    (step,) = plan([make.desired(after, written=make.written(before))], {}, terms)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.VOID
    (step,) = plan([make.desired(after, written=make.written(before, effect=Effect.VOID), generation=1)], {}, terms)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.CREATE
    assert step.operation.former == LedgerLink("L1", total=before.total)
    assert step.operation.previous is None


HOLDS = [
    # terms that hold                                   desired                  code
    ({"deposited": "self"},                             {},                      "DEPOSITED"),
    ({"deposited": "self"},                             {"override": True},      "DEPOSITED"),
    ({"closed_through": date(2026, 1, 5)},              {},                      "PERIOD_CLOSED"),
    ({"closed_through": date(2026, 1, 5)},              {"override": True},      "PERIOD_CLOSED"),
    ({"changed_in_ledger": "self"},                     {},                      "LEDGER_CHANGED"),
    ({},                                                {"hold_edits": True},    "SOURCE_CHANGED"),
]  # fmt: skip


@pytest.mark.parametrize(("terms", "more", "code"), HOLDS)
def test_an_edit_is_held_where_the_books_must_not_change(
    make: Any, terms: dict[str, Any], more: dict[str, Any], code: str
) -> None:
    before, after = make.document(), make.document(amount="80.00")
    given = {name: frozenset({after.key}) if value == "self" else value for name, value in terms.items()}
    (step,) = plan([make.desired(after, written=make.written(before), **more)], {}, replace(make.TERMS, **given))
    assert isinstance(step, Settle)
    assert step.event is Event.NEEDS_PERSON
    assert step.reason is not None
    assert (step.reason.code, bool(step.reason.cure)) == (code, True)


@pytest.mark.parametrize(
    ("terms", "more"),
    [({}, {"hold_edits": True, "override": True}), ({"changed_in_ledger": "self"}, {"override": True})],
)
def test_a_resend_applies_an_edit_that_a_person_may_decide_on(make: Any, terms: dict[str, Any], more: Any) -> None:
    before, after = make.document(), make.document(amount="80.00")
    given = {name: frozenset({after.key}) for name in terms}
    (step,) = plan([make.desired(after, written=make.written(before), **more)], {}, replace(make.TERMS, **given))
    assert isinstance(step, Write)


def test_an_edit_out_of_a_closed_period_is_held_by_the_date_that_stands_in_the_books(make: Any) -> None:
    before = make.document(date=date(2025, 12, 30))
    after = make.document(date=date(2026, 1, 2))
    (step,) = plan([make.desired(after, written=make.written(before))], {}, make.TERMS)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert step.reason.code == "PERIOD_CLOSED"


def test_nothing_is_written_on_or_before_the_closing_date_but_an_order_that_posts_nothing(make: Any) -> None:
    on = date(2025, 12, 31)
    invoice, sales_order = make.document(date=on), make.document(K.SALES_ORDER, date=on)
    steps = plan([make.desired(invoice), make.desired(sales_order)], {}, make.TERMS)
    assert isinstance(steps[0], Write)
    assert steps[0].operation.kind is K.SALES_ORDER
    assert isinstance(steps[1], Settle)
    assert steps[1].reason is not None
    assert steps[1].reason.code == "PERIOD_CLOSED"


def test_nothing_is_written_before_the_preview_is_approved(make: Any) -> None:
    terms = replace(make.TERMS, approved=False)
    steps = plan([make.desired(make.document()), make.desired(make.CUSTOMER, kind=K.CUSTOMER)], {}, terms)
    assert [step.reason.code for step in steps if isinstance(step, Settle) and step.reason] == [
        "WAITING_FOR_APPROVAL",
        "WAITING_FOR_APPROVAL",
    ]


@pytest.mark.parametrize(("ours", "theirs"), [(True, False), (False, True), (True, True)])
def test_a_closed_period_keeps_a_document_out_of_the_preview_whoever_closed_it(
    make: Any, ours: bool, theirs: bool
) -> None:
    on = date(2025, 12, 31)
    terms = replace(
        make.TERMS,
        approved=False,
        closed_through=on if ours else date(2025, 11, 30),
        ledger_closed_through=on if theirs else None,
    )
    (step,) = plan([make.desired(make.document(date=on))], {}, terms)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert (step.reason.code, step.reason.field, step.reason.value) == ("PERIOD_CLOSED", "date", "2025-12-31")
    opened = "in the company's settings and resend" if ours else "in the ledger, date the document later"
    assert step.reason.cure == f"Open the period {opened}, or dismiss."
    for document in (make.document(K.SALES_ORDER, date=on), make.document(date=date(2026, 1, 1))):
        (waits,) = plan([make.desired(document)], {}, terms)
        assert isinstance(waits, Settle)
        assert waits.reason is not None
        assert waits.reason.code == "WAITING_FOR_APPROVAL"


UNWANTED = [{"wanted": WantedState.VOID}, {}]


@pytest.mark.parametrize("change", UNWANTED, ids=["void", "removed"])
def test_what_is_no_longer_wanted_is_voided_once(make: Any, change: dict[str, Any]) -> None:
    before = make.document()
    after = before.model_copy(update=change)
    more = {"removed": not change}
    (step,) = plan([make.desired(after, written=make.written(before), **more)], {}, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.VOID
    assert step.operation.previous is before
    (again,) = plan([make.desired(after, written=make.written(before, effect=Effect.VOID), **more)], {}, make.TERMS)
    assert again == Settle(after.key, Event.VOIDED)
    (never,) = plan([make.desired(after, **more)], {}, make.TERMS)
    assert isinstance(never, Settle)
    assert never.event is Event.NOT_NEEDED


def test_a_cancellation_is_no_edit_but_a_removal_is(make: Any) -> None:
    before = make.document()
    cancelled = before.model_copy(update={"wanted": WantedState.VOID})
    given = {"written": make.written(before), "hold_edits": True}
    assert isinstance(plan([make.desired(cancelled, **given)], {}, make.TERMS)[0], Write)
    assert isinstance(plan([make.desired(before, removed=True, **given)], {}, make.TERMS)[0], Settle)


def test_an_order_is_closed_once(make: Any) -> None:
    before = make.document(K.SALES_ORDER)
    after = before.model_copy(update={"wanted": WantedState.CLOSED})
    (step,) = plan([make.desired(after, written=make.written(before))], {}, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.CLOSE
    (again,) = plan([make.desired(after, written=make.written(before, effect=Effect.CLOSED))], {}, make.TERMS)
    assert again == Settle(after.key, Event.UNCHANGED)
    (never,) = plan([make.desired(after)], {}, make.TERMS)
    assert isinstance(never, Settle)
    assert never.event is Event.NOT_NEEDED


def test_what_was_voided_and_is_wanted_again_is_made_anew(make: Any) -> None:
    wanted = make.document()
    (step,) = plan([make.desired(wanted, written=make.written(wanted, effect=Effect.VOID))], {}, make.TERMS)
    assert isinstance(step, Write)
    assert (step.operation.operation, step.lookup) == (OperationKind.CREATE, True)


def test_what_was_deleted_in_the_ledger_waits_for_a_person(make: Any) -> None:
    before, after = make.document(), make.document(amount="80.00")
    terms = replace(make.TERMS, missing_in_ledger=frozenset({after.key}))
    (step,) = plan([make.desired(after, written=make.written(before))], {}, terms)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert step.reason.code == "LEDGER_DELETED"
    (resent,) = plan([make.desired(after, written=make.written(before), override=True)], {}, terms)
    assert isinstance(resent, Write)
    assert resent.operation.operation is OperationKind.CREATE


WAITING = Reason(code="WAITING_FOR_PAYMENT", text="not paid yet")
MISSING = Reason(code="PRODUCT_MISSING", text="no such product")
NO_BALANCE = Reason(code="NO_BALANCE", text="nothing to pay")


@pytest.mark.parametrize(
    ("hold", "event"), [(WAITING, Event.WAITS), (MISSING, Event.NEEDS_PERSON), (NO_BALANCE, Event.NOT_NEEDED)]
)
def test_a_held_document_waits_needs_a_person_or_is_skipped_by_its_code(make: Any, hold: Reason, event: Event) -> None:
    (step,) = plan([make.desired(make.document(hold=hold))], {}, make.TERMS)
    assert isinstance(step, Settle)
    assert (step.event, step.reason) == (event, hold)


def test_documents_before_the_customers_horizon_are_out_of_scope(make: Any) -> None:
    wanted = make.document(customer_key=make.CUSTOMER.key)
    customer = make.known(make.CUSTOMER.key, K.CUSTOMER, horizon=date(2026, 1, 6))
    (step,) = plan([make.desired(wanted)], {customer.key: customer}, make.TERMS)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert (step.event, step.reason.code) == (Event.NOT_NEEDED, "BEFORE_HORIZON")
    assert (step.reason.field, step.reason.value) == ("date", "2026-01-05")
    assert "dated 2026-01-05, and the customer was connected for documents from 2026-01-06 on" in step.reason.text
    on_it = replace(customer, horizon=date(2026, 1, 5))
    assert isinstance(plan([make.desired(wanted)], {customer.key: on_it}, make.TERMS)[0], Write)


def test_an_idempotency_key_changes_with_operation_and_generation_only(make: Any) -> None:
    before, after = make.document(), make.document(amount="80.00")
    given = {"written": make.written(before)}

    def key(wanted: Any, **more: Any) -> str:
        (step,) = plan([make.desired(wanted, **more)], {}, make.TERMS)
        assert isinstance(step, Write)
        return step.operation.idempotency_key

    assert key(before) == key(after)
    assert len({key(before), key(before, generation=1), key(after, **given), key(after, generation=1, **given)}) == 4
