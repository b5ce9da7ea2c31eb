"""A transaction set says what should be in a company file: mark it as wanted, and wake the lane.

Cheap on purpose: a slow or throttled ledger never holds a delivery. What is no longer part of the set stays as a row
that is wanted to have no effect.
"""

from collections.abc import Iterator, Sequence

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.documents import DocumentState
from common.messages.transactions import (
    CustomerWanted,
    Document,
    DocumentKind,
    ItemWanted,
    SetOutcome,
    TransactionSet,
)
from common.telemetry import sampled
from ledger_writer.planning.contacts import followed
from ledger_writer.planning.content import encode
from ledger_writer.planning.plan import RANK
from ledger_writer.store import wanted
from ledger_writer.store.lanes import NOTIFY
from ledger_writer.store.rows import keep_read

_LIVE, _BULK = 0, 1


async def load(connection: Connection, states: Sequence[TransactionSet]) -> wanted.StoredSets:
    shared = {one.key for state in states for _, one in _shared_of(state)}
    dated = {one.key for state in states for one in state.customers if one.contact_at is not None}
    loaded = await wanted.load_sets(connection, [state.key for state in states], shared, sorted(dated))
    # Sent when the transaction commits, so that a lane never looks before there is something to see.
    await connection.execute(NOTIFY, sorted({state.company_id for state in states}))
    return loaded


def handle(state: TransactionSet, loaded: wanted.StoredSets, batch: Batch) -> None:
    set_key = state.key
    stored = loaded.sets.get(set_key)
    if stored is not None and stored.revision >= state.revision:
        return
    priority = _BULK if batch.backfill else _LIVE
    trace = {"traceparent": sampled(batch.traceparent)}
    batch.upsert(
        wanted.SETS,
        {
            "set_key": set_key,
            "tenant_id": state.tenant_id,
            "company_id": state.company_id,
            "connection_id": state.connection_id,
            "source_kind": state.source_kind,
            "source_id": state.source_id,
            "revision": state.revision,
        },
    )
    for kind, one in _shared_of(state):
        # Most orders share theirs with others: what is in the ledger, or was asked for just now, costs nothing more.
        if isinstance(one, CustomerWanted) and one.contact_at is not None:
            _follow(state, one, loaded, priority, batch)
        elif one.key not in loaded.written and loaded.asked.get(one.key) != one:
            loaded.asked[one.key] = one
            batch.upsert(wanted.SHARED, _shared_row(state, kind, one, loaded.seq, priority))
    for document in state.documents:
        batch.upsert(wanted.DOCUMENTS, _document_row(state, set_key, document, loaded.seq, priority) | trace)
    if stored is not None:
        kept = {document.key for document in state.documents}
        removed = [key for key, is_removed in stored.documents.items() if key not in kept and not is_removed]
        if removed:
            # A held or filtered set doesn't say what should be there: what was written before it stays, and what was
            # only planned is written no more.
            statement = wanted.REMOVE if state.outcome is SetOutcome.MAPPED else wanted.WITHDRAW
            hold = state.after_posting == "hold"
            batch.execute(statement, removed, hold, state.inputs.source_revision, priority, loaded.seq)


def _follow(
    state: TransactionSet, order: CustomerWanted, loaded: wanted.StoredSets, priority: int, batch: Batch
) -> None:
    """Keep the newest contact of a customer; the lane has work only where it is another."""
    known = loaded.followed.get(order.key)
    settled = known is not None and known.settled
    customer = order if known is None else followed(known.wanted, order, settled=settled)
    if known is None or customer != known.wanted:
        loaded.followed[order.key] = wanted.FollowedCustomer(customer, settled)
        batch.upsert(wanted.FOLLOWED, _shared_row(state, DocumentKind.CUSTOMER, customer, loaded.seq, priority))


def _shared_of(state: TransactionSet) -> Iterator[tuple[DocumentKind, CustomerWanted | ItemWanted]]:
    yield from ((DocumentKind.CUSTOMER, one) for one in state.customers)
    yield from ((DocumentKind.VENDOR, one) for one in state.vendors)
    yield from ((DocumentKind.ITEM, one) for one in state.items)


def _document_row(
    state: TransactionSet, set_key: str, document: Document, seq: int, priority: int
) -> dict[str, object]:
    body, fingerprint = encode(document)
    keep_read(body, document)
    return {
        "document_key": document.key,
        "tenant_id": state.tenant_id,
        "company_id": state.company_id,
        "connection_id": state.connection_id,
        "source_kind": state.source_kind,
        "source_id": state.source_id,
        "source_number": state.source_number,
        "source_revision": state.inputs.source_revision,
        "set_key": set_key,
        "kind": document.kind.value,
        "rank": RANK[document.kind],
        "priority": priority,
        "seq": seq,
        "wanted": body,
        "content_hash": fingerprint,
        "hold_edits": state.after_posting == "hold",
        "number": document.shown_number,
        "name": "",
        "on_date": document.date,
        "amount": document.total,
        "currency": document.currency,
        "state": DocumentState.NOT_TRIED.value,
    }


def _shared_row(
    state: TransactionSet, kind: DocumentKind, shared: CustomerWanted | ItemWanted, seq: int, priority: int
) -> dict[str, object]:
    body, fingerprint = encode(shared)
    return {
        "document_key": shared.key,
        "tenant_id": state.tenant_id,
        "company_id": state.company_id,
        "connection_id": "",
        "source_kind": "",
        "source_id": "",
        "source_number": "",
        "source_revision": state.inputs.source_revision,
        "set_key": "",
        "kind": kind.value,
        "rank": RANK[kind],
        "priority": priority,
        "seq": seq,
        "wanted": body,
        "content_hash": fingerprint,
        "hold_edits": False,
        "number": "",
        "name": shared.display_name if isinstance(shared, CustomerWanted) else shared.name,
        "on_date": None,
        "amount": None,
        "currency": (shared.currency or "") if isinstance(shared, CustomerWanted) else "",
        "traceparent": None,
        "state": DocumentState.NOT_TRIED.value,
    }


HANDLER = Handler(TransactionSet, load, handle)
