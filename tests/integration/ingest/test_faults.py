"""A connector with a bug: what its channel sent is kept and listed, delays nobody, and is read once the bug is gone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.integration.ingest.conftest import SECRET, Ingest, connection_settings, signed, task
from tests.integration.ingest.test_runs import agrees, connected, shop

from common.messages.control import ResendRequested, StateRequested, TaskKind
from common.messages.fetching import FetchOutcome, OrderListed
from common.messages.orders import Order
from ingest.channel import Account, Channel, Delivery
from ingest.channels import BY_NAME
from ingest.parts import Parts
from sandbox.shops.life import ShopLife
from sandbox.shops.signatures import Delivery as Sent
from sandbox.shops.signatures import headers_of

SHOP = {"shop_domain": "harbour-pine.myshopify.com", "webhook_secret": SECRET}
FAULTY = (
    "SELECT count(*) FROM orders WHERE problem->>'code' = 'PRODUCT_FAULT' AND due_kind = 'fault' AND due_at > now()"
)
WHEN_DUE = "UPDATE orders SET due_at = now() WHERE due_at IS NOT NULL"


@dataclass
class Connector:
    """A connector of a release that stumbles over some orders. None: over all of them."""

    channel: Channel
    broken: set[str] | None
    opens: bool = True

    def parse(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        if not self.opens:
            raise KeyError(body)
        return self.channel.parse(headers, body)

    def normalize(self, parts: Parts, account: Account) -> Order:
        if self.broken is None or parts.order_id in self.broken:
            raise KeyError(parts)
        return self.channel.normalize(parts, account)


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> Connector:
    """The release's Shopify connector; it starts sound."""
    return built_in(monkeypatch, "shopify")


def built_in(monkeypatch: pytest.MonkeyPatch, name: str) -> Connector:
    built = Connector(BY_NAME[name], set())
    monkeypatch.setitem(BY_NAME, name, replace(built.channel, normalize=built.normalize, parse=built.parse))
    return built


