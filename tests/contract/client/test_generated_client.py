"""A frontend can be built on a client generated from docs/openapi.json, and on nothing else of ours."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api import owners
from tests.integration.api.gateway import ALL_SCOPES, OPERATOR_KEY, Gateway

from sandbox.infrastructure.processes import HOST, free_port
from sandbox.infrastructure.state import PROJECT

HERE = Path(__file__).parent
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def seen(environment: Path, generated: Path, gateway: Gateway) -> Seen:
    """What the frontend saw on its one way through the product."""
    ran = subprocess.run(
        [str(environment / "python"), str(HERE / "frontend.py"), gateway.url],
        check=False,
        env={"PATH": os.defpath, "PYTHONPATH": str(generated.parent), "PYTHONSAFEPATH": "1"},
        input=OPERATOR_KEY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    answer: Seen = json.loads(ran.stdout)
    return answer


def test_every_operation_has_a_function_in_a_module_of_its_tag(generated: Path) -> None:
    wanted = {f"{each['tags'][0].replace(' ', '_')}/{each['operationId']}" for each in operations()}
    assert {f"{module.parent.name}/{module.stem}" for module in modules(generated)} == wanted


def test_no_answer_is_left_without_a_type_where_there_is_one(generated: Path) -> None:
    untyped = {module.stem for module in modules(generated) if "-> Any | " in module.read_text()}
    assert untyped == {each["operationId"] for each in operations() if "204" in each["responses"]}


def operations() -> list[dict[str, Any]]:
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text())
    return [operation for path in document["paths"].values() for operation in path.values()]


def modules(generated: Path) -> list[Path]:
    return [path for path in (generated / "api").glob("*/*.py") if path.name != "__init__.py"]


def test_a_tenant_is_made_once_however_often_it_is_asked_for(seen: Seen, gateway: Gateway) -> None:
    first, second = seen["tenant_ids"]
    assert first == second
    assert seen["statuses"] == [201, 201]
    assert seen["locations"] == [f"/v1/tenants/{first}"] * 2
    assert seen["replayed"] == [None, "true"]
    status, code, _ = seen["other_body"]
    assert (status, code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert gateway.operator.get(f"/v1/tenants/{first}").json()["name"] == "A stranger's shop"
    assert seen["scopes"] == sorted(ALL_SCOPES)
    assert seen["ready"] == 200


def test_lists_are_read_page_by_page_without_a_gap(seen: Seen) -> None:
    assert [name for _, name, _ in seen["made"]] == ["First", "Second", "Third"]
    ids = [company_id for company_id, _, _ in seen["made"]]
    assert seen["pages"] == [ids[:2], ids[2:]]
    assert seen["first"] == {"created_at_has_zone": True, "approved_at": None}


def test_settings_are_saved_as_they_were_read_and_guarded_by_their_version(seen: Seen) -> None:
    settings = seen["settings"]
    assert settings["none"] == [404, "NOT_FOUND"]
    assert settings["etags"] == ['"0"', '"1"', '"1"', '"2"']
    assert settings["accounts"] == owners.ACCOUNTS
    assert settings["notify"] == [["books@shop.example"], []]
    assert settings["late"] == [412, "CHANGED_MEANWHILE"]
    assert settings["history"] == [[], ["books@shop.example"]]
    assert settings["approved"]
    assert settings["shown"]


def test_a_run_is_begun_cancelled_and_followed_to_its_last_event(seen: Seen) -> None:
    run = seen["run"]
    assert run["states"] == ["fetching", "cancelled", "cancelled"]
    assert run["listed"] == [True]
    assert not run["among_others"]
    assert run["mode"] == "sales_receipts"


def test_tables_go_out_and_in_as_bytes(seen: Seen) -> None:
    assert seen["tables"]["header"] == ["date", "kind", "number"]
    assert seen["tables"]["broken"] == [422, "NOT_A_TABLE", [["row 2", None, True]]]


def test_every_refusal_is_a_problem_with_a_code_and_the_wrong_field(seen: Seen) -> None:
    refused = seen["refused"]
    assert refused["wrong"] == [422, "INVALID_REQUEST", [["query.limit", "1000", True]]]
    assert refused["missing"] == [404, "NOT_FOUND", []]
    assert refused["gone"] == [204, None]
    assert refused["after"] == [401, "UNAUTHORIZED", [], "Bearer"]


def test_packages_out_of_reach_are_told_apart_from_packages_that_are_wrong(tmp_path: Path) -> None:
    for name in ("client_generator.sh", "uv.sh", "uv-requirements.txt"):
        (tmp_path / "scripts").mkdir(exist_ok=True)
        shutil.copy(PROJECT / "scripts" / name, tmp_path / "scripts" / name)
    (tmp_path / ".tools" / "bin").mkdir(parents=True)
    (tmp_path / ".tools" / "bin" / "uv").symlink_to(PROJECT / ".tools" / "bin" / "uv")
    locked = tmp_path / "tests" / "contract" / "client" / "requirements.txt"
    locked.parent.mkdir(parents=True)

    def installing(requirements: str, **more: str) -> tuple[int, str]:
        locked.write_text(requirements)
        own = {"PYTHON": sys.executable, "UV_NO_CACHE": "1", "UV_HTTP_RETRIES": "0", "NO_PROXY": HOST}
        ran = subprocess.run(
            ["bash", str(tmp_path / "scripts" / "client_generator.sh")],
            check=False,
            env={**os.environ, **own, **more},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert not (tmp_path / ".tools" / "client-generator" / ".installed").exists()
        return ran.returncode, ran.stderr

    index = f"http://someone:secret@{HOST}:{free_port()}/simple"
    code, said = installing((HERE / "requirements.txt").read_text(), UV_DEFAULT_INDEX=index)
    assert code == 75, said
    assert "could not install tests/contract/client/requirements.txt" in said
    assert "secret" not in said
    code, said = installing("attrs==26.1.0\n")
    assert code == 1, said
    assert "could not install tests/contract/client/requirements.txt" in said
