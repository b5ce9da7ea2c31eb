"""Sends webhooks: many at once, signed as the channel signs them, counted by what the receiver said."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from sandbox.shops.connection import Connection, NoAnswer
from sandbox.shops.life import Event
from sandbox.shops.signatures import Delivery, headers_of

QUEUE_MAX: Final = 64
FAILURES_KEPT: Final = 1_000
SUCCESS: Final = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery that got no 2xx answer: the status, or what went wrong on the way."""

    topic: str
    order_id: str
    delivery_id: str
    reason: str


@dataclass(slots=True)
class Report:
    """What came of a sequence of deliveries. `by_status` counts last answers by HTTP status, 0 for none at all."""

    sent: int = 0
    retried: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def accepted(self) -> int:
        """Deliveries answered with a 2xx."""
        return sum(count for status, count in self.by_status.items() if is_accepted(status))


class WebhookSender:
    """Posts deliveries to one receiver.

    `concurrency` deliveries are under way at once. With `in_order` those of one order follow each other; otherwise they
    may overtake, as webhooks do. A delivery without a 2xx answer is tried `attempts_max` times in all, `retry_after_s`
    apart and doubling. `on_sent` is called after each delivery, for a progress bar.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        *,
        concurrency: int = 16,
        in_order: bool = False,
        attempts_max: int = 1,
        retry_after_s: float = 0.2,
        timeout_s: float = 5.0,
        on_sent: Callable[[int], None] | None = None,
    ) -> None:
        self.url, self._secret = url, secret
        self.concurrency, self.in_order = concurrency, in_order
        self.attempts_max, self.retry_after_s, self.timeout_s = attempts_max, retry_after_s, timeout_s
        self._on_sent = on_sent

    async def send(self, deliveries: Iterable[Delivery | Event]) -> Report:
        """Deliver everything and report. Never raises for what the receiver or the network does."""
        report, started = Report(), time.monotonic()
        lanes = self.concurrency if self.in_order else 1
        queues: list[asyncio.Queue[Delivery | None]] = [asyncio.Queue(QUEUE_MAX) for _ in range(lanes)]
        async with asyncio.TaskGroup() as group:
            for number in range(self.concurrency):
                group.create_task(self._work(queues[number % lanes], report))
            for item in deliveries:
                delivery = item if isinstance(item, Delivery) else Delivery.of(item)
                await queues[zlib.crc32(delivery.event.order_id.encode()) % lanes].put(delivery)
            for number in range(self.concurrency):
                await queues[number % lanes].put(None)
        report.seconds = time.monotonic() - started
        return report

    async def _work(self, queue: asyncio.Queue[Delivery | None], report: Report) -> None:
        connection = Connection(self.url, self.timeout_s)
        try:
            while (delivery := await queue.get()) is not None:
                await self._deliver(delivery, connection, report)
        finally:
            connection.close()

    async def _deliver(self, delivery: Delivery, connection: Connection, report: Report) -> None:
        raw = delivery.event.raw()
        status, reason = 0, ""
        for attempt in range(self.attempts_max):
            if attempt:
                report.retried += 1
                await asyncio.sleep(self.retry_after_s * 2 ** (attempt - 1))
            status, reason = await self._post(delivery, raw, connection)
            if is_accepted(status):
                break
        report.sent += 1
        report.by_status[status] += 1
        if not is_accepted(status) and len(report.failures) < FAILURES_KEPT:
            report.failures.append(Failure(delivery.event.topic, delivery.event.order_id, delivery.delivery_id, reason))
        if self._on_sent:
            self._on_sent(status)

    async def _post(self, delivery: Delivery, raw: bytes, connection: Connection) -> tuple[int, str]:
        try:
            status = await connection.post(headers_of(delivery, raw, self._secret), raw)
        except (OSError, TimeoutError, NoAnswer) as error:
            return 0, type(error).__name__
        return status, f"HTTP {status}"


def is_accepted(status: int) -> bool:
    """Whether a receiver took a delivery: any 2xx."""
    return status // 100 == SUCCESS
