"""`documents.changed` → where every document, customer and item of the ledgers stands."""

import orjson

from api.columns import column_of_document
from api.projections.living import Deleted, load_deleted
from api.projections.reasons import reason_code, reason_json
from common.batch import Batch
from common.bulk import Upsert
from common.handling import Handler
from common.messages.documents import DocumentChanged, DocumentState

DOCUMENTS = Upsert(
    table="documents",
    key=("document_key",),
    columns={
        "document_key": "text",
        "tenant_id": "text",
        "company_id": "text",
        "connection_id": "text",
        "source_kind": "text",
        "source_id": "text",
        "source_number": "text",
        "source_revision": "bigint",
        "revision": "bigint",
        "kind": "text",
        "state": "text",
        "column_name": "text",
        "reason": "jsonb",
        "reason_code": "text",
        "notices": "jsonb",
        "has_notices": "boolean",
        "blocked_by": "text",
        "number": "text",
        "name": "text",
        "date": "date",
        "amount": "numeric",
        "currency": "text",
        "standing": "numeric",
        "ledger_id": "text",
        "ledger_url": "text",
        "attempts": "bigint",
        "first_seen_at": "timestamptz",
        "last_attempt_at": "timestamptz",
        "next_attempt_at": "timestamptz",
    },
    guard="t.revision <= excluded.revision",
    assignments={"said_at": "now()"},
)

_NO_NOTICES = "[]"


def handle_document_changed(state: DocumentChanged, deleted: Deleted, batch: Batch) -> None:
    """Keep the state and its reason, and decide the one column of the overview it is counted in."""
    if state.tenant_id in deleted:
        return
    notices = _NO_NOTICES
    if state.notices:
        notices = orjson.dumps([notice.model_dump(mode="json") for notice in state.notices]).decode()
    batch.upsert(
        DOCUMENTS,
        {
            "document_key": state.document_key,
            "tenant_id": state.tenant_id,
            "company_id": state.company_id,
            "connection_id": state.connection_id,
            "source_kind": state.source_kind,
            "source_id": state.source_id,
            "source_number": state.source_number,
            "source_revision": state.source_revision,
            "revision": state.revision,
            "kind": state.kind.value,
            "state": state.state.value,
            "column_name": column_of_document(state.state, state.reason).value,
            "reason": reason_json(state.reason),
            "reason_code": reason_code(state.reason),
            "notices": notices,
            "has_notices": bool(state.notices),
            "blocked_by": state.blocked_by,
            "number": state.number,
            "name": state.name,
            "date": state.date,
            "amount": state.amount,
            "currency": state.currency,
            "standing": state.amount if state.state is DocumentState.SYNCED else state.standing,
            "ledger_id": state.ledger_id,
            "ledger_url": state.ledger_url,
            "attempts": state.attempts,
            "first_seen_at": state.first_seen_at,
            "last_attempt_at": state.last_attempt_at,
            "next_attempt_at": state.next_attempt_at,
        },
    )


DOCUMENT_CHANGED = Handler(DocumentChanged, load_deleted, handle_document_changed)
