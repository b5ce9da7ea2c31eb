"""Reading what the ledger stored: the link to keep, and what a person should know about it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from common.messages.base import Reason
from common.messages.transactions import Document
from common.money import quantize, tolerance
from ledger_writer.ledgers.protocol import LedgerLink, Operation, Written
from ledger_writer.ledgers.quickbooks_online.bodies import Body
from ledger_writer.ledgers.quickbooks_online.bodies.base import notice
from ledger_writer.ledgers.quickbooks_online.lookup import item_link, name_link, transaction_link

_PEOPLE: Final = ("Customer", "Vendor", "Employee")
_NO_TOTAL: Final = ("JournalEntry",)
"""Entities whose TotalAmt says nothing."""


def link_of(entity: str, stored: Mapping[str, Any]) -> LedgerLink:
    """The link to an object as the ledger returned it. Raises `pydantic.ValidationError` for what is none."""
    if entity in _PEOPLE:
        return name_link(entity, stored)[0]
    if entity == "Item":
        return item_link(stored)[0]
    return transaction_link(entity, stored)[0]


def written_as(operation: Operation, body: Body, stored: Mapping[str, Any], action: str) -> Written:
    """The outcome of an accepted write, with a notice where the ledger's total is not the document's."""
    link = link_of(body.entity, stored)
    notices = body.notices
    if isinstance(operation.wanted, Document) and body.entity not in _NO_TOTAL and link.total is not None:
        notices += compare_totals(operation.wanted, link.total)
    return Written(link=link, action=action, notices=notices)


def compare_totals(document: Document, ledger_total: Decimal) -> tuple[Reason, ...]:
    """What a person must know where the ledger's total is not the document's (domain reference, 12.1)."""
    difference = ledger_total - document.total
    if difference == 0:
        return ()
    shown = quantize(ledger_total, document.currency)
    within = abs(difference) <= tolerance(document.currency, len(document.lines))
    return (
        notice(
            "TOTAL_ROUNDED" if within else "TAX_DIFFERS",
            f"QuickBooks' total is {shown}, the order's is {document.total} {document.currency} "
            f"(difference {difference})",
            "Nothing to do: it is within rounding."
            if within
            else "Check the tax codes; automatic sales tax needs the tax method `override`.",
            field_name="total",
            value=str(shown),
        ),
    )
