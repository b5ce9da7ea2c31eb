"""A state with every field set, made from its contract: what a release may send, and the next one must still read."""

import datetime as dt
import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ValidationError

from common.messages.base import State

M = TypeVar("M", bound=BaseModel)
Place = tuple[int | str, ...]
TEXTS = (
    "text",
    "USD",
    "a" * 32,
    "https://shop.example",
    "America/New_York",
    "0 2 * * *",
    "#a1b2c3",
    "12.5",
    "2026-05-01",
)
NUMBERS = (3, 30, 1, 0)
"""Tried one after the other where a field asks for a shape or a size of its own."""
ROUNDS = 60


def filled(contract: type[M]) -> M:
    """An instance with no field left out. Raises `ValidationError` where no text fits a field."""
    chosen: dict[Place, int] = {}
    for _ in range(ROUNDS):
        try:
            return contract.model_validate(_model(contract, (), chosen))
        except ValidationError as error:
            for place in _wrong(error):
                chosen[place] = chosen.get(place, 0) + 1
                if chosen[place] >= len(TEXTS):
                    raise
    raise RuntimeError(f"{contract.__name__} is never valid")


def _wrong(error: ValidationError) -> Iterator[Place]:
    for item in error.errors(include_url=False):
        # The key of a mapping is chosen at the place of the mapping.
        place = item["loc"]
        yield place[:-2] if place[-1] == "[key]" else place


def _model(contract: type[BaseModel], place: Place, chosen: dict[Place, int]) -> dict[str, Any]:
    return {
        # What stands at its default is left out of a message.
        name: not field.default if field.annotation is bool else _value(field.annotation, (*place, name), chosen)
        for name, field in contract.model_fields.items()
        if name != "type" or not issubclass(contract, State)
    }


def _value(annotation: Any, place: Place, chosen: dict[Place, int]) -> Any:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _value(arguments[0], place, chosen)
    if origin in (typing.Union, types.UnionType):
        return _value(next(one for one in arguments if one is not type(None)), place, chosen)
    if origin is typing.Literal:
        return arguments[-1]  # the first one is the default as a rule
    if origin in (tuple, frozenset, list):
        if origin is tuple and arguments[-1] is not Ellipsis:
            return tuple(_value(one, (*place, index), chosen) for index, one in enumerate(arguments))
        return origin([_value(arguments[0], (*place, 0), chosen)])
    if origin is not None and issubclass(origin, typing.Mapping):
        key = _value(arguments[0], place, chosen)
        return {key: _value(arguments[1], (*place, str(key)), chosen)}
    return _plain(annotation, place, chosen)


def _plain(annotation: Any, place: Place, chosen: dict[Place, int]) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation, place, chosen)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return list(annotation)[-1]
    known: dict[Any, Any] = {
        bool: True,
        int: NUMBERS[chosen.get(place, 0) % len(NUMBERS)],
        Decimal: Decimal("12.34"),
        AwareDatetime: dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC),
        dt.datetime: dt.datetime(2026, 5, 1, 12, 30, tzinfo=dt.UTC),
        dt.date: dt.date(2026, 5, 1),
        str: TEXTS[chosen.get(place, 0)],
    }
    return known[annotation]
