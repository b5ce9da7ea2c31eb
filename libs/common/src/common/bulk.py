"""One statement a table and batch: rows travel as arrays and are unnested by the server.

Measured against the ORM, executemany and COPY (docs/decisions): this is the cheapest form that still says
`ON CONFLICT`, which the guards against older revisions need.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from common.database import Connection


@dataclass(frozen=True)
class Upsert:
    """How rows of one table are written in bulk.

    `columns` maps each column to its Postgres type (`text`, `bigint`, `jsonb`, `bytea`, `timestamptz`, …). On a
    conflict over `key`, the columns in `update` (default: all but the key) take the new values, if `guard` holds.
    `update=()` makes it insert-only. An array column can't be unnested together with scalars: pass it as `jsonb`.
    """

    table: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    update: tuple[str, ...] | None = None
    guard: str | None = None
    """SQL over `t` (the stored row) and `excluded`, e.g. `t.revision < excluded.revision`."""
    assignments: Mapping[str, str] = field(default_factory=dict)
    """Column → SQL expression used on conflict instead of `excluded.<column>`."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    @cached_property
    def row(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
        """Orders named values by column. Raises `KeyError` for a missing one."""
        return _picked(self.names)

    @cached_property
    def key_of(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """The key of a row."""
        return _picked([self.names.index(column) for column in self.key])

    @cached_property
    def statement(self) -> str:
        names = ", ".join(self.names)
        arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(self.columns.values(), start=1))
        changed = self.update
        if changed is None:
            changed = tuple(name for name in self.names if name not in self.key)
        updates = {name: f"excluded.{name}" for name in changed} | dict(self.assignments)
        if updates:
            assigned = ", ".join(f"{name} = {expression}" for name, expression in updates.items())
            action = f"DO UPDATE SET {assigned}" + (f" WHERE {self.guard}" if self.guard else "")
        else:
            action = "DO NOTHING"
        # Names come from this class's own fields, written in code; values only ever travel as parameters.
        return (
            f"INSERT INTO {self.table} AS t ({names}) SELECT {names} FROM unnest({arrays}) AS rows ({names})"  # noqa: S608
            f" ON CONFLICT ({', '.join(self.key)}) {action}"
        )

    async def write(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Write all rows in one statement, in key order; of two rows with one key the later is written."""
        unique = {self.key_of(row): row for row in rows}
        if not unique:
            return
        ordered = [unique[key] for key in sorted(unique)]
        await connection.execute(self.statement, *map(list, zip(*ordered, strict=True)))


def _picked(places: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """A getter of several values at once: one made in Python takes longer than the rest of writing a row."""
    if len(places) > 1:
        return itemgetter(*places)
    (place,) = places  # of one place alone `itemgetter` gives the bare value
    return lambda values: (values[place],)
