"""From a row of the mode table to documents, in posting order."""

from collections.abc import Sequence
from dataclasses import replace

from common.messages.base import Reason
from common.messages.control import TransactionMode
from common.messages.transactions import Document, LineKind, WantedState
from common.money import ZERO
from mapper.mapping.cancellations import cancel_invoice, credit_rest, credits_cancelled
from mapper.mapping.case import Case
from mapper.mapping.closing import Shipment, parts_of, quantities_back, shipments
from mapper.mapping.filter_reasons import in_payout, in_summary
from mapper.mapping.forms import estimate, found_invoice, invoice, plain_sale, receipt, sales_order
from mapper.mapping.history import History
from mapper.mapping.modes import INVOICE_PAYMENTS, ModeRow, RefundSteps, Situation, Step
from mapper.mapping.payments import (
    excess_as_tip,
    gifts_are_payments,
    plan_payments,
    plan_payments_of_found,
    plan_payments_over,
    plan_unapplied_payments,
    skipped_payment,
    unapplied_excess,
)
from mapper.mapping.purchases import plan_fee, plan_purchase_orders
from mapper.mapping.refunds import UNEXPLAINED, UNWRITTEN, plan_refunds
from mapper.mapping.removals import without_removed
from mapper.mapping.sales import sale_of
from mapper.mapping.summaries import summary_key, takes_unpaid

INVOICED_STEPS = frozenset({Step.INVOICE, Step.VOID_INVOICE})


def choose_row(case: Case, row: ModeRow, mode: TransactionMode, history: History) -> ModeRow:
    """The mode's row, with unpaid orders in summary invoices where settings want them; or invoices with payments where
    a receipt can't tell the story.

    A receipt says that everything was paid. An order that was paid in part and then cancelled or refunded never gets
    there, so it is planned from its payments and refunds themselves (section 6). The option
    `unpaid_in_receipt_mode = invoice` invoices what is unpaid, and stays with the invoice once there is one.
    """
    if takes_unpaid(case, mode) and not case.facts.cancelled:
        return replace(row, unpaid=row.paid, partly_paid=row.paid)
    if mode is not TransactionMode.SALES_RECEIPTS:
        return row
    facts = case.facts
    part_paid = facts.situation is Situation.PARTLY_PAID
    if part_paid and (facts.cancelled or facts.returned > 0):
        return INVOICE_PAYMENTS
    if case.connection.unpaid_in_receipt_mode == "invoice":
        unpaid = facts.situation in (Situation.UNPAID, Situation.PARTLY_PAID)
        if unpaid or history.invoiced:
            return INVOICE_PAYMENTS
    return row


def plan_documents(case: Case, row: ModeRow, mode: TransactionMode, history: History, *, defers: bool) -> Reason | None:
    """Fill `case.documents`; the reason, if any, says where else the order is accounted for.

    `defers` says that a rule lets invoices wait for fulfilment, so that they follow the shipments.
    """
    cell = row.cell(case.facts.situation)
    if Step.IN_SUMMARY in cell:
        _plan_refunds_of_summary(case, mode)
        return in_summary(case.order.ordered_on)
    if Step.IN_PAYOUT in cell:
        return in_payout()
    if Step.RECEIPT in cell or Step.HELD_RECEIPT in cell:
        _plan_receipt(case, row, waits=Step.HELD_RECEIPT in cell)
        return None
    if Step.FOUND_INVOICE in cell:
        found = found_invoice(case)
        case.documents.append(found)
        plan_payments_of_found(case, found)
        return None
    order_form = _plan_order_form(case, row, cell)
    # What was invoiced stays so: goods that come back make an order look unfulfilled again.
    stays = history.invoiced and case.configuration.company.approved_at is not None
    waits = case.directives.no_invoice_by is not None and not stays
    if waits or INVOICED_STEPS.isdisjoint(cell):
        _plan_without_invoice(case, row, cell, order_form)
        return None
    shipped = _shipments(case, history) if defers and order_form is not None else None
    if order_form is not None and shipped is not None:
        _plan_shipments(case, row, cell, order_form, shipped, history)
    else:
        _plan_invoice(case, row, cell, order_form, history)
    return None


def _plan_refunds_of_summary(case: Case, mode: TransactionMode) -> None:
    """Refunds of a summarised order have documents of their own, unless they are merged into the day's summary."""
    if case.connection.merge_refunds or mode is TransactionMode.SUMMARY_SALES_ORDER or not case.facts.refunds:
        return
    plan_refunds(case, RefundSteps.RECEIPTS, None)
    key = summary_key(case, mode)
    case.documents[:] = [
        one if one.depends_on else one.model_copy(update={"depends_on": (key,)}) for one in case.documents
    ]


def _plan_receipt(case: Case, row: ModeRow, *, waits: bool) -> None:
    tip = excess_as_tip(case)
    document = receipt(case, without_removed(case.order, case.facts), waits=waits, tip_excess=tip)
    case.documents.append(document)
    if waits:
        return
    unapplied_excess(case, document)
    plan_fee(case, document)
    plan_refunds(case, row.refunds, document)


