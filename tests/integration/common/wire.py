"""A wire between a client and a server that a test can cut or let fall silent."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

HOST = "127.0.0.1"


class Wire:
    """Passes bytes on, one TCP connection to the server for each that is opened."""

    def __init__(self, host: str, port: int) -> None:
        self._server_at = (host, port)
        self._ends: list[asyncio.StreamWriter] = []
        self._silent: set[asyncio.StreamWriter] = set()
        self._is_down = False
        self.port = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def to(cls, host: str, port: int) -> AsyncIterator["Wire"]:
        """A wire to a server, for as long as the block runs."""
        wire = cls(host, port)
        listener = await asyncio.start_server(wire._connected, HOST, 0)
        wire.port = listener.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            listener.close()
            wire.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_down:
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection(*self._server_at)
        self._ends += [writer, to_server]
        await asyncio.gather(self._pass(reader, to_server), self._pass(from_server, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                if writer not in self._silent:
                    writer.write(chunk)
                    await writer.drain()
        writer.close()

    def silence(self) -> None:
        """Pass nothing on that is sent over today's connections, and tell nobody. New ones work."""
        self._silent.update(self._ends)

    def cut(self) -> None:
        """Reset every connection. New ones work, unless it is `down`."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Reset everything, and new connections too, for as long as the block runs."""
        self._is_down = True
        self.cut()
        try:
            yield
        finally:
            self._is_down = False
