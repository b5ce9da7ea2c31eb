"""Reading a ledger's reference lists into the mirror, and telling the others what changed."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import structlog

from common.messages.documents import CatalogEntry
from common.runtime import Runtime
from ledger_writer.ledgers.changes import FollowsChanges
from ledger_writer.ledgers.protocol import Ledger, LedgerSession
from ledger_writer.store import catalog, companies, repaired
from ledger_writer.store.companies import Company

log = structlog.get_logger(__name__)


async def refresh_lists(runtime: Runtime, company: Company, ledger: Ledger, session: LedgerSession) -> None:
    """Read every list; entries that changed get a new revision and are published, entries that are gone inactive.

    Raises `common.errors.Retryable` when the ledger does not answer.
    """
    changed = 0
    started = await _now(runtime)
    async for page in session.lists(ledger.list_names):
        changed += await _mirror(runtime, page)
    async with runtime.transaction() as (connection, batch):
        for entry in await catalog.retire(connection, company.company_id, ledger.list_names, started):
            batch.publish(entry)
            changed += 1
        await companies.lists_were_read(connection, company.company_id, started)
    log.info("lists_read", company_id=company.company_id, changed=changed)


async def follow_lists(
    runtime: Runtime, company: Company, ledger: Ledger, session: FollowsChanges, since: datetime
) -> None:
    """Read what changed in the lists since then; a ledger that can't tell gives them whole. Raises as above."""
    changed = 0
    started = await _now(runtime)
    async for page in session.changed_lists(ledger.list_names, since):
        changed += await _mirror(runtime, page)
    async with runtime.transaction() as (connection, _):
        await companies.lists_were_read(connection, company.company_id, started)
    log.info("lists_followed", company_id=company.company_id, changed=changed)


async def _now(runtime: Runtime) -> datetime:
    async with runtime.transaction() as (connection, _):
        return await catalog.now(connection)


async def _mirror(runtime: Runtime, page: Sequence[CatalogEntry]) -> int:
    """Store one page and publish what is new in it. Returns how many entries that are."""
    async with runtime.transaction() as (connection, batch):
        changed = await catalog.store(connection, [(entry, content_of(entry)) for entry in page])
        for entry in changed:
            batch.publish(entry)
        if changed and (queued := await repaired.try_again(connection, changed[0].company_id, changed)):
            log.info("tried_again", company_id=changed[0].company_id, documents=queued)
    return len(changed)


def content_of(entry: CatalogEntry) -> str:
    """Fingerprint of what the ledger says about the object."""
    body = entry.model_dump_json(exclude={"revision"}, exclude_defaults=True)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
