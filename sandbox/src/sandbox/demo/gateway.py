"""A plain client of the public REST API: what the demo does, anybody with an API key can do."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx

Json = dict[str, Any]
PAGE = 500
PATIENCE_S = 120.0
"""How long one request is made again while a part of the product is being restarted."""
_AWAY = frozenset({httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT})


class Refused(Exception):
    """The API said no; the text is its own problem details."""


class Gateway:
    """One API key's view of the gateway."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=f"{url}/v1",
            headers={"authorization": f"Bearer {key}"},
            timeout=60,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, **query: Any) -> Json:
        return self._read(await self._ask("GET", path, params=query))

    async def post(self, path: str, body: Json | None = None) -> Json:
        """POST with an Idempotency-Key, tried again while a part of the product is being restarted."""
        headers = {"idempotency-key": str(uuid.uuid4())}
        return self._read(await self._ask("POST", path, json=body or {}, headers=headers))

    async def change(self, path: str, body: Json) -> Json:
        return self._read(await self._ask("PATCH", path, json=body))

    async def remove(self, path: str) -> Json:
        return self._read(await self._ask("DELETE", path))

    async def replace(self, path: str, body: Json) -> Json:
        """PUT where no version is compared."""
        return self._read(await self._ask("PUT", path, json=body))

    async def save(self, path: str, body: Json) -> Json:
        """PUT over the version that is there now, or as the first one."""
        now = await self._ask("GET", path)
        match = now.headers["etag"] if now.status_code == httpx.codes.OK else '"0"'
        return self._read(await self._ask("PUT", path, json=body, headers={"if-match": match}))

    async def each(self, path: str, **query: Any) -> AsyncIterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            asked = {**query, "limit": PAGE} | ({"cursor": cursor} if cursor else {})
            page = await self.get(path, **asked)
            for item in page["items"]:
                yield item
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask, again and again while the answer is that something is away. Anything else it answers counts."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = await self._client.request(method, path, **more)
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
            else:
                if answer.status_code not in _AWAY or time.monotonic() > deadline:
                    return answer
            await asyncio.sleep(0.3)

    @staticmethod
    def _read(answer: httpx.Response) -> Json:
        if answer.is_success:
            body: Json = answer.json() if answer.content else {}
            return body
        request = answer.request
        raise Refused(f"{request.method} {request.url.path} answered {answer.status_code}: {answer.text[:1500]}")
