"""The state machine as a table: every pair of state and event is decided on."""

from datetime import timedelta

import pytest

from common.messages.documents import DocumentState as S
from ledger_writer.ledgers.protocol import ErrorClass
from ledger_writer.planning.states import (
    TRANSITIONS,
    Event,
    ImpossibleTransition,
    after_refusal,
    next_state,
    retry_after,
)

WORKED = (S.NOT_TRIED, S.QUEUED, S.RETRY_WAIT, S.UNKNOWN, S.IN_FLIGHT)

OUTCOMES = [
    (Event.WRITTEN, S.SYNCED),
    (Event.VOIDED, S.VOIDED),
    (Event.REPOST, S.QUEUED),
    (Event.UNCHANGED, S.SYNCED),
    (Event.NOT_NEEDED, S.SKIPPED),
    (Event.WAITS, S.BLOCKED),
    (Event.NEEDS_PERSON, S.ACTION_REQUIRED),
    (Event.RETRY, S.RETRY_WAIT),
    (Event.UNANSWERED, S.UNKNOWN),
]


@pytest.mark.parametrize(("event", "to"), OUTCOMES)
def test_an_outcome_leads_to_one_state_from_wherever_a_lane_took_the_document(event: Event, to: S) -> None:
    assert {next_state(state, event) for state in WORKED} == {to}


@pytest.mark.parametrize(("event", "to"), OUTCOMES)
def test_a_document_that_no_lane_took_has_no_outcome(event: Event, to: S) -> None:
    for state in set(S) - set(WORKED):
        with pytest.raises(ImpossibleTransition):
            next_state(state, event)


# fmt: off
OTHERS = [
    # state               changed            released           resent             dismissed          undismissed
    (S.NOT_TRIED,         S.NOT_TRIED,       S.NOT_TRIED,       S.NOT_TRIED,       S.DISMISSED,       S.NOT_TRIED),
    (S.QUEUED,            S.QUEUED,          S.QUEUED,          S.QUEUED,          S.DISMISSED,       S.QUEUED),
    (S.IN_FLIGHT,         S.IN_FLIGHT,       S.IN_FLIGHT,       S.IN_FLIGHT,       S.IN_FLIGHT,       S.IN_FLIGHT),
    (S.SYNCED,            S.QUEUED,          S.SYNCED,          S.QUEUED,          S.SYNCED,          S.SYNCED),
    (S.RETRY_WAIT,        S.QUEUED,          S.RETRY_WAIT,      S.QUEUED,          S.DISMISSED,       S.RETRY_WAIT),
    (S.ACTION_REQUIRED,   S.QUEUED,          S.ACTION_REQUIRED, S.QUEUED,          S.DISMISSED,    S.ACTION_REQUIRED),
    (S.BLOCKED,           S.QUEUED,          S.QUEUED,          S.QUEUED,          S.DISMISSED,       S.BLOCKED),
    (S.SKIPPED,           S.QUEUED,          S.SKIPPED,         S.QUEUED,          S.SKIPPED,         S.SKIPPED),
    (S.UNKNOWN,           S.UNKNOWN,         S.UNKNOWN,         S.UNKNOWN,         S.UNKNOWN,         S.UNKNOWN),
    (S.VOIDED,            S.QUEUED,          S.VOIDED,          S.QUEUED,          S.VOIDED,          S.VOIDED),
    (S.DISMISSED,         S.QUEUED,          S.DISMISSED,       S.QUEUED,          S.DISMISSED,       S.QUEUED),
]
# fmt: on


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row[0].value)
def test_what_others_do_to_a_document(row: tuple[S, ...]) -> None:
    state, *expected = row
    events = (Event.CHANGED, Event.RELEASED, Event.RESENT, Event.DISMISSED, Event.UNDISMISSED)
    assert [next_state(state, event) for event in events] == expected


def test_the_table_above_covers_every_state() -> None:
    assert {row[0] for row in OTHERS} == set(S)


