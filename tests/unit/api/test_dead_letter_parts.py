"""Letters and their outcomes: pure."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from api.dead_letters.letters import DELIVERY_LIMIT_ERROR, Parked, context_of, replay_headers, to_row
from api.dead_letters.outcome import QUIET_AFTER, LetterOutcome, outcome_of
from common.crypto import Cipher
from common.recovery import (
    HEADER_ATTEMPT,
    HEADER_DEAD_LETTER,
    HEADER_ENTITY,
    HEADER_ERROR_TYPE,
    HEADER_FAILED_AT,
    HEADER_FIRST_FAILED_AT,
    HEADER_QUEUE,
)

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CIPHER = Cipher.of(SecretStr("1:" + base64.b64encode(b"k" * 32).decode()))
HEADERS = {
    HEADER_QUEUE: "mapper.order-normalized",
    HEADER_ERROR_TYPE: "KeyError",
    HEADER_ENTITY: "con/1",
    HEADER_ATTEMPT: 3,
    HEADER_FIRST_FAILED_AT: (NOW - timedelta(minutes=2)).isoformat(),
    HEADER_FAILED_AT: NOW.isoformat(),
}


def parked(headers: dict[str, Any], body: bytes = b'{"states":[]}', message_id: str = "m") -> Parked:
    return Parked("mapper.dead", message_id, "order.normalized.v1", body, headers, NOW)


def test_a_letter_keeps_what_came_sealed_and_what_we_wrote_readable() -> None:
    row = to_row(parked(HEADERS), CIPHER)
    identity = row["dead_letter_id"]
    assert (row["queue"], row["error_type"], row["attempts"]) == ("mapper.order-normalized", "KeyError", 3)
    assert row["last_failed_at"] - row["first_failed_at"] == timedelta(minutes=2)
    assert CIPHER.decrypt(row["body"], context_of(identity, "body")) == b'{"states":[]}'
    assert orjson.loads(CIPHER.decrypt(row["headers"], context_of(identity, "headers"))) == HEADERS


def test_the_same_failure_under_two_message_ids_is_one_letter() -> None:
    first, again = to_row(parked(HEADERS), CIPHER), to_row(parked(HEADERS, message_id="other"), CIPHER)
    assert first["dead_letter_id"] == again["dead_letter_id"]
    other = to_row(parked(HEADERS, body=b"{}"), CIPHER)
    assert other["dead_letter_id"] != first["dead_letter_id"]


def test_a_replay_starts_counting_anew_and_finds_its_row_when_it_fails() -> None:
    row = to_row(parked(HEADERS | {"authorization": "x"}), CIPHER)
    sent = replay_headers(HEADERS | {"authorization": "x"}, row["dead_letter_id"])
    assert sent == {
        HEADER_QUEUE: "mapper.order-normalized",
        HEADER_ENTITY: "con/1",
        HEADER_DEAD_LETTER: row["dead_letter_id"],
    }
    failed_again = to_row(parked(HEADERS | sent | {HEADER_FAILED_AT: (NOW + timedelta(1)).isoformat()}), CIPHER)
    assert failed_again["dead_letter_id"] == row["dead_letter_id"]


def test_what_the_broker_parked_itself_names_the_queue_it_died_in() -> None:
    died = [{"queue": "ledger-writer.transactions-mapped", "reason": "delivery_limit", "time": NOW}]
    row = to_row(parked({"x-death": died}), CIPHER)
    assert row["queue"] == "ledger-writer.transactions-mapped"
    assert row["error_type"] == DELIVERY_LIMIT_ERROR
    assert row["last_failed_at"] == NOW


def test_headers_of_any_kind_and_length_are_taken() -> None:
    odd = {HEADER_ENTITY: "a\x00b" * 3000, "raw": b"\xff", "nested": [{"when": NOW}], "n": 1.5, "o": object()}
    row = to_row(parked(HEADERS | odd | {HEADER_FAILED_AT: "never", HEADER_DEAD_LETTER: "evil"}), CIPHER)
    assert "\x00" not in row["entity"]
    assert len(row["entity"]) == 2000
    assert row["dead_letter_id"].startswith("dl_")


@pytest.mark.parametrize(
    ("status", "replayed", "failed", "seen", "expected"),
    [
        ("unresolved", None, 0, None, (LetterOutcome.UNRESOLVED, None)),
        ("unresolved", None, 0, 5, (LetterOutcome.UNRESOLVED, None)),
        ("unresolved", None, 0, 6, (LetterOutcome.SUPERSEDED, 6)),
        ("replayed", 10, 0, None, (LetterOutcome.PUBLISHED, None)),
        ("replayed", 10, 0, 4, (LetterOutcome.PUBLISHED, None)),
        ("replayed", 10, 0, 5, (LetterOutcome.HANDLED, None)),
        ("replayed", 10, 0, 7, (LetterOutcome.SUPERSEDED, 7)),
        ("replayed", -3600, -7200, None, (LetterOutcome.HANDLED, None)),
        # It failed before the note that it was published could be written.
        ("unresolved", 10, 20, None, (LetterOutcome.FAILED_AGAIN, None)),
        ("archived", None, 0, 9, (LetterOutcome.ARCHIVED, None)),
    ],
)
def test_outcomes(
    status: str, replayed: int | None, failed: int, seen: int | None, expected: tuple[LetterOutcome, int | None]
) -> None:
    found = outcome_of(
        status=status,
        revision=5,
        replayed_at=None if replayed is None else NOW + timedelta(seconds=replayed),
        last_failed_at=NOW + timedelta(seconds=failed),
        seen_revision=seen,
        now=NOW + timedelta(seconds=30),
    )
    assert found == expected


def test_silence_counts_as_handled_only_after_every_retry_is_over() -> None:
    def outcome(age: timedelta) -> LetterOutcome:
        found, _ = outcome_of(
            status="replayed",
            revision=1,
            replayed_at=NOW - age,
            last_failed_at=NOW - age * 2,
            seen_revision=None,
            now=NOW,
        )
        return found

    assert outcome(QUIET_AFTER - timedelta(seconds=1)) is LetterOutcome.PUBLISHED
    assert outcome(QUIET_AFTER) is LetterOutcome.HANDLED
