"""Request bodies: what a client may send, checked against the contracts with every unknown field named."""

import json
from collections.abc import Iterator
from typing import Any, get_args

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError, WrapValidator


class Body(BaseModel):
    """A request body of ours. A field we don't know is an error: silently ignored typos cost more than they save."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


def from_json(contract: type[BaseModel], *place: str) -> WrapValidator:
    """Validate a contract as JSON, which is what its strict types are made for. `place`: where it stands in the body.

    FastAPI hands over Python values, where a strict date is not text. Contracts ignore unknown fields for the sake
    of older readers; a person who writes settings is told instead.
    """

    def validate(value: Any, _: Any) -> BaseModel:
        if isinstance(value, contract):
            return value
        errors: list[dict[str, Any]] = []
        try:
            state = contract.model_validate_json(_json(value))
        except ValidationError as error:
            found = error.errors(include_url=False)
            errors = [{**item, "loc": ("body", *place, *item["loc"])} for item in found]
        else:
            errors = [_unknown((*place, *field)) for field in unknown_fields(contract, value)]
            if not errors:
                return state
        raise RequestValidationError(errors)

    return WrapValidator(validate)


def _json(value: Any) -> str:
    """The body as it came, as JSON. Anything else than JSON reaches us as bytes."""
    if not isinstance(value, dict):
        wrong = {"loc": ("body",), "msg": "send a JSON object with Content-Type: application/json", "type": "json_type"}
        raise RequestValidationError([wrong])
    return json.dumps(value)


def unknown_fields(contract: type[BaseModel], value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Places in `value` that the contract has no field for, in nested contracts too."""
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        field = contract.model_fields.get(name)
        if field is None:
            yield (*place, name)
            continue
        annotation = field.annotation
        for candidate in (annotation, *get_args(annotation)):
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                yield from unknown_fields(candidate, held, (*place, name))


def _unknown(place: tuple[str, ...]) -> dict[str, Any]:
    return {"loc": ("body", *place), "msg": "there is no such setting: remove it or correct its name", "type": "extra"}
