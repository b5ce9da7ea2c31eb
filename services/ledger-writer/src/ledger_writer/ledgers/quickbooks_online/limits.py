"""The published limits of one company (realm), kept on our side so that the ledger never has to refuse.

A sliding window, because that is what the ledger counts: a leaky bucket of the same rate would either refuse bursts
that are allowed or let through 2 × the limit around a window's edge. State is per process and event loop, because a
company is written by one lane holder at a time; what the last minute held is handed to the next holder, and who asks
something beside the lane waits for its turn there (`lanes.turns`).
"""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from weakref import WeakKeyDictionary

from ledger_writer.ledgers.protocol import Turn
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings

LENT_S: Final = 2.0
"""From lending a request until it has reached the ledger, as long as it may take on a busy machine."""
_SECOND: Final = 1.0
_BUSY_S: Final = 0.1
_ROUNDED_S: Final = 0.005
"""So much before the end of its second counts what others sent, less than an answer takes: two clocks never differ by
quite the same, and what was inherited would be taken for new."""
_REQUESTS, _BATCHES = "requests", "batches"


class OutOfTime(Exception):
    """Waiting for the limit would outlast what the caller may wait. Nothing was sent."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"the company's request limit frees up in {wait_s:.1f} s, later than this caller may wait")
        self.wait_s = wait_s


class Taken:
    """One event. The ledger counts it somewhere between `at` and `until`, which is not known before its answer."""

    __slots__ = ("at", "until")

    def __init__(self, at: float, until: float) -> None:
        self.at = at
        self.until = until


class Window:
    """At most `most` events in any `length_s` seconds, wherever between `at` and `until` each of them counts."""

    def __init__(self, most: int, length_s: float) -> None:
        self._most = most
        self._length_s = length_s
        self._taken: deque[Taken] = deque()

    def wait_s(self, now: float) -> float:
        """Seconds until one more event is allowed; 0 means now."""
        # The same sum as below: another rounding would call an event gone and still there at once.
        while self._taken and self._taken[0].until + self._length_s <= now:
            self._taken.popleft()
        if len(self._taken) < self._most:
            return 0.0
        return self._taken[0].until + self._length_s - now

    def take(self, event: Taken) -> None:
        place = len(self._taken)
        while place and self._taken[place - 1].until > event.until:
            place -= 1  # One that was lent may count for longer than those after it, and must not keep them.
        self._taken.insert(place, event)

    def by_second(self, offset_s: float) -> Counter[int]:
        """Events by the second in which they count at the latest, `offset_s` added to the clock's reading."""
        return Counter(math.ceil(event.until + offset_s) for event in self._taken)

    def add_older(self, moments: Iterable[float]) -> None:
        """Count events that somebody else sent at these readings of the clock."""
        events = (*self._taken, *(Taken(moment, moment) for moment in moments))
        self._taken = deque(sorted(events, key=lambda event: event.until))


