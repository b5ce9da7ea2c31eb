"""Nothing new of an order is booked while what it takes the place of still stands in the ledger."""

from dataclasses import replace
from typing import Any

import pytest

from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState as S
from common.messages.transactions import DocumentKind as K
from ledger_writer.ledgers.protocol import OperationKind
from ledger_writer.planning.model import Known, Settle, Write
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import Event

DEPOSITED = Reason(code="DEPOSITED", text="It is part of a deposit.", cure="Take it out.")


def standing(make: Any, state: S, reason: Reason | None = None) -> Known:
    known: Known = make.known(make.key_of(K.SALES_RECEIPT), K.SALES_RECEIPT, state, there=True, reason=reason)
    return known


@pytest.mark.parametrize(
    ("state", "reason", "code", "severity"),
    [
        (S.QUEUED, None, "WAITING_FOR_REMOVAL", Severity.WARNING),
        (S.RETRY_WAIT, None, "WAITING_FOR_REMOVAL", Severity.WARNING),
        (S.ACTION_REQUIRED, DEPOSITED, "REPLACED_STILL_IN_LEDGER", Severity.ERROR),
        (S.DISMISSED, DEPOSITED, "REPLACED_STILL_IN_LEDGER", Severity.ERROR),
    ],
)
@pytest.mark.parametrize("override", [False, True])
def test_a_create_waits_for_the_removed_document_of_its_set(
    make: Any, state: S, reason: Reason | None, code: str, severity: Severity, override: bool
) -> None:
    old = standing(make, state, reason)
    due = make.desired(make.document(), set_key="set", override=override)
    (step,) = plan([due], {}, make.TERMS, {"set": old})
    assert isinstance(step, Settle)
    assert (step.event, step.blocked_by) == (Event.WAITS, old.key)
    assert step.reason is not None
    assert (step.reason.code, step.reason.severity) == (code, severity)
    assert "sales receipt 1001" in step.reason.text
    assert (reason is None) or reason.text in step.reason.text
    assert step.reason.cure
    assert ("dismissal" in step.reason.cure) is (state is S.DISMISSED)


def test_other_sets_and_documents_that_post_nothing_and_edits_do_not_wait(make: Any) -> None:
    leaving = {"set": standing(make, S.ACTION_REQUIRED, DEPOSITED)}
    other = make.desired(make.document(), set_key="another")
    order = make.desired(make.document(K.SALES_ORDER), set_key="set")
    credit = make.document(K.CREDIT_MEMO, "10.00")
    edit = make.desired(make.document(K.CREDIT_MEMO, "12.00"), set_key="set", written=make.written(credit))
    steps = plan([other, order, edit], {}, make.TERMS, leaving)
    operations = {step.operation.kind: step.operation.operation for step in steps if isinstance(step, Write)}
    assert operations == {
        K.INVOICE: OperationKind.CREATE,
        K.SALES_ORDER: OperationKind.CREATE,
        K.CREDIT_MEMO: OperationKind.UPDATE,
    }


@pytest.mark.parametrize("links_ahead", [False, True])
def test_the_removed_document_is_made_void_while_its_successor_waits(make: Any, links_ahead: bool) -> None:
    receipt = make.document(K.SALES_RECEIPT)
    old = make.desired(receipt, set_key="set", written=make.written(receipt), removed=True)
    terms = replace(make.TERMS, links_ahead=links_ahead)
    steps = plan([old, make.desired(make.document(), set_key="set")], {}, terms, {"set": standing(make, S.QUEUED)})
    written = [step.operation for step in steps if isinstance(step, Write)]
    assert [(one.document_key, one.operation) for one in written] == [(receipt.key, OperationKind.VOID)]
    assert [step.blocked_by for step in steps if isinstance(step, Settle)] == [receipt.key]


def test_a_removed_document_that_is_gone_from_the_ledger_asks_for_nothing(make: Any) -> None:
    receipt = make.document(K.SALES_RECEIPT)
    old = make.desired(receipt, written=make.written(receipt), removed=True)
    (step,) = plan([old], {}, replace(make.TERMS, missing_in_ledger=frozenset({receipt.key})))
    assert isinstance(step, Settle)
    assert step.event is Event.NOT_NEEDED


def test_what_a_request_of_ours_took_away_is_void_and_not_asked_for_again(make: Any) -> None:
    receipt = make.document(K.SALES_RECEIPT)
    old = make.desired(receipt, written=make.written(receipt), removed=True, undoing=True)
    # Closed meanwhile: what is gone can't be held back any more.
    terms = replace(make.TERMS, missing_in_ledger=frozenset({receipt.key}), closed_through=receipt.date)
    assert plan([old], {}, terms) == [Settle(receipt.key, Event.VOIDED)]
    (step,) = plan([old], {}, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.VOID


def test_what_a_request_of_ours_took_away_is_made_anew_when_it_is_wanted_again(make: Any) -> None:
    before, after = make.document(K.SALES_RECEIPT), make.document(K.SALES_RECEIPT, amount="80.00")
    terms = replace(make.TERMS, missing_in_ledger=frozenset({after.key}))
    (step,) = plan([make.desired(after, written=make.written(before), undoing=True)], {}, terms)
    assert isinstance(step, Write)
    assert (step.operation.operation, step.lookup) == (OperationKind.CREATE, True)


def test_a_document_before_the_customers_horizon_is_not_needed(make: Any) -> None:
    hold = Reason(code="BEFORE_HORIZON", text="Too old.", cure="Move the horizon.")
    (step,) = plan([make.desired(make.document(hold=hold))], {}, make.TERMS)
    assert step == Settle(make.document().key, Event.NOT_NEEDED, hold)
