"""Manual syncs, their results per order, tasks and the scheduler."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any

import httpx
import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from api.main import build
from common.messages.control import ResendRequested, TaskKind, TaskRequested
from common.messages.documents import DocumentState
from common.messages.fetching import FetchedOrder, FetchOutcome, TaskProgress
from common.messages.transactions import SetOutcome


def progress(shop: Shop, run_id: str, page: int, *items: FetchedOrder, finished: bool = False) -> TaskProgress:
    return TaskProgress(
        tenant_id=shop.tenant.tenant_id,
        revision=page,
        run_id=run_id,
        connection_id=shop.connection_id,
        items=items,
        finished=finished,
    )


def fetched(external_id: str | None, outcome: FetchOutcome = FetchOutcome.STORED, **more: Any) -> FetchedOrder:
    number = more.pop("number", f"#{external_id}")
    return FetchedOrder(external_id=external_id, number=number, revision=1, outcome=outcome, **more)


def start(shop: Shop, **body: Any) -> str:
    answer = shop.tenant.http.post("/v1/runs", json={"connection_id": shop.connection_id} | body)
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["run_id"]
    return run_id


def run(shop: Shop, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.tenant.http.get(f"/v1/runs/{run_id}").json()
    return found


def test_a_date_range_is_meant_in_the_shops_time_zone_and_bounded(gateway: Gateway, shop: Shop) -> None:
    path = f"/v1/connections/{shop.connection_id}/settings"
    body = shop.tenant.http.get(path).json() | {"time_zone": "America/New_York"}
    assert shop.tenant.http.put(path, json=body, headers={"if-match": '"1"'}).status_code == 200
    run_id = start(shop, date_from="2026-11-01", date_to="2026-11-01")
    asked = next(state for state in gateway.sent(TaskRequested) if state.run_id == run_id)
    # Clocks go back in New York on that day: it has 25 hours.
    assert asked.window_end - asked.window_start == timedelta(hours=25)
    assert asked.kind is TaskKind.MANUAL
    assert asked.backfill
    for wrong in (
        {"date_from": "2026-01-01", "date_to": "2026-02-01"},
        {"date_from": "2026-01-02", "date_to": "2026-01-01"},
        {"date_from": "2026-01-01"},
        {"order_numbers": ["1"], "date_from": "2026-01-01", "date_to": "2026-01-01"},
        {"order_numbers": [str(n) for n in range(501)]},
        {},
    ):
        answer = shop.tenant.http.post("/v1/runs", json={"connection_id": shop.connection_id} | wrong)
        assert answer.status_code == 422, wrong


def days_of(asked: TaskRequested) -> int:
    assert asked.window_start is not None
    assert asked.window_end is not None
    return (asked.window_end - asked.window_start).days


def test_payouts_are_synced_by_range_and_a_summary_by_its_day(gateway: Gateway, shop: Shop) -> None:
    path = f"/v1/connections/{shop.connection_id}/settings"
    http, base = shop.tenant.http, {"connection_id": shop.connection_id}
    days = {"date_from": "2026-11-01", "date_to": "2026-11-20"}
    body = http.get(path).json()
    for what, code in (("payouts", "PAYOUTS_OFF"), ("summary", "NO_SUMMARIES")):
        asked = base | {"what": what, "date_from": "2026-11-01", "date_to": "2026-11-01"}
        refused = http.post("/v1/runs", json=asked)
        assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert refused.json()["cure"]
    company = http.get(f"/v1/companies/{shop.company_id}/settings")
    accounts = company.json()["accounts"] | {"BANK": "Assets:Undeposited", "FEES": "Expenses:Fees"}
    gateway.owners.opens = {"Expenses:Fees": "Expenses"}
    saved = http.put(
        f"/v1/companies/{shop.company_id}/settings",
        json=company.json() | {"accounts": accounts},
        headers={"if-match": company.headers["etag"]},
    )
    assert saved.status_code == 200, saved.text
    changed = body | {"mode": "summary_sales_receipt", "payouts": body["payouts"] | {"enabled": True}}
    saved = http.put(path, json=changed, headers={"if-match": '"1"'})
    assert saved.status_code == 200, saved.text
    for wrong in (
        {"what": "payouts", "order_numbers": ["1"]},
        {"what": "payouts", "by": "modified"} | days,
        {"what": "payouts"},
        {"what": "summary"} | days,
        {"what": "summary", "order_numbers": ["1"]},
        {"what": "stock"} | days,
    ):
        assert http.post("/v1/runs", json=base | wrong).status_code == 422, wrong

    paid_out = start(shop, what="payouts", **days)
    summed = start(shop, what="summary", date_from="2026-11-01")
    tasks = {state.run_id: state for state in gateway.sent(TaskRequested)}
    assert (tasks[paid_out].kind, tasks[summed].kind) == (TaskKind.PAYOUTS, TaskKind.MANUAL)
    assert [days_of(tasks[run_id]) for run_id in (paid_out, summed)] == [20, 1]
    assert tasks[summed].by == "created"
    gateway.publish(progress(shop, paid_out, 1, finished=True))
    done = running.eventually(lambda: (found := run(shop, paid_out))["state"] == "finished" and found)
    assert (done["kind"], done["trigger"]) == ("payouts", "manual")


def test_each_order_of_a_sync_has_a_result_and_a_reason(gateway: Gateway, shop: Shop) -> None:
    run_id = start(shop, order_numbers=[f"#{n}" for n in range(1, 8)])
    assert run(shop, run_id)["state"] == "fetching"
    gateway.publish(
        *(running.order_listed(shop, str(n)) for n in (1, 2, 3, 4)),
        running.order_listed(shop, "5", problem=running.reason("UNKNOWN_STATUS")),
        running.transactions_listed(shop, "1"),
        running.transactions_listed(
            shop, "2", outcome=SetOutcome.FILTERED, documents=0, reason=running.reason("STATUS_FILTER")
        ),
        running.transactions_listed(
            shop, "3", outcome=SetOutcome.HELD, documents=0, reason=running.reason("WAITING_FOR_PAYMENT")
        ),
        running.transactions_listed(shop, "4"),
        running.document_changed(shop, "1", last_attempt_at=running.MOMENT + timedelta(days=9000)),
        running.document_changed(
            shop, "4", state=DocumentState.ACTION_REQUIRED, reason=running.reason("PRODUCT_MISSING")
        ),
    )
    gateway.publish(
        progress(shop, run_id, 2, fetched("5"), fetched(None, FetchOutcome.NOT_FOUND, number="#6"), finished=True),
    )
    gateway.publish(
        progress(shop, run_id, 1, fetched("1"), fetched("2"), fetched("3"), fetched("4")),
    )
    running.eventually(lambda: run(shop, run_id)["state"] == "finished" and run(shop, run_id)["total"] == 6)
    shown = run(shop, run_id)
    assert shown["done"] == 6
    assert shown["results"] == {"synced": 1, "filtered": 1, "blocked": 1, "failed": 2, "not_found": 1}
    items = {item["number"]: item for item in shop.tenant.http.get(f"/v1/runs/{run_id}/items").json()["items"]}
    assert items["#2"]["reason"]["code"] == "STATUS_FILTER"
    assert items["#3"]["reason"]["code"] == "WAITING_FOR_PAYMENT"
    assert items["#4"]["reason"]["code"] == "PRODUCT_MISSING"
    assert items["#5"]["reason"]["code"] == "UNKNOWN_STATUS"
    failed = shop.tenant.http.get(f"/v1/runs/{run_id}/items", params={"result": "failed"}).json()["items"]
    assert {item["number"] for item in failed} == {"#4", "#5"}


def test_an_item_is_finished_when_its_state_reaches_or_passes_the_revision(gateway: Gateway, shop: Shop) -> None:
    run_id = start(shop, order_numbers=["#1"])
    gateway.publish(
        progress(shop, run_id, 1, fetched("1").model_copy(update={"revision": 3}), finished=True),
        running.order_listed(shop, "1", revision=2),
        running.transactions_listed(shop, "1", source_revision=2),
        running.document_changed(shop, "1", source_revision=2),
    )
    running.eventually(lambda: run(shop, run_id)["state"] == "working")
    gateway.publish(running.order_listed(shop, "1", revision=4))
    gateway.publish(running.transactions_listed(shop, "1", source_revision=4, revision=2))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"][0]["revision"] == 4)
    assert run(shop, run_id)["state"] == "working"
    gateway.publish(running.document_changed(shop, "1", source_revision=4, revision=2))
    running.eventually(lambda: run(shop, run_id)["state"] == "finished")


def test_what_was_in_the_ledger_before_is_told_from_what_came_now(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(
        running.order_listed(shop, "1"),
        running.transactions_listed(shop, "1"),
        running.document_changed(shop, "1", last_attempt_at=running.MOMENT - timedelta(days=1)),
    )
    run_id = start(shop, order_numbers=["#1"])
    gateway.publish(progress(shop, run_id, 1, fetched("1", FetchOutcome.UNCHANGED), finished=True))
    running.eventually(lambda: run(shop, run_id)["state"] == "finished")
    assert run(shop, run_id)["results"] == {"already_in_ledger": 1}
    # Seen again on request: it follows a new transaction mode, and whatever is held in the ledger stays held.
    (again,) = [state for state in gateway.sent(ResendRequested) if state.resend_id.startswith(run_id)]
    assert (again.order_keys, again.only_map) == ((f"{shop.connection_id}/1",), True)


def test_a_run_into_an_unapproved_company_ends_as_held(gateway: Gateway) -> None:
    shop = gateway.shop(approve=False)
    run_id = start(shop, order_numbers=["#1"])
    gateway.publish(
        running.order_listed(shop, "1"),
        running.transactions_listed(shop, "1"),
        running.document_changed(shop, "1", state=DocumentState.NOT_TRIED),
        progress(shop, run_id, 1, fetched("1"), finished=True),
    )
    running.eventually(lambda: run(shop, run_id)["state"] == "finished")
    assert run(shop, run_id)["results"] == {"held": 1}


def test_progress_streams_until_the_end(gateway: Gateway, shop: Shop) -> None:
    run_id = start(shop, order_numbers=["#1"])
    events: SimpleQueue[str] = SimpleQueue()

    def listen() -> None:
        with shop.tenant.http.stream("GET", f"/v1/runs/{run_id}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    events.put(line)

    thread = threading.Thread(target=listen)
    thread.start()
    assert events.get(timeout=15) == "event: progress"
    assert run(shop, run_id)["state"] == "fetching"
    gateway.publish(
        progress(shop, run_id, 1, fetched(None, FetchOutcome.NOT_FOUND, number="#1"), finished=True),
    )
    thread.join(timeout=15)
    assert not thread.is_alive()
    last = [events.get_nowait() for _ in range(events.qsize())][-1]
    assert last == "event: end"


def test_cancelling_raises_the_revision_once(gateway: Gateway, shop: Shop) -> None:
    run_id = start(shop, order_numbers=["#1"])
    assert shop.tenant.http.post(f"/v1/runs/{run_id}/cancel").json()["state"] == "cancelled"
    assert shop.tenant.http.post(f"/v1/runs/{run_id}/cancel").status_code == 409
    last = [state for state in gateway.sent(TaskRequested) if state.run_id == run_id][-1]
    assert (last.revision, last.cancelled) == (2, True)


def test_saving_settings_makes_a_task_that_runs_by_itself(gateway: Gateway, shop: Shop) -> None:
    def task() -> dict[str, Any]:
        (found,) = shop.tenant.http.get("/v1/tasks").json()["items"]
        return dict(found)

    running.eventually(lambda: task()["last_run_id"])
    first = task()
    assert first["kind"] == "orders_to_ledger"
    assert first["last_result"] == "running"
    asked = [state for state in gateway.sent(TaskRequested) if state.connection_id == shop.connection_id]
    assert [state.run_id for state in asked] == [first["last_run_id"]]
    assert asked[0].window_start is None
    assert shop.tenant.http.post(f"/v1/tasks/{first['task_id']}/run").json()["code"] == "ALREADY_RUNNING"
    gateway.publish(progress(shop, first["last_run_id"], 1, finished=True))
    running.eventually(lambda: task()["last_result"] == "fetched")
    again = shop.tenant.http.post(f"/v1/tasks/{first['task_id']}/run")
    assert again.status_code == 202
    assert task()["last_run_id"] == again.json()["run_id"]


def test_tasks_are_switched_rescheduled_and_checked(shop: Shop) -> None:
    http = shop.tenant.http
    (task,) = http.get("/v1/tasks").json()["items"]
    path = f"/v1/tasks/{task['task_id']}"
    assert http.patch(path, json={"active": False}).json()["active"] is False
    changed = http.patch(path, json={"cron": "45 5 * * *", "active": True}).json()
    assert (changed["cron"], changed["interval_s"]) == ("45 5 * * *", None)
    assert changed["next_run_at"][11:19] == "05:45:00"
    for wrong in ({"cron": "61 * * * *"}, {"cron": "* * * * *", "interval_s": 60}, {"cron": "0 0 30 2 *"}):
        assert http.patch(path, json=wrong).status_code == 422, wrong
    assert http.patch(path, json={"interval_s": 1}).status_code == 422
    made = http.post("/v1/tasks", json={"connection_id": shop.connection_id, "kind": "refunds", "interval_s": 7200})
    assert made.status_code == 201
    assert http.delete(f"/v1/tasks/{made.json()['task_id']}").status_code == 204


def test_a_paused_company_starts_no_task(gateway: Gateway) -> None:
    shop = gateway.shop(settings=False)
    gateway.save_company(shop.tenant, shop.company_id)
    shop.tenant.http.post(f"/v1/companies/{shop.company_id}/pause")
    gateway.save_connection(shop.tenant, shop.connection_id, shop.company_id)

    def the_task() -> Any:
        (task,) = shop.tenant.http.get("/v1/tasks").json()["items"]
        return task

    # It was due when it was made, and comes round again later.
    running.eventually(lambda: datetime.fromisoformat(the_task()["next_run_at"]) > datetime.now(UTC))
    assert the_task()["last_run_id"] is None


@contextmanager
def another_replica(gateway: Gateway) -> Iterator[httpx.Client]:
    """A second gateway on the same database and broker."""
    with running.serving(build(gateway.app.state.settings)) as url:
        client = httpx.Client(base_url=url)
        yield client
        client.close()


@pytest.mark.slow
def test_two_replicas_start_each_due_task_once(gateway: Gateway) -> None:
    shops = [gateway.shop() for _ in range(3)]

    def runs(task_id: str) -> int:
        return len(gateway.fetch("SELECT 1 FROM runs WHERE task_id = $1", task_id))

    def has_run(shop: Shop) -> bool:
        return bool(shop.tenant.http.get("/v1/tasks").json()["items"][0]["last_run_id"])

    def has_run_again(task_id: str, before: int) -> bool:
        return runs(task_id) > before

    with another_replica(gateway):
        for shop in shops:
            (task,) = shop.tenant.http.get("/v1/tasks").json()["items"]
            running.eventually(partial(has_run, shop))
            for _ in range(3):
                gateway.fetch("UPDATE runs SET fetched_at = now() WHERE task_id = $1 RETURNING 1", task["task_id"])
                before = runs(task["task_id"])
                gateway.fetch("UPDATE tasks SET next_run_at = now() WHERE task_id = $1 RETURNING 1", task["task_id"])
                running.eventually(partial(has_run_again, task["task_id"], before))
            assert runs(task["task_id"]) == 4


@pytest.mark.parametrize(("kind", "instead"), [("summary", "when the day is over"), ("manual", "POST /v1/runs")])
def test_a_task_that_would_do_nothing_is_refused_with_what_does_its_work(shop: Shop, kind: str, instead: str) -> None:
    body = {"connection_id": shop.connection_id, "kind": kind, "interval_s": 7200}
    refused = shop.tenant.http.post("/v1/tasks", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "NO_TASK_NEEDED")
    (error,) = refused.json()["errors"]
    assert (error["field"], error["value"]) == ("body.kind", kind)
    assert instead in error["cure"]
    assert kind not in {task["kind"] for task in shop.tenant.http.get("/v1/tasks").json()["items"]}
