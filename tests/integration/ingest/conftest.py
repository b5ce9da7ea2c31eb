"""Ingest as it runs: real database, real broker, a sample shop on loopback; tests speak HTTP and messages to it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from common.broker import Broker, Outgoing
from common.messages.base import State
from common.messages.control import ConnectionSettings, SettingsChanged, TaskKind, TaskRequested
from common.messages.fetching import OrderListed, TaskProgress
from common.messages.orders import Order
from common.packs import Envelope, decode, encode_member, join_members
from common.topology import EXCHANGE, routing_key
from ingest.main import create
from ingest.service import Service
from ingest.settings import IngestSettings
from sandbox.fresh import FreshDatabase, FreshVhost
from sandbox.shops.app import make_app
from sandbox.shops.life import Event
from sandbox.shops.signatures import Delivery, headers_of, mac_base64
from sandbox.shops.store import ShopStore

KEY = "internal-key-of-the-test"
SECRET = "shared-secret-of-the-shop"


@dataclass
class Ingest:
    """Replicas of the service, and what they published."""

    apps: list[FastAPI]
    clients: list[httpx.AsyncClient]
    broker: Broker
    orders: dict[str, Order] = field(default_factory=dict)
    listed: dict[str, OrderListed] = field(default_factory=dict)
    progress: dict[str, list[TaskProgress]] = field(default_factory=dict)
    seen: list[State] = field(default_factory=list)

    @property
    def service(self) -> Service:
        service: Service = self.apps[0].state.service
        return service

    @property
    def http(self) -> httpx.AsyncClient:
        return self.clients[0]

    async def connect(self, connection_id: str, channel: str, tenant: str = "tenant", **fields: str) -> httpx.Response:
        """Create a connection as api does; fields with secret names are secrets."""
        secret = {
            "webhook_secret",
            "access_token",
            "consumer_key",
            "consumer_secret",
            "signing_secret",
            "token",
            "password",
        }
        return await self.http.post(
            "/internal/connections",
            json={
                "tenant_id": tenant,
                "connection_id": connection_id,
                "channel": channel,
                "name": f"Shop {connection_id}",
                "config": {name: value for name, value in fields.items() if name not in secret},
                "secrets": {name: value for name, value in fields.items() if name in secret},
            },
        )

    async def post(self, connection_id: str, event: Event, *, secret: str = SECRET, replica: int = 0) -> httpx.Response:
        """Deliver one event as the channel signs it."""
        raw = event.raw()
        headers = headers_of(Delivery.of(event), raw, secret)
        return await self.clients[replica].post(f"/webhooks/{connection_id}", content=raw, headers=headers)

    async def send(self, *states: State) -> None:
        """Publish states of one type as one pack."""
        contract = type(states[0])
        members = [encode_member(state.model_dump_json().encode(), "cor-1", None) for state in states]
        await self.broker.publish([Outgoing(EXCHANGE, routing_key(contract), contract.type, join_members(members))])

    async def until(self, query: str, *arguments: Any, wanted: Any, timeout_s: float = 20) -> None:
        """Wait until a query answers one value."""
        found: Any = None
        try:
            async with asyncio.timeout(timeout_s):
                while (found := await self.service.runtime.pool.fetchval(query, *arguments)) != wanted:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{query} {arguments} stayed at {found!r}, wanted {wanted!r}")

    async def eventually(self, condition: Callable[[], bool], timeout_s: float = 15) -> None:
        """Wait until what was published makes something true."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.02)
        assert condition()

    async def finished(self, run_id: str, timeout_s: float = 30) -> list[TaskProgress]:
        """Wait for the last page of a run's progress; returns all pages in order."""
        await self.eventually(lambda: any(page.finished for page in self.progress.get(run_id, ())), timeout_s)
        return sorted(self.progress[run_id], key=lambda page: page.revision)

    async def collect(self) -> None:
        """Read what reaches mapper and api, as they do: the newest revision stays."""
        await asyncio.gather(
            self._collect("mapper.order-normalized", Order),
            self._collect("mapper.order-normalized.backfill", Order),
            self._collect("api.order-listed", OrderListed),
            self._collect("api.task-progressed", TaskProgress),
        )

    async def _collect(self, queue: str, contract: type[State]) -> None:
        async with self.broker.consume(queue, 100) as subscription:
            while True:
                delivery = await subscription.get()
                for item in decode(contract, delivery.body):
                    assert isinstance(item, Envelope)
                    self._note(item.state)
                await subscription.acknowledge([delivery])

    def _note(self, state: State) -> None:
        self.seen.append(state)
        match state:
            case Order():
                if state.key not in self.orders or self.orders[state.key].revision < state.revision:
                    self.orders[state.key] = state
            case OrderListed():
                if state.key not in self.listed or self.listed[state.key].revision < state.revision:
                    self.listed[state.key] = state
            case TaskProgress():
                self.progress.setdefault(state.run_id, []).append(state)
            case _:
                pytest.fail(f"unexpected {state}")


