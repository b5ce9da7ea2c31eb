"""Hide warnings, and take that back."""

from typing import Any

from api.routes import companies as company_routes
from api.routes.base import Deps, Gateway, router
from api.routes.resend import known_documents, known_orders
from api.security import TenantPrincipal, Writer
from api.store import audit, dismissals, documents, orders
from api.views.work import RESEND_MAX, Dismissed, DismissRequest
from common.database import Connection
from common.messages.control import DocumentDismissed

routes = router("resend")


@routes.post("/dismissals", operation_id="dismiss")
async def dismiss(body: DismissRequest, caller: Writer, deps: Deps) -> Dismissed:
    """Hide warnings, or (`dismissed: false`) take that back. What depends on a dismissed document rests with it.

    An order that is named stands for what makes it a warning: itself, documents of it, or both. The answer counts
    what is hidden now (or was, and is not any more); an order that is no warning counts nothing.
    """
    await company_routes.own(deps, caller, body.company_id)
    keys, found_orders = await _to_dismiss(deps, caller, body)
    async with deps.runtime.transaction() as (connection, batch):
        saved = await _save_dismissals(connection, caller, body, [(key, 0) for key in keys], is_order=False)
        for key, revision in saved:
            batch.publish(
                DocumentDismissed(
                    tenant_id=caller.tenant_id,
                    revision=revision,
                    company_id=body.company_id,
                    document_key=key,
                    dismissed=body.dismissed,
                    note=body.note,
                )
            )
        subjects = [(row["order_key"], row["revision"]) for row in found_orders]
        saved_orders = await _save_dismissals(connection, caller, body, subjects, is_order=True)
        await audit.record(
            connection,
            tenant_id=caller.tenant_id,
            actor=caller.key_id,
            action="dismissed" if body.dismissed else "dismissal_taken_back",
            subject=body.company_id,
            details={"documents": keys[:100], "orders": len(saved_orders), "code": body.code},
        )
    return Dismissed(documents=len(saved), orders=len(saved_orders))


async def _to_dismiss(
    deps: Gateway, caller: TenantPrincipal, body: DismissRequest
) -> tuple[list[str], list[dict[str, Any]]]:
    """Documents, and orders that are warnings by themselves. Raises a 404 problem for one that isn't there."""
    if body.code is not None:
        keys = await documents.with_code(deps.pool, caller.tenant_id, body.company_id, body.code, RESEND_MAX)
        return keys, await orders.with_code(deps.pool, caller.tenant_id, body.company_id, body.code, RESEND_MAX)
    named = await known_documents(deps, caller, body.company_id, body.document_keys)
    order_keys = [row["order_key"] for row in await known_orders(deps, caller, body.order_ids)]
    theirs = await documents.of_warnings(
        deps.pool, caller.tenant_id, body.company_id, order_keys, dismissed=not body.dismissed
    )
    alone = orders.to_dismiss if body.dismissed else orders.dismissed
    keys = sorted({*theirs, *(row["document_key"] for row in named)})
    return keys, await alone(deps.pool, caller.tenant_id, order_keys)


async def _save_dismissals(
    connection: Connection,
    caller: TenantPrincipal,
    body: DismissRequest,
    subjects: list[tuple[str, int]],
    *,
    is_order: bool,
) -> list[tuple[str, int]]:
    if not subjects:
        return []
    return await dismissals.save(
        connection,
        tenant_id=caller.tenant_id,
        company_id=body.company_id,
        subjects=subjects,
        is_order=is_order,
        dismissed=body.dismissed,
        note=body.note,
        changed_by=caller.key_id,
    )
