"""Try again, and connect customers: what a person does about a warning."""

from typing import Any

from fastapi import Request, status

from api.idempotency import seed_of
from api.ids import new_id, order_key_of
from api.routes import companies as company_routes
from api.routes import connections as connection_routes
from api.routes.base import ONCE, Deps, Gateway, router
from api.routes.documents import own as own_document
from api.security import Syncer, TenantPrincipal, Writer
from api.store import audit, dead_letters, dismissals, documents, orders, runs
from api.views.base import Accepted
from api.views.pairing import CustomerConnect
from api.views.work import RESEND_MAX, ResendRequest
from common.batch import Batch
from common.cures import FieldProblem
from common.database import Connection
from common.internal.ledger_writer import LinkRequest, LinkTarget
from common.messages.control import CustomerConnected, ResendRequested
from common.messages.orders import order_key
from common.problems import Problem, not_found

routes = router("resend")

_KEYS_PER_MESSAGE = 1000
_NAME_MAX = 500


@routes.post("/resends", operation_id="resend", status_code=status.HTTP_202_ACCEPTED, dependencies=ONCE)
async def resend(body: ResendRequest, request: Request, caller: Syncer, deps: Deps) -> Accepted:
    """Bring one, many, or all warnings (of a code) up to date and try them now. The run tells what became of each."""
    await company_routes.own(deps, caller, body.company_id)
    run_id = new_id("run", seed_of(request))
    chosen, chosen_orders = await _choose(deps, caller, body)
    if not chosen and not chosen_orders:
        raise Problem(409, "NOTHING_TO_RESEND", "nothing fits this choice", cure="list the warnings again")
    if not body.cascade and not body.all_warnings:
        _refuse_unsynced_dependencies(chosen)
    async with deps.runtime.transaction(correlation_id=run_id) as (connection, batch):
        made = await runs.insert(
            connection,
            run_id=run_id,
            tenant_id=caller.tenant_id,
            trigger="resend",
            kind="resend",
            connection_id=None,
            company_id=body.company_id,
            task_id=None,
            requested_by=caller.key_id,
            request=body.model_dump(mode="json", exclude_defaults=True),
            fetched=True,
        )
        if made:
            await runs.add_documents(
                connection,
                run_id,
                [(row["document_key"], row["revision"], _number(row)) for row in chosen],
            )
            await runs.add_orders(
                connection, run_id, [(row["order_key"], row["revision"], row["number"]) for row in chosen_orders]
            )
            order_keys = _order_keys(chosen, chosen_orders)
            await dead_letters.sets_asked_for(connection, caller.tenant_id, order_keys)
            _publish(batch, caller.tenant_id, run_id, body, [row["document_key"] for row in chosen], order_keys)
            await _audit_resend(connection, caller, run_id, body, chosen, chosen_orders)
    return Accepted(run_id=run_id, items=len(chosen) + len(chosen_orders))


@routes.post(
    "/companies/{company_id}/customers/{customer_key}/connect",
    operation_id="connect_customer",
    status_code=status.HTTP_202_ACCEPTED,
)
async def connect_customer(
    company_id: str, customer_key: str, body: CustomerConnect, caller: Writer, deps: Deps
) -> CustomerConnected:
    """Say how a source customer relates to the ledger, and from which date its documents are in scope.

    `existing` is refused for a customer that the ledger has not, or keeps in another currency than the orders'. A
    ledger that knows customers by name alone (Beancount) takes any name as `ledger_id`, and writes it as the payee.
    `create` makes one whatever the ledger has: its name, yours or the orders', ends in the source's id.
    """
    await company_routes.own(deps, caller, company_id)
    await connection_routes.own(deps, caller, body.connection_id)
    row = await own_document(deps, caller, customer_key)
    if row["company_id"] != company_id or row["kind"] != "customer":
        raise not_found("customer", customer_key)
    name = _new_name(body, row["name"]) if body.link == "create" else body.display_name
    if body.link == "existing":
        target = await _existing(deps, caller, customer_key, body.ledger_id)
        name = name or target.name
    async with deps.runtime.transaction() as (connection, batch):
        # The revision is that of the tenant's decisions on this customer, kept in the same place as dismissals.
        saved = await dismissals.save(
            connection,
            tenant_id=caller.tenant_id,
            company_id=company_id,
            subjects=[(f"customer {customer_key}", 0)],
            is_order=True,
            dismissed=body.link == "ignore",
            note="",
            changed_by=caller.key_id,
        )
        state = CustomerConnected(
            tenant_id=caller.tenant_id,
            revision=saved[0][1],
            company_id=company_id,
            connection_id=body.connection_id,
            customer_key=customer_key,
            source_external_id=body.source_external_id,
            link=body.link,
            ledger_id=body.ledger_id,
            display_name=name,
            currency=row["currency"],
            horizon=body.horizon,
        )
        batch.publish(state)
        await audit.record(
            connection,
            tenant_id=caller.tenant_id,
            actor=caller.key_id,
            action="customer_connected",
            subject=customer_key,
            details={"link": body.link, "ledger_id": body.ledger_id},
        )
    return state


