"""Small pieces that statements are built from."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import asyncpg
import orjson
from pydantic import TypeAdapter

from common.database import Connection, Pool
from common.messages.base import Reason

Where = Connection | Pool
"""Something a single statement can run on."""

Row = dict[str, Any]


class Conditions:
    """Conditions of a list that depend on what was asked for; values travel as parameters only.

    `add("number = {}", number)` puts the number of the parameter in the braces.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.values: list[Any] = []

    def add(self, text: str, *values: Any) -> None:
        places = []
        for value in values:
            self.values.append(value)
            places.append(f"${len(self.values)}")
        self._texts.append(text.format(*places))

    def given(self, text: str, value: Any) -> None:
        """Add the condition unless the value is None."""
        if value is not None:
            self.add(text, value)

    @property
    def text(self) -> str:
        return " AND ".join(f"({text})" for text in self._texts) or "true"

    def parameter(self, value: Any) -> str:
        """Register one more value and return its place."""
        self.values.append(value)
        return f"${len(self.values)}"


_REASON = TypeAdapter(Reason)
_DECODERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("reason", "problem", "failed", "last_failed", "sample"), _REASON.validate_json),
    "notices": TypeAdapter(list[Reason]).validate_json,
}
"""Columns that hold a contract's value; the other JSON columns hold plain objects."""


def row_of(record: asyncpg.Record | None, *json: str) -> Row | None:
    """A record as a dict, with its JSON columns decoded: reasons by their contract, others as they are."""
    if record is None:
        return None
    row = dict(record.items())
    for name in json:
        if row[name] is not None:
            row[name] = _DECODERS.get(name, orjson.loads)(row[name])
    return row


def rows_of(records: Iterable[asyncpg.Record], *json: str) -> list[Row]:
    return [row for record in records if (row := row_of(record, *json)) is not None]


def to_json(value: Mapping[str, Any] | list[Any] | None) -> str | None:
    """Text for a JSON column."""
    return None if value is None else orjson.dumps(value, default=str).decode()


def like(text: str) -> str:
    """A pattern that finds the text anywhere, with its wildcards taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
