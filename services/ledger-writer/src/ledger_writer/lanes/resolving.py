"""What became of requests that got no answer: by look-up, before anything else is sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from common.database import Pool
from common.messages.documents import DocumentState
from common.messages.transactions import Document
from ledger_writer.lanes import outcomes
from ledger_writer.lanes.looking_up import Candidates, applied_to, find
from ledger_writer.lanes.outcomes import Item
from ledger_writer.ledgers.protocol import LedgerSession, Operation, OperationKind
from ledger_writer.planning.candidates import Same, judge
from ledger_writer.planning.plan import operation_of
from ledger_writer.store import due
from ledger_writer.store.due import Move
from ledger_writer.store.rows import Row, decode_link, to_desired

Asked = tuple[Row, str, str]
"""(document, operation that was sent, hash of the content that was sent)"""
Moves = list[tuple[Row, Move]]

_WILL_BE_PLANNED: Final = frozenset({DocumentState.QUEUED.value, DocumentState.RETRY_WAIT.value})


async def resolve(
    session: LedgerSession, pool: Pool, asked: Sequence[Asked], request_timeout_s: float
) -> tuple[Moves, dict[str, Decimal]]:
    """What is to be recorded, and by how much more money is applied to documents. Raises `LedgerAway`."""
    items = {row.document_key: Item(row, to_desired(row)) for row, _, _ in asked}
    sent = {row.document_key: (operation, content) for row, operation, content in asked}
    operations = await _with_targets(pool, [one for key, item in items.items() if (one := _sent(item, sent[key][0]))])
    found = await find(session, operations)
    creates = [one for one in operations if one.operation is OperationKind.CREATE]
    applied: dict[str, Decimal] = {}
    moves: Moves = []
    for operation in creates:
        item = items.pop(operation.document_key)
        content = sent[operation.document_key][1]
        move = _created(operation, item, content, found, applied, request_timeout_s)
        if move is not None:
            moves.append((item.row, move))
    for key, item in items.items():
        if item.row.state == DocumentState.UNKNOWN:
            moves.append((item.row, outcomes.repeat(item, *sent[key])))
        elif item.row.state in _WILL_BE_PLANNED:
            moves.append((item.row, outcomes.kept_in_mind(item, *sent[key])))
    by_key = {move.document_key: move for _, move in moves}
    for operation in operations:
        key = operation.document_key
        if operation.operation is OperationKind.UPDATE and key in by_key:
            _keep_applied(by_key[key], operation, items[key], found, applied)
    return moves, applied


def _created(
    operation: Operation,
    item: Item,
    content: str,
    found: Candidates,
    applied: dict[str, Decimal],
    request_timeout_s: float,
) -> Move | None:
    """What became of a create."""
    verdict = judge(operation, found.get(operation.document_key, ()), frozenset())
    if isinstance(verdict, Same):
        stands = replace(operation, applications=applied_to(operation, verdict.applied))
        outcomes.add_changes(applied, item, stands)
        return outcomes.found(item, verdict.link, content, stands.applications, linked_by="created")
    return _absent(item, content, request_timeout_s) if item.row.state == DocumentState.UNKNOWN else None


def _absent(item: Item, sent_hash: str, request_timeout_s: float) -> Move:
    """What the absence of an unanswered create means, which depends on whether it may still arrive."""
    sent_at = item.row.last_attempt_at
    passed_s = (datetime.now(UTC) - sent_at).total_seconds() if sent_at is not None else 0.0
    left_s = request_timeout_s - passed_s
    if left_s <= 0:
        return outcomes.absent(item, proven=True)
    if sent_hash != item.desired.content_hash:
        return outcomes.not_yet_known(item, left_s)
    return outcomes.absent(item, proven=False)


def _keep_applied(move: Move, change: Operation, item: Item, found: Candidates, applied: dict[str, Decimal]) -> None:
    """What the document is applied to now, whether or not the change arrived.

    Without it planning would take money that we applied ourselves for somebody else's, and take it off again.
    """
    standing = [one for one in found.get(change.document_key, ()) if one.active and one.applied is not None]
    if standing:
        outcomes.stands_applied(move, item, applied_to(change, standing[0].applied), applied)


def _sent(item: Item, operation: str) -> Operation | None:
    """What was sent, as far as a look-up needs it; None where planning finds out by itself.

    That is so for removals, and for changes where no money is applied.
    """
    desired = item.desired
    written = desired.written
    is_create = operation == OperationKind.CREATE and item.row.written_hash is None
    if not is_create:
        if operation != OperationKind.UPDATE or written is None or not isinstance(desired.wanted, Document):
            return None
        if not desired.wanted.applications and not written.applications:
            return None
    return operation_of(desired, OperationKind.CREATE if is_create else OperationKind.UPDATE, {})


async def _with_targets(pool: Pool, operations: Sequence[Operation]) -> list[Operation]:
    """The same, with references to the documents that their money is or was to be applied to."""
    keys = {key for one in operations for key in one.targets}
    links = {row.document_key: decode_link(row.link) for row in await due.by_keys(pool, keys)} if keys else {}
    there = {key: link for key, link in links.items() if link is not None}
    return [replace(one, references={key: there[key] for key in one.targets if key in there}) for one in operations]
