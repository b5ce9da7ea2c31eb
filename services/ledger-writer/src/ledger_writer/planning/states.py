"""The state machine of a document (domain reference, sections 4.5, 24 and 28), as one table.

A transition is (state, event) → state. A pair that is missing can't happen: `next_state` raises, and a test walks
every pair so that leaving one out is a decision.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from common.messages.documents import DocumentState
from ledger_writer.ledgers.protocol import ErrorClass

S = DocumentState

LEDGER_DELETED: Final = "LEDGER_DELETED"
"""Code of a document that somebody deleted in the ledger, or made void there."""


class Event(StrEnum):
    """What can happen to a document."""

    CHANGED = "changed"
    """What is wanted became something else, or is no longer wanted."""
    WRITTEN = "written"
    VOIDED = "voided"
    REPOST = "repost"
    """Voided only to be written anew, because the ledger can't edit."""
    UNCHANGED = "unchanged"
    """Planning found that the ledger already has what is wanted."""
    NOT_NEEDED = "not_needed"
    """Nothing has to be in the ledger, and nothing is."""
    WAITS = "waits"
    """For a dependency, a payment or an approval."""
    NEEDS_PERSON = "needs_person"
    """Refused for good, or held by a rule that only a person may override."""
    RETRY = "retry"
    """Refused for now."""
    UNANSWERED = "unanswered"
    """The request left and no answer came."""
    ABSENT = "absent"
    """A look-up proved that the unanswered request had no effect."""
    NOT_SENT = "not_sent"
    RELEASED = "released"
    """What it waited for is there."""
    RESENT = "resent"
    DISMISSED = "dismissed"
    UNDISMISSED = "undismissed"
    UNLINKED = "unlinked"
    DIFFERS = "differs"
    """The ledger has it no longer as we wrote it: somebody changed or deleted it there."""
    AGREES = "agrees"
    """What was different has been put back in the ledger."""


_ANY = tuple(S)
_DUE = (S.NOT_TRIED, S.QUEUED, S.RETRY_WAIT, S.UNKNOWN)
"""States from which a lane takes a document up by itself."""
_WORKED = (*_DUE, S.IN_FLIGHT)
_AT_REST = (S.SYNCED, S.VOIDED, S.SKIPPED)


def _from(states: tuple[S, ...], event: Event, to: S) -> dict[tuple[S, Event], S]:
    return {(state, event): to for state in states}


