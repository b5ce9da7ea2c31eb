"""Webhooks end to end: signed bodies in, orders and lists out, on real Postgres and RabbitMQ."""

import asyncio
from datetime import date
from random import Random
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from tests.integration.ingest.conftest import SECRET, Ingest, connection_settings, events_by_order, running, signed

from common.messages.orders import Order
from ingest.main import create
from ingest.settings import IngestSettings
from sandbox.fresh import FreshVhost
from sandbox.shops.life import ShopLife
from sandbox.shops.mischief import with_unknown_currency
from sandbox.shops.signatures import Delivery, headers_of

SHOP = {"shop_domain": "harbour-pine.myshopify.com", "webhook_secret": SECRET}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("shopify", SHOP),
        ("custom", {"signing_secret": SECRET}),
    ],
)
async def test_a_shops_webhooks_become_the_orders_its_books_expect(
    ingest: Ingest, kind: str, fields: dict[str, str]
) -> None:
    life = ShopLife(3, kind, "us", date(2026, 3, 1))  # type: ignore[arg-type]
    assert (await ingest.connect("con", kind, **fields)).status_code == 201
    await ingest.send(connection_settings("con", channel=kind))
    await ingest.until("SELECT max(revision) FROM connection_settings", wanted=1)
    for event in life.events(40):
        assert (await ingest.post("con", event)).status_code in {200, 202}
    expected = life.expectation(40)
    await ingest.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", wanted=0)
    await ingest.eventually(lambda: len(ingest.orders) >= len(expected.orders))
    for order_id, wanted in expected.orders.items():
        order = ingest.orders[f"con/{order_id}"]
        assert order.total == expected.money(wanted.total), wanted.scenario
        assert sum(t.amount for t in order.tenders) == expected.money(wanted.paid), wanted.scenario
        assert sum(t.amount for r in order.refunds for t in r.transactions) == expected.money(wanted.refunded)
    assert all(listed.problem is None for listed in ingest.listed.values())


async def test_two_replicas_and_any_order_of_arrival_give_the_same_orders(two_replicas: Ingest) -> None:
    """Every event twice, shuffled, over both replicas at once: the states are those of the events in sequence."""
    ingest = two_replicas
    life = ShopLife(5, "shopify", "eu", date(2026, 3, 1))
    for name in ("one", "two"):
        made = await ingest.connect(name, "shopify", tenant=name, **(SHOP | {"shop_domain": life.host}))
        assert made.status_code == 201
    events = list(life.events(30))
    for event in events:
        await ingest.post("one", event)
    again = [*events, *events]
    Random(1).shuffle(again)
    limit = asyncio.Semaphore(16)

    async def deliver(number: int) -> None:
        async with limit:
            answer = await ingest.post("two", again[number], replica=number % 2)
            assert answer.status_code == 200

    await asyncio.gather(*(deliver(number) for number in range(len(again))))
    await ingest.until("SELECT count(*) FROM outbox WHERE published_at IS NULL", wanted=0)
    ids = set(events_by_order(events))
    await ingest.eventually(
        lambda: all(f"{name}/{order_id}" in ingest.orders for name in ("one", "two") for order_id in ids)
    )
    await asyncio.sleep(0.2)
    for order_id in ids:
        first, second = ingest.orders[f"one/{order_id}"], ingest.orders[f"two/{order_id}"]
        assert _content(first) == _content(second)


def _content(order: Order) -> dict[str, object]:
    # An identity that was concluded before the real payment arrived depends on what arrived first; money does not.
    document = order.model_dump(mode="json", exclude={"revision", "tenant_id", "connection_id", "tenders", "refunds"})
    document["paid"] = [(str(t.amount), t.method, t.kind.value) for t in order.tenders]
    document["refunds"] = [refund.model_dump(mode="json", exclude={"transactions"}) for refund in order.refunds]
    return document


async def test_the_same_delivery_twice_changes_nothing(ingest: Ingest) -> None:
    life = ShopLife(3, "shopify", "us", date(2026, 3, 1), scenarios=["never_paid"])
    await ingest.connect("con", "shopify", **SHOP)
    event = next(iter(life.events(1)))
    for _ in range(3):
        assert (await ingest.post("con", event)).status_code == 200
    assert await ingest.service.runtime.pool.fetchval("SELECT revision FROM orders") == 1
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM deliveries") == 1


