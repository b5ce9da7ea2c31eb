"""Why a payment is missing, checked in the order of section 8; the first reason that is true is the one shown."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

from common.messages.base import Reason
from common.messages.control import TransactionMode
from common.messages.keys import document_key
from common.messages.orders import FinancialStatus, Order, Tender, TenderKind, TenderStatus
from common.messages.transactions import DocumentKind, TransactionSet
from common.money import quantize
from mapper.mapping import payment_reasons as say
from mapper.mapping.case import Case
from mapper.mapping.configuration import Configuration
from mapper.mapping.directives import Directives
from mapper.mapping.facts import read_facts, stated_payment
from mapper.mapping.filters import passes_status
from mapper.mapping.history import ACCOUNTED_ELSEWHERE, IN_SUMMARY
from mapper.mapping.modes import SALES_ORDER_MODES, TABLE
from mapper.mapping.payments import gifts_are_payments_in
from mapper.mapping.reasons import Held
from mapper.mapping.summaries import summary_key

BEFORE_HORIZON: Final = "BEFORE_HORIZON"


@dataclass(frozen=True, slots=True)
class LedgerView:
    """What only the writing side knows: which documents are there, why others are not, and references in use."""

    written: Collection[str] = ()
    """Keys of documents that are in the ledger."""
    refused: Reason | None = None
    """Why the invoice was refused, if it was."""
    references: Collection[str] = ()
    """References of payments in the ledger that are not ours."""


def why_no_payment(
    order: Order,
    tender: Tender,
    configuration: Configuration,
    directives: Directives,
    result: TransactionSet,
    ledger: LedgerView,
) -> Reason | None:
    """The reason that this payment is not in the ledger; None where nothing keeps it out.

    Its field and value are those of what keeps it out: the setting, the rule, the reference, the invoice's own.
    """
    connection = configuration.connection
    mode = _mode_of(order, directives, connection.mode, result)
    planned = next(
        (one for one in result.documents if one.kind is DocumentKind.PAYMENT and one.source_id == tender.external_id),
        None,
    )
    # An unpaid order in receipt mode may have become an invoice, which has payments.
    invoiced = mode is TransactionMode.SALES_RECEIPTS and planned is not None
    if result.reason is not None and result.reason.code in ACCOUNTED_ELSEWHERE:
        return say.in_other(result.reason, mode)
    if not TABLE[mode].has_payments and not invoiced:
        return say.not_in_mode(mode.value)
    if _never_seen_again(order, configuration):
        return say.not_fetched(connection.order_statuses)
    missing = _invoice_missing(order, mode in SALES_ORDER_MODES, result, ledger)
    if missing is not None:
        return missing
    facts = read_facts(order, directives, connection.rounding_tolerance)
    if order.total == 0 or (directives.unpaid_by is None and facts.captured == 0 and facts.open == 0):
        return say.no_balance_left(quantize(facts.open, order.currency))
    if tender.reference and tender.reference in ledger.references:
        return say.duplicate_reference(tender.reference)
    if directives.unpaid_by is not None:
        return say.marked_unpaid(directives.unpaid_by)
    unmapped = _unmapped(tender, configuration, directives)
    if unmapped is not None:
        return unmapped
    if planned is not None and planned.hold is not None and planned.hold.code == BEFORE_HORIZON:
        return say.before_horizon(planned.hold)
    start = None if "filters" in order.let_through else connection.start_date
    return _too_early(tender.captured_on, start, configuration.closed_through)


def payments_of(order: Order, directives: Directives) -> list[tuple[Tender, Reason | None]]:
    """Captured payments as the channel tells them, and what stands for those it leaves out, with a notice of that."""
    captured: list[tuple[Tender, Reason | None]] = [
        (tender, None) for tender in order.tenders if tender.status is TenderStatus.CAPTURED
    ]
    stated = stated_payment(order, directives)
    if stated is None:
        return captured
    money = (stated.amount, stated.currency, stated.captured_on)
    if directives.paid_by is not None:
        return [*captured, (stated, say.stated_by_rule(directives.paid_by, *money))]
    return [*captured, (stated, say.stated_by_channel(order.financial_status.value, *money))]


def former_carriers(order: Order, company_id: str, tender: Tender) -> tuple[str, str]:
    """Keys of what may have brought the payment's money into the ledger before nothing was planned for the order."""
    paid = f"{order.external_id}/{tender.external_id}"
    connection_id = order.connection_id
    return (
        document_key(order.tenant_id, company_id, connection_id, "tender", paid, DocumentKind.PAYMENT),
        document_key(
            order.tenant_id, company_id, connection_id, "order", order.external_id, DocumentKind.SALES_RECEIPT
        ),
    )


def summary_of(case: Case, result: TransactionSet) -> str | None:
    """Key of the summary that the order's money is booked by; None where that is no summary."""
    mode = _mode_of(case.order, case.directives, case.connection.mode, result)
    if result.reason is None or result.reason.code != IN_SUMMARY or mode in say.OPEN_SUMMARIES:
        return None
    return summary_key(case, mode)


def _mode_of(
    order: Order, directives: Directives, of_connection: TransactionMode, result: TransactionSet
) -> TransactionMode:
    """The mode that decided: a rule's, the order's own, the one it was written by, the connection's."""
    if directives.mode is not None:
        return directives.mode
    stated = order.invoice_mode or result.kept_mode
    return TransactionMode(stated) if stated in set(TransactionMode) else of_connection


def _never_seen_again(order: Order, configuration: Configuration) -> bool:
    connection = configuration.connection
    if "filters" in order.let_through:
        return False
    if not connection.order_statuses:
        return not connection.follow_changes
    return not passes_status(order.model_copy(update={"financial_status": FinancialStatus.PAID}), connection)


def _invoice_missing(order: Order, by_sales_order: bool, result: TransactionSet, ledger: LedgerView) -> Reason | None:
    kinds = (
        (DocumentKind.INVOICE, DocumentKind.SALES_ORDER, DocumentKind.ESTIMATE)
        if by_sales_order
        else (DocumentKind.INVOICE,)
    )
    wanted = [document for document in result.documents if document.kind in kinds]
    # What was written stays there while the order is held, and no document is planned then.
    stands = (
        document_key(order.tenant_id, result.company_id, order.connection_id, "order", order.external_id, kind)
        for kind in kinds
    )
    if any(key in ledger.written for key in (*(document.key for document in wanted), *stands)):
        return None
    why = ledger.refused or next((one.hold for one in wanted if one.hold is not None), None) or result.reason
    return say.invoice_missing(order.number, why)


def _unmapped(tender: Tender, configuration: Configuration, directives: Directives) -> Reason | None:
    if tender.external_id in directives.deposit_accounts:
        return None
    if tender.kind is not TenderKind.MONEY and not gifts_are_payments_in(configuration):
        return say.is_a_line(tender.kind.value)
    try:
        configuration.deposit_account(tender.method)
    except Held as held:
        return say.unmapped(held.reason)
    return None


def _too_early(captured_on: date, start: date | None, closed: date) -> Reason | None:
    if start is not None and captured_on < start:
        return say.before_start(start)
    return say.in_closed_period(closed) if captured_on <= closed else None
