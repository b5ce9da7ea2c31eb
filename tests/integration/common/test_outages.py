"""Broker and database go away in every way they can: the consumer comes back by itself, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import aiormq
import asyncpg
import pytest
from pydantic import SecretStr
from tests.integration.common.conftest import PRODUCTS, SmallService, listed, product
from tests.integration.common.wire import HOST, Wire

from common import broker as broker_module
from common import dead_ends
from common import outbox as outbox_module
from common.broker import Broker, BrokerLost, Outgoing, Subscription
from common.database import connect
from common.handling import ConsumerLimits
from common.messages.base import State
from common.messages.transactions import TransactionsListed
from common.outbox import Outbox, OutboxRow, StoredRow, insert
from common.recovery import HEADER_ATTEMPT, HEADER_ERROR_TYPE, RetryPolicy
from common.telemetry import OUTBOX_UNPUBLISHED, OUTBOX_UNROUTABLE
from common.topology import EXCHANGE
from sandbox.fresh import FreshDatabase, FreshVhost

BEFORE = {str(number): "Bowl" for number in range(10)}
AFTER = {str(number): "Bowl" for number in range(20)}
IMPATIENT = ConsumerLimits(policy=RetryPolicy(bug_attempts_max=1), quiet_s=1.0)


def through(url: str, wire: Wire) -> SecretStr:
    """The same URL, over the wire."""
    parts = urlsplit(url)
    login = parts.netloc.rpartition("@")[0]
    return SecretStr(urlunsplit(parts._replace(netloc=f"{login}@{HOST}:{wire.port}")))


async def server_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@pytest.fixture
async def broker_wire(rabbitmq_vhost: FreshVhost) -> AsyncIterator[Wire]:
    async with Wire.to(*await server_of(rabbitmq_vhost.url)) as wire:
        yield wire


@pytest.fixture
async def wired(
    small_service: SmallService, rabbitmq_vhost: FreshVhost, broker_wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[SmallService]:
    """The small service with the broker at the other end of a wire, and little patience."""
    for limit in ("_CONFIRM_TIMEOUT_S", "_ANSWER_TIMEOUT_S", "_CLOSE_TIMEOUT_S", "_HEARTBEAT_S"):
        monkeypatch.setattr(broker_module, limit, 1)
    broker = Broker(through(rabbitmq_vhost.url, broker_wire), name="wired")
    outbox = Outbox(small_service.pool, broker, sweep_interval_s=0.2, retention_days=1)
    service = SmallService(small_service.pool, broker, outbox, small_service.handler, limits=IMPATIENT)
    service.start()
    await small_service.send(*(product(number) for number in range(10)))
    await service.until(BEFORE, timeout_s=40)
    yield service
    await service.stop()
    await broker.close()


async def is_there(broker: Broker) -> bool:
    """What readiness is told. A reset connection is noticed a moment later."""
    try:
        await broker.ping()
    except BrokerLost:
        return False
    return True


async def announced(service: SmallService, direct: SmallService) -> set[str]:
    """What reached the read model when everything that was sent during the outage had been handled."""
    await service.until(AFTER, timeout_s=40)
    sweeping = asyncio.create_task(service.outbox.run())
    seen: set[str] = set()
    async with asyncio.timeout(40):
        while not seen >= set(AFTER):
            seen |= {state.source_id for state in await direct.listed(1)}
    sweeping.cancel()
    return seen


async def test_a_broker_that_falls_silent_is_given_up(
    small_service: SmallService, wired: SmallService, broker_wire: Wire
) -> None:
    # Nothing is reset: both sides believe in a connection over which nothing comes any more.
    broker_wire.silence()
    await small_service.send(*(product(number) for number in range(10, 20)))
    assert await announced(wired, small_service) == set(AFTER)


async def test_a_connection_reset_under_a_batch_ends_no_consumer(
    small_service: SmallService, wired: SmallService, broker_wire: Wire
) -> None:
    async def cut_often() -> None:
        for _ in range(15):
            broker_wire.cut()
            await asyncio.sleep(0.05)

    cutting = asyncio.create_task(cut_often())
    for number in range(10, 20):
        await small_service.send(product(number))
        await asyncio.sleep(0.03)
    await cutting
    assert await announced(wired, small_service) == set(AFTER)


async def test_a_broker_that_is_down_for_a_while_is_waited_for(
    small_service: SmallService, wired: SmallService, broker_wire: Wire
) -> None:
    with broker_wire.down():
        await small_service.send(*(product(number) for number in range(10, 20)))
        async with asyncio.timeout(30):
            while await is_there(wired.broker):
                await asyncio.sleep(0.02)
        async with wired.pool.acquire() as connection, connection.transaction():
            row = listed(product(1, revision=2))
            stored = await insert(
                connection, [OutboxRow(row.type, row.key, row.revision, row.model_dump_json().encode())]
            )
        assert await wired.outbox.publish(stored) is False
        sweeping = asyncio.create_task(wired.outbox.run())
        async with asyncio.timeout(30):
            # The alert of an outage must not depend on what the outage prevents.
            while next(iter(OUTBOX_UNPUBLISHED.collect())).samples[0].value < 1:
                await asyncio.sleep(0.02)
        sweeping.cancel()
    assert await announced(wired, small_service) == set(AFTER)
    assert await wired.pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 0


async def test_many_publishers_learn_at_once_that_the_broker_is_away(wired: SmallService, broker_wire: Wire) -> None:
    body = Outgoing(EXCHANGE, TransactionsListed.type, TransactionsListed.type, b"[]")
    with broker_wire.down():
        async with asyncio.timeout(5):
            results = await asyncio.gather(*(wired.broker.publish([body]) for _ in range(300)), return_exceptions=True)
    assert {type(result) for result in results} == {BrokerLost}


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
async def test_a_consumer_whose_queue_was_deleted_comes_back_with_it(
    small_service: SmallService, wired: SmallService, rabbitmq_vhost: FreshVhost, at_once: bool
) -> None:
    connection = await aio_pika.connect(rabbitmq_vhost.url)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete(PRODUCTS.name)
        if at_once:
            # As a rule the broker has not told the consumer yet, and then never does.
            await channel.declare_queue(PRODUCTS.name, durable=True, arguments=dict(PRODUCTS.arguments))
    await rabbitmq_vhost.declare()
    await small_service.send(*(product(number) for number in range(10, 20)))
    assert await announced(wired, small_service) == set(AFTER)


class Forgetful(Broker):
    """The broker forgets its first consumer without a word."""

    def __init__(self, url: str) -> None:
        super().__init__(SecretStr(url), name="forgetful")
        self.consumers = 0
        self.forgot = asyncio.Event()

    @asynccontextmanager
    async def consume(self, queue: str, prefetch: int) -> AsyncIterator[Subscription]:
        async with super().consume(queue, prefetch) as subscription:
            self.consumers += 1
            if self.consumers == 1:
                underlay = await subscription._channel.get_underlay_channel()
                assert isinstance(underlay, aiormq.Channel)
                (tag,) = underlay.consumers
                await underlay.basic_cancel(tag)
                self.forgot.set()
            yield subscription


async def test_a_consumer_that_hears_nothing_for_long_subscribes_anew(
    small_service: SmallService, rabbitmq_vhost: FreshVhost
) -> None:
    broker = Forgetful(rabbitmq_vhost.url)
    service = SmallService(small_service.pool, broker, small_service.outbox, small_service.handler, limits=IMPATIENT)
    service.start()
    await asyncio.wait_for(broker.forgot.wait(), 20)
    await small_service.send(*(product(number) for number in range(10)))
    await service.until(BEFORE, timeout_s=40)
    await service.stop()
    await broker.close()
    assert broker.consumers > 1


async def test_a_topology_that_is_missing_leaves_rows_to_the_sweeper(
    small_service: SmallService, rabbitmq_vhost: FreshVhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_ends, "_REST_FIRST_S", 0.0)
    connection = await aio_pika.connect(rabbitmq_vhost.url)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete("api.transactions-listed")
    small_service.start()
    await small_service.send(product(1))
    await small_service.until({"1": "Bowl"})
    await small_service.stop()
    assert await small_service.pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL") == 1
    await rabbitmq_vhost.declare()
    await small_service.outbox.sweep(min_age_s=0)
    (state,) = await small_service.listed(1)
    assert state.source_id == "1"


async def test_a_type_that_no_queue_takes_holds_up_no_other(
    small_service: SmallService, rabbitmq_vhost: FreshVhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "_SWEEP_ROWS", 20)
    monkeypatch.setattr(dead_ends, "_REST_FIRST_S", 0.0)
    connection = await aio_pika.connect(rabbitmq_vhost.url)
    async with connection:
        channel = await connection.channel()
        await channel.queue_delete("api.transactions-listed")
    pool, outbox = small_service.pool, small_service.outbox
    lost: list[State] = [listed(product(number)) for number in range(50)]
    fine: list[State] = [product(number) for number in range(5)]
    stored: list[StoredRow] = []
    for states in (lost, fine):  # the younger ones behind more of the lost than one look of the sweeper takes
        async with pool.acquire() as opened, opened.transaction():
            rows = [OutboxRow(state.type, state.key, 1, state.model_dump_json().encode()) for state in states]
            stored += await insert(opened, rows)
    assert await outbox.publish([stored[0], stored[-1]]) is False
    assert await pool.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NOT NULL") == 1
    assert await outbox.sweep(min_age_s=0) == 4
    assert {state.external_id for state in await small_service.products(5)} == {str(number) for number in range(5)}
    assert OUTBOX_UNROUTABLE.labels(TransactionsListed.type)._value.get() == 1
    await rabbitmq_vhost.declare()
    assert await outbox.sweep(min_age_s=0) == 50
    assert {state.source_id for state in await small_service.listed(50)} == {str(number) for number in range(50)}
    assert OUTBOX_UNROUTABLE.labels(TransactionsListed.type)._value.get() == 0


Outage = Callable[[Wire], Coroutine[None, None, None]]


async def reset_often(wire: Wire) -> None:
    for _ in range(10):
        wire.cut()
        await asyncio.sleep(0.05)


async def be_down(wire: Wire) -> None:
    with wire.down():
        await asyncio.sleep(1)


async def fall_silent(wire: Wire) -> None:
    wire.silence()


@pytest.mark.parametrize("outage", [reset_often, be_down, fall_silent])
async def test_a_database_that_goes_away_is_waited_for_and_counts_as_nobodys_attempt(
    small_service: SmallService, postgres_database: FreshDatabase, outage: Outage
) -> None:
    url = postgres_database.url_for("mapper")
    async with Wire.to(*await server_of(url)) as wire:
        pool = await connect(through(url, wire), connections_max=3, application="wired", statement_timeout_s=1)
        outbox = Outbox(pool, small_service.broker, sweep_interval_s=0.2, retention_days=1)
        wired = SmallService(pool, small_service.broker, outbox, small_service.handler)
        wired.start()
        await small_service.send(*(product(number) for number in range(10)))
        await small_service.until(BEFORE, timeout_s=40)
        going = asyncio.create_task(outage(wire))
        for number in range(10, 20):
            await small_service.send(product(number))
            await asyncio.sleep(0.03)
        await going
        await small_service.until(AFTER, timeout_s=40)
        await wired.stop()
        await asyncio.wait_for(pool.close(), 20)
    with pytest.raises(TimeoutError):
        await small_service.drain("mapper.dead", 1, timeout_s=0.5)


async def test_a_statement_that_is_always_too_slow_is_an_attempt_and_holds_nobody_up(
    small_service: SmallService, postgres_database: FreshDatabase
) -> None:
    url = SecretStr(postgres_database.url_for("mapper"))
    pool = await connect(url, connections_max=3, application="slow", statement_timeout_s=0.5)
    locked = await asyncpg.connect(url.get_secret_value())
    await small_service.pool.execute("INSERT INTO things VALUES ('5', 0, 'Bowl')")
    outbox = Outbox(pool, small_service.broker, sweep_interval_s=0.2, retention_days=1)
    service = SmallService(pool, small_service.broker, outbox, small_service.handler)
    async with locked.transaction():
        await locked.execute("SELECT FROM things WHERE external_id = '5' FOR UPDATE")
        service.start()
        await small_service.send(*(product(number, name="Cup") for number in range(10)))
        cups = {str(number): "Bowl" if number == 5 else "Cup" for number in range(10)}
        await small_service.until(cups, timeout_s=40)
        ((headers, _),) = await small_service.drain("delay.10s", 1)
        await service.stop()
    assert headers[HEADER_ERROR_TYPE] == "StatementTooSlow"
    assert headers[HEADER_ATTEMPT] == 2
    await locked.close()
    await pool.close()
