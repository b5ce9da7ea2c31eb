"""The story of one order, from what the owners of its parts tell: pure, oldest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from api.views.orders import TimelineEntry
from common.internal.ingest import OrderHistory
from common.internal.ledger_writer import DocumentView
from common.internal.mapper import PayoutMembership, SetView
from common.internal.mapper_checks import PaymentState
from common.messages.base import Reason

_STAGES = ("raw", "normalized", "mapped", "planned", "written", "paid_out")


@dataclass(frozen=True, slots=True)
class SetAside:
    """The message that the order waits for was given up on."""

    at: datetime
    reason: Reason


def build(
    source: OrderHistory | None,
    sets: Iterable[SetView] | None,
    documents: Iterable[DocumentView] | None,
    payouts: Iterable[PayoutMembership] | None = None,
    payments: Iterable[PaymentState] | None = None,
    set_aside: SetAside | None = None,
) -> list[TimelineEntry]:
    """Put together what could be had; parts that are None are left out."""
    entries: list[TimelineEntry] = []
    if source is not None:
        entries += _from_source(source)
    for view in sets or ():
        entries += _from_set(view)
    for document in documents or ():
        entries += _from_document(document)
    decided = max((view.mapped_at for view in sets or ()), default=None)
    for payment in payments or ():
        if decided is not None and payment.reason is not None and not payment.in_ledger:
            entries.append(_from_missing(payment, decided))
    if set_aside is not None:
        entries.append(_from_set_aside(set_aside))
    for payout in payouts or ():
        entries.append(_from_payout(payout))
    # Stages break ties: what came must stand before what it became.
    return sorted(entries, key=lambda entry: (entry.at, _STAGES.index(entry.stage)))


def _from_source(source: OrderHistory) -> Iterator[TimelineEntry]:
    for part in source.parts:
        changed = "changed nothing" if part.ignored else "stored"
        yield TimelineEntry(
            at=part.received_at,
            stage="raw",
            text=f"{part.topic} came by {part.via}, {part.size_bytes} bytes: {changed}",
            outcome="ignored" if part.ignored else "stored",
        )
    for normalisation in source.normalisations:
        total = f", total {normalisation.total} {normalisation.currency}" if normalisation.total else ""
        yield TimelineEntry(
            at=normalisation.at,
            stage="normalized",
            text=f"revision {normalisation.revision}: {normalisation.status or 'not complete yet'}{total}",
        )
    if source.problem is not None and source.parts:
        yield TimelineEntry(
            at=max(part.received_at for part in source.parts),
            stage="normalized",
            text=source.problem.text,
            outcome="refused",
            reason=source.problem,
        )


def _from_set(view: SetView) -> Iterator[TimelineEntry]:
    yield TimelineEntry(
        at=view.mapped_at,
        stage="mapped",
        text=f"revision {view.inputs.source_revision} {view.outcome.value}: {len(view.documents)} document(s)",
        outcome=view.outcome.value,
        reason=view.reason,
    )
    for document in view.documents:
        number = f" {document.number}" if document.number else ""
        yield TimelineEntry(
            at=view.mapped_at,
            stage="planned",
            text=f"{document.kind.value}{number} of {document.date}: {document.total:f} {document.currency}",
            document_key=document.key,
            kind=document.kind.value,
            outcome=document.wanted.value,
            reason=document.hold,
        )


def _from_document(document: DocumentView) -> Iterator[TimelineEntry]:
    for attempt in document.attempts:
        yield TimelineEntry(
            at=attempt.at,
            stage="written",
            text=f"{attempt.operation} {document.kind.value} {document.number or document.name}: {attempt.outcome}",
            document_key=document.document_key,
            kind=document.kind.value,
            outcome=attempt.outcome,
            reason=attempt.reason,
            duration_ms=attempt.duration_ms,
            ledger_id=attempt.ledger_id,
        )


def _from_payout(payout: PayoutMembership) -> TimelineEntry:
    lines = ", ".join(f"{kind} {amount:f}" for kind, amount in zip(payout.kinds[:5], payout.amounts[:5], strict=False))
    more = f" and {len(payout.kinds) - 5} more" if len(payout.kinds) > 5 else ""
    return TimelineEntry(
        at=payout.mapped_at,
        stage="paid_out",
        text=f"{payout.processor} payout {payout.payout_id} of {payout.paid_on}: {lines}{more} {payout.currency}",
        document_key=payout.document_keys[0] if payout.document_keys else None,
        kind="payout",
        outcome=payout.outcome.value,
        reason=payout.reason,
    )


def _from_missing(payment: PaymentState, at: datetime) -> TimelineEntry:
    """The mapping that decided about it is when it went missing."""
    by = f" by {payment.method}" if payment.method else ""
    return TimelineEntry(
        at=at,
        stage="planned",
        text=f"payment of {payment.captured_on}: {payment.amount:f} {payment.currency}{by} is not in the ledger",
        kind="payment",
        outcome="missing",
        reason=payment.reason,
    )


def _from_set_aside(found: SetAside) -> TimelineEntry:
    return TimelineEntry(at=found.at, stage="mapped", text=found.reason.text, outcome="set_aside", reason=found.reason)
