"""Private servers start once, survive, stop, and touch nothing but their own folder and the loopback interface."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from sandbox.infrastructure import CannotProvision, Endpoints, Infrastructure, StateFolder, borrowed
from sandbox.infrastructure.__main__ import main
from sandbox.infrastructure.environment import named_servers
from sandbox.infrastructure.packages import unpacked
from sandbox.infrastructure.postgres import Postgres
from sandbox.infrastructure.processes import HOST, choose_port, free_port
from sandbox.infrastructure.rabbitmq import RabbitMQ, answers

NAMED = ("TILLBOOK_POSTGRES_URL", "TILLBOOK_RABBITMQ_URL", "TILLBOOK_RABBITMQ_MANAGEMENT_URL")

pytestmark = pytest.mark.slow


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no servers and no ports, and asks no container engine."""
    for name in (*NAMED, "TILLBOOK_POSTGRES_PORT", "TILLBOOK_RABBITMQ_PORT", "TILLBOOK_RABBITMQ_MANAGEMENT_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TILLBOOK_CONTAINERS", "no")


@pytest.fixture
def state(tmp_path: Path, unconfigured: None) -> Iterator[StateFolder]:
    """A state folder of its own, whose servers are gone at the end; the downloaded programs are shared."""
    folder = StateFolder.at(tmp_path / "state", downloads=StateFolder.default().downloads)
    yield folder
    Infrastructure(folder).destroy()
    assert not folder.root.exists()


def processes_of(state: StateFolder) -> list[psutil.Process]:
    """Both servers and what they started."""
    roots = [
        Postgres(state).process.running(),
        RabbitMQ(state).process.running(),
        RabbitMQ(state).port_mapper.running(),
    ]
    found = [root for root in roots if root]
    return found + [child for root in found for child in root.children(recursive=True)]


async def remember(endpoints: Endpoints, value: str) -> None:
    """Leave something in the database."""
    connection = await asyncpg.connect(endpoints.postgres_url)
    try:
        await connection.execute("CREATE TABLE remembered (value text)")
        await connection.execute("INSERT INTO remembered VALUES ($1)", value)
    finally:
        await connection.close()


async def remembered(endpoints: Endpoints) -> str:
    """Read it back."""
    connection = await asyncpg.connect(endpoints.postgres_url)
    try:
        return str(await connection.fetchval("SELECT value FROM remembered"))
    finally:
        await connection.close()


async def test_up_and_down_may_be_repeated_and_data_survives_even_a_kill(state: StateFolder) -> None:
    """Same servers on a second `up`, same data after `down` and `up` and after a crash of both."""
    infrastructure = Infrastructure(state)
    first = infrastructure.up()
    pids = {process.pid for process in processes_of(state)}
    assert len(pids) > 3
    assert infrastructure.up() == first
    assert {process.pid for process in processes_of(state)} >= pids
    await remember(first, "till")

    infrastructure.down()
    infrastructure.down()
    assert processes_of(state) == []
    assert not any(psutil.pid_exists(pid) for pid in pids)
    second = infrastructure.up()
    assert await remembered(second) == "till"

    infrastructure.crash(postgres=True, rabbitmq=True)
    assert infrastructure.running() is None
    third = infrastructure.up()
    assert third.postgres_url == second.postgres_url
    assert third.rabbitmq_url == second.rabbitmq_url
    assert await remembered(third) == "till"
    assert answers(third.management_url)


def test_servers_listen_on_loopback_only_and_show_no_password(state: StateFolder) -> None:
    """Neither to the network, nor to other users of the machine in the process list or in files."""
    endpoints = Infrastructure(state).up()
    passwords = {url.split("@")[0].rsplit(":", 1)[1] for url in (endpoints.postgres_url, endpoints.rabbitmq_url)}
    processes = processes_of(state)
    listening = [
        c.laddr.ip for p in processes for c in p.net_connections(kind="inet") if c.status == psutil.CONN_LISTEN
    ]
    assert set(listening) <= {HOST, "::1"}
    assert len(listening) >= 5
    shown = " ".join(" ".join(process.cmdline()) for process in processes)
    assert not any(password in shown for password in passwords)
    for file in state.root.glob("*"):
        if file.is_file() and any(password in file.read_text(errors="replace") for password in passwords):
            assert file.stat().st_mode & 0o077 == 0, file


