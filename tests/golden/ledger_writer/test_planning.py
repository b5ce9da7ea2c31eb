"""What the ledger writer plans, judges and says about what is missing: each against its file."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.golden.mapper.agreement import expectation
from tests.unit.ledger_writer import conftest as make

from common.messages.base import Reason
from common.messages.documents import DocumentState
from common.messages.transactions import CustomerWanted, DocumentKind, ItemWanted, MissingPolicy, WantedState
from ledger_writer.ledgers.protocol import Found, LedgerLink, OperationKind
from ledger_writer.planning.candidates import Absent, Same, Unclear, judge
from ledger_writer.planning.dependencies import blocked_reason
from ledger_writer.planning.model import Effect, Later, Settle, Step, Terms, Write
from ledger_writer.planning.plan import plan

D = Decimal
FOLDER = Path(__file__).parent / "expected"
INVOICE = make.document(notices=(Reason(code="SEEN", text="Seen."),), customer_key="c" * 32)
SMALLER = make.document(amount="50.00", customer_key="c" * 32)
PAYMENT = make.document(DocumentKind.PAYMENT, "77.00", applies=[(INVOICE.key, "77.00")], customer_key="c" * 32)
CREDIT = make.document(DocumentKind.CREDIT_MEMO, "20.00", applies=[(INVOICE.key, "20.00")], customer_key="c" * 32)
ORDER = make.document(DocumentKind.SALES_ORDER)
CUSTOMER = make.known("c" * 32, DocumentKind.CUSTOMER, label="Jane Roe")
HORIZON = replace(CUSTOMER, horizon=date(2026, 1, 6))
OPEN = make.known(INVOICE.key, open_balance=D("77.00"))


def shown(step: Step) -> dict[str, Any]:
    """A step as words and numbers."""
    if isinstance(step, Settle):
        return {"settle": step.event.value, "reason": step.reason, "blocked_by": step.blocked_by}
    if isinstance(step, Later):
        return {"later": step.key, "after": step.after}
    operation = step.operation
    assert isinstance(step, Write)
    return {
        "write": operation.operation.value,
        "kind": operation.kind.value,
        "lookup": step.lookup,
        "notices": step.notices,
        "idempotency_key": operation.idempotency_key,
        "link": operation.link and operation.link.ledger_id,
        "former": operation.former and operation.former.ledger_id,
        "generation": operation.generation,
        "references": {key: link.ledger_id for key, link in operation.references.items()},
        "applications": dict(operation.applications),
        "previous": operation.previous and operation.previous.total,
        "previous_applications": dict(operation.previous_applications),
    }


TERMS: dict[str, Terms] = {
    "usual": make.TERMS,
    "not-approved": replace(make.TERMS, approved=False),
    "no-edits": replace(make.TERMS, edits_posted=False),
    "links-ahead": replace(make.TERMS, links_ahead=True),
    "closed": replace(make.TERMS, closed_through=date(2026, 1, 5)),
    "never-closed": replace(make.TERMS, closed_through=None),
    "deposited": replace(make.TERMS, deposited=frozenset({INVOICE.key, PAYMENT.key})),
    "changed": replace(make.TERMS, changed_in_ledger=frozenset({INVOICE.key, PAYMENT.key})),
    "missing": replace(make.TERMS, missing_in_ledger=frozenset({INVOICE.key, PAYMENT.key})),
}
WANTED: dict[str, Any] = {
    "same": INVOICE,
    "smaller": SMALLER,
    "on-hold": INVOICE.model_copy(update={"hold": Reason(code="WAITING", text="Waits.", cure="Wait.")}),
    "void": INVOICE.model_copy(update={"wanted": WantedState.VOID}),
    "closed": ORDER.model_copy(update={"wanted": WantedState.CLOSED}),
}


def first_written(wanted: Any, effect: Effect | None) -> Any:
    original = INVOICE if wanted.kind is DocumentKind.INVOICE else ORDER
    return None if effect is None else make.written(original, effect=effect)


@pytest.mark.parametrize("terms", TERMS)
def test_one_document_is_planned_as_its_file_says(terms: str) -> None:
    found: dict[str, Any] = {}
    # Whether we have asked for it to be taken back ourselves matters where it is gone.
    flags = ("", "removed", "override", "hold_edits", *(("undoing",) if terms == "missing" else ()))
    for name, effect, more in product(WANTED, (None, *Effect), flags):
        wanted = WANTED[name]
        flagged: dict[str, Any] = {more: True} if more else {}
        due = make.desired(wanted, written=first_written(wanted, effect), generation=2, **flagged)
        for who in (CUSTOMER, HORIZON):
            (step,) = plan([due], {CUSTOMER.key: who, wanted.key: replace(OPEN, key=wanted.key)}, TERMS[terms])
            suffix = " before the horizon" if who is HORIZON else ""
            found[f"{name}, {effect and effect.value}, {more or 'plain'}{suffix}"] = shown(step)
    text, expected = expectation(f"one-{terms}", found, FOLDER)
    assert text == expected


def several() -> dict[str, tuple[Sequence[Any], Any]]:
    """Plans of several documents, with what is known of others."""
    paid = ((INVOICE.key, D("77.00")),)
    less = PAYMENT.model_copy(update={"applications": (PAYMENT.applications[0].model_copy(update={"amount": D(50)}),)})
    written_payment = make.written(PAYMENT, applications=paid)
    written_invoice = make.written(INVOICE)
    full = replace(OPEN, open_balance=D("0.00"))
    due = make.desired
    return {
        "all-new": ([due(PAYMENT), due(INVOICE), due(ORDER), due(CREDIT)], {}),
        "payment-of-written": ([due(PAYMENT)], {INVOICE.key: OPEN}),
        "payment-of-part-open": ([due(PAYMENT)], {INVOICE.key: replace(OPEN, open_balance=D("30.00"))}),
        "payment-of-paid": ([due(PAYMENT)], {INVOICE.key: full}),
        "payment-of-queued": ([due(PAYMENT)], {INVOICE.key: make.known(INVOICE.key, state=DocumentState.QUEUED)}),
        "payment-of-unknown": ([due(PAYMENT)], {}),
        "payment-of-edited": (
            [due(PAYMENT)],
            {INVOICE.key: make.known(INVOICE.key, state=DocumentState.QUEUED, there=True, open_balance=D("30.00"))},
        ),
        "two-payments": ([due(PAYMENT), due(CREDIT)], {INVOICE.key: replace(OPEN, open_balance=D("80.00"))}),
        "repaid": ([due(PAYMENT, written=written_payment)], {INVOICE.key: full}),
        "paid-less": ([due(less, written=written_payment)], {INVOICE.key: full}),
        "smaller-and-paid-less": (
            [due(SMALLER, written=written_invoice), due(less, written=written_payment)],
            {INVOICE.key: full},
        ),
        "smaller-and-payment-gone": (
            [due(SMALLER, written=written_invoice), due(PAYMENT, written=written_payment, removed=True)],
            {INVOICE.key: full},
        ),
        "moved-to-credit": (
            [due(PAYMENT, written=written_payment, removed=True), due(CREDIT)],
            {INVOICE.key: full},
        ),
        "shared": ([due(make.CUSTOMER, kind=DocumentKind.CUSTOMER), due(make.ITEM, kind=DocumentKind.ITEM)], {}),
        "shared-written": (
            [due(make.CUSTOMER, kind=DocumentKind.CUSTOMER, written=make.written(INVOICE))],
            {},
        ),
        "closes-skipped": (
            [due(INVOICE.model_copy(update={"closes": (ORDER.key,)}))],
            {ORDER.key: make.known(ORDER.key, DocumentKind.SALES_ORDER, DocumentState.SKIPPED)},
        ),
        "needs-skipped": (
            [due(INVOICE.model_copy(update={"closes": (ORDER.key,), "depends_on": (ORDER.key,)}))],
            {ORDER.key: make.known(ORDER.key, DocumentKind.SALES_ORDER, DocumentState.SKIPPED)},
        ),
        "former": ([due(INVOICE, former=LedgerLink("OLD"))], {}),
    }


@pytest.mark.parametrize("terms", ["usual", "links-ahead", "no-edits"])
@pytest.mark.parametrize("name", several())
def test_several_documents_are_planned_as_their_file_says(name: str, terms: str) -> None:
    due, known = several()[name]
    steps = plan(due, {CUSTOMER.key: CUSTOMER, **known}, TERMS[terms])
    text, expected = expectation(f"several-{name}-{terms}", [shown(step) for step in steps], FOLDER)
    assert text == expected


@pytest.mark.parametrize("state", DocumentState)
def test_what_keeps_a_document_back_is_named_as_its_file_says(state: DocumentState) -> None:
    found: dict[str, Any] = {}
    for code in ("", "WAITING_FOR_PAYMENT", "REFUSED"):
        for kind, label in ((DocumentKind.INVOICE, "1001"), (DocumentKind.CREDIT_MEMO, "")):
            because = Reason(code=code, text="Because.", cure="Cure.") if code else None
            found[f"{code} {kind.value}"] = blocked_reason(
                make.known(INVOICE.key, kind, state, label=label, reason=because)
            )
    text, expected = expectation(f"blocked-{state.value}", found, FOLDER)
    assert text == expected


def candidate(ledger_id: str, **more: Any) -> Found:
    link = LedgerLink(ledger_id, name=more.pop("name", ""), total=more.pop("total", INVOICE.total))
    return Found(**{"link": link, "mark": None} | more)


FOUND: dict[str, list[Found]] = {
    "nothing": [],
    "ours": [candidate("1", mark=INVOICE.mark)],
    "ours-twice": [candidate("1", mark=INVOICE.mark), candidate("2", mark=INVOICE.mark)],
    "ours-gone": [candidate("1", mark=INVOICE.mark, active=False)],
    "another-shop's": [candidate("1", mark="other")],
    "unmarked": [candidate("1", customer="L-cccc", memo_number="1001")],
    "unmarked-memo": [candidate("1", customer="L-cccc", memo_number="999")],
    "unmarked-customer": [candidate("1", customer="X")],
    "unmarked-total": [candidate("1", customer="L-cccc", total=D("1.00"))],
    "unmarked-twice": [candidate("1", customer="L-cccc"), candidate("2", customer="L-cccc")],
    "linked": [candidate("9", customer="L-cccc", mark=INVOICE.mark)],
    "named": [candidate("1", name="jane roe", kind_in_ledger="employee")],
    "named-all": [
        candidate(str(i), name=f"Jane Roe{suffix}", kind_in_ledger="employee")
        for i, suffix in enumerate(("", " (C)", "-1", "-2", "-3", "-4", "-5"))
    ],
    "inactive": [candidate("1", name="Jane Roe", active=False)],
    "two": [candidate("1", name="Jane Roe"), candidate("2", name="Jane Roe")],
}
ASKED: dict[str, Any] = {
    "invoice": INVOICE,
    "order": ORDER.model_copy(update={"customer_key": "c" * 32}),
    "unnumbered": INVOICE.model_copy(update={"number": None, "memo_number": "M-1"}),
    "customer": make.CUSTOMER,
    "customer-stop": make.CUSTOMER.model_copy(update={"missing": MissingPolicy.STOP}),
    "customer-chosen": make.CUSTOMER.model_copy(update={"ledger_id": "2"}),
    "item": make.ITEM,
    "item-stop": make.ITEM.model_copy(update={"missing": MissingPolicy.STOP, "sku": "MUG"}),
    "item-chosen": make.ITEM.model_copy(update={"ledger_id": "2"}),
}


def kind_of(wanted: Any) -> DocumentKind:
    if isinstance(wanted, CustomerWanted):
        return DocumentKind.CUSTOMER
    if isinstance(wanted, ItemWanted):
        return DocumentKind.ITEM
    kind: DocumentKind = wanted.kind
    return kind


@pytest.mark.parametrize("asked", ASKED)
def test_what_a_look_up_found_is_judged_as_its_file_says(asked: str) -> None:
    wanted = ASKED[asked]
    (step,) = plan([make.desired(wanted, kind=kind_of(wanted))], {CUSTOMER.key: CUSTOMER}, make.TERMS)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.CREATE
    answers: dict[str, Any] = {}
    for name, duplicate in product(FOUND, (False, True)):
        verdict = judge(step.operation, FOUND[name], frozenset({"9"}), duplicate=duplicate)
        if isinstance(verdict, Same):
            answers[f"{name} {duplicate}"] = {"same": asdict(verdict.link)}
        elif isinstance(verdict, Absent):
            shown_name = getattr(verdict.wanted, "display_name", "")
            answers[f"{name} {duplicate}"] = {"absent": shown_name, "unchanged": verdict.wanted is wanted}
        else:
            assert isinstance(verdict, Unclear)
            answers[f"{name} {duplicate}"] = verdict.reason
    text, expected = expectation(f"judged-{asked}", answers, FOLDER)
    assert text == expected