def test_an_unknown_outcome_is_never_forgotten_before_it_is_looked_up() -> None:
    leaving = {event for event in Event if TRANSITIONS.get((S.UNKNOWN, event), S.UNKNOWN) is not S.UNKNOWN}
    assert leaving == {event for event, _ in OUTCOMES} - {Event.UNANSWERED} | {Event.ABSENT}


def test_only_a_look_up_and_what_was_not_sent_lead_back_into_the_queue() -> None:
    back = {event for (state, event), to in TRANSITIONS.items() if to is S.QUEUED and state is S.IN_FLIGHT}
    assert back == {Event.ABSENT, Event.NOT_SENT, Event.REPOST}


@pytest.mark.parametrize("state", [S.SYNCED, S.VOIDED, S.SKIPPED, S.ACTION_REQUIRED, S.BLOCKED, S.QUEUED, S.RETRY_WAIT])
def test_unlinking_waits_for_a_person(state: S) -> None:
    assert next_state(state, Event.UNLINKED) is S.ACTION_REQUIRED


@pytest.mark.parametrize("event", [Event.DIFFERS, Event.AGREES])
def test_what_is_found_in_the_ledger_moves_only_what_rests(event: Event) -> None:
    moved = {state: to for state in S if (to := next_state(state, event)) is not state}
    wanted = {Event.DIFFERS: {S.SYNCED: S.ACTION_REQUIRED}, Event.AGREES: {S.ACTION_REQUIRED: S.QUEUED}}
    assert moved == wanted[event]


@pytest.mark.parametrize("state", [S.NOT_TRIED, S.UNKNOWN, S.IN_FLIGHT, S.DISMISSED])
def test_what_has_no_link_or_is_being_written_cannot_be_unlinked(state: S) -> None:
    with pytest.raises(ImpossibleTransition, match="unlinked"):
        next_state(state, Event.UNLINKED)


def test_retries_come_after_1_2_4_8_15_minutes_then_hourly_for_a_day() -> None:
    delays = []
    failures = 1
    while (delay := retry_after(failures)) is not None:
        delays.append(delay)
        failures += 1
    assert delays[:6] == [timedelta(minutes=m) for m in (1, 2, 4, 8, 15, 60)]
    assert set(delays[5:]) == {timedelta(hours=1)}
    assert timedelta(hours=23) < sum(delays, timedelta()) <= timedelta(hours=24)


@pytest.mark.parametrize("error_class", [ErrorClass.TRANSIENT, ErrorClass.TOKEN])
def test_a_refusal_for_now_is_retried_for_a_day_and_then_shown(error_class: ErrorClass) -> None:
    assert after_refusal(error_class, 1) == (Event.RETRY, timedelta(minutes=1))
    assert after_refusal(error_class, 28) == (Event.RETRY, timedelta(hours=1))
    assert after_refusal(error_class, 29)[0] is Event.NEEDS_PERSON


@pytest.mark.parametrize("error_class", [ErrorClass.CONFLICT, ErrorClass.LOOKUP])
def test_a_conflict_is_tried_again_at_once_but_not_for_ever(error_class: ErrorClass) -> None:
    assert [after_refusal(error_class, failures) for failures in (1, 2, 3)] == [(Event.RETRY, timedelta(0))] * 3
    assert after_refusal(error_class, 4)[0] is Event.NEEDS_PERSON


@pytest.mark.parametrize(
    "error_class",
    [ErrorClass.DATA, ErrorClass.CONFIG, ErrorClass.PERMISSION, ErrorClass.PERIOD, ErrorClass.LIMIT],
)
def test_a_refusal_for_good_waits_for_a_person(error_class: ErrorClass) -> None:
    assert after_refusal(error_class, 1)[0] is Event.NEEDS_PERSON


def test_a_missing_dependency_is_waited_for() -> None:
    assert after_refusal(ErrorClass.DEPENDENCY, 1)[0] is Event.WAITS
