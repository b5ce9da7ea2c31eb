"""Runs end to end: windows, numbers, refetches and watermarks against sample shops that speak the vendors' APIs."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest
from tests.integration.ingest.conftest import SECRET, Ingest, connection_settings, served, signed, task

from common.crypto import Cipher
from common.messages.control import ResendRequested, StateRequested, TaskKind, TenantDeleted
from common.messages.fetching import FetchOutcome
from common.messages.orders import Order
from common.resealing import reseal
from common.settings import decode_keys
from ingest.store.orders import forget_parts
from ingest.store.sealed import SEALED
from sandbox.shops.admin import open_shop
from sandbox.shops.faults import Fault
from sandbox.shops.life import Event
from sandbox.shops.store import ShopStore

FIRST_DAY = datetime.now(UTC).date() - timedelta(days=3)


def shop(kind: str, orders: int = 25, **more: Any) -> ShopStore:
    store = open_shop(
        {
            "name": "north", "kind": kind, "shop": "us", "seed": 11, "orders": orders, "plan": "unlimited",
            "start_date": FIRST_DAY.isoformat(), "orders_per_day": 600, "webhook_secret": SECRET, **more,
        }
    )  # fmt: skip
    store.advance()
    return store


def login(store: ShopStore, address: str) -> dict[str, str]:
    base = f"{address}/{store.name}"
    match store.life.kind:
        case "shopify":
            return {
                "shop_domain": store.life.host, "webhook_secret": SECRET, "access_token": store.credentials.token,
                "base_url": base,
            }  # fmt: skip
        case "woocommerce":
            return {
                "store_url": base, "webhook_secret": SECRET, "consumer_key": store.credentials.key,
                "consumer_secret": store.credentials.secret,
            }  # fmt: skip
        case _:
            return {
                "signing_secret": SECRET, "base_url": base, "user": store.credentials.key,
                "password": store.credentials.secret,
            }  # fmt: skip


@asynccontextmanager
async def connected(ingest: Ingest, store: ShopStore, **more: str) -> AsyncIterator[None]:
    """The shop on loopback, and a connection `con` to it."""
    async with served(store) as address:
        answer = await ingest.connect("con", store.life.kind, **{**login(store, address), **more})
        assert answer.status_code == 201, answer.text
        await ingest.send(connection_settings("con", channel=store.life.kind, start_date=FIRST_DAY))
        await ingest.until("SELECT max(revision) FROM connection_settings", wanted=1)
        yield


async def agrees(ingest: Ingest, store: ShopStore) -> None:
    """The published orders are those the shop's books expect."""
    expected = store.life.expectation(store.life_orders)
    await ingest.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", wanted=0)
    await ingest.eventually(lambda: all(f"con/{order_id}" in ingest.orders for order_id in expected.orders))
    for order_id, wanted in expected.orders.items():
        order = ingest.orders[f"con/{order_id}"]
        assert order.total == expected.money(wanted.total), wanted.scenario
        assert sum(t.amount for t in order.tenders) == expected.money(wanted.paid), wanted.scenario
        assert sum(t.amount for r in order.refunds for t in r.transactions) == expected.money(wanted.refunded)


@pytest.mark.parametrize(
    ("kind", "more"),
    [("shopify", {}), ("woocommerce", {}), ("custom", {}), ("custom", {"pull_contract": "compatible"})],
)
async def test_a_run_over_a_window_brings_every_order_and_says_how_far_it_is(
    ingest: Ingest, kind: str, more: dict[str, str]
) -> None:
    store = shop(kind)
    async with connected(ingest, store, **more):
        start = datetime.combine(FIRST_DAY - timedelta(days=1), datetime.min.time(), UTC)
        await ingest.send(task("run", "con", window_start=start, window_end=start + timedelta(days=30)))
        pages = await ingest.finished("run")
        assert pages[-1].failed is None
        seen = {item.external_id for page in pages for item in page.items}
        assert seen == set(store.life.expectation(store.life_orders).orders)
        assert [page.revision for page in pages] == sorted({page.revision for page in pages})
        await agrees(ingest, store)
        assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM watermarks") == 0