async def test_forged_unknown_and_oversized_deliveries_are_refused_with_problems(ingest: Ingest) -> None:
    event = next(iter(ShopLife(3, "shopify", "us", date(2026, 3, 1)).events(1)))
    await ingest.connect("con", "shopify", **SHOP)
    forged = await ingest.post("con", event, secret="another")
    assert (forged.status_code, forged.json()["code"]) == (401, "SIGNATURE_INVALID")
    assert forged.headers["content-type"] == "application/problem+json"
    unknown = await ingest.post("nobody", event)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "NOT_FOUND")
    large = await ingest.http.post("/webhooks/con", content=b"x" * (2 * 1024 * 1024 + 1))
    assert (large.status_code, large.json()["code"]) == (413, "TOO_LARGE")
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM raw_parts") == 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("lindenhof-waren.myshopify.com", 403),
        ("harbour-pine.myshopify.com.evil.example", 403),
        ("https://Harbour-Pine.myshopify.com/", 200),
        ("harbour-pine.myshopify.com", 200),
        (None, 200),
    ],
)
async def test_a_webhook_of_another_shop_of_the_same_app_is_refused_and_leaves_nothing(
    ingest: Ingest, sent: str | None, status: int
) -> None:
    await ingest.connect("con", "shopify", **SHOP)
    event = next(iter(ShopLife(3, "shopify", "us", date(2026, 3, 1)).events(1)))
    headers = headers_of(Delivery.of(event), event.raw(), SECRET)
    del headers["X-Shopify-Shop-Domain"]
    if sent is not None:
        headers["X-Shopify-Shop-Domain"] = sent
    answer = await ingest.http.post("/webhooks/con", content=event.raw(), headers=headers)
    assert answer.status_code == status
    if status == 403:
        problem = answer.json()
        assert problem["code"] == "WRONG_SHOP"
        assert f"'{sent}'" in problem["detail"]
        assert f"'{SHOP['shop_domain']}'" in problem["detail"]
        assert "webhook_path" in problem["cure"]
    kept = await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM deliveries")
    assert kept == (0 if status == 403 else 1)


async def test_a_privacy_request_at_another_shops_address_reaches_the_shop_it_names_alone(ingest: Ingest) -> None:
    """An app has one address for the requests of all its shops: the connection at that address is not concerned."""
    other = "Lindenhof-Waren.myshopify.com"
    await ingest.connect("con", "shopify", **SHOP)
    await ingest.connect("named", "shopify", tenant="other", shop_domain=other, webhook_secret=SECRET)
    await ingest.connect("foreign", "shopify", tenant="third", shop_domain=other, webhook_secret="another-app" * 4)
    body = b'{"orders_to_redact": [7], "customer": {"id": 9}}'
    answers = {}
    for shop in (other.lower(), "nobody.myshopify.com"):
        headers = {**signed("customers/redact", body, f"for-{shop}"), "x-shopify-shop-domain": shop}
        answer = await ingest.http.post("/webhooks/con", content=body, headers=headers)
        answers[shop] = (answer.status_code, answer.content)
    assert set(answers.values()) == {(200, b"")}
    held = await ingest.service.runtime.pool.fetch("SELECT connection_id, tenant_id, kind FROM privacy_requests")
    assert [tuple(row) for row in held] == [("named", "other", "customer_redact")]


