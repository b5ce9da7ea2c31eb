"""Why a payout is no deposit yet, in words a bookkeeper understands."""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.base import Reason, Severity

INCOMPLETE = "PAYOUT_INCOMPLETE"


def payouts_off() -> Reason:
    return Reason(
        code="PAYOUTS_OFF",
        text="Payouts are switched off for this connection.",
        cure="Switch payouts on and choose the bank account.",
        field="payouts.enabled",
        value="false",
    )


def not_paid(status: str) -> Reason:
    return Reason(
        code="PAYOUT_NOT_PAID",
        text=f"The payout is {status}: the money did not stay at the bank.",
        cure="Nothing: the processor pays the amount out again, in another payout.",
        field="status",
        value=status,
        severity=Severity.WARNING,
    )


def unbalanced(stated: Decimal, computed: Decimal, currency: str) -> Reason:
    return Reason(
        code="PAYOUT_UNBALANCED",
        text=f"The payout says {stated} {currency}, its lines come to {computed} {currency} "
        f"(difference {stated - computed}).",
        cure="Fetch the payout again; if it stays so, ask the processor.",
        field="net",
        value=f"{stated}",
    )


def incomplete(missing: Sequence[str]) -> Reason:
    """`missing`: order number and, in brackets, why it is not there."""
    shown = ", ".join(missing[:50]) + (f" and {len(missing) - 50} more" if len(missing) > 50 else "")
    return Reason(
        code=INCOMPLETE,
        text=f"These parts of the payout are not in the books yet: {shown}."[:4000],
        cure="Sync the missing orders; the deposit is made by itself when they are there.",
        field="lines",
        value=missing[0][:500],
    )


def amounts_differ(difference: Decimal, currency: str, orders: str = "") -> Reason:
    of_orders = f" of {orders}" if orders else ""
    return Reason(
        code="PAYOUT_AMOUNT_DIFFERS",
        text=f"What was paid out and the documents{of_orders} differ by {difference} {currency}."[:4000],
        cure="Compare the orders with the payout report.",
        field="lines.amount",
        value=f"{difference}",
    )


def currency_differs(paid: str, booked: str, order: str) -> Reason:
    return Reason(
        code="PAYOUT_CURRENCY_DIFFERS",
        text=f"The payout is in {paid}, and {order} is booked in {booked}: this ledger can't deposit them together.",
        cure="Let such money go to a clearing account (deposit_accounts), or switch use_store_currency on, so that orders"
        " are booked in the currency that is paid out.",
        field="currency",
        value=booked,
    )


def adjustment_unmapped(description: str) -> Reason:
    return Reason(
        code="ADJUSTMENT_UNMAPPED",
        text=f"The payout has an adjustment {description!r}, and no account is set for it.",
        cure="Say in the payout settings which account this adjustment goes to.",
        field="payouts.adjustments",
        value=description[:500],
    )


def payout_mode(mode: str) -> Reason:
    return Reason(
        code="MODE_NOT_SUPPORTED",
        text=f"Payouts can't be deposited in the mode {mode}: it leaves no payments to group.",
        cure="Use sales receipts, or invoices with payments.",
        field="mode",
        value=mode,
    )


def not_automatic() -> Reason:
    return Reason(
        code="WAITING_FOR_APPROVAL",
        text="Deposits of this connection are made by hand.",
        cure="Switch on automatic deposits.",
        field="payouts.automatic",
        value="false",
        severity=Severity.WARNING,
    )


def carried(month: str) -> str:
    return f"Activity of {month} paid out later"