async def test_a_scheduled_run_moves_the_watermark_only_when_everything_was_stored(ingest: Ingest) -> None:
    store = shop("woocommerce", orders=8)
    async with connected(ingest, store):
        store.faults.add(Fault("throttle", times=10_000, seconds=0))
        await ingest.send(task("bad", "con", TaskKind.ORDERS_TO_LEDGER))
        pages = await ingest.finished("bad")
        assert pages[-1].failed is not None
        assert pages[-1].failed.code == "UPSTREAM_UNAVAILABLE"
        assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM watermarks") == 0
        store.faults.waiting.clear()
        await ingest.send(task("good", "con", TaskKind.ORDERS_TO_LEDGER))
        pages = await ingest.finished("good")
        mark = await ingest.service.runtime.pool.fetchval(
            "SELECT value FROM watermarks WHERE kind = 'orders_to_ledger'"
        )
        assert pages[-1].watermark == mark
        assert timedelta(minutes=2) <= datetime.now(UTC) - mark < timedelta(minutes=4)
        await agrees(ingest, store)
        await ingest.send(task("again", "con", TaskKind.ORDERS_TO_LEDGER))
        items = [item for page in await ingest.finished("again") for item in page.items]
        assert {item.outcome for item in items} <= {FetchOutcome.UNCHANGED}


async def test_throttling_broken_answers_and_pages_of_html_only_cost_time(ingest: Ingest) -> None:
    store = shop("shopify", orders=12)
    async with connected(ingest, store):
        store.faults.add(Fault("throttle", times=3, seconds=0.1))
        store.faults.add(Fault("broken_json", times=1, path="transactions"))
        store.faults.add(Fault("unavailable", times=1, path="transactions"))
        start = datetime.combine(FIRST_DAY - timedelta(days=1), datetime.min.time(), UTC)
        await ingest.send(task("run", "con", window_start=start, window_end=start + timedelta(days=30)))
        assert (await ingest.finished("run"))[-1].failed is None
        await agrees(ingest, store)


async def test_a_list_of_numbers_says_of_each_what_became_of_it(ingest: Ingest) -> None:
    store = shop("shopify", orders=5)
    async with connected(ingest, store):
        numbers = [str(row.number) for row in store.life.expectation(5).orders.values()][:2]
        await ingest.send(task("run", "con", order_numbers=(*numbers, "999999")))
        items = {item.number: item for page in await ingest.finished("run") for item in page.items}
        assert {number: items[number].outcome for number in numbers} == dict.fromkeys(numbers, FetchOutcome.STORED)
        missing = items["999999"]
        assert (missing.outcome, missing.external_id) == (FetchOutcome.NOT_FOUND, None)
        assert missing.reason is not None
        assert missing.reason.code == "ORDER_NOT_FOUND"
        keys = [f"con/{items[number].external_id}" for number in numbers]
        await ingest.eventually(lambda: all(key in ingest.orders for key in keys))
        assert [ingest.orders[key].let_through for key in keys] == [("filters",), ("filters",)]


def _is_let_through(ingest: Ingest, key: str, wanted: tuple[str, ...]) -> bool:
    return ingest.orders[key].let_through == wanted


async def test_what_somebody_asked_for_stays_asked_for_and_is_unchanged_all_the_same(ingest: Ingest) -> None:
    store = shop("shopify", orders=2)
    async with connected(ingest, store):
        start = datetime.combine(FIRST_DAY - timedelta(days=1), datetime.min.time(), UTC)
        window: dict[str, Any] = {"window_start": start, "window_end": start + timedelta(days=30)}
        await ingest.send(task("all", "con", **window))
        await ingest.finished("all")
        await agrees(ingest, store)
        assert {order.let_through for order in ingest.orders.values()} == {()}
        key, order = min(ingest.orders.items())
        numbers = (order.number,)
        for run, asked, wanted in (
            ("named", {"order_numbers": numbers}, ("filters",)),
            ("forced", window | {"force": True}, ("do_not_import", "filters")),
            ("again", {"order_numbers": numbers}, ("do_not_import", "filters")),
        ):
            await ingest.send(task(run, "con", **asked))
            items = [item for page in await ingest.finished(run) for item in page.items]
            assert {item.outcome for item in items} == {FetchOutcome.UNCHANGED}
            await ingest.eventually(partial(_is_let_through, ingest, key, wanted))
        changed = await ingest.service.runtime.pool.fetchval("SELECT max(revision) FROM orders")
        assert changed == order.revision + 2


