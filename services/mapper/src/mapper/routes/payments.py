"""Why a payment is not in the ledger, and where the money of those that are lies. Nothing is written."""

from fastapi import APIRouter

from common.application import CurrentRuntime, InternalCaller
from common.internal.mapper_checks import (
    MoneyAnswer,
    MoneyPlace,
    MoneyQuestion,
    PaymentAnswer,
    PaymentQuestion,
    PaymentState,
)
from common.messages.orders import Order, Tender
from common.messages.transactions import Document, DocumentKind, SetOutcome, TransactionSet, WantedState
from common.problems import Problem, not_found
from mapper.mapping.case import Case
from mapper.mapping.configuration import Configuration
from mapper.mapping.facts import read_facts
from mapper.mapping.missing_payments import LedgerView, former_carriers, payments_of, summary_of, why_no_payment
from mapper.mapping.pricing import with_price_levels
from mapper.mapping.reasons import Held
from mapper.remapping import map_prepared, read_surroundings
from mapper.routes.preview import CurrentConfigurations
from mapper.store.configurations import Prepared
from mapper.store.money import PayoutOf, payouts_of
from mapper.store.orders import read_orders
from mapper.store.sets import NOT_YET, read_sets

router = APIRouter(prefix="/internal", tags=["payments"])


@router.post("/missing-payments", operation_id="explain_missing_payments")
async def explain(
    body: PaymentQuestion, runtime: CurrentRuntime, configurations: CurrentConfigurations, _: InternalCaller
) -> PaymentAnswer:
    """Each payment of an order with the first check of section 8 that keeps it out of the ledger."""
    connection_id, _slash, external_id = body.order_key.partition("/")
    key = (body.tenant_id, connection_id, external_id)
    async with runtime.pool.acquire() as connection, connection.transaction(readonly=True):
        order = (await read_orders(connection, [key])).get(key)
        if order is None:
            raise not_found("order", body.order_key)
        around = await read_surroundings(connection, configurations, [key])
    prepared = around.prepared.get((body.tenant_id, connection_id))
    if prepared is None or prepared.configuration is None or prepared.connection.company_id != body.company_id:
        raise Problem(409, "SETTINGS_NEEDED", "the connection has no settings, or its company file is not paired")
    known = around.known.get((body.tenant_id, body.company_id, connection_id, "order", external_id), NOT_YET)
    result = map_prepared(order, prepared, known)
    view = LedgerView(written=frozenset(body.written), refused=body.refused, references=frozenset(body.references))
    return PaymentAnswer(payments=tuple(_states(order, prepared, prepared.configuration, result, view)))


def _states(
    order: Order, prepared: Prepared, configuration: Configuration, result: TransactionSet, view: LedgerView
) -> list[PaymentState]:
    ruled, directives = prepared.rules.apply(order)
    ruled = with_price_levels(ruled, directives, prepared.catalog, configuration.connection.products.match_field)
    facts = read_facts(ruled, directives, configuration.connection.rounding_tolerance)
    summary = summary_of(Case(ruled, configuration, prepared.catalog, directives, facts), result)
    found = []
    for tender, left_out in payments_of(ruled, directives):
        carriers = [one.key for one in result.documents if _carries(one, tender)]
        if result.outcome is not SetOutcome.MAPPED:
            # What was written stays there while the order is held or left out.
            former = former_carriers(ruled, result.company_id, tender)
            carriers = [key for key in former if key in view.written]
        if summary is not None:
            carriers = [summary]
        there = any(key in view.written for key in carriers)
        reason = None
        if not there and not any(one.kind is DocumentKind.SALES_RECEIPT for one in result.documents):
            try:
                reason = why_no_payment(ruled, tender, configuration, directives, result, view)
            except Held as held:
                reason = held.reason
        elif not there:
            # The receipt carries the money: what keeps the receipt out keeps the payment out.
            reason = next((one.hold for one in result.documents if one.key in carriers and one.hold), view.refused)
        found.append(
            PaymentState(
                tender_id=tender.external_id,
                method=tender.method,
                amount=tender.amount,
                currency=tender.currency,
                captured_on=tender.captured_on,
                reference=tender.reference,
                document_keys=tuple(carriers),
                in_ledger=there,
                reason=reason or (None if there else result.reason),
                notice=left_out,
            )
        )
    return found


def _carries(document: Document, tender: Tender) -> bool:
    """Whether a document brings this payment's money into the ledger."""
    if document.wanted is not WantedState.PRESENT:
        return False
    if document.kind is DocumentKind.PAYMENT:
        return document.source_id == tender.external_id
    return document.kind is DocumentKind.SALES_RECEIPT


@router.post("/money", operation_id="find_money")
async def find_money(body: MoneyQuestion, runtime: CurrentRuntime, _: InternalCaller) -> MoneyAnswer:
    """Which account each document's money went to, and which payout it belongs to."""
    keys = [
        (body.tenant_id, body.company_id, *source)
        for source in sorted({(one.connection_id, one.source_kind, one.source_id) for one in body.documents})
    ]
    async with runtime.pool.acquire() as connection, connection.transaction(readonly=True):
        sets = await read_sets(connection, keys)
        documents = {one.key: (result, one) for result in sets for one in result.documents}
        wanted = [documents[one.document_key] for one in body.documents if one.document_key in documents]
        payouts = await payouts_of(connection, body.tenant_id, body.company_id, wanted)
    return MoneyAnswer(places=tuple(_place(one, payouts.get(one.key)) for _, one in wanted))


def _place(document: Document, payout: PayoutOf | None) -> MoneyPlace:
    account = document.deposit_to
    deposit = None if payout is None else payout.deposit_of(document.key)
    return MoneyPlace(
        document_key=document.key,
        account=account.name if account else "",
        account_role=account.role.value if account else "",
        method=document.payment_method,
        reference=document.reference,
        payout_id=payout.payout_id if payout else None,
        payout_on=payout.paid_on if payout else None,
        payout_outcome=payout.result.outcome if payout and payout.result else None,
        payout_reason=payout.result.reason if payout and payout.result else None,
        deposit_key=deposit.key if deposit else None,
        deposit_hold=deposit.hold if deposit else None,
    )
