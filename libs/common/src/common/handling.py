"""The consume loop: packs in, one transaction a batch, packs out, one acknowledgement.

A handler is written for one state and never sees a delivery, a retry or a commit. It has two halves: `load` reads
what the whole batch needs on the open transaction (and takes its locks), `handle` decides for one state, purely, and
records what to write and send. A state that fails costs only itself: it leaves its pack as a message of its own, in
the transaction of the good ones.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import structlog

from common.backoff import Backoff
from common.batch import Batch
from common.broker import Broker, BrokerLost, Delivery, Subscription
from common.database import LOST, Connection, Pool, answers
from common.errors import InfrastructureLost, InvalidMessage, StatementTooSlow, TillbookError
from common.messages.base import State
from common.outbox import Outbox, StoredRow
from common.packs import Envelope, Undecodable, count_members, decode
from common.recovery import Failure, Park, RetryPolicy, attempt_of, decide, first_own_frame, to_outbox
from common.telemetry import BATCH_SECONDS, BATCH_STATES, CONSUMER_PAUSED, STATES_HANDLED, state_span
from common.topology import Queue

log = structlog.get_logger(__name__)

QUIET_S = 60.0
"""So long without a delivery, and a consumer subscribes anew."""

S = TypeVar("S", bound=State)
L = TypeVar("L")


async def load_nothing(connection: Connection, states: Sequence[Any]) -> None:
    """For handlers that need no data beyond the state itself."""


@dataclass(frozen=True, slots=True)
class Handler(Generic[S, L]):
    """How one service takes in one kind of state. `handle` must be synchronous and free of I/O."""

    contract: type[S]
    load: Callable[[Connection, Sequence[S]], Awaitable[L]]
    handle: Callable[[S, L, Batch], None]


@dataclass(frozen=True, slots=True)
class Work:
    """One state on its way through a batch, with the delivery it came in."""

    envelope: Envelope[Any] | Undecodable
    headers: dict[str, Any]
    redelivered: bool


@dataclass(frozen=True, slots=True)
class ConsumerLimits:
    states_max: int = 100
    linger_s: float = 0.01
    quiet_s: float = QUIET_S
    policy: RetryPolicy = field(default_factory=RetryPolicy)


class Consumer:
    """Drives one handler from one queue until stopped."""

    def __init__(
        self,
        queue: Queue,
        handler: Handler[Any, Any],
        pool: Pool,
        broker: Broker,
        outbox: Outbox,
        limits: ConsumerLimits,
    ) -> None:
        self._queue = queue
        self._handler = handler
        self._pool = pool
        self._broker = broker
        self._outbox = outbox
        self._limits = limits
        self._stopping = asyncio.Event()
        # There from the start at 0: of a series that begins at 1 Prometheus sees no increase.
        STATES_HANDLED.labels(queue.name, "parked")

    def stop(self) -> None:
        """Finish the batch in hand, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Consume until stopped, starting over with a new channel whenever the broker was lost or long silent."""
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                async with self._broker.consume(self._queue.name, self._queue.prefetch) as subscription:
                    backoff.worked()
                    await self._consume(subscription)
            except BrokerLost as error:
                CONSUMER_PAUSED.labels(self._queue.name).set(1)
                pause_s = backoff.failed()
                log.warning("consumer_lost_broker", queue=self._queue.name, error=str(error), retry_in_s=pause_s)
                await _wait(self._stopping, pause_s)

    async def _consume(self, subscription: Subscription) -> None:
        """Handle what arrives, until stopped or until nothing has arrived for so long that it proves nothing any more.

        RabbitMQ does not always say that a queue was deleted: where it is declared again at once, the server's side of
        the channel subscribes to the new one by itself, drops what that delivers, and keeps it as unacknowledged until
        the channel is closed. No queue of ours takes the argument that asks for a cancellation instead.
        """
        CONSUMER_PAUSED.labels(self._queue.name).set(0)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            while not self._stopping.is_set():
                arriving = asyncio.ensure_future(subscription.get())
                await asyncio.wait(
                    {arriving, stopping}, timeout=self._limits.quiet_s, return_when=asyncio.FIRST_COMPLETED
                )
                if not arriving.done():
                    arriving.cancel()
                    return
                deliveries = await self._gather(arriving.result(), subscription)
                work = [item for delivery in deliveries for item in self._open(delivery)]
                await self._handle_until_done(work)
                await subscription.acknowledge(deliveries)
        finally:
            stopping.cancel()

    async def _gather(self, first: Delivery, subscription: Subscription) -> list[Delivery]:
        """Take what has arrived, and wait once for more when that is little: the linger low load needs most."""
        deliveries = [first]
        lingered = self._limits.linger_s == 0
        states = count_members(first.body)
        while states < self._limits.states_max:
            more = subscription.get_nowait()
            if more is not None:
                deliveries.append(more)
                states += count_members(more.body)
            elif lingered:
                break
            else:
                await asyncio.sleep(self._limits.linger_s)
                lingered = True
        return deliveries

    def _open(self, delivery: Delivery) -> list[Work]:
        headers = dict(delivery.headers)
        redelivered = bool(delivery.redelivered)
        try:
            members = decode(self._handler.contract, delivery.body)
        except InvalidMessage as error:
            members = [Undecodable(delivery.body, error)]
        return [Work(member, headers, redelivered) for member in members]

    async def _handle_until_done(self, work: Sequence[Work]) -> None:
        """Handle the batch; while the database is away, wait and handle it again: that is nobody's attempt."""
        backoff = Backoff()
        while True:
            try:
                await self._handle(work)
            except InfrastructureLost as error:
                CONSUMER_PAUSED.labels(self._queue.name).set(1)
                pause_s = backoff.failed()
                log.warning("consumer_lost_database", queue=self._queue.name, error=str(error), retry_in_s=pause_s)
                if self._stopping.is_set():
                    raise BrokerLost(
                        "stopped while the database was away; the deliveries return to the queue"
                    ) from error
                await _wait(self._stopping, pause_s)
            else:
                CONSUMER_PAUSED.labels(self._queue.name).set(0)
                return

    async def _handle(self, work: Sequence[Work]) -> None:
        started = time.perf_counter()
        if any(item.redelivered for item in work):
            # It may hold the very state that killed the process: alone, that one can only kill itself.
            await self._one_by_one(work)
        else:
            try:
                await self._transaction(work)
            except InfrastructureLost:
                raise
            except Exception as error:  # noqa: BLE001 - the batch runs again state by state, which finds the culprit
                log.info("batch_split", queue=self._queue.name, states=len(work), error=type(error).__name__)
                await self._one_by_one(work)
        BATCH_STATES.labels(self._queue.name).observe(len(work))
        BATCH_SECONDS.labels(self._queue.name).observe(time.perf_counter() - started)

    async def _one_by_one(self, work: Sequence[Work]) -> None:
        for item in work:
            try:
                await self._transaction([item])
            except InfrastructureLost:
                raise
            except Exception as error:  # noqa: BLE001 - decided on and sent on, never swallowed
                await self._send_on([(item, error)])

    async def _transaction(self, work: Sequence[Work]) -> None:
        newest = _newest(work)
        envelopes = [item.envelope for item in newest if isinstance(item.envelope, Envelope)]
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                loaded = await self._handler.load(connection, [envelope.state for envelope in envelopes])
                batch = Batch(backfill=self._queue.backfill)
                for item in newest:
                    self._handle_one(item, loaded, batch)
                stored = await batch.flush(connection)
        except LOST as error:
            if isinstance(error, ValueError):
                # asyncpg's word for a value that doesn't fit its column: the state's fault, not the database's.
                raise
            if isinstance(error, TimeoutError) and await answers(self._pool):
                # Counted as an attempt: a batch that is always too slow would else be handled again for ever.
                raise StatementTooSlow("a statement took too long, or waited too long for a lock") from error
            raise InfrastructureLost(type(error).__name__) from error
        batch.committed()
        STATES_HANDLED.labels(self._queue.name, "handled").inc(len(newest))
        await self._outbox.publish(stored)

    def _handle_one(self, item: Work, loaded: Any, batch: Batch) -> None:
        envelope = item.envelope
        if isinstance(envelope, Undecodable):
            self._record_failure(item, envelope.error, batch)
            return
        try:
            with (
                state_span(self._queue.name, envelope.traceparent) as traceparent,
                batch.part(envelope.correlation_id, traceparent, envelope.body),
            ):
                self._handler.handle(envelope.state, loaded, batch)
        except Exception as error:  # noqa: BLE001 - the border of the runtime: decided on, never swallowed
            self._record_failure(item, error, batch)

    async def _send_on(self, failed: Sequence[tuple[Work, Exception]]) -> None:
        batch = Batch()
        for item, error in failed:
            self._record_failure(item, error, batch)
        stored: list[StoredRow]
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                stored = await batch.flush(connection)
        except LOST as lost:
            raise InfrastructureLost(type(lost).__name__) from lost
        await self._outbox.publish(stored)

    def _record_failure(self, item: Work, error: Exception, batch: Batch) -> None:
        attempt = attempt_of(item.headers)
        decision = decide(error, attempt, self._limits.policy)
        failure = self._failure(item)
        outcome = "parked" if isinstance(decision, Park) else "delayed"
        is_bug = not isinstance(error, TillbookError)
        write = log.error if isinstance(decision, Park) else log.warning
        write(
            f"state_{outcome}",
            queue=self._queue.name,
            entity=failure.entity,
            revision=failure.revision,
            attempt=attempt,
            error=type(error).__name__,
            text=error.text if isinstance(error, TillbookError) else None,
            frame=first_own_frame(error),
            exc_info=error if is_bug else None,
        )
        STATES_HANDLED.labels(self._queue.name, outcome).inc()
        batch.send(to_outbox(failure, error, decision, datetime.now(UTC)))

    def _failure(self, item: Work) -> Failure:
        envelope = item.envelope
        common = {
            "queue": self._queue.name,
            "service": self._queue.service,
            "type": self._handler.contract.type,
            "headers": item.headers,
        }
        if isinstance(envelope, Undecodable):
            return Failure(body=envelope.raw, entity="", revision=0, tenant_id="", **common)
        return Failure(
            body=envelope.pack(),
            entity=envelope.state.key,
            revision=envelope.state.revision,
            tenant_id=envelope.state.tenant_id,
            **common,
        )


def _newest(work: Sequence[Work]) -> list[Work]:
    """Drop states that a later one in the same batch supersedes; keeps the order of arrival otherwise."""
    latest: dict[str, int] = {}
    for item in work:
        if isinstance(item.envelope, Envelope):
            state = item.envelope.state
            latest[state.key] = max(latest.get(state.key, -1), state.revision)
    kept: list[Work] = []
    seen: set[str] = set()
    for item in work:
        if isinstance(item.envelope, Envelope):
            state = item.envelope.state
            if state.revision < latest[state.key] or state.key in seen:
                continue
            seen.add(state.key)
        kept.append(item)
    return kept


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