async def test_a_privacy_request_reaches_every_connection_of_its_shop_or_is_asked_for_again(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are. One that can't be opened has it when its sender repeats it; one that was forgotten needs
    it no more."""
    monkeypatch.setattr("ingest.store.connections.OF_SHOP_AT_ONCE", 1)
    pool, other = ingest.service.runtime.pool, "lindenhof-waren.myshopify.com"
    await ingest.connect("con", "shopify", **SHOP)
    for name in ("closed", "one", "two"):
        made = await ingest.connect(name, "shopify", tenant=name, shop_domain=other, webhook_secret=SECRET)
        assert made.status_code == 201
    sound = await pool.fetchval("SELECT config FROM connections WHERE connection_id = 'closed'")
    change = "UPDATE connections SET config = $1::jsonb WHERE connection_id = 'closed'"
    await pool.execute(change, orjson.dumps({"shop_domain": other, "of_another_release": "x"}).decode())
    body = orjson.dumps({"orders_to_redact": [7], "shop_domain": other})
    headers = {**signed("customers/redact", body), "x-shopify-shop-domain": other}
    answer = await ingest.http.post("/webhooks/con", content=body, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    held = "SELECT array_agg(connection_id ORDER BY connection_id) FROM privacy_requests WHERE kind = 'customer_redact'"
    assert await pool.fetchval(held) == ["one", "two"]
    await pool.execute(change, sound)
    assert (await ingest.http.post("/webhooks/con", content=body, headers=headers)).status_code == 200
    assert await pool.fetchval(held) == ["closed", "one", "two"]
    gone = orjson.dumps({"shop_domain": other})
    headers = {**signed("shop/redact", gone, "gone"), "x-shopify-shop-domain": other}
    assert (await ingest.http.post("/webhooks/con", content=gone, headers=headers)).status_code == 200
    await ingest.until("SELECT count(*) FROM connections WHERE reason->>'code' = 'SHOP_FORGOTTEN'", wanted=3)
    await asyncio.sleep(ingest.service.settings.connection_cache_s)
    assert (await ingest.http.post("/webhooks/con", content=gone, headers=headers)).status_code == 200


def privacy_for_nobody(kind: str) -> float:
    return REGISTRY.get_sample_value("tillbook_ingest_privacy_requests_for_nobody_total", {"kind": kind}) or 0.0


@pytest.mark.parametrize("address", ["con", "named"])
async def test_a_privacy_request_under_the_name_of_another_shop_than_its_body_says_does_nothing(
    ingest: Ingest, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All shops of an app are signed for with one secret, and only the body is signed."""
    other = "lindenhof-waren.myshopify.com"
    await ingest.connect("con", "shopify", **SHOP)
    await ingest.connect("named", "shopify", tenant="other", shop_domain=other, webhook_secret=SECRET)
    body = orjson.dumps({"shop_id": 1, "shop_domain": SHOP["shop_domain"]})
    headers = {**signed("shop/redact", body), "x-shopify-shop-domain": other}
    before = privacy_for_nobody("shop_redact")
    answer = await ingest.http.post(f"/webhooks/{address}", content=body, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM privacy_requests") == 0
    (told,) = (line for line in caplog.text.splitlines() if "privacy_request_for_nobody" in line)
    assert "'channel': 'shopify', 'kind': 'shop_redact', 'delivery_id': 'delivery-1'" in told
    assert privacy_for_nobody("shop_redact") == before + 1
    assert not any(named in told for named in ("connection_id", other, SHOP["shop_domain"]))


async def test_what_cannot_be_normalised_is_kept_and_listed_with_its_reason(ingest: Ingest) -> None:
    life = ShopLife(3, "shopify", "us", date(2026, 3, 1), scenarios=["never_paid"])
    await ingest.connect("con", "shopify", **SHOP)
    event = with_unknown_currency(next(iter(life.events(1))))
    assert (await ingest.post("con", event)).status_code == 200
    raw = b'{"hello": "there"}'
    headers = headers_of(Delivery.of(event), raw, SECRET)
    assert (
        await ingest.http.post("/webhooks/con", content=raw, headers=headers | {"X-Shopify-Webhook-Id": "2"})
    ).status_code == 200
    await ingest.eventually(lambda: len(ingest.listed) >= 2)
    problems = {listed.problem.code for listed in ingest.listed.values() if listed.problem}
    assert problems == {"UNKNOWN_CURRENCY", "UNREADABLE_ORDER"}
    currency = ingest.listed[f"con/{event.order_id}"].problem
    assert currency is not None
    assert (currency.field, currency.cure != "") == ("currency", True)
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM raw_parts") == 2
    assert ingest.orders == {}


async def test_a_lost_broker_does_not_matter_and_what_waits_is_published_later(
    ingest_settings: IngestSettings,
) -> None:
    """The broker's address answers nothing; webhooks are taken and their states wait in the outbox."""
    settings = ingest_settings.model_copy(update={"broker_url": SecretStr("amqp://g:g@127.0.0.1:1/x")})
    receiver, app = create(settings)
    life = ShopLife(3, "custom", "us", date(2026, 3, 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(receiver), base_url="http://ingest") as client,
    ):
        service = app.state.service
        await service.runtime.pool.execute(
            "INSERT INTO connections (connection_id, tenant_id, channel, name, state, config, secrets)"
            " VALUES ('con', 'tenant', 'custom', 'x', 'active', '{}', $1)",
            service.cipher.encrypt(orjson.dumps({"signing_secret": SECRET}), "connections/tenant/con"),
        )
        for event in life.events(5):
            raw = event.raw()
            answer = await client.post(
                "/webhooks/con", content=raw, headers=headers_of(Delivery.of(event), raw, SECRET)
            )
            assert answer.status_code == 202
        waiting = await service.runtime.pool.fetchval(
            "SELECT count(*) FROM outbox WHERE published_at IS NULL AND type = 'order.normalized.v1'"
        )
        assert waiting == 5


async def test_a_lost_database_answers_503_with_retry_after(
    ingest_settings: IngestSettings, rabbitmq_vhost: FreshVhost
) -> None:
    """Postgres goes away for a moment: nothing is accepted that isn't stored, and everything is again afterwards."""
    await rabbitmq_vhost.declare()
    event = next(iter(ShopLife(3, "shopify", "us", date(2026, 3, 1)).events(1)))
    async with Cable(ingest_settings.database_url.get_secret_value()) as cable:
        settings = ingest_settings.model_copy(update={"database_url": SecretStr(cable.url)})
        async with running(settings, 1, rabbitmq_vhost.url) as ingest:
            await ingest.connect("con", "shopify", **SHOP)
            assert (await ingest.post("con", event)).status_code == 200
            await cable.cut()
            lost = await ingest.post("con", event)
            assert (lost.status_code, lost.json()["code"]) == (503, "UNAVAILABLE")
            assert lost.headers["retry-after"] == "5"
            await cable.plug_in()
            async with asyncio.timeout(20):
                while (await ingest.post("con", event)).status_code != 200:
                    await asyncio.sleep(0.1)


class Cable:
    """A connection to a server that can be cut and plugged in again."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        login = self._target.netloc.rpartition("@")[0]
        return self._target._replace(netloc=f"{login}@127.0.0.1:{self._port}").geturl()

    async def plug_in(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def __aenter__(self) -> "Cable":
        await self.plug_in()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._open |= {writer, far_writer}
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            pump = asyncio.create_task(self._pump(source, sink))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            return
        finally:
            self._open.discard(sink)
            sink.close()


async def test_a_push_says_what_is_wrong_and_refuses_a_conflicting_replay(ingest: Ingest) -> None:
    await ingest.connect("con", "custom", signing_secret=SECRET)
    life = ShopLife(3, "custom", "us", date(2026, 3, 1), scenarios=["plain_paid"])
    events = list(life.events(2))
    first = await ingest.post("con", events[0])
    assert first.status_code == 202
    assert first.json()["orders"][0]["outcome"] == "stored"
    replayed = await ingest.post("con", events[0])
    assert (replayed.status_code, replayed.json()["replayed"]) == (202, True)
    raw = events[1].raw()
    headers = headers_of(Delivery(events[1], events[0].event_id), raw, SECRET)
    conflict = await ingest.http.post("/webhooks/con", content=raw, headers=headers)
    assert (conflict.status_code, conflict.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert [error["field"] for error in conflict.json()["errors"]] == ["header.x-idempotency-key"]
    wrong = orjson.loads(raw)
    wrong["lines"][0]["unit_price"] = 19.99
    raw = orjson.dumps(wrong)
    refused = await ingest.http.post(
        "/webhooks/con", content=raw, headers=headers_of(Delivery(events[1], "x"), raw, SECRET)
    )
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "lines[0].unit_price"


async def test_an_older_update_never_overwrites_a_newer_one(ingest: Ingest) -> None:
    life = ShopLife(3, "custom", "us", date(2026, 3, 1), scenarios=["pending_then_paid"])
    await ingest.connect("con", "custom", signing_secret=SECRET)
    events = list(life.events(1))
    newest, oldest = events[-1], events[0]
    assert (await ingest.post("con", newest)).status_code == 202
    assert (await ingest.post("con", oldest)).status_code == 202
    row = await ingest.service.runtime.pool.fetchrow("SELECT revision, status FROM orders")
    assert row is not None
    assert dict(row) == {"revision": 1, "status": "paid/unfulfilled/open"}
    assert await ingest.service.runtime.pool.fetchval("SELECT count(*) FROM deliveries WHERE ignored") == 1


async def test_a_concluded_payment_is_published_once_and_gains_its_reference_later(ingest: Ingest) -> None:
    """Webhooks only: the paid order first, the real transaction afterwards; one tender under one identity."""
    life = ShopLife(7, "shopify", "us", date(2026, 3, 1), scenarios=["plain_paid"])
    await ingest.connect("con", "shopify", **SHOP)
    snapshot = next(snapshot for snapshot in life.snapshots(5) if len(snapshot.events) >= 3)
    created = next(event for event in snapshot.events if event.topic == "orders/create")
    moved = next(event for event in snapshot.events if event.topic == "order_transactions/create")
    key = f"con/{snapshot.order_id}"
    await ingest.post("con", created)
    await ingest.eventually(lambda: key in ingest.orders)
    (first,) = ingest.orders[key].tenders
    await ingest.post("con", moved)
    await ingest.eventually(lambda: ingest.orders[key].revision == 2)
    (second,) = ingest.orders[key].tenders
    assert (first.external_id, first.reference) == (f"derived:{snapshot.order_id}:1", "")
    assert (second.external_id, second.amount, second.method) == (first.external_id, first.amount, first.method)
    assert second.reference
