"""Answers and requests that are tables (CSV): how they are documented, bounded and kept from being run as formulas."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Response

from common.cells import guarded

MEDIA_TYPE = "text/csv"


class Sheet(Response):
    """A whole table."""

    media_type = MEDIA_TYPE


def documented(example: str) -> dict[int | str, dict[str, Any]]:
    """The answer of a route that sends a table, for the OpenAPI document."""
    shape = {"schema": {"type": "string", "format": "binary"}, "example": example}
    return {200: {"description": "The table.", "content": {MEDIA_TYPE: shape}}}


def lines(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV. A text that a spreadsheet would run gets an apostrophe before it; a negative amount does not."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([[_cell(value) for value in row] for row in rows])
    return out.getvalue()


def _cell(value: object) -> object:
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else value


def column(table: str, name: str) -> list[tuple[int, str]]:
    """(row, text) of one column; empty where the table has none, or can't be read."""
    reader = csv.reader(io.StringIO(table))
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        if name not in header:
            return []
        place = header.index(name)
        return [(row, cells[place].strip()) for row, cells in enumerate(reader, start=2) if len(cells) > place]
    except csv.Error:
        return []


def attachment(name: str) -> dict[str, str]:
    """Headers that let a browser keep the answer as a file."""
    return {"content-disposition": f'attachment; filename="{name}"'}


def body_documented(example: str) -> dict[str, Any]:
    """`openapi_extra` of a route that takes a table."""
    shape = {"schema": {"type": "string", "format": "binary"}, "example": example}
    return {"requestBody": {"required": True, "content": {MEDIA_TYPE: shape}}}
