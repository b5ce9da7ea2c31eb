"""Every common error of a field comes with a cure in plain words."""

import json
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from common.cures import cure_of
from common.messages.base import Amount, CurrencyCode


class Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=2, max_length=5)] = "name"
    count: Annotated[int, Field(ge=1, lt=10)] = 1
    kind: Literal["a", "b"] = "a"
    status: Annotated[str, Field(pattern="^(created|modified)$")] = "created"
    currency: CurrencyCode = "USD"
    amount: Amount = Decimal(1)
    at: AwareDatetime | None = None
    tags: Annotated[tuple[str, ...], Field(max_length=1)] = ()
    code: Annotated[str, Field(pattern="^x[0-9]$")] = "x1"
    even: int = 2

    @field_validator("even")
    @classmethod
    def _even(cls, number: int) -> int:
        if number % 2:
            raise ValueError("give an even number")
        return number


@pytest.mark.parametrize(
    ("given", "cure"),
    [
        ({"unknown": 1}, "remove it or correct its name: there is no such field"),
        ({"name": "abcdef"}, "give at most 5 characters"),
        ({"name": "a"}, "give at least 2 characters"),
        ({"name": 1}, "give text: put it in double quotes"),
        ({"count": 0}, "give at least 1"),
        ({"count": 10}, "give less than 10"),
        ({"count": "x"}, "give a whole number"),
        ({"kind": "c"}, "give one of 'a' or 'b'"),
        ({"status": "x"}, "give one of created, modified"),
        ({"currency": "usd"}, "give a currency of ISO 4217 in capitals, such as USD"),
        ({"amount": "1.23456"}, 'give an amount as text with at most 4 places, such as "12.50"'),
        ({"at": "2026-01-01T00:00:00"}, "add the offset from UTC, as in 2026-01-31T12:00:00Z"),
        ({"tags": ["a", "b"]}, "give at most 1"),
        ({"code": "y"}, "write it as the pattern ^x[0-9]$ says"),
        ({"even": 3}, "give an even number"),
    ],
)
def test_a_wrong_field_has_its_cure(given: dict[str, Any], cure: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Wanted.model_validate_json(json.dumps(given))
    assert [cure_of(error) for error in caught.value.errors()] == [cure]


def test_a_missing_field_is_to_be_filled_in() -> None:
    assert cure_of({"type": "missing", "msg": "Field required"}) == "fill it in"
