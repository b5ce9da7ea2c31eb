"""The mapper as it runs: real database, real broker, HTTP without a socket; tests speak to it in messages."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from tests.unit.mapper import samples

from common.broker import Broker, Outgoing
from common.messages.base import State
from common.messages.control import CompanySettings, ConnectionSettings, SettingsChanged
from common.messages.documents import CompanyChanged, CompanyStatus
from common.messages.transactions import TransactionSet
from common.packs import Envelope, decode, encode_member, join_members
from common.runtime import Runtime
from common.topology import EXCHANGE, routing_key
from mapper.main import create
from mapper.settings import MapperSettings
from sandbox.fresh import FreshDatabase, FreshVhost

S = TypeVar("S", bound=State)
KEY = "internal-key-of-the-test"
_WAITING = """
SELECT EXISTS (SELECT FROM orders WHERE dirty_since IS NOT NULL)
    OR EXISTS (SELECT FROM payouts WHERE dirty_since IS NOT NULL)
    OR EXISTS (SELECT FROM summaries WHERE dirty_since IS NOT NULL)
"""


@dataclass
class Service:
    """Replicas of the mapper, and what they published so far."""

    settings: MapperSettings
    broker: Broker
    apps: list[FastAPI]
    sets: dict[str, TransactionSet] = field(default_factory=dict)
    versions: list[TransactionSet] = field(default_factory=list)

    @property
    def runtime(self) -> Runtime:
        runtime: Runtime = self.apps[0].state.runtime
        return runtime

    def http(self) -> httpx.AsyncClient:
        """A client as api is one."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.apps[0]),
            base_url="http://mapper",
            headers={"x-tillbook-caller": "api", "authorization": f"Bearer {KEY}"},
        )

    async def send(self, *states: State, backfill: bool = False) -> None:
        """Publish states of one type as one pack."""
        contract = type(states[0])
        members = [encode_member(state.model_dump_json().encode(), "cor-1", None) for state in states]
        key = routing_key(contract, backfill=backfill)
        await self.broker.publish([Outgoing(EXCHANGE, key, contract.type, join_members(members))])

    async def configure(
        self, connection: ConnectionSettings, *, revision: int = 1, company: CompanySettings | None = None
    ) -> None:
        """Settings of a connection and its company file, and the company file paired; waits until they are stored."""
        await self.send(company_changed())
        await self.send(
            settings_changed(company=company or samples.company(), revision=revision),
            settings_changed(connection=connection, revision=revision),
        )
        await self.until_row(
            "SELECT count(*) FROM settings WHERE tenant_id = 'tenant' AND revision >= $1", revision, wanted=2
        )
        await self.until_row("SELECT count(*) FROM companies WHERE body <> ''", wanted=1)

    async def until_row(self, query: str, *arguments: Any, wanted: Any, timeout_s: float = 20) -> None:
        """Wait until a query answers one value."""
        async with asyncio.timeout(timeout_s):
            while (found := await self.runtime.pool.fetchval(query, *arguments)) != wanted:
                await asyncio.sleep(0.02)
        assert found == wanted

    async def set_of(self, source_id: str, *, revision: int = 1, timeout_s: float = 20) -> TransactionSet:
        """Wait until the set of a source has reached a revision on the broker."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = self.sets.get(source_id)
                if found is not None and found.revision >= revision:
                    return found
                await asyncio.sleep(0.02)

    async def settle(self, timeout_s: float = 20) -> None:
        """Wait until nothing is waiting to be mapped, matched or made, and the newest revision of every set is here.

        A set that was decided twice is on the broker twice: what a test reads in between may not be the last word.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                busy = await self.runtime.pool.fetchval(_WAITING)
                rows = await self.runtime.pool.fetch("SELECT source_id, revision FROM sets")
                here = {one.source_id: one.revision for one in self.sets.values()}
                if not busy and all(here.get(row["source_id"]) == row["revision"] for row in rows):
                    return
                await asyncio.sleep(0.02)

    async def collect(self) -> None:
        """Read what reaches ledger-writer, as it does: the newest revision stays."""
        await asyncio.gather(*(self._collect(f"ledger-writer.transactions-mapped{one}") for one in ("", ".backfill")))

    async def _collect(self, queue: str) -> None:
        async with self.broker.consume(queue, 100) as subscription:
            while True:
                delivery = await subscription.get()
                for item in decode(TransactionSet, delivery.body):
                    assert isinstance(item, Envelope)
                    state = item.state
                    self.versions.append(state)
                    held = self.sets.get(state.source_id)
                    if held is None or held.revision < state.revision:
                        self.sets[state.source_id] = state
                await subscription.acknowledge([delivery])


def company_changed(**changes: Any) -> CompanyChanged:
    values: dict[str, Any] = {
        "tenant_id": "tenant",
        "revision": 1,
        "company_id": "books-1",
        "ledger": "beancount",
        "name": "Books",
        "external_id": "books",
        "status": CompanyStatus.CONNECTED,
        "home_currency": "USD",
        "capabilities": tuple(sorted(samples.ALL_CAPABILITIES)),
    }
    values.update(changes)
    return CompanyChanged(**values)


def settings_changed(
    *, connection: ConnectionSettings | None = None, company: CompanySettings | None = None, revision: int = 1
) -> SettingsChanged:
    if connection is not None:
        scope_id = connection.connection_id
    else:
        assert company is not None
        scope_id = company.company_id
    return SettingsChanged(
        tenant_id="tenant",
        revision=revision,
        scope="connection" if connection else "company",
        scope_id=scope_id,
        connection=connection,
        company=company,
    )


def settings_for(database: FreshDatabase, vhost: FreshVhost) -> MapperSettings:
    return MapperSettings(
        database_url=SecretStr(database.url_for("mapper")),
        broker_url=SecretStr(vhost.url),
        encryption_keys=SecretStr("1:" + base64.b64encode(bytes(32)).decode()),
        internal_key=SecretStr(KEY),
        internal_callers={"api": SecretStr(KEY)},
        log_format="console",
        remap_poll_s=0.2,
        sweep_interval_s=0.5,
        shutdown_grace_s=5,
    )


@asynccontextmanager
async def running(database: FreshDatabase, vhost: FreshVhost, replicas: int) -> AsyncIterator[Service]:
    """That many replicas on one database and one broker."""
    await vhost.declare()
    settings = settings_for(database, vhost)
    broker = Broker(settings.broker_url, name="test")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(broker.close)
        apps: list[FastAPI] = []
        for _ in range(replicas):
            app = create(settings)
            await stack.enter_async_context(app.router.lifespan_context(app))
            apps.append(app)
        service = Service(settings, broker, apps)
        collecting = asyncio.create_task(service.collect())
        try:
            yield service
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)


@pytest.fixture
async def mapper(postgres_database: FreshDatabase, rabbitmq_vhost: FreshVhost) -> AsyncIterator[Service]:
    """One replica."""
    async with running(postgres_database, rabbitmq_vhost, 1) as service:
        yield service


@pytest.fixture
async def two_mappers(postgres_database: FreshDatabase, rabbitmq_vhost: FreshVhost) -> AsyncIterator[Service]:
    """Two replicas."""
    async with running(postgres_database, rabbitmq_vhost, 2) as service:
        yield service


def numbered(orders: Sequence[str], **changes: Any) -> list[Any]:
    """Example A once per external id."""
    return [samples.example_a(external_id=one, number=one, **changes) for one in orders]
