"""Where the next page begins: an opaque text for the caller, a list of values for us."""

import base64
import binascii
from collections.abc import Sequence

import orjson

from common.problems import Problem


def encode(position: Sequence[str | int]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).decode().rstrip("=")


def decode(cursor: str, kinds: tuple[type, ...]) -> list[str | int] | None:
    """The position behind a cursor; None for the first page. Raises a 422 problem for anything we did not make."""
    if not cursor:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _bad(cursor) from error
    if not isinstance(position, list) or len(position) != len(kinds):
        raise _bad(cursor)
    if not all(type(value) is kind for value, kind in zip(position, kinds, strict=True)):
        raise _bad(cursor)
    return position


def _bad(cursor: str) -> Problem:
    return Problem(422, "INVALID_CURSOR", f"the cursor {cursor[:64]!r} is not one of ours", cure="start from page one")