TRANSITIONS: Mapping[tuple[S, Event], S] = {
    # New content is worth a try whatever stood in the way, except that an outcome still unknown must be known first.
    **_from(_ANY, Event.CHANGED, S.QUEUED),
    (S.NOT_TRIED, Event.CHANGED): S.NOT_TRIED,
    (S.UNKNOWN, Event.CHANGED): S.UNKNOWN,
    (S.IN_FLIGHT, Event.CHANGED): S.IN_FLIGHT,
    # What a lane learns about a document it has taken up.
    **_from(_WORKED, Event.WRITTEN, S.SYNCED),
    **_from(_WORKED, Event.VOIDED, S.VOIDED),
    **_from(_WORKED, Event.REPOST, S.QUEUED),
    **_from(_WORKED, Event.UNCHANGED, S.SYNCED),
    **_from(_WORKED, Event.NOT_NEEDED, S.SKIPPED),
    **_from(_WORKED, Event.WAITS, S.BLOCKED),
    **_from(_WORKED, Event.NEEDS_PERSON, S.ACTION_REQUIRED),
    **_from(_WORKED, Event.RETRY, S.RETRY_WAIT),
    **_from(_WORKED, Event.UNANSWERED, S.UNKNOWN),
    **_from((S.UNKNOWN, S.IN_FLIGHT), Event.ABSENT, S.QUEUED),
    **_from((S.QUEUED, S.RETRY_WAIT, S.IN_FLIGHT), Event.NOT_SENT, S.QUEUED),
    (S.NOT_TRIED, Event.NOT_SENT): S.NOT_TRIED,
    (S.UNKNOWN, Event.NOT_SENT): S.UNKNOWN,
    # What others do to it. Releasing what does not wait changes nothing.
    **{(state, Event.RELEASED): state for state in _ANY},
    (S.BLOCKED, Event.RELEASED): S.QUEUED,
    **_from((S.ACTION_REQUIRED, S.BLOCKED, S.RETRY_WAIT, S.SKIPPED, *_AT_REST), Event.RESENT, S.QUEUED),
    **{(state, Event.RESENT): state for state in (S.NOT_TRIED, S.QUEUED, S.IN_FLIGHT, S.UNKNOWN)},
    (S.DISMISSED, Event.RESENT): S.QUEUED,
    **_from((S.ACTION_REQUIRED, S.BLOCKED, S.RETRY_WAIT, S.NOT_TRIED, S.QUEUED), Event.DISMISSED, S.DISMISSED),
    # Something that is in the ledger, or may be, can't be hidden; a second click changes nothing.
    **{(state, Event.DISMISSED): state for state in (S.DISMISSED, S.IN_FLIGHT, S.UNKNOWN, *_AT_REST)},
    **{(state, Event.UNDISMISSED): state for state in _ANY},
    (S.DISMISSED, Event.UNDISMISSED): S.QUEUED,
    # What was found in the ledger concerns what rests; planning looks at the ledger by itself.
    **{(state, Event.DIFFERS): state for state in _ANY},
    **_from((S.SYNCED, S.ACTION_REQUIRED), Event.DIFFERS, S.ACTION_REQUIRED),
    **{(state, Event.AGREES): state for state in _ANY},
    (S.ACTION_REQUIRED, Event.AGREES): S.QUEUED,
    # A person says that the ledger no longer has it: writing it again is their decision too (resend).
    **_from((*_AT_REST, S.ACTION_REQUIRED, S.BLOCKED, S.QUEUED, S.RETRY_WAIT), Event.UNLINKED, S.ACTION_REQUIRED),
}


class ImpossibleTransition(Exception):
    """An event met a document in a state where it can't happen: a bug of ours."""

    def __init__(self, state: S, event: Event) -> None:
        super().__init__(f"{event.value} can't happen to a document that is {state.value}")


def next_state(state: S, event: Event) -> S:
    """Where the event leads. Raises `ImpossibleTransition`."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleTransition(state, event) from None


RETRY_MINUTES: tuple[int, ...] = (1, 2, 4, 8, 15)
RETRY_HOURS_MAX = 24
CONFLICTS_MAX = 3


def retry_after(failures: int) -> timedelta | None:
    """How long to wait after the `failures`-th refusal in a row; None once 24 hours are used up."""
    if failures <= len(RETRY_MINUTES):
        return timedelta(minutes=RETRY_MINUTES[failures - 1])
    waited = timedelta(minutes=sum(RETRY_MINUTES)) + timedelta(hours=failures - len(RETRY_MINUTES))
    return timedelta(hours=1) if waited <= timedelta(hours=RETRY_HOURS_MAX) else None


def after_refusal(error_class: ErrorClass, failures: int) -> tuple[Event, timedelta]:
    """What the `failures`-th refusal in a row (1 is the first) means, and how long to wait before the next try.

    A conflict is tried again at once with what the ledger holds now; a look-up class is tried again at once too,
    because every try of a create begins with a look-up. Token trouble stops the company, not the document.
    """
    at_once = timedelta(0)
    match error_class:
        case ErrorClass.TRANSIENT | ErrorClass.TOKEN:
            delay = retry_after(failures)
            return (Event.NEEDS_PERSON, at_once) if delay is None else (Event.RETRY, delay)
        case ErrorClass.CONFLICT | ErrorClass.LOOKUP:
            return (Event.RETRY, at_once) if failures <= CONFLICTS_MAX else (Event.NEEDS_PERSON, at_once)
        case ErrorClass.DEPENDENCY:
            return Event.WAITS, at_once
        case ErrorClass.DATA | ErrorClass.CONFIG | ErrorClass.PERMISSION | ErrorClass.PERIOD | ErrorClass.LIMIT:
            return Event.NEEDS_PERSON, at_once
