"""One process of the stack."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from sandbox.infrastructure.processes import HOST, ServerProcess, listens, tail

READY_WITHIN_S = 60.0


class NotReady(Exception):
    """A process ended or did not become ready. The message ends with the last lines of its log."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A service (`mapper-2`), the balancer in front of one (`mapper`), or a stand-in (`shops`)."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    port: int
    folder: Path
    has_health: bool = True

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def server(self) -> ServerProcess:
        return ServerProcess(self.folder / f"{self.name}.process")

    def process(self) -> psutil.Process | None:
        """The running process, for its CPU time and memory; None where it does not run."""
        return self.server.running()

    def start(self) -> None:
        """Start it unless it runs. Does not wait."""
        if self.process() is None:
            self.log.parent.mkdir(exist_ok=True)
            self.server.start(self.command, log=self.log, environment=self.environment, folder=self.folder)

    async def wait_ready(self, *, within_s: float = READY_WITHIN_S) -> None:
        """Return once it takes requests. Raises NotReady."""
        deadline = time.monotonic() + within_s
        async with httpx.AsyncClient(base_url=self.url, timeout=2, trust_env=False) as client:
            while not await self.is_ready(client):
                if self.process() is None:
                    message = f"{self.name} ended; its log {self.log} ends with: {tail(self.log, 12)}"
                    raise NotReady(message)
                if time.monotonic() > deadline:
                    message = f"{self.name} was not ready within {within_s:.0f} s; see its log {self.log}"
                    raise NotReady(message)
                await asyncio.sleep(0.1)

    async def is_ready(self, client: httpx.AsyncClient) -> bool:
        """Does it say so itself (services), or at least listen (everything else)?"""
        if not self.has_health:
            return await asyncio.to_thread(listens, self.port)
        try:
            return (await client.get("/health/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def stop(self) -> None:
        """Let it finish what it holds, then end it."""
        await asyncio.to_thread(self.server.stop)

    def kill(self) -> None:
        """SIGKILL: a crash."""
        self.server.kill()
