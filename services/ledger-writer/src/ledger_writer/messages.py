"""A stored row as the states this service publishes."""

from decimal import Decimal
from typing import Final

import orjson

from common.messages.documents import DocumentChanged, DocumentState
from common.messages.transactions import DocumentKind
from ledger_writer.planning.model import Effect
from ledger_writer.planning.states import LEDGER_DELETED
from ledger_writer.store.rows import Row, decode_link

_SAID_BY_STATE: Final = frozenset({DocumentState.SYNCED, DocumentState.VOIDED, DocumentState.SKIPPED})
"""States that say what stands in the ledger: what is wanted, or nothing."""
_STANDS: Final = frozenset({Effect.PRESENT, Effect.CLOSED})


def to_document_changed(row: Row) -> DocumentChanged:
    """How a document, customer or item stands, from everything stored about it."""
    link = decode_link(row.link)
    return DocumentChanged(
        tenant_id=row.tenant_id,
        revision=row.revision,
        document_key=row.document_key,
        company_id=row.company_id,
        connection_id=row.connection_id,
        source_kind=row.source_kind,
        source_id=row.source_id,
        source_number=row.source_number,
        source_revision=row.source_revision,
        kind=DocumentKind(row.kind),
        state=DocumentState(row.state),
        reason=row.reason_value(),
        notices=row.notices_value(),
        blocked_by=row.blocked_by,
        number=(link.number if link is not None else "") or row.number,
        name=row.name,
        date=row.on_date,
        amount=row.amount,
        currency=row.currency,
        standing=standing(row, row.state, row.code, row.effect),
        ledger_id=row.ledger_id,
        attempts=row.attempts,
        first_seen_at=row.first_seen_at,
        last_attempt_at=row.last_attempt_at,
        next_attempt_at=row.next_attempt_at,
    )


def standing(row: Row, state: str, code: str, effect: str, *, is_written: bool = False) -> Decimal | None:
    """The total that stands in the ledger while the state says that something else is wanted, or not known yet.

    `is_written`: what stands there now is what the row wants.
    """
    if state in _SAID_BY_STATE or effect not in _STANDS or code == LEDGER_DELETED:
        return None
    if is_written or row.written is None or row.written_hash == row.content_hash or row.amount is None:
        return row.amount
    return Decimal(orjson.loads(row.written)["total"])
