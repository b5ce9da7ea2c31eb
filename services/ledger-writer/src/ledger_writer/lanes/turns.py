"""Turns at a company's ledger beside its lane, so that what routes ask counts within the same limits.

The lane's holder keeps the limits. Whoever wants to send one request beside it asks by a notification, in whatever
replica it is, and waits until the holder has set one request aside; the holder counts it as it counts its own. Where
nobody holds the lane, the one who asks borrows it, only to count the request. A notification that got lost is sent
again.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Final

import structlog

from common.broker import UNAVAILABLE
from common.database import Pool
from common.errors import Retryable
from ledger_writer.ledgers.protocol import Borrowed
from ledger_writer.store import lanes

log = structlog.get_logger(__name__)

CHANNEL: Final = "ledger_writer_turns"
_AGAIN_S: Final = 0.5
_LASTS_S: Final = 130.0
"""A turn whose end nobody told is over then. One that lasts longer was counted all the same."""

Lend = Callable[[float], AbstractAsyncContextManager[None]]
"""Given how many seconds the ledger asked the other one to rest for."""


class Turns:
    """What this replica's lanes lend, and what its routes asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lenders: dict[str, Lend] = {}
        self._asked: dict[str, asyncio.Event] = {}
        """Set once it is granted."""
        self._lent: dict[str, asyncio.Event] = {}
        """Set once it is over."""
        self._granted: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def lending(self, company_id: str, lend: Lend) -> Iterator[None]:
        """Grant turns of the company while its lane is held here."""
        self._lenders[company_id] = lend
        try:
            yield
        finally:
            if self._lenders.get(company_id) is lend:
                del self._lenders[company_id]

    def heard(self, said: str) -> None:
        """Take a notification: `ask <turn> <company> <seconds to rest>`, `granted <turn>` or `over <turn>`."""
        what, turn, *asked = said.split(" ")
        if what == "granted" and turn in self._asked:
            self._asked[turn].set()
        elif what == "over" and turn in self._lent:
            self._lent[turn].set()
        elif what == "ask" and turn in self._granted:
            self._start(self._say(f"granted {turn}"))
        elif what == "ask" and asked and asked[0] in self._lenders and turn not in self._lent:
            self._lent[turn] = asyncio.Event()
            self._start(self._grant(turn, self._lenders[asked[0]](float(asked[1]))))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _grant(self, turn: str, lent: AbstractAsyncContextManager[None]) -> None:
        try:
            async with lent, asyncio.timeout(_LASTS_S):
                self._granted.add(turn)
                await self._say(f"granted {turn}")
                await self._lent[turn].wait()
        except TimeoutError:
            log.warning("turn_not_ended", lasted_s=_LASTS_S)
        finally:
            self._granted.discard(turn)
            del self._lent[turn]

    @asynccontextmanager
    async def take(self, company_id: str, resting_s: Callable[[], float]) -> AsyncIterator[Borrowed | None]:
        """Wait for the right to one request, for as long as the caller lets it.

        Raises `Retryable` where the database can't be asked: no answer of it may pass for one of the ledger.
        """
        turn = secrets.token_hex(8)
        granted = self._asked[turn] = asyncio.Event()
        asked = False
        try:
            while not granted.is_set():
                with _database():
                    lease = await lanes.borrow(self._pool, company_id, f"turn {turn}")
                if lease is not None:
                    yield Borrowed(lease.bookmark, partial(self._give_back, lease))
                    return
                asked = True
                await self._say(f"ask {turn} {company_id} {resting_s():.3f}")
                try:
                    async with asyncio.timeout(_AGAIN_S):
                        await granted.wait()
                except TimeoutError:
                    continue
            yield None
        finally:
            del self._asked[turn]
            if asked:
                await self._say(f"over {turn}")

    async def _give_back(self, lease: lanes.Lease, bookmark: Mapping[str, str] | None) -> bool:
        with _database():
            return await lanes.give_back(self._pool, lease, bookmark)

    async def _say(self, text: str) -> None:
        try:
            await self._pool.execute("SELECT pg_notify($1, $2)", CHANNEL, text)
        except UNAVAILABLE as error:
            log.warning("turn_not_told", error=type(error).__name__)


@contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except UNAVAILABLE as error:
        raise Retryable(f"a turn at the ledger can't be had now ({type(error).__name__})") from error
