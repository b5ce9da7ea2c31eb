"""Calls to a vendor that asks for patience: waits as long as it says, a few times, before the run gives up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import orjson
import structlog

from common.backoff import Backoff
from common.errors import RateLimited, Retryable, UpstreamRefused, UpstreamUnavailable
from common.http import OutboundClient, raise_for_status, retry_after_s

log = structlog.get_logger(__name__)

_WAIT_MAX_S = 60.0


class PoliteClient:
    """GET and POST of JSON with the vendor's pace. `pace` is told of every answer and may wait before the next call."""

    def __init__(
        self,
        outbound: OutboundClient,
        *,
        attempts_max: int = 5,
        first_wait_s: float = 1.0,
        pace: Callable[[httpx.Response], Awaitable[None]] | None = None,
    ) -> None:
        self._outbound = outbound
        self._attempts_max = attempts_max
        self._first_wait_s = first_wait_s
        self._pace = pace

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> tuple[Any, httpx.Response]:
        """JSON and answer of a GET. Raises `Retryable` errors after the last attempt, `UpstreamRefused` at once."""
        return await self._call("GET", path, params=params)

    async def find(self, path: str, params: Mapping[str, str | int] | None = None) -> Any | None:
        """JSON of a GET, None where there is nothing at this address."""
        try:
            body, _ = await self._call("GET", path, params=params)
        except UpstreamRefused as error:
            if error.reason.code == "UPSTREAM_NOT_FOUND":
                return None
            raise
        return body

    async def send(self, method: str, path: str, json: Any) -> Any:
        """JSON of a POST or PUT that is safe to repeat."""
        body, _ = await self._call(method, path, json=json)
        return body

    async def close(self) -> None:
        await self._outbound.close()

    async def _call(self, method: str, path: str, **options: Any) -> tuple[Any, httpx.Response]:
        backoff = Backoff(self._first_wait_s, _WAIT_MAX_S)
        for attempt in range(1, self._attempts_max + 1):
            try:
                response = await self._outbound.request(method, path, **options)
                body = self._read(response)
            except Retryable as error:
                if attempt == self._attempts_max:
                    raise
                wait_s = backoff.failed()
                pause_s = wait_s if error.retry_after_s is None else min(error.retry_after_s, _WAIT_MAX_S)
                log.info("vendor_call_delayed", system=self._outbound.system, attempt=attempt, wait_s=pause_s)
                await asyncio.sleep(pause_s)
            else:
                if self._pace is not None:
                    await self._pace(response)
                return body, response
        raise UpstreamUnavailable(f"{self._outbound.system} did not answer")

    def _read(self, response: httpx.Response) -> Any:
        system = self._outbound.system
        # Hosts and firewalls answer with pages of HTML, sometimes with status 200, when they want less.
        if "html" in response.headers.get("content-type", "") and response.status_code not in {401, 403, 404}:
            raise RateLimited(f"{system} answered {response.status_code} with a web page", retry_after_s(response))
        raise_for_status(system, response)
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            # An answer that was cut off on its way looks the same; a wrong address never gets better by itself.
            raise UpstreamUnavailable(f"{system} did not answer with JSON: check the address if this stays") from error
