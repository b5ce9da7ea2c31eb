"""Which lanes this replica holds: looks for free ones with work, and wakes those it has."""

import asyncio
import os
import secrets
import socket
import time
from functools import partial
from typing import Any

import structlog

from common.broker import UNAVAILABLE
from ledger_writer.lanes import turns
from ledger_writer.lanes.lane import Lane, Workshop
from ledger_writer.store import lanes

log = structlog.get_logger(__name__)


class Holder:
    """Leases lanes for as long as `run` runs."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._name = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._held: dict[str, tuple[Lane, asyncio.Task[None]]] = {}
        self._stumbled: set[str] = set()
        """Company files whose last lane a bug ended."""
        self._look = asyncio.Event()

    async def run(self) -> None:
        """Hold lanes until cancelled; then finish the passes in hand."""
        listening = asyncio.create_task(self._listen(), name="lane notifications")
        try:
            while True:
                self._look.clear()
                await self._acquire()
                try:
                    async with asyncio.timeout(self._workshop.settings.lane_poll_s):
                        await self._look.wait()
                except TimeoutError:
                    continue
        finally:
            listening.cancel()
            await self.stop()

    async def stop(self) -> None:
        """Let every lane finish its pass and give it back."""
        tasks = []
        for lane, task in self._held.values():
            lane.stop()
            tasks.append(task)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._workshop.settings.shutdown_grace_s)
            for task in late:
                task.cancel()

    async def _acquire(self) -> None:
        room = self._workshop.settings.lanes_max - len(self._held)
        if room <= 0:
            return
        asked = time.monotonic()
        leases = await lanes.acquire(
            self._workshop.runtime.pool, self._name, self._workshop.settings.lane_lease_s, room
        )
        for lease in leases:
            lane = Lane(self._workshop, lease, asked, careful=lease.company_id in self._stumbled)
            # Not one of the runtime's tasks, which are cancelled at the end: a lane finishes its pass.
            task = asyncio.create_task(lane.run(), name=f"lane {lease.company_id}")
            self._held[lease.company_id] = (lane, task)
            task.add_done_callback(partial(self._ended, lease.company_id, lane))
            log.info("lane_held", company_id=lease.company_id, epoch=lease.epoch)

    def _ended(self, company_id: str, lane: Lane, task: asyncio.Task[None]) -> None:
        # After a lost lease this process may hold the company file anew before its first lane has ended.
        if self._held.get(company_id) == (lane, task):
            del self._held[company_id]
        if lane.stumbled:
            self._stumbled.add(company_id)
        else:
            self._stumbled.discard(company_id)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("lane_failed", company_id=company_id, exc_info=error)
        self._look.set()

    async def _listen(self) -> None:
        """Wake lanes when a transaction says that there is work; polling covers what is missed."""
        while True:
            try:
                async with self._workshop.runtime.pool.acquire() as connection:
                    lost = asyncio.Event()
                    connection.add_termination_listener(partial(_set, lost))
                    await connection.add_listener(lanes.CHANNEL, self._notified)
                    await connection.add_listener(turns.CHANNEL, self._heard)
                    try:
                        await lost.wait()
                    finally:
                        if not connection.is_closed():
                            await connection.remove_listener(lanes.CHANNEL, self._notified)
                            await connection.remove_listener(turns.CHANNEL, self._heard)
            except UNAVAILABLE as error:
                log.warning("lane_notifications_lost", error=type(error).__name__)
            await asyncio.sleep(1.0)

    def _heard(self, _connection: Any, _pid: int, _channel: str, said: object) -> None:
        self._workshop.turns.heard(str(said))

    def _notified(self, _connection: Any, _pid: int, _channel: str, company_id: object) -> None:
        held = self._held.get(str(company_id))
        if held is not None:
            held[0].wake()
        else:
            self._look.set()


def _set(event: asyncio.Event, *_: Any) -> None:
    event.set()
