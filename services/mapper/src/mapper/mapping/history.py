"""What an earlier mapping of the same order decided, where a later one must stay with it.

Almost everything follows from the order's present state alone. Five things do not: whether an order was ever mapped
(closed periods, refunds that skip a missing original), whether it has its invoice or bill (receipt mode with the
invoice option, rules that keep either back), how its cancellation was booked (a period that closes later must not
change that), which quantities earlier part-invoices took, and by which mode it was written (a new mode is for what is
not written yet).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from common.messages.orders import Direction, direction_of
from common.messages.transactions import DocumentKind, SetOutcome, TransactionSet, WantedState

IN_SUMMARY: Final = "IN_SUMMARY"
IN_PAYOUT: Final = "IN_PAYOUT"
ACCOUNTED_ELSEWHERE: Final = frozenset({IN_SUMMARY, IN_PAYOUT})
"""Codes of orders that have no sale of their own: one for all orders of a day, or the payout, is theirs."""


@dataclass(frozen=True, slots=True)
class History:
    """`cancellation`: void, or credit with the day of the memo (`credit 2026-04-01`), empty while not cancelled; an
    earlier release kept `credit` alone. `shipments`: per part-invoice, line id → quantity.

    `invoiced`: an invoice, or the bill of a purchase, waits for nothing, so that it may be in the ledger. `mode`: the
    mode in force when documents that may be written were made; empty while there are none.
    """

    mapped: bool = False
    invoiced: bool = False
    cancellation: str = ""
    shipments: tuple[Mapping[str, Decimal], ...] = ()
    mode: str = ""

    @property
    def credited_on(self) -> date | None:
        """The day of the credit memo by which the cancellation was booked."""
        _, _, day = self.cancellation.partition(" ")
        return date.fromisoformat(day) if day else None

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
                if line.quantity is not None  # goods alone have one
            }
            for invoice in invoices
        )
        return cls(
            mapped=bool(previous.documents),
            invoiced=any(one.hold is None for one in invoices) or _billed(previous),
            cancellation=_cancellation(previous),
            shipments=shipments,
            mode=previous.kept_mode if _stands(previous) else "",
        )

    def after(self, result: TransactionSet) -> "History":
        """What counts for the next mapping when `result` is stored: a hold undoes nothing that is in the ledger."""
        if result.outcome is not SetOutcome.MAPPED:
            return self
        now = History.of(result)
        waits = any(one.wanted is WantedState.PRESENT and one.hold is not None for one in result.documents)
        return History(
            mapped=now.mapped or self.mapped,
            invoiced=now.invoiced or (self.invoiced and waits),
            cancellation=now.cancellation,
            shipments=now.shipments or self.shipments,
            mode=now.mode or (self.mode if waits and result.kept_mode == self.mode else ""),
        )


def _billed(previous: TransactionSet) -> bool:
    """Whether it has the bill of a purchase. That of a sale is for its fee."""
    return direction_of(previous.source_id) is Direction.PURCHASE and any(
        one.kind is DocumentKind.BILL and one.wanted is WantedState.PRESENT and one.hold is None
        for one in previous.documents
    )


def _stands(previous: TransactionSet) -> bool:
    """Whether something of it may be in the ledger: a document that waits for nothing, or a summary or payout.

    A summary counts from its first day on: its members are kept with it.
    """
    if previous.source_kind == "summary":
        return True
    elsewhere = previous.reason is not None and previous.reason.code in ACCOUNTED_ELSEWHERE
    return elsewhere or any(one.hold is None and one.wanted is WantedState.PRESENT for one in previous.documents)


def _cancellation(previous: TransactionSet) -> str:
    for one in previous.documents:
        if one.source_kind != "order":
            continue
        if one.kind is DocumentKind.CREDIT_MEMO:
            return f"credit {one.date.isoformat()}"
        if one.kind is DocumentKind.INVOICE and one.wanted is WantedState.VOID:
            return "void"
    return ""


FIRST_TIME: Final = History()
