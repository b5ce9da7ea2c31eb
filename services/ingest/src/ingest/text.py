"""Channel text made fit for the contracts: bounded, without markup or control characters."""

import html
from collections.abc import Iterable

_SHORT = 500
_LONG = 4000
_IDENTIFIER = 128


def short(value: str | None, length: int = _SHORT) -> str:
    """At most `length` characters; missing is empty."""
    if not value:
        return ""
    return _clean(value)[:length]


def long(value: str | None) -> str:
    return short(value, _LONG)


def unescaped(value: str | None) -> str:
    """Short text in which the channel wrote HTML entities."""
    return short(html.unescape(value)) if value else ""


def identifier(value: str) -> str:
    """At most 128 characters; what is longer keeps its end, where ids differ."""
    return value[-_IDENTIFIER:]


def tags(value: str | Iterable[str] | None) -> tuple[str, ...]:
    """Tags from a list or from comma-separated text."""
    if not value:
        return ()
    words = value.split(",") if isinstance(value, str) else value
    return tuple(short(word.strip(), 255) for word in words if word.strip())[:250]


def _clean(value: str) -> str:
    # Postgres can't store NUL, and ledgers refuse the other control characters.
    if value.isprintable():
        return value
    return "".join(character if character.isprintable() or character in "\n\t" else " " for character in value)
