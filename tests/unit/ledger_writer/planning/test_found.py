"""A document that somebody else writes is looked for and linked, and never written, changed or made void."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.documents import DocumentState as S
from common.messages.transactions import DocumentKind as K
from common.messages.transactions import WantedState
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.planning.model import Effect, Settle, Step, Write
from ledger_writer.planning.plan import is_others, plan
from ledger_writer.planning.states import Event


def found(make: Any, **more: Any) -> Any:
    return make.document(wanted=WantedState.FOUND, lines=(), **more)


def decided(make: Any, wanted: Any, known: Any = None, terms: Any = None, **more: Any) -> Step:
    (step,) = plan([make.desired(wanted, **more)], known or {}, terms or make.TERMS)
    return step


def test_it_is_looked_for_as_soon_as_its_customer_is_there(make: Any) -> None:
    wanted = found(make, customer_key=make.CUSTOMER.key)
    customer = make.known(make.CUSTOMER.key, K.CUSTOMER)
    step = decided(make, wanted, {customer.key: customer})
    assert isinstance(step, Write)
    assert (step.operation.operation, step.lookup) == (OperationKind.CREATE, True)
    assert step.operation.references == {customer.key: customer.link}
    waiting = decided(make, wanted, {customer.key: make.known(customer.key, K.CUSTOMER, S.QUEUED)})
    assert isinstance(waiting, Settle)
    assert (waiting.event, waiting.blocked_by) == (Event.WAITS, customer.key)
    held = decided(make, found(make, hold=Reason(code="BEFORE_HORIZON", text="Too old.")))
    assert held == Settle(wanted.key, Event.NOT_NEEDED, Reason(code="BEFORE_HORIZON", text="Too old."))


def test_once_it_is_linked_it_stays_as_it_is_whatever_the_order_says(make: Any) -> None:
    before = make.written(found(make))
    edited = found(make, amount="80.00")
    assert decided(make, edited, written=before) == Settle(edited.key, Event.UNCHANGED)
    assert decided(make, edited, written=before, override=True) == Settle(edited.key, Event.UNCHANGED)
    assert decided(make, edited, written=before, removed=True) == Settle(edited.key, Event.NOT_NEEDED)
    assert decided(make, edited, removed=True) == Settle(edited.key, Event.NOT_NEEDED)
    deleted = replace(make.TERMS, missing_in_ledger=frozenset({edited.key}))
    again = decided(make, edited, terms=deleted, written=before)
    assert isinstance(again, Write)
    assert again.operation.operation is OperationKind.CREATE


def test_only_such_a_document_is_somebody_elses(make: Any) -> None:
    assert is_others(found(make))
    assert not is_others(make.document())
    assert not is_others(make.CUSTOMER)


@pytest.mark.parametrize("links_ahead", [False, True])
def test_its_payment_waits_until_the_ledger_was_asked(make: Any, links_ahead: bool) -> None:
    invoice = found(make)
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    known = {invoice.key: make.known(invoice.key, state=S.QUEUED)}
    batch = [make.desired(payment), make.desired(invoice)]
    looks, waits = plan(batch, known, replace(make.TERMS, links_ahead=links_ahead))
    assert isinstance(looks, Write)
    assert isinstance(waits, Settle)
    assert (waits.event, waits.blocked_by) == (Event.WAITS, invoice.key)


def test_money_for_what_the_ledger_does_not_have_stays_unapplied_and_says_so(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), state=S.SKIPPED)
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    step = decided(make, payment, {invoice.key: invoice})
    assert isinstance(step, Write)
    assert (step.operation.applications, step.operation.references) == ((), {})
    (notice,) = step.notices
    assert (notice.code, notice.value) == ("PARTLY_UNAPPLIED", "0")
    assert notice.text == "77.00 USD of 77.00 could not be applied: what it pays is not in the ledger."
    needing = payment.model_copy(update={"depends_on": (invoice.key,)})
    assert isinstance(decided(make, needing, {invoice.key: invoice}), Settle)


def test_money_finds_what_was_linked_since(make: Any) -> None:
    invoice = replace(make.known(make.key_of(K.INVOICE)), open_balance=Decimal("70.00"))
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    step = decided(make, payment, {invoice.key: invoice}, written=make.written(payment))
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.UPDATE
    assert step.operation.applications == ((invoice.key, Decimal("70.00")),)
    (notice,) = step.notices
    assert notice.text == "7.00 USD of 77.00 could not be applied: the open balance is lower."


def test_what_is_gone_is_neither_there_nor_coming(make: Any) -> None:
    key = make.key_of(K.INVOICE)
    gone = {state for state in S if make.known(key, state=state, there=False).is_gone}
    assert gone == {S.SKIPPED, S.VOIDED}
    assert not make.known(key, state=S.VOIDED, there=True, link=LedgerLink("L1")).is_gone
    assert make.written(found(make)).effect is Effect.PRESENT
