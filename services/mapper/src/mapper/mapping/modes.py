"""Which documents an order becomes: section 6 of the domain reference as a table."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from common.messages.control import TransactionMode


class Situation(StrEnum):
    """Column of the table. Refunds are added to whichever column holds, by `ModeRow.refunds`."""

    UNPAID = "unpaid"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    ZERO = "zero"
    CANCELLED_UNPAID = "cancelled_unpaid"


class Step(StrEnum):
    """One thing to plan, in posting order within a cell."""

    SALES_ORDER = "sales_order"
    ESTIMATE = "estimate"
    PURCHASE_ORDERS = "purchase_orders"
    BILL = "bill"
    EXPENSE = "expense"
    INVOICE = "invoice"
    FOUND_INVOICE = "found_invoice"
    RECEIPT = "receipt"
    HELD_RECEIPT = "held_receipt"
    PAYMENTS = "payments"
    UNAPPLIED_PAYMENTS = "unapplied_payments"
    SKIPPED_PAYMENT = "skipped_payment"
    VOID_INVOICE = "void_invoice"
    CLOSE_SALES_ORDER = "close_sales_order"
    CLOSE_ESTIMATE = "close_estimate"
    CLOSE_PURCHASE_ORDERS = "close_purchase_orders"
    VOID_BILL = "void_bill"
    VOID_EXPENSE = "void_expense"
    IN_SUMMARY = "in_summary"
    IN_PAYOUT = "in_payout"


class RefundSteps(StrEnum):
    """What the refunded column asks for."""

    NOTHING = "nothing"
    RECEIPTS = "receipts"
    """Refund receipts, or credit memos with the money that leaves against them."""
    CREDIT_MEMOS = "credit_memos"
    """Credit memos only: the mode keeps no money."""
    UNAPPLIED = "unapplied"
    """Refund of the unapplied payment; income was never touched."""
    MEMOS_ALONE = "memos_alone"
    """Credit memos without an original (mode credit_memos_only)."""


Cell = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class ModeRow:
    """One row of the table, plus what follows from the mode as a whole."""

    unpaid: Cell = ()
    partly_paid: Cell = ()
    paid: Cell = ()
    zero: Cell = ()
    cancelled: Cell = ()
    refunds: RefundSteps = RefundSteps.NOTHING
    has_payments: bool = False
    closes_order_on_refund: bool = False

    def cell(self, situation: Situation) -> Cell:
        match situation:
            case Situation.UNPAID:
                return self.unpaid
            case Situation.PARTLY_PAID:
                return self.partly_paid
            case Situation.PAID:
                return self.paid
            case Situation.ZERO:
                return self.zero
            case Situation.CANCELLED_UNPAID:
                return self.cancelled


M = TransactionMode
S = Step


def _bought(*steps: Step, cancelled: Cell) -> ModeRow:
    """A purchase is booked the same whether it is paid yet or not; of one that costs nothing there is nothing."""
    return ModeRow(unpaid=steps, partly_paid=steps, paid=steps, cancelled=cancelled)


INVOICE_PAYMENTS: Final = ModeRow(
    unpaid=(S.INVOICE,),
    partly_paid=(S.INVOICE, S.PAYMENTS),
    paid=(S.INVOICE, S.PAYMENTS),
    zero=(S.INVOICE, S.SKIPPED_PAYMENT),
    cancelled=(S.VOID_INVOICE,),
    refunds=RefundSteps.RECEIPTS,
    has_payments=True,
)

TABLE: Final[dict[TransactionMode, ModeRow]] = {
    M.NONE: ModeRow(),
    M.SALES_RECEIPTS: ModeRow(
        unpaid=(S.HELD_RECEIPT,),
        partly_paid=(S.HELD_RECEIPT,),
        paid=(S.RECEIPT,),
        zero=(S.RECEIPT,),
        refunds=RefundSteps.RECEIPTS,
    ),
    M.INVOICES_ONLY: ModeRow(
        unpaid=(S.INVOICE,),
        partly_paid=(S.INVOICE,),
        paid=(S.INVOICE,),
        zero=(S.INVOICE,),
        cancelled=(S.VOID_INVOICE,),
        refunds=RefundSteps.CREDIT_MEMOS,
    ),
    M.INVOICES_PAYMENTS_IF_PAID: INVOICE_PAYMENTS,
    M.SALES_ORDERS: ModeRow(
        unpaid=(S.SALES_ORDER,),
        partly_paid=(S.SALES_ORDER,),
        paid=(S.SALES_ORDER,),
        zero=(S.SALES_ORDER,),
        cancelled=(S.CLOSE_SALES_ORDER,),
        closes_order_on_refund=True,
    ),
    M.SALES_ORDERS_PAYMENTS_IF_PAID: ModeRow(
        unpaid=(S.SALES_ORDER,),
        partly_paid=(S.SALES_ORDER, S.UNAPPLIED_PAYMENTS),
        paid=(S.SALES_ORDER, S.UNAPPLIED_PAYMENTS),
        zero=(S.SALES_ORDER,),
        cancelled=(S.CLOSE_SALES_ORDER,),
        refunds=RefundSteps.UNAPPLIED,
        has_payments=True,
        closes_order_on_refund=True,
    ),
    M.SALES_ORDERS_INVOICES_PAYMENTS_IF_PAID: ModeRow(
        unpaid=(S.SALES_ORDER, S.INVOICE),
        partly_paid=(S.SALES_ORDER, S.INVOICE, S.PAYMENTS),
        paid=(S.SALES_ORDER, S.INVOICE, S.PAYMENTS),
        zero=(S.SALES_ORDER, S.INVOICE, S.SKIPPED_PAYMENT),
        cancelled=(S.VOID_INVOICE, S.CLOSE_SALES_ORDER),
        refunds=RefundSteps.RECEIPTS,
        has_payments=True,
    ),
    M.SALES_ORDERS_INVOICES_PO: ModeRow(
        unpaid=(S.SALES_ORDER, S.PURCHASE_ORDERS, S.INVOICE),
        partly_paid=(S.SALES_ORDER, S.PURCHASE_ORDERS, S.INVOICE, S.PAYMENTS),
        paid=(S.SALES_ORDER, S.PURCHASE_ORDERS, S.INVOICE, S.PAYMENTS),
        zero=(S.SALES_ORDER, S.PURCHASE_ORDERS, S.INVOICE, S.SKIPPED_PAYMENT),
        cancelled=(S.VOID_INVOICE, S.CLOSE_SALES_ORDER, S.CLOSE_PURCHASE_ORDERS),
        refunds=RefundSteps.RECEIPTS,
        has_payments=True,
    ),
    M.ESTIMATES: ModeRow(
        unpaid=(S.ESTIMATE,),
        partly_paid=(S.ESTIMATE,),
        paid=(S.ESTIMATE,),
        zero=(S.ESTIMATE,),
        cancelled=(S.CLOSE_ESTIMATE,),
    ),
    M.SUMMARY_SALES_RECEIPT: ModeRow(paid=(S.IN_SUMMARY,), zero=(S.IN_SUMMARY,)),
    M.SUMMARY_INVOICE: ModeRow(paid=(S.IN_SUMMARY,), zero=(S.IN_SUMMARY,)),
    M.SUMMARY_SALES_ORDER: ModeRow(
        unpaid=(S.IN_SUMMARY,), partly_paid=(S.IN_SUMMARY,), paid=(S.IN_SUMMARY,), zero=(S.IN_SUMMARY,)
    ),
    M.SUMMARY_JOURNAL_ENTRY: ModeRow(paid=(S.IN_SUMMARY,), zero=(S.IN_SUMMARY,)),
    M.SUMMARY_PAYOUT: ModeRow(paid=(S.IN_PAYOUT,), zero=(S.IN_PAYOUT,)),
    M.JOURNAL_ENTRIES: ModeRow(paid=(S.IN_PAYOUT,), zero=(S.IN_PAYOUT,)),
    M.PAYMENTS_ONLY: ModeRow(
        partly_paid=(S.FOUND_INVOICE, S.PAYMENTS), paid=(S.FOUND_INVOICE, S.PAYMENTS), has_payments=True
    ),
    M.CREDIT_MEMOS_ONLY: ModeRow(refunds=RefundSteps.MEMOS_ALONE),
    M.PURCHASE_ORDERS: _bought(S.PURCHASE_ORDERS, cancelled=(S.CLOSE_PURCHASE_ORDERS,)),
    M.BILLS: _bought(S.BILL, cancelled=(S.VOID_BILL,)),
    M.PURCHASE_ORDERS_BILLS: _bought(S.PURCHASE_ORDERS, S.BILL, cancelled=(S.CLOSE_PURCHASE_ORDERS, S.VOID_BILL)),
    M.EXPENSES: _bought(S.EXPENSE, cancelled=(S.VOID_EXPENSE,)),
}

PURCHASE_FEEDS: Final = frozenset({M.PURCHASE_ORDERS, M.BILLS, M.PURCHASE_ORDERS_BILLS, M.EXPENSES})
"""Modes for feeds of purchases: what is bought has documents in no other, and what is sold has none in these."""

SETTLED_MODES: Final = frozenset(mode for mode, row in TABLE.items() if S.IN_PAYOUT in row.paid)
"""Modes whose orders are accounted for by the payout that pays them out."""

SALES_ORDER_MODES: Final = frozenset(mode for mode, row in TABLE.items() if S.SALES_ORDER in row.unpaid)
