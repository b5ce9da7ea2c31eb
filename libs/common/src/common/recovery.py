"""What happens to a state that could not be handled: a pure decision, and the message that carries it.

Attempt, queue and error travel in headers of our own: after a delay the broker's death headers only say `expired`.
"""

import traceback
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from common.database import CONTENDED
from common.errors import InvalidMessage, Rejected, Retryable
from common.outbox import OutboxRow
from common.topology import DEAD_EXCHANGE, HEADER_TENANT, SERVICES, delay_for

HEADER_ATTEMPT = "x-tillbook-attempt"
HEADER_QUEUE = "x-tillbook-queue"
HEADER_ERROR_TYPE = "x-tillbook-error-type"
HEADER_ERROR_TEXT = "x-tillbook-error-text"
HEADER_FRAME = "x-tillbook-frame"
HEADER_FAILED_AT = "x-tillbook-failed-at"
HEADER_FIRST_FAILED_AT = "x-tillbook-first-failed-at"
HEADER_ENTITY = "x-tillbook-entity"
HEADER_REVISION = "x-tillbook-revision"
HEADER_DEAD_LETTER = "x-tillbook-dead-letter"
"""Set on a replay to the id of the dead letter, so that a second failure finds the same row."""

FAILURE_HEADERS: frozenset[str] = frozenset(
    {HEADER_ATTEMPT, HEADER_ERROR_TYPE, HEADER_ERROR_TEXT, HEADER_FRAME, HEADER_FAILED_AT, HEADER_FIRST_FAILED_AT}
)

_OWN_PACKAGES = frozenset({"common", *(service.replace("-", "_") for service in SERVICES)})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often what is tried. Delays come from the shared ladder of the topology."""

    retryable_attempts_max: int = 12
    bug_attempts_max: int = 3
    unknown_attempts_max: int = 1008
    """For a type or value that a newer release wrote: a week of ten minutes each, longer than a rollback lasts."""
    delays_s: tuple[int, ...] = (10, 60, 600)


@dataclass(frozen=True, slots=True)
class Retry:
    delay_s: float


@dataclass(frozen=True, slots=True)
class Park:
    is_bug: bool


def decide(error: Exception, attempt: int, policy: RetryPolicy) -> Retry | Park:
    """Choose for the failed attempt number `attempt` (1 is the first).

    A message whose type or enum value this release does not know waits for the release that does: consumers are
    deployed first, but a rollback must not park a week's work. In the end it is parked, and so listed, after all.
    """
    ladder = policy.delays_s[min(attempt, len(policy.delays_s)) - 1]
    if isinstance(error, InvalidMessage):
        unknown_value = error.reason.value in {"enum", "literal_error"}
        if unknown_value and attempt < policy.unknown_attempts_max:
            return Retry(policy.delays_s[-1])
        return Park(is_bug=False)
    if isinstance(error, Rejected):
        return Park(is_bug=False)
    if isinstance(error, (Retryable, *CONTENDED)):
        if attempt >= policy.retryable_attempts_max:
            return Park(is_bug=False)
        wanted = getattr(error, "retry_after_s", None)
        return Retry(max(ladder, wanted) if wanted is not None else ladder)
    return Park(is_bug=True) if attempt >= policy.bug_attempts_max else Retry(ladder)


def first_own_frame(error: BaseException) -> str:
    """`package/module.py:function` of the innermost frame that is ours: what dead letters are grouped by."""
    own = "unknown"
    for frame, _line in traceback.walk_tb(error.__traceback__):
        # By the module's name: installed into an image, our own files lie among everybody else's.
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in _OWN_PACKAGES:
            path = Path(frame.f_code.co_filename)
            own = f"{path.parent.name}/{path.name}:{frame.f_code.co_name}"
    return own


def way_to(error: BaseException) -> str:
    """The traceback without the error's text, which may quote what our code choked on."""
    return "".join(traceback.format_tb(error.__traceback__))


@dataclass(frozen=True, slots=True)
class Failure:
    """A state (or an undecodable member of a pack) that failed, with what is needed to send it on."""

    queue: str
    service: str
    type: str
    body: bytes
    """A pack body holding this one state."""
    headers: dict[str, Any]
    """Headers of the delivery it came in."""
    entity: str
    revision: int
    tenant_id: str


def attempt_of(headers: dict[str, Any]) -> int:
    """Number of the attempt that a delivery with these headers is, counting from 1."""
    value = headers.get(HEADER_ATTEMPT, 1)
    return value if isinstance(value, int) and value > 0 else 1


def to_outbox(failure: Failure, error: Exception, decision: Retry | Park, now: datetime) -> OutboxRow:
    """The message by which a failed state leaves its pack: to a delay queue, or to the dead letters."""
    attempt = attempt_of(failure.headers)
    headers = {
        **{name: value for name, value in failure.headers.items() if name.startswith("x-tillbook-")},
        HEADER_QUEUE: failure.queue,
        HEADER_ERROR_TYPE: type(error).__name__,
        HEADER_ERROR_TEXT: _safe_text(error),
        HEADER_FRAME: first_own_frame(error),
        HEADER_FAILED_AT: now.isoformat(),
        HEADER_ENTITY: failure.entity,
        HEADER_REVISION: failure.revision,
        HEADER_TENANT: failure.tenant_id,
    }
    headers.setdefault(HEADER_FIRST_FAILED_AT, now.isoformat())
    if isinstance(decision, Retry):
        headers[HEADER_ATTEMPT] = attempt + 1
        exchange, key = delay_for(decision.delay_s).name, failure.queue
    else:
        headers[HEADER_ATTEMPT] = attempt
        exchange, key = DEAD_EXCHANGE, failure.service
    return OutboxRow(
        type=failure.type,
        entity_key=failure.entity,
        revision=failure.revision,
        body=failure.body,
        exchange=exchange,
        routing_key=key,
        headers=headers,
    )


def _safe_text(error: Exception) -> str:
    """Only texts that we wrote ourselves travel; a library's message may quote the data it choked on."""
    if isinstance(error, (Rejected, Retryable)):
        return str(error)[:1000]
    return f"{type(error).__name__} (see the log of this service)"
