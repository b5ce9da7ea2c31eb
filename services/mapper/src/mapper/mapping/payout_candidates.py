"""Which documents payout lines may stand for, from the sets of their orders."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from common.messages.base import Reason
from common.messages.transactions import (
    AccountRole,
    Document,
    DocumentKind,
    SetOutcome,
    TransactionSet,
    WantedState,
)
from mapper.mapping.history import ACCOUNTED_ELSEWHERE
from mapper.mapping.modes import SETTLED_MODES
from mapper.mapping.names import normal
from mapper.mapping.payout_matching import Candidates

INCOMING = frozenset({DocumentKind.SALES_RECEIPT, DocumentKind.PAYMENT})
OUTGOING = frozenset({DocumentKind.REFUND_RECEIPT, DocumentKind.REFUND_PAYMENT})
NOTHING: Mapping[str, str] = MappingProxyType({})


def candidates_of(
    sets: Iterable[TransactionSet],
    orders_by_tender: Mapping[str, str] = NOTHING,
    written_by: Mapping[str, str] = NOTHING,
) -> Candidates:
    """Index the money documents of these orders' sets by tender, refund, reference and order.

    `orders_by_tender`: tender's external id → its order's. `written_by`: order's external id → the mode its documents
    in the ledger were made by, also of orders that are held or filtered now.
    """
    by_tender: dict[str, Document] = {}
    by_refund: dict[str, list[Document]] = {}
    by_reference: dict[str, Document] = {}
    by_order: dict[str, list[Document]] = {}
    refunds_by_order: dict[str, list[Document]] = {}
    why_not: dict[str, Reason] = {}
    sets = list(sets)
    for one in sets:
        orders = (one.source_id, f"number:{normal(one.source_number)}")
        reason = one.reason or _held_money(one)
        if reason is not None:
            why_not[normal(one.source_number)] = why_not[one.source_id] = reason
        for document in one.documents:
            if not _may_be_paid_out(document):
                continue
            if document.kind in INCOMING:
                if document.kind is DocumentKind.PAYMENT:
                    by_tender[document.source_id] = document
                if document.reference:
                    by_reference[normal(document.reference)] = document
                for key in orders:
                    by_order.setdefault(key, []).append(document)
            elif document.kind in OUTGOING:
                by_refund.setdefault(document.source_id, []).append(document)
                if document.reference and document.reference != document.source_id:
                    by_refund.setdefault(document.reference, []).append(document)
                for key in orders:
                    refunds_by_order.setdefault(key, []).append(document)
    by_tender |= _receipts_by_tender(orders_by_tender, by_order)
    return Candidates(
        by_tender,
        by_refund,
        by_reference,
        by_order,
        refunds_by_order,
        why_not,
        _elsewhere(sets),
        _received(sets, orders_by_tender),
        waiting=frozenset(
            one.source_id for one in sets if _held_money(one) is not None or _left_in_ledger(one, written_by)
        ),
        refused=frozenset(one.source_id for one in sets if one.outcome is SetOutcome.HELD),
    )


def _received(sets: Sequence[TransactionSet], orders_by_tender: Mapping[str, str]) -> frozenset[str]:
    """By what payout lines may call the orders of these sets."""
    ids = {one.source_id for one in sets}
    numbers = {f"number:{normal(one.source_number)}" for one in sets if one.source_number}
    tenders = {f"tender:{tender}" for tender, order in orders_by_tender.items() if order in ids}
    return frozenset(ids | numbers | tenders)


def _held_money(one: TransactionSet) -> Reason | None:
    """Why the first money document of a set that has to wait is not written yet."""
    kinds = INCOMING | OUTGOING
    held = (document for document in one.documents if document.kind in kinds and _is_processors(document))
    return next((document.hold for document in held if document.hold is not None), None)


def _left_in_ledger(one: TransactionSet, written_by: Mapping[str, str]) -> bool:
    """Whether the order has documents in the ledger that its set does not name, and so leaves as they are."""
    mode = written_by.get(one.source_id)
    is_left = one.outcome is not SetOutcome.MAPPED and one.source_id not in _elsewhere([one])
    return is_left and bool(mode) and mode not in SETTLED_MODES


def _elsewhere(sets: Iterable[TransactionSet]) -> dict[str, str]:
    """Order's external id → IN_SUMMARY or IN_PAYOUT, of orders that have no sale of their own."""
    reasons = {one.source_id: one.reason.code for one in sets if one.reason is not None}
    return {order: code for order, code in reasons.items() if code in ACCOUNTED_ELSEWHERE}


def money_received(sets: Iterable[TransactionSet]) -> list[Document]:
    """Receipts and payments of these sets that a processor could have paid out."""
    return [
        document
        for one in sets
        for document in one.documents
        if document.kind in INCOMING and _may_be_paid_out(document)
    ]


def _receipts_by_tender(
    orders_by_tender: Mapping[str, str], by_order: Mapping[str, Sequence[Document]]
) -> dict[str, Document]:
    """A receipt doesn't name what paid it, as a payment does: its order does."""
    found = {}
    for tender, order in orders_by_tender.items():
        receipts = [one for one in by_order.get(order, ()) if one.kind is DocumentKind.SALES_RECEIPT]
        if len(receipts) == 1:
            found[tender] = receipts[0]
    return found


def _may_be_paid_out(document: Document) -> bool:
    """Whether it is money that a processor could have had, in the books or on its way there."""
    return document.hold is None and _is_processors(document)


def _is_processors(document: Document) -> bool:
    """Whether a processor could have had the money of it, written or not; a gift card's payment never is."""
    if document.wanted is not WantedState.PRESENT or not document.total:
        return False
    return document.deposit_to is None or document.deposit_to.role is not AccountRole.GIFT_CARDS
