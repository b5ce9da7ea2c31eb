"""Why a payment is missing, and what a channel left out of one: every code with its words and its cure (section 8)."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from common.messages.base import Reason, Severity
from common.messages.control import TransactionMode
from mapper.mapping.history import IN_SUMMARY
from mapper.mapping.reasons import notice

OPEN_SUMMARIES: Final = frozenset({TransactionMode.SUMMARY_INVOICE, TransactionMode.SUMMARY_SALES_ORDER})
"""Summaries that say what is owed, not what was paid."""


def not_in_mode(mode: str) -> Reason:
    return notice(
        "PAYMENT_NOT_IN_MODE", f"The mode {mode} creates no payments.", "Choose a mode with payments.", "mode", mode
    )


def in_other(why: Reason, mode: TransactionMode) -> Reason:
    """`why`: what accounts for the order, a summary or a payout, in its own words. Its own mode would book it twice."""
    if mode in OPEN_SUMMARIES:
        text = f"{why.text} It is billed there, and the mode {mode.value} creates no payments."
        cure = "Enter the payment in the ledger, for the summary; a mode of its own would book the order twice."
        return notice("PAYMENT_NOT_IN_MODE", text, cure, "mode", mode.value)
    of_summary = why.code == IN_SUMMARY
    cure = f"Nothing for the payment: it comes with the {'summary' if of_summary else 'payout'}, or waits as that does."
    text = f"{why.text} Its money is booked there, not as a payment."
    return notice("PAYMENT_IN_SUMMARY" if of_summary else "PAYMENT_IN_PAYOUT", text, cure, "mode", mode.value)


def not_fetched(statuses: Sequence[str]) -> Reason:
    wanted = ", ".join(statuses)
    return notice(
        "PAYMENT_NOT_FETCHED",
        f"The status filter ({wanted or 'every new order, once'}) does not look at the order again after it is paid.",
        "Add the paid status to the filter, or follow changes.",
        "order_statuses" if wanted else "follow_changes",
        wanted or "false",
    )


def invoice_missing(number: str, why: Reason | None) -> Reason:
    """`why`: what keeps the invoice out, whose field and value are the ones to look at, where it has any."""
    field, value = (why.field, why.value) if why is not None and why.field else ("invoice", number)
    text = f"The invoice is not in the ledger: {why.text}" if why else "The invoice is not in the ledger yet."
    cure = why.cure if why else "Wait until the invoice is written."
    return notice("PAYMENT_INVOICE_MISSING", text, cure, field, value)


def no_balance_left(balance: Decimal) -> Reason:
    return notice("NO_BALANCE", "The invoice has no balance left to pay.", "Nothing to do.", "balance", f"{balance:f}")


def duplicate_reference(reference: str) -> Reason:
    return notice(
        "PAYMENT_DUPLICATE_REFERENCE",
        f"The ledger has a payment with the reference {reference!r} already.",
        "Link that payment, or remove it in the ledger.",
        "reference",
        reference,
    )


def marked_unpaid(rule: str) -> Reason:
    return notice(
        "PAYMENT_MARKED_UNPAID",
        f"The rule {rule!r} marks the order as unpaid.",
        "Wait until the rule's condition no longer holds, or change the rule.",
        "rule",
        rule,
    )


def is_a_line(kind: str) -> Reason:
    return notice(
        "PAYMENT_IS_A_LINE",
        "This ledger takes gift cards as a line on the invoice, not as a payment.",
        "Nothing to do.",
        "tenders.kind",
        kind,
    )


def unmapped(why: Reason) -> Reason:
    return _warning_of(why, "PAYMENT_UNMAPPED")


def before_horizon(why: Reason) -> Reason:
    return _warning_of(why, "PAYMENT_OUT_OF_SCOPE")


def before_start(start: date) -> Reason:
    return notice(
        "PAYMENT_OUT_OF_SCOPE",
        f"The payment is older than the start date {start}.",
        "Move the start date back, or leave the payment out.",
        "start_date",
        start.isoformat(),
    )


def in_closed_period(closed_through: date) -> Reason:
    return notice(
        "PAYMENT_OUT_OF_SCOPE",
        f"The books are closed through {closed_through}.",
        "Open the period, or dismiss.",
        "closed_through",
        closed_through.isoformat(),
    )


def stated_by_channel(status: str, amount: Decimal, currency: str, on: date) -> Reason:
    return notice(
        "PAYMENT_STATED",
        f"The channel says that the order is {status} and names no payment; {amount} {currency} counts as one payment "
        f"of {on}, the day of the order.",
        "Let the channel send the order's payments, so that each has its own day, method and reference.",
        "financial_status",
        status,
    )


def stated_by_rule(rule: str, amount: Decimal, currency: str, on: date) -> Reason:
    return notice(
        "PAYMENT_STATED",
        f"The rule {rule!r} marks the order as paid, and the channel names no payment of {amount} {currency}; it "
        f"counts as one payment of {on}, the day of the order.",
        "Enter the payment in the shop, or change the rule.",
        "rule",
        rule,
    )


def _warning_of(why: Reason, code: str) -> Reason:
    return why.model_copy(update={"code": code, "severity": Severity.WARNING})
