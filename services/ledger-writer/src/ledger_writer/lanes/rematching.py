"""Customers that are gone from the ledger, merged into others as a rule: matched once more (domain reference, 16.7)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import structlog

from common.database import Pool
from common.messages.base import Reason, Severity
from common.messages.transactions import CustomerWanted, Document, DocumentKind
from ledger_writer.lanes import outcomes
from ledger_writer.lanes.looking_up import LedgerAway, find
from ledger_writer.lanes.outcomes import Item
from ledger_writer.ledgers.protocol import ErrorClass, LedgerSession, Operation, OperationKind, Outcome, Refused
from ledger_writer.planning.candidates import Same, judge
from ledger_writer.planning.contacts import follows_orders
from ledger_writer.planning.plan import operation_of
from ledger_writer.store import due
from ledger_writer.store.due import Move
from ledger_writer.store.rows import Row, to_desired

log = structlog.get_logger(__name__)

Doubtful = tuple[str, Operation, Refused]
"""(customer key, a document of its, why it was refused)"""
Moves = list[tuple[Row, Move]]

_OBJECT_GONE: Final = frozenset({"OBJECT_NOT_FOUND", "REFERENCE_INVALID", "CUSTOMER_INACTIVE"})
"""Codes of refusals that a document's customer may be the cause of."""


def doubtful_customer(operation: Operation, outcome: Outcome) -> str | None:
    """Key of the customer because of whom a new document may have been refused."""
    if operation.operation is not OperationKind.CREATE or not isinstance(operation.wanted, Document):
        return None
    is_gone = isinstance(outcome, Refused) and outcome.reason.code in _OBJECT_GONE
    return operation.wanted.customer_key if is_gone else None


async def match_again(
    session: LedgerSession, pool: Pool, doubtful: Sequence[Doubtful], items: Mapping[str, Item]
) -> Moves:
    """Link customers that the ledger no longer has, or has inactive, to the one active customer of their name.

    Their documents wait for that. Customers that are there, and those of whom there is no other, stay as they are and
    the refusal stands; so it does for all where the ledger is away.
    """
    moved: Moves = []
    try:
        moved = await _matched(session, await due.by_keys(pool, {customer for customer, _, _ in doubtful}))
    except LedgerAway as error:
        log.warning("customers_not_matched_again", documents=len(doubtful), problem=str(error))
    matched = {row.document_key: row for row, _ in moved}
    for customer, operation, refused in doubtful:
        item = items[operation.document_key]
        outcome = _waits(matched[customer], refused) if customer in matched else refused
        moved.append((item.row, outcomes.refused(item, operation, outcome)))
    return moved


async def _matched(session: LedgerSession, rows: Sequence[Row]) -> Moves:
    items = {row.document_key: Item(row, to_desired(row)) for row in rows if row.kind == DocumentKind.CUSTOMER}
    linked = [operation_of(one.desired, OperationKind.UPDATE, {}) for one in items.values() if one.desired.written]
    there = await find(session, linked)
    gone = [one for one in linked if not any(found.active for found in there.get(one.document_key, ()))]
    operations = [_by_name(items[one.document_key]) for one in gone]
    found = await find(session, operations)
    moves: Moves = []
    for operation in operations:
        verdict = judge(operation, found.get(operation.document_key, ()), frozenset())
        if isinstance(verdict, Same):
            item = items[operation.document_key]
            # Nobody has compared yet which contact that one has.
            content = "" if follows_orders(item.desired.wanted) else item.row.content_hash
            moves.append((item.row, outcomes.found(item, verdict.link, content)))
    return moves


def _by_name(item: Item) -> Operation:
    """To be looked for by its name: its id, also one that a person chose, is of the customer that is gone."""
    operation = operation_of(item.desired, OperationKind.CREATE, {})
    wanted = operation.wanted
    if isinstance(wanted, CustomerWanted):
        wanted = wanted.model_copy(update={"ledger_id": None})
    return replace(operation, wanted=wanted, former=None)


def _waits(customer: Row, refused: Refused) -> Refused:
    reason = Reason(
        code="WAITING_FOR_CUSTOMER",
        text=f"Customer {customer.label} was merged or made inactive in the ledger; the other of its name was linked.",
        cure="It is sent by itself.",
        value=customer.document_key,
        severity=Severity.WARNING,
    )
    return replace(refused, error_class=ErrorClass.DEPENDENCY, reason=reason)
