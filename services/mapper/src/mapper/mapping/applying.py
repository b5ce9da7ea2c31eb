"""What is open on invoices, and how an amount is applied to them: never more than what is open."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from common.messages.transactions import Application, Document
from mapper.mapping.case import Case


def open_balances(case: Case, invoices: Iterable[Document]) -> dict[str, Decimal]:
    """Invoice's key → what nothing is applied to yet, in the order of the invoices."""
    left = {one.key: one.total for one in invoices}
    for document in case.documents:
        for one in document.applications:
            if one.document_key in left:
                left[one.document_key] -= one.amount
    return left


def filling(amount: Decimal, left: Mapping[str, Decimal]) -> tuple[Application, ...]:
    """The amount over the given balances in turn; what exceeds them all is applied to nothing."""
    applications: list[Application] = []
    for key, balance in left.items():
        share = min(amount, balance)
        if share > 0:
            amount -= share
            applications.append(Application(document_key=key, amount=share))
    return tuple(applications)
