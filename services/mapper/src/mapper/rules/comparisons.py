"""Comparing one value with what a rule says: text without regard to case and spaces, numbers and dates as such."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

import re2

from common.internal.mapper_rules import Comparison, Condition
from mapper.mapping.names import normal
from mapper.rules.fields import Kind, plain
from mapper.rules.model import WITHOUT_VALUE

Test = Callable[[str], bool]
"""Takes the field's text in normal form."""

REGEX_LENGTH_MAX: Final = 200
REGEX_BYTES_MAX: Final = 1 << 20
"""Memory of one compiled pattern; what needs more is refused when the rule is saved."""

ANYTHING: Final = frozenset({Comparison.EQUALS, Comparison.CONTAINS, Comparison.IS_NOT})
"""Comparisons for which `*` is no text of its own."""


class BadCondition(ValueError):
    """A condition that can never be evaluated: wrong value for its comparison."""


def number_of(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def compile_condition(condition: Condition, kind: Kind) -> Test:
    """A test over the field's normal text. Raises `BadCondition` naming value and cure."""
    comparison = condition.comparison
    if comparison in WITHOUT_VALUE:
        return _is_empty if comparison is Comparison.IS_EMPTY else _is_not_empty
    if comparison is Comparison.REGEX:
        return _regex(condition.value)
    if comparison in (Comparison.IN_LIST, Comparison.BETWEEN):
        return _of_several(condition, kind)
    if not condition.value:
        raise BadCondition(f"{comparison.value} needs a value; use is_empty to test for nothing")
    if comparison in (Comparison.MORE_THAN, Comparison.LESS_THAN):
        return _numeric(comparison, _needed_number(condition.value))
    if comparison in (Comparison.BEFORE, Comparison.AFTER):
        return _dated(comparison, _needed_date(condition.value))
    return _textual(comparison, condition.value, kind)


def wanted_text(value: str, kind: Kind) -> str:
    """The normal form a field's text is compared with: `1.50` and `1.5` are one number."""
    if kind is Kind.NUMBER:
        number = number_of(value.strip())
        if number is not None:
            return plain(number)
    return normal(value)


def _is_empty(text: str) -> bool:
    return not text


def _is_not_empty(text: str) -> bool:
    return bool(text)


def _textual(comparison: Comparison, value: str, kind: Kind) -> Test:
    wanted = wanted_text(value, kind)
    if wanted == "*" and comparison in ANYTHING:
        # Imported tables write `*` for "anything": any value for equals and matches, always true for is_not.
        return _is_not_empty if comparison is not Comparison.IS_NOT else lambda _text: True
    tests: dict[Comparison, Test] = {
        Comparison.EQUALS: lambda text: text == wanted,
        Comparison.IS_NOT: lambda text: text != wanted,
        Comparison.CONTAINS: lambda text: wanted in text,
        Comparison.NOT_CONTAINS: lambda text: wanted not in text,
        Comparison.STARTS_WITH: lambda text: text.startswith(wanted),
        Comparison.ENDS_WITH: lambda text: text.endswith(wanted),
    }
    return tests[comparison]


def _of_several(condition: Condition, kind: Kind) -> Test:
    if condition.comparison is Comparison.IN_LIST:
        if not condition.values:
            raise BadCondition("in_list needs at least one entry in values")
        wanted = frozenset(wanted_text(value, kind) for value in condition.values)
        return lambda text: text in wanted
    if len(condition.values) != 2:
        raise BadCondition("between needs exactly two values, the lower one first")
    if kind is Kind.DATE:
        first, last = (_needed_date(value) for value in condition.values)
        return lambda text: (found := date_of(text)) is not None and first <= found <= last
    low, high = (_needed_number(value) for value in condition.values)
    return lambda text: (found := number_of(text)) is not None and low <= found <= high


def _numeric(comparison: Comparison, wanted: Decimal) -> Test:
    if comparison is Comparison.MORE_THAN:
        return lambda text: (found := number_of(text)) is not None and found > wanted
    return lambda text: (found := number_of(text)) is not None and found < wanted


def _dated(comparison: Comparison, wanted: date) -> Test:
    if comparison is Comparison.BEFORE:
        return lambda text: (found := date_of(text)) is not None and found < wanted
    return lambda text: (found := date_of(text)) is not None and found > wanted


def _needed_number(value: str) -> Decimal:
    number = number_of(value.strip())
    if number is None:
        raise BadCondition(f"{value!r} is not a number")
    return number


def _needed_date(value: str) -> date:
    found = date_of(value.strip())
    if found is None:
        raise BadCondition(f"{value!r} is not a date; write it as 2026-01-31")
    return found


def _regex(pattern: str) -> Test:
    """RE2: takes time in proportion to the text, whatever the pattern."""
    if not pattern or len(pattern) > REGEX_LENGTH_MAX:
        raise BadCondition(f"a regular expression needs 1 to {REGEX_LENGTH_MAX} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = REGEX_BYTES_MAX
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise BadCondition(f"{pattern!r} is not a regular expression of RE2: {_said(error)}") from error
    return lambda text: compiled.search(text) is not None


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
