"""Publishes what this service owns again for those who rebuild a mirror, one page a transaction."""

from collections.abc import Callable, Mapping
from typing import Final

import asyncpg
import structlog

from common.faults import log_fault
from common.messages.base import State
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.runtime import Runtime
from ledger_writer.ledgers import BY_NAME
from ledger_writer.messages import to_document_changed
from ledger_writer.store import catalog, replays
from ledger_writer.store.companies import Company
from ledger_writer.store.rows import Row

log = structlog.get_logger(__name__)

PAGE: Final = 500
LOOK_EVERY_S: Final = 1.0


def _document(record: asyncpg.Record) -> State:
    return to_document_changed(Row.of(record))


def _company(record: asyncpg.Record) -> State:
    company = Company.of(record)
    return company.changed(BY_NAME[company.ledger])


def _entry(record: asyncpg.Record) -> State:
    return catalog.parse(record["body"], record["revision"])


_STATES: Final[Mapping[str, Callable[[asyncpg.Record], State]]] = {
    DocumentChanged.type: _document,
    CompanyChanged.type: _company,
    CatalogEntry.type: _entry,
}


async def replay_waiting(runtime: Runtime) -> None:
    """Publish what is asked for until nothing is. Replicas share the requests, each its own one."""
    while await replay_page(runtime):
        pass


async def replay_page(runtime: Runtime, limit: int = PAGE) -> bool:
    """Publish one page of the oldest request, in key order; false where none is open.

    A row that can't be read is left out and logged: everybody else's rebuild goes on without it.
    """
    async with runtime.transaction() as (connection, batch):
        replay = await replays.oldest(connection)
        if replay is None:
            return False
        rows = await replays.page(connection, replay, limit)
        position = replay.position
        for row in rows:
            position = replays.position_of(replay, row)
            try:
                batch.publish(_STATES[replay.entity](row), correlation_id=replay.request_id)
            except Exception as error:  # noqa: BLE001 - logged, and left out
                log_fault(
                    "state_left_out",
                    error,
                    request_id=replay.request_id,
                    tenant_id=replay.tenant_id,
                    entity=replay.entity,
                    position="/".join(position),
                )
        finished = len(rows) < limit
        batch.execute(replays.MOVED, replay.request_id, replays.encode_position(position), finished)
    if finished:
        log.info("states_published_again", request_id=replay.request_id, entity=replay.entity)
    return True