def _plan_order_form(case: Case, row: ModeRow, cell: tuple[Step, ...]) -> Document | None:
    """The sales order or estimate that stands before everything else."""
    given_up = row.closes_order_on_refund and (case.facts.cancelled or case.facts.returned > 0)
    if Step.SALES_ORDER in cell or Step.CLOSE_SALES_ORDER in cell:
        closed = given_up or Step.CLOSE_SALES_ORDER in cell
        document = sales_order(case, plain_sale(case, case.order), closed=closed)
    elif Step.ESTIMATE in cell or Step.CLOSE_ESTIMATE in cell:
        closed = case.facts.cancelled or Step.CLOSE_ESTIMATE in cell
        document = estimate(case, plain_sale(case, case.order), closed=closed)
    else:
        return None
    case.documents.append(document)
    if Step.PURCHASE_ORDERS in cell or Step.CLOSE_PURCHASE_ORDERS in cell:
        plan_purchase_orders(case, document, closed=Step.CLOSE_PURCHASE_ORDERS in cell)
    return document


def _plan_invoice(
    case: Case, row: ModeRow, cell: tuple[Step, ...], order_form: Document | None, history: History
) -> None:
    pays = Step.PAYMENTS in cell
    redeems = row.has_payments and not gifts_are_payments(case)
    tip = excess_as_tip(case) if pays else ZERO
    sale = sale_of(case, case.order, redeem_gifts=redeems, tip_excess=tip)
    document = invoice(case, sale, closes=(order_form,) if order_form else ())
    if Step.VOID_INVOICE in cell:
        cancel_invoice(case, document, history)
        return
    case.documents.append(document)
    if pays:
        plan_payments(case, document)
    elif Step.SKIPPED_PAYMENT in cell:
        case.documents.append(skipped_payment(case, document))
    if pays:
        plan_fee(case, document)
    plan_refunds(case, row.refunds, document)
    if case.facts.cancelled and row.has_payments:
        credit_rest(case, [document], history)


def _plan_shipments(
    case: Case,
    row: ModeRow,
    cell: tuple[Step, ...],
    order_form: Document,
    shipped: Sequence[Shipment],
    history: History,
) -> None:
    """One invoice per shipment; payments fill them in turn, and what is left waits for the next."""
    voids = Step.VOID_INVOICE in cell and not credits_cancelled(case, history)
    if voids or not shipped:
        _plan_without_invoice(case, row, cell, order_form)
        return
    if case.facts.cancelled:
        order_form = _close_if_given_up(case, order_form)
    pays = Step.PAYMENTS in cell
    invoices = _part_invoices(case, row, order_form, shipped)
    case.documents.extend(invoices)
    if pays:
        plan_payments_over(case, invoices, order_form)
        plan_fee(case, invoices[0])
    plan_refunds(case, row.refunds, invoices[-1])
    if case.facts.cancelled and row.has_payments:
        credit_rest(case, invoices, history)


def _shipments(case: Case, history: History) -> list[Shipment] | None:
    written = (fact for fact in case.facts.refunds if fact.nature not in UNWRITTEN | UNEXPLAINED)
    return shipments(case.order, history, quantities_back(written))


def _part_invoices(case: Case, row: ModeRow, order_form: Document, shipped: Sequence[Shipment]) -> list[Document]:
    redeems = row.has_payments and not gifts_are_payments(case)
    tip = excess_as_tip(case)
    waits_for = (order_form.key,) if order_form.wanted is WantedState.PRESENT else ()
    redeemed = ZERO
    invoices: list[Document] = []
    for ordinal, part in enumerate(parts_of(case.order, shipped)):
        first = ordinal == 0
        sale = sale_of(
            case,
            part.order,
            redeem_gifts=redeems,
            redeemed=redeemed,
            tip_excess=tip if first else ZERO,
            with_fee=first,
        )
        redeemed -= sum((one.amount for one in sale.lines if one.kind is LineKind.GIFT_CARD_REDEMPTION), ZERO)
        document = invoice(case, sale, ordinal=ordinal, closes=(order_form,) if part.is_last else ())
        if not part.is_last:
            document = document.model_copy(update={"depends_on": waits_for})
        invoices.append(document)
    return invoices


def _plan_without_invoice(case: Case, row: ModeRow, cell: tuple[Step, ...], order_form: Document | None) -> None:
    """Sales-order modes before (or without) the invoice: money received stays unapplied, and goes back as it came."""
    alone = row.refunds is RefundSteps.MEMOS_ALONE
    if alone:
        plan_refunds(case, row.refunds, None)
        return
    if order_form is not None and Step.INVOICE in cell:
        order_form = _close_if_given_up(case, order_form)
    if Step.PAYMENTS not in cell and Step.UNAPPLIED_PAYMENTS not in cell:
        return
    if order_form is None and case.directives.no_invoice_by is not None:
        return
    # Money came in whether or not its order, which was given up before it was ever written, is in the ledger.
    waits_for = order_form if order_form is not None and order_form.wanted is WantedState.PRESENT else None
    plan_unapplied_payments(case, waits_for)
    if row.refunds is not RefundSteps.NOTHING:
        plan_refunds(case, RefundSteps.UNAPPLIED, order_form)


def _close_if_given_up(case: Case, order_form: Document) -> Document:
    """The order form, closed where the order was cancelled or all its money went back before there was an invoice."""
    facts = case.facts
    if not facts.cancelled and not 0 < facts.captured <= facts.returned:
        return order_form
    closed = order_form.model_copy(update={"wanted": WantedState.CLOSED})
    case.documents[:] = [closed if one.key == closed.key else one for one in case.documents]
    return closed
