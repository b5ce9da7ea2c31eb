"""An HTTP transport that takes answers of a bounded size only."""

import ssl
from collections.abc import AsyncIterator
from functools import cache

import httpx


class AnswerTooLarge(httpx.TransportError):
    """The other side sent more than we take."""


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, most: int) -> None:
        self._stream = stream
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > self._most:
                raise AnswerTooLarge(f"more than {self._most} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _BoundedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, most: int) -> None:
        self._inner = inner
        self._most = most

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # Uncompressed only: a bound on compressed bytes bounds nothing.
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise AnswerTooLarge("compressed, though it was asked not to be")
        stream = response.stream
        if isinstance(stream, httpx.AsyncByteStream):
            response.stream = _BoundedStream(stream, self._most)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def bounded(inner: httpx.AsyncBaseTransport, most: int) -> httpx.AsyncBaseTransport:
    """A transport that refuses answers of more than `most` bytes before they are in memory."""
    return _BoundedTransport(inner, most)


@cache
def trusted() -> ssl.SSLContext:
    """The authorities we trust, read once: doing so takes a tenth of a second, in which nothing else runs."""
    return httpx.create_ssl_context(trust_env=False)
