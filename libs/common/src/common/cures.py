"""What to do about a field that does not fit its contract: the words of the validator, turned into a plain cure."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

Context = Mapping[str, Any]

_PATTERNS: Mapping[str, str] = {
    r"^[A-Z]{3}$": "give a currency of ISO 4217 in capitals, such as USD",
    r"^([A-Z]{3})?$": "give a currency of ISO 4217 in capitals, such as USD, or leave it empty",
    r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$": 'give an amount as text with at most 4 places, such as "12.50"',
    r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$": "give an amount with at most 4 places, such as 12.50",
    r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$": 'give a number as text with at most 12 places, such as "2.9"',
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$": "use letters, digits, dots, hyphens, underscores; a letter or digit first",
    r"^https?://[^\s]+$": "give a whole address that begins with https:// or http://",
}

_PLAIN: Mapping[str, str] = {
    "missing": "fill it in",
    "extra": "remove it or correct its name: there is no such setting",
    "extra_forbidden": "remove it or correct its name: there is no such field",
    "string_type": "give text",
    "int_type": "give a whole number",
    "int_parsing": "give a whole number",
    "int_from_float": "give a whole number",
    "int_parsing_size": "give a smaller number",
    "float_type": "give a number",
    "float_parsing": "give a number",
    "bool_type": "give true or false",
    "bool_parsing": "give true or false",
    "decimal_parsing": "give a decimal number",
    "decimal_type": 'give a number as text, such as "12.50"',
    "dict_type": "give an object: names with values",
    "model_type": "give an object: names with values",
    "model_attributes_type": "give an object: names with values",
    "list_type": "give a list",
    "tuple_type": "give a list",
    "set_type": "give a list",
    "date_type": "give a day such as 2026-01-31",
    "date_parsing": "give a day such as 2026-01-31",
    "date_from_datetime_parsing": "give a day such as 2026-01-31",
    "date_from_datetime_inexact": "give a day such as 2026-01-31, without a time",
    "datetime_type": "give a time with its offset, such as 2026-01-31T12:00:00Z",
    "datetime_parsing": "give a time with its offset, such as 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "give a time with its offset, such as 2026-01-31T12:00:00Z",
    "timezone_aware": "add the offset from UTC, as in 2026-01-31T12:00:00Z",
    "none_required": "leave it out, or give null",
}

_BOUNDED: Mapping[str, Callable[[Context], str]] = {
    "string_too_long": lambda c: f"give at most {_counted(c['max_length'], 'character')}",
    "string_too_short": lambda c: f"give at least {_counted(c['min_length'], 'character')}",
    "too_long": lambda c: f"give at most {c['max_length']}",
    "too_short": lambda c: f"give at least {c['min_length']}",
    "greater_than": lambda c: f"give more than {c['gt']}",
    "greater_than_equal": lambda c: f"give at least {c['ge']}",
    "less_than": lambda c: f"give less than {c['lt']}",
    "less_than_equal": lambda c: f"give at most {c['le']}",
    "literal_error": lambda c: f"give one of {c['expected']}",
    "enum": lambda c: f"give one of {c['expected']}",
    "string_pattern_mismatch": lambda c: _patterned(str(c["pattern"])),
}


class FieldProblem(BaseModel):
    """One wrong field of a request."""

    field: str
    value: str | None = None
    cure: str


def scalar(value: Any) -> str | None:
    """A wrong value as its sender is shown it: a scalar, cut. A whole object may hold credentials beside the field."""
    return str(value)[:200] if isinstance(value, (str, int, float, bool)) else None


def cure_of(error: Mapping[str, Any]) -> str:
    """The cure of one error as pydantic lists it (`type`, `ctx`, `msg`, and `input` where it is known)."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind == "string_type" and isinstance(error.get("input"), (int, float)):
        return "give text: put it in double quotes"
    if kind in _PLAIN:
        return _PLAIN[kind]
    try:
        return _BOUNDED[kind](context)
    except KeyError:
        return str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")


def _patterned(pattern: str) -> str:
    """Patterns that list words say which; others are told by what they are for, or else shown."""
    words = pattern.removeprefix("^(").removesuffix(")$")
    if words.replace("|", "").replace("_", "").isalpha():
        return f"give one of {', '.join(words.split('|'))}"
    return _PATTERNS.get(pattern, f"write it as the pattern {pattern} says")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
