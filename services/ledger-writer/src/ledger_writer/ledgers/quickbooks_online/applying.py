"""Setting written documents off against each other, where QuickBooks wants a second request for it.

A payment carries its applications itself. A credit memo is applied by a payment of nothing that names it and the
invoice; a purchase that pays a customer back is applied to the customer's payment (or credit memo) in the same way.
The money is right before any of this, and what is written stays written. Where the ledger did not answer or had other
trouble that passes, the whole counts as unanswered: the look-up finds the document, and the application is tried again.
A refusal for good leaves a notice, and the application counts as not made, so that a resend makes it.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import structlog

from common.errors import Retryable
from common.messages.base import Reason
from common.messages.transactions import Document
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink, Operation, Unanswered, Written
from ledger_writer.ledgers.quickbooks_online.applied import APPLIED_LATER
from ledger_writer.ledgers.quickbooks_online.bodies.base import Books, customer_ref, linked, notice
from ledger_writer.ledgers.quickbooks_online.bodies.money import application, link_to
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault, NoAnswer, NotAsked
from ledger_writer.ledgers.quickbooks_online.errors import classify
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild
from ledger_writer.ledgers.quickbooks_online.requests import request_id
from ledger_writer.ledgers.quickbooks_online.tokens import NeedsReconnect

log = structlog.get_logger(__name__)

_PASSING = (ErrorClass.TRANSIENT, ErrorClass.CONFLICT, ErrorClass.LOOKUP)
_TRIES = 3


async def apply(client: Client, books: Books, operation: Operation, written: Written) -> Written | Unanswered:
    """Apply what was written to what the operation names. Safe to repeat: what is applied already stays."""
    document = operation.wanted
    if not isinstance(document, Document) or operation.kind not in APPLIED_LATER:
        return written
    for number, (key, amount) in enumerate(operation.applications):
        try:
            await _apply_one(
                client,
                books,
                operation,
                document,
                written.link,
                key,
                amount,
                number,
                fresh=written.action == "created",
            )
        except (LedgerFault, NotAsked, NoAnswer, NeedsReconnect, Retryable, CannotBuild) as error:
            log.warning("quickbooks_not_applied", kind=operation.kind.value, problem=type(error).__name__)
            if _passes(error):
                return Unanswered(f"the document is there, whether it is applied is not known: {error}")
            return replace(
                written, notices=(*written.notices, _not_applied(error)), applied=operation.applications[:number]
            )
    return written


def _passes(error: Exception) -> bool:
    """Whether nothing is wrong with the application itself, so that trying it again is all that is needed."""
    if isinstance(error, LedgerFault):
        refused = classify(error.fault)
        return refused.stops_company or refused.error_class in _PASSING
    return not isinstance(error, CannotBuild)


def _not_applied(error: Exception) -> Reason:
    said = classify(error.fault).reason.text if isinstance(error, LedgerFault) else str(error)
    return notice(
        "NOT_APPLIED",
        f"the document is in QuickBooks but not set off against the other one: {said}",
        "Apply it in QuickBooks (Receive payment), or resend.",
        field_name="applications",
    )


async def _apply_one(
    client: Client,
    books: Books,
    operation: Operation,
    document: Document,
    source: LedgerLink,
    key: str,
    amount: Decimal,
    number: int,
    *,
    fresh: bool,
) -> None:
    target = linked(operation, key, "document")
    if target.details.get("entity") == "Payment":
        await _into_payment(client, operation, source, target, amount, number)
        return
    # A document that was written this moment can't be applied yet: only a repeat has to look.
    if not fresh and await _is_used(client, source, target):
        return
    body = application(
        document, customer_ref(operation, document)["value"], [(target, amount), (source, amount)], books
    )
    await client.create(body.entity, body.content, request_id(operation.idempotency_key, f"a{number}"))


async def _into_payment(
    client: Client, operation: Operation, source: LedgerLink, target: LedgerLink, amount: Decimal, number: int
) -> None:
    """Add a line to the customer's payment that names the money which went back."""
    stale: LedgerFault | None = None
    for _ in range(_TRIES):
        payment: Mapping[str, Any] = await client.read("Payment", target.ledger_id)
        lines = [_writable(line) for line in payment.get("Line") or ()]
        if any(line["LinkedTxn"][0].get("TxnId") == source.ledger_id for line in lines if line["LinkedTxn"]):
            return
        token = str(payment.get("SyncToken") or "0")
        content = {
            "Id": target.ledger_id,
            "SyncToken": token,
            "sparse": True,
            "CustomerRef": payment.get("CustomerRef"),
            "TotalAmt": payment.get("TotalAmt"),
            "Line": [*lines, {"Amount": amount, "LinkedTxn": [link_to(source)]}],
        }
        step = f"a{number}t{token}"
        try:
            await client.update("Payment", content, request_id(operation.idempotency_key, step))
        except LedgerFault as error:
            if "5010" not in error.fault.codes:
                raise
            stale = error
            continue
        return
    if stale is not None:
        raise stale


async def _is_used(client: Client, source: LedgerLink, target: LedgerLink) -> bool:
    """Whether a payment sets the one off against the other already. Purchases do not say so, their partners do."""
    both = {source.ledger_id, target.ledger_id}
    for side in (target, source):
        written: Mapping[str, Any] = await client.read(side.details.get("entity", ""), side.ledger_id)
        for link in written.get("LinkedTxn") or ():
            if link.get("TxnType") != "Payment":
                continue
            payment: Mapping[str, Any] = await client.read("Payment", str(link.get("TxnId")))
            named = {part.get("TxnId") for line in payment.get("Line") or () for part in line.get("LinkedTxn") or ()}
            if both <= named:
                return True
    return False


def _writable(line: Mapping[str, Any]) -> dict[str, Any]:
    return {"Amount": line.get("Amount"), "LinkedTxn": list(line.get("LinkedTxn") or ())}