class RealmLimits:
    """Requests per window and per second, concurrency and batch calls of one company."""

    def __init__(self, settings: OnlineSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._slack_s = settings.arrival_slack_s
        self._requests = Window(settings.requests_per_window, settings.limit_window_s)
        self._second = Window(settings.requests_per_second, _SECOND)
        self._batches = Window(settings.batches_per_window, settings.limit_window_s)
        self._free = asyncio.Semaphore(settings.concurrent_requests)
        self._turn = asyncio.Lock()
        self._resting_until = 0.0

    def rest(self, seconds: float) -> None:
        """The ledger refused one of this company's requests: send nothing for so long."""
        self._resting_until = max(self._resting_until, self._clock() + seconds)

    def resting_s(self) -> float:
        """Seconds for which nothing may be sent because of a refusal."""
        return max(self._resting_until - self._clock(), 0.0)

    def wait_s(self, *, batch: bool = False) -> float:
        """Seconds after which it is worth asking again; 0 means that `slot` would not wait now."""
        if self._free.locked() or self._turn.locked():
            return _BUSY_S
        return max(0.0, self._until_free_s(self._clock(), self._windows(batch)))

    def _windows(self, batch: bool) -> tuple[Window, ...]:
        return (self._requests, self._second, *((self._batches,) if batch else ()))

    def _until_free_s(self, now: float, windows: Iterable[Window]) -> float:
        return max(self._resting_until - now, *(window.wait_s(now) for window in windows))

    @asynccontextmanager
    async def slot(
        self, *, latest: float | None = None, batch: bool = False, slack_s: float | None = None
    ) -> AsyncIterator[None]:
        """Hold the right to one request. `latest` is the clock reading after which it may not start.

        `slack_s` is how much later than now it may count at most, where that is not the usual. Raises `OutOfTime` at
        once where the limits can't free up by then.
        """
        async with self._free:
            # One waiter at a time reserves, so a slot that frees up is never given to two of them.
            async with self._turn:
                event = await self._reserve(latest, batch, self._slack_s if slack_s is None else slack_s)
            try:
                yield
            finally:
                # Answered, so counted by now: often much earlier than was allowed for.
                event.until = min(event.until, self._clock())

    async def _reserve(self, latest: float | None, batch: bool, slack_s: float) -> Taken:
        windows = self._windows(batch)
        while True:
            now = self._clock()
            if latest is not None and now > latest:
                raise OutOfTime(0.0)
            wait_s = self._until_free_s(now, windows)
            if wait_s <= 0:
                break
            if latest is not None and now + wait_s > latest:
                raise OutOfTime(wait_s)
            await asyncio.sleep(wait_s)
        event = Taken(now, now + slack_s)
        for window in windows:
            window.take(event)
        return event

    def spent(self, wall_s: float) -> dict[str, str]:
        """What the windows hold, for whoever writes to the company next. `wall_s` is the time of day.

        Small enough to be stored with every outcome: `second:count` for each second of the window.
        """
        now = self._clock()
        for window in (self._requests, self._batches):
            window.wait_s(now)  # lets go of what is over
        kept = {_REQUESTS: self._requests, _BATCHES: self._batches}
        counts = {name: sorted(window.by_second(wall_s - now).items()) for name, window in kept.items()}
        return {name: " ".join(f"{second}:{count}" for second, count in found) for name, found in counts.items()}

    def inherit(self, spent: Mapping[str, str], wall_s: float) -> None:
        """Count what others sent to this company lately, as `spent` said it; our own is known already."""
        offset_s = wall_s - self._clock()
        kept = {_REQUESTS: (self._requests, self._second), _BATCHES: (self._batches,)}
        for name, windows in kept.items():
            told = Counter({int(second): int(count) for second, _, count in _parts(spent.get(name, ""))})
            others = told - windows[0].by_second(offset_s)
            # A clock that was set back must not make the company wait for much longer than a window.
            latest = wall_s + LENT_S + _SECOND
            moments = [min(second - _ROUNDED_S, latest) - offset_s for second in others.elements()]
            for window in windows:
                window.add_older(moments)


class Beside:
    """The same for whoever does not hold the lane: each request waits for its turn."""

    def __init__(self, own: RealmLimits, turn: Turn) -> None:
        self._own = own
        self._turn = turn

    def rest(self, seconds: float) -> None:
        self._own.rest(seconds)

    @asynccontextmanager
    async def slot(self, *, latest: float | None = None, batch: bool = False) -> AsyncIterator[None]:
        """As `RealmLimits.slot`; within the limits of the lane's holder, where there is one.

        Where there is none, the lane is held only to count the request: not while waiting, and not while it is sent.
        """
        wait_s = 0.0
        while True:
            if latest is not None and time.monotonic() + wait_s > latest:
                raise OutOfTime(wait_s)
            await asyncio.sleep(wait_s)
            async with self._turn(self._own.resting_s) as borrowed:
                if borrowed is None:
                    yield
                    return
                self._own.inherit(borrowed.bookmark, time.time())
                wait_s = self._own.wait_s(batch=batch)
                if wait_s > 0:
                    await borrowed.give_back(None)
                else:
                    async with self._own.slot(batch=batch, slack_s=LENT_S):
                        if await borrowed.give_back({**borrowed.bookmark, **self._own.spent(time.time())}):
                            yield
                            return


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    return (part.partition(":") for part in text.split())


_realms: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], RealmLimits]]" = WeakKeyDictionary()


def limits_of(realm: str, settings: OnlineSettings) -> RealmLimits:
    """The limits that every session of this process on this company shares."""
    realms = _realms.setdefault(asyncio.get_running_loop(), {})
    return realms.setdefault((settings.api_url, realm), RealmLimits(settings))
