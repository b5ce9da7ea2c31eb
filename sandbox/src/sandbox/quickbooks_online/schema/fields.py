"""Field kinds and the cleaning of a body against them.

A spec is written as text, one ``Name:kind`` a word: ``t21`` text of at most 21 characters, ``id``, ``ref``, ``b``
boolean, ``m`` amount, ``q`` quantity or price, ``pct`` percent, ``i`` whole number, ``d`` date, ``dt`` date-time,
``e(A|B)`` enumeration (``~`` stands for a blank), ``any`` anything, ``@Other`` a nested spec. ``*`` makes a list,
``!`` marks a field that the server sets: it is accepted in a body and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.quickbooks_online.faults import Fault

Cleaner = Callable[[Any, str], Any]

LARGEST = Decimal("99999999999.99")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+\Z")
_URI = re.compile(r"(https?://)?[^\s./]+(\.[^\s./]+)+(/\S*)?\Z", re.IGNORECASE)
_WORD = re.compile(r"(\w+):([a-z]+\d*|e\([^)]*\)|@\w+)(\*?)(!?)\Z")


@dataclass(frozen=True, slots=True)
class Field:
    """One property: its kind, whether a client may set it, the nested spec of an object or list."""

    name: str
    kind: str
    clean: Cleaner
    writable: bool = True
    many: bool = False
    spec: Spec | None = None


class Spec:
    """The properties of one object and the cleaning of a JSON body against them."""

    def __init__(self, name: str, fields: dict[str, Field]) -> None:
        self.name = name
        self.fields = fields
        self.order = {field: position for position, field in enumerate(fields)}

    def clean(self, body: dict[str, Any], path: str = "") -> dict[str, Any]:
        """Typed copy of ``body``: amounts as Decimal, null left out, "" as None, server-set fields dropped.

        Raises ``Fault`` 2010 for an unknown property and the code of the kind for a wrong value.
        """
        fields = self.fields
        out: dict[str, Any] = {}
        for name, value in body.items():
            field = fields.get(name)
            if field is None:
                raise self._unknown(name)
            if value is not None and field.writable:
                out[name] = field.clean(value, path + name)
        return out

    def _unknown(self, name: str) -> Fault:
        known = ", ".join(f'"{field}"' for field in list(self.fields)[:60])
        return Fault(
            "2010",
            f'Property Name:Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{self.name}), '
            f"not marked as ignorable ({len(self.fields)} known properties: {known} [truncated]])\n "
            "specified is unsupported or invalid",
        )


def _text(limit: int) -> Cleaner:
    def clean(value: Any, path: str) -> str | None:
        if not isinstance(value, str):
            if isinstance(value, bool):
                value = "true" if value else "false"
            elif isinstance(value, (int, Decimal)):
                value = str(value)
            else:
                raise Fault("2010", f"Property Name:{path} must be a string", path)
        if not value:
            return None
        if len(value) > limit:
            raise Fault(
                "2050",
                "String length specified does not match the supported length. "
                f"Min:0 Max:{limit:,} supported. Supplied length:{len(value):,}",
                path,
            )
        if _CONTROL.search(value):
            raise Fault("2040", f"{path} contains characters that are not supported", path)
        return str(value)

    return clean


def _number(code: str, what: str) -> Cleaner:
    def clean(value: Any, path: str) -> Decimal | None:
        if type(value) is int or type(value) is Decimal:
            number = Decimal(value)
        elif value == "":
            return None
        elif isinstance(value, str):
            try:
                number = Decimal(value.strip())
            except InvalidOperation:
                raise Fault(code, f"{what} {value[:40]!r} of {path} is not a number", path) from None
        else:
            raise Fault(code, f"{what} of {path} is not a number", path)
        if not number.is_finite() or abs(number) > LARGEST or _scale(number) > 15:
            raise Fault(code, f"{what} of {path} is out of the supported range", path)
        return number

    return clean


def _scale(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _percent(value: Any, path: str) -> Decimal | None:
    number: Decimal | None = _number("2150", "Percent")(value, path)
    if number is not None and not 0 <= number <= 100:
        raise Fault("2150", f"Percent {number} of {path} must lie between 0 and 100", path)
    return number


def _whole(value: Any, path: str) -> int | None:
    number: Decimal | None = _number("2080", "Number")(value, path)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Fault("2080", f"{path} must be a whole number", path)
    return int(number)


def _boolean(value: Any, path: str) -> bool | None:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    if value == "":
        return None
    raise Fault("2120", f"{path} must be true or false", path)


def _date(value: Any, path: str) -> str | None:
    if value == "":
        return None
    if isinstance(value, str):
        try:
            return date.fromisoformat(value[:10]).isoformat()
        except ValueError:
            pass
    raise Fault("2060", f"Invalid date format for {path}: use YYYY-MM-DD", path)


def _reference(value: Any, path: str) -> dict[str, str] | None:
    if not isinstance(value, dict):
        raise Fault("2010", f"Property Name:{path} must be an object with a value", path)
    target = value.get("value")
    if target is None or target == "":
        return None
    if isinstance(target, bool) or not isinstance(target, (str, int)):
        raise Fault("2030", f"Id of {path} must be a string", path)
    if not value.keys() <= {"value", "name", "type"}:
        raise Fault("2010", f"Property Name:{path} has an unsupported property", path)
    out = {"value": str(target)}
    if value.get("type"):
        out["type"] = str(value["type"])
    return out


def _identifier(value: Any, path: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise Fault("2030", f"Id of {path} must be a string", path)
    text = str(value)
    if len(text) > 40:
        raise Fault("2030", f"Id {text[:40]} of {path} is too long", path)
    return text or None


def _enumeration(choices: frozenset[str]) -> Cleaner:
    def clean(value: Any, path: str) -> str | None:
        if value == "":
            return None
        if isinstance(value, str) and value in choices:
            return value
        raise Fault("2170", f"{str(value)[:60]!r} is not one of {', '.join(sorted(choices))}", path)

    return clean


def _email(value: Any, path: str) -> str | None:
    text: str | None = _text(100)(value, path)
    if text and not all(_EMAIL.match(part.strip()) for part in text.split(",")):
        raise Fault("2210", f"The email address of {path} is not valid", path)
    return text


def _uri(value: Any, path: str) -> str | None:
    text: str | None = _text(1000)(value, path)
    if text and not _URI.match(text):
        raise Fault("2200", f"The address of {path} is not a valid URL", path)
    return text


def _anything(value: Any, _path: str) -> Any:
    return value


def _nested(spec: Spec) -> Cleaner:
    def clean(value: Any, path: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            if value == "":
                return None
            raise Fault("2010", f"Property Name:{path} must be an object", path)
        cleaned = spec.clean(value, path + ".")
        if not cleaned and value:
            return None
        return {name: part for name, part in cleaned.items() if part is not None}

    return clean


def _listed(inner: Cleaner) -> Cleaner:
    def clean(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise Fault("2010", f"Property Name:{path} must be an array", path)
        if len(value) > 2000:
            raise Fault("2010", f"Property Name:{path} has too many entries", path)
        return [part for part in (inner(item, path) for item in value if item is not None) if part is not None]

    return clean


_SIMPLE: dict[str, Cleaner] = {
    "id": _identifier,
    "ref": _reference,
    "b": _boolean,
    "m": _number("2140", "Amount"),
    "q": _number("2160", "Quantity"),
    "pct": _percent,
    "i": _whole,
    "d": _date,
    "dt": _text(40),
    "email": _email,
    "uri": _uri,
    "any": _anything,
}


def spec(name: str, text: str, known: dict[str, Spec]) -> Spec:
    """Read the words of ``text`` (see the module) into a ``Spec``; ``known`` resolves the ``@`` names."""
    fields: dict[str, Field] = {}
    for word in text.split():
        match = _WORD.match(word)
        if match is None:
            raise ValueError(f"{name}: {word!r} is not Name:kind")
        field, kind, star, bang = match.groups()
        nested: Spec | None = None
        if kind.startswith("@"):
            nested = known[kind[1:]]
            cleaner = _nested(nested)
        elif kind.startswith("e("):
            cleaner = _enumeration(frozenset(choice.replace("~", " ") for choice in kind[2:-1].split("|")))
        elif kind[0] == "t" and kind[1:].isdigit():
            cleaner = _text(int(kind[1:]))
        else:
            cleaner = _SIMPLE[kind]
        fields[field] = Field(
            field, kind, _listed(cleaner) if star else cleaner, writable=not bang, many=bool(star), spec=nested
        )
    return Spec(name, fields)
