"""From what became of a document to what is recorded and published: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import orjson

from common.errors import Rejected
from common.messages.base import Reason
from common.messages.documents import DocumentChanged, DocumentState
from common.messages.transactions import Document
from common.outbox import OutboxRow, packed_rows
from common.packs import encode_member
from ledger_writer.ledgers.protocol import (
    ErrorClass,
    LedgerLink,
    Operation,
    OperationKind,
    Refused,
    Unanswered,
    Written,
)
from ledger_writer.messages import standing
from ledger_writer.planning.contacts import follows_orders
from ledger_writer.planning.model import Desired, Effect, Settle
from ledger_writer.planning.plan import is_unwanted
from ledger_writer.planning.states import Event, after_refusal, next_state, retry_after
from ledger_writer.store.due import Move, Recorded
from ledger_writer.store.rows import Row, encode_applications, encode_link, encode_notices, intent_of

Applications = tuple[tuple[str, Decimal], ...]
"""(document key, amount)"""

_EFFECT = {
    OperationKind.CREATE: Effect.PRESENT,
    OperationKind.UPDATE: Effect.PRESENT,
    OperationKind.VOID: Effect.VOID,
    OperationKind.CLOSE: Effect.CLOSED,
}
_NOTHING_SENT = frozenset({Event.WAITS, Event.NEEDS_PERSON})
"""What was sent before, without an answer, may still be what the ledger has: nobody else is its author."""
_GAVE_UP_AFTER = "24 hours"
_RAW_LENGTH_MAX = 2000


@dataclass(frozen=True, slots=True)
class Item:
    """A document in a pass: its row, and what planning was given."""

    row: Row
    desired: Desired


def settled(item: Item, settle: Settle) -> Move:
    """Planning decided that nothing is to be sent."""
    row = item.row
    state = next_state(DocumentState(row.state), settle.event)
    move = _move(row, state)
    move.failures = 0
    if settle.reason is not None:
        move.code, move.reason = settle.reason.code, _json(settle.reason)
    if settle.event is Event.UNCHANGED:
        move.notices = row.notices
    if settle.event in _NOTHING_SENT:
        move.intent = row.intent
    if settle.event is Event.VOIDED and row.effect != Effect.VOID:
        # A request of ours that got no answer had worked.
        move.is_write, move.written_hash, move.effect = True, row.written_hash, Effect.VOID.value
        move.ledger_id, move.link, move.generation = row.ledger_id, row.link, row.generation + 1
        move.operation, move.outcome = OperationKind.VOID.value, "absent"
    move.blocked_by = settle.blocked_by if state is DocumentState.BLOCKED else None
    return move


def written(item: Item, operation: Operation, outcome: Written, notices: Sequence[Reason]) -> Move:
    """The ledger has it."""
    row, desired = item.row, item.desired
    kind = operation.operation
    event = Event.WRITTEN
    if kind is OperationKind.VOID:
        event = Event.VOIDED if is_unwanted(desired) else Event.REPOST
    move = _move(row, next_state(DocumentState(row.state), event))
    move.failures, move.generation, move.attempted = 0, row.generation + 1, 1
    move.notices = encode_notices((*notices, *outcome.notices))
    move.is_write = True
    move.written_hash, move.effect = desired.content_hash, _EFFECT[kind].value
    move.applications = encode_applications(operation.applications)
    move.ledger_id, move.link = outcome.link.ledger_id, encode_link(outcome.link)
    if kind is OperationKind.CREATE:
        move.linked_by = "matched" if outcome.action == "linked" else "created"
    if move.linked_by == "matched" and follows_orders(desired.wanted):
        # Nobody has compared yet which contact it has in the ledger.
        move.state, move.written_hash = DocumentState.QUEUED.value, ""
    move.operation, move.outcome = kind.value, outcome.action
    return move


def found(
    item: Item,
    link: LedgerLink,
    content_hash: str,
    applications: tuple[tuple[str, Decimal], ...] = (),
    *,
    linked_by: str = "matched",
) -> Move:
    """A look-up showed that it is there already: link it, and let planning compare.

    `content_hash` is what was sent, `applications` what the ledger says that it is applied to. `linked_by` is `created`
    where a request of ours that got no answer turns out to have made it.
    """
    move = _move(item.row, DocumentState.QUEUED)
    move.generation, move.is_write = item.row.generation + 1, True
    move.written_hash, move.effect = content_hash, Effect.PRESENT.value
    move.applications = encode_applications(applications)
    move.ledger_id, move.link, move.linked_by = link.ledger_id, encode_link(link), linked_by
    move.operation, move.outcome = "look-up", "linked"
    return move


def absent(item: Item, *, proven: bool) -> Move:
    """A look-up found nothing of an unanswered create.

    Until the request's own deadline it may still take effect, so the next attempt keeps its key and the vendor makes
    one of the two. After the deadline the absence is proven, and the next attempt is a new one.
    """
    move = _move(item.row, next_state(DocumentState(item.row.state), Event.ABSENT))
    move.generation = item.row.generation + (1 if proven else 0)
    move.operation, move.outcome = "look-up", "absent"
    return move


def not_yet_known(item: Item, wait_s: float) -> Move:
    """The unanswered create may still take effect with content that is no longer wanted: look again later."""
    move = _move(item.row, DocumentState.UNKNOWN)
    move.code, move.reason, move.intent, move.wait_s = item.row.code, item.row.reason, item.row.intent, wait_s
    return move


def kept_in_mind(item: Item, operation: str, sent_hash: str) -> Move:
    """A change whose sender died: whether it arrived is seen when it is planned again, and it was ours if it did."""
    # At once: what it waited for was the attempt that died.
    move = _move(item.row, DocumentState.QUEUED)
    move.code, move.reason, move.notices = item.row.code, item.row.reason, item.row.notices
    move.intent = intent_of(operation, sent_hash)
    is_document = isinstance(item.desired.wanted, Document)
    if operation == OperationKind.UPDATE and is_document and sent_hash == item.row.content_hash:
        move.sent = item.row.wanted
    return move


def repeat(item: Item, operation: str, sent_hash: str) -> Move:
    """An unanswered change is sent again under the same key: the vendor answers a repeat with the first result.

    With other content it is another change, and so is a removal after an edit or an edit after a removal: under a key
    that was used before, an earlier result would pass for it. The intent is kept until an outcome is known, so that
    nobody else is taken for the author of what the first attempt may have changed.
    """
    move = _move(item.row, next_state(DocumentState(item.row.state), Event.ABSENT))
    is_other = sent_hash != item.desired.content_hash
    turns_round = (operation == OperationKind.VOID) != is_unwanted(item.desired)
    move.generation = item.row.generation + (1 if is_other or turns_round else 0)
    move.intent = item.row.intent
    return move


def stands_applied(move: Move, item: Item, applications: Applications, applied: dict[str, Decimal]) -> None:
    """An unanswered change had applied money, or taken it off: keep that, so that planning goes on from there."""
    before = _written_applications(item)
    if dict(applications) == dict(before):
        return
    move.stands = encode_applications(applications)
    _count(applied, applications, before)


def take_off(applied: dict[str, Decimal], item: Item) -> None:
    """A document has no effect any more, and with it goes what it applied."""
    _count(applied, (), _written_applications(item))


def refused(item: Item, operation: Operation, outcome: Refused) -> Move:
    """The ledger said no."""
    row = item.row
    failures = row.failures + 1
    event, wait = after_refusal(outcome.error_class, failures)
    move = _move(row, next_state(DocumentState(row.state), event))
    reason = outcome.reason
    if event is Event.NEEDS_PERSON and outcome.error_class is ErrorClass.TRANSIENT:
        text = f"Given up after {_GAVE_UP_AFTER}: {reason.text}"[:4000]
        reason = reason.model_copy(update={"text": text, "cure": reason.cure or "Resend it."})
    move.code, move.reason = reason.code, _json(reason)
    move.raw, move.error_class = outcome.raw[:_RAW_LENGTH_MAX], outcome.error_class.value
    move.failures, move.attempted = failures, 1
    # Only a definitive answer starts a new attempt: a refusal for now may be repeated under the same key.
    if outcome.error_class not in {ErrorClass.TRANSIENT, ErrorClass.TOKEN}:
        move.generation = row.generation + 1
    if event is Event.RETRY:
        wait_s = wait.total_seconds()
        move.wait_s = max(wait_s, outcome.retry_after_s or 0.0)
    # A removal, or other content, that was sent before without an answer may have worked all the same. A refusal of the
    # same request for good means that it did not.
    is_same = row.intent == intent_of(operation.operation.value, item.desired.content_hash) and all(
        one == item.desired.wanted for one in item.desired.sent
    )
    if event is Event.RETRY or operation.operation is OperationKind.VOID or not is_same:
        move.intent = row.intent
    if event is Event.WAITS:
        move.blocked_by = reason.value
    move.operation, move.outcome = operation.operation.value, "refused"
    return move


def unanswered(item: Item, operation: Operation, outcome: Unanswered) -> Move:
    """Only a look-up can tell; it is tried at once, then less and less often."""
    row = item.row
    failures = row.failures + 1
    wait = retry_after(failures - 1) if failures > 1 else None
    move = _move(row, next_state(DocumentState(row.state), Event.UNANSWERED))
    reason = Reason(
        code="UNANSWERED",
        text="The ledger did not answer, so it is not known yet whether this was written.",
        cure="It is looked up by itself.",
    )
    move.code, move.reason, move.raw = reason.code, _json(reason), outcome.detail[:_RAW_LENGTH_MAX]
    move.failures, move.attempted = failures, 1
    move.wait_s = wait.total_seconds() if wait is not None else (0.0 if failures == 1 else 3600.0)
    move.intent = intent_of(operation.operation.value, item.desired.content_hash)
    if operation.operation is OperationKind.UPDATE and isinstance(operation.wanted, Document):
        move.sent = row.wanted
    move.operation, move.outcome = operation.operation.value, "unanswered"
    return move


def set_aside(row: Row, error: Exception) -> Move:
    """A document that nothing gets past, a refusal or a bug of ours: it must not keep the others back."""
    move = _move(row, next_state(DocumentState(row.state), Event.NEEDS_PERSON))
    fault = Reason(
        code="PRODUCT_FAULT",
        text="A fault of tillbook keeps this from being written; the fault is in the service's log.",
        cure="Report it with the order number; resend it after an update.",
    )
    reason = error.reason if isinstance(error, Rejected) else fault
    move.code, move.reason, move.raw, move.attempted = reason.code, _json(reason), type(error).__name__, 1
    move.operation, move.outcome = "plan", "failed"
    return move


def add_changes(applied: dict[str, Decimal], item: Item, operation: Operation) -> None:
    """Count by how much more (or, negative, less) money is applied to other documents by this write."""
    if operation.operation is OperationKind.CLOSE:
        return
    before = () if operation.operation is OperationKind.CREATE else _written_applications(item)
    _count(applied, operation.applications, before)


def _written_applications(item: Item) -> Applications:
    return item.desired.written.applications if item.desired.written is not None else ()


def _count(applied: dict[str, Decimal], after: Applications, before: Applications) -> None:
    for key, amount in (*after, *((key, -amount) for key, amount in before)):
        applied[key] = applied.get(key, Decimal(0)) + amount


def frees_dependents(row: Row, move: Move) -> bool:
    """Whether what waits for the document should be planned again: it is there, or the reason to wait is another."""
    if move.state in {DocumentState.SYNCED, DocumentState.VOIDED, DocumentState.SKIPPED, DocumentState.ACTION_REQUIRED}:
        return True
    return move.state == DocumentState.BLOCKED and move.code != row.code


def to_message(row: Row, move: Move, recorded: Recorded) -> bytes:
    """How the document stands now, as JSON of a `DocumentChanged`.

    Put together by hand: a lane makes one for every write, and checking what was just read from our own tables costs
    more than the rest of recording it. A test reads it back through the contract.
    """
    is_current = recorded.seq == move.seq
    link_text = move.link if move.is_write else row.link
    ledger_id = move.ledger_id if move.is_write else row.ledger_id
    number = row.number
    if link_text:
        number = orjson.loads(link_text).get("n") or number
    reason = move.reason if is_current else ""
    effect = move.effect if move.is_write else row.effect
    there = standing(row, recorded.state, move.code, effect, is_written=move.is_write)
    body = {
        "tenant_id": row.tenant_id,
        "revision": recorded.revision,
        "document_key": row.document_key,
        "company_id": row.company_id,
        "connection_id": row.connection_id,
        "source_kind": row.source_kind,
        "source_id": row.source_id,
        "source_number": row.source_number,
        "source_revision": row.source_revision,
        "kind": row.kind,
        "state": recorded.state,
        "reason": orjson.Fragment(reason) if reason else None,
        "notices": orjson.Fragment(move.notices) if move.notices else (),
        "blocked_by": move.blocked_by,
        "number": number,
        "name": row.name,
        "date": row.on_date,
        "amount": None if row.amount is None else f"{row.amount:f}",
        "currency": row.currency,
        "standing": None if there is None else f"{there:f}",
        "ledger_id": ledger_id,
        "attempts": recorded.attempts,
        "first_seen_at": row.first_seen_at,
        "last_attempt_at": recorded.last_attempt_at,
        "next_attempt_at": recorded.next_attempt_at,
    }
    return orjson.dumps(body)


def to_outbox(messages: Sequence[bytes], tenant_id: str) -> list[OutboxRow]:
    """Rows of the outbox for up to 200 documents each: the read model wants their state, not each by itself."""
    return packed_rows(DocumentChanged, tenant_id, [encode_member(message, "", None) for message in messages])


def _move(row: Row, state: DocumentState) -> Move:
    return Move(row.document_key, row.seq, state.value, row.failures, row.generation)


def _json(reason: Reason) -> str:
    return reason.model_dump_json(exclude_defaults=True)
