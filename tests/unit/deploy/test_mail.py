"""Notices by mail: nothing of it in the overlays as they are, all of it with one component more."""

import os
from pathlib import Path

import pytest
import yaml
from tests.unit.deploy import checks
from tests.unit.deploy.network import outside, permits, pod_of
from tests.unit.deploy.rendering import K8S, Document, named, render_command, rendered, site

MAIL_SERVER = outside("23.227.38.65")


@pytest.fixture
def documents(tmp_path: Path) -> list[Document]:
    """Production as a site has it that switches mail on."""
    if render_command() is None:
        pytest.skip("neither kustomize nor kubectl is installed, so no patch is applied")
    parts = {
        "resources": [K8S / "overlays" / "production" / "services"],
        "components": [K8S / "base" / "mail"],
    }
    places = {kind: [os.path.relpath(path, tmp_path) for path in paths] for kind, paths in parts.items()}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"namespace": "tillbook", **places}))
    services = {(each["kind"], each["metadata"]["name"]): each for each in rendered(tmp_path)}
    others = {(each["kind"], each["metadata"]["name"]): each for each in site("production")}
    return list((others | services).values())


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: str(check.__name__))
def test_production_with_mail_passes(documents: list[Document], check: object) -> None:
    assert callable(check)
    assert check(documents) == []


def test_the_ledger_writer_alone_is_told_of_the_mail_server_and_reaches_it(documents: list[Document]) -> None:
    (container,) = named(documents, "StatefulSet", "ledger-writer")["spec"]["template"]["spec"]["containers"]
    given = checks.variables(documents, container)
    assert given["LEDGER_WRITER_SMTP_HOST"] == "smtp.tillbook.example"
    assert given["LEDGER_WRITER_SMTP_PASSWORD"] is None
    port = int(str(given["LEDGER_WRITER_SMTP_PORT"]))
    reached = {
        name: permits(documents, pod_of(documents, name), MAIL_SERVER, port)
        for name in ("ingest", "mapper", "ledger-writer", "api")
    }
    assert reached == {"ingest": False, "mapper": False, "ledger-writer": True, "api": False}
    assert not permits(documents, pod_of(documents, "ledger-writer"), outside("10.0.0.7"), port)


def test_without_it_nothing_reaches_a_mail_server() -> None:
    plain = site("production")
    assert not any(permits(plain, pod_of(plain, "ledger-writer"), MAIL_SERVER, port) for port in (25, 465, 587))
    (container,) = named(plain, "StatefulSet", "ledger-writer")["spec"]["template"]["spec"]["containers"]
    assert not [name for name in checks.variables(plain, container) if "SMTP" in name]
