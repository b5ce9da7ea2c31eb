"""What goes into an image: what was tested, with hashes, and nothing that is only for working on it."""

import re
import shutil
import subprocess

import pytest
from tests.unit.deploy.rendering import ROOT

from common.topology import SERVICES

DOCKER = ROOT / "deploy" / "docker"
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)", re.MULTILINE)
ONLY_FOR_WORK = {"pytest", "mypy", "ruff", "hypothesis", "fava", "beancount", "uv", "pip", "setuptools"}


def pins(text: str) -> dict[str, str]:
    """Package → version."""
    return dict(PIN.findall(text))


def without_hash(text: str) -> list[str]:
    """Requirements that would be taken whatever they contain."""
    requirements = re.split(r"\n(?=\S)", text.strip())
    return [requirement.split()[0] for requirement in requirements if "--hash=sha256:" not in requirement]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_gets_exactly_the_versions_that_were_tested(service: str) -> None:
    tested = pins((ROOT / "requirements.txt").read_text())
    shipped = pins((DOCKER / "requirements" / f"{service}.txt").read_text())
    assert len(shipped) > 40
    assert {name: version for name, version in shipped.items() if tested.get(name) != version} == {}
    assert not set(shipped) & ONLY_FOR_WORK


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_gets_what_its_members_declare(service: str) -> None:
    shipped = pins((DOCKER / "requirements" / f"{service}.txt").read_text())
    for member in ("libs/common", f"services/{service}"):
        declared = re.findall(
            r'^    "([a-z0-9-]+)(?:\[\w+\])?[>=]', (ROOT / member / "pyproject.toml").read_text(), re.MULTILINE
        )
        assert set(declared) <= set(shipped), f"{member} was changed: compile {service}.txt again"


@pytest.mark.parametrize("service", SERVICES)
def test_every_requirement_has_a_hash_and_no_address(service: str) -> None:
    text = (DOCKER / "requirements" / f"{service}.txt").read_text()
    assert without_hash(text) == []
    assert "://" not in text
    assert "--index-url" not in text


def test_a_requirement_without_a_hash_is_found() -> None:
    assert without_hash("httpx==0.28.1 \\\n    --hash=sha256:aa\nanyio==4.0\n") == ["anyio==4.0"]


def test_the_last_stage_installs_nothing_and_is_not_root() -> None:
    last = re.split(r"^FROM ", (DOCKER / "Dockerfile").read_text(), flags=re.MULTILINE)[-1]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert not re.search(r"apt-get|pip install|gcc|build-essential|curl|wget", last)


def test_the_context_is_a_list_of_what_may_go_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    needed = {"scripts/uv-requirements.txt", "deploy/docker/requirements", "libs/common", "services"}
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == needed


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, str(DOCKER / "Dockerfile")], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