async def _existing(deps: Gateway, caller: TenantPrincipal, customer_key: str, ledger_id: str | None) -> LinkTarget:
    """The ledger's customer. Raises a 422 problem where it has none of this id, or has it in another currency."""
    if ledger_id is None:
        cure = "give the id of the ledger's customer, from the search"
        wrong = FieldProblem(field="body.ledger_id", value=None, cure=cure)
        raise Problem(422, "LEDGER_ID_NEEDED", "which customer of the ledger is it?", errors=[wrong])
    return await deps.services.ledger_writer.post(
        f"/internal/documents/{customer_key}/link/check",
        LinkRequest(tenant_id=caller.tenant_id, ledger_id=ledger_id),
        LinkTarget,
    )


def _new_name(body: CustomerConnect, known_as: str) -> str:
    """Name of a customer that is to be made. With the id that it has at the source no other one has it, so that none of
    the same name is taken for it."""
    name, source_id = body.display_name or known_as, body.source_external_id
    if source_id is None or name.endswith(f"({source_id})"):
        return name
    suffix = f" ({source_id})"
    return name[: _NAME_MAX - len(suffix)] + suffix


async def _choose(
    deps: Gateway, caller: TenantPrincipal, body: ResendRequest
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Documents, and orders without documents, that are meant. Raises a 404 problem for one that isn't there."""
    if body.code is not None or body.all_warnings:
        keys = await documents.with_code(deps.pool, caller.tenant_id, body.company_id, body.code, RESEND_MAX)
        chosen = await documents.known(deps.pool, caller.tenant_id, body.company_id, keys)
        without = await orders.with_code(deps.pool, caller.tenant_id, body.company_id, body.code, RESEND_MAX)
        return chosen, without
    chosen = await known_documents(deps, caller, body.company_id, body.document_keys)
    return chosen, await known_orders(deps, caller, body.order_ids)


async def known_documents(
    deps: Gateway, caller: TenantPrincipal, company_id: str, keys: list[str]
) -> list[dict[str, Any]]:
    """Documents of the company file. Raises a 404 problem for one that isn't there."""
    rows = await documents.known(deps.pool, caller.tenant_id, company_id, keys)
    missing = set(keys) - {row["document_key"] for row in rows}
    if missing:
        raise not_found("document", min(missing))
    return rows


async def known_orders(deps: Gateway, caller: TenantPrincipal, identifiers: list[str]) -> list[dict[str, Any]]:
    """The tenant's orders. Raises a 404 problem for one that isn't there."""
    keys = {identifier: order_key_of(identifier) for identifier in identifiers}
    rows = await orders.known(deps.pool, caller.tenant_id, [key for key in keys.values() if key is not None])
    there = {row["order_key"] for row in rows}
    missing = [identifier for identifier, key in keys.items() if key not in there]
    if missing:
        raise not_found("order", missing[0])
    return rows


def _refuse_unsynced_dependencies(chosen: list[dict[str, Any]]) -> None:
    """A payment without its invoice can't be written: say which invoice, unless it is sent along."""
    sent = {row["document_key"] for row in chosen}
    wrong = [
        FieldProblem(
            field=f"document {row['document_key']}",
            value=f"{row['kind']} {_number(row)}",
            cure=f"send {row['dependency_kind']} {row['dependency_number'] or row['dependency_name']}"
            f" ({row['dependency']}) first, or set cascade",
        )
        for row in chosen
        if row["dependency"] is not None and row["dependency_column"] != "in_ledger" and row["dependency"] not in sent
    ]
    if wrong:
        raise Problem(
            409,
            "DEPENDENCY_NOT_IN_LEDGER",
            f"{len(wrong)} document(s) depend on something that is not in the ledger",
            cure="set cascade to send what they depend on first",
            errors=wrong[:50],
        )


def _order_keys(chosen: list[dict[str, Any]], chosen_orders: list[dict[str, Any]]) -> list[str]:
    """Of the orders that are meant, and of those that the documents come from."""
    keys = {order_key(row["connection_id"], row["source_id"]) for row in chosen if row["source_kind"] == "order"}
    return sorted(keys | {row["order_key"] for row in chosen_orders})


def _publish(
    batch: Batch,
    tenant_id: str,
    run_id: str,
    body: ResendRequest,
    document_keys: list[str],
    order_keys: list[str],
) -> None:
    for number, start in enumerate(range(0, max(len(document_keys), len(order_keys)), _KEYS_PER_MESSAGE)):
        part = slice(start, start + _KEYS_PER_MESSAGE)
        batch.publish(
            ResendRequested(
                tenant_id=tenant_id,
                revision=1,
                resend_id=f"{run_id}.{number}",
                company_id=body.company_id,
                order_keys=tuple(order_keys[part]),
                document_keys=tuple(document_keys[part]),
                refetch=body.refetch,
                cascade=body.cascade,
            )
        )


async def _audit_resend(
    connection: Connection,
    caller: TenantPrincipal,
    run_id: str,
    body: ResendRequest,
    chosen: list[dict[str, Any]],
    chosen_orders: list[dict[str, Any]],
) -> None:
    before = {row["document_key"]: row["column_name"] for row in chosen[:100]}
    await audit.record(
        connection,
        tenant_id=caller.tenant_id,
        actor=caller.key_id,
        action="resend",
        subject=run_id,
        details={
            "company_id": body.company_id,
            "documents": len(chosen),
            "orders": len(chosen_orders),
            "code": body.code,
            "before": before,
        },
    )


def _number(row: dict[str, Any]) -> str:
    return str(row["number"] or row["name"] or row["source_number"])