async def test_a_cancelled_run_stops_and_a_refused_login_is_shown_on_the_connection(ingest: Ingest) -> None:
    store = shop("shopify", orders=5)
    async with connected(ingest, store, access_token="wrong"):
        await ingest.send(task("run", "con", TaskKind.ORDERS_TO_LEDGER))
        failed = (await ingest.finished("run"))[-1].failed
        assert failed is not None
        assert failed.code == "UPSTREAM_UNAUTHORIZED"
        view = (await ingest.http.get("/internal/connections/con", params={"tenant_id": "tenant"})).json()
        assert (view["state"], view["reason"]["code"]) == ("needs_credentials", "UPSTREAM_UNAUTHORIZED")
        await ingest.send(task("off", "con", cancelled=True))
        await ingest.until("SELECT state FROM runs WHERE run_id = 'off'", wanted="cancelled")
        assert "off" not in ingest.progress


async def test_an_incomplete_order_is_fetched_when_nothing_completes_it(ingest: Ingest) -> None:
    """A paid order's webhook carries no transactions; the connection can fetch them and does."""
    store = shop("shopify", orders=20)
    async with connected(ingest, store):
        snapshots = store.life.snapshots(20)
        wanted = [snapshot for snapshot in snapshots if any(map(_is_paid_at_once, snapshot.events))][:5]
        for snapshot in wanted:
            for event in snapshot.events:
                if event.topic == "orders/create":
                    assert (await ingest.post("con", event)).status_code == 200
        waiting = [listed.problem.code for listed in ingest.listed.values() if listed.problem]
        assert set(waiting) <= {"WAITING_FOR_DETAILS"}
        await ingest.eventually(lambda: all(f"con/{s.order_id}" in ingest.orders for s in wanted))
        for snapshot in wanted:
            order = ingest.orders[f"con/{snapshot.order_id}"]
            assert order.tenders
            assert not any(tender.external_id.startswith("derived:") for tender in order.tenders)
        await ingest.until("SELECT count(*) FROM orders WHERE due_at IS NOT NULL OR problem IS NOT NULL", wanted=0)


def _is_paid_at_once(event: Event) -> bool:
    body = event.body
    return event.topic == "orders/create" and body["financial_status"] == "paid" and bool(body["payment_gateway_names"])


async def test_a_changed_time_zone_reads_every_order_again(ingest: Ingest) -> None:
    life = shop("custom", orders=6, shop="jp").life
    await ingest.connect("con", "custom", signing_secret=SECRET)
    for event in life.events(6):
        await ingest.post("con", event)
    await ingest.until("SELECT count(*) FROM orders", wanted=6)
    before = {row["external_id"]: row["ordered_on"] for row in await _days(ingest)}
    await ingest.send(connection_settings("con", channel="custom", time_zone="Pacific/Kiritimati"))
    await ingest.until("SELECT max(revision) FROM connection_settings", wanted=1)
    await ingest.until("SELECT count(*) FROM orders WHERE due_at IS NOT NULL", wanted=0)
    after = {row["external_id"]: row["ordered_on"] for row in await _days(ingest)}
    assert all(after[order_id] - day in {timedelta(0), timedelta(days=1)} for order_id, day in before.items())
    assert after != before


async def _days(ingest: Ingest) -> list[Any]:
    return await ingest.service.runtime.pool.fetch("SELECT external_id, ordered_on FROM orders")


