"""From a parked delivery to a row: pure. What we wrote ourselves is readable, everything else is sealed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from api.ids import new_id
from common.crypto import Cipher
from common.recovery import (
    FAILURE_HEADERS,
    HEADER_DEAD_LETTER,
    HEADER_ENTITY,
    HEADER_ERROR_TEXT,
    HEADER_ERROR_TYPE,
    HEADER_FAILED_AT,
    HEADER_FIRST_FAILED_AT,
    HEADER_FRAME,
    HEADER_QUEUE,
    HEADER_REVISION,
    attempt_of,
)
from common.resealing import Sealed
from common.topology import HEADER_TENANT

DELIVERY_LIMIT_ERROR = "DeliveryLimitReached"
"""Parked by the broker: the message killed the process every time it was delivered."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A delivery as it came."""

    queue_dead: str
    message_id: str
    type: str
    body: bytes
    headers: Mapping[str, Any]
    arrived_at: datetime


def context_of(dead_letter_id: str, column: str) -> str:
    """What a sealed column is bound to."""
    return f"dead_letters/{dead_letter_id}/{column}"


SEALED = tuple(
    Sealed("dead_letters", ("dead_letter_id",), column, partial(context_of, column=column))
    for column in ("body", "headers")
)


def to_row(parked: Parked, cipher: Cipher) -> dict[str, Any]:
    """The row of `dead_letters`. A replayed letter that failed again carries its id, so it finds the same row."""
    headers = {name: _plain(value) for name, value in parked.headers.items()}
    queue = str(headers.get(HEADER_QUEUE) or _died_in(parked.headers) or parked.queue_dead)
    failed_at = _moment(headers.get(HEADER_FAILED_AT)) or parked.arrived_at
    known = headers.get(HEADER_DEAD_LETTER)
    identity = (
        known
        if isinstance(known, str) and known.startswith("dl_") and known.isascii()
        else _identity(queue, parked, headers)
    )
    revision = headers.get(HEADER_REVISION)
    return {
        "dead_letter_id": identity,
        "queue": _text(queue),
        "type": _text(parked.type),
        "letter_tenant": _text(headers.get(HEADER_TENANT)),
        "entity": _text(headers.get(HEADER_ENTITY)),
        "revision": revision if isinstance(revision, int) else 0,
        "error_type": _text(headers.get(HEADER_ERROR_TYPE) or DELIVERY_LIMIT_ERROR),
        "frame": _text(headers.get(HEADER_FRAME) or "unknown"),
        "error_text": _text(headers.get(HEADER_ERROR_TEXT) or "the broker gave up after too many deliveries"),
        "attempts": attempt_of(headers),
        "body": cipher.encrypt(parked.body, context_of(identity, "body")),
        "headers": cipher.encrypt(orjson.dumps(headers), context_of(identity, "headers")),
        "first_failed_at": _moment(headers.get(HEADER_FIRST_FAILED_AT)) or failed_at,
        "last_failed_at": failed_at,
    }


def replay_headers(headers: Mapping[str, Any], dead_letter_id: str) -> dict[str, Any]:
    """Headers for another try: what failures added is gone, so that it counts as the first attempt."""
    kept = {
        name: value for name, value in headers.items() if name.startswith("x-tillbook-") and name not in FAILURE_HEADERS
    }
    return {**kept, HEADER_DEAD_LETTER: dead_letter_id}


def _identity(queue: str, parked: Parked, headers: Mapping[str, Any]) -> str:
    # The outbox may publish one failure twice under two message ids: what failed, when, is the same.
    moment = headers.get(HEADER_FAILED_AT) or parked.message_id
    return new_id("dl", f"{queue}|{moment}|{hashlib.sha256(parked.body).hexdigest()}")


def _text(value: object) -> str:
    """A header as a text column takes it: bounded, and without the character Postgres can't store."""
    return str(value or "").replace("\x00", "")[:2000]


def _died_in(headers: Mapping[str, Any]) -> str | None:
    deaths = headers.get("x-death")
    if isinstance(deaths, list) and deaths and isinstance(deaths[0], Mapping):
        return str(deaths[0].get("queue", "")) or None
    return None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _plain(value: Any) -> Any:
    """A header as JSON can hold it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.replace(tzinfo=UTC).isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Mapping):
        return {str(name): _plain(held) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(held) for held in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
