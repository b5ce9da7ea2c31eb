"""What every route module starts from: a router with its error answers, and the collaborators of a request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request

from api import cursors
from api.clients import Services
from api.idempotency import IdempotentRoute
from api.settings import ApiSettings
from common.crypto import Cipher
from common.cures import FieldProblem
from common.database import Pool
from common.problems import MEDIA_TYPE, Problem, ProblemDetails, not_found
from common.runtime import Runtime

_TEXTS: dict[int, str] = {
    400: "The request can't be read.",
    401: "No key, or one that is not valid any more.",
    403: "The key lacks the scope this route needs.",
    404: "There is no such thing, or it belongs to another tenant.",
    409: "It is not in a state that allows this.",
    412: "It was changed meanwhile: read it again.",
    413: "The body is too large.",
    422: "A field is wrong; `errors` names each with its value and the cure.",
    428: "Send If-Match with the ETag you have read.",
    429: "Too many requests; Retry-After says when to go on.",
    503: "A part this answer needs is not available right now; Retry-After says when to try again.",
}

Responses = dict[int | str, dict[str, Any]]

_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}
LOCATION: Responses = {201: {"headers": {"Location": {"description": "Its path.", "schema": {"type": "string"}}}}}


def problems(*statuses: int) -> Responses:
    """Error answers of a route, for the OpenAPI document."""
    return {
        status: {
            "description": _TEXTS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


PROBLEMS = problems(*_TEXTS)
ALWAYS = problems(400, 401, 403, 404, 409, 413, 422, 429, 503)


def router(tag: str) -> APIRouter:
    return APIRouter(prefix="/v1", tags=[tag], route_class=IdempotentRoute, responses=ALWAYS)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What a route works with."""

    runtime: Runtime
    services: Services
    settings: ApiSettings
    cipher: Cipher

    @property
    def pool(self) -> Pool:
        return self.runtime.pool


def _gateway(request: Request) -> Gateway:
    state = request.app.state
    return Gateway(state.runtime, state.services, state.settings, state.cipher)


Deps = Annotated[Gateway, Depends(_gateway)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A random value; repeating the request with it returns the first answer and makes nothing twice.",
    ),
]


def _documented(_: IdempotencyKey = None) -> None:
    """Shows the header in the OpenAPI document; the route class acts on it."""


ONCE = [Depends(_documented)]


def after_moment(name: str, cursor: str | None) -> tuple[datetime, str] | None:
    """Decode a cursor of (moment, id). Raises a 400 problem."""
    if cursor is None:
        return None
    moment, identity = _decode(name, cursor, (datetime, str))
    assert isinstance(moment, datetime)  # noqa: S101 - the cursor's kinds say so
    return moment, str(identity)


def after_number(name: str, cursor: str | None) -> int | None:
    """Decode a cursor of one number. Raises a 400 problem."""
    return None if cursor is None else int(str(_decode(name, cursor, (int,))[0]))


def after_text(name: str, cursor: str | None) -> str | None:
    """Decode a cursor of one text. Raises a 400 problem."""
    return None if cursor is None else str(_decode(name, cursor, (str,))[0])


def _decode(name: str, cursor: str, kinds: tuple[type, ...]) -> tuple[str | int | datetime, ...]:
    try:
        return cursors.decode(name, cursor, kinds)
    except cursors.InvalidCursor as error:
        cure = "start again without a cursor"
        raise Problem(
            400,
            "CURSOR_INVALID",
            "the cursor is not one of this list",
            cure=cure,
            errors=[FieldProblem(field="query.cursor", value=cursor[:200], cure=cure)],
        ) from error


def found(row: dict[str, Any] | None, what: str, identity: str) -> dict[str, Any]:
    """The row, or a 404 problem: another tenant's things do not exist."""
    if row is None:
        raise not_found(what, identity)
    return row


def following(name: str, rows: list[dict[str, Any]], limit: int, *keys: str) -> str | None:
    """Cursor behind the last row; None where the list has ended. A full last page costs one empty one."""
    if len(rows) < limit:
        return None
    return cursors.encode(name, *(rows[-1][key] for key in keys))
