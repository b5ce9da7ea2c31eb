"""Collects the parked queues of all four services into `dead_letters`: stored first, acknowledged after."""

import asyncio
from datetime import UTC, datetime

import structlog

from api.dead_letters.letters import Parked, to_row
from api.store.dead_letters import LETTERS, list_unheard_of
from common.backoff import Backoff
from common.broker import BrokerLost, Delivery, Subscription
from common.crypto import Cipher
from common.database import LOST
from common.handling import QUIET_S
from common.runtime import Runtime
from common.topology import dead_queue

log = structlog.get_logger(__name__)

_PREFETCH = 100


async def collect(runtime: Runtime, cipher: Cipher, service: str) -> None:
    """Collect one service's parked queue for ever, starting over with a new channel when the broker was lost or silent.

    Silence may mean that the queue was deleted and declared again, which RabbitMQ doesn't tell its consumers.
    """
    queue = dead_queue(service)
    backoff = Backoff()
    while True:
        try:
            async with runtime.broker.consume(queue, _PREFETCH) as subscription:
                while (first := await _next(subscription)) is not None:
                    deliveries = [first]
                    while len(deliveries) < _PREFETCH and (more := subscription.get_nowait()) is not None:
                        deliveries.append(more)
                    await _store_until_done(runtime, cipher, queue, deliveries)
                    await subscription.acknowledge(deliveries)
                    backoff.worked()
        except BrokerLost as error:
            await _rest(queue, error, backoff)


async def _next(subscription: Subscription) -> Delivery | None:
    """The next letter; None after a long silence."""
    try:
        async with asyncio.timeout(QUIET_S):
            return await subscription.get()
    except TimeoutError:
        return None


async def _store_until_done(runtime: Runtime, cipher: Cipher, queue: str, deliveries: list[Delivery]) -> None:
    """Store the letters; while the database is away, keep them in hand and try again.

    Giving them back would count as a delivery each time, and a broker drops what it has delivered too often.
    """
    backoff = Backoff()
    while True:
        try:
            await _store(runtime, cipher, queue, deliveries)
        except LOST as error:
            if isinstance(error, ValueError):
                # asyncpg's word for a value that doesn't fit its column: waiting won't make it fit.
                raise
            await _rest(queue, error, backoff)
        else:
            return


async def _rest(queue: str, error: Exception, backoff: Backoff) -> None:
    delay_s = backoff.failed()
    log.warning("dead_letters_not_collected", queue=queue, error=type(error).__name__, retry_in_s=delay_s)
    await asyncio.sleep(delay_s)


async def _store(runtime: Runtime, cipher: Cipher, queue: str, deliveries: list[Delivery]) -> None:
    rows = [to_row(_parked(delivery, queue), cipher) for delivery in deliveries]
    # One letter may have failed twice within the batch; each failure must be counted, so each has its statement.
    async with runtime.pool.acquire() as connection, connection.transaction():
        for row in rows:
            await LETTERS.write(connection, [LETTERS.row(row)])
        await list_unheard_of(connection, [row["dead_letter_id"] for row in rows])
    log.info("dead_letters_collected", queue=queue, letters=len(rows))


def _parked(delivery: Delivery, queue: str) -> Parked:
    return Parked(
        queue_dead=queue,
        message_id=delivery.message_id or "",
        type=delivery.type or "",
        body=delivery.body,
        headers=dict(delivery.headers),
        arrived_at=datetime.now(UTC),
    )
