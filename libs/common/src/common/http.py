"""Outbound HTTP: one client with time-outs and a size bound, and one place where status codes become our errors."""

import time
from collections.abc import Mapping
from typing import Any

import httpx

from common.errors import RateLimited, UpstreamRefused, UpstreamUnavailable
from common.messages.base import Reason
from common.telemetry import UPSTREAM_REQUESTS, UPSTREAM_SECONDS, current_traceparent

ANSWER_BYTES_MAX = 32 * 1024 * 1024
_RETRYABLE_BELOW_500 = frozenset({408, 425})
"""Beside every status from 500 on, the unregistered ones of proxies and CDNs (520 to 530) included."""


class OutboundClient:
    """HTTP client for one outside system. Redirects are not followed: credentials would travel with them."""

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        timeout_s: float = 30.0,
        auth: httpx.Auth | tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        connections_max: int = 20,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.system = system
        self._answer_bytes_max = answer_bytes_max
        self._client = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=min(timeout_s, 5.0)),
            auth=auth,
            headers={"user-agent": "tillbook", **(headers or {})},
            limits=httpx.Limits(max_connections=connections_max, max_keepalive_connections=connections_max),
            follow_redirects=False,
            transport=transport,
            trust_env=False,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request and return the whole answer, whatever its status.

        Raises `UpstreamUnavailable` when no answer came (connect, time-out, cut off) or the answer is too large to
        be read. Whether the other side acted is unknown then: writers must look before they send again.
        """
        traceparent = current_traceparent()
        sent = dict(headers or {}) | ({"traceparent": traceparent} if traceparent else {})
        started = time.perf_counter()
        status = "none"
        try:
            async with self._client.stream(
                method, path, params=params, json=json, content=content, headers=sent
            ) as response:
                status = str(response.status_code)
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > self._answer_bytes_max:
                        raise UpstreamUnavailable(
                            f"{self.system} answered with more than {self._answer_bytes_max} bytes"
                        )
                # The body is decoded already, so the encoding header must not make httpx decode it again.
                kept = [
                    (k, v) for k, v in response.headers.multi_items() if k not in {"content-encoding", "content-length"}
                ]
                return httpx.Response(response.status_code, headers=kept, content=bytes(body), request=response.request)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise UpstreamUnavailable(f"{self.system} did not answer: {type(error).__name__}") from error
        finally:
            UPSTREAM_REQUESTS.labels(self.system, method, status).inc()
            UPSTREAM_SECONDS.labels(self.system).observe(time.perf_counter() - started)

    async def close(self) -> None:
        await self._client.aclose()


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of a numeric Retry-After header, bounded to a day; None when absent or a date."""
    text = response.headers.get("retry-after", "")
    try:
        return min(max(float(text), 0.0), 86_400.0)
    except ValueError:
        return None


def raise_for_status(system: str, response: httpx.Response) -> None:
    """Turn a refusal into our errors; 2xx passes.

    Raises `RateLimited` (429), `UpstreamUnavailable` (408, 425, 500 and above) or `UpstreamRefused` (everything else).
    The body is not quoted: it may repeat what was sent.
    """
    status = response.status_code
    if 200 <= status < 300:
        return
    if status == 429:
        raise RateLimited(f"{system} asked us to slow down", retry_after_s(response))
    if status >= 500 or status in _RETRYABLE_BELOW_500:
        raise UpstreamUnavailable(f"{system} answered {status}", retry_after_s(response))
    code = {401: "UPSTREAM_UNAUTHORIZED", 403: "UPSTREAM_FORBIDDEN", 404: "UPSTREAM_NOT_FOUND"}.get(
        status, "UPSTREAM_REFUSED"
    )
    cure = "check the credentials and scopes of this connection" if status in {401, 403} else ""
    raise UpstreamRefused(Reason(code=code, text=f"{system} answered {status}", cure=cure))
