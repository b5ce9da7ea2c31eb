"""Which document a step is about, what it is sent with, and what planning it tells the documents after it."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState as S
from common.messages.transactions import Document, WantedState
from common.messages.transactions import DocumentKind as K
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.planning.content import body_hash, content_hash, encode
from ledger_writer.planning.model import Effect, Later, Settle, Step, Write
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import Event

D = Decimal
HELD = Reason(code="PRODUCT_MISSING", text="no such product")


def settled(step: Step) -> Settle:
    assert isinstance(step, Settle)
    return step


def sent(step: Step) -> Write:
    assert isinstance(step, Write)
    return step


SETTLED: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], Event, str | None]] = [
    ("gone", {}, {"written": True}, {"missing_in_ledger": True}, Event.NEEDS_PERSON, "LEDGER_DELETED"),
    ("unwanted", {"wanted": WantedState.VOID}, {}, {}, Event.NOT_NEEDED, "NOT_NEEDED"),
    ("void", {"wanted": WantedState.VOID}, {"effect": Effect.VOID}, {}, Event.VOIDED, None),
    (
        "deposited",
        {"wanted": WantedState.VOID},
        {"written": True},
        {"deposited": True},
        Event.NEEDS_PERSON,
        "DEPOSITED",
    ),
    ("closed", {"wanted": WantedState.CLOSED}, {}, {}, Event.NOT_NEEDED, "NOT_NEEDED"),
    ("close void", {"wanted": WantedState.CLOSED}, {"effect": Effect.VOID}, {}, Event.NOT_NEEDED, "NOT_NEEDED"),
    ("unapproved", {}, {}, {"approved": False}, Event.WAITS, "WAITING_FOR_APPROVAL"),
    ("unapproved period", {"date": date(2025, 12, 31)}, {}, {"approved": False}, Event.NEEDS_PERSON, "PERIOD_CLOSED"),
    ("period", {"date": date(2025, 12, 31)}, {}, {}, Event.NEEDS_PERSON, "PERIOD_CLOSED"),
    ("held", {"hold": HELD}, {}, {}, Event.NEEDS_PERSON, "PRODUCT_MISSING"),
    ("asked away", {"hold": HELD.model_copy(update={"code": "NO_BALANCE"})}, {}, {}, Event.NOT_NEEDED, "NO_BALANCE"),
    ("held edit", {"amount": "80.00"}, {"written": True, "hold_edits": True}, {}, Event.NEEDS_PERSON, "SOURCE_CHANGED"),
    ("unchanged", {}, {"written": True}, {}, Event.UNCHANGED, None),
    ("waits", {"depends_on": ("d" * 32,)}, {}, {}, Event.WAITS, "WAITING_FOR_DOCUMENT"),
]


@pytest.mark.parametrize(
    ("change", "due", "terms", "event", "code"), [row[1:] for row in SETTLED], ids=[row[0] for row in SETTLED]
)
def test_a_document_that_is_not_sent_is_settled_under_its_own_key(
    make: Any, change: dict[str, Any], due: dict[str, Any], terms: dict[str, Any], event: Event, code: str | None
) -> None:
    wanted = make.document(**change)
    due = dict(due)
    if due.pop("written", False):
        due["written"] = make.written(make.document())
    if effect := due.pop("effect", None):
        due["written"] = make.written(make.document(), effect=effect)
    given = {name: value if name == "approved" else frozenset({wanted.key}) for name, value in terms.items()}
    (step,) = plan([make.desired(wanted, **due)], {}, replace(make.TERMS, **given))
    found = settled(step)
    assert (found.key, found.event) == (wanted.key, event)
    assert (found.reason.code if found.reason else None) == code


def test_a_deleted_document_is_named_by_the_id_it_had(make: Any) -> None:
    wanted = make.document()
    terms = replace(make.TERMS, missing_in_ledger=frozenset({wanted.key}))
    (step,) = plan([make.desired(wanted, written=make.written(wanted, ledger_id="L77"))], {}, terms)
    reason = settled(step).reason
    assert reason is not None
    assert (reason.value, bool(reason.cure)) == ("L77", True)


def test_customers_and_items_are_settled_under_their_own_keys(make: Any) -> None:
    customer = make.desired(make.CUSTOMER, kind=K.CUSTOMER)
    (waiting,) = plan([customer], {}, replace(make.TERMS, approved=False))
    assert (settled(waiting).key, settled(waiting).event) == (make.CUSTOMER.key, Event.WAITS)
    there = replace(customer, written=make.written(make.document()))
    (step,) = plan([there], {}, make.TERMS)
    assert step == Settle(make.CUSTOMER.key, Event.UNCHANGED)
    (made,) = plan([customer], {}, make.TERMS)
    assert (sent(made).operation.operation, sent(made).lookup) == (OperationKind.CREATE, True)
    assert sent(made).operation.former is None


def test_a_customers_horizon_is_told_under_the_documents_key(make: Any) -> None:
    wanted = make.document(customer_key=make.CUSTOMER.key)
    customer = make.known(make.CUSTOMER.key, K.CUSTOMER, horizon=date(2026, 1, 6))
    (step,) = plan([make.desired(wanted)], {customer.key: customer}, make.TERMS)
    found = settled(step)
    assert found.reason is not None
    assert (found.key, found.reason.field, found.reason.severity) == (wanted.key, "date", Severity.WARNING)


def test_closing_an_order_is_sent_with_what_the_order_refers_to(make: Any) -> None:
    customer = make.known(make.CUSTOMER.key, K.CUSTOMER)
    before = make.document(K.SALES_ORDER, customer_key=customer.key)
    after = before.model_copy(update={"wanted": WantedState.CLOSED})
    (step,) = plan([make.desired(after, written=make.written(before))], {customer.key: customer}, make.TERMS)
    operation = sent(step).operation
    assert (operation.operation, operation.references) == (OperationKind.CLOSE, {customer.key: customer.link})
    assert operation.former is None


def test_a_list_of_orders_hangs_on_summaries_alone_and_on_one_that_posts_nothing_even_in_a_closed_period(
    make: Any,
) -> None:
    order = make.document()
    terms = replace(make.TERMS, attaches=True, closed_through=order.date)
    (step,) = plan([make.desired(order, written=make.written(order))], {}, replace(terms, closed_through=None))
    assert step == Settle(order.key, Event.UNCHANGED)
    summary = make.document(K.SALES_ORDER, source_kind="summary", note="#1, #2")
    (step,) = plan([make.desired(summary, written=make.written(summary))], {}, terms)
    assert sent(step).operation.operation is OperationKind.UPDATE


def test_what_is_taken_back_is_judged_by_the_date_that_stands_in_the_books(make: Any) -> None:
    stands = make.document()
    given_up = make.document(wanted=WantedState.VOID, date=date(2025, 12, 31))
    (step,) = plan([make.desired(given_up, written=make.written(stands))], {}, make.TERMS)
    assert sent(step).operation.operation is OperationKind.VOID


def test_a_document_whose_written_content_is_not_kept_is_taken_back_all_the_same(make: Any) -> None:
    stands = replace(make.written(make.document()), document=None)
    (step,) = plan([make.desired(make.document(), written=stands, removed=True)], {}, make.TERMS)
    operation = sent(step).operation
    assert (operation.operation, operation.previous, operation.references) == (OperationKind.VOID, None, {})


def test_an_edit_is_sent_with_what_both_versions_refer_to(make: Any) -> None:
    old, new = (make.known(letter * 32, K.CUSTOMER) for letter in "on")
    before = make.document(customer_key=old.key)
    after = make.document(amount="80.00", customer_key=new.key)
    former = LedgerLink("L0")
    (step,) = plan(
        [make.desired(after, written=make.written(before), former=former)], {old.key: old, new.key: new}, make.TERMS
    )
    operation = sent(step).operation
    assert operation.references == {old.key: old.link, new.key: new.link}
    assert (operation.operation, operation.former) == (OperationKind.UPDATE, None)


@pytest.mark.parametrize("wanted", [WantedState.VOID, WantedState.CLOSED])
def test_what_is_wanted_no_more_may_still_stand_where_its_link_was_given_up(make: Any, wanted: WantedState) -> None:
    document = make.document(K.SALES_ORDER).model_copy(update={"wanted": wanted})
    (step,) = plan([make.desired(document, former=LedgerLink("L0"))], {}, make.TERMS)
    found = settled(step)
    assert (found.key, found.event) == (document.key, Event.NEEDS_PERSON)
    assert found.reason is not None
    assert (found.reason.code, found.reason.value, bool(found.reason.cure)) == ("LINK_GIVEN_UP", "L0", True)


def test_a_document_made_again_knows_what_it_was(make: Any) -> None:
    wanted = make.document()
    former = LedgerLink("L0")
    (step,) = plan([make.desired(wanted, former=former)], {}, make.TERMS)
    assert sent(step).operation.former == former


@pytest.mark.parametrize("effect", [Effect.PRESENT, Effect.VOID])
def test_an_edit_knows_what_the_unanswered_one_before_it_said_and_a_new_document_need_not(
    make: Any, effect: Effect
) -> None:
    before, said, wanted = (make.document(amount=amount) for amount in ("77.00", "78.00", "80.00"))
    due = make.desired(wanted, written=make.written(before, effect=effect), unanswered=True, sent=(said,))
    operation = sent(plan([due], {}, make.TERMS)[0]).operation
    is_edit = effect is Effect.PRESENT
    expected = (OperationKind.UPDATE, before, (said,)) if is_edit else (OperationKind.CREATE, None, ())
    assert (operation.operation, operation.previous, operation.sent) == expected


def test_what_is_written_stays_while_what_it_refers_to_is_missing_but_a_changed_one_waits(make: Any) -> None:
    applied = [("a" * 32, "77.00")]
    before = make.document(K.PAYMENT, applies=applied)
    (step,) = plan([make.desired(before, written=make.written(before))], {}, make.TERMS)
    assert step == Settle(before.key, Event.UNCHANGED)
    changed = make.document(K.PAYMENT, applies=applied, memo_number="1002")
    (step,) = plan([make.desired(changed, written=make.written(before))], {}, make.TERMS)
    found = settled(step)
    assert (found.key, found.event, found.blocked_by) == (changed.key, Event.WAITS, "a" * 32)


def test_an_applied_payment_that_did_not_change_needs_nothing(make: Any) -> None:
    invoice = make.known(make.key_of(K.INVOICE), open_balance=D("0.00"))
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    written = make.written(payment, applications=((invoice.key, D("77.00")),))
    (step,) = plan([make.desired(payment, written=written)], {invoice.key: invoice}, make.TERMS)
    assert step == Settle(payment.key, Event.UNCHANGED)


@pytest.mark.parametrize(("after", "waits"), [("50.00", True), ("77.00", False), ("80.00", False)])
def test_money_comes_off_an_invoice_before_its_total_shrinks(make: Any, after: str, waits: bool) -> None:
    other = make.known("o" * 32, open_balance=D("77.00"))
    invoice = make.document()
    known = {invoice.key: make.known(invoice.key, open_balance=D("0.00")), other.key: other}
    paid = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    moved = make.document(K.PAYMENT, applies=[(other.key, "77.00")])
    edited = make.document(amount=after, memo_number="1001-A")
    steps = plan(
        [
            make.desired(edited, written=make.written(invoice)),
            make.desired(moved, written=make.written(paid, applications=((invoice.key, D("77.00")),))),
        ],
        known,
        make.TERMS,
    )
    assert sent(steps[0]).operation.document_key == moved.key
    if waits:
        assert steps[1] == Later(edited.key, moved.key)
    else:
        assert sent(steps[1]).operation.document_key == edited.key


def test_a_payment_of_two_invoices_waits_for_the_one_that_is_still_being_edited(make: Any) -> None:
    first = make.known("a" * 32, open_balance=D("30.00"), label="A")
    second = make.known("b" * 32, state=S.QUEUED, there=True, open_balance=D("10.00"), label="B")
    payment = make.document(K.PAYMENT, applies=[(first.key, "30.00"), (second.key, "47.00")])
    (step,) = plan([make.desired(payment)], {first.key: first, second.key: second}, make.TERMS)
    found = settled(step)
    assert (found.key, found.event, found.blocked_by) == (payment.key, Event.WAITS, second.key)
    enough = replace(second, open_balance=D("47.00"))
    (step,) = plan([make.desired(payment)], {first.key: first, second.key: enough}, make.TERMS)
    assert sent(step).operation.applications == ((first.key, D("30.00")), (second.key, D("47.00")))


def test_a_later_document_quotes_why_an_earlier_one_of_the_same_plan_is_held(make: Any) -> None:
    invoice = make.document(hold=HELD)
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    known = {invoice.key: make.known(invoice.key, state=S.QUEUED)}
    steps = plan([make.desired(payment), make.desired(invoice)], known, make.TERMS)
    found = settled(steps[1])
    assert found.reason is not None
    assert (found.key, found.reason.code) == (payment.key, "DEPENDENCY_FAILED")
    assert found.reason.text == f"Needs invoice 1001, which is not in the ledger: {HELD.text}"
    assert found.reason.value == "1001"


def test_a_later_document_waits_with_an_earlier_one_of_the_same_plan(make: Any) -> None:
    missing = make.known("d" * 32, K.SALES_ORDER, state=S.QUEUED, label="S1")
    invoice = make.document(depends_on=(missing.key,))
    payment = make.document(K.PAYMENT, applies=[(invoice.key, "77.00")])
    known = {missing.key: missing, invoice.key: make.known(invoice.key, state=S.ACTION_REQUIRED)}
    found = settled(plan([make.desired(invoice), make.desired(payment)], known, make.TERMS)[1])
    assert found.reason is not None
    assert (found.reason.code, found.reason.severity) == ("WAITING_FOR_INVOICE", Severity.WARNING)
    assert found.reason.text == "Waits for invoice 1001. Waits for sales order S1."


REPLACED = [
    (S.QUEUED, None, "WAITING_FOR_REMOVAL", "Takes the place of invoice 1001, which is about to be made void."),
    (S.BLOCKED, None, "REPLACED_STILL_IN_LEDGER", "Takes the place of invoice 1001, which is still in the ledger."),
    (
        S.ACTION_REQUIRED,
        HELD,
        "REPLACED_STILL_IN_LEDGER",
        "Takes the place of invoice 1001, which is still in the ledger: no such product",
    ),
]


@pytest.mark.parametrize(("state", "reason", "code", "text"), REPLACED)
@pytest.mark.parametrize("label", ["1001", ""])
def test_what_stands_in_the_way_is_named_by_its_number(
    make: Any, state: S, reason: Reason | None, code: str, text: str, label: str
) -> None:
    leaving = make.known(make.key_of(K.INVOICE), state=state, there=True, reason=reason, label=label)
    receipt = make.document(K.SALES_RECEIPT)
    (step,) = plan([make.desired(receipt, set_key="set")], {}, make.TERMS, {"set": leaving})
    found = settled(step)
    assert found.reason is not None
    assert (found.key, found.event, found.blocked_by) == (receipt.key, Event.WAITS, leaving.key)
    assert (found.reason.code, found.reason.value) == (code, label or None)
    assert found.reason.text == (text if label else text.replace(" 1001", ""))
    assert found.reason.cure


@pytest.mark.parametrize("state", [S.ACTION_REQUIRED, S.BLOCKED])
def test_a_long_cause_is_cut_to_what_a_reason_holds(make: Any, state: S) -> None:
    because = Reason(code="ACCOUNT_INVALID", text="x" * 4000)
    leaving = make.known(make.key_of(K.INVOICE), state=state, there=True, reason=because)
    (step,) = plan([make.desired(make.document(K.SALES_RECEIPT), set_key="s")], {}, make.TERMS, {"s": leaving})
    assert len((settled(step).reason or HELD).text) == 4000
    needed = make.known("a" * 32, state=state, there=False, reason=because)
    (step,) = plan([make.desired(make.document(depends_on=(needed.key,)))], {needed.key: needed}, make.TERMS)
    assert len((settled(step).reason or HELD).text) == 4000


def test_everything_planned_in_a_batch_is_there_for_a_document_that_needs_several(make: Any) -> None:
    item = make.ITEM
    outside = make.known("o" * 32, K.SALES_ORDER)
    line = make.document().lines[0].model_copy(update={"item_key": item.key})
    invoice = make.document(customer_key=make.CUSTOMER.key, lines=(line,), closes=(outside.key,))
    batch = [
        make.desired(invoice),
        make.desired(make.CUSTOMER, kind=K.CUSTOMER),
        make.desired(item, kind=K.ITEM),
    ]
    steps = plan(batch, {outside.key: outside}, replace(make.TERMS, links_ahead=True))
    assert sent(steps[-1]).operation.references == {
        make.CUSTOMER.key: LedgerLink(make.CUSTOMER.key, name="Jane Roe"),
        item.key: LedgerLink(item.key, name="Mug"),
        outside.key: outside.link,
    }


ADDED: list[dict[str, Any]] = [
    {},
    {"hold": HELD},
    {"notices": (HELD,)},
    {"depends_on": ("d" * 32,)},
    {"wanted": WantedState.VOID},
    {"hold": HELD, "notices": (HELD, HELD), "depends_on": ("d" * 32,), "wanted": WantedState.CLOSED},
]


@pytest.mark.parametrize("change", ADDED, ids=lambda change: "+".join(change) or "nothing")
def test_a_stored_document_is_read_back_as_it_was_and_holds_no_field_at_its_default(
    make: Any, change: dict[str, Any]
) -> None:
    wanted = make.document(**change)
    body, fingerprint = encode(wanted)
    assert Document.model_validate_json(body) == wanted
    assert json.loads(body) == json.loads(wanted.model_dump_json(exclude_defaults=True))
    assert len(body) == len(wanted.model_dump_json(exclude_defaults=True)), "each field once"
    assert fingerprint == content_hash(make.document())
    assert len(fingerprint) == len(body_hash(wanted)) == 32


def test_stored_customers_hold_no_field_at_its_default(make: Any) -> None:
    body, fingerprint = encode(make.CUSTOMER)
    assert json.loads(body) == json.loads(make.CUSTOMER.model_dump_json(exclude_defaults=True))
    assert fingerprint == content_hash(make.CUSTOMER)


def test_fingerprints_stay_what_they_were_so_that_an_upgrade_edits_nothing(make: Any) -> None:
    wanted = make.document()
    assert set(json.loads(encode(wanted)[0])) < set(Document.model_fields)
    applied = make.document(applies=[("a" * 32, "1.00")])
    assert body_hash(applied) == body_hash(wanted) == content_hash(wanted)