async def test_resend_rebuild_and_removal_of_a_tenant(ingest: Ingest) -> None:
    store = shop("shopify", orders=6)
    async with connected(ingest, store):
        await ingest.send(task("run", "con", TaskKind.ORDERS_TO_LEDGER))
        await ingest.finished("run")
        await agrees(ingest, store)
        keys = tuple(sorted(ingest.orders))
        ingest.orders.clear()
        await ingest.send(
            ResendRequested(
                tenant_id="tenant", revision=1, resend_id="again", company_id="books", order_keys=keys, refetch=True
            )
        )
        await ingest.eventually(lambda: len(ingest.orders) >= len(keys))
        await ingest.until("SELECT count(*) FROM raw_parts WHERE topic = 'refetch'", wanted=0)
        ingest.orders.clear()
        await ingest.send(StateRequested(tenant_id="tenant", revision=1, request_id="r", entity=Order.type))
        await ingest.eventually(lambda: len(ingest.orders) >= len(keys))
        assert tuple(sorted(ingest.orders)) == keys
        await ingest.send(TenantDeleted(tenant_id="tenant", revision=1))
        await ingest.until("SELECT count(*) FROM connections", wanted=0)
        for table in ("orders", "raw_parts", "normalisations", "runs", "watermarks", "rebuilds"):
            assert await ingest.service.runtime.pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table


@pytest.mark.parametrize("refetch", [True, False], ids=["fetched", "from stored parts"])
async def test_an_order_that_is_resent_unchanged_is_sent_once_more_as_it_is(ingest: Ingest, refetch: bool) -> None:
    """Whoever lost it, to a dead letter say, has it back; it is no new revision for anybody else."""
    store = shop("shopify", orders=4)
    async with connected(ingest, store):
        await ingest.send(task("run", "con", TaskKind.ORDERS_TO_LEDGER))
        await ingest.finished("run")
        await agrees(ingest, store)
        before, listed = dict(ingest.orders), dict(ingest.listed)
        ingest.orders.clear()
        ingest.listed.clear()
        again = ResendRequested(
            tenant_id="tenant", revision=1, resend_id="r", company_id="b", order_keys=tuple(before), refetch=refetch
        )
        await ingest.send(again)
        await ingest.eventually(lambda: len(ingest.orders) >= len(before))
        assert {key: order.revision for key, order in ingest.orders.items()} == {
            key: order.revision for key, order in before.items()
        }
        assert ingest.orders == before
        await ingest.eventually(lambda: len(ingest.listed) >= len(listed))
        assert ingest.listed == listed


async def test_an_order_that_somebody_wants_fetched_is_fetched_whatever_comes_before(ingest: Ingest) -> None:
    """A delivery that changes nothing is no answer to who does not trust what is stored."""
    store, pool = shop("custom", orders=1, scenarios=["never_paid"]), ingest.service.runtime.pool
    async with connected(ingest, store):
        await ingest.send(task("run", "con", TaskKind.ORDERS_TO_LEDGER))
        await ingest.finished("run")
        await agrees(ingest, store)
        (key,) = ingest.orders
        store.faults.add(Fault("throttle", times=10_000, seconds=0))
        again = ResendRequested(
            tenant_id="tenant", revision=1, resend_id="r", company_id="b", order_keys=(key,), refetch=True
        )
        await ingest.send(again)
        waiting = "SELECT count(*) FROM orders WHERE due_at IS NOT NULL"
        await ingest.until(waiting, wanted=1)
        ingest.listed.clear()
        told = "SELECT count(*) FROM outbox WHERE type = 'order.listed.v1'"
        before = await pool.fetchval(told)
        answer = await ingest.post("con", list(store.life.events(1))[-1])
        assert answer.json()["orders"][0]["outcome"] == "unchanged"
        plain = again.model_copy(update={"resend_id": "plain", "refetch": False})
        for asked in (plain, connection_settings("con", 2, channel="custom", time_zone="Asia/Tokyo")):
            await pool.execute("UPDATE orders SET due_at = now() + interval '1 day' WHERE due_at IS NOT NULL")
            await ingest.send(asked)
            await ingest.until(f"{waiting} AND due_at < now() + interval '12 hours'", wanted=1)
            assert await pool.fetchval(f"{waiting} AND due_kind = 'fetch_asked'") == 1
        assert await pool.fetchval(told) == before
        store.faults.waiting.clear()
        await pool.execute("UPDATE orders SET due_at = now() WHERE due_at IS NOT NULL")
        await ingest.until(waiting, wanted=0)
        await ingest.eventually(lambda: list(ingest.listed) == [key])


