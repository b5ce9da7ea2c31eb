"""Postgres and RabbitMQ from compose.yaml, where a container engine answers."""

import hashlib
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.infrastructure.endpoints import Endpoints, url, write_private
from sandbox.infrastructure.problems import CannotProvision
from sandbox.infrastructure.processes import HOST
from sandbox.infrastructure.progress import say, step
from sandbox.infrastructure.state import PROJECT, StateFolder

ENGINES = ("docker", "podman")
ADMINISTRATOR = "tillbook_admin"


@dataclass(frozen=True, slots=True)
class Containers:
    """The two containers of a state folder, run by `engine`."""

    engine: str
    state: StateFolder

    @property
    def password_file(self) -> Path:
        return self.state.root / "containers.password"

    def compose(self, *arguments: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Run a compose command on our project. Its failure is in the return code."""
        name = f"tillbook-{hashlib.sha256(str(self.state.root).encode()).hexdigest()[:8]}"
        return subprocess.run(
            [self.engine, "compose", "--project-name", name, "--file", str(PROJECT / "compose.yaml"), *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**os.environ, "TILLBOOK_ADMIN_PASSWORD": self.password()},
        )

    def password(self) -> str:
        """The administrator's password on both servers, drawn once."""
        if not self.password_file.exists():
            write_private(self.password_file, secrets.token_urlsafe(24))
        return self.password_file.read_text()

    def start(self) -> Endpoints | None:
        """Start both containers unless they run. None where the engine can't, for instance without its images."""
        with step(f"starting Postgres and RabbitMQ with {self.engine} compose"):
            try:
                outcome = self.compose("up", "--detach", "--wait", timeout_s=600)
            except subprocess.TimeoutExpired:
                outcome = subprocess.CompletedProcess([], 1, "", "no answer within ten minutes")
        if outcome.returncode != 0:
            reason = (outcome.stderr.strip().splitlines() or ["no reason given"])[-1]
            say(f"{self.engine} compose failed ({reason}), so private processes are used instead")
            self.stop()
            return None
        account = {"user": ADMINISTRATOR, "password": self.password(), "host": HOST}
        return Endpoints(
            postgres_url=url("postgresql", **account, port=self.port("postgres", 5432), path="/postgres"),
            rabbitmq_url=url("amqp", **account, port=self.port("rabbitmq", 5672), path="/%2F"),
            management_url=url("http", **account, port=self.port("rabbitmq", 15672)),
            prometheus_url=f"http://{HOST}:{self.port('rabbitmq', 15692)}/metrics",
        )

    def port(self, service: str, inside: int) -> int:
        """The port of the loopback interface that leads to a container's port."""
        answer = self.compose("port", service, str(inside), timeout_s=30).stdout.strip()
        if not answer:
            message = f"{self.engine} compose tells no port for {service}:{inside}; run 'make down' and try again"
            raise CannotProvision(message)
        return int(answer.rsplit(":", 1)[1])

    def stop(self) -> None:
        """Stop the containers and keep their data."""
        self.compose("down", timeout_s=120)


def answering_engine() -> str | None:
    """The first container engine that answers and can compose. TILLBOOK_CONTAINERS=no asks none."""
    if os.environ.get("TILLBOOK_CONTAINERS", "").lower() in {"no", "0", "false"}:
        return None
    installed = [engine for engine in ENGINES if shutil.which(engine) and leaves_nothing_behind(engine)]
    return next(
        (engine for engine in installed if replies(engine, "info") and replies(engine, "compose", "version")), None
    )


def leaves_nothing_behind(engine: str) -> bool:
    """May it be asked? Without root, podman answers by starting a process that stays, unless its service runs."""
    try:
        asked = subprocess.run([engine, "--version"], check=False, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    if "podman" not in asked.stdout.lower() or os.geteuid() == 0:
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    return "CONTAINER_HOST" in os.environ or (Path(runtime) / "podman" / "podman.sock").exists()


def replies(engine: str, *arguments: str) -> bool:
    """Does the command succeed within a few seconds?"""
    try:
        return subprocess.run([engine, *arguments], check=False, capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
