"""A client generated from the published document, in an environment of its own, and a gateway for it to talk to."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.api.gateway import Gateway, running

from sandbox.fresh import FreshDatabase, FreshVhost
from sandbox.infrastructure.state import PROJECT

UNREACHABLE = 75
"""Exit code of scripts/client_generator.sh where packages can't be downloaded."""
HERE = Path(__file__).parent
PACKAGE = "tillbook_client"


@pytest.fixture(scope="module")
def environment() -> Path:
    """Programs of the generator's environment. The first test that asks for them downloads a few small packages."""
    made = subprocess.run(
        ["bash", str(PROJECT / "scripts" / "client_generator.sh")],
        check=False,
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if made.returncode == UNREACHABLE and os.environ.get("CI", "").lower() not in {"1", "true"}:
        pytest.skip(f"no generator of clients here: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    return PROJECT / ".tools" / "client-generator" / "bin"


@pytest.fixture(scope="module")
def generated(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the generated package. A part of the document that the generator can't take fails here."""
    folder = tmp_path_factory.mktemp("generated")
    program = [str(environment / "openapi-python-client"), "generate", "--fail-on-warning", "--meta", "none"]
    source = ["--path", str(PROJECT / "docs" / "openapi.json"), "--config", str(HERE / "generator.yaml")]
    made = subprocess.run(
        [*program, *source, "--output-path", str(folder / PACKAGE)],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder / PACKAGE


@pytest.fixture(scope="module")
def gateway(module_postgres_database: FreshDatabase, module_rabbitmq_vhost: FreshVhost) -> Iterator[Gateway]:
    """A gateway with its neighbours."""
    with running(module_postgres_database, module_rabbitmq_vhost) as started:
        yield started
