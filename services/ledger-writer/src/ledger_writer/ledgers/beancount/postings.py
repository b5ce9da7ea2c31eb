"""From a document to its postings in home currency: pure, and exactly balanced.

Beancount lets a residue of half a cent pass, so the sum is checked here, to the last digit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from common.messages.base import Reason
from common.messages.transactions import AccountRole, Document, DocumentKind, LineKind
from common.money import ZERO, quantize
from ledger_writer.ledgers.beancount.accounts import Chart
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink, Refused

ONE = Decimal(1)

_INCOME_FORMS = {DocumentKind.INVOICE: -1, DocumentKind.SALES_RECEIPT: -1}
_RETURN_FORMS = {DocumentKind.CREDIT_MEMO: 1, DocumentKind.REFUND_RECEIPT: 1}
_COST_FORMS = {DocumentKind.BILL: 1, DocumentKind.EXPENSE: 1}
LINE_SIGN: Mapping[DocumentKind, int] = {**_INCOME_FORMS, **_RETURN_FORMS, **_COST_FORMS}
"""Sign of a line's posting; the total goes to the other side."""

_MONEY_SIGN: Mapping[DocumentKind, int] = {DocumentKind.PAYMENT: 1, DocumentKind.REFUND_PAYMENT: -1}
"""Sign of what happens to the deposit account; the receivable takes the other side."""

_RAW = frozenset({DocumentKind.JOURNAL_ENTRY, DocumentKind.DEPOSIT, DocumentKind.INVENTORY_ADJUSTMENT})
"""Kinds whose lines are postings already."""

_BALANCE_ROLE: Mapping[DocumentKind, AccountRole] = {
    DocumentKind.INVOICE: AccountRole.RECEIVABLE,
    DocumentKind.CREDIT_MEMO: AccountRole.RECEIVABLE,
    DocumentKind.SALES_RECEIPT: AccountRole.UNDEPOSITED_FUNDS,
    DocumentKind.REFUND_RECEIPT: AccountRole.UNDEPOSITED_FUNDS,
    DocumentKind.BILL: AccountRole.PAYABLE,
    DocumentKind.EXPENSE: AccountRole.BANK,
}

Applications = Sequence[tuple[str, Decimal]]


@dataclass(slots=True)
class Posting:
    """One leg. `amount` is in home currency, positive for a debit; `foreign` in the document's, where it differs."""

    account: str
    amount: Decimal
    note: str = ""
    foreign: Decimal | None = None


class DocumentRefused(Exception):
    """The document can't be posted as it is. Carries the refusal a person sees."""

    def __init__(self, error_class: ErrorClass, reason: Reason) -> None:
        super().__init__(reason.text)
        self.refusal = Refused(error_class, reason)


def postings_of(
    document: Document,
    chart: Chart,
    home_currency: str,
    references: Mapping[str, LedgerLink],
    applications: Applications,
) -> list[Posting]:
    """Postings that sum to exactly zero. Raises `DocumentRefused` or `AccountRefused`."""
    postings = _raw_postings(document, chart)
    total = sum((posting.amount for posting in postings), ZERO)
    if total != ZERO:
        raise _unbalanced(document, total)
    if document.currency != home_currency:
        return _in_home_currency(document, postings, chart, home_currency, references, applications)
    return postings


def _raw_postings(document: Document, chart: Chart) -> list[Posting]:
    """Postings in the document's own currency."""
    kind = document.kind
    sign = LINE_SIGN.get(kind)
    if sign is not None:
        balance = _balance_account(document, chart)
        postings = [Posting(balance, -document.total if sign > 0 else document.total)]
        for line in document.lines:
            amount = line.amount if sign > 0 else -line.amount
            postings.append(Posting(chart.resolve(line.account), amount, line.description))
        for tax in document.taxes:
            if not tax.amount:
                continue  # only a code, of an order without tax
            amount = tax.amount if sign > 0 else -tax.amount
            postings.append(Posting(chart.resolve(tax.account), amount, tax.title))
        return postings
    if kind in _RAW:
        return [Posting(chart.resolve(line.account), line.amount, line.description) for line in document.lines]
    sign = _MONEY_SIGN[kind]
    money = chart.resolve(document.deposit_to) if document.deposit_to else chart.role(AccountRole.UNDEPOSITED_FUNDS)
    owed = chart.resolve(document.receivable) if document.receivable else chart.role(AccountRole.RECEIVABLE)
    return [Posting(money, document.total * sign), Posting(owed, -document.total * sign)]


