"""A real server with sample shops on a free port of the loopback interface, and a real receiver of webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shops.app import make_app


@asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    """Serve an application until the block ends; gives its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Street:
    """The running sample shops and a client for them."""

    client: httpx.AsyncClient
    url: str

    async def open(self, **description: Any) -> dict[str, Any]:
        answer = await self.client.post(f"{self.url}/_sandbox/shops", json={"start_date": "2026-03-01", **description})
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    async def post(self, shop: dict[str, Any], path: str, /, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(f"{self.url}/_sandbox/shops/{shop['name']}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    async with serving(make_app()) as url, httpx.AsyncClient(trust_env=False) as client:
        yield Street(client, url)


@dataclass
class Receiver:
    """Keeps every request as it came: headers and raw body."""

    url: str = ""
    status: int = 200
    requests: list[tuple[httpx.Headers, bytes]] = field(default_factory=list)
    before_answer: Callable[[], Awaitable[None]] | None = None

    async def take(self, request: Request) -> Response:
        raw = await request.body()
        if self.before_answer:
            await self.before_answer()
        self.requests.append((httpx.Headers(request.headers.raw), raw))
        return Response(status_code=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taking = Receiver()
    async with serving(Starlette(routes=[Route("/hook", taking.take, methods=["POST"])])) as url:
        taking.url = f"{url}/hook"
        yield taking
