"""The sales forms of one order: receipt, invoice, sales order, estimate."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from common.messages.base import Reason
from common.messages.orders import Order
from common.messages.transactions import Document, DocumentKind, WantedState
from mapper.mapping.case import Case
from mapper.mapping.facts import PAID_STATUSES
from mapper.mapping.notices import mixed_tenders, number_unavailable
from mapper.mapping.numbers import document_number, next_number_unavailable
from mapper.mapping.payments import receipt_deposit
from mapper.mapping.reasons import Held, mode_not_supported, payments_short, waiting_for_payment
from mapper.mapping.sales import Sale, sale_of
from mapper.mapping.tax import warn_unexpected
from mapper.mapping.terms import days_of


def receipt(case: Case, order: Order, *, waits: bool, tip_excess: Decimal) -> Document:
    """The sales receipt of an order paid in full; held while it is not."""
    sale = sale_of(case, order, redeem_gifts=True, tip_excess=tip_excess)
    deposit_to, method, reference, mixed = receipt_deposit(case)
    if mixed:
        case.notices.append(mixed_tenders(", ".join(mixed)))
    header = _header(case)
    if waits:
        header["hold"] = _why_it_waits(case, order)
    return Document(
        key=case.key(DocumentKind.SALES_RECEIPT),
        kind=DocumentKind.SALES_RECEIPT,
        number=document_number(case),
        deposit_to=deposit_to,
        payment_method=method,
        reference=reference or order.reference_number,
        **header,
        **_body(sale),
    )


def _why_it_waits(case: Case, order: Order) -> Reason:
    """A payment that is still to come, or one that the channel leaves out of an order which it calls paid."""
    captured, missing = case.facts.captured, case.facts.open
    if case.directives.unpaid_by is None and order.financial_status in PAID_STATUSES and missing > 0:
        return payments_short(order.financial_status.value, order.total, captured, missing, case.currency)
    return waiting_for_payment(order.total, captured, case.currency)


def invoice(case: Case, sale: Sale, *, ordinal: int = 0, closes: tuple[Document, ...] = ()) -> Document:
    """An invoice of the given lines. It closes the sales order or estimate that stands before it."""
    keys = tuple(one.key for one in closes)
    return Document(
        key=case.key(DocumentKind.INVOICE, ordinal=ordinal),
        kind=DocumentKind.INVOICE,
        ordinal=ordinal,
        number=document_number(case, repeat=ordinal),
        due_date=due_date(case),
        terms=case.order.terms,
        reference=case.order.reference_number,
        receivable=case.receivable(),
        closes=keys,
        # One that was closed unwritten never will be in the ledger, and keeps nothing back.
        depends_on=tuple(one.key for one in closes if one.wanted is WantedState.PRESENT),
        **_header(case),
        **_body(sale),
    )


def found_invoice(case: Case) -> Document:
    """The invoice of the order that somebody else writes, by what it is told by: number, customer and total."""
    return Document(
        key=case.key(DocumentKind.INVOICE),
        kind=DocumentKind.INVOICE,
        wanted=WantedState.FOUND,
        number=document_number(case),
        total=case.order.total - case.order.tax_remitted,
        receivable=case.receivable(),
        **case.sales_header(),
    )


def sales_order(case: Case, sale: Sale, *, closed: bool) -> Document:
    """The order as a document that posts nothing; an estimate stands in where the ledger has no sales orders."""
    ledger = case.configuration.ledger
    if ledger.can("sales_order"):
        return _unposted(case, DocumentKind.SALES_ORDER, sale, closed=closed)
    if ledger.can("estimate"):
        return _unposted(case, DocumentKind.ESTIMATE, sale, closed=closed)
    raise Held(
        mode_not_supported(
            case.connection.mode.value,
            "the ledger has neither sales orders nor estimates",
            "Choose a mode without sales orders.",
        )
    )


def estimate(case: Case, sale: Sale, *, closed: bool) -> Document:
    if not case.configuration.ledger.can("estimate"):
        raise Held(
            mode_not_supported(case.connection.mode.value, "the ledger has no estimates", "Choose another mode.")
        )
    return _unposted(case, DocumentKind.ESTIMATE, sale, closed=closed)


def _unposted(case: Case, kind: DocumentKind, sale: Sale, *, closed: bool) -> Document:
    return Document(
        key=case.key(kind),
        kind=kind,
        wanted=WantedState.CLOSED if closed else WantedState.PRESENT,
        number=document_number(case, mirrored=True),
        terms=case.order.terms,
        due_date=due_date(case),
        **_header(case),
        **_body(sale),
    )


def plain_sale(case: Case, order: Order) -> Sale:
    """The order's lines as sold, gift cards included: what an order form shows."""
    return sale_of(case, order, redeem_gifts=False, with_fee=False)


def _header(case: Case) -> dict[str, Any]:
    warn_unexpected(case)
    if next_number_unavailable(case):
        case.notices.append(number_unavailable())
    return case.sales_header()


def _body(sale: Sale) -> dict[str, Any]:
    return {"total": sale.total, "lines": sale.lines, "taxes": sale.taxes}


def due_date(case: Case) -> date | None:
    """Stated, or the order's date and its terms, else those of the connection."""
    if case.order.due_on is not None:
        return case.order.due_on
    days = days_of(case.order.terms)
    if days is None:
        days = case.connection.terms_days or None
    return None if days is None else case.order.ordered_on + timedelta(days=days)