@pytest.fixture
def ingest_settings(postgres_database: FreshDatabase, rabbitmq_vhost: FreshVhost) -> IngestSettings:
    return IngestSettings(
        database_url=SecretStr(postgres_database.url_for("ingest")),
        broker_url=SecretStr(rabbitmq_vhost.url),
        encryption_keys=SecretStr("1:" + "A" * 43 + "="),
        internal_key=SecretStr(KEY),
        internal_callers={"api": SecretStr(KEY)},
        connection_cache_s=0.2,
        refetch_delay_s=0.3,
        poll_interval_s=0.1,
        linger_ms=2,
        public_url="http://127.0.0.1:1",
        allow_private_addresses=True,
    )


@asynccontextmanager
async def running(settings: IngestSettings, replicas: int, broker_url: str) -> AsyncIterator[Ingest]:
    """So many replicas of the service over one database."""
    async with AsyncExitStack() as stack:
        apps, clients = [], []
        for _ in range(replicas):
            receiver, app = create(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(receiver),
                base_url="http://ingest",
                headers={"x-tillbook-caller": "api", "authorization": f"Bearer {KEY}"},
            )
            clients.append(await stack.enter_async_context(client))
            apps.append(app)
        broker = Broker(SecretStr(broker_url), name="test")
        stack.push_async_callback(broker.close)
        service = Ingest(apps, clients, broker)
        collecting = asyncio.create_task(service.collect())
        try:
            yield service
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)


@pytest.fixture
async def ingest(ingest_settings: IngestSettings, rabbitmq_vhost: FreshVhost) -> AsyncIterator[Ingest]:
    """One replica."""
    await rabbitmq_vhost.declare()
    async with running(ingest_settings, 1, rabbitmq_vhost.url) as service:
        yield service


@pytest.fixture
async def two_replicas(ingest_settings: IngestSettings, rabbitmq_vhost: FreshVhost) -> AsyncIterator[Ingest]:
    """Two replicas over one database."""
    await rabbitmq_vhost.declare()
    async with running(ingest_settings, 2, rabbitmq_vhost.url) as service:
        yield service


@asynccontextmanager
async def served(*stores: ShopStore) -> AsyncIterator[str]:
    """Sample shops on a loopback port of their own; gives the address without the shop's name."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(make_app(stores), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


def connection_settings(connection_id: str, revision: int = 1, **changes: Any) -> SettingsChanged:
    values: dict[str, Any] = {
        "connection_id": connection_id,
        "channel": "shopify",
        "name": "Shop",
        "company_id": "books",
        "start_date": date(2026, 3, 1),
        "time_zone": "America/New_York",
    }
    return SettingsChanged(
        tenant_id="tenant",
        revision=revision,
        scope="connection",
        scope_id=connection_id,
        connection=ConnectionSettings(**(values | changes)),
    )


def task(
    run_id: str, connection_id: str, kind: TaskKind = TaskKind.MANUAL, revision: int = 1, **fields: Any
) -> TaskRequested:
    return TaskRequested(
        tenant_id="tenant",
        revision=revision,
        run_id=run_id,
        kind=kind,
        connection_id=connection_id,
        requested_at=datetime.now(UTC),
        **fields,
    )


def events_by_order(events: Sequence[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.order_id, []).append(event)
    return found


def signed(topic: str, body: bytes, delivery_id: str = "delivery-1") -> dict[str, str]:
    """Headers of a Shopify delivery with this raw body."""
    return {
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": delivery_id,
        "x-shopify-hmac-sha256": mac_base64(body, SECRET),
    }
