"""What every endpoint of every sample shop needs: its shop, a body of bounded size, and trouble when it was ordered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shops.faults import answer_instead
from sandbox.shops.shop import Kind
from sandbox.shops.store import ShopStore

Json = dict[str, Any]
Endpoint = Callable[[Request], Awaitable[Response]]
BODY_BYTES_MAX: Final = 1_000_000


class Answer(Response):
    """A JSON answer."""

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(orjson.dumps(content), status_code, headers, "application/json")


def store_of(request: Request) -> ShopStore:
    """The shop named in the path. Raises a 404."""
    shops: dict[str, ShopStore] = request.app.state.shops
    try:
        return shops[request.path_params["shop"]]
    except KeyError:
        raise HTTPException(404, "no such shop") from None


async def json_body(request: Request) -> Any:
    """The body as JSON. Raises a 413 for one too large and a 400 for one that is no JSON."""
    size = 0
    chunks = []
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise HTTPException(413, f"body: larger than {BODY_BYTES_MAX} bytes")
        chunks.append(chunk)
    try:
        return orjson.loads(b"".join(chunks) or b"null")
    except orjson.JSONDecodeError:
        raise HTTPException(400, "body: not JSON") from None


def guarded(
    kind: Kind,
    prefix: str,
    refusal: Callable[[Request], Response | None],
    *endpoints: tuple[str, Endpoint, list[str]],
    always: Callable[[ShopStore], dict[str, str]] | None = None,
) -> tuple[Route, ...]:
    """Routes of one kind of shop: every call is counted, meets its fault if one waits, and is refused if it must be.

    `always` gives headers that belong on every answer.
    """
    return tuple(
        Route(prefix + path, _guard(kind, refusal, endpoint, always), methods=methods)
        for path, endpoint, methods in endpoints
    )


def _guard(
    kind: Kind,
    refusal: Callable[[Request], Response | None],
    endpoint: Endpoint,
    always: Callable[[ShopStore], dict[str, str]] | None,
) -> Endpoint:
    async def call(request: Request) -> Response:
        store = store_of(request)
        if store.life.kind != kind:
            raise HTTPException(404, f"shop {store.name} speaks {store.life.kind}")
        store.counters["calls"] += 1
        fault = store.faults.take(request.url.path)
        if fault is not None:
            store.counters[f"fault_{fault.kind}"] += 1
            instead = await answer_instead(fault)
            if instead is not None:
                return instead
        refused = refusal(request)
        if refused is not None:
            store.counters[f"refused_{refused.status_code}"] += 1
            return refused
        if fault is not None and fault.kind == "drift":
            store.advance(1)
        answer = await endpoint(request)
        if always is not None:
            answer.headers.update(always(store))
        if fault is not None and fault.kind == "broken_json":
            whole = bytes(answer.body)
            return Response(whole[: len(whole) // 2], answer.status_code, media_type="application/json")
        return answer

    return call
