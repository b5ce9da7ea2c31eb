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
    Account,
    AccountRole,
    Document,
    DocumentKind,
    DocumentLine,
    LineKind,
    document_key,
)
from common.money import ZERO
from mapper.mapping.configuration import Configuration
from mapper.mapping.payout_accounts import settled_account
from mapper.mapping.payout_reasons import carried

SETTLED_MODES: Final = frozenset({TransactionMode.JOURNAL_ENTRIES, TransactionMode.SUMMARY_PAYOUT})


def settlement_documents(payout: Payout, configuration: Configuration) -> tuple[Document, ...]:
    """One document per month of the settlement's lines, the last one with the money. Raises `Held`."""
    months = _by_month(payout)
    documents: list[Document] = []
    carried_in = ZERO
    for index, (month, lines) in enumerate(months):
        is_last = index == len(months) - 1
        postings = _postings(payout, lines, configuration)
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


def _postings(payout: Payout, lines: Sequence[PayoutLine], configuration: Configuration) -> list[DocumentLine]:
    """One posting per account and title; debits positive, so what the merchant earned is negative."""
    sums: dict[tuple[Account, str], Decimal] = {}
    fees = configuration.account(AccountRole.FEES)
    for line in lines:
        account = settled_account(line, payout, configuration)
        title = line.description or line.kind.replace("_", " ").capitalize()
        sums[account, title] = sums.get((account, title), ZERO) - line.amount
        if line.fee:
            sums[fees, "Processing fees"] = sums.get((fees, "Processing fees"), ZERO) + line.fee
    return [_posting(account, amount, title) for (account, title), amount in sums.items() if amount]


def _money(payout: Payout, configuration: Configuration) -> list[DocumentLine]:
    if payout.net < 0:
        return [_line(configuration, AccountRole.SHORTFALL, payout.net, "Payout shortfall")]
    return [_line(configuration, AccountRole.BANK, payout.net, f"Payout {payout.external_id}")] if payout.net else []


def _line(configuration: Configuration, role: AccountRole, amount: Decimal, description: str) -> DocumentLine:
    return _posting(configuration.account(role), amount, description)


def _posting(account: Account, amount: Decimal, description: str) -> DocumentLine:
    return DocumentLine(kind=LineKind.POSTING, account=account, amount=amount, description=description)


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
