"""Amounts in messages: plain digits as text in JSON, exact decimals in Python, and nothing in between."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from common.messages.base import Amount, Frozen, Number


class Priced(Frozen):
    amount: Amount = Decimal(0)
    rate: Number = Decimal(0)


@pytest.mark.parametrize("text", ["0", "12.50", "-3.99", "0.0001", "999999999999999.9999"])
def test_an_amount_is_read_and_written_to_the_digit(text: str) -> None:
    read = Priced.model_validate_json(f'{{"amount":"{text}"}}')
    assert read.amount == Decimal(text)
    assert read.model_dump_json(exclude_defaults=True) == (f'{{"amount":"{text}"}}' if Decimal(text) else "{}")


@pytest.mark.parametrize(
    ("number", "text"), [(Decimal("1E+2"), "100"), (Decimal("1E-7"), "0.0000001"), (Decimal("-0.00"), "-0.00")]
)
def test_a_number_with_an_exponent_is_written_in_plain_digits(number: Decimal, text: str) -> None:
    assert Priced(rate=number).model_dump(mode="json")["rate"] == text


@pytest.mark.parametrize(
    "value",
    ["1.5", '""', '"1E+2"', '"NaN"', '"Infinity"', '"1.00001"', '"+1"', '"1\\n"', '" 1"', '"٣"', '"१२"', "null"],
)
def test_what_is_no_plain_number_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        Priced.model_validate_json(f'{{"amount":{value}}}')


def test_a_float_never_becomes_an_amount() -> None:
    with pytest.raises(ValidationError):
        Priced.model_validate({"amount": 1.5})
