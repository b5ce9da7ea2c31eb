"""Which values an action takes, checked when a rule is saved."""

from common.messages.control import TransactionMode
from common.money import UnknownCurrency, exponent
from mapper.rules.comparisons import date_of, number_of


class BadValue(ValueError):
    """A value that the action can't use."""


def split_parts(value: str) -> tuple[str, str]:
    """Delimiter and side of `- first`, `- last`, `- 2`."""
    delimiter, _, side = value.rpartition(" ")
    return delimiter, side


def check_mode(value: str) -> None:
    if value not in set(TransactionMode):
        raise BadValue(f"{value!r} is not a transaction mode")


def check_number(value: str) -> None:
    if number_of(value.removesuffix("%")) is None:
        raise BadValue(f"{value!r} is not a number")


def check_factor(value: str) -> None:
    number = number_of(value)
    if number is None or number <= 0:
        raise BadValue(f"{value!r} is not a number above zero")


def check_date(value: str) -> None:
    if date_of(value) is None:
        raise BadValue(f"{value!r} is not a date; write it as 2026-01-31")


def check_due(value: str) -> None:
    if value.startswith("+") and value[1:].isdigit() and len(value) <= 5:
        return
    check_date(value)


def check_split(value: str) -> None:
    delimiter, side = split_parts(value)
    if not delimiter or not (side in ("first", "last") or (side.isdecimal() and int(side) > 0)):
        raise BadValue(f"{value!r}: write the delimiter and the side to keep, such as `- first`, `- last` or `- 2`")


def check_custom(value: str) -> None:
    if not value.partition("=")[0].strip() or "=" not in value:
        raise BadValue(f"{value!r}: write it as name=value")


def check_currency(value: str) -> None:
    try:
        exponent(value.strip().upper())
    except UnknownCurrency as error:
        raise BadValue(str(error)) from error
