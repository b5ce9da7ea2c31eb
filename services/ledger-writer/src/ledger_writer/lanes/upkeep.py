"""What has to be done now and then, whoever holds the lanes: say what waits, keep lists fresh, forget old attempts."""

import asyncio
import time

import structlog

from common.runtime import Runtime
from ledger_writer.lanes.lane import Workshop
from ledger_writer.ledgers import BY_NAME
from ledger_writer.messages import to_document_changed
from ledger_writer.store import companies, due, timeline

log = structlog.get_logger(__name__)

_ANNOUNCE_EVERY_S = 2.0
_TIDY_EVERY_S = 600.0


async def announce(runtime: Runtime) -> int:
    """Tell the read model of documents that wait in a queue no lane has got to yet.

    Where lanes keep up nothing is ever announced: a document is first heard of when it has been written.
    """
    async with runtime.transaction() as (connection, batch):
        rows = await due.announce(connection)
        for row in rows:
            batch.publish(to_document_changed(row))
    return len(rows)


class Upkeep:
    """Runs beside the lanes on every replica; what two of them do at once is done once."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    async def run(self) -> None:
        """Announce often and tidy seldom, until cancelled."""
        runtime = self._workshop.runtime
        tidied = -_TIDY_EVERY_S
        while True:
            while await announce(runtime):
                pass
            if time.monotonic() - tidied > _TIDY_EVERY_S:
                await self._tidy()
                tidied = time.monotonic()
            await asyncio.sleep(_ANNOUNCE_EVERY_S)

    async def _tidy(self) -> None:
        pool, settings = self._workshop.runtime.pool, self._workshop.settings
        forgotten = await timeline.forget_attempts(pool, settings.attempts_retention_days)
        following = [ledger.name for ledger in BY_NAME.values() if ledger.follows_changes]
        wanted = await companies.want_stale_lists(
            pool, settings.lists_refresh_hours, following, settings.lists_follow_minutes
        )
        to_check = await companies.want_checks(pool, following, settings.ledger_check_hours)
        if forgotten or wanted or to_check:
            log.info("tidied", attempts_forgotten=forgotten, lists_wanted=wanted, checks_wanted=to_check)
