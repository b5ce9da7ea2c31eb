"""Filtering and paging of order lists by a stable key: shared by REST and GraphQL."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from sandbox.shops.store import Held, ShopStore

SORT_KEYS: Final[dict[str, Callable[[Held], tuple[Any, int]]]] = {
    "updated_at": lambda held: (held.updated_at, held.id),
    "created_at": lambda held: (held.created_at, held.id),
    "processed_at": lambda held: (held.created_at, held.id),
    "id": lambda held: (held.id, held.id),
}
CURSOR_BYTES_MAX: Final = 8_000


class BadCursor(ValueError):
    """A cursor that this server never gave out."""


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list and whether there is more before and after it."""

    rows: Sequence[Held]
    has_next: bool
    has_previous: bool


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; without an offset it is UTC. Raises ValueError."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "+"))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def matching(store: ShopStore, sort: str, accept: Callable[[Held], bool], *, descending: bool = False) -> list[Held]:
    """All orders that are accepted, sorted by a key of SORT_KEYS and then by id."""
    rows = [held for held in store.in_order_of(sort, SORT_KEYS[sort]) if accept(held)]
    return rows[::-1] if descending else rows


def page_after(
    rows: list[Held], sort: str, after: tuple[Any, int] | None, limit: int, *, descending: bool, backwards: bool = False
) -> Page:
    """The rows after a position (or before it, when going backwards), at most `limit` of them."""
    key = SORT_KEYS[sort]
    if after is None:
        chosen = rows[-limit:] if backwards else rows[:limit]
    else:
        sign = -1 if descending else 1
        sides = [(held, sign * (key(held) > after) - sign * (key(held) < after)) for held in rows]
        if backwards:
            chosen = [held for held, side in sides if side < 0][-limit:]
        else:
            chosen = [held for held, side in sides if side > 0][:limit]
    if not chosen:
        return Page((), has_next=False, has_previous=after is not None and bool(rows))
    return Page(chosen, has_next=chosen[-1] is not rows[-1], has_previous=chosen[0] is not rows[0])


def pack_cursor(sort: str, held: Held, extra: dict[str, Any] | None = None) -> str:
    """An opaque position: the sort value and id of a row, and whatever else has to come back."""
    value, order_id = SORT_KEYS[sort](held)
    text = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(orjson.dumps({"s": sort, "v": text, "i": order_id, **(extra or {})})).decode()


def unpack_cursor(cursor: str) -> tuple[str, tuple[Any, int], dict[str, Any]]:
    """Undo pack_cursor: the sort key, the position, and the rest. Raises BadCursor."""
    try:
        if len(cursor) > CURSOR_BYTES_MAX:
            raise BadCursor(cursor[:40])
        data = orjson.loads(base64.urlsafe_b64decode(cursor.encode()))
        sort, value = data.pop("s"), data.pop("v")
        position = (parse_time(value) if isinstance(value, str) else value, int(data.pop("i")))
        if sort not in SORT_KEYS:
            raise BadCursor(cursor[:40])
    except (
        binascii.Error,
        orjson.JSONDecodeError,
        UnicodeError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
    ) as error:
        raise BadCursor(cursor[:40]) from error
    return sort, position, data
