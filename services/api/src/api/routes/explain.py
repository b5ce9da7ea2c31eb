"""Why and what if: missing payments, the preview of one order, and rules tried before they are saved."""

from typing import Any

from api.columns import Column
from api.ids import order_key_of
from api.routes.base import Deps, router
from api.routes.orders import own
from api.routes.payment_reasons import documents_of, missing_payments
from api.security import Reader
from api.store import orders
from api.views.explain import DryRunRequest, OrderPreview, PaymentsOfOrder, PreviewedDocument
from common.internal.mapper import PlannedDocument, PreviewRequest, PreviewResult
from common.internal.mapper_checks import (
    DraftRule,
    DryRun,
    DryRunResult,
)
from common.messages.base import Reason
from common.messages.documents import DocumentState
from common.messages.transactions import WantedState
from common.problems import Problem, not_found

routes = router("explanations")


@routes.get("/orders/{order_id}/missing-payments", operation_id="explain_missing_payments")
async def explain_missing_payments(order_id: str, caller: Reader, deps: Deps) -> PaymentsOfOrder:
    """Why a payment is not in the ledger.

    Checked in this order, the first that is true is the reason: the mode has no payments · the status filter never
    looks again after payment · the invoice is missing or failed · it has no balance · the reference exists already ·
    a rule marks the order as unpaid · method or account is not mapped · before the start date, or in a closed period.
    """
    row = await own(deps, caller, order_id)
    try:
        answer = await missing_payments(deps, caller, row)
    except Problem as problem:
        raise _not_mapped(row) if problem.status == 404 else problem from problem
    return PaymentsOfOrder(
        order_id=order_id,
        company_id=row["company_id"],
        missing=sum(not one.in_ledger for one in answer),
        payments=answer,
    )


@routes.get("/orders/{order_id}/preview", operation_id="preview_order")
async def preview_order(order_id: str, caller: Reader, deps: Deps) -> OrderPreview:
    """Fetched order → after rules → planned documents with accounts and totals → what would happen. Posts nothing."""
    row = await own(deps, caller, order_id)
    if row["company_id"] is None:
        raise Problem(
            409, "SETTINGS_NEEDED", "the order's connection has no settings yet", cure="save them: they name its ledger"
        )
    wanted = PreviewRequest(tenant_id=caller.tenant_id, company_id=row["company_id"], order_keys=(row["order_key"],))
    result = await deps.services.mapper.post("/internal/preview", wanted, PreviewResult)
    if not result.orders:
        raise _not_mapped(row)
    (shown,) = result.orders
    now = {one["document_key"]: one for one in await documents_of(deps, caller, row)}
    return OrderPreview(
        order_id=order_id,
        number=shown.number,
        outcome=shown.outcome,
        reason=shown.reason,
        rules=list(shown.rules),
        documents=[_previewed(document, now.get(document.key)) for document in shown.documents],
    )


def _not_mapped(row: dict[str, Any]) -> Problem:
    """Mapper does not have the order: it could not be read, or is on its way."""
    reason: Reason | None = row["reason"]
    if reason is None:
        return Problem(
            409, "NOT_MAPPED_YET", "the order is still on its way to be mapped", cure="ask again in a moment"
        )
    return Problem(409, reason.code, reason.text, cure=reason.cure or None)


def _previewed(document: PlannedDocument, now: dict[str, Any] | None) -> PreviewedDocument:
    there = now is not None and now["column_name"] == Column.IN_LEDGER
    kept_out: Reason | None = document.hold
    if kept_out is None and now is not None and not there:
        kept_out = now["reason"]
    if document.wanted is not WantedState.PRESENT:
        undone = there and now is not None and now["state"] != "voided" and document.wanted is not WantedState.FOUND
        would = "void" if undone else "nothing"
    elif kept_out is not None:
        would = "wait"
    elif there and now is not None:
        would = "nothing" if document.unchanged and now["state"] == DocumentState.SYNCED else "update"
    else:
        would = "create"
    return PreviewedDocument(
        document=document,
        would=would,
        state=now["state"] if now else None,
        blocked_by=kept_out,
        ledger_id=now["ledger_id"] if now else "",
    )


@routes.post("/rules/dry-run", operation_id="dry_run_rules")
async def dry_run_rules(body: DryRunRequest, caller: Reader, deps: Deps) -> DryRunResult:
    """Run orders through the rules: for each rule whether it matched, and before → after. Nothing is saved.

    Rules that are not saved yet can be given as drafts.
    """
    keys = {identifier: order_key_of(identifier) for identifier in body.order_ids}
    known = await orders.known(deps.pool, caller.tenant_id, [key for key in keys.values() if key is not None])
    there = {row["order_key"] for row in known}
    missing = [identifier for identifier, key in keys.items() if key not in there]
    if missing:
        raise not_found("order", missing[0])
    asked = DryRun(
        tenant_id=caller.tenant_id,
        order_keys=tuple(key for key in keys.values() if key is not None),
        drafts=tuple(DraftRule.model_validate(draft.model_dump()) for draft in body.drafts),
        only_drafts=body.only_drafts,
    )
    return await deps.services.mapper.post("/internal/rules/dry-run", asked, DryRunResult)
