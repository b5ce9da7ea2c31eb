"""A tenant is gone: remove its company files, documents, attempts, lists and outgoing messages."""

from collections.abc import Sequence

import structlog

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.control import TenantDeleted
from ledger_writer.store import companies

log = structlog.get_logger(__name__)


async def load(connection: Connection, states: Sequence[TenantDeleted]) -> dict[str, int]:
    """Remove in the transaction of the batch; returns how many documents went per tenant."""
    return {state.tenant_id: await companies.purge(connection, state.tenant_id) for state in states}


def handle(state: TenantDeleted, loaded: dict[str, int], batch: Batch) -> None:
    documents = loaded[state.tenant_id]
    batch.after_commit(lambda: log.info("tenant_purged", tenant_id=state.tenant_id, documents=documents))


HANDLER = Handler(TenantDeleted, load, handle)
