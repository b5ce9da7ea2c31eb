"""What has to be done now and then, whoever holds the lanes: say what waits, keep lists fresh, forget old attempts.

It runs on every replica; what two of them do at once is done once.
"""

from typing import Final

import structlog

from common.faults import log_fault
from common.runtime import Runtime
from ledger_writer.lanes.lane import Workshop
from ledger_writer.ledgers import BY_NAME
from ledger_writer.messages import to_document_changed
from ledger_writer.store import companies, due, replays, timeline

log = structlog.get_logger(__name__)

ANNOUNCE_EVERY_S: Final = 2.0
TIDY_EVERY_S: Final = 600.0
REPLAYS_DAYS: Final = 30


async def announce_waiting(runtime: Runtime) -> None:
    """Tell the read model of documents that wait in a queue no lane has got to yet.

    Where lanes keep up nothing is ever announced: a document is first heard of when it has been written.
    """
    while await announce(runtime):
        pass


async def announce(runtime: Runtime) -> int:
    """Announce some of those documents. Returns how many; one that can't be read is left to its lane."""
    async with runtime.transaction() as (connection, batch):
        rows = await due.announce(connection)
        for row in rows:
            try:
                batch.publish(to_document_changed(row))
            except Exception as error:  # noqa: BLE001 - logged; everybody else's documents are told of all the same
                log_fault("document_not_announced", error, document_key=row.document_key)
    return len(rows)


async def tidy(workshop: Workshop) -> None:
    """Forget old attempts and answered requests, and ask for lists and checks that are due."""
    pool, settings = workshop.runtime.pool, workshop.settings
    forgotten = await timeline.forget_attempts(pool, settings.attempts_retention_days)
    await replays.forget(pool, REPLAYS_DAYS)
    following = [ledger.name for ledger in BY_NAME.values() if ledger.follows_changes]
    wanted = await companies.want_stale_lists(
        pool, settings.lists_refresh_hours, following, settings.lists_follow_minutes
    )
    to_check = await companies.want_checks(pool, following, settings.ledger_check_hours)
    if forgotten or wanted or to_check:
        log.info("tidied", attempts_forgotten=forgotten, lists_wanted=wanted, checks_wanted=to_check)
