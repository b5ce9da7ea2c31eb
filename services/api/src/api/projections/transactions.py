"""`transactions.listed` → which sets there are, and why some have no documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.columns import column_of_set
from api.projections.living import Deleted, load_deleted
from api.projections.reasons import reason_code, reason_json
from api.store import dead_letters
from api.store.sql import to_json
from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection
from common.handling import Handler
from common.messages.transactions import TransactionsListed

SETS = Upsert(
    table="sets",
    key=("set_key",),
    columns={
        "set_key": "text",
        "tenant_id": "text",
        "company_id": "text",
        "connection_id": "text",
        "source_kind": "text",
        "source_id": "text",
        "source_number": "text",
        "revision": "bigint",
        "source_revision": "bigint",
        "outcome": "text",
        "reason": "jsonb",
        "reason_code": "text",
        "column_alone": "text",
        "documents": "bigint",
        "total": "numeric",
        "currency": "text",
        "date": "date",
        "grouped": "jsonb",
    },
    guard="t.revision <= excluded.revision",
    assignments={
        "said_at": "now()",
        "changed_at": "CASE WHEN t.revision < excluded.revision THEN now() ELSE t.changed_at END",
    },
)


@dataclass(frozen=True, slots=True)
class Around:
    deleted: Deleted
    resent: frozenset[str]
    """Sets that were set aside and are asked for again."""


async def load_around(connection: Connection, states: Sequence[TransactionsListed]) -> Around:
    """Deleted tenants and sets that are waited for among those of the batch; both are nearly always none."""
    deleted = await load_deleted(connection, states)
    owners = sorted({state.tenant_id for state in states})
    resent = await dead_letters.waiting_for_resend(connection, owners, [state.key for state in states])
    return Around(deleted, resent)


def handle_transactions_listed(state: TransactionsListed, around: Around, batch: Batch) -> None:
    """Keep the outcome of mapping, and the column it means while no document says more."""
    if state.tenant_id in around.deleted:
        return
    if state.key in around.resent:
        batch.execute(dead_letters.SENT_AGAIN, state.tenant_id, state.key)
    batch.upsert(
        SETS,
        {
            "set_key": state.key,
            "tenant_id": state.tenant_id,
            "company_id": state.company_id,
            "connection_id": state.connection_id,
            "source_kind": state.source_kind,
            "source_id": state.source_id,
            "source_number": state.source_number,
            "revision": state.revision,
            "source_revision": state.source_revision,
            "outcome": state.outcome.value,
            "reason": reason_json(state.reason),
            "reason_code": reason_code(state.reason),
            "column_alone": column_of_set(state.outcome, state.reason, state.documents).value,
            "documents": state.documents,
            "total": state.total,
            "currency": state.currency,
            "date": state.date,
            "grouped": to_json(list(state.grouped)) if state.grouped else None,
        },
    )


TRANSACTIONS_LISTED = Handler(TransactionsListed, load_around, handle_transactions_listed)
