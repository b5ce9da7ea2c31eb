"""Idempotency-Key: a POST that is repeated with the same key and body gets the first answer and changes nothing.

Answers are stored encrypted, because some show a secret once. A request that failed is forgotten: it may be sent
again with the same key after it was put right.
"""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.security import authenticate
from api.store import idempotency as store
from common.crypto import Cipher
from common.cures import FieldProblem
from common.problems import Problem
from common.runtime import Runtime

HEADER = "idempotency-key"
REPLAYED_HEADER = "idempotency-replayed"
_KEY_CHARS_MAX = 200

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotentRoute(APIRoute):
    """Route class of every router: wraps POST handlers, leaves the others as they are."""

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handle

        async def idempotent(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None:
                return await handle(request)
            return await _once(request, key, handle)

        return idempotent


def seed_of(request: Request) -> str | None:
    """What identifiers made by this request are derived from, so that its repetition makes the same ones."""
    seed: str | None = getattr(request.state, "idempotency_seed", None)
    return seed


async def _once(request: Request, key: str, handle: Handle) -> Response:
    if not 1 <= len(key) <= _KEY_CHARS_MAX or not key.isprintable():
        cure = "use a random UUID for each thing you want to make"
        raise Problem(
            400,
            "IDEMPOTENCY_KEY_INVALID",
            f"an idempotency key has 1 to {_KEY_CHARS_MAX} printable characters",
            cure=cure,
            errors=[FieldProblem(field="header.idempotency-key", value=key[:_KEY_CHARS_MAX], cure=cure)],
        )
    owner = (await authenticate(request)).owner
    route = f"{request.method} {request.url.path}"
    body_hash = hashlib.sha256(request.url.query.encode() + b"\n" + await request.body()).digest()
    runtime: Runtime = request.app.state.runtime
    cipher: Cipher = request.app.state.cipher
    context = f"idempotency/{owner}/{key}/{route}"
    if not await store.reserve(runtime.pool, owner, key, route, body_hash):
        return await _stored(runtime, cipher, context, (owner, key, route), body_hash)
    request.state.idempotency_seed = f"{owner}|{key}|{route}|{body_hash.hex()}"
    try:
        response = await handle(request)
    except Exception:
        await store.release(runtime.pool, owner, key, route)
        raise
    answer = orjson.dumps([response.headers.get("location", ""), bytes(response.body).decode()])
    sealed = cipher.encrypt(answer, context)
    await store.finish(runtime.pool, owner, key, route, response.status_code, sealed)
    return response


async def _stored(
    runtime: Runtime, cipher: Cipher, context: str, identity: tuple[str, str, str], body_hash: bytes
) -> Response:
    row = await store.find(runtime.pool, *identity)
    if row is None or (row["status"] is None and row["body_hash"] == body_hash):
        raise Problem(
            409,
            "REQUEST_IN_PROGRESS",
            "the first request with this idempotency key has not finished",
            cure="wait a moment and send it again",
            headers={"retry-after": "1"},
        )
    if row["body_hash"] != body_hash:
        cure = "use a new key for a new request"
        raise Problem(
            422,
            "IDEMPOTENCY_KEY_REUSED",
            "this idempotency key came with another body before",
            cure=cure,
            errors=[FieldProblem(field="header.idempotency-key", value=identity[1], cure=cure)],
        )
    location, body = orjson.loads(cipher.decrypt(row["answer"], context))
    headers = {REPLAYED_HEADER: "true"} | ({"location": location} if location else {})
    return Response(body, row["status"], headers=headers, media_type="application/json")
