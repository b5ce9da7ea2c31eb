"""Cells of the tables (CSV) that people open in a spreadsheet, which runs a cell that begins like a formula."""

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*(?:[=+@\t\r]|-(?![0-9.,]*$))")
"""A minus sign begins a formula too, unless nothing but a number follows. Apostrophes before it may be guards."""

UNQUOTED: Final = "it has no column in the header; put a text with a comma in it between quotes"
"""What is wrong with a cell too many."""


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given. Another text stays as it is, with its apostrophe."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