async def test_missing_subscriptions_are_registered_and_the_gap_is_polled(ingest: Ingest) -> None:
    store = shop("shopify", orders=4)
    async with connected(ingest, store):
        await ingest.send(task("check", "con", TaskKind.WEBHOOK_CHECK))
        assert (await ingest.finished("check"))[-1].failed is None
        topics = {row.topic for row in store.subscriptions.values()}
        assert {"orders/create", "orders/updated", "refunds/create", "order_transactions/create"} <= topics
        await agrees(ingest, store)
        count = len(store.subscriptions)
        await ingest.send(task("again", "con", TaskKind.WEBHOOK_CHECK))
        await ingest.finished("again")
        assert len(store.subscriptions) == count


async def test_a_privacy_request_removes_people_and_keeps_amounts(ingest: Ingest) -> None:
    life = shop("shopify", orders=3, scenarios=["never_paid"]).life
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret=SECRET)
    events = list(life.events(3))
    for event in events:
        await ingest.post("con", event)
    body = orjson.dumps({"customer": {"id": 1}, "orders_to_redact": [int(events[0].order_id)]})
    answer = await ingest.http.post("/webhooks/con", content=body, headers=signed("customers/redact", body))
    assert answer.status_code == 200
    await ingest.until("SELECT count(*) FROM privacy_requests WHERE finished_at IS NOT NULL", wanted=1)
    key = f"con/{events[0].order_id}"
    await ingest.eventually(lambda: key in ingest.orders and ingest.orders[key].customer is None)
    order = ingest.orders[key]
    assert (order.customer, order.billing_address, order.revision) == (None, None, 2)
    assert order.total > 0
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM raw_parts") == 2
    params = {"tenant_id": "tenant", "external_id": events[0].order_id}
    history = (await ingest.http.get("/internal/connections/con/orders", params=params)).json()["normalisations"]
    assert [row["revision"] for row in history] == [1, 2]
    assert history[0]["total"] == history[1]["total"]


async def test_a_privacy_request_forgets_every_order_that_it_names(ingest: Ingest) -> None:
    """However many there are, also where it comes twice; one that names none forgets none."""
    life = shop("shopify", orders=3, scenarios=["never_paid"]).life
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret=SECRET)
    numbers = []
    for event in life.events(3):
        await ingest.post("con", event)
        numbers.append(int(event.order_id))
    for name, named in (("none", []), ("many", [*range(1, 1001), *numbers, *numbers])):
        body = orjson.dumps({"customer": {"id": 1}, "orders_to_redact": named})
        for _ in range(2):
            headers = signed("customers/redact", body, name)
            assert (await ingest.http.post("/webhooks/con", content=body, headers=headers)).status_code == 200
    await ingest.until("SELECT count(*) FROM privacy_requests WHERE finished_at IS NOT NULL", wanted=3)
    await ingest.eventually(lambda: all(ingest.orders[f"con/{number}"].forgotten for number in numbers))
    params = {"tenant_id": "tenant"}
    listed = (await ingest.http.get("/internal/connections/con/privacy-requests", params=params)).json()["requests"]
    assert sorted((row["delivery_id"], len(row["order_ids"]), row["removed"]["orders"]) for row in listed) == [
        ("many", 1000, 0),
        ("many#2", 3, 3),
        ("none", 0, 0),
    ]


