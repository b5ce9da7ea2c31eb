"""Why a payout is no deposit yet, in words a bookkeeper understands."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.messages.base import Reason
from mapper.mapping.history import IN_SUMMARY
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


@dataclass(frozen=True, slots=True)
class Missing:
    """A part of a payout that no document stands for: what names it (its order's number), why, and what helps."""

    name: str
    why: str
    cure: str

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


def not_received(name: str) -> Missing:
    return Missing(name, "not received", "Sync the orders that were not received (the payout's sync_payout_orders).")


def kept_out(name: str, why: Reason) -> Missing:
    """`why`: the order's own reason."""
    if why.code == IN_SUMMARY:
        cure = "An order of a summary needs documents of its own (rule map_transaction_type), and a resend."
        return Missing(name, why.text, cure)
    return Missing(name, why.text, "Put right what keeps an order out, as its own reason says.")


def in_other_payout(name: str, payouts: str) -> Missing:
    cure = "Compare with the other payout: one of the two names the wrong order, or the shop lacks a payment."
    return Missing(name, f"in the deposit of payout {payouts} already", cure)


def without_money(name: str, what: str, amount: Decimal) -> Missing:
    """`what`: payment or refund."""
    cure = (
        "Enter the missing payment or refund in the shop, or give the order a mode that makes them (rule"
        " map_transaction_type) and resend it."
    )
    return Missing(name, f"the order is there, but has no {what} of {amount}", cure)


def incomplete(missing: Sequence[Missing]) -> Reason:
    """One of each, and the cures of all that are shown, which fit together into a reason's cure."""
    missing = list(dict.fromkeys(missing))
    shown = ", ".join(map(str, missing[:50])) + (f" and {len(missing) - 50} more" if len(missing) > 50 else "")
    cures = dict.fromkeys(one.cure for one in missing[:50])
    return error(
        INCOMPLETE,
        f"These parts of the payout are not in the books yet: {shown}.",
        f"{' '.join(cures)} The deposit is made by itself then.",
        "lines",
        str(missing[0]),
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