async def test_a_webhook_that_a_bug_keeps_from_being_read_is_kept_listed_and_read_once_the_bug_is_gone(
    ingest: Ingest, connector: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    pool = ingest.service.runtime.pool
    await ingest.connect("con", "shopify", **SHOP)
    events = list(ShopLife(3, "shopify", "us", date(2026, 3, 1), scenarios=["never_paid"]).events(2))
    broken, sound = (f"con/{event.order_id}" for event in events)
    connector.broken = {events[0].order_id}
    for event in events:
        assert (await ingest.post("con", event)).status_code == 200
    await ingest.eventually(lambda: sound in ingest.orders and broken in ingest.listed)
    problem, number = ingest.listed[broken].problem, ingest.listed[broken].number
    assert problem is not None
    assert (problem.code, bool(number), broken in ingest.orders) == ("PRODUCT_FAULT", True, False)
    assert await pool.fetchval("SELECT count(*) FROM raw_parts") == 2
    assert await pool.fetchval(FAULTY) == 1
    assert "test_faults.py" in caplog.text
    assert "total_price" not in caplog.text

    await pool.execute(WHEN_DUE)
    await ingest.until("SELECT due_attempts FROM orders WHERE due_kind = 'fault' AND due_at > now()", wanted=1)
    assert await pool.fetchval("SELECT max(revision) FROM orders") == 1

    connector.broken = set()
    await pool.execute(WHEN_DUE)
    await ingest.eventually(lambda: broken in ingest.orders and ingest.listed[broken].problem is None)
    assert await pool.fetchval("SELECT count(*) FROM orders WHERE due_at IS NOT NULL OR due_attempts > 0") == 0


async def test_a_webhook_that_a_bug_keeps_from_being_opened_becomes_its_order_once_the_bug_is_gone(
    ingest: Ingest, connector: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    pool = ingest.service.runtime.pool
    await ingest.connect("con", "shopify", **SHOP)
    (event,) = ShopLife(3, "shopify", "us", date(2026, 3, 1), scenarios=["never_paid"]).events(1)
    connector.opens = False
    for _ in range(2):
        assert (await ingest.post("con", event)).status_code == 200
    await ingest.eventually(lambda: len(ingest.listed) == 1)
    ((kept, listed),) = ingest.listed.items()
    assert (kept.startswith("con/unopened-"), listed.problem and listed.problem.code) == (True, "PRODUCT_FAULT")
    assert await pool.fetchval("SELECT array_agg(size) FROM raw_parts") == [len(event.raw())]
    assert await pool.fetchval(FAULTY) == 1
    assert "test_faults.py" in caplog.text
    assert "total_price" not in caplog.text

    await pool.execute(WHEN_DUE)
    await ingest.until("SELECT due_attempts FROM orders WHERE due_kind = 'fault' AND due_at > now()", wanted=1)
    assert await pool.fetchval("SELECT count(*) FROM orders") == 1

    connector.opens = True
    await pool.execute(WHEN_DUE)
    order = f"con/{event.order_id}"
    await ingest.eventually(lambda: order in ingest.orders and ingest.listed[kept].revision == 2)
    assert ingest.listed[order].problem is None
    became = ingest.listed[kept].problem
    assert became is not None
    assert (became.code, event.order_id in became.text) == ("DELIVERY_OPENED", True)
    assert await pool.fetchval("SELECT count(*) FROM orders WHERE due_at IS NOT NULL") == 0
    # What was in it is kept once: under its order, where requests to forget somebody find it.
    assert await pool.fetchval("SELECT count(*) FROM raw_parts WHERE size >= $1", len(event.raw())) == 1
    assert (await ingest.post("con", event)).status_code == 200
    assert await pool.fetchval("SELECT max(revision) FROM orders WHERE external_id = $1", event.order_id) == 1


@pytest.mark.parametrize(
    ("topic", "body", "query", "wanted"),
    [
        ("app/uninstalled", b'{"id": 1}', "SELECT state FROM connections", "needs_credentials"),
        ("customers/redact", b'{"orders_to_redact": [7]}', "SELECT kind FROM privacy_requests", "customer_redact"),
        (
            "orders/create",
            b'{"hello": "there"}',
            "SELECT problem->>'code' FROM orders WHERE external_id LIKE 'unreadable-%'",
            "UNREADABLE_ORDER",
        ),
    ],
)
async def test_a_kept_delivery_that_is_of_no_order_has_its_effect_once_the_bug_is_gone(
    ingest: Ingest, connector: Connector, topic: str, body: bytes, query: str, wanted: str
) -> None:
    pool = ingest.service.runtime.pool
    await ingest.connect("con", "shopify", **SHOP)
    connector.opens = False
    answer = await ingest.http.post("/webhooks/con", content=body, headers=signed(topic, body))
    assert answer.status_code == 200
    assert await pool.fetchval(query) != wanted
    connector.opens = True
    await pool.execute(WHEN_DUE)
    await ingest.until(query, wanted=wanted)
    await ingest.until("SELECT count(*) FROM orders WHERE problem->>'code' = 'DELIVERY_OPENED'", wanted=1)


async def test_a_push_that_a_bug_keeps_from_being_opened_is_its_senders_to_repeat(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    custom = built_in(monkeypatch, "custom")
    await ingest.connect("con", "custom", signing_secret=SECRET)
    event = next(iter(ShopLife(3, "custom", "us", date(2026, 3, 1)).events(1)))
    raw, headers = event.raw(), headers_of(Sent.of(event), event.raw(), SECRET)
    custom.opens = False
    refused = await ingest.http.post("/webhooks/con", content=raw, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (500, "INTERNAL_ERROR")
    assert "send it again" in refused.json()["cure"]
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM deliveries") == 0
    assert "external_id" not in caplog.text
    custom.opens = True
    assert (await ingest.http.post("/webhooks/con", content=raw, headers=headers)).status_code == 202


async def test_a_run_goes_past_orders_that_a_bug_keeps_from_being_read(ingest: Ingest, connector: Connector) -> None:
    store = shop("shopify", orders=8)
    orders = sorted(store.life.expectation(store.life_orders).orders)
    connector.broken = set(orders[:3])
    pool = ingest.service.runtime.pool
    async with connected(ingest, store):
        await ingest.send(task("run", "con", TaskKind.ORDERS_TO_LEDGER))
        pages = await ingest.finished("run")
        assert pages[-1].failed is None
        items = {item.external_id: item for page in pages for item in page.items}
        assert set(items) == set(orders)
        refused = {key for key, item in items.items() if item.outcome is FetchOutcome.REFUSED}
        assert refused == connector.broken
        assert {item.reason.code for item in items.values() if item.reason is not None} == {"PRODUCT_FAULT"}
        assert await pool.fetchval("SELECT count(*) FROM watermarks") == 1
        assert await pool.fetchval(FAULTY) == 3
        connector.broken = set()
        await pool.execute(WHEN_DUE)
        await agrees(ingest, store)


async def test_a_refetch_and_other_orders_that_are_due_go_past_those_that_a_bug_keeps_from_being_read(
    ingest: Ingest, connector: Connector
) -> None:
    store = shop("shopify", orders=6)
    pool = ingest.service.runtime.pool
    async with connected(ingest, store):
        await ingest.send(task("run", "con", TaskKind.ORDERS_TO_LEDGER))
        await ingest.finished("run")
        await agrees(ingest, store)
        keys = tuple(sorted(ingest.orders))
        connector.broken = {keys[0].partition("/")[2]}
        ingest.listed.clear()
        for refetch in (True, False):
            await ingest.send(
                ResendRequested(
                    tenant_id="tenant", revision=1, resend_id=f"again-{refetch}", company_id="books",
                    order_keys=keys, refetch=refetch,
                )
            )  # fmt: skip
            await ingest.until(FAULTY, wanted=1)
            await ingest.until("SELECT count(*) FROM orders WHERE due_at IS NOT NULL", wanted=1)
            # Who asked hears of the one that is refused as well: also if it was so before.
            await ingest.eventually(lambda: sorted(ingest.listed) == sorted(keys))
            assert [key for key, one in ingest.listed.items() if one.problem is not None] == [keys[0]]
            ingest.listed.clear()
        assert await pool.fetchval("SELECT content IS NOT NULL FROM orders WHERE due_at IS NOT NULL")
        connector.broken = set()
        await pool.execute(WHEN_DUE)
        await ingest.until("SELECT count(*) FROM orders WHERE problem IS NOT NULL", wanted=0)


async def test_a_rebuild_leaves_out_what_cant_be_opened_and_the_next_one_has_its_turn(ingest: Ingest) -> None:
    pool = ingest.service.runtime.pool
    await ingest.connect("con", "shopify", **SHOP)
    for event in ShopLife(3, "shopify", "us", date(2026, 3, 1), scenarios=["never_paid"]).events(3):
        assert (await ingest.post("con", event)).status_code == 200
    await ingest.eventually(lambda: len(ingest.orders) == 3)
    first, *others = sorted(ingest.orders)
    await pool.execute("UPDATE orders SET content = 'spoilt' WHERE external_id = $1", first.partition("/")[2])
    ingest.orders.clear()
    for entity in (Order.type, OrderListed.type):
        await ingest.send(StateRequested(tenant_id="tenant", revision=1, request_id=entity, entity=entity))
    await ingest.until("SELECT count(*) FROM rebuilds WHERE finished", wanted=2)
    await ingest.eventually(lambda: sorted(ingest.orders) == others)


async def test_a_stored_part_that_cant_be_opened_delays_its_own_order_only(ingest: Ingest) -> None:
    """As a key that got lost would leave it."""
    pool = ingest.service.runtime.pool
    await ingest.connect("con", "shopify", **SHOP)
    await ingest.send(connection_settings("con"))
    await ingest.until("SELECT max(revision) FROM connection_settings", wanted=1)
    for event in ShopLife(3, "shopify", "us", date(2026, 3, 1), scenarios=["never_paid"]).events(3):
        assert (await ingest.post("con", event)).status_code == 200
    spoilt = await pool.fetchval("SELECT min(order_id) FROM raw_parts")
    await pool.execute("UPDATE raw_parts SET body = 'spoilt' WHERE order_id = $1", spoilt)
    await ingest.send(connection_settings("con", revision=2, time_zone="Pacific/Kiritimati"))
    await ingest.until("SELECT max(revision) FROM connection_settings", wanted=2)
    await ingest.until("SELECT count(*) FROM orders WHERE due_at IS NOT NULL", wanted=1)
    left = await pool.fetchrow("SELECT external_id, due_at FROM orders WHERE due_at IS NOT NULL")
    assert left is not None
    assert left["external_id"] == spoilt
    assert left["due_at"] > datetime.now(UTC) + timedelta(seconds=10)
