"""Why a payout is no deposit yet, in words a bookkeeper understands."""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.base import Reason
from mapper.mapping.reasons import error, notice

INCOMPLETE = "PAYOUT_INCOMPLETE"


def payouts_off() -> Reason:
    return error(
        "PAYOUTS_OFF",
        "Payouts are switched off for this connection.",
        "Switch payouts on and choose the bank account.",
        "payouts.enabled",
        "false",
    )


def not_paid(status: str) -> Reason:
    return notice(
        "PAYOUT_NOT_PAID",
        f"The payout is {status}: the money did not stay at the bank.",
        "Nothing: the processor pays the amount out again, in another payout.",
        "status",
        status,
    )


def unbalanced(stated: Decimal, computed: Decimal, currency: str) -> Reason:
    return error(
        "PAYOUT_UNBALANCED",
        f"The payout says {stated} {currency}, its lines come to {computed} {currency} "
        f"(difference {stated - computed}).",
        "Fetch the payout again or, where a file brought it, correct the file and upload it again; if it stays so, ask"
        " the processor.",
        "net",
        f"{stated}",
    )


def incomplete(missing: Sequence[str]) -> Reason:
    """`missing`: per line of the payout, order number and, in brackets, why it is not there."""
    missing = list(dict.fromkeys(missing))
    shown = ", ".join(missing[:50]) + (f" and {len(missing) - 50} more" if len(missing) > 50 else "")
    return error(
        INCOMPLETE,
        f"These parts of the payout are not in the books yet: {shown}.",
        "Sync the missing orders (sync_payout_orders); the deposit is made by itself when they are there. One that is"
        " part of a summary needs a mode with documents of its own (rule map_transaction_type), and to be resent.",
        "lines",
        missing[0],
    )


def amounts_differ(difference: Decimal, currency: str, orders: str = "") -> Reason:
    of_orders = f" of {orders}" if orders else ""
    return error(
        "PAYOUT_AMOUNT_DIFFERS",
        f"What was paid out and the documents{of_orders} differ by {difference} {currency}.",
        "Compare the orders with the payout report. A receipt is deposited whole: orders whose payments several payouts"
        " bring need invoices with payments.",
        "lines.amount",
        f"{difference}",
    )


def currency_differs(paid: str, booked: str, order: str) -> Reason:
    return error(
        "PAYOUT_CURRENCY_DIFFERS",
        f"The payout is in {paid}, and {order} is booked in {booked}: this ledger can't deposit them together.",
        "Let such money go to a clearing account (deposit_accounts), or switch use_store_currency on, so that orders"
        " are booked in the currency that is paid out.",
        "currency",
        booked,
    )


def adjustment_unmapped(description: str) -> Reason:
    return error(
        "ADJUSTMENT_UNMAPPED",
        f"The payout has an adjustment {description!r}, and no account is set for it.",
        "Say in the payout settings which account this adjustment goes to.",
        "payouts.adjustments",
        description,
    )


def payout_mode(mode: str) -> Reason:
    return error(
        "MODE_NOT_SUPPORTED",
        f"Payouts can't be deposited in the mode {mode}: it leaves no payments to group.",
        "Use sales receipts, or invoices with payments.",
        "mode",
        mode,
    )


def not_automatic() -> Reason:
    return notice(
        "WAITING_FOR_APPROVAL",
        "Deposits of this connection are made by hand.",
        "Deposit this payout (deposit_payout), or switch payouts.automatic on for all of them.",
        "payouts.automatic",
        "false",
    )


def carried(month: str) -> str:
    return f"Activity of {month} paid out later"
