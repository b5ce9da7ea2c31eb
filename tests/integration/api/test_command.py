"""The `tillbook` command against a running gateway, as a person or a script starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from common.messages.documents import DocumentState
from common.messages.fetching import FetchedOrder, FetchOutcome, TaskProgress

COMMAND = Path(sys.executable).parent / "tillbook"


def tillbook(gateway: Gateway, key: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TILLBOOK_URL": gateway.url, "TILLBOOK_API_KEY": key, "COLUMNS": "300", **more}
    return subprocess.run(
        [str(COMMAND), *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def parsed(result: subprocess.CompletedProcess[str]) -> Any:
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_status_shows_rows_warnings_and_what_to_do(gateway: Gateway, shop: Shop) -> None:
    document = running.document_changed(
        shop,
        "1",
        state=DocumentState.ACTION_REQUIRED,
        reason=running.reason("PRODUCT_MISSING", "SKU A-1 is not in the ledger", "map it"),
    )
    gateway.publish(document)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{document.document_key}").status_code == 200)
    shown = tillbook(gateway, shop.tenant.key, "status")
    assert shown.returncode == 1, shown.stderr
    assert "sales receipts" in shown.stdout
    assert "PRODUCT_MISSING" in shown.stdout
    assert "map it" in shown.stdout
    told = tillbook(gateway, shop.tenant.key, "--json", "status")
    assert told.returncode == 1
    (entry,) = parsed(told)
    receipts = next(row for row in entry["overview"]["rows"] if row["name"] == "sales_receipts")
    assert receipts["warnings"] == 1


def test_sync_follows_the_run_and_its_status_tells_of_failures(gateway: Gateway, shop: Shop) -> None:
    started = subprocess.Popen(
        [str(COMMAND), "--json", "sync", "-n", "#1", "-n", "#2"],
        env={**os.environ, "TILLBOOK_URL": gateway.url, "TILLBOOK_API_KEY": shop.tenant.key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    runs = running.eventually(lambda: shop.tenant.http.get("/v1/runs", params={"trigger": "manual"}).json()["items"])
    gateway.publish(
        running.order_listed(shop, "1"),
        running.transactions_listed(shop, "1"),
        running.document_changed(shop, "1"),
        TaskProgress(
            tenant_id=shop.tenant.tenant_id,
            revision=1,
            run_id=runs[0]["run_id"],
            connection_id=shop.connection_id,
            items=(
                FetchedOrder(external_id="1", number="#1", revision=1, outcome=FetchOutcome.STORED),
                FetchedOrder(external_id=None, number="#2", revision=0, outcome=FetchOutcome.NOT_FOUND),
            ),
            finished=True,
        ),
    )
    stdout, stderr = started.communicate(timeout=30)
    assert started.returncode == 1, stderr
    answer = json.loads(stdout)
    assert answer["state"] == "finished"
    assert answer["results"] == {"synced": 1, "not_found": 1}
    listed = tillbook(gateway, shop.tenant.key, "runs", "show", runs[0]["run_id"])
    assert "not_found" in listed.stdout


def test_an_order_is_shown_by_its_number(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(running.order_listed(shop, "1", number="1001"), running.document_changed(shop, "1"))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])
    shown = tillbook(gateway, shop.tenant.key, "orders", "show", "1001")
    assert shown.returncode == 0, shown.stderr
    assert "1001" in shown.stdout
    assert "sales_receipt" in shown.stdout
    listed = parsed(tillbook(gateway, shop.tenant.key, "--json", "orders", "list", "--number", "1001"))
    assert [order["number"] for order in listed] == ["1001"]
    for number in ("4711", "#2001", "?x", ".."):
        unknown = tillbook(gateway, shop.tenant.key, "orders", "show", number)
        assert unknown.returncode == 3
        assert f"there is no order '{number}'" in unknown.stderr


def test_dismiss_resend_and_tasks_work_from_the_shell(gateway: Gateway, shop: Shop) -> None:
    document = running.document_changed(
        shop, "1", state=DocumentState.ACTION_REQUIRED, reason=running.reason("ITEM_INACTIVE")
    )
    gateway.publish(document)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{document.document_key}").status_code == 200)
    nothing = tillbook(gateway, shop.tenant.key, "resend")
    assert nothing.returncode == 2
    assert "--all" in nothing.stderr
    sent = tillbook(gateway, shop.tenant.key, "resend", "--code", "ITEM_INACTIVE", "--no-wait")
    assert sent.returncode == 0, sent.stderr
    assert "started run_" in sent.stdout
    hidden = tillbook(gateway, shop.tenant.key, "dismiss", "-d", document.document_key, "--note", "old")
    assert "dismissed: 1 documents" in hidden.stdout
    (task,) = parsed(tillbook(gateway, shop.tenant.key, "--json", "tasks", "list"))
    assert parsed(tillbook(gateway, shop.tenant.key, "--json", "tasks", "off", task["task_id"]))["active"] is False


def test_a_company_file_is_paused_and_resumed_from_the_shell(gateway: Gateway, shop: Shop) -> None:
    assert "is paused" in tillbook(gateway, shop.tenant.key, "pause").stdout
    told = tillbook(gateway, shop.tenant.key, "status")
    assert (told.returncode, "tillbook resume" in told.stdout) == (1, True)
    assert parsed(tillbook(gateway, shop.tenant.key, "--json", "resume"))["paused"] is False
    second = {"ledger": "beancount", "name": "More books", "home_currency": "USD"}
    other = shop.tenant.http.post("/v1/companies", json=second).json()["company_id"]
    unclear = tillbook(gateway, shop.tenant.key, "pause")
    assert unclear.returncode == 2
    assert shop.company_id in unclear.stderr
    assert f"{other} (More books)" in unclear.stderr


def test_dead_letters_are_for_operators(gateway: Gateway, shop: Shop) -> None:
    refused = tillbook(gateway, shop.tenant.key, "dead-letters", "list")
    assert refused.returncode == 3
    assert "operator" in refused.stderr
    listed = tillbook(gateway, running.OPERATOR_KEY, "dead-letters", "groups")
    assert listed.returncode == 0
    careless = tillbook(gateway, running.OPERATOR_KEY, "dead-letters", "replay")
    assert careless.returncode == 2
    for what in ("replay", "archive"):
        mistyped = tillbook(gateway, running.OPERATOR_KEY, "dead-letters", what, "dl_of_nobody")
        assert mistyped.returncode == 1, mistyped.stderr


def test_a_stored_profile_is_used_and_checked_first(gateway: Gateway, shop: Shop, tmp_path: Path) -> None:
    file = str(tmp_path / "profiles.toml")
    nothing = {"TILLBOOK_URL": "", "TILLBOOK_API_KEY": "", "TILLBOOK_PROFILES": file}
    wrong = tillbook(gateway, "", "login", "--url", gateway.url, "--key", "tb_0_0", **nothing)
    assert wrong.returncode == 5
    assert not Path(file).exists()
    right = tillbook(gateway, "", "login", "--url", gateway.url, "--key", shop.tenant.key, **nothing)
    assert right.returncode == 0, right.stderr
    used = tillbook(gateway, "", "connections", **nothing)
    assert shop.connection_id in used.stdout


@pytest.mark.parametrize(("url", "status"), [("http://127.0.0.1:9", 4), ("not an address", 4)])
def test_an_api_that_is_away_is_said_so(gateway: Gateway, url: str, status: int) -> None:
    answer = tillbook(gateway, "tb_0_0", "status", TILLBOOK_URL=url)
    assert answer.returncode == status
    assert "did not answer" in answer.stderr
