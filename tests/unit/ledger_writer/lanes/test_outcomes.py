"""What is recorded and published of an outcome."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
from common.messages.documents import DocumentChanged, DocumentState
from common.messages.transactions import DocumentKind
from common.packs import Envelope, decode
from ledger_writer.lanes import outcomes
from ledger_writer.lanes.outcomes import Item
from ledger_writer.ledgers.protocol import (
    ErrorClass,
    LedgerLink,
    Operation,
    OperationKind,
    Refused,
    Unanswered,
    Written,
)
from ledger_writer.messages import to_document_changed
from ledger_writer.planning.content import content_hash, encode
from ledger_writer.planning.model import Settle
from ledger_writer.planning.states import Event
from ledger_writer.store.due import Move, Recorded
from ledger_writer.store.rows import Row, decode_link, encode_link, to_desired, to_known

NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
REASON = Reason(code="ACCOUNT_INVALID", text="x", cure="y", field="account", value="z")


def row_of(wanted: Any, **more: Any) -> Row:
    body, fingerprint = encode(wanted)
    values: dict[str, Any] = {
        "document_key": wanted.key,
        "tenant_id": "ten",
        "company_id": "com",
        "connection_id": "con",
        "source_kind": "order",
        "source_id": "1001",
        "source_number": "1001",
        "source_revision": 3,
        "set_key": "con/order/1001",
        "kind": wanted.kind.value,
        "seq": 7,
        "wanted": body,
        "content_hash": fingerprint,
        "removed": False,
        "hold_edits": False,
        "override": False,
        "number": "1001",
        "name": "",
        "on_date": wanted.date,
        "amount": wanted.total,
        "currency": "USD",
        "traceparent": None,
        "horizon": None,
        "written": None,
        "written_hash": None,
        "effect": "",
        "applications": "",
        "applied": Decimal(0),
        "ledger_id": "",
        "link": "",
        "linked_by": "",
        "linked_at": None,
        "former": "",
        "state": "queued",
        "code": "",
        "reason": "",
        "raw": "",
        "notices": "",
        "error_class": "",
        "blocked_by": None,
        "intent": "",
        "attempts": 0,
        "failures": 0,
        "generation": 0,
        "next_attempt_at": None,
        "first_seen_at": NOW,
        "last_attempt_at": None,
        "revision": 0,
    }
    return Row(**(values | more))


def item_of(wanted: Any, **more: Any) -> Item:
    row = row_of(wanted, **more)
    return Item(row, to_desired(row))


def create(wanted: Any, **more: Any) -> Operation:
    return Operation(wanted.key, wanted.kind, OperationKind.CREATE, wanted, "k", **more)


def recorded(move: Move, **more: Any) -> Recorded:
    values: dict[str, Any] = {
        "document_key": move.document_key,
        "revision": 4,
        "seq": move.seq,
        "state": move.state,
        "source_revision": 3,
        "content_hash": "",
        "attempts": 2,
        "last_attempt_at": NOW,
        "next_attempt_at": None,
    }
    return Recorded(**(values | more))


def published(row: Row, move: Move, **more: Any) -> DocumentChanged:
    """The message as the read model opens it."""
    (outgoing,) = outcomes.to_outbox([outcomes.to_message(row, move, recorded(move, **more))], "pass/1")
    (envelope,) = decode(DocumentChanged, outgoing.body)
    assert isinstance(envelope, Envelope)
    return envelope.state


def test_what_is_written_is_recorded_with_its_link_and_read_back_by_the_contract(make: Any) -> None:
    item = item_of(make.document())
    notice = Reason(code="NAME_TRUNCATED", text="shortened")
    outcome = Written(LedgerLink("L1", token="3", number="INV-9", total=Decimal("77.00")), notices=(notice,))
    move = outcomes.written(item, create(item.desired.wanted), outcome, ())
    assert (move.state, move.generation, move.effect, move.linked_by) == ("synced", 1, "present", "created")
    assert decode_link(move.link) == outcome.link
    state = published(item.row, move)
    assert (state.state, state.number, state.ledger_id) == (DocumentState.SYNCED, "INV-9", "L1")
    assert state.notices == (notice,)
    assert (state.source_revision, state.amount, state.date) == (3, Decimal("77.00"), dt.date(2026, 1, 5))


def test_a_document_that_is_there_keeps_the_number_that_its_ledger_gave_it(make: Any) -> None:
    item = item_of(make.document())
    write = outcomes.written(item, create(item.desired.wanted), Written(LedgerLink("L1", number="INV-9")), ())
    there = item_of(make.document(), link=write.link, ledger_id="L1", written_hash="h", effect="present")
    refused = outcomes.refused(there, create(there.desired.wanted), Refused(ErrorClass.CONFIG, REASON))
    assert not refused.is_write
    state = published(there.row, refused)
    assert (there.row.number, state.number, state.ledger_id) == ("1001", "INV-9", "L1")
    assert to_document_changed(there.row).number == state.number


HOLD = Reason(code="PRODUCT_MISSING", text="x")
STANDING: list[tuple[str, Settle, dict[str, Any], Decimal | None]] = [
    ("held", Settle("", Event.NEEDS_PERSON, HOLD), {}, Decimal("77.00")),
    ("waits", Settle("", Event.WAITS, HOLD), {}, Decimal("77.00")),
    ("closed order", Settle("", Event.NEEDS_PERSON, HOLD), {"effect": "closed"}, Decimal("77.00")),
    ("as wanted", Settle("", Event.NEEDS_PERSON, HOLD), {"written": None}, Decimal("80.00")),
    ("said by amount", Settle("", Event.UNCHANGED), {}, None),
    ("voided", Settle("", Event.VOIDED), {"effect": "void"}, None),
    ("void and wanted again", Settle("", Event.NEEDS_PERSON, HOLD), {"effect": "void"}, None),
    ("needed no more", Settle("", Event.NOT_NEEDED), {}, None),
    ("deleted", Settle("", Event.NEEDS_PERSON, HOLD.model_copy(update={"code": "LEDGER_DELETED"})), {}, None),
    ("never written", Settle("", Event.NEEDS_PERSON, HOLD), {"effect": "", "written": None, "link": ""}, None),
]


@pytest.mark.parametrize(("name", "settle", "more", "standing"), STANDING, ids=[case[0] for case in STANDING])
def test_what_stands_in_the_ledger_is_told_whatever_the_document_waits_for(
    name: str, settle: Settle, more: dict[str, Any], standing: Decimal | None, make: Any
) -> None:
    before, link = make.document(), encode_link(LedgerLink("L1"))
    there = {"link": link, "ledger_id": "L1", "effect": "present", "written": encode(before)[0], "written_hash": "h"}
    item = item_of(before.model_copy(update={"total": Decimal("80.00")}), **(there | more))
    move = outcomes.settled(item, settle)
    assert published(item.row, move).standing == standing, name
    row = replace(item.row, state=move.state, code=move.code, reason=move.reason)
    assert to_document_changed(row).standing == standing


def test_what_was_found_in_the_ledger_stands_there_while_it_is_compared(make: Any) -> None:
    item = item_of(make.document())
    state = published(item.row, outcomes.found(item, LedgerLink("L1"), "h"))
    assert (state.state, state.standing) == (DocumentState.QUEUED, Decimal("77.00"))


def test_a_refusal_is_shown_until_it_is_overtaken_by_a_new_wish(make: Any) -> None:
    item = item_of(make.document())
    move = outcomes.refused(item, create(item.desired.wanted), Refused(ErrorClass.CONFIG, REASON, raw="r" * 5000))
    assert (move.state, move.failures, move.generation, len(move.raw)) == ("action_required", 1, 1, 2000)
    assert published(item.row, move).reason == REASON
    assert published(item.row, move, seq=8, state="queued").reason is None


@pytest.mark.parametrize(
    ("event", "is_kept"), [(Event.NEEDS_PERSON, True), (Event.WAITS, True), (Event.UNCHANGED, False)]
)
def test_what_got_no_answer_is_kept_in_mind_while_nothing_else_is_sent(make: Any, event: Event, is_kept: bool) -> None:
    item = item_of(make.document(), intent="update:what was sent")
    move = outcomes.settled(item, Settle(item.row.document_key, event, REASON))
    assert move.intent == (item.row.intent if is_kept else "")


@pytest.mark.parametrize(("error_class", "generation"), [(ErrorClass.TRANSIENT, 0), (ErrorClass.LOOKUP, 1)])
def test_only_a_definitive_answer_starts_a_new_generation(make: Any, error_class: ErrorClass, generation: int) -> None:
    item = item_of(make.document())
    refusal = Refused(error_class, REASON, retry_after_s=90)
    move = outcomes.refused(item, create(item.desired.wanted), refusal)
    assert (move.state, move.generation, move.wait_s) == ("retry_wait", generation, 90)


def test_a_removal_that_turns_out_to_have_worked_is_recorded_as_one(make: Any) -> None:
    item = item_of(make.document(), effect="present", written_hash="w", ledger_id="7", link='{"i":"7"}', generation=2)
    move = outcomes.settled(item, Settle(item.row.document_key, Event.VOIDED))
    assert (move.state, move.is_write, move.effect, move.written_hash) == ("voided", True, "void", "w")
    assert (move.ledger_id, move.generation, move.outcome) == ("7", 3, "absent")


@pytest.mark.parametrize(
    ("operation", "error_class", "is_other", "is_kept"),
    [
        (OperationKind.VOID, ErrorClass.PERIOD, False, True),
        (OperationKind.VOID, ErrorClass.TRANSIENT, False, True),
        (OperationKind.UPDATE, ErrorClass.PERIOD, False, False),
        (OperationKind.UPDATE, ErrorClass.PERIOD, True, True),
        (OperationKind.UPDATE, ErrorClass.TRANSIENT, False, True),
    ],
)
def test_a_refusal_says_nothing_of_a_removal_or_other_content_that_got_no_answer_before(
    make: Any, operation: OperationKind, error_class: ErrorClass, is_other: bool, is_kept: bool
) -> None:
    sent = make.document(amount="80.00" if is_other else "77.00")
    item = item_of(make.document(), intent=f"{operation.value}:{content_hash(sent)}")
    asked = replace(create(item.desired.wanted), operation=operation)
    move = outcomes.refused(item, asked, Refused(error_class, REASON))
    assert move.intent == (item.row.intent if is_kept else "")


def test_the_refusal_of_an_edit_says_nothing_of_an_earlier_one_that_got_no_answer(make: Any) -> None:
    item = item_of(make.document(), intent=f"update:{content_hash(make.document())}")
    edit = replace(create(item.desired.wanted), operation=OperationKind.UPDATE)
    for earlier, is_kept in (((), False), ((make.document(amount="80.00"),), True)):
        again = replace(item, desired=replace(item.desired, sent=(*earlier, make.document())))
        assert outcomes.refused(again, edit, Refused(ErrorClass.PERIOD, REASON)).intent == (
            item.row.intent if is_kept else ""
        )


def test_the_refusal_of_an_edit_says_nothing_of_a_removal_of_the_same_content(make: Any) -> None:
    item = item_of(make.document(), intent=f"void:{content_hash(make.document())}")
    asked = replace(create(item.desired.wanted), operation=OperationKind.UPDATE)
    assert outcomes.refused(item, asked, Refused(ErrorClass.PERIOD, REASON)).intent == item.row.intent


def test_after_a_day_the_last_refusal_is_shown_with_a_cure(make: Any) -> None:
    item = item_of(make.document(), failures=28)
    refusal = Refused(ErrorClass.TRANSIENT, Reason(code="LEDGER_UNAVAILABLE", text="away"))
    move = outcomes.refused(item, create(item.desired.wanted), refusal)
    reason = published(item.row, move).reason
    assert reason is not None
    assert (move.state, reason.text, reason.cure) == ("action_required", "Given up after 24 hours: away", "Resend it.")


def test_an_unanswered_request_is_looked_up_at_once_and_then_less_often(make: Any) -> None:
    waits = []
    for failures in (0, 1, 2, 40):
        item = item_of(make.document(), failures=failures)
        move = outcomes.unanswered(item, create(item.desired.wanted), Unanswered("time-out"))
        assert (move.state, move.generation) == ("unknown", 0)
        assert move.intent == f"create:{item.row.content_hash}"
        waits.append(move.wait_s)
    assert waits == [0, 60, 120, 3600]


def test_a_look_up_links_what_is_there_and_frees_the_way_where_nothing_is(make: Any) -> None:
    item = item_of(make.document(), state="unknown")
    there = outcomes.found(item, LedgerLink("L1"), "hash of what was sent", (("k1", Decimal("5.00")),))
    assert (there.state, there.written_hash, there.generation) == ("queued", "hash of what was sent", 1)
    assert there.applications == '[["k1","5.00"]]'
    assert there.linked_by == "matched"
    assert outcomes.found(item, LedgerLink("L1"), "hash", linked_by="created").linked_by == "created"
    gone = outcomes.absent(item, proven=True)
    assert (gone.state, gone.is_write, gone.generation) == ("queued", False, 1)


def test_an_absence_before_the_deadline_keeps_the_key_because_the_request_may_still_arrive(make: Any) -> None:
    item = item_of(make.document(), state="unknown")
    again = outcomes.absent(item, proven=False)
    assert (again.state, again.generation) == ("queued", 0)


def test_other_content_waits_for_the_deadline_of_what_was_sent_before(make: Any) -> None:
    item = item_of(make.document(), state="unknown", intent="create:what was sent", code="UNANSWERED")
    waiting = outcomes.not_yet_known(item, 90)
    assert (waiting.state, waiting.generation, waiting.wait_s) == ("unknown", 0, 90)
    assert (waiting.intent, waiting.code) == ("create:what was sent", "UNANSWERED")


def test_an_unanswered_change_is_repeated_under_its_key_only_with_the_same_content(make: Any) -> None:
    item = item_of(make.document(), state="unknown")
    assert outcomes.repeat(item, "update", item.row.content_hash).generation == 0
    assert outcomes.repeat(item, "update", "what was sent").generation == 1


def test_a_removal_after_an_edit_or_an_edit_after_a_removal_is_another_change(make: Any) -> None:
    kept, removed = item_of(make.document(), state="unknown"), item_of(make.document(), state="unknown", removed=True)
    same = kept.row.content_hash
    assert (outcomes.repeat(kept, "void", same).generation, outcomes.repeat(removed, "update", same).generation) == (
        1,
        1,
    )
    assert outcomes.repeat(removed, "void", same).generation == 0


def test_a_change_whose_sender_died_is_planned_at_once_whatever_it_waited_for(make: Any) -> None:
    waiting = item_of(make.document(), state="retry_wait", failures=3)
    move = outcomes.kept_in_mind(waiting, "update", "what was sent")
    assert (move.state, move.intent, move.failures) == ("queued", "update:what was sent", 3)
    assert move.sent is None, "what was sent is not what is wanted now"
    assert outcomes.kept_in_mind(waiting, "update", waiting.row.content_hash).sent == waiting.row.wanted
    assert outcomes.kept_in_mind(waiting, "void", waiting.row.content_hash).sent is None


def test_what_an_unanswered_update_said_is_kept_with_it(make: Any) -> None:
    item = item_of(make.document(), state="queued")
    edit = replace(create(item.desired.wanted), operation=OperationKind.UPDATE)
    assert outcomes.unanswered(item, edit, Unanswered("time-out")).sent == item.row.wanted
    assert outcomes.unanswered(item, create(item.desired.wanted), Unanswered("time-out")).sent is None


def test_a_ledger_that_cannot_edit_leaves_the_document_due_after_the_void(make: Any) -> None:
    wanted = make.document()
    before = make.written(wanted)
    more = {"written_hash": before.content_hash, "effect": "present", "link": encode_link(before.link)}
    kept, removed = item_of(wanted, **more), item_of(wanted, removed=True, **more)
    void = Operation(wanted.key, wanted.kind, OperationKind.VOID, wanted, "k", link=before.link)
    assert outcomes.written(kept, void, Written(before.link, "voided"), ()).state == "queued"
    assert outcomes.written(removed, void, Written(before.link, "voided"), ()).state == "voided"


def test_applications_are_counted_by_their_change(make: Any) -> None:
    target = make.key_of(DocumentKind.INVOICE)
    payment = make.document(DocumentKind.PAYMENT, applies=[(target, "77.00")])
    stands = {
        "written_hash": "other",
        "effect": "present",
        "link": encode_link(LedgerLink("L1")),
        "applications": f'[["{target}","50.00"]]',
    }
    applied: dict[str, Decimal] = {}
    full = ((target, Decimal("77.00")),)
    outcomes.add_changes(applied, item_of(payment), create(payment, applications=full))
    assert applied == {target: Decimal("77.00")}
    update = Operation(payment.key, payment.kind, OperationKind.UPDATE, payment, "k", applications=full)
    outcomes.add_changes(applied, item_of(payment, **stands), update)
    assert applied == {target: Decimal("104.00")}
    void = Operation(payment.key, payment.kind, OperationKind.VOID, payment, "k")
    outcomes.add_changes(applied, item_of(payment, **stands), void)
    assert applied == {target: Decimal("54.00")}


def test_what_is_known_of_a_written_invoice_is_what_is_left_to_pay(make: Any) -> None:
    link = encode_link(LedgerLink("L1", total=Decimal("77.00")))
    row = row_of(make.document(), effect="present", link=link, applied=Decimal("30.00"), state="synced")
    assert to_known(row).open_balance == Decimal("47.00")
    void = row_of(make.document(), effect="void", link=link, state="voided")
    assert (to_known(void).open_balance, to_known(void).link) == (None, None)


@pytest.mark.parametrize(
    ("state", "code", "frees"),
    [
        ("synced", "", True),
        ("voided", "", True),
        ("skipped", "NO_BALANCE", True),
        ("action_required", "ACCOUNT_INVALID", True),
        ("blocked", "WAITING_FOR_CUSTOMER", False),
        ("blocked", "DEPENDENCY_FAILED", True),
        ("retry_wait", "LEDGER_UNAVAILABLE", False),
        ("unknown", "UNANSWERED", False),
    ],
)
def test_dependents_are_planned_again_when_their_reason_to_wait_changed(
    make: Any, state: str, code: str, frees: bool
) -> None:
    row = row_of(make.document(), state="blocked", code="WAITING_FOR_CUSTOMER")
    assert outcomes.frees_dependents(row, Move(row.document_key, 7, state, 0, 0, code=code)) is frees


@pytest.mark.parametrize(
    ("contact_at", "action", "state", "written"),
    [
        (NOW, "linked", "queued", ""),
        (NOW, "created", "synced", None),
        (None, "linked", "synced", None),
    ],
)
def test_which_contact_a_customer_has_that_was_found_is_yet_to_be_compared(
    make: Any, contact_at: dt.datetime | None, action: str, state: str, written: str | None
) -> None:
    item = customer_item(make, contact_at)
    asked = replace(create(make.document()), wanted=item.desired.wanted)
    move = outcomes.written(item, asked, Written(LedgerLink("58"), action), ())
    assert (move.state, move.ledger_id) == (state, "58")
    assert move.written_hash == (item.row.content_hash if written is None else written)


def test_a_change_of_contact_without_an_answer_leaves_nothing_to_compare_documents_with(make: Any) -> None:
    item = customer_item(make, NOW)
    asked = replace(create(make.document()), wanted=item.desired.wanted, operation=OperationKind.UPDATE)
    move = outcomes.unanswered(item, asked, Unanswered("no answer"))
    assert (move.state, move.sent, move.intent) == ("unknown", None, f"update:{item.row.content_hash}")
    assert outcomes.kept_in_mind(item, "update", item.row.content_hash).sent is None


def customer_item(make: Any, contact_at: dt.datetime | None) -> Item:
    wanted = make.CUSTOMER.model_copy(update={"contact_at": contact_at})
    body, fingerprint = encode(wanted)
    row = replace(row_of(make.document()), kind="customer", wanted=body, content_hash=fingerprint, set_key="")
    return Item(row, to_desired(row))
