"""What a document does to the books: debits and credits per account (section 5).

Used by previews and by the tests that compare ledgers; the ledgers themselves post on their own.
"""

from decimal import Decimal

from common.messages.transactions import Account, Document, DocumentKind, WantedState

UNPOSTED = frozenset({DocumentKind.ESTIMATE, DocumentKind.SALES_ORDER, DocumentKind.PURCHASE_ORDER})
CREDITED_LINES = frozenset({DocumentKind.INVOICE, DocumentKind.SALES_RECEIPT})
"""Forms whose lines are credits: income, tax."""
DEBITED_LINES = frozenset(
    {DocumentKind.CREDIT_MEMO, DocumentKind.REFUND_RECEIPT, DocumentKind.BILL, DocumentKind.EXPENSE}
)
SIGNED_LINES = frozenset({DocumentKind.JOURNAL_ENTRY, DocumentKind.DEPOSIT})

Posting = tuple[Account, Decimal]
"""Account and amount; debits are positive."""


def postings(document: Document) -> list[Posting]:
    """Every posting of a document in its currency; they sum to zero. Voided and unposted documents have none."""
    if document.kind in UNPOSTED or document.wanted is not WantedState.PRESENT:
        return []
    if document.kind in SIGNED_LINES:
        return [(line.account, line.amount) for line in document.lines]
    if document.kind is DocumentKind.PAYMENT:
        return [(_money(document), document.total), (_claims(document), -document.total)]
    if document.kind is DocumentKind.REFUND_PAYMENT:
        return [(_claims(document), document.total), (_money(document), -document.total)]
    if document.kind in CREDITED_LINES:
        sign = -1
    elif document.kind in DEBITED_LINES:
        sign = 1
    else:
        return []
    counter = document.receivable if document.receivable is not None else _money(document)
    entries: list[Posting] = [(counter, -sign * document.total)]
    entries.extend((line.account, sign * line.amount) for line in document.lines)
    entries.extend((tax.account, sign * tax.amount) for tax in document.taxes)
    return entries


def _money(document: Document) -> Account:
    if document.deposit_to is None:
        raise ValueError(f"document {document.key} ({document.kind}) has no account where its money lands")
    return document.deposit_to


def _claims(document: Document) -> Account:
    if document.receivable is None:
        raise ValueError(f"document {document.key} ({document.kind}) has no receivable account")
    return document.receivable


def trial_balance(documents: list[Document]) -> dict[str, Decimal]:
    """Balance per account role over documents of one currency; roles that come out at zero are left out."""
    sums: dict[str, Decimal] = {}
    for document in documents:
        for account, amount in postings(document):
            sums[account.role.value] = sums.get(account.role.value, Decimal(0)) + amount
    return {role: amount for role, amount in sums.items() if amount}