async def test_a_forgotten_shop_loses_its_people_and_credentials_and_keeps_its_amounts(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.privacy.ORDERS_AT_ONCE", 2)
    life = shop("shopify", orders=5, scenarios=["never_paid"]).life
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret=SECRET)
    events = list(life.events(5))
    for event in events:
        await ingest.post("con", event)
    body = orjson.dumps({"shop_id": 1, "shop_domain": "harbour-pine.myshopify.com"})
    await ingest.http.post("/webhooks/con", content=body, headers=signed("shop/redact", body))
    await ingest.until("SELECT count(*) FROM privacy_requests WHERE finished_at IS NOT NULL", wanted=1)
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM raw_parts") == 0
    keys = {f"con/{event.order_id}" for event in events}
    await ingest.eventually(lambda: all(ingest.orders[key].forgotten for key in keys))
    assert all(ingest.orders[key].customer is None and ingest.orders[key].total > 0 for key in keys)
    params = {"tenant_id": "tenant"}
    connection = (await ingest.http.get("/internal/connections/con", params=params)).json()
    assert (connection["state"], connection["reason"]["code"]) == ("needs_credentials", "SHOP_FORGOTTEN")
    listed = (await ingest.http.get("/internal/connections/con/privacy-requests", params=params)).json()["requests"]
    assert [(one["kind"], one["removed"]) for one in listed] == [("shop_redact", {"raw_parts": 5, "orders": 5})]


async def test_values_under_an_old_key_are_encrypted_anew_while_the_service_runs(ingest: Ingest) -> None:
    life = shop("shopify", orders=3, scenarios=["never_paid"]).life
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret=SECRET)
    for event in life.events(3):
        await ingest.post("con", event)
    pool = ingest.service.runtime.pool
    old = decode_keys(ingest.service.settings.encryption_keys)
    rotated = Cipher({2: os.urandom(32), **old})
    done = await reseal(pool, rotated, SEALED)
    assert (done["connections.secrets"], done["raw_parts.body"], done["orders.content"]) == (1, 3, 3)
    assert not any((await reseal(pool, rotated, SEALED)).values())
    for one in SEALED:
        rows = await pool.fetch(f"SELECT {', '.join(one.key)}, {one.column} AS sealed FROM {one.table}")
        for row in rows:
            assert row["sealed"][:2] == b"\x00\x02"
            assert rotated.decrypt(row["sealed"], one.context(*(row[name] for name in one.key)))


async def test_raw_parts_go_when_their_time_is_over_and_the_order_stays(ingest: Ingest) -> None:
    life = shop("shopify", orders=2, scenarios=["never_paid"]).life
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret=SECRET)
    await ingest.send(connection_settings("con", raw_retention_days=30))
    await ingest.until("SELECT count(*) FROM connection_settings WHERE raw_retention_days = 30", wanted=1)
    old, young = life.events(2)
    for event in (old, young):
        await ingest.post("con", event)
    pool = ingest.service.runtime.pool
    await pool.execute(
        "UPDATE raw_parts SET received_at = now() - interval '31 days' WHERE order_id = $1", old.order_id
    )
    async with pool.acquire() as connection:
        assert await forget_parts(connection, 1) == 1
        assert await forget_parts(connection, 1) == 0
    assert await pool.fetchval("SELECT order_id FROM raw_parts") == young.order_id
    await ingest.send(connection_settings("con", revision=2, time_zone="Pacific/Auckland"))
    await ingest.until("SELECT count(*) FROM orders WHERE due_at IS NOT NULL", wanted=0)
    await ingest.until("SELECT time_zone FROM connection_settings", wanted="Pacific/Auckland")
    await ingest.until("SELECT count(*) FROM orders WHERE due_at IS NOT NULL", wanted=0)
    assert await pool.fetchval("SELECT count(*) FROM orders WHERE problem IS NOT NULL OR content IS NULL") == 0


