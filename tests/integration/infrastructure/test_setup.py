"""`make setup` tells what is missing in one sentence with the cure, and does not fail half-way silently."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.infrastructure.processes import HOST, free_port
from sandbox.infrastructure.state import PROJECT


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """What `make setup` reads, in a folder where nothing is installed yet."""
    scripts = ("scripts/setup.sh", "scripts/uv.sh", "scripts/uv-requirements.txt")
    for name in ("Makefile", "requirements.txt", "pyproject.toml", *scripts):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    for member in PROJECT.glob("*/*/pyproject.toml"):
        target = tmp_path / member.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(member, target)
    (tmp_path / "sandbox").mkdir()
    shutil.copy(PROJECT / "sandbox" / "pyproject.toml", tmp_path / "sandbox")
    return tmp_path


def setup_fails(workspace: Path, python: str, **environment: str) -> str:
    """Run it, expect it to fail, and return what it says."""
    outcome = subprocess.run(
        ["make", "setup"],
        check=False,
        cwd=workspace,
        env={**os.environ, "PYTHON": python, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert outcome.returncode != 0
    assert not (workspace / ".venv" / ".installed").exists()
    assert not (workspace / ".state").exists()
    said = [line for line in outcome.stderr.splitlines() if line.startswith("setup: ")]
    assert len(said) == 1, outcome.stderr
    return said[0]


def pretending(workspace: Path, condition: str) -> str:
    """A Python that fails where `condition` matches its arguments, and else is the real one."""
    program = workspace / "python"
    program.write_text(f'#!/bin/sh\ncase "$*" in {condition}) exit 1;; esac\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def test_a_missing_python_is_told(workspace: Path) -> None:
    said = setup_fails(workspace, "python3.nowhere")
    assert "no python3.nowhere here; install Python 3.11 or later" in said


def test_a_python_that_is_too_old_is_told(workspace: Path) -> None:
    said = setup_fails(workspace, pretending(workspace, "*version_info*"))
    assert "is too old; install Python 3.11 or later and name it with PYTHON=" in said


def test_a_python_without_venv_is_told(workspace: Path) -> None:
    said = setup_fails(workspace, pretending(workspace, "*ensurepip*"))
    assert "can make no virtual environments" in said
    assert "apt-get install python3-venv" in said


def test_no_network_is_told(workspace: Path) -> None:
    nowhere = f"http://{HOST}:{free_port()}"
    said = setup_fails(
        workspace,
        sys.executable,
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL=f"{nowhere}/simple",
        PIP_FIND_LINKS="",
        PIP_RETRIES="0",
        PIP_NO_CACHE_DIR="1",
    )
    assert "could not download uv; check the network" in said
    assert "run 'make setup' again" in said
