"""Estimates that somebody made an invoice of in QuickBooks: that is the order's invoice (domain reference, 9.7).

It may have any number, and the estimate's memo with our mark is copied to it: it is found through the estimate.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from common.errors import Retryable
from common.messages.transactions import Document, DocumentKind
from ledger_writer.ledgers.protocol import Found, Operation, OperationKind
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.lookup import listed, read_found, rows_of
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.wire import Transaction

_ESTIMATE: Final = "Estimate"
_INVOICE: Final = "Invoice"


async def with_invoiced(
    client: Client, settings: OnlineSettings, operations: Sequence[Operation], found: Mapping[str, Sequence[Found]]
) -> dict[str, Sequence[Found]]:
    """The candidates, and for invoices that are to close an estimate those that are linked to it already.

    Raises what `Client` raises, and `Retryable` where an answer can't be read.
    """
    closing = {one.document_key: _estimates_of(one) for one in operations}
    closing = {key: estimates for key, estimates in closing.items() if estimates}
    if not closing:
        return dict(found)
    try:
        ids = {estimate for estimates in closing.values() for estimate in estimates}
        estimates = [Transaction.model_validate(row) for row in await _rows(client, settings, _ESTIMATE, ids)]
        made = {one.id: [link.txn_id for link in one.linked if link.txn_type == _INVOICE] for one in estimates}
        rows = await _rows(client, settings, _INVOICE, {invoice for invoices in made.values() for invoice in invoices})
        invoices = {candidate.link.ledger_id: candidate for candidate, _ in (read_found(_INVOICE, row) for row in rows)}
    except ValidationError as error:
        raise Retryable("QuickBooks' list of estimates or invoices can't be read") from error
    extended: dict[str, Sequence[Found]] = dict(found)
    for key, of_order in closing.items():
        more: dict[str, Found] = {one.link.ledger_id: one for one in found.get(key, ())}
        for estimate, its_key in of_order.items():
            for invoice in made.get(estimate, ()):
                if invoice in invoices and invoice not in more:
                    more[invoice] = _without_copied_mark(invoices[invoice], its_key)
        if more:
            extended[key] = list(more.values())
    return extended


def _estimates_of(operation: Operation) -> dict[str, str]:
    """Ledger id → document key of the estimates that a new invoice is to close."""
    wanted = operation.wanted
    is_new = operation.kind is DocumentKind.INVOICE and operation.operation is OperationKind.CREATE
    if not is_new or not isinstance(wanted, Document):
        return {}
    return {operation.references[key].ledger_id: key for key in wanted.closes if key in operation.references}


def _without_copied_mark(found: Found, estimate_key: str) -> Found:
    return replace(found, mark=None) if found.mark == estimate_key[: len(found.mark or "")] else found


async def _rows(client: Client, settings: OnlineSettings, entity: str, ids: Iterable[str]) -> list[Mapping[str, Any]]:
    ordered = sorted(ids)
    most = settings.values_per_query
    rows: list[Mapping[str, Any]] = []
    for start in range(0, len(ordered), most):
        rows += await rows_of(client, entity, f"Id IN {listed(ordered[start : start + most])}", settings.page_size)
    return rows
