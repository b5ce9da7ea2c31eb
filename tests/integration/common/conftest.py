"""A small service on real parts: products in, one row and one listed set each out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from common.batch import Batch
from common.broker import Broker, Outgoing
from common.bulk import Upsert
from common.database import Connection, Pool, connect
from common.errors import NotYetArrived, Rejected
from common.handling import Consumer, ConsumerLimits, Handler
from common.messages.base import Reason, State
from common.messages.orders import Product
from common.messages.transactions import SetOutcome, TransactionsListed
from common.outbox import Outbox, outbox_table
from common.packs import Envelope, decode, encode_member, join_members
from common.recovery import RetryPolicy
from common.settings import ServiceSettings
from common.topology import EXCHANGE, QUEUES
from sandbox.fresh import FreshDatabase, FreshVhost

S = TypeVar("S", bound=State)
PRODUCTS = next(queue for queue in QUEUES if queue.name == "mapper.product-normalized")
THINGS = Upsert(
    "things",
    ("external_id",),
    {"external_id": "text", "revision": "bigint", "name": "text"},
    guard="t.revision < excluded.revision",
)


def product(number: int, revision: int = 1, name: str = "Bowl") -> Product:
    return Product(
        tenant_id="ten_1",
        revision=revision,
        connection_id="con_1",
        external_id=str(number),
        sku=f"S{number}",
        name=name,
    )


def listed(state: Product) -> TransactionsListed:
    return TransactionsListed(
        tenant_id=state.tenant_id,
        revision=state.revision,
        company_id="com_1",
        connection_id=state.connection_id,
        source_kind="order",
        source_id=state.external_id,
        source_number=state.external_id,
        source_revision=state.revision,
        outcome=SetOutcome.MAPPED,
        documents=1,
        total=Decimal("1.00"),
        currency="USD",
        date=date(2026, 1, 1),
    )


async def _load(connection: Connection, states: Sequence[Product]) -> set[str]:
    rows = await connection.fetch(
        "SELECT external_id FROM things WHERE external_id = ANY($1::text[])", [state.external_id for state in states]
    )
    return {row["external_id"] for row in rows}


def _handle(state: Product, known: set[str], batch: Batch) -> None:
    batch.upsert(THINGS, {"external_id": state.external_id, "revision": state.revision, "name": state.name})
    batch.publish(listed(state))
    if state.name == "bug":
        raise ZeroDivisionError("a bug in the handler")
    if state.name == "refused":
        raise Rejected(Reason(code="PRODUCT_MISSING", text="no such product", cure="map it"))
    if state.name == "later":
        raise NotYetArrived("its settings are not here yet")
    if state.name == "misfit":
        batch.upsert(THINGS, {"external_id": state.external_id, "revision": 2**70, "name": state.name})
    if state.name == "poison":
        batch.execute("SELECT 1/0")


@dataclass
class SmallService:
    """The consumer under test with the parts it stands on."""

    pool: Pool
    broker: Broker
    outbox: Outbox
    handler: Handler[Product, set[str]]
    consumer: Consumer | None = None
    task: asyncio.Task[None] | None = None
    limits: ConsumerLimits = field(default_factory=lambda: ConsumerLimits(policy=RetryPolicy(bug_attempts_max=1)))

    def start(self) -> None:
        self.consumer = Consumer(PRODUCTS, self.handler, self.pool, self.broker, self.outbox, self.limits)
        self.task = asyncio.create_task(self.consumer.run())

    async def stop(self) -> None:
        if self.consumer and self.task:
            self.consumer.stop()
            await asyncio.wait_for(self.task, 10)
            self.task = None

    async def send(self, *states: Product) -> None:
        """Publish the states as one pack."""
        members = [encode_member(state.model_dump_json().encode(), "cor-1", None) for state in states]
        await self.broker.publish([Outgoing(EXCHANGE, Product.type, Product.type, join_members(members))])

    async def names(self) -> dict[str, str]:
        rows = await self.pool.fetch("SELECT external_id, name FROM things")
        return {row["external_id"]: row["name"] for row in rows}

    async def until(self, wanted: dict[str, str], timeout_s: float = 15) -> None:
        """Wait until the table is exactly this."""
        async with asyncio.timeout(timeout_s):
            while await self.names() != wanted:
                await asyncio.sleep(0.02)

    async def drain(self, queue: str, count: int, timeout_s: float = 15) -> list[tuple[dict[str, object], bytes]]:
        """Take `count` messages from a queue: their headers and bodies."""
        taken: list[tuple[dict[str, object], bytes]] = []
        async with asyncio.timeout(timeout_s), self.broker.consume(queue, 100) as subscription:
            while len(taken) < count:
                delivery = await subscription.get()
                taken.append((dict(delivery.headers), delivery.body))
                await subscription.acknowledge([delivery])
        return taken

    async def listed(self, count: int) -> list[TransactionsListed]:
        """The states that reached the read model's queue."""
        return await self._states(TransactionsListed, "api.transactions-listed", count)

    async def products(self, count: int) -> list[Product]:
        """The states that reached the queue of the consumer under test, which must not be started."""
        return await self._states(Product, PRODUCTS.name, count)

    async def _states(self, contract: type[S], queue: str, count: int) -> list[S]:
        states: list[S] = []
        async with asyncio.timeout(15), self.broker.consume(queue, 100) as subscription:
            while len(states) < count:
                delivery = await subscription.get()
                opened = decode(contract, delivery.body)
                states += [item.state for item in opened if isinstance(item, Envelope)]
                await subscription.acknowledge([delivery])
        return states


@pytest.fixture
def settings(postgres_database: FreshDatabase, rabbitmq_vhost: FreshVhost) -> ServiceSettings:
    """What a service is started with that has the mapper's role in the database."""
    return ServiceSettings(
        database_url=SecretStr(postgres_database.url_for("mapper")),
        broker_url=SecretStr(rabbitmq_vhost.url),
        encryption_keys=SecretStr("1:" + "A" * 43 + "="),
        internal_key=SecretStr("key-of-mapper"),
        internal_callers={"api": SecretStr("key-of-api")},
    )


@pytest.fixture
async def small_service(postgres_database: FreshDatabase, rabbitmq_vhost: FreshVhost) -> AsyncIterator[SmallService]:
    """Stopped at first: tests start it when their messages are where they want them."""
    await rabbitmq_vhost.declare()
    pool = await connect(SecretStr(postgres_database.url_for("mapper")), connections_max=5, application="test")
    statements = [str(sa.schema.CreateTable(outbox_table(sa.MetaData()), if_not_exists=True).compile(dialect=DIALECT))]
    statements += [
        str(sa.schema.CreateIndex(index, if_not_exists=True).compile(dialect=DIALECT))
        for index in outbox_table(sa.MetaData()).indexes
    ]
    for statement in [*statements, "CREATE TABLE things (external_id text PRIMARY KEY, revision bigint, name text)"]:
        await pool.execute(statement)
    broker = Broker(SecretStr(rabbitmq_vhost.url), name="test")
    outbox = Outbox(pool, broker, sweep_interval_s=0.2, retention_days=1)
    service = SmallService(pool, broker, outbox, Handler(Product, _load, _handle))
    yield service
    await service.stop()
    await broker.close()
    await pool.close()


DIALECT = sa.create_engine("postgresql+asyncpg://").dialect
NOW = datetime(2026, 1, 1, tzinfo=UTC)
