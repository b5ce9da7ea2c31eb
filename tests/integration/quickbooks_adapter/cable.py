"""The line between the adapter and the stand-in: it can be cut at the level of TCP, which no server does to itself."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sandbox.quickbooks_online.injection import Injection, Rule

ACTIONS: Final = ("reset_before", "reset_after")
_RESET: Final = struct.pack("ii", 1, 0)
"""Linger for no time at all: closing sends RST instead of FIN."""
_CHUNK: Final = 65_536


class Cable:
    """Hands requests on to the stand-in. `unplug` refuses connections, rules of `ACTIONS` reset chosen ones."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._rules = Injection()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def plug(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, reuse_address=True)
        self._port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """From now on connections are refused, and those that are open end."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()

    def add(self, **rule: Any) -> None:
        self._rules.rules.append(Rule(**rule))

    def rules(self) -> list[dict[str, Any]]:
        return self._rules.public()

    def lift(self) -> list[dict[str, Any]]:
        """Take all rules away. Returns them with how often each was `fired`."""
        rules, self._rules = self._rules.public(), Injection()
        return rules

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Hand one request and its answer on. False once the connection is of no more use."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        rule = self._pick(head, body)
        if rule is not None and rule.action == "reset_before":
            return _reset(writer)
        upstream, sender = await asyncio.open_connection(self._target.hostname, self._target.port)
        try:
            sender.write(head + body)
            answer = await upstream.readuntil(b"\r\n\r\n")
            left = _length(answer)
            content = b""
            while left and (chunk := await upstream.read(min(left, _CHUNK))):
                left -= len(chunk)
                content += chunk
        finally:
            sender.close()
        if rule is not None:
            return _reset(writer)
        writer.write(answer + content)
        await writer.drain()
        return not left

    def _pick(self, head: bytes, body: bytes) -> Rule | None:
        address = urlsplit(head.split(b" ", 2)[1].decode())
        parts = address.path.split("/")[3:]
        if not head.startswith(b"POST") or len(parts) < 2:
            return None
        query = parse_qs(address.query)
        asked = query.get("operation", ["save"])[0]
        operation = "void" if "void" in query.get("include", []) else asked
        if parts[1] in ("batch", "upload"):
            return self._rules.pick(parts[0], "*", parts[1], None)
        return self._rules.pick(parts[0], parts[1], operation, body)


def _length(head: bytes) -> int:
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return int(found[1]) if found else 0


def _reset(writer: asyncio.StreamWriter) -> bool:
    """Cut the connection so that the other side is told that it was reset."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
    return False


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[Cable]:
    cable = Cable(url)
    await cable.plug()
    try:
        yield cable
    finally:
        await cable.unplug()
