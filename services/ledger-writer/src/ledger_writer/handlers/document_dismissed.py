"""A person hid a warning, or took that back. What depends on the document is planned again and says so."""

from collections.abc import Sequence

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.control import DocumentDismissed
from ledger_writer.messages import to_document_changed
from ledger_writer.store import due, requests
from ledger_writer.store.lanes import NOTIFY
from ledger_writer.store.rows import Row


async def load(connection: Connection, states: Sequence[DocumentDismissed]) -> dict[str, Row]:
    """Change each document, guarded by the revision of the change of mind; the result is published by `handle`."""
    changed: dict[str, Row] = {}
    for state in sorted(states, key=lambda one: one.document_key):
        act = requests.dismiss if state.dismissed else requests.undismiss
        row = await act(connection, state.document_key, state.company_id, state.revision, state.tenant_id)
        if row is not None:
            changed[state.document_key] = row
    await due.release(connection, sorted(changed))
    await connection.execute(NOTIFY, sorted({state.company_id for state in states}))
    return changed


def handle(state: DocumentDismissed, loaded: dict[str, Row], batch: Batch) -> None:
    row = loaded.get(state.document_key)
    if row is not None:
        batch.publish(to_document_changed(row))


HANDLER = Handler(DocumentDismissed, load, handle)
