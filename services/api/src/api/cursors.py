"""Cursors of list routes: opaque to clients, and worthless when changed or used on another list.

A cursor holds the sort key of the last row that was sent, so that a page continues where the last one ended however
much has been added meanwhile.
"""

import base64
import binascii
from datetime import datetime

import orjson


class InvalidCursor(ValueError):
    """The text is not a cursor of this list."""


def encode(name: str, *values: str | int | datetime) -> str:
    """Make a cursor for the list called `name` from the sort key of its last row."""
    parts = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(orjson.dumps([name, *parts])).rstrip(b"=").decode()


def decode(name: str, cursor: str, kinds: tuple[type, ...]) -> tuple[str | int | datetime, ...]:
    """Undo `encode`. Raises `InvalidCursor` for anything that `encode` would not have made for this list."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError) as error:
        raise InvalidCursor(cursor) from error
    if not isinstance(values, list) or len(values) != len(kinds) + 1 or values[0] != name:
        raise InvalidCursor(cursor)
    return tuple(_typed(value, kind, cursor) for value, kind in zip(values[1:], kinds, strict=True))


def _typed(value: object, kind: type, cursor: str) -> str | int | datetime:
    if kind is datetime and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise InvalidCursor(cursor) from error
        if moment.tzinfo is None:
            raise InvalidCursor(cursor)
        return moment
    if kind is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    if kind is str and isinstance(value, str) and "\x00" not in value:
        return value
    raise InvalidCursor(cursor)
