"""JSON in and out: amounts stay Decimals on the way in and are written digit for digit on the way out."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import orjson

from sandbox.quickbooks_online.faults import Fault

BODY_LIMIT = 4_000_000
DEPTH_LIMIT = 40


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not a JSON number")


def parse_json(body: bytes) -> Any:
    """Decode a JSON body; fractions become Decimal. Raises ``Fault`` 2010 for anything else, or too deep a body."""
    try:
        value = json.loads(body, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Fault("2010", "Property Name:failed to parse json object; the body is not valid JSON") from None
    return value


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(plain(value))
    raise TypeError(f"{type(value).__name__} has no JSON form")


def plain(value: Decimal) -> str:
    """A Decimal without exponent and without needless zeros: 100.00 → "100.0", 0.00 → "0", 8.25 → "8.25"."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0")
        if text.endswith("."):
            text += "0"
    return "0" if text in ("0.0", "-0.0", "-0") else text


def dump(value: Any) -> bytes:
    """Encode with Decimals as plain JSON numbers."""
    return orjson.dumps(value, default=_number)


def strict(value: Any) -> str:
    """A stable text of a parsed body, for telling two requests with the same request id apart."""
    return orjson.dumps(value, default=_number, option=orjson.OPT_SORT_KEYS).decode()
