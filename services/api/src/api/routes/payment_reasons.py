"""Why payments of an order are missing, asked of mapper with what only the read model knows."""

from typing import Any

from api.columns import Column
from api.routes.base import Gateway
from api.security import TenantPrincipal
from api.store import documents
from common.internal.mapper_checks import PaymentAnswer, PaymentQuestion, PaymentState
from common.messages.documents import DocumentState
from common.messages.transactions import DocumentKind
from common.problems import Problem

_INVOICES = frozenset(
    {DocumentKind.INVOICE, DocumentKind.SALES_RECEIPT, DocumentKind.SALES_ORDER, DocumentKind.ESTIMATE}
)
_DUPLICATE_REFERENCE = "PAYMENT_DUPLICATE_REFERENCE"


async def missing_payments(deps: Gateway, caller: TenantPrincipal, row: dict[str, Any]) -> list[PaymentState]:
    """Payments of an order with their reasons. Raises a 409 problem while its connection has no settings."""
    if row["company_id"] is None:
        raise Problem(
            409, "SETTINGS_NEEDED", "the order's connection has no settings yet", cure="save them: they name its ledger"
        )
    written = await documents_of(deps, caller, row)
    warned = [one for one in written if one["column_name"] == Column.WARNINGS and one["reason"] is not None]
    # What was refused itself says more than what waits for it.
    warned.sort(key=lambda one: one["state"] == DocumentState.BLOCKED)
    answer = await deps.services.mapper.post(
        "/internal/missing-payments",
        PaymentQuestion(
            tenant_id=caller.tenant_id,
            company_id=row["company_id"],
            order_key=row["order_key"],
            written=tuple(one["document_key"] for one in written if _is_there(one)),
            refused=next((one["reason"] for one in warned if one["kind"] in _INVOICES), None),
            references=tuple(one["reason"].value for one in warned if one["reason"].code == _DUPLICATE_REFERENCE),
        ),
        PaymentAnswer,
    )
    by_key = {one["document_key"]: one for one in written}
    # A summary that has the order's money is a document of other orders, too.
    others = {key for one in answer.payments for key in one.document_keys} - by_key.keys()
    if others:
        found = await documents.some(deps.pool, caller.tenant_id, sorted(others))
        by_key |= {one["document_key"]: one for one in found}
    return [_with_own_reason(one, by_key) for one in answer.payments]


def _with_own_reason(state: PaymentState, by_key: dict[str, dict[str, Any]]) -> PaymentState:
    """Where no check of ours keeps it out, the ledger's own answer to the payment does; a written summary has it."""
    documents_of_it = [by_key[key] for key in state.document_keys if key in by_key]
    if any(one["source_kind"] == "summary" and _is_there(one) for one in documents_of_it):
        return state.model_copy(update={"in_ledger": True, "reason": None, "notice": state.notice or state.reason})
    if state.in_ledger or state.reason is not None:
        return state
    said = (one["reason"] for one in documents_of_it)
    return state.model_copy(update={"reason": next((reason for reason in said if reason is not None), None)})


def _is_there(document: dict[str, Any]) -> bool:
    """Whatever it waits for, what is written stands in the ledger until something else is."""
    return document["column_name"] == Column.IN_LEDGER or document["standing"] is not None


async def documents_of(deps: Gateway, caller: TenantPrincipal, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Documents that an order has become in its company file."""
    return await documents.of_order(
        deps.pool, caller.tenant_id, row["company_id"], row["connection_id"], row["external_id"]
    )
