"""Which servers are used, and how long they live."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from sandbox.infrastructure.containers import Containers, answering_engine
from sandbox.infrastructure.endpoints import Endpoints
from sandbox.infrastructure.environment import named_servers
from sandbox.infrastructure.postgres import Postgres
from sandbox.infrastructure.progress import step
from sandbox.infrastructure.rabbitmq import RabbitMQ
from sandbox.infrastructure.state import StateFolder


@dataclass(frozen=True, slots=True)
class Infrastructure:
    """The pair of servers that belongs to a state folder.

    `private`: processes of our own in any case, for instance because they are going to be killed.
    """

    state: StateFolder
    private: bool = False

    def up(self, *, keep: bool = False) -> Endpoints:
        """Find or start both servers; changes nothing where they run. Raises CannotProvision.

        `keep`: they outlive the programs that use them, until `down`.
        """
        if not self.private and (named := named_servers()):
            return named
        with self.state.locked():
            if keep:
                self.state.keep_file.touch()
            if running := self.running():
                return running
            endpoints = None if self.private else self.containers()
            endpoints = endpoints or self.processes()
            endpoints.save(self.state.endpoints_file)
            return endpoints

    def running(self) -> Endpoints | None:
        """The endpoints of servers that we started and that still run."""
        try:
            endpoints = Endpoints.load(self.state.endpoints_file)
        except (FileNotFoundError, TypeError, ValueError):
            return None
        if Postgres(self.state).process.running() and RabbitMQ(self.state).process.running():
            return endpoints
        return None

    def containers(self) -> Endpoints | None:
        """Both servers in containers, or None where no engine answers."""
        engine = answering_engine()
        endpoints = Containers(engine, self.state).start() if engine else None
        if endpoints and engine:
            (self.state.root / "engine").write_text(engine)
        return endpoints

    def processes(self) -> Endpoints:
        """Both servers as private processes."""
        with step("starting a private Postgres and RabbitMQ"):
            with ThreadPoolExecutor() as pool:
                postgres = pool.submit(Postgres(self.state).start)
                rabbitmq = pool.submit(RabbitMQ(self.state).start)
            return Endpoints(postgres.result(), *rabbitmq.result())

    def down(self, *, only_unused: bool = False) -> None:
        """Stop what we started; data stays. `only_unused`: not while it is kept or another program uses it."""
        with self.state.locked():
            if only_unused and (self.state.keep_file.exists() or self.state.is_used()):
                return
            self.state.keep_file.unlink(missing_ok=True)
            engine = self.state.root / "engine"
            if engine.exists():
                Containers(engine.read_text(), self.state).stop()
                engine.unlink()
            with ThreadPoolExecutor() as pool:
                stopping = [pool.submit(RabbitMQ(self.state).stop), pool.submit(Postgres(self.state).stop)]
            for server in stopping:
                server.result()
            self.state.endpoints_file.unlink(missing_ok=True)

    def release(self) -> bool:
        """Take `keep` back: the servers stop now, or with the last program that uses them. True if they stopped."""
        self.state.keep_file.unlink(missing_ok=True)
        self.down(only_unused=True)
        return self.running() is None

    def crash(self, *, postgres: bool = False, rabbitmq: bool = False) -> None:
        """SIGKILL private servers. `up` starts them again on the same data and, as a rule, the same ports."""
        with self.state.locked():
            if postgres:
                Postgres(self.state).process.kill()
            if rabbitmq:
                RabbitMQ(self.state).process.kill()

    def destroy(self) -> None:
        """Kill private servers and delete their data and logs. The downloaded programs stay, if they are elsewhere."""
        self.crash(postgres=True, rabbitmq=True)
        RabbitMQ(self.state).port_mapper.kill()
        shutil.rmtree(self.state.private_folder(), ignore_errors=True)
        shutil.rmtree(self.state.root, ignore_errors=True)

    def status(self) -> dict[str, str]:
        """What runs, for people."""
        engine = self.state.root / "engine"
        if engine.exists():
            listing = Containers(engine.read_text(), self.state).compose("ps", timeout_s=30)
            return {"containers": listing.stdout.strip() or "none"}
        servers = {"postgres": Postgres(self.state).process, "rabbitmq": RabbitMQ(self.state).process}
        running = {name: server.running() for name, server in servers.items()}
        return {name: f"running, pid {process.pid}" if process else "stopped" for name, process in running.items()}


@contextmanager
def borrowed(state: StateFolder | None = None) -> Iterator[Endpoints]:
    """Use the servers for a while. The last program to leave stops them, unless somebody asked to keep them (`up`)."""
    infrastructure = Infrastructure(state or StateFolder.default())
    with infrastructure.state.in_use():
        endpoints = infrastructure.up()
        yield endpoints
    infrastructure.down(only_unused=True)
