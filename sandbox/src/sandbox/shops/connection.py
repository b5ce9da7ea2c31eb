"""One kept-alive HTTP/1.1 connection that posts bodies. The sender needs thousands a second, which httpx can't give."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

import h11

READ_BYTES: Final = 65_536
ANSWER_BYTES_MAX: Final = 1_000_000


class NoAnswer(Exception):
    """The receiver closed the connection, or said something that is no HTTP, or far too much."""


class Connection:
    """Posts to one address, one body at a time, opening the connection again whenever it was closed."""

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"url: {url!r} can't be posted to; give an http or https address"
            raise ValueError(message)
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port or (443 if self._tls else 80)
        self._authority = parts.netloc.rpartition("@")[2]
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._http = h11.Connection(h11.CLIENT)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, headers: dict[str, str], body: bytes) -> int:
        """Post and give the status. Raises OSError, TimeoutError or NoAnswer."""
        was_open = self._writer is not None
        try:
            async with asyncio.timeout(self._timeout_s):
                try:
                    return await self._exchange(headers, body)
                except (ConnectionError, NoAnswer):
                    # A server may close an idle connection at any time; only a fresh one tells whether it is there.
                    self.close()
                    if not was_open:
                        raise
                    return await self._exchange(headers, body)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection; the next post opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _exchange(self, headers: dict[str, str], body: bytes) -> int:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls or None)
            self._http = h11.Connection(h11.CLIENT)
        rows = [("Host", self._authority), ("Content-Length", str(len(body))), ("Accept", "*/*"), *headers.items()]
        head = self._http.send(h11.Request(method="POST", target=self._target, headers=rows)) or b""
        self._writer.write(head + (self._http.send(h11.Data(body)) or b""))
        self._http.send(h11.EndOfMessage())
        status = await self._read_answer(self._reader)
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        else:
            self.close()
        return status

    async def _read_answer(self, reader: asyncio.StreamReader) -> int:
        status, size = 0, 0
        try:
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    data = await reader.read(READ_BYTES)
                    size += len(data)
                    if size > ANSWER_BYTES_MAX:
                        message = "the answer is too long"
                        raise NoAnswer(message)
                    self._http.receive_data(data)
                elif isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.EndOfMessage):
                    return status
                elif isinstance(event, h11.ConnectionClosed):
                    message = "the connection was closed without an answer"
                    raise NoAnswer(message)
        except h11.RemoteProtocolError as error:
            raise NoAnswer(str(error)) from error
