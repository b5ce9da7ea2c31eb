"""RabbitMQ: the only module that imports aio_pika. Connections, confirmed publishing, consuming, declaring.

Connections are plain rather than aio-pika's robust ones: after a loss the deliveries in hand can't be acknowledged
any more, so a consumer must start over anyway, and it is easier to see one loop that does.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aio_pika
import aiormq
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from pydantic import SecretStr

from common.database import LOST
from common.topology import DEAD_EXCHANGE, DEAD_QUEUE_ARGUMENTS, DELAYS, EXCHANGE, QUEUES, SERVICES, dead_queue

log = structlog.get_logger(__name__)

_LOST: tuple[type[Exception], ...] = (
    aiormq.exceptions.AMQPError,
    aio_pika.exceptions.AMQPError,
    # A RuntimeError: what acknowledging on a channel says that died while its batch was being handled.
    aiormq.exceptions.ChannelInvalidStateError,
    ConnectionError,
    OSError,
    TimeoutError,
)
_CONFIRM_TIMEOUT_S = 30.0
_ANSWER_TIMEOUT_S = 10.0
"""For all else the broker is asked. The library itself waits for ever where its writer died with a full queue."""
_CLOSE_TIMEOUT_S = 5.0
_HEARTBEAT_S = 15
"""A broker that says nothing for three of them is given up; a connection cut in silence is not seen otherwise."""
_AWAY_S = 0.5
"""So long after a failed connection nobody tries again: else each of a hundred waiting publishers would, in turn."""
_PUBLISHES_IN_FLIGHT = 64

Delivery = AbstractIncomingMessage


class BrokerLost(Exception):
    """The broker is away or did not confirm. What was to be published is still in the outbox."""


UNAVAILABLE: tuple[type[Exception], ...] = (BrokerLost, *LOST)
"""The broker or the database is away: wait and do the same again."""


@contextmanager
def _lost(what: str) -> Iterator[None]:
    """Raise `BrokerLost` for everything by which the library says that connection or channel are gone.

    That includes a cancellation nobody asked for: it rejects the waiters of a dying connection with the error its own
    reader ended by. Let through, it would end our task without a word.
    """
    try:
        yield
    except _LOST as error:
        raise BrokerLost(f"{what}: {type(error).__name__}") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerLost(f"{what}: the connection ended") from error
    except Exception as error:
        # Its words for "closed in good order" and for "closed a moment ago, before it has told anybody".
        if type(error) not in {Exception, RuntimeError}:
            raise
        raise BrokerLost(f"{what}: the connection was closed") from error


class Unroutable(Exception):
    """A message reached no queue: the topology is not the one this release needs."""

    def __init__(self, exchange: str, routing_key: str) -> None:
        super().__init__(f"no queue takes {routing_key!r} from exchange {exchange!r}: declare the topology first")


@dataclass(frozen=True, slots=True)
class Outgoing:
    exchange: str
    routing_key: str
    type: str
    body: bytes
    headers: dict[str, Any] = field(default_factory=dict)


class Broker:
    """One connection for publishing and one for consuming, so that a slow consumer never stops a publisher."""

    def __init__(self, url: SecretStr, *, name: str) -> None:
        self._url = url
        self._name = name
        self._connections: dict[str, AbstractConnection] = {}
        self._away_until = 0.0
        self._channel: AbstractChannel | None = None
        self._exchanges: dict[str, AbstractExchange] = {}
        self._lock = asyncio.Lock()
        self._connecting = asyncio.Lock()
        self._in_flight = asyncio.Semaphore(_PUBLISHES_IN_FLIGHT)

    async def _connection(self, purpose: str) -> AbstractConnection:
        # All consumers of a service start at once: without the lock each would open, and leak, a connection of its own.
        async with self._connecting:
            held = self._connections.get(purpose)
            # `is_closed` only tells whether we closed it; `connected` is cleared when the broker went away.
            if held is not None and held.connected.is_set() and not held.is_closed:
                return held
            if time.monotonic() < self._away_until:
                raise BrokerLost("can't connect: it was away a moment ago")
            try:
                with _lost("can't connect"):
                    async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                        connection = await aio_pika.connect(
                            self._url.get_secret_value(),
                            heartbeat=_HEARTBEAT_S,
                            client_properties={"connection_name": f"{self._name} {purpose}"},
                        )
            except BrokerLost:
                self._away_until = time.monotonic() + _AWAY_S
                raise
            self._connections[purpose] = connection
            return connection

    async def _open_channel(self, purpose: str, **options: bool) -> AbstractChannel:
        """A new channel. Raises `BrokerLost`; a connection on which none can be opened is given up with all it held."""
        connection = await self._connection(purpose)
        try:
            with _lost("no channel"):
                async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                    return await connection.channel(**options)
        except BrokerLost:
            if self._connections.get(purpose) is connection:
                del self._connections[purpose]
            await _close(connection)
            raise

    async def _exchange(self, name: str) -> AbstractExchange:
        async with self._lock:
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._open_channel("publish", publisher_confirms=True, on_return_raises=True)
                self._exchanges = {}
            if name not in self._exchanges:
                if name:
                    self._exchanges[name] = await self._channel.get_exchange(name, ensure=False)
                else:
                    self._exchanges[name] = self._channel.default_exchange
            return self._exchanges[name]

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish messages that belong together. Raises the first `BrokerLost` or `Unroutable` of any of them."""
        for problem in await self.publish_each(messages):
            if problem is not None:
                raise problem

    async def publish_each(self, messages: Sequence[Outgoing]) -> list["BrokerLost | Unroutable | None"]:
        """Publish persistent, mandatory messages and wait for every confirm. One result a message, in their order.

        None: confirmed. `BrokerLost`: a confirm did not come. `Unroutable`: the topology lacks a queue.
        """
        return list(await asyncio.gather(*(self._try_one(message) for message in messages)))

    async def _try_one(self, message: Outgoing) -> "BrokerLost | Unroutable | None":
        try:
            await self._publish_one(message)
        except (BrokerLost, Unroutable) as problem:
            return problem
        return None

    async def _publish_one(self, message: Outgoing) -> None:
        prepared = aio_pika.Message(
            message.body,
            headers=message.headers,
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=str(uuid.uuid4()),
            timestamp=datetime.now(UTC),
            type=message.type,
            app_id=self._name,
        )
        with _lost("not confirmed"):
            try:
                async with self._in_flight:
                    exchange = await self._exchange(message.exchange)
                    await exchange.publish(prepared, message.routing_key, mandatory=True, timeout=_CONFIRM_TIMEOUT_S)
            except aio_pika.exceptions.PublishError as error:
                raise Unroutable(message.exchange, message.routing_key) from error

    @asynccontextmanager
    async def consume(self, queue: str, prefetch: int) -> AsyncIterator["Subscription"]:
        """Deliveries of one queue on a channel of its own. Raises `BrokerLost` when it can't be opened."""
        channel = await self._open_channel("consume", publisher_confirms=False)
        try:
            with _lost(f"can't consume {queue}"):
                async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                    subscription = await Subscription.to(queue, channel, prefetch)
            yield subscription
        finally:
            if not channel.is_closed:
                await _close(channel)

    async def ping(self) -> None:
        """Raise `BrokerLost` unless a publishing channel is open or can be opened now."""
        await self._exchange(EXCHANGE)

    async def close(self) -> None:
        for connection in self._connections.values():
            if not connection.is_closed:
                await _close(connection)