def test_two_programs_that_start_at_once_share_one_pair(state: StateFolder) -> None:
    """The second waits for the first and finds its servers. What they leave running is nothing to warn of."""
    code = (
        "import sys; from pathlib import Path; from sandbox.infrastructure import Infrastructure, StateFolder;"
        "print(Infrastructure(StateFolder.at(Path(sys.argv[1]), Path(sys.argv[2]))).up())"
    )
    command = [sys.executable, "-W", "always", "-c", code, str(state.root), str(state.downloads)]
    pipe = subprocess.PIPE
    starting = [subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    (first, warned), (second, warned_too) = [process.communicate(timeout=120) for process in starting]
    assert [process.returncode for process in starting] == [0, 0]
    assert first == second
    assert first.startswith("Endpoints(")
    assert "ResourceWarning" not in warned + warned_too


def test_the_last_borrower_stops_the_servers_unless_they_are_kept(state: StateFolder) -> None:
    """A test run leaves nothing behind; `up` does, until `down`."""
    with borrowed(state) as first:
        with borrowed(state) as second:
            assert second == first
        assert Infrastructure(state).running() == first
    assert processes_of(state) == []

    with borrowed(state):
        Infrastructure(state).up(keep=True)
    assert len(processes_of(state)) > 3
    with borrowed(state):
        assert not Infrastructure(state).release()
        assert len(processes_of(state)) > 3
    assert processes_of(state) == []


def test_a_port_that_is_taken_is_told_in_one_sentence(unconfigured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming the port, the variable and the cure. A port remembered from last time is just replaced."""
    with socket.socket() as occupant:
        occupant.bind((HOST, 0))
        occupant.listen()
        port = occupant.getsockname()[1]
        assert choose_port("TILLBOOK_POSTGRES_PORT", previous=port) != port
        monkeypatch.setenv("TILLBOOK_POSTGRES_PORT", str(port))
        with pytest.raises(CannotProvision, match=rf"port {port} of {HOST} \(TILLBOOK_POSTGRES_PORT\) is taken; stop"):
            choose_port("TILLBOOK_POSTGRES_PORT")
    assert choose_port("TILLBOOK_POSTGRES_PORT") == port


def test_a_port_that_is_not_permitted_is_not_called_taken(unconfigured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is for a user and a port below 1024."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    monkeypatch.setenv("TILLBOOK_API_PORT", "80")
    with pytest.raises(CannotProvision, match=r"port 80 of .* \(TILLBOOK_API_PORT\) is not permitted to you"):
        choose_port("TILLBOOK_API_PORT")


def test_a_port_that_is_no_number_is_told_in_one_sentence(unconfigured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything starts."""
    monkeypatch.setenv("TILLBOOK_RABBITMQ_PORT", "amqp")
    with pytest.raises(CannotProvision, match="TILLBOOK_RABBITMQ_PORT=amqp is no port; give a number"):
        choose_port("TILLBOOK_RABBITMQ_PORT")


def test_the_command_tells_a_problem_without_a_traceback(
    unconfigured: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line to standard error, status 1."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("TILLBOOK_STATE_DIR", str(blocked / "state"))
    assert main(["up"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "name a folder you may write to with TILLBOOK_STATE_DIR" in said


def test_servers_named_in_the_environment_come_first(
    infrastructure: Endpoints, unconfigured: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """They are used as they are, and nothing is started."""
    for name, value in infrastructure.environment().items():
        monkeypatch.setenv(name, value)
    state = StateFolder.at(tmp_path / "state")
    found = Infrastructure(state).up()
    assert (found.postgres_url, found.rabbitmq_url) == (infrastructure.postgres_url, infrastructure.rabbitmq_url)
    assert processes_of(state) == []


def test_half_of_the_servers_named_is_told_in_one_sentence(unconfigured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than mixing a given server with a private one."""
    monkeypatch.setenv("TILLBOOK_POSTGRES_URL", "postgresql://someone@127.0.0.1:5432/postgres")
    with pytest.raises(CannotProvision, match="TILLBOOK_RABBITMQ_URL is not set although the other server is given"):
        named_servers()


def test_a_named_server_that_does_not_answer_is_told_in_one_sentence(
    unconfigured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its address but without its password."""
    port = free_port()
    monkeypatch.setenv("TILLBOOK_POSTGRES_URL", f"postgresql://someone:secret@{HOST}:{port}/postgres")
    monkeypatch.setenv("TILLBOOK_RABBITMQ_URL", f"amqp://someone:secret@{HOST}:{port}")
    with pytest.raises(CannotProvision, match=rf"nothing answers at {HOST}:{port} \(TILLBOOK_POSTGRES_URL") as told:
        named_servers()
    assert "secret" not in str(told.value)


def test_a_missing_tool_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system without apt-get can't fetch RabbitMQ."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotProvision, match="no RabbitMQ here and no apt-get to fetch it with; use Debian or Ubuntu"):
        unpacked(tmp_path / "downloads")


@pytest.mark.skipif(not shutil.which("apt-get"), reason="needs a Debian or Ubuntu")
def test_no_network_is_told_in_one_sentence_and_leaves_nothing_half_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The next try starts afresh."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:{free_port()}")
    with pytest.raises(CannotProvision, match=r"could not be downloaded .*; check the network and try again"):
        unpacked(tmp_path / "downloads")
    assert not (tmp_path / "downloads" / "rabbitmq").exists()
