"""The load: requests that were encoded and signed before the clock starts, posted over keep-alive connections.

A client of the general kind costs as much CPU for a webhook as the receiver does, which on the same machine would be
measured as the product's slowness. The floor's feeder has its bodies ready as well.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from sandbox.shops.life import Event
from sandbox.shops.signatures import Delivery, headers_of

HEAD_END = b"\r\n\r\n"
TIMEOUT_S = 170.0


@dataclass(frozen=True, slots=True)
class Posted:
    """What the receiver answered: requests by status, and the seconds from the first request to the last answer."""

    by_status: Counter[int]
    seconds: float

    @property
    def accepted(self) -> int:
        """Requests answered with 200."""
        return self.by_status[200]


def encode(url: str, secret: str, events: Iterable[Event]) -> list[bytes]:
    """One signed HTTP/1.1 request per event, as bytes."""
    address = urlsplit(url)
    requests = []
    for event in events:
        body = event.raw()
        headers = headers_of(Delivery.of(event), body, secret)
        lines = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        requests.append("\r\n".join(lines).encode() + HEAD_END + body)
    return requests


async def post(url: str, requests: Sequence[bytes], connections: int) -> Posted:
    """Post them all, one at a time per connection. Raises ConnectionError, TimeoutError."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    by_status: Counter[int] = Counter()
    started = time.monotonic()
    posters = [_Poster(waiting, by_status, loop.create_future()) for _ in range(connections)]
    async with asyncio.timeout(TIMEOUT_S):
        for poster in posters:
            await loop.create_connection(poster.itself, host, port)
        await asyncio.gather(*(poster.done for poster in posters))
    return Posted(by_status, time.monotonic() - started)


class _Poster(asyncio.Protocol):
    """One connection: posts the next request when the last one is answered, until none is left."""

    def __init__(self, waiting: Iterator[bytes], by_status: Counter[int], done: asyncio.Future[None]) -> None:
        self.done = done
        self._waiting = waiting
        self._by_status = by_status
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def itself(self) -> _Poster:
        """What the event loop asks for when the connection is there."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(HEAD_END)
        if not end or len(rest) < _content_length(head):
            return
        self._by_status[int(head.split(b" ", 2)[1])] += 1
        self._received = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the receiver closed the connection"))

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._waiting, None)
        if request is not None:
            self._transport.write(request)
            return
        self.done.set_result(None)
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0
