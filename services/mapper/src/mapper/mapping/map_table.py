"""Maps as a table: CSV out, and CSV in with every wrong cell named."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from common.cells import UNQUOTED, guarded, unguarded
from common.errors import Rejected
from common.internal.mapper import MapEntry
from common.messages.base import Reason

COLUMNS: Final = ("connection_id", "source", "target")
ROWS_MAX: Final = 100_000
TEXT_MAX: Final = 500


class MapRefused(Rejected):
    """A table that can't be read, with the row and column that is wrong."""


def _refused(row: int, column: str, value: str, problem: str) -> MapRefused:
    return MapRefused(
        Reason(
            code="MAP_TABLE_REFUSED",
            text=f"Row {row}, column {column!r}: {problem}",
            cure="Correct the table and import it again; nothing was saved.",
            field=column,
            value=value[:500],
        )
    )


def write_map(entries: Iterable[MapEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([guarded(text) for text in (entry.connection_id, entry.source, entry.target)])
    return out.getvalue()


def read_map(text: str) -> list[MapEntry]:
    """Entries of a table; `*` as connection means all of them. Raises `MapRefused`, saving nothing."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    header = [column.strip().lower() for column in reader.fieldnames or ()]
    if sorted(header) != sorted(COLUMNS):
        unknown = next((column for column in header if column not in COLUMNS), "")
        wrong = unknown or next(column for column in COLUMNS if header.count(column) != 1)
        raise _refused(1, wrong, unknown, f"the columns are {', '.join(COLUMNS)}, each once")
    entries: list[MapEntry] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(reader, start=2):
        if number > ROWS_MAX:
            raise _refused(number, "source", "", f"a table may have {ROWS_MAX} rows; import it in parts")
        if more := row.get(None):
            raise _refused(number, str(len(header) + 1), more[0], UNQUOTED)
        cells = {key.strip().lower(): unguarded((value or "").strip()) for key, value in row.items()}
        for column in ("connection_id", "source"):
            if not cells[column] or len(cells[column]) > (128 if column == "connection_id" else TEXT_MAX):
                raise _refused(number, column, cells[column], "it is empty or too long")
        if len(cells["target"]) > TEXT_MAX:
            raise _refused(number, "target", cells["target"], f"it is longer than {TEXT_MAX} characters")
        identity = (cells["connection_id"], cells["source"].casefold())
        if identity in seen:
            raise _refused(number, "source", cells["source"], f"it stands in row {seen[identity]} already")
        seen[identity] = number
        entries.append(MapEntry(**{column: cells[column] for column in COLUMNS}))
    if not entries:
        raise _refused(2, "source", "", "the table has no rows")
    return entries
