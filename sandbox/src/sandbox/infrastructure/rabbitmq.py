"""A private RabbitMQ node on the loopback interface, with its own Erlang port mapper, data, ports and password."""

import base64
import json
import os
import secrets
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sandbox.infrastructure.endpoints import url, write_private
from sandbox.infrastructure.packages import unpacked
from sandbox.infrastructure.processes import HOST, ServerProcess, choose_port, free_port, listens, wait_until
from sandbox.infrastructure.state import StateFolder

ADMINISTRATOR = "tillbook_admin"
PLUGINS = "[rabbitmq_management,rabbitmq_prometheus].\n"
INSTALLED = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin")
ERLANG_OPTIONS = (
    "-kernel inet_dist_use_interface {127,0,0,1} "
    "+sbwt none +sbwtdcpu none +sbwtdio none"  # idle schedulers sleep instead of spinning: the machine is shared
)


@dataclass(frozen=True, slots=True)
class Ports:
    """All the ports of one node."""

    amqp: int
    management: int
    prometheus: int
    distribution: int
    mapper: int


@dataclass(frozen=True, slots=True)
class RabbitMQ:
    """One private node of a state folder."""

    state: StateFolder

    @property
    def folder(self) -> Path:
        return self.state.root / "rabbitmq"

    @property
    def process(self) -> ServerProcess:
        return ServerProcess(self.state.root / "rabbitmq.process")

    @property
    def port_mapper(self) -> ServerProcess:
        return ServerProcess(self.state.root / "epmd.process")

    @property
    def log(self) -> Path:
        return self.state.root / "rabbitmq.log"

    @property
    def notes(self) -> Path:
        """Ports and password of the node."""
        return self.state.root / "rabbitmq.json"

    def start(self) -> tuple[str, str, str]:
        """Start the node unless it runs. Returns the URLs of AMQP, management and metrics; raises CannotProvision."""
        noted = json.loads(self.notes.read_text()) if self.notes.exists() else {}
        if not self.process.running():
            programs, path = find_programs(self.state)
            self.port_mapper.stop()
            ports = choose_ports(noted)
            noted = {"password": noted.get("password") or secrets.token_urlsafe(24), **ports_as_noted(ports)}
            write_private(self.notes, json.dumps(noted))
            self.configure(ports, noted["password"])
            self.launch(programs, path, ports, noted["password"])
        password = noted["password"]
        amqp = url("amqp", user=ADMINISTRATOR, password=password, host=HOST, port=noted["amqp"], path="/%2F")
        management = url("http", user=ADMINISTRATOR, password=password, host=HOST, port=noted["management"])
        return amqp, management, f"http://{HOST}:{noted['prometheus']}/metrics"

    def configure(self, ports: Ports, password: str) -> None:
        """Write the node's configuration files."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        write_private(self.folder / "enabled_plugins", PLUGINS)
        write_private(self.folder / "env.conf", "")  # else the system's is read
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            write_private(cookie, secrets.token_hex(20))
            cookie.chmod(0o400)
        settings = {
            "listeners.tcp.1": f"{HOST}:{ports.amqp}",
            "management.tcp.ip": HOST,
            "management.tcp.port": ports.management,
            "prometheus.tcp.ip": HOST,
            "prometheus.tcp.port": ports.prometheus,
            "default_user": ADMINISTRATOR,
            "default_pass": password,
            "default_user_tags.administrator": "true",
            "disk_free_limit.absolute": "256MB",
            "log.file.level": "warning",
            "log.console": "false",
        }
        write_private(self.folder / "rabbitmq.conf", "".join(f"{name} = {value}\n" for name, value in settings.items()))

    def launch(self, programs: Path, path: str, ports: Ports, password: str) -> None:
        """Start the port mapper and the node, and wait until it takes connections and its management API answers."""
        environment = self.environment(ports, path)
        mapper = shutil.which("epmd", path=path) or "epmd"
        command = [mapper, "-port", str(ports.mapper), "-address", HOST]
        process = self.port_mapper.start(command, log=self.log, environment=environment, folder=self.folder)
        ready = partial(listens, ports.mapper)
        wait_until(ready, process=process, timeout_s=10, what="Erlang's port mapper", log=self.log)
        command = [str(programs / "rabbitmq-server")]
        process = self.process.start(command, log=self.log, environment=environment, folder=self.folder)
        management = url("http", user=ADMINISTRATOR, password=password, host=HOST, port=ports.management)
        try:
            wait_until(
                lambda: listens(ports.amqp) and answers(management),
                process=process,
                timeout_s=90,
                what="RabbitMQ",
                log=self.log,
            )
        except BaseException:
            self.stop()
            raise
        # The node itself instead of the script around it, which would stop the node the slow way.
        self.process.note(int((self.folder / "pid").read_text()))

    def environment(self, ports: Ports, path: str) -> dict[str, str]:
        """What RabbitMQ's own scripts are told; without it they would use the system's folders and user."""
        return {
            "PATH": path,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": "tillbook@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(ports.amqp),
            "RABBITMQ_DIST_PORT": str(ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_OPTIONS,
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(ports.mapper),
        }

    def stop(self) -> None:
        """Stop the node and its port mapper, if they run."""
        self.process.stop(patience_s=30)
        self.port_mapper.kill()  # it ignores requests and keeps nothing


def choose_ports(noted: dict[str, int]) -> Ports:
    """Last time's ports where they are still free, or what the environment says."""
    amqp = choose_port("TILLBOOK_RABBITMQ_PORT", previous=noted.get("amqp"))
    management = choose_port("TILLBOOK_RABBITMQ_MANAGEMENT_PORT", previous=noted.get("management"), taken={amqp})
    taken = {amqp, management}
    others = []
    for _ in range(3):
        others.append(free_port(taken=taken))
        taken.add(others[-1])
    return Ports(amqp, management, *others)


def ports_as_noted(ports: Ports) -> dict[str, int]:
    """What another program needs to reach the node again."""
    return {"amqp": ports.amqp, "management": ports.management, "prometheus": ports.prometheus}


def find_programs(state: StateFolder) -> tuple[Path, str]:
    """RabbitMQ's own folder of programs, and a PATH on which its Erlang is. Raises CannotProvision."""
    path = os.environ.get("PATH", os.defpath)
    candidates = [Path(folder) for folder in INSTALLED]
    if on_path := shutil.which("rabbitmq-server"):
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        # Debian's wrapper in /usr/sbin switches to the system's user and folders; only the real folder has this file.
        if (folder / "rabbitmq-env").exists() and shutil.which("erl"):
            return folder, path
    tree = unpacked(state.downloads)
    erlang = tree / "usr/lib/erlang/bin"
    return tree / "usr/lib/rabbitmq/bin", f"{erlang}{os.pathsep}{path}" if erlang.exists() else path


def answers(management: str) -> bool:
    """Does the node answer with our own credentials, all of its plugins started?"""
    user, _, rest = management.removeprefix("http://").partition(":")
    password, _, host = rest.partition("@")
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    request = urllib.request.Request(f"http://{host}/api/overview", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=2) as response:  # noqa: S310 (the address is our own)
            return bool(json.load(response)["listeners"])
    except (OSError, urllib.error.URLError, ValueError, KeyError):
        return False
