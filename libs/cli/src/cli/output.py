"""How answers are shown: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 200
"""Columns where no terminal says how wide it is: tables go to a file or a log, and ids must stay whole."""
_NO_LIMIT = 10_000

GOOD, BAD, QUIET = "green", "red", "dim"
COLOURS = {
    "synced": GOOD,
    "in_ledger": GOOD,
    "already_in_ledger": GOOD,
    "finished": GOOD,
    "handled": GOOD,
    "action_required": BAD,
    "warnings": BAD,
    "failed": BAD,
    "failed_again": BAD,
    "not_found": BAD,
    "blocked": "yellow",
    "waiting": "yellow",
    "held": "yellow",
    "in_progress": "cyan",
    "filtered": QUIET,
    "out_of_scope": QUIET,
    "dismissed": QUIET,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and the field it shows."""

    title: str
    field: str
    right: bool = False
    whole: bool = False
    """Never broken over lines: an id that is to be copied."""


class Output:
    """Writes to standard output. With `as_json`, only JSON ever goes there."""

    def __init__(self, *, as_json: bool, console: Console | None = None) -> None:
        self.as_json = as_json
        self.console = console or Console(soft_wrap=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)

    def json(self, value: Any) -> None:
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def line(self, text: str, style: str = "") -> None:
        """A line for people."""
        if not self.as_json:
            self.console.print(Text(text, style=style))

    def rows(self, rows: Sequence[dict[str, Any]], columns: Sequence[Column], *, title: str, empty: str) -> None:
        """A table, or the rows as JSON."""
        if self.as_json:
            self.json(rows)
            return
        if not rows:
            self.line(f"{title}: {empty}" if empty else title, QUIET)
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for column in columns:
            justify: Literal["left", "right"] = "right" if column.right else "left"
            table.add_column(column.title, justify=justify, overflow="fold", no_wrap=column.whole)
        for row in rows:
            table.add_row(*(_cell(row, column.field) for column in columns))
        if (
            self.console.measure(table, options=self.console.options.update(width=_NO_LIMIT)).minimum
            > self.console.width
        ):
            self._records(rows, columns, title)
        else:
            self.console.print(table)

    def _records(self, rows: Sequence[dict[str, Any]], columns: Sequence[Column], title: str) -> None:
        """One field a line, where the terminal is too narrow for the table."""
        self.console.print(Text(title, style="italic"))
        for row in rows:
            self.console.rule(style=QUIET)
            for column in columns:
                name = column.title or column.field.rpartition(".")[2].replace("_", " ")
                if shown := _cell(row, column.field):
                    self.console.print(Text(f"{name}: ", style="bold").append_text(shown), soft_wrap=column.whole)


def field_of(row: dict[str, Any], path: str) -> Any:
    """A value inside nested objects, by a dotted path; None where anything on the way is missing."""
    value: Any = row
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _cell(row: dict[str, Any], path: str) -> Text:
    value = field_of(row, path)
    if value is None:
        return Text("")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, list):
        return Text(", ".join(str(each) for each in value))
    return Text(str(value), style=COLOURS.get(value, "") if isinstance(value, str) else "")


def amounts(totals: Iterable[dict[str, str]], side: str) -> str:
    """Totals of one side in every currency, e.g. `1200.50 USD, 99.00 EUR`."""
    return ", ".join(f"{total[side]} {total['currency']}" for total in totals)
