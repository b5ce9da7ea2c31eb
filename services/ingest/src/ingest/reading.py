"""Reading a channel's JSON: what pydantic found wrong, and what no table knows, as reasons a person understands."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, ValidationError

from common.cures import FieldProblem, cure_of, scalar
from ingest.errors import NormalizationError

V = TypeVar("V")


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time in UTC whatever offset it came with: one moment must not look like two when a shop changes its clock."""


def looked_up(table: Mapping[str, V], value: str, field: str) -> V:
    """The canonical value. Raises `NormalizationError` with code UNKNOWN_STATUS for one the table lacks."""
    found = table.get(value)
    if found is None:
        raise NormalizationError(
            field,
            value,
            f"change the status in the channel to one of {', '.join(name or '(empty)' for name in table)}",
            code="UNKNOWN_STATUS",
            text=f"{field} is {value!r}, and what that means for the books is not known",
        )
    return found


def unreadable(error: ValidationError) -> NormalizationError:
    """The first thing that is wrong, with the channel's own path to it."""
    first = error.errors(include_url=False)[0]
    field = path(first["loc"])
    missing = first["type"] == "missing"
    given = first.get("input")
    value = None if missing or isinstance(given, (dict, list)) else given
    text = f"{field} is missing" if missing else f"{field} can't be read: {first['msg']}"
    return NormalizationError(field, value, "send the order as the channel's current API version writes it", text=text)


def wrong_fields(error: ValidationError, at: tuple[int | str, ...] = ()) -> list[FieldProblem]:
    """Every wrong place below `at` with what stands there and the cure, at most 50."""
    return [
        FieldProblem(field=path((*at, *item["loc"]))[:200], value=scalar(item["input"]), cure=cure_of(item))
        for item in error.errors(include_url=False)[:50]
    ]


def path(location: tuple[int | str, ...]) -> str:
    """`line_items[0].price` from pydantic's location."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or "body"
