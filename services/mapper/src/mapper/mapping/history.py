"""What an earlier mapping of the same order decided, where a later one must stay with it.

Almost everything follows from the order's present state alone. Three things do not: whether an order was ever mapped
(refunds that skip a missing original), whether it began as an invoice (receipt mode with the invoice option), and
which quantities earlier part-invoices took.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from common.messages.transactions import DocumentKind, LineKind, SetOutcome, TransactionSet, WantedState


@dataclass(frozen=True, slots=True)
class History:
    """`shipments`: per part-invoice in order, source line id → quantity."""

    mapped: bool = False
    invoiced: bool = False
    shipments: tuple[Mapping[str, Decimal], ...] = ()

    @classmethod
    def of(cls, previous: TransactionSet | None) -> "History":
        """What the last mapped set of the order says; held and filtered sets say nothing."""
        if previous is None or previous.outcome is not SetOutcome.MAPPED:
            return FIRST_TIME
        invoices = sorted(
            (
                one
                for one in previous.documents
                if one.kind is DocumentKind.INVOICE and one.wanted is WantedState.PRESENT
            ),
            key=lambda one: one.ordinal,
        )
        shipments = tuple(
            {
                line.source_line_id: line.quantity
                for line in invoice.lines
                if line.kind in (LineKind.PRODUCT, LineKind.GIFT_CARD_SALE) and line.quantity is not None
            }
            for invoice in invoices
        )
        return cls(mapped=bool(previous.documents), invoiced=bool(invoices), shipments=shipments)


FIRST_TIME: Final = History()
