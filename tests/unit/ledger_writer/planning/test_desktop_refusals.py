"""What QuickBooks Desktop's status codes mean for a document (domain reference, section 24)."""

import pytest

from ledger_writer.ledgers.protocol import ErrorClass as E
from ledger_writer.planning.desktop import classify

CASES = [
    ("500", "", E.CONFIG),
    ("570", "", E.LOOKUP),
    ("1000", "", E.TRANSIENT),
    ("3171", "", E.PERIOD),
    ("3200", "", E.CONFLICT),
    ("3260", "", E.PERMISSION),
    ("0x80040420", "", E.PERMISSION),
    ("0x8004040D", "", E.TRANSIENT),
    ("3170", "The object was Modified By Another User", E.TRANSIENT),
    ("3170", "There is an invalid value", E.DATA),
    ("3180", "A lock could not be had", E.TRANSIENT),
    ("3180", "The transaction is IN USE", E.TRANSIENT),
    ("3180", "The list has been modified by someone else", E.TRANSIENT),
    ("3180", "The name is a block of text", E.DATA),
    ("3030", "modified by another user", E.DATA),
    ("", "in use", E.DATA),
]


@pytest.mark.parametrize(("code", "text", "wanted"), CASES)
def test_a_refusal_is_classed_by_its_code_and_where_that_says_too_little_by_its_text(
    code: str, text: str, wanted: E
) -> None:
    assert classify(code, text) is wanted
