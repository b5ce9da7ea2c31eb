"""When an edit may not touch what is already in the books (domain reference, section 4)."""

from datetime import date

from common.messages.base import Reason
from common.messages.transactions import Document, DocumentKind
from ledger_writer.planning.model import Desired, Terms, Written

NOT_POSTING: frozenset[DocumentKind] = frozenset(
    {
        DocumentKind.CUSTOMER,
        DocumentKind.VENDOR,
        DocumentKind.ITEM,
        DocumentKind.ESTIMATE,
        DocumentKind.SALES_ORDER,
        DocumentKind.PURCHASE_ORDER,
    }
)
"""Kinds that move no account, so that a closed period doesn't concern them."""


def is_closed(kind: DocumentKind, on: date, terms: Terms) -> bool:
    """Whether a document of this kind and date falls into the closed period."""
    closed = (terms.closed_through, terms.ledger_closed_through)
    return kind not in NOT_POSTING and any(day is not None and on <= day for day in closed)


def closed_period(on: date, terms: Terms) -> Reason:
    if terms.closed_through is not None and on <= terms.closed_through:
        closed = f"the books are closed through {terms.closed_through}"
        opened = "in the company's settings and resend"
    else:
        closed = f"the ledger closed its books through {terms.ledger_closed_through}"
        opened = "in the ledger, date the document later"
    return Reason(
        code="PERIOD_CLOSED",
        text=f"Dated {on}, and {closed}.",
        cure=f"Open the period {opened}, or dismiss.",
        field="date",
        value=on.isoformat(),
    )


def held_edit(desired: Desired, written: Written, terms: Terms, *, is_edit: bool) -> Reason | None:
    """Why the written document may not be changed now, or None.

    `is_edit` is true where the source changed (as against a cancellation, or money finding its invoice): only then
    does the connection's `after_posting` policy have a say. A deposit and a closed period can't be overridden by a
    resend; the other two are a person's choice.
    """
    if desired.key in terms.deposited:
        return Reason(
            code="DEPOSITED",
            text="The order changed, but the document is part of a bank deposit in the ledger.",
            cure="Take it out of the deposit and resend, or dismiss.",
        )
    dates = {written.document.date} if written.document is not None else set()
    if isinstance(desired.wanted, Document) and is_edit:
        dates.add(desired.wanted.date)
    for on in sorted(dates):
        if is_closed(desired.kind, on, terms):
            return closed_period(on, terms)
    if desired.override:
        return None
    if desired.key in terms.changed_in_ledger:
        return Reason(
            code="LEDGER_CHANGED",
            text="The order changed, but the document was edited in the ledger as well.",
            cure="Resend to overwrite what is in the ledger, or dismiss to keep it.",
        )
    if is_edit and desired.hold_edits:
        return Reason(
            code="SOURCE_CHANGED",
            text="The order changed after this was written, and the connection holds such changes.",
            cure="Resend to apply the change, or dismiss to keep what is in the ledger.",
        )
    return None
