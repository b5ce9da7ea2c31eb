"""Provision, migrate, declare, start, supervise, stop."""

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path

from common.provisioning.postgres import schema_of
from common.topology import SERVICES
from sandbox.infrastructure import Endpoints, Infrastructure, StateFolder
from sandbox.infrastructure.processes import ServerProcess
from sandbox.stack.environment import Surroundings, inherited
from sandbox.stack.ports import assign_ports, check_named, set_aside
from sandbox.stack.provision import Place, migrate
from sandbox.stack.replica import NotReady, Replica
from sandbox.stack.secrets import StackSecrets

STAND_INS = {"quickbooks-online": "sandbox.quickbooks_online", "shops": "sandbox.shops"}
SETTLING_S = 3.0
SUPERVISION_INTERVAL_S = 0.5
SERVERS = ("rabbitmq", "postgres")


class Stack:
    """Four services, each in any number of replicas, and the stand-ins they talk to.

    `name` separates stacks on the same servers: each has its own database, virtual host, keys, ports and folder.
    `replicas`: service → how many; one where nothing is said. Their processes are `mapper-1`, `mapper-2`, …
    `extra`: service → further settings, without the service's prefix.
    `stand_ins`: name → further arguments of its command line; all of STAND_INS where nothing is said.
    """

    def __init__(
        self,
        name: str = "main",
        *,
        replicas: Mapping[str, int] | None = None,
        extra: Mapping[str, Mapping[str, str]] | None = None,
        stand_ins: Mapping[str, Sequence[str]] | None = None,
        infrastructure: Infrastructure | None = None,
    ) -> None:
        self.name = name
        self.infrastructure = infrastructure or Infrastructure(StateFolder.default())
        self.folder = self.infrastructure.state.root / "stacks" / name
        self.processes: dict[str, Replica] = {}
        self._counts = {service: (replicas or {}).get(service, 1) for service in SERVICES}
        self._extra = extra or {}
        self.stand_ins = dict.fromkeys(STAND_INS, ()) if stand_ins is None else stand_ins
        self._stay_down: set[str] = set()
        self._declared_at = 0.0

    @cached_property
    def endpoints(self) -> Endpoints:
        """The servers, found or started."""
        return self.infrastructure.up()

    @cached_property
    def place(self) -> Place:
        """The stack's database and virtual host, with administrator URLs."""
        return Place(self.name, self.endpoints)

    @cached_property
    def secrets(self) -> StackSecrets:
        """Keys and passwords, drawn once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return StackSecrets.kept_in(self.folder / "secrets.json")

    @property
    def operator_key(self) -> str:
        """The API key that may do everything."""
        return self.secrets.operator_key

    @property
    def books(self) -> Path:
        """Where ledgers that are files keep them."""
        return self.folder / "books"

    def url_of(self, name: str) -> str:
        """The base URL of a service (whichever replica), of one replica (`api-1`), or of a stand-in."""
        return (self.processes.get(name) or self.processes[f"{name}-1"]).url

    async def start(self) -> None:
        """Start everything that doesn't run, and wait until it is ready. Safe to repeat.

        Raises CannotProvision, RuntimeError (migrations), NotReady.
        """
        self.check_ports()
        self.books.mkdir(parents=True, exist_ok=True)
        databases, brokers = await self.place.make(self.secrets)
        self._declared_at = time.monotonic()
        names = self._process_names()
        running = self._running(names)
        ports = assign_ports(self.folder / "ports.json", names, running=running)
        urls = {service: f"http://127.0.0.1:{ports[self._front(service)]}" for service in SERVICES}
        urls |= {name: f"http://127.0.0.1:{ports[name]}" for name in self.stand_ins}
        surroundings = Surroundings(databases, brokers, urls, self.secrets, self.books, self._extra)
        self.processes = {replica.name: replica for replica in self._replicas(ports, surroundings)}
        idle = [service for service in SERVICES if not any(running.get(name) for name in self._names_of(service))]
        await asyncio.gather(*(migrate(service, surroundings.of(service, 0)) for service in idle))
        for replica in self.processes.values():
            replica.start()
        await asyncio.gather(*(self._come_up(replica) for replica in self.processes.values()))

    def check_ports(self) -> None:
        """Raises CannotProvision when a port named in the environment can't be used by the process it is for."""
        names = self._process_names()
        check_named(names, running=self._running(names))

    def ports_set_aside(self) -> list[str]:
        """What to tell whoever names a port for a process that runs at another one."""
        names = self._process_names()
        return set_aside(self.folder / "ports.json", names, running=self._running(names))

    def _running(self, names: Sequence[str]) -> dict[str, bool]:
        return {name: bool(self._server(name).running()) for name in names}

    async def _come_up(self, replica: Replica) -> None:
        """Wait until it takes requests. What dies meanwhile is started once more, for somebody may have killed it."""
        try:
            await replica.wait_ready()
        except NotReady:
            if replica.process() is not None:
                raise
            replica.start()
            await replica.wait_ready()

    def _front(self, service: str) -> str:
        """The process that takes a service's requests: its balancer, or its only replica."""
        return service if self._counts[service] > 1 else f"{service}-1"

    def _names_of(self, service: str) -> list[str]:
        return [f"{service}-{number + 1}" for number in range(self._counts[service])]

    def _process_names(self) -> list[str]:
        replicas = [name for service in SERVICES for name in self._names_of(service)]
        balancers = [service for service in SERVICES if self._counts[service] > 1]
        return [*replicas, *balancers, *self.stand_ins]

    def _replicas(self, ports: Mapping[str, int], surroundings: Surroundings) -> list[Replica]:
        made = []
        for service in SERVICES:
            names = self._names_of(service)
            command = (sys.executable, "-m", schema_of(service))
            made += [
                Replica(name, command, surroundings.of(service, ports[name]), ports[name], self.folder)
                for name in names
            ]
            if service in ports:
                behind = ("--to", *(str(ports[name]) for name in names))
                balance = (sys.executable, "-m", "sandbox.stack.balancer", "--listen", str(ports[service]), *behind)
                made.append(Replica(service, balance, inherited(), ports[service], self.folder, has_health=False))
        for name, arguments in self.stand_ins.items():
            serve = (sys.executable, "-m", STAND_INS[name], "--port", str(ports[name]), *arguments)
            made.append(Replica(name, serve, inherited(), ports[name], self.folder, has_health=False))
        return made

    async def settled(self) -> None:
        """Wait until the broker may be killed: a quorum queue younger than three seconds may not survive it."""
        await asyncio.sleep(max(0.0, self._declared_at + SETTLING_S - time.monotonic()))

    def kill(self, name: str, *, stay_down: bool = False) -> None:
        """Crash one process. A supervisor starts it again, unless it is to `stay_down`."""
        if stay_down:
            self._stay_down.add(name)
        self.processes[name].kill()

    async def crash(self, *names: str) -> None:
        """Kill services, which a supervisor starts again, or servers (`SERVERS`), which come back after a moment."""
        for name in set(names) - set(SERVERS):
            self.kill(f"{name}-1")
        if down := set(names) & set(SERVERS):
            await self.settled()
            infrastructure = self.infrastructure
            await asyncio.to_thread(infrastructure.crash, postgres="postgres" in down, rabbitmq="rabbitmq" in down)
            await asyncio.sleep(1)
            await asyncio.to_thread(infrastructure.up)

    async def restart(self, name: str) -> None:
        """Stop one process in good order (where it runs) and start it again. Raises NotReady."""
        self._stay_down.add(name)
        await self.processes[name].stop()
        self.processes[name].start()
        self._stay_down.discard(name)
        await self.processes[name].wait_ready()

    def revive(self) -> list[str]:
        """Start what has died. Returns the names."""
        dead = [
            name for name, replica in self.processes.items() if name not in self._stay_down and not replica.process()
        ]
        for name in dead:
            self.processes[name].start()
        return dead

    async def supervise(self) -> None:
        """Revive what dies, for ever."""
        while True:
            await asyncio.to_thread(self.revive)
            await asyncio.sleep(SUPERVISION_INTERVAL_S)

    async def stop(self) -> None:
        """Stop every process of this stack, also those that another program started. Data stays."""
        await asyncio.to_thread(self._server("supervisor").stop)  # first, or it would revive the others
        records = list(self.folder.glob("*.process"))
        await asyncio.gather(*(asyncio.to_thread(ServerProcess(record).stop) for record in records))

    async def destroy(self) -> None:
        """Stop it and remove its database, virtual host, books, logs and keys."""
        await self.stop()
        await self.place.remove()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.__dict__.pop("secrets", None)

    @asynccontextmanager
    async def running(self, *, keep_data: bool = False, supervised: bool = True) -> AsyncIterator["Stack"]:
        """Run for a while. At the end everything stops; without `keep_data` nothing is left."""
        with self.infrastructure.state.in_use():
            try:
                await self.start()
                supervisor = asyncio.create_task(self.supervise()) if supervised else None
                try:
                    yield self
                finally:
                    if supervisor:
                        supervisor.cancel()
                        with suppress(asyncio.CancelledError):
                            await supervisor
            finally:
                await (self.stop() if keep_data else self.destroy())
        await asyncio.to_thread(self.infrastructure.down, only_unused=True)

    def _server(self, name: str) -> ServerProcess:
        return ServerProcess(self.folder / f"{name}.process")
