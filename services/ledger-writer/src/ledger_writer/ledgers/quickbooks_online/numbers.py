"""JSON with exact amounts in both directions: QuickBooks writes amounts as JSON numbers, we never hold a float."""

import json
from decimal import Decimal
from typing import Any

import orjson


def dumps(content: Any) -> bytes:
    """JSON bytes; a `Decimal` becomes a plain JSON number with all its digits."""
    return orjson.dumps(content, default=_number)


def loads(body: bytes) -> Any:
    """Parse JSON; every number with a point becomes a `Decimal`. Raises `ValueError` for what is not JSON."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("the answer is nested too deeply") from error


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(f"{value:f}".encode())
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
