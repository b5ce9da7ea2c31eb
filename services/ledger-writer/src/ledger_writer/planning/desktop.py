"""What QuickBooks Desktop's refusals mean (domain reference, section 24), ahead of the adapter that will meet them."""

import re
from collections.abc import Mapping
from typing import Final

from ledger_writer.ledgers.protocol import ErrorClass

_CLASSES: Final[Mapping[str, ErrorClass]] = {
    "500": ErrorClass.CONFIG,
    "501": ErrorClass.CONFIG,
    "510": ErrorClass.CONFIG,
    "570": ErrorClass.LOOKUP,
    "1000": ErrorClass.TRANSIENT,
    "1010": ErrorClass.TRANSIENT,
    "3000": ErrorClass.CONFIG,
    "3100": ErrorClass.LOOKUP,
    "3120": ErrorClass.CONFIG,
    "3130": ErrorClass.CONFIG,
    "3140": ErrorClass.CONFIG,
    "3150": ErrorClass.CONFIG,
    "3171": ErrorClass.PERIOD,
    "3175": ErrorClass.TRANSIENT,
    "3176": ErrorClass.TRANSIENT,
    "3200": ErrorClass.CONFLICT,
    "3240": ErrorClass.LOOKUP,
    "3250": ErrorClass.PERMISSION,
    "3260": ErrorClass.PERMISSION,
    "3261": ErrorClass.PERMISSION,
    "3270": ErrorClass.CONFIG,
    "0x80040408": ErrorClass.TRANSIENT,
    "0x8004040A": ErrorClass.TRANSIENT,
    "0x8004040D": ErrorClass.TRANSIENT,
    "0x80040414": ErrorClass.TRANSIENT,
    "0x80040420": ErrorClass.PERMISSION,
    "0x80040422": ErrorClass.TRANSIENT,
}
"""Status code → class, where the code alone decides; every other code is the data's fault."""

_BY_TEXT: Final = {
    "3170": re.compile(r"modified by another user", re.IGNORECASE),
    "3180": re.compile(r"\block|in use|list has been modified", re.IGNORECASE),
}
"""Codes that pass by themselves if their text says so: somebody else held the object for a moment."""


def classify(code: str, text: str) -> ErrorClass:
    """Class of a refusal by its status code and, for the codes that mean several things, its text."""
    passing = _BY_TEXT.get(code)
    if passing is not None:
        return ErrorClass.TRANSIENT if passing.search(text) else ErrorClass.DATA
    return _CLASSES.get(code, ErrorClass.DATA)
