"""What a document needs, and how a bookkeeper is told what is missing."""

from dataclasses import replace
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.documents import DocumentState as S
from common.messages.transactions import DocumentKind as K
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.planning.dependencies import referred
from ledger_writer.planning.model import Settle, Write
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import Event

FAILED = Reason(code="ACCOUNT_INVALID", text="the account is gone")
LATER = Reason(code="WAITING_FOR_PAYMENT", text="Not paid yet.")

CASES = [
    # state of the invoice                      its reason  code of the payment           names it
    (S.NOT_TRIED,                               None,       "WAITING_FOR_INVOICE",        True),
    (S.QUEUED,                                  None,       "WAITING_FOR_INVOICE",        True),
    (S.IN_FLIGHT,                               None,       "WAITING_FOR_INVOICE",        True),
    (S.RETRY_WAIT,                              FAILED,     "WAITING_FOR_INVOICE",        True),
    (S.UNKNOWN,                                 FAILED,     "WAITING_FOR_INVOICE",        True),
    (S.BLOCKED,                                 LATER,      "WAITING_FOR_INVOICE",        True),
    (S.BLOCKED,                                 FAILED,     "DEPENDENCY_FAILED",          True),
    (S.ACTION_REQUIRED,                         FAILED,     "DEPENDENCY_FAILED",          True),
    (S.DISMISSED,                               FAILED,     "DISMISSED_DEPENDENCY",       True),
    (S.SKIPPED,                                 None,       "DEPENDENCY_NOT_IN_LEDGER",   True),
    (S.VOIDED,                                  None,       "DEPENDENCY_NOT_IN_LEDGER",   True),
]  # fmt: skip


@pytest.mark.parametrize(("state", "reason", "code", "names"), CASES)
def test_a_payment_waits_for_its_invoice_and_says_so(
    make: Any, state: S, reason: Reason | None, code: str, names: bool
) -> None:
    invoice = make.known(make.key_of(K.INVOICE), state=state, reason=reason, label="INV-7")
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")], depends_on=(invoice.key,))
    (step,) = plan([make.desired(payment)], {invoice.key: invoice}, make.TERMS)
    assert isinstance(step, Settle)
    assert (step.event, step.blocked_by) == (Event.WAITS, invoice.key)
    assert step.reason is not None
    assert step.reason.code == code
    assert ("invoice INV-7" in step.reason.text) is names


def test_a_failing_dependency_is_quoted(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), state=S.ACTION_REQUIRED, reason=FAILED)
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    (step,) = plan([make.desired(payment)], {invoice.key: invoice}, make.TERMS)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert FAILED.text in step.reason.text


def test_an_invoice_in_the_ledger_is_enough_even_while_its_edit_is_held(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), state=S.ACTION_REQUIRED, there=True, reason=FAILED)
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    (step,) = plan([make.desired(payment)], {invoice.key: invoice}, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.references == {invoice.key: invoice.link}


def test_a_document_that_has_not_arrived_is_waited_for(make: Any) -> None:
    payment = make.document(K.PAYMENT, applies=[("f" * 32, "77.00")])
    (step,) = plan([make.desired(payment)], {}, make.TERMS)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert (step.reason.code, step.blocked_by) == ("WAITING_FOR_DOCUMENT", "f" * 32)


@pytest.mark.parametrize("state", [S.SKIPPED, S.VOIDED])
def test_an_order_that_will_never_be_written_does_not_keep_the_invoice_back(make: Any, state: S) -> None:
    order = make.known(make.key_of(K.SALES_ORDER), K.SALES_ORDER, state)
    invoice = make.document(closes=(order.key,))
    assert isinstance(plan([make.desired(invoice)], {order.key: order}, make.TERMS)[0], Write)
    needing = invoice.model_copy(update={"depends_on": (order.key,)})
    assert isinstance(plan([make.desired(needing)], {order.key: order}, make.TERMS)[0], Settle)


def test_everything_a_document_mentions_is_a_dependency_named_once(make: Any) -> None:
    line = make.document().lines[0].model_copy(update={"item_key": "i" * 32, "document_key": "g" * 32})
    wanted = make.document(
        customer_key="c" * 32,
        lines=(line, line),
        depends_on=("d" * 32, "c" * 32),
        closes=("s" * 32,),
        applies=[("a" * 32, "1.00")],
    )
    assert list(referred(wanted)) == [letter * 32 for letter in "cigdsa"]
    assert list(referred(make.CUSTOMER)) == []


def test_a_ledger_whose_ids_are_known_takes_an_order_in_one_batch(make: Any) -> None:
    invoice = make.document(customer_key=make.CUSTOMER.key)
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    batch = [make.desired(payment), make.desired(invoice), make.desired(make.CUSTOMER, kind=K.CUSTOMER)]
    steps = plan(batch, {}, replace(make.TERMS, links_ahead=True))
    assert [step.operation.kind for step in steps if isinstance(step, Write)] == [K.CUSTOMER, K.INVOICE, K.PAYMENT]
    assert isinstance(steps[1], Write)
    assert steps[1].operation.references == {make.CUSTOMER.key: LedgerLink(make.CUSTOMER.key, name="Jane Roe")}


def test_another_ledger_takes_it_in_turns(make: Any) -> None:
    customer = make.known(make.CUSTOMER.key, K.CUSTOMER, S.QUEUED)
    invoice = make.document(customer_key=make.CUSTOMER.key)
    steps = plan(
        [make.desired(invoice), make.desired(make.CUSTOMER, kind=K.CUSTOMER)], {customer.key: customer}, make.TERMS
    )
    assert isinstance(steps[0], Write)
    assert isinstance(steps[1], Settle)
    assert steps[1].blocked_by == customer.key


@pytest.mark.parametrize(("removed", "code"), [(True, "DEPENDENCY_NOT_IN_LEDGER"), (False, "WAITING_FOR_INVOICE")])
def test_nothing_new_refers_to_what_the_same_batch_voids(make: Any, removed: bool, code: str) -> None:
    before, after = make.document(), make.document(amount="80.00")
    payment = make.document(K.PAYMENT, applies=[(before.key, "77.00")], depends_on=(before.key,))
    batch = [make.desired(payment), make.desired(after, written=make.written(before), removed=removed)]
    terms = replace(make.TERMS, edits_posted=False)
    steps = plan(batch, {before.key: make.known(before.key)}, terms)
    assert isinstance(steps[0], Write)
    assert isinstance(steps[1], Settle)
    assert steps[1].reason is not None
    assert steps[1].reason.code == code
