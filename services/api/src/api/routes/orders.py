"""Orders: the list, one order, and its whole story."""

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import Query

from api import timeline
from api.columns import Column
from api.ids import order_id, order_key_of
from api.routes.base import Deps, Gateway, after_moment, following, found, router
from api.routes.ledger_links import with_urls
from api.routes.payment_reasons import missing_payments
from api.security import Reader, TenantPrincipal
from api.store import documents, orders
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.orders import Document, OrderDetail, OrderSummary, Timeline, Unavailable
from common.errors import Retryable
from common.internal.ingest import OrderHistory
from common.internal.ledger_writer import DocumentList
from common.internal.mapper import PayoutMemberships, SetList
from common.messages.orders import direction_of
from common.problems import Problem, not_found

routes = router("orders")

T = TypeVar("T")

Text = Annotated[str | None, Query(max_length=200)]


@routes.get("/orders", operation_id="list_orders")
async def list_orders(
    caller: Reader,
    deps: Deps,
    connection_id: Text = None,
    company_id: Text = None,
    number: Text = None,
    column: Annotated[Column | None, Query(description="Column of the overview.")] = None,
    code: Annotated[str | None, Query(max_length=64, description="Code of the reason.")] = None,
    ordered_from: date | None = None,
    ordered_to: date | None = None,
    run_id: Text = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Page[OrderSummary]:
    """The tenant's orders, last received first."""
    rows = await orders.page(
        deps.pool,
        caller.tenant_id,
        connection_id=connection_id,
        company_id=company_id,
        number=number,
        column=column,
        code=code,
        ordered_from=ordered_from,
        ordered_to=ordered_to,
        run_id=run_id,
        before=after_moment("orders", cursor),
        limit=limit,
    )
    after = following("orders", rows, limit, "received_at", "order_key")
    return Page(items=[summary(row) for row in rows], next_cursor=after)


@routes.get("/orders/{order_id}", operation_id="get_order")
async def get_order(order_id: str, caller: Reader, deps: Deps) -> OrderDetail:
    """One order with the documents it has become."""
    row = await own(deps, caller, order_id)
    rows = await documents.page(
        deps.pool,
        caller.tenant_id,
        company_id=row["company_id"],
        connection_id=None,
        kinds=None,
        state=None,
        column=None,
        code=None,
        number=None,
        order=(row["connection_id"], row["external_id"]),
        search=None,
        notices=None,
        before=None,
        limit=500,
    )
    await with_urls(deps, caller.tenant_id, rows)
    return OrderDetail(**summary(row).model_dump(), documents_found=[document(found_row) for found_row in rows])


@routes.get("/orders/{order_id}/timeline", operation_id="get_timeline")
async def get_timeline(order_id: str, caller: Reader, deps: Deps) -> Timeline:
    """Everything that happened to an order: raw → normalized → mapped → every write with its reason.

    It is put together from the services that own the parts; a part that can't be had right now is named.
    """
    row = await own(deps, caller, order_id)
    unavailable: list[Unavailable] = []
    whose = {"tenant_id": caller.tenant_id, "connection_id": row["connection_id"]}
    services = deps.services
    source, sets, written, payouts = await asyncio.gather(
        _part(
            "source",
            services.ingest.get(
                f"/internal/connections/{row['connection_id']}/orders",
                OrderHistory,
                tenant_id=caller.tenant_id,
                external_id=row["external_id"],
            ),
            unavailable,
        ),
        _part(
            "sets",
            services.mapper.get("/internal/sets", SetList, **whose, source_kind="order", source_id=row["external_id"]),
            unavailable,
        ),
        _part(
            "documents",
            services.ledger_writer.get(
                "/internal/documents", DocumentList, **whose, source_kind="order", source_id=row["external_id"]
            ),
            unavailable,
        ),
        _part(
            "payouts",
            services.mapper.get(
                "/internal/payouts/of-order", PayoutMemberships, **whose, external_id=row["external_id"]
            ),
            unavailable,
        ),
    )
    shown_payouts = None if payouts is None else list(payouts.payouts)
    shown_sets = None if sets is None else list(sets.sets)
    shown_documents = None if written is None else list(written.documents)
    payments = None
    if shown_sets and row["company_id"] is not None:
        payments = await _part("payments", missing_payments(deps, caller, row), unavailable)
    set_aside = timeline.SetAside(row["parked_at"], row["reason"]) if row["parked_at"] is not None else None
    return Timeline(
        order=summary(row),
        entries=timeline.build(source, shown_sets, shown_documents, shown_payouts, payments, set_aside),
        source=source,
        sets=shown_sets,
        documents=shown_documents,
        payments=payments,
        payouts=shown_payouts,
        unavailable=unavailable,
    )


async def _part(name: str, asked: Awaitable[T], unavailable: list[Unavailable]) -> T | None:
    """One owner's answer. An order it has not heard of is an empty part, not an error."""
    try:
        return await asked
    except Retryable as error:
        unavailable.append(Unavailable(part=name, text=error.text))
    except Problem as problem:
        if problem.status != 404:
            unavailable.append(Unavailable(part=name, text=problem.details.detail))
    return None


async def own(deps: Gateway, caller: TenantPrincipal, identifier: str) -> dict[str, Any]:
    """The tenant's order behind an id of a path. Raises a 404 problem."""
    key = order_key_of(identifier)
    if key is None:
        raise not_found("order", identifier)
    return found(await orders.one(deps.pool, caller.tenant_id, key), "order", identifier)


def summary(row: dict[str, Any]) -> OrderSummary:
    """A row of the list as it is shown."""
    return OrderSummary(
        **{
            **row,
            "order_id": order_id(row["order_key"]),
            "direction": direction_of(row["external_id"]),
            "column": row["column_name"],
            "documents": row["documents_wanted"] or 0,
            "documents_in_ledger": row["documents_in_ledger"],
        }
    )


def document(row: dict[str, Any]) -> Document:
    """A document's row as it is shown."""
    return Document(**document_fields(row))


def document_fields(row: dict[str, Any]) -> dict[str, Any]:
    """A document's row with what is derived from it."""
    is_order = row["source_kind"] == "order"
    key = f"{row['connection_id']}/{row['source_id']}"
    return {**row, "column": row["column_name"], "order_id": order_id(key) if is_order else None}
