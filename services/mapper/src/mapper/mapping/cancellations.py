"""What is left of an order that was cancelled: nothing if it was never paid, a credit for the rest if it was partly.

A cancelled, never paid order voids its invoice; where that invoice lies in a closed period, or the connection prefers
it, a credit memo takes it back instead (section 6, note 3; section 11). The memo is dated on the cancellation, or on
the first open day where that is closed as well or nobody knows it.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from common.messages.transactions import (
    Application,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentTax,
    LineKind,
    WantedState,
)
from common.money import ZERO, prorate
from mapper.mapping.applying import filling, open_balances
from mapper.mapping.case import Case
from mapper.mapping.history import History
from mapper.mapping.numbers import document_number

GOODS: Final = frozenset({LineKind.PRODUCT, LineKind.GIFT_CARD_SALE})
TAXES: Final = (LineKind.TAX.value, "")
"""Place of all tax, whether a document has it as its own or as lines."""


def cancel_invoice(case: Case, invoice: Document, history: History) -> None:
    """Void the invoice of a cancelled, never paid order, or credit it in full.

    How the same cancellation was booked before counts first: a period that closes afterwards changes nothing.
    """
    if not credits_cancelled(case, history):
        case.documents.append(invoice.model_copy(update={"wanted": WantedState.VOID}))
        return
    case.documents.append(invoice)
    case.documents.append(_credit(case, invoice, invoice.total, history))


def credits_cancelled(case: Case, history: History) -> bool:
    """Whether a cancelled, never paid order is taken back by a credit memo: as it was before, else by its period."""
    booked = history.cancellation or _booking(case, invoiced=history.invoiced)
    return booked != "void"


def _booking(case: Case, *, invoiced: bool) -> str:
    """`invoiced`: the invoice may be in the books already; one that was only ever held is not, and can't be written
    into its closed period any more, so that there is nothing to credit."""
    if case.order.ordered_on <= case.configuration.closed_through:
        return "credit" if invoiced else "void"
    return "void" if case.connection.unpaid_cancel == "void" else "credit"


def _credited_on(case: Case, history: History) -> date:
    """The day that stands on the credit memo already, else the cancellation's, else the first open one.

    A memo whose day was not kept stands on the order's own.
    """
    if history.credited_on is not None:
        return history.credited_on
    on = case.order.cancelled_on or case.order.ordered_on
    closed = case.configuration.closed_through
    first_open = history.invoiced and not history.cancellation and on <= closed
    return closed + timedelta(days=1) if first_open else on


def credit_rest(case: Case, invoices: Sequence[Document], history: History) -> None:
    """Credit what a cancelled order still owes after its payments and refunds, on whichever invoice is still open."""
    left = open_balances(case, invoices)
    rest = sum(left.values(), ZERO)
    if rest <= 0:
        return
    memo = _credit(case, _joined(invoices), rest, history)
    keys = tuple(one.key for one in invoices)
    case.documents.append(memo.model_copy(update={"applications": filling(rest, left), "depends_on": keys}))


def _joined(invoices: Sequence[Document]) -> Document:
    """Part-invoices as the one that they are together."""
    return invoices[0].model_copy(
        update={
            "lines": tuple(line for one in invoices for line in one.lines),
            "taxes": tuple(tax for one in invoices for tax in one.taxes),
            "total": sum((one.total for one in invoices), ZERO),
        }
    )


def _credit(case: Case, invoice: Document, amount: Decimal, history: History) -> Document:
    """A credit memo for what is left of the invoice: every line in proportion, so that income and tax go back alike."""
    lines, taxes = _share(case, invoice, amount)
    return Document(
        key=case.key(DocumentKind.CREDIT_MEMO, "order", "cancelled"),
        kind=DocumentKind.CREDIT_MEMO,
        **(
            case.sales_header()
            | {
                "date": _credited_on(case, history),
                "number": document_number(case, repeat=len(case.facts.refunds)),
            }
        ),
        total=amount,
        lines=lines,
        taxes=taxes,
        receivable=invoice.receivable,
        applications=(Application(document_key=invoice.key, amount=amount),) if amount else (),
        depends_on=(invoice.key,),
    )


def _share(case: Case, invoice: Document, amount: Decimal) -> tuple[tuple[DocumentLine, ...], tuple[DocumentTax, ...]]:
    parts = _left(case, invoice)
    whole = [line.amount for line in invoice.lines] + [tax.amount for tax in invoice.taxes]
    if amount == invoice.total and parts == whole:
        return invoice.lines, invoice.taxes
    shares = prorate(amount, parts, case.currency)
    lines = tuple(
        line.model_copy(update={"amount": share, "quantity": None, "unit_price": None, "tax_amount": None})
        for line, share in zip(invoice.lines, shares, strict=False)
        if share
    )
    taxes = tuple(
        tax.model_copy(update={"amount": share})
        for tax, share in zip(invoice.taxes, shares[len(invoice.lines) :], strict=True)
        if share
    )
    return lines, taxes


def _left(case: Case, invoice: Document) -> list[Decimal]:
    """What of each line and tax of the invoice was not given back by refunds yet.

    Nothing of a gift card's line: what the card has paid was received.
    """
    taken: dict[tuple[str, str], Decimal] = {}
    for document in case.documents:
        if document.source_kind == "refund":
            for line in document.lines:
                taken[_place(line)] = taken.get(_place(line), ZERO) + line.amount
            for tax in document.taxes:
                taken[TAXES] = taken.get(TAXES, ZERO) + tax.amount
    left = [_less(line.amount, taken, _place(line)) for line in invoice.lines]
    left += [_less(tax.amount, taken, TAXES) for tax in invoice.taxes]
    for index, line in enumerate(invoice.lines):
        if line.kind is LineKind.GIFT_CARD_REDEMPTION:
            left[index] = ZERO
    return left


def _place(line: DocumentLine) -> tuple[str, str]:
    """Where a line of a refund belongs on the invoice: goods to their own line, all else to its kind."""
    return line.kind.value, line.source_line_id if line.kind in GOODS else ""


def _less(amount: Decimal, taken: dict[tuple[str, str], Decimal], place: tuple[str, str]) -> Decimal:
    back = taken.get(place, ZERO)
    used = max(min(back, amount), ZERO) if amount > 0 else min(max(back, amount), ZERO)
    if used:
        taken[place] = back - used
    return amount - used
