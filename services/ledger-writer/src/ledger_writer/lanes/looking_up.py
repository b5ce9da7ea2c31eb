"""Look before you create: what may be there already is linked, what can't be told waits for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from common.database import Pool
from common.errors import Retryable
from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState
from common.messages.transactions import Document, DocumentKind
from ledger_writer.lanes import outcomes
from ledger_writer.lanes.outcomes import Item
from ledger_writer.ledgers.protocol import (
    ErrorClass,
    Found,
    LedgerSession,
    Operation,
    Refused,
    Written,
)
from ledger_writer.planning.candidates import Absent, Same, Verdict, judge
from ledger_writer.planning.content import wants_file
from ledger_writer.planning.dependencies import WORD, blocked_reason
from ledger_writer.planning.model import Known, Settle, Write
from ledger_writer.planning.plan import is_others
from ledger_writer.planning.states import Event
from ledger_writer.store import due
from ledger_writer.store.due import Move
from ledger_writer.store.rows import Row, forgotten_hash

Candidates = Mapping[str, Sequence[Found]]
_SHARED = frozenset({DocumentKind.CUSTOMER, DocumentKind.VENDOR, DocumentKind.ITEM})


class LedgerAway(Exception):
    """The ledger did not answer a look-up, or asked us to wait: nothing was sent."""

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


@dataclass(slots=True)
class Wave:
    """What is left to send after the look-up, and what is decided already."""

    operations: list[Operation] = field(default_factory=list)
    moves: list[tuple[Row, Move]] = field(default_factory=list)
    applied: dict[str, Decimal] = field(default_factory=dict)
    """By how much more money is applied to documents, by what is in the ledger of this wave."""


async def find(session: LedgerSession, operations: Sequence[Operation]) -> Candidates:
    """Candidates of the operations. Raises `LedgerAway`."""
    if not operations:
        return {}
    try:
        return await session.find(operations)
    except Retryable as error:
        raise LedgerAway(error.text, error.retry_after_s or 5.0) from error


async def look_up(
    session: LedgerSession, pool: Pool, company_id: str, writes: Sequence[Write], items: Mapping[str, Item]
) -> Wave:
    """Split planned writes into what must be sent and what the look-up settles. Raises `LedgerAway`."""
    creates = [write.operation for write in writes if write.lookup]
    found = await find(session, creates)
    linked = await _linked(pool, company_id, creates, found)
    wave = Wave()
    failed: dict[str, Known] = {}
    for write in writes:
        item = items[write.operation.document_key]
        verdict = _verdict(write, item, found, linked)
        _place(write.operation, verdict, item, wave, failed)
    return wave


def _verdict(write: Write, item: Item, found: Candidates, linked: frozenset[str]) -> Verdict | None:
    """None where nothing had to be looked up, or nothing was there to judge."""
    operation = write.operation
    if not write.lookup:
        return None
    candidates = found.get(operation.document_key, ())
    duplicate = item.row.error_class == ErrorClass.LOOKUP
    if not candidates and not duplicate and operation.kind not in _SHARED:
        return None
    return judge(operation, candidates, linked, duplicate=duplicate)


def _place(operation: Operation, verdict: Verdict | None, item: Item, wave: Wave, failed: dict[str, Known]) -> None:
    """Sort one operation; what refers to something that failed in this wave is held back with it."""
    key = operation.document_key
    cause = next((failed[one] for one in operation.references if one in failed), None) if failed else None
    if cause is not None:
        move = outcomes.settled(item, Settle(key, Event.WAITS, blocked_reason(cause), cause.key))
        failed[key] = _failed(item, move)
    elif is_others(operation.wanted) and (verdict is None or isinstance(verdict, Absent)):
        move = outcomes.settled(item, Settle(key, Event.NOT_NEEDED, _not_found(operation)))
    elif verdict is None:
        wave.operations.append(operation)
        return
    elif isinstance(verdict, Absent):
        wave.operations.append(replace(operation, wanted=verdict.wanted))
        return
    elif isinstance(verdict, Same) and _is_outdated(item):
        move = outcomes.refused(item, operation, Refused(ErrorClass.CONFIG, _changed_meanwhile(verdict)))
        failed[key] = _failed(item, move)
    elif isinstance(verdict, Same):
        move = _same(operation, verdict, item, wave)
    else:
        move = outcomes.refused(item, operation, Refused(ErrorClass.CONFIG, verdict.reason))
        failed[key] = _failed(item, move)
    wave.moves.append((item.row, move))


def _is_outdated(item: Item) -> bool:
    """Whether what stands is known to be other than what is wanted: it changed after its link was forgotten."""
    if item.desired.written is not None or item.desired.kind in _SHARED:
        return False
    return forgotten_hash(item.row.former) not in {None, item.desired.content_hash}


def _not_found(operation: Operation) -> Reason:
    word = WORD[operation.kind]
    number = operation.wanted.shown_number if isinstance(operation.wanted, Document) else ""
    return Reason(
        code=f"{operation.kind.value.upper()}_NOT_FOUND",
        text=f"The ledger has no {word} {number}, and the transaction mode makes none: its payments stay unapplied.",
        cure=f"Resend it once the {word} is in the ledger, or link it by hand.",
        field="number",
        value=number,
        severity=Severity.WARNING,
    )


def _changed_meanwhile(found: Same) -> Reason:
    return Reason(
        code="CHANGED_WHILE_UNLINKED",
        text="The order changed after the document's link was forgotten and before it was found again.",
        cure="Change it in the ledger and link it by hand, or delete it there and resend.",
        value=found.link.ledger_id,
    )


def _same(operation: Operation, verdict: Same, item: Item, wave: Wave) -> Move:
    """Link it. Where what belongs to it may be missing (an application, a file), planning compares."""
    stands = (
        operation
        if verdict.applied is None
        else replace(operation, applications=applied_to(operation, verdict.applied))
    )
    outcomes.add_changes(wave.applied, item, stands)
    if stands.applications != operation.applications or wants_file(operation.wanted):
        return outcomes.found(item, verdict.link, item.desired.content_hash, stands.applications)
    return outcomes.written(item, stands, Written(verdict.link, "linked"), ())


def applied_to(operation: Operation, applied: Sequence[tuple[str, Decimal]] | None) -> tuple[tuple[str, Decimal], ...]:
    """What a document that was found is applied to, as (document key, amount), from (ledger id, amount)."""
    keys = {operation.references[key].ledger_id: key for key in operation.targets if key in operation.references}
    return tuple((keys[one], amount) for one, amount in applied or () if one in keys)


def _failed(item: Item, move: Move) -> Known:
    return Known(
        key=item.row.document_key,
        kind=item.desired.kind,
        state=DocumentState(move.state),
        label=item.row.label,
        reason=Reason.model_validate_json(move.reason) if move.reason else None,
    )


async def _linked(pool: Pool, company_id: str, operations: Sequence[Operation], found: Candidates) -> frozenset[str]:
    """Ledger ids among the candidates that already belong to a document of ours."""
    ids: dict[DocumentKind, set[str]] = {}
    if found:
        for operation in operations:
            for candidate in found.get(operation.document_key, ()):
                if operation.kind not in _SHARED:
                    ids.setdefault(operation.kind, set()).add(candidate.link.ledger_id)
    linked: frozenset[str] = frozenset()
    for kind, candidates in ids.items():
        linked |= await due.linked_ids(pool, company_id, kind.value, sorted(candidates))
    return linked
