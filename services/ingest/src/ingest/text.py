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
    if value.isprintable():
        return value if len(value) <= length else value[:length]
    # Postgres can't store NUL, and ledgers refuse the other control characters.
    return "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in value[:length])


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
