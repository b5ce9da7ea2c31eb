"""What becomes of a state that could not be handled, as a table."""

import enum
import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pydantic
import pytest

from common.errors import InvalidMessage, NotYetArrived, RateLimited, Rejected
from common.messages.base import Reason
from common.recovery import (
    HEADER_ATTEMPT,
    HEADER_ERROR_TEXT,
    HEADER_FIRST_FAILED_AT,
    HEADER_QUEUE,
    Failure,
    Park,
    Retry,
    RetryPolicy,
    attempt_of,
    decide,
    first_own_frame,
    to_outbox,
)

POLICY = RetryPolicy(retryable_attempts_max=4, bug_attempts_max=2, delays_s=(10, 60, 600))
REASON = Reason(code="TOTALS_MISMATCH", text="the total is 77.00 and the lines add up to 76.00")


def invalid(kind: str) -> InvalidMessage:
    return InvalidMessage(Reason(code="INVALID_MESSAGE", text="broken", field="currency", value=kind))


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (Rejected(REASON), 1, Park(is_bug=False)),  # a person must act
        (NotYetArrived("no settings yet"), 1, Retry(10)),
        (NotYetArrived("no settings yet"), 2, Retry(60)),
        (NotYetArrived("no settings yet"), 3, Retry(600)),
        (NotYetArrived("no settings yet"), 4, Park(is_bug=False)),  # the ladder ends
        (RateLimited("slow down", 120), 1, Retry(120)),  # the vendor's own wish counts when it is longer
        (RateLimited("slow down", 1), 2, Retry(60)),
        (asyncpg.exceptions.DeadlockDetectedError("met"), 1, Retry(10)),
        (ZeroDivisionError(), 1, Retry(10)),  # a bug gets a second chance
        (ZeroDivisionError(), 2, Park(is_bug=True)),
        (invalid("decimal_type"), 1, Park(is_bug=False)),
        (invalid("enum"), 1, Retry(600)),  # a newer release wrote it: wait for the release that reads it
        (invalid("enum"), 1007, Retry(600)),
        (invalid("enum"), 1008, Park(is_bug=False)),
    ],
)
def test_decision_follows_the_kind_of_error(error: Exception, attempt: int, expected: Retry | Park) -> None:
    assert decide(error, attempt, POLICY) == expected


def failure(**headers: object) -> Failure:
    return Failure(
        queue="mapper.order-normalized",
        service="mapper",
        type="order.normalized.v1",
        body=b'{"states":[]}',
        headers=dict(headers),
        entity="con_1/42",
        revision=3,
        tenant_id="ten_1",
    )


NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_retry_returns_to_the_failing_queue_only_with_its_attempt_counted() -> None:
    row = to_outbox(failure(), NotYetArrived("no settings yet"), Retry(60), NOW)
    assert (row.exchange, row.routing_key) == ("delay.60s", "mapper.order-normalized")
    assert row.headers is not None
    assert row.headers[HEADER_ATTEMPT] == 2
    assert attempt_of(row.headers) == 2


def test_a_parked_state_goes_to_the_dead_letters_of_its_service() -> None:
    first = "2026-01-01T00:00:00+00:00"
    row = to_outbox(failure(**{HEADER_ATTEMPT: 3, HEADER_FIRST_FAILED_AT: first}), Rejected(REASON), Park(False), NOW)
    assert (row.exchange, row.routing_key) == ("dead", "mapper")
    assert row.headers is not None
    assert row.headers[HEADER_ATTEMPT] == 3
    assert row.headers[HEADER_QUEUE] == "mapper.order-normalized"
    assert row.headers[HEADER_FIRST_FAILED_AT] == first


def test_texts_of_foreign_errors_do_not_travel() -> None:
    row = to_outbox(failure(), ValueError("card 4111111111111111 is wrong"), Park(True), NOW)
    assert row.headers is not None
    assert "4111" not in row.headers[HEADER_ERROR_TEXT]


@pytest.mark.parametrize(
    ("source", "raised"),
    [
        pytest.param("json.loads('{')", ValueError, id="the standard library reading JSON"),
        pytest.param("enum.Enum('Mode', ['sales'])('no_such_mode')", ValueError, id="the standard library's enums"),
        pytest.param("pydantic.TypeAdapter(int).validate_json('{')", ValueError, id="another package"),
        pytest.param("1 / 0", ZeroDivisionError, id="no further frame"),
    ],
)
@pytest.mark.parametrize("root", ["services/mapper/src", "lib/python3.11/site-packages"])
def test_dead_letters_are_grouped_by_our_own_innermost_frame(source: str, raised: type[Exception], root: str) -> None:
    """The same in a checkout and in an image, where our packages are installed beside the others."""
    own: dict[str, Any] = {"__name__": "mapper.store.configurations", "json": json, "enum": enum, "pydantic": pydantic}
    exec(compile(f"def load():\n    {source}", f"/opt/{root}/mapper/store/configurations.py", "exec"), own)
    with pytest.raises(raised) as caught:
        own["load"]()
    assert first_own_frame(caught.value) == "store/configurations.py:load"


def test_an_error_that_never_met_our_code_has_no_frame_of_ours() -> None:
    with pytest.raises(ValueError, match="not a number") as raised:
        int("not a number")
    assert first_own_frame(raised.value) == "unknown"


@pytest.mark.parametrize("value", [None, 0, -1, "7", True])
def test_a_foreign_attempt_header_counts_as_the_first(value: object) -> None:
    assert attempt_of({} if value is None else {HEADER_ATTEMPT: value}) == 1
