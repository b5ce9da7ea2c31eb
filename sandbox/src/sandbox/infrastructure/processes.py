"""Starting, finding and stopping servers that outlive the program that started them."""

import atexit
import contextlib
import json
import os
import pwd
import random
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sandbox.infrastructure.endpoints import write_private
from sandbox.infrastructure.problems import CannotProvision

HOST = "127.0.0.1"
PORTS = range(20000, 32000)  # below the range that systems hand out for outgoing connections
OPEN_FILES = 16384
STARTED: list[subprocess.Popen[bytes]] = []
FORWARDED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A process recorded in a file by pid and start time, because pids are used again."""

    record: Path

    def running(self) -> psutil.Process | None:
        """The process, if it is the one that was recorded and still runs."""
        try:
            noted = json.loads(self.record.read_text())
            process = psutil.Process(noted["pid"])
            same = abs(process.create_time() - noted["started"]) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
            return None

    def start(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str],
        folder: Path,
        user: int | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start in a session of its own, with a bare environment. `user`: the uid to run as."""
        allow_open_files()
        inherited = {name: os.environ[name] for name in FORWARDED if name in os.environ}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={**inherited, **environment},
                start_new_session=True,
                user=user,
                group=None if user is None else group_of(user),
                extra_groups=None if user is None else [],
            )
        STARTED.append(process)
        self.note(process.pid)
        return process

    def note(self, pid: int) -> None:
        """Record a process that runs already."""
        noted = {"pid": pid, "started": psutil.Process(pid).create_time()}
        write_private(self.record, json.dumps(noted))

    def kill(self) -> None:
        """Kill at once, with everything it started: what a crash does."""
        if process := self.running():
            family = [process, *process.children(recursive=True)]
            for member in family:
                send_quietly(member, signal.SIGKILL)
            psutil.wait_procs(family, timeout=10)
        self.record.unlink(missing_ok=True)

    def stop(self, *, patience_s: float = 20, request: signal.Signals = signal.SIGTERM) -> None:
        """Ask the process to end, wait, then kill it and everything it started. Does nothing where nothing runs."""
        if process := self.running():
            family = [process, *process.children(recursive=True)]
            send_quietly(process, request)
            _, alive = psutil.wait_procs(family, timeout=patience_s)
            for member in alive:
                send_quietly(member, signal.SIGKILL)
            psutil.wait_procs(alive, timeout=5)
        self.record.unlink(missing_ok=True)


@atexit.register
def _let_go() -> None:
    """These outlive us by design: without a return code, Python warns of each one where its output ends."""
    for process in STARTED:
        if process.poll() is None:
            process.returncode = 0


def allow_open_files() -> None:
    """Raise our own limit of open files, which the servers inherit: some systems start with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def send_quietly(process: psutil.Process, request: signal.Signals) -> None:
    """Send a signal, where the process still exists."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(request)


def group_of(user: int) -> int:
    """The primary group of a uid."""
    return pwd.getpwuid(user).pw_gid


def is_free(port: int) -> bool:
    """Can a server listen there now?"""
    return not _hindrance(port)


def _hindrance(port: int) -> str:
    """Why a server can't listen there, and the cure; empty where it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            return "is not permitted to you: ports below 1024 are root's; name a higher one"
        except OSError:
            return "is taken; stop what uses it"
        return ""


def free_port(*, taken: set[int] | None = None) -> int:
    """A free port of the loopback interface, drawn at random so that two programs rarely choose the same."""
    for _ in range(200):
        port = random.choice(PORTS)
        if port not in (taken or set()) and is_free(port):
            return port
    message = f"found no free port between {PORTS.start} and {PORTS.stop} on {HOST}; stop what occupies them"
    raise CannotProvision(message)


def choose_port(variable: str, *, previous: int | None = None, taken: set[int] | None = None) -> int:
    """The port named in the environment, else the one used last time, else any free one.

    Raises CannotProvision when the port named in the environment is taken or not permitted.
    """
    if wanted := os.environ.get(variable):
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            message = f"{variable}={wanted} is no port; give a number from 1 to 65535 or leave it unset for a free one"
            raise CannotProvision(message)
        if hindrance := _hindrance(int(wanted)):
            message = f"port {wanted} of {HOST} ({variable}) {hindrance}, or leave it unset for a free one"
            raise CannotProvision(message)
        return int(wanted)
    if previous is not None and is_free(previous):
        return previous
    return free_port(taken=taken)


def listens(port: int, *, timeout_s: float = 0.3) -> bool:
    """Does somebody accept connections there?"""
    try:
        with socket.create_connection((HOST, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def tail(log: Path, lines: int = 3) -> str:
    """The last lines of a log, for an error message."""
    try:
        return " / ".join(log.read_text(errors="replace").strip().splitlines()[-lines:])
    except OSError:
        return ""


def wait_until(
    ready: Callable[[], bool], *, process: subprocess.Popen[bytes], timeout_s: float, what: str, log: Path
) -> None:
    """Poll `ready` until it says yes. Raises CannotProvision when the process ends or the time is over."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            happened = "ended at once" if ended else f"was not ready within {timeout_s:.0f} s"
            message = f"{what} {happened}; its log {log} ends with: {tail(log)}"
            raise CannotProvision(message)
        time.sleep(0.05)