async def _close(closing: AbstractConnection | AbstractChannel) -> None:
    """Close for as long as that takes a living broker; what a dead one holds open ends with its socket."""
    with suppress(BrokerLost), _lost("not closed"):
        async with asyncio.timeout(_CLOSE_TIMEOUT_S):
            await closing.close()


class Subscription:
    """Deliveries as they arrive, and acknowledgements. Everything on it dies with its channel."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel
        self._arrived: asyncio.Queue[Delivery | None] = asyncio.Queue()
        self._over = False

    @classmethod
    async def to(cls, queue: str, channel: AbstractChannel, prefetch: int) -> "Subscription":
        """Start to consume."""
        subscription = cls(channel)
        channel.close_callbacks.add(subscription._end)
        # The broker cancels a consumer whose queue was deleted or lost its leader; the channel lives on, in silence.
        underlay = await channel.get_underlay_channel()
        underlay.on_consumer_cancel_callbacks.add(subscription._end)
        await channel.set_qos(prefetch_count=prefetch)
        source = await channel.get_queue(queue, ensure=False)
        await source.consume(subscription.deliver)
        return subscription

    async def deliver(self, delivery: Delivery) -> None:
        self._arrived.put_nowait(delivery)

    def _end(self, *_: Any) -> None:
        self._over = True
        self._arrived.put_nowait(None)

    async def get(self) -> Delivery:
        """The next delivery. Raises `BrokerLost` when the channel is gone or the broker delivers no more on it."""
        if not self._over:
            delivery = await self._arrived.get()
            if delivery is not None and not self._channel.is_closed:
                return delivery
        raise BrokerLost("no more deliveries: channel closed, or consumer cancelled by the broker")

    def get_nowait(self) -> Delivery | None:
        """The next delivery if one has arrived already."""
        if self._arrived.empty():
            return None
        delivery = self._arrived.get_nowait()
        if delivery is None:
            self._arrived.put_nowait(None)
        return delivery

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge everything up to the newest of them, in one frame.

        Correct because a consumer takes deliveries in order and finishes each batch before the next.
        """
        if not deliveries:
            return
        with _lost("not acknowledged"):
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                await deliveries[-1].ack(multiple=True)


async def declare(url: SecretStr) -> None:
    """Declare the whole topology; safe to repeat. Raises `BrokerLost` when the broker refuses or is away."""
    try:
        connection = await aio_pika.connect(url.get_secret_value(), timeout=10)
        async with connection:
            channel = await connection.channel()
            await _declare_on(channel)
    except _LOST as error:
        raise BrokerLost(f"the topology was not declared: {error}") from error


async def _declare_on(channel: AbstractChannel) -> None:
    main = await channel.declare_exchange(EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True)
    dead = await channel.declare_exchange(DEAD_EXCHANGE, aio_pika.ExchangeType.DIRECT, durable=True)
    for service in SERVICES:
        parked = await channel.declare_queue(dead_queue(service), durable=True, arguments=dict(DEAD_QUEUE_ARGUMENTS))
        await parked.bind(dead, service)
    for delay in DELAYS:
        exchange = await channel.declare_exchange(delay.name, aio_pika.ExchangeType.FANOUT, durable=True)
        waiting = await channel.declare_queue(delay.name, durable=True, arguments=dict(delay.arguments))
        await waiting.bind(exchange)
    for queue in QUEUES:
        declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
        await declared.bind(main, queue.routing_key)