def _balance_account(document: Document, chart: Chart) -> str:
    role = _BALANCE_ROLE[document.kind]
    is_owed = role in {AccountRole.RECEIVABLE, AccountRole.PAYABLE}
    chosen = document.receivable if is_owed else document.deposit_to
    return chart.role(role) if chosen is None else chart.resolve(chosen)


def _in_home_currency(
    document: Document,
    postings: list[Posting],
    chart: Chart,
    home_currency: str,
    references: Mapping[str, LedgerLink],
    applications: Applications,
) -> list[Posting]:
    """Convert each leg, and post what is left between two rates to the exchange account.

    The legs that other documents are measured against (receivable, deposit) are converted from their own amount; a
    cent lost in converting lines goes to the largest of the others, which is rounding and no exchange difference.
    """
    rate = document.exchange_rate
    if rate is None or rate <= ZERO:
        raise _no_rate(document, home_currency)
    own_rate = [rate] * len(postings)
    if document.kind in _RAW:
        for index, line in enumerate(document.lines):
            if line.kind is LineKind.GROUPED_DOCUMENT and line.document_key is not None:
                own_rate[index] = rate_of(references.get(line.document_key), rate)
    for posting, at in zip(postings, own_rate, strict=True):
        posting.foreign = posting.amount
        posting.amount = quantize(posting.amount * at, home_currency)
    difference = ZERO
    if document.kind in _RAW:
        difference = sum((quantize(p.foreign * rate, home_currency) - p.amount for p in postings if p.foreign), ZERO)
    elif document.kind in _MONEY_SIGN or document.kind is DocumentKind.CREDIT_MEMO:
        difference = _settle_receivable(document, postings, rate, home_currency, references, applications)
    _absorb(postings, difference)
    if difference != ZERO:
        postings.append(Posting(chart.role(AccountRole.EXCHANGE), difference, "Exchange difference", ZERO))
    return postings


def _settle_receivable(
    document: Document,
    postings: list[Posting],
    rate: Decimal,
    home_currency: str,
    references: Mapping[str, LedgerLink],
    applications: Applications,
) -> Decimal:
    """Move the receivable leg to the rates of what it settles; returns what the exchange account takes."""
    shift = ZERO
    for key, amount in applications:
        target_rate = rate_of(references.get(key), rate)
        shift += quantize(amount * target_rate, home_currency) - quantize(amount * rate, home_currency)
    if shift == ZERO:
        return ZERO
    owed = postings[1] if document.kind in _MONEY_SIGN else postings[0]
    owed_is_credit = document.kind is not DocumentKind.REFUND_PAYMENT
    owed.amount += -shift if owed_is_credit else shift
    return shift if owed_is_credit else -shift


def _absorb(postings: list[Posting], difference: Decimal) -> None:
    residue = sum((posting.amount for posting in postings), ZERO) + difference
    if residue != ZERO:
        others = postings[1:] or postings
        largest = max(range(len(others)), key=lambda index: (abs(others[index].amount), -index))
        others[largest].amount -= residue


def rate_of(link: LedgerLink | None, otherwise: Decimal) -> Decimal:
    """Exchange rate that the linked document was written at."""
    text = "" if link is None else link.details.get("rate", "")
    return Decimal(text) if text else otherwise


def _unbalanced(document: Document, residue: Decimal) -> DocumentRefused:
    return DocumentRefused(
        ErrorClass.DATA,
        Reason(
            code="TOTALS_MISMATCH",
            text=f"The document does not balance: {residue} {document.currency} are left over.",
            cure="This is a fault of the mapping: report it with the order number.",
            field="total",
            value=f"{document.total:f}",
        ),
    )


def _no_rate(document: Document, home_currency: str) -> DocumentRefused:
    return DocumentRefused(
        ErrorClass.DATA,
        Reason(
            code="EXCHANGE_RATE_MISSING",
            text=f"The document is in {document.currency}, the books are in {home_currency}, and no rate is known.",
            cure=f"Write the day's rate into manual.beancount ({document.date} price {document.currency} 1.00"
            f" {home_currency}) and resend, let the channel send it, or switch use_store_currency on.",
            field="exchange_rate",
            value=document.currency,
        ),
    )
