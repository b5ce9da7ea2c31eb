"""The published limits of one company (realm), kept on our side so that the ledger never has to refuse.

A sliding window, because that is what the ledger counts: a leaky bucket of the same rate would either refuse bursts
that are allowed or let through 2 × the limit around a window's edge. State is per process and event loop; a company is
written by one lane holder at a time.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings

_WINDOW_MARGIN: Final = 1.005
_SECOND_MARGIN: Final = 1.1
"""The ledger counts when requests arrive, and some arrive closer together than they left: our windows are a little
longer than its own. A refusal costs a minute, the margins cost half a percent (the minute's limit binds first)."""


class OutOfTime(Exception):
    """Waiting for the limit would outlast what the caller may wait. Nothing was sent."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"the company's request limit frees up in {wait_s:.1f} s, later than this caller may wait")
        self.wait_s = wait_s


class Window:
    """At most `most` events in any `length_s` seconds."""

    def __init__(self, most: int, length_s: float) -> None:
        self._most = most
        self._length_s = length_s
        self._times: deque[float] = deque()

    def wait_s(self, now: float) -> float:
        """Seconds until one more event is allowed; 0 means now."""
        # The same sum as below: another rounding would call an event gone and still there at once.
        while self._times and self._times[0] + self._length_s <= now:
            self._times.popleft()
        if len(self._times) < self._most:
            return 0.0
        return self._times[0] + self._length_s - now

    def take(self, now: float) -> None:
        self._times.append(now)


class RealmLimits:
    """Requests per window and per second, concurrency and batch calls of one company."""

    def __init__(self, settings: OnlineSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        window_s = settings.limit_window_s * _WINDOW_MARGIN
        self._all = (
            Window(settings.requests_per_window, window_s),
            Window(settings.requests_per_second, _SECOND_MARGIN),
        )
        self._batches = Window(settings.batches_per_window, window_s)
        self._free = asyncio.Semaphore(settings.concurrent_requests)
        self._turn = asyncio.Lock()
        self._resting_until = 0.0

    def rest(self, seconds: float) -> None:
        """The ledger refused one of this company's requests: send nothing for so long."""
        self._resting_until = max(self._resting_until, self._clock() + seconds)

    @asynccontextmanager
    async def slot(self, *, latest: float | None = None, batch: bool = False) -> AsyncIterator[None]:
        """Hold the right to one request. `latest` is the clock reading after which it may not start.

        Raises `OutOfTime` at once where the limits can't free up by then.
        """
        async with self._free:
            # One waiter at a time reserves, so a slot that frees up is never given to two of them.
            async with self._turn:
                await self._reserve(latest, batch)
            yield

    async def _reserve(self, latest: float | None, batch: bool) -> None:
        windows = (*self._all, self._batches) if batch else self._all
        while True:
            now = self._clock()
            if latest is not None and now > latest:
                raise OutOfTime(0.0)
            wait_s = max(self._resting_until - now, *(window.wait_s(now) for window in windows))
            if wait_s <= 0:
                break
            if latest is not None and now + wait_s > latest:
                raise OutOfTime(wait_s)
            await asyncio.sleep(wait_s)
        for window in windows:
            window.take(now)


_realms: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], RealmLimits]]" = WeakKeyDictionary()


def limits_of(realm: str, settings: OnlineSettings) -> RealmLimits:
    """The limits that every session of this process on this company shares."""
    realms = _realms.setdefault(asyncio.get_running_loop(), {})
    return realms.setdefault((settings.api_url, realm), RealmLimits(settings))
