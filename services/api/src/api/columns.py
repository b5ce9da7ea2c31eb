"""Which column of the overview an entity is in: one pure decision, stored beside the state when it is projected.

Storing the answer makes the overview a `GROUP BY`, and makes it impossible to count an entity twice or not at all.
"""

from enum import StrEnum

from common.messages.base import Reason, Severity
from common.messages.documents import DocumentState
from common.messages.transactions import SetOutcome


class Column(StrEnum):
    IN_LEDGER = "in_ledger"
    WARNINGS = "warnings"
    DISMISSED = "dismissed"
    NOT_TRIED = "not_tried"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    OUT_OF_SCOPE = "out_of_scope"
    """Shown beside the others and not part of the total in source."""


IN_SCOPE: tuple[Column, ...] = tuple(column for column in Column if column is not Column.OUT_OF_SCOPE)

_BY_STATE: dict[DocumentState, Column] = {
    DocumentState.NOT_TRIED: Column.NOT_TRIED,
    DocumentState.QUEUED: Column.IN_PROGRESS,
    DocumentState.IN_FLIGHT: Column.IN_PROGRESS,
    DocumentState.SYNCED: Column.IN_LEDGER,
    DocumentState.RETRY_WAIT: Column.IN_PROGRESS,
    DocumentState.ACTION_REQUIRED: Column.WARNINGS,
    DocumentState.SKIPPED: Column.OUT_OF_SCOPE,
    DocumentState.UNKNOWN: Column.IN_PROGRESS,
    DocumentState.VOIDED: Column.IN_LEDGER,
    DocumentState.DISMISSED: Column.DISMISSED,
}

WAITING_PREFIX = "WAITING_"
NEVER_SYNCED = ("TEST_ORDER", "DRAFT_ORDER", "ORDER_DELETED", "DELIVERY_OPENED")
"""Problems of an order that are none: nobody wants it in the ledger."""
_NOTHING_TO_DO = "NO_BALANCE"
_DISMISSED_DEPENDENCY = "DISMISSED_DEPENDENCY"


def column_of_document(state: DocumentState, reason: Reason | None) -> Column:
    """Column of a document, customer or item (domain reference, section 28).

    A blocked document without an error waits for a dependency that is still on its way. One whose dependency a
    person dismissed was dismissed with it: it asks for nothing.
    """
    if state is DocumentState.BLOCKED:
        return _column_of_reason(reason)
    return _BY_STATE[state]


def column_of_set(outcome: SetOutcome, reason: Reason | None, documents: int) -> Column:
    """Column of an order whose set has no document that could say more; `documents`: how many it will have."""
    if outcome is SetOutcome.FILTERED:
        return Column.OUT_OF_SCOPE
    if outcome is SetOutcome.HELD:
        return Column.WARNINGS if reason is None else _column_of_reason(reason)
    return Column.IN_PROGRESS if documents else Column.OUT_OF_SCOPE


def _column_of_reason(reason: Reason | None) -> Column:
    if reason is None:
        return Column.IN_PROGRESS
    if reason.code.startswith(WAITING_PREFIX):
        return Column.WAITING
    if reason.code == _NOTHING_TO_DO:
        return Column.OUT_OF_SCOPE
    if reason.code == _DISMISSED_DEPENDENCY:
        return Column.DISMISSED
    return Column.WARNINGS if reason.severity is Severity.ERROR else Column.IN_PROGRESS