async def test_a_request_for_data_is_listed_for_those_who_answer_it(ingest: Ingest) -> None:
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret=SECRET)
    body = orjson.dumps({"customer": {"id": 7}, "orders_requested": [11, 12]})
    await ingest.http.post("/webhooks/con", content=body, headers=signed("customers/data_request", body))
    params = {"tenant_id": "tenant"}
    (listed,) = (await ingest.http.get("/internal/connections/con/privacy-requests", params=params)).json()["requests"]
    assert (listed["kind"], listed["customer_id"], listed["order_ids"]) == ("data_request", "7", ["11", "12"])
    assert listed["finished_at"] is None
    other = await ingest.http.get("/internal/connections/con/privacy-requests", params={"tenant_id": "other"})
    assert other.status_code == 404


async def test_the_history_of_an_order_shows_every_arrival_and_revision(ingest: Ingest) -> None:
    life = shop("custom", orders=1, scenarios=["pending_then_paid"]).life
    await ingest.connect("con", "custom", signing_secret=SECRET)
    events = list(life.events(1))
    for event in events:
        await ingest.post("con", event)
    order_id = events[0].order_id
    params = {"tenant_id": "tenant", "external_id": order_id}
    history = (await ingest.http.get("/internal/connections/con/orders", params=params)).json()
    assert [row["revision"] for row in history["normalisations"]] == [1, 2]
    assert [row["status"] for row in history["normalisations"]] == ["pending/unfulfilled/open", "paid/unfulfilled/open"]
    assert len(history["parts"]) == len({event.event_id for event in events})
    assert history["order"]["number"] == str(life.expectation(1).orders[order_id].number)
    other = await ingest.http.get("/internal/connections/con/orders", params={**params, "tenant_id": "other"})
    assert other.status_code == 404


async def test_credentials_go_in_and_never_come_out(ingest: Ingest) -> None:
    await ingest.connect("con", "shopify", shop_domain="harbour-pine.myshopify.com", webhook_secret="top-secret-value")
    view = await ingest.http.get("/internal/connections/con", params={"tenant_id": "tenant"})
    assert view.json()["secret_names"] == ["webhook_secret"]
    assert "top-secret-value" not in view.text
    stored = await ingest.service.runtime.pool.fetchval("SELECT secrets FROM connections")
    assert b"top-secret-value" not in stored
    refused = await ingest.connect("other", "shopify", shop_domain="harbour-pine.myshopify.com")
    assert (refused.status_code, refused.json()["code"]) == (422, "INVALID_CREDENTIALS")
    misplaced = {"tenant_id": "tenant", "connection_id": "third", "channel": "custom", "name": "Shop"}
    answer = await ingest.http.post("/internal/connections", json={**misplaced, "config": {"signing_secret": "s" * 20}})
    assert (answer.status_code, answer.json()["errors"][0]["cure"]) == (422, "send it in secrets")
    assert "ssss" not in answer.text
    channels = (await ingest.http.get("/internal/channels")).json()["channels"]
    assert {channel["name"] for channel in channels} == {"shopify", "woocommerce", "custom", "stripe"}
    fields = {field["name"]: field for field in channels[0]["credentials"]}
    assert fields["webhook_secret"]["secret"]
    assert not fields["shop_domain"]["secret"]


async def test_a_run_that_a_dead_replica_left_goes_on_where_its_last_page_ended(ingest: Ingest) -> None:
    """What a killed replica leaves is a row with a lease that ran out; another one takes it and counts on."""
    store = shop("shopify", orders=10)
    async with connected(ingest, store):
        start = datetime.combine(FIRST_DAY - timedelta(days=1), datetime.min.time(), UTC)
        state = task("run", "con", window_start=start, window_end=start + timedelta(days=30))
        middle = {"start": (start + timedelta(days=1)).isoformat(), "end": (start + timedelta(days=30)).isoformat()}
        await ingest.service.runtime.pool.execute(
            "INSERT INTO runs (run_id, tenant_id, connection_id, revision, request, state, position, pages, attempts,"
            " requested_at, leased_until) VALUES ('run', 'tenant', 'con', 1, $1, 'open', $2, 7, 0, now(), now())",
            state.model_dump_json(),
            orjson.dumps(middle).decode(),
        )
        pages = await ingest.finished("run")
        assert pages[0].revision > 7
        assert pages[-1].failed is None
        await agrees(ingest, store)
