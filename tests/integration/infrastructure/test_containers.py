"""A container engine is used where it answers, and forgotten where it fails. The engine here is a script on PATH."""

import os
from pathlib import Path

import pytest
import yaml

from sandbox.infrastructure import StateFolder
from sandbox.infrastructure.containers import Containers, answering_engine
from sandbox.infrastructure.state import PROJECT

SCRIPT = """#!/bin/sh
echo "$@ password=${TILLBOOK_ADMIN_PASSWORD:+given}" >> "$ENGINE_LOG"
case "$*" in
  --version) echo "${ENGINE_VERSION:-Docker version 27}";;
  info) exit ${ENGINE_INFO:-0};;
  *" up "*) [ "${ENGINE_UP:-0}" = 0 ] || echo "no such image" >&2; exit ${ENGINE_UP:-0};;
  *"port postgres 5432") echo 127.0.0.1:40001;;
  *"port rabbitmq 5672") echo 127.0.0.1:40002;;
  *"port rabbitmq 15672") echo 127.0.0.1:40003;;
  *"port rabbitmq 15692") echo 127.0.0.1:40004;;
esac
"""


@pytest.fixture
def engine_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`docker` on PATH is the script; what it was called with is in the file."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(SCRIPT)
    program.chmod(0o755)
    log = tmp_path / "called"
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ENGINE_LOG", str(log))
    monkeypatch.delenv("TILLBOOK_CONTAINERS", raising=False)
    return log


def test_an_engine_that_answers_gives_loopback_ports_and_a_password_of_its_own(
    engine_log: Path, tmp_path: Path
) -> None:
    assert answering_engine() == "docker"
    state = StateFolder.at(tmp_path / "state")
    endpoints = Containers("docker", state).start()
    assert endpoints
    password = (state.root / "containers.password").read_text()
    assert len(password) > 20
    assert endpoints.postgres_url == f"postgresql://tillbook_admin:{password}@127.0.0.1:40001/postgres"
    assert endpoints.rabbitmq_url == f"amqp://tillbook_admin:{password}@127.0.0.1:40002/%2F"
    assert endpoints.management_url == f"http://tillbook_admin:{password}@127.0.0.1:40003"
    assert endpoints.prometheus_url == "http://127.0.0.1:40004/metrics"
    called = engine_log.read_text()
    assert f"--file {PROJECT / 'compose.yaml'} up --detach --wait password=given" in called
    assert password not in called
    assert Containers("docker", state).start() == endpoints


def test_an_engine_that_cannot_start_the_images_is_given_up_with_its_reason(
    engine_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ENGINE_UP", "1")
    assert Containers("docker", StateFolder.at(tmp_path / "state")).start() is None
    assert "docker compose failed (no such image), so private processes are used" in capsys.readouterr().err
    assert " down" in engine_log.read_text()


def test_an_engine_that_does_not_answer_or_is_not_wanted_is_not_asked_further(
    engine_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_INFO", "1")
    assert answering_engine() != "docker"
    monkeypatch.setenv("ENGINE_INFO", "0")
    monkeypatch.setenv("TILLBOOK_CONTAINERS", "no")
    assert answering_engine() is None


def test_podman_without_root_is_asked_only_where_its_service_runs(
    engine_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would start a process that outlives us. Some systems call it docker."""
    monkeypatch.setenv("ENGINE_VERSION", "podman version 5.0")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("CONTAINER_HOST", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert answering_engine() != "docker"
    assert "info" not in engine_log.read_text()
    socket = tmp_path / "podman" / "podman.sock"
    socket.parent.mkdir()
    socket.touch()
    assert answering_engine() == "docker"


def test_the_compose_file_opens_loopback_ports_only_and_names_exact_images() -> None:
    services = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    assert set(services) == {"postgres", "rabbitmq"}
    for service in services.values():
        assert ":" in service["image"]
        assert not service["image"].endswith(":latest")
        assert all(port.startswith("127.0.0.1::") for port in service["ports"])
        assert service["healthcheck"]["test"]
