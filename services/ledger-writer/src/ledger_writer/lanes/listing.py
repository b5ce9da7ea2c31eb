"""Reading a ledger's reference lists into the mirror, and telling the others what changed."""

import hashlib

import structlog

from common.messages.documents import CatalogEntry
from common.runtime import Runtime
from ledger_writer.ledgers.protocol import Ledger, LedgerSession
from ledger_writer.store import catalog, companies
from ledger_writer.store.companies import Company

log = structlog.get_logger(__name__)


async def refresh_lists(runtime: Runtime, company: Company, ledger: Ledger, session: LedgerSession) -> None:
    """Read every list; entries that changed get a new revision and are published, entries that are gone inactive.

    Raises `common.errors.Retryable` when the ledger does not answer.
    """
    changed = 0
    async with runtime.transaction() as (connection, _):
        started = await catalog.now(connection)
    async for page in session.lists(ledger.list_names):
        async with runtime.transaction() as (connection, batch):
            entries = [(entry, content_of(entry)) for entry in page]
            for entry in await catalog.store(connection, entries):
                batch.publish(entry)
                changed += 1
    async with runtime.transaction() as (connection, batch):
        for entry in await catalog.retire(connection, company.company_id, ledger.list_names, started):
            batch.publish(entry)
            changed += 1
        await companies.lists_were_read(connection, company.company_id)
    log.info("lists_read", company_id=company.company_id, changed=changed)


def content_of(entry: CatalogEntry) -> str:
    """Fingerprint of what the ledger says about the object."""
    body = entry.model_dump_json(exclude={"revision"}, exclude_defaults=True)
    return hashlib.blake2b(body.encode(), digest_size=16).hexdigest()
