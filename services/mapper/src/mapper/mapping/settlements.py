"""Settlements that are booked as a whole: one journal entry or summary receipt per payout and month (section 15).

Nothing is grouped; the lines themselves are the books. A settlement that crosses the end of a month gives one document
per month, and what was earned before the month of payment is carried forward.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from common.messages.control import TransactionMode
from common.messages.orders import Payout, PayoutLine
from common.messages.transactions import (
    AccountRole,
    Document,
    DocumentKind,
    DocumentLine,
    LineKind,
    document_key,
)
from common.money import ZERO
from mapper.mapping.configuration import Configuration
from mapper.mapping.names import normal
from mapper.mapping.payout_reasons import adjustment_unmapped, carried
from mapper.mapping.reasons import Held

SETTLED_MODES: Final = frozenset({TransactionMode.JOURNAL_ENTRIES, TransactionMode.SUMMARY_PAYOUT})

ROLES: Final[dict[str, AccountRole]] = {
    "charge": AccountRole.INCOME,
    "refund": AccountRole.RETURNS,
    "fee": AccountRole.FEES,
    "dispute_fee": AccountRole.FEES,
    "chargeback": AccountRole.CHARGEBACKS,
    "chargeback_reversal": AccountRole.CHARGEBACKS,
    "reserve_held": AccountRole.RESERVE,
    "reserve_released": AccountRole.RESERVE,
    "carried_forward": AccountRole.SHORTFALL,
}


def settlement_documents(payout: Payout, configuration: Configuration) -> tuple[Document, ...]:
    """One document per month of the settlement's lines, the last one with the money. Raises `Held`."""
    months = _by_month(payout)
    documents: list[Document] = []
    carried_in = ZERO
    for index, (month, lines) in enumerate(months):
        is_last = index == len(months) - 1
        postings = _postings(lines, configuration)
        activity = -sum((line.amount for line in postings), ZERO)
        if carried_in:
            postings.append(_line(configuration, AccountRole.CARRIED_FORWARD, -carried_in, "Carried forward"))
        if is_last:
            postings.extend(_money(payout, configuration))
        else:
            carried_in += activity
            title = carried(f"{month:%Y-%m}")
            postings.append(_line(configuration, AccountRole.CARRIED_FORWARD, carried_in, title))
        on = payout.paid_on if is_last else max(line.occurred_on for line in lines)
        documents.append(_journal(payout, configuration, index, on, postings))
    return tuple(documents)


def _by_month(payout: Payout) -> list[tuple[date, Sequence[PayoutLine]]]:
    """Lines by month, up to the month of payment; what happened later still belongs to the payment."""
    months: dict[date, list[PayoutLine]] = {}
    last = payout.paid_on.replace(day=1)
    for line in payout.lines:
        months.setdefault(min(line.occurred_on.replace(day=1), last), []).append(line)
    months.setdefault(last, [])
    return sorted(months.items())


def _postings(lines: Sequence[PayoutLine], configuration: Configuration) -> list[DocumentLine]:
    """One posting per account and title; debits positive, so what the merchant earned is negative."""
    sums: dict[tuple[AccountRole, str], Decimal] = {}
    for line in lines:
        role = role_of(line, configuration)
        title = line.description or line.kind.replace("_", " ").capitalize()
        sums[role, title] = sums.get((role, title), ZERO) - line.amount
        if line.fee:
            sums[AccountRole.FEES, "Processing fees"] = sums.get((AccountRole.FEES, "Processing fees"), ZERO) + line.fee
    return [_line(configuration, role, amount, title) for (role, title), amount in sums.items() if amount]


def role_of(line: PayoutLine, configuration: Configuration) -> AccountRole:
    """Settings by description first (Shipping → SHIP, Tax → TAX, …), then the line's kind."""
    adjustments = configuration.connection.payouts.adjustments
    if adjustments and line.description:
        wanted = normal(line.description)
        for text, stated in adjustments.items():
            if normal(text) == wanted:
                return stated
    role = ROLES.get(line.kind)
    if role is None:
        raise Held(adjustment_unmapped(line.description or line.kind))
    return role


def _money(payout: Payout, configuration: Configuration) -> list[DocumentLine]:
    if payout.net < 0:
        return [_line(configuration, AccountRole.SHORTFALL, payout.net, "Payout shortfall")]
    return [_line(configuration, AccountRole.BANK, payout.net, f"Payout {payout.external_id}")] if payout.net else []


def _line(configuration: Configuration, role: AccountRole, amount: Decimal, description: str) -> DocumentLine:
    return DocumentLine(
        kind=LineKind.POSTING, account=configuration.account(role), amount=amount, description=description
    )


def _journal(
    payout: Payout, configuration: Configuration, ordinal: int, on: date, postings: list[DocumentLine]
) -> Document:
    debits = sum((line.amount for line in postings if line.amount > 0), ZERO)
    key = document_key(
        payout.tenant_id,
        configuration.connection.company_id,
        payout.connection_id,
        "payout",
        payout.external_id,
        DocumentKind.JOURNAL_ENTRY,
        ordinal,
    )
    return Document(
        key=key,
        kind=DocumentKind.JOURNAL_ENTRY,
        ordinal=ordinal,
        source_kind="payout",
        source_id=payout.external_id,
        number=None,
        memo_number=payout.external_id,
        date=on,
        currency=payout.currency,
        exchange_rate=payout.exchange_rate,
        total=debits,
        lines=tuple(postings),
        reference=payout.external_id,
    )
