"""What a running service holds: pool, broker, outbox, consumers and background work, started and stopped in order."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from common.batch import Batch
from common.broker import UNAVAILABLE, Broker
from common.database import Connection, Pool, connect_when_ready
from common.handling import Consumer, ConsumerLimits, Handler
from common.outbox import Outbox, StoredRow
from common.settings import ServiceSettings
from common.telemetry import current_traceparent
from common.topology import queues_of

log = structlog.get_logger(__name__)

_WELL_AFTER_S = 120.0
_POOL_CLOSES_IN_S = 5.0

Background = Callable[[], Coroutine[Any, Any, None]]


class Runtime:
    """Everything a service shares between its consumers, routes and background work."""

    def __init__(self, service: str, settings: ServiceSettings, pool: Pool) -> None:
        self.service = service
        self.settings = settings
        self.pool = pool
        self.broker = Broker(settings.broker_url, name=service)
        self.outbox = Outbox(
            pool,
            self.broker,
            sweep_interval_s=settings.sweep_interval_s,
            retention_days=settings.outbox_retention_days,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._consumers: list[Consumer] = []
        self._consuming: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def transaction(self, *, correlation_id: str = "") -> AsyncIterator[tuple[Connection, Batch]]:
        """Open a transaction and a batch; on leaving: flush, commit, publish in the background.

        For routes, lanes and workers. Consumers do the same for their handlers.
        """
        batch = Batch(correlation_id=correlation_id, traceparent=current_traceparent())
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection, batch
            stored = await batch.flush(connection)
        batch.committed()
        self.publish_soon(stored)

    def publish_soon(self, stored: Sequence[StoredRow]) -> None:
        """Publish committed rows without making the caller wait; a crash leaves them to the sweeper."""
        if stored:
            self.spawn(self._publish(stored), name="publish")

    async def _publish(self, stored: Sequence[StoredRow]) -> None:
        await self.outbox.publish(stored)

    def spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Run something in the background; its failure is logged, never lost."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_work_failed", work=task.get_name(), exc_info=error)

    def start_forever(self, name: str, work: Background) -> None:
        """Keep a loop running: if it raises, it is logged and started again after a pause."""
        self.spawn(keep_running(name, work), name=name)

    def start_every(
        self, name: str, every_s: float, step: Callable[[], Awaitable[object]], *, rest_first: bool = False
    ) -> None:
        """Keep taking a step, with so many seconds of rest between two; as `start_forever` where it raises.

        `rest_first`: for what costs much and that no start-up needs.
        """

        async def rounds() -> None:
            if rest_first:
                await asyncio.sleep(every_s)
            while True:
                await step()
                await asyncio.sleep(every_s)

        self.start_forever(name, rounds)

    def start_consumers(self, handlers: Sequence[Handler[Any, Any]]) -> None:
        """Consume every queue of this service. Raises `ValueError` when a queue has no handler or the reverse."""
        by_type = {handler.contract.type: handler for handler in handlers}
        queues = queues_of(self.service)
        consumed = {queue.contract.type for queue in queues}
        if consumed != set(by_type):
            raise ValueError(f"queues without handler or handlers without queue: {sorted(consumed ^ set(by_type))}")
        limits = ConsumerLimits(states_max=self.settings.batch_states_max, linger_s=self.settings.linger_ms / 1000)
        for queue in queues:
            consumer = Consumer(queue, by_type[queue.contract.type], self.pool, self.broker, self.outbox, limits)
            self._consumers.append(consumer)
            name = f"consume {queue.name}"
            # Whatever escapes a consumer is logged and it starts over: a queue nobody reads fails in silence.
            self._consuming.append(asyncio.create_task(keep_running(name, consumer.run), name=name))

    async def stop(self) -> None:
        """Finish batches in hand, then stop everything else: each takes the grace period of the settings at most."""
        for consumer in self._consumers:
            consumer.stop()
        if self._consuming:
            _, late = await asyncio.wait(self._consuming, timeout=self.settings.shutdown_grace_s)
            for task in late:
                log.warning("consumer_stopped_late", consumer=task.get_name())
                task.cancel()
        publishing = [task for task in self._tasks if task.get_name() == "publish"]
        if publishing:
            await asyncio.wait(publishing, timeout=2)
        for task in list(self._tasks):
            task.cancel()
        if ending := [*self._tasks, *self._consuming]:
            # A statement that is cancelled as it begins may never be answered: its connection is dropped below.
            _, late = await asyncio.wait(ending, timeout=self.settings.shutdown_grace_s)
            for task in late:
                log.warning("work_did_not_end", work=task.get_name())
        await self.broker.close()
        try:
            async with asyncio.timeout(_POOL_CLOSES_IN_S):
                await self.pool.close()
        except TimeoutError:
            log.warning("pool_terminated", waited_s=_POOL_CLOSES_IN_S)
            self.pool.terminate()


async def keep_running(name: str, work: Background) -> None:
    """Run `work` until it returns or this task is cancelled, again after a pause whenever it ends otherwise."""
    delay_s = 0.0
    while True:
        started = time.monotonic()
        try:
            await work()
            return
        except UNAVAILABLE as error:
            delay_s = _pause_s(delay_s, time.monotonic() - started)
            log.warning("background_work_interrupted", work=name, error=type(error).__name__, retry_in_s=delay_s)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled us: the work waited for something that was cancelled, which must not end it in silence.
            delay_s = _pause_s(delay_s, time.monotonic() - started)
            log.exception("background_work_failed", work=name, retry_in_s=delay_s)
        except Exception:
            delay_s = _pause_s(delay_s, time.monotonic() - started)
            # Not swallowed: logged with its traceback, and the loop must outlive one bad pass.
            log.exception("background_work_failed", work=name, retry_in_s=delay_s)
        await asyncio.sleep(delay_s)


def _pause_s(before_s: float, ran_s: float) -> float:
    """How long a loop rests after a failure: twice as long each time, unless it had run well for a while."""
    return 1.0 if before_s == 0 or ran_s > _WELL_AFTER_S else min(before_s * 2, 30.0)


@asynccontextmanager
async def running(service: str, settings: ServiceSettings) -> AsyncIterator[Runtime]:
    """A runtime with its pool open and its outbox swept; everything is stopped on leaving."""
    role = service.replace("-", "_")
    pool = await connect_when_ready(
        settings.database_url, connections_max=settings.database_connections_max, application=f"tillbook-{role}"
    )
    runtime = Runtime(service, settings, pool)
    runtime.start_forever("outbox", runtime.outbox.run)
    try:
        yield runtime
    finally:
        await runtime.stop()
