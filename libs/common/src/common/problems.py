"""RFC 9457 problem details: every error answer names what is wrong, with which value, and the cure."""

import json
from collections.abc import Callable, Mapping
from typing import cast

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from common.broken_json import BrokenJson, broken_json
from common.cures import FieldProblem, cure_of, scalar
from common.database import LOST
from common.errors import Rejected, Retryable

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tillbook:problem:"

log = structlog.get_logger(__name__)


class ProblemDetails(BaseModel):
    """Body of every error answer (application/problem+json)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    cure: str | None = None
    errors: list[FieldProblem] = []


class Problem(Exception):
    """Raised by routes to answer with problem details."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        cure: str | None = None,
        errors: list[FieldProblem] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.details = ProblemDetails(
            type=TYPE_PREFIX + code.lower().replace("_", "-"),
            title=code.replace("_", " ").capitalize(),
            status=status,
            detail=detail,
            code=code,
            cure=cure,
            errors=errors or [],
        )

    def response(self) -> Response:
        body = self.details.model_dump(exclude_none=True)
        return JSONResponse(body, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def not_found(what: str, identity: str) -> Problem:
    return Problem(
        404,
        "NOT_FOUND",
        f"there is no {what} {identity[:128]!r} here",
        cure="check its id: it may be misspelt, deleted or another tenant's; the list of its kind shows what there is",
    )


async def _problem(_: Request, error: Exception) -> Response:
    error = cast("Problem", error)
    return error.response()


async def _validation(_: Request, error: Exception) -> Response:
    error = cast("RequestValidationError", error)
    if isinstance(error.__cause__, json.JSONDecodeError):
        return _broken(broken_json(error.__cause__))
    found = error.errors()[:50]
    fields = [
        FieldProblem(
            field=".".join(str(part) for part in item["loc"]),
            value=scalar(item.get("input")),
            cure=cure_of(item),
        )
        for item in found
    ]
    return Problem(
        422,
        "INVALID_REQUEST",
        "the request does not fit the contract",
        cure="correct the fields named in errors",
        errors=fields,
    ).response()


def _broken(found: BrokenJson) -> Response:
    """The place is one of the body rather than a field: there are none yet."""
    field = FieldProblem(field="body", value=None, cure=f"{found.place}: {found.cure}")
    return Problem(422, "JSON_BROKEN", found.text, cure=found.cure, errors=[field]).response()


_CURES: Mapping[int, Callable[[Mapping[str, str]], str | None]] = {
    404: lambda _: "check the address: every route is in the OpenAPI document",
    405: lambda headers: f"this address takes {headers['Allow']}" if "Allow" in headers else "use another method",
    413: lambda _: "send less at once",
}


async def _http(_: Request, error: Exception) -> Response:
    error = cast("HTTPException", error)
    if isinstance(error.__cause__, UnicodeDecodeError):
        return _broken(broken_json(error.__cause__))
    codes = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 401: "UNAUTHORIZED", 403: "FORBIDDEN", 413: "TOO_LARGE"}
    problem = Problem(
        error.status_code,
        codes.get(error.status_code, "REQUEST_REFUSED"),
        str(error.detail),
        cure=_CURES[error.status_code](error.headers or {}) if error.status_code in _CURES else None,
        headers=error.headers,
    )
    return problem.response()


async def _rejected(_: Request, error: Exception) -> Response:
    error = cast("Rejected", error)
    reason = error.reason
    fields = [FieldProblem(field=reason.field, value=reason.value, cure=reason.cure)] if reason.field else []
    return Problem(422, reason.code, reason.text, cure=reason.cure or None, errors=fields).response()


async def _unavailable(request: Request, error: Exception) -> Response:
    wait_s = getattr(error, "retry_after_s", None) or 5
    log.warning("request_deferred", error=type(error).__name__, path=request.scope.get("path"))
    detail = error.text if isinstance(error, Retryable) else "a part this answer needs is not available right now"
    return Problem(
        503,
        "UNAVAILABLE",
        detail,
        cure="try again after the time in Retry-After",
        headers={"retry-after": f"{wait_s:.0f}"},
    ).response()


def install(app: FastAPI) -> None:
    """Make the application answer every error as problem details. A bug becomes a bare 500 with no details in it."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Rejected, _rejected)
    app.add_exception_handler(Retryable, _unavailable)
    for lost in {*LOST, ConnectionError} - {OSError}:
        app.add_exception_handler(lost, _unavailable)
    app.add_exception_handler(Exception, _bug)


async def _bug(_: Request, __: Exception) -> Response:
    return Problem(500, "INTERNAL_ERROR", "something went wrong on our side; it has been logged").response()
