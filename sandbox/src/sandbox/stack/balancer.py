"""`python -m sandbox.stack.balancer --listen PORT --to PORT PORT ...`: one address for several replicas.

Connections go to the replicas in turn; one that refuses is passed over, so a killed replica costs no new connection.
"""

import argparse
import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Sequence

HOST = "127.0.0.1"
CHUNK = 64 * 1024


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until one side ends."""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def connect_to_one(order: Iterator[int], count: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    """Connect to the next replica that accepts, or None."""
    for _ in range(count):
        with contextlib.suppress(OSError):
            return await asyncio.open_connection(HOST, next(order))
    return None


async def balance(listen: int, replicas: Sequence[int]) -> None:
    """Serve for ever."""
    order = itertools.cycle(replicas)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen = await connect_to_one(order, len(replicas))
        if chosen:
            await asyncio.gather(copy(reader, chosen[1]), copy(chosen[0], writer))
            chosen[1].close()
        writer.close()

    server = await asyncio.start_server(serve, HOST, listen)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.stack.balancer")
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--to", type=int, nargs="+", required=True)
    given = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(balance(given.listen, given.to))


if __name__ == "__main__":
    main()
