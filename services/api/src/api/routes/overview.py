"""The overview of a company file, its warnings, the preview of its first sync, and its approval."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fastapi import Query

from api import overview as arithmetic
from api.attention import attention
from api.columns import Column
from api.routes import companies as company_routes
from api.routes.base import Deps, after_text, following, router
from api.routes.settings import switch_company
from api.routes.settings_gate import company_settings, connection_settings
from api.security import Reader, Writer
from api.store import connections, orders
from api.store import overview as store
from api.store import tasks as task_store
from api.views.base import Cursor, View
from api.views.pairing import PreviewHeld, PreviewOutcome, PreviewWritten
from api.views.work import Cause, NoticeGroup, Notices, Overview, OverviewRow, SideTotals, WarningGroup, Warnings
from common.internal.mapper import PreviewOrder, PreviewRequest, PreviewResult
from common.messages.base import Reason, Severity
from common.messages.control import CompanySettings
from common.money import UnknownCurrency, quantize
from common.problems import Problem

routes = router("overview")

_PREVIEW_MAX = 50


class Preview(View):
    """What would be written: outcomes of all orders, and some of them in full. Nothing is written by asking."""

    company_id: str
    approved_at: datetime | None
    outcomes: list[PreviewOutcome]
    orders: list[PreviewOrder]
    next_cursor: str | None


@routes.get("/companies/{company_id}/overview", operation_id="get_overview")
async def get_overview(company_id: str, caller: Reader, deps: Deps) -> Overview:
    """Counts per kind of document in dependency order. In each row the columns add up to the total in source."""
    company = await company_routes.own(deps, caller, company_id)
    settings = company_settings(company["settings"]) if company["settings"] else None
    async with deps.pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        counts = await store.counts(connection, caller.tenant_id, company_id)
        last = await store.last_synchronisation(connection, caller.tenant_id, company_id)
        pointing = await connections.of_company(connection, caller.tenant_id, company_id)
    built = arithmetic.build(counts)
    return Overview(
        company_id=company_id,
        rows=[_row(row) for row in built.rows],
        first_warning=built.first_warning,
        warnings_below=built.warnings_below,
        attention=list(attention(company, settings, [connection_settings(row["settings"]) for row in pointing])),
        last_synchronisation=last,
        counted_at=datetime.now(UTC),
    )


@routes.get("/companies/{company_id}/warnings", operation_id="list_warnings")
async def list_warnings(company_id: str, caller: Reader, deps: Deps) -> Warnings:
    """What keeps things out of the ledger, by code, with the cure and what is behind it. Most frequent first."""
    await company_routes.own(deps, caller, company_id)
    found = await store.warnings(deps.pool, caller.tenant_id, company_id)
    causes = _causes_by_code(found)
    missing = await task_store.missing(deps.pool, caller.tenant_id, company_id)
    own = [_warning(row, causes) for row in found if not row["is_cause"]]
    groups = sorted([*own, *_tasks_missing(missing)], key=lambda group: -group.entities)
    return Warnings(company_id=company_id, total=sum(group.entities for group in groups), groups=groups)


@routes.get("/companies/{company_id}/notices", operation_id="list_notices")
async def list_notices(company_id: str, caller: Reader, deps: Deps) -> Notices:
    """What documents in the ledger need a look for, by code and by what is behind it. Most frequent first."""
    await company_routes.own(deps, caller, company_id)
    found = await store.notices(deps.pool, caller.tenant_id, company_id)
    causes = _causes_by_code(found)
    return Notices(
        company_id=company_id,
        groups=[
            NoticeGroup(
                code=row["code"],
                text=row["text"],
                cure=row["cure"] or "",
                entities=row["entities"],
                causes=causes.get(row["code"], []),
            )
            for row in found
            if not row["is_cause"]
        ],
    )


@routes.get("/companies/{company_id}/preview", operation_id="preview_company")
async def preview_company(
    company_id: str,
    caller: Reader,
    deps: Deps,
    limit: int = Query(default=10, ge=1, le=_PREVIEW_MAX),
    cursor: Cursor = None,
) -> Preview:
    """What the first sync would write, with accounts and totals. Nothing is written before it is approved."""
    row = await company_routes.own(deps, caller, company_id)
    after = after_text("preview", cursor) or ""
    some = await orders.to_preview(deps.pool, caller.tenant_id, company_id, after, limit)
    result = PreviewResult(orders=())
    if some:
        keys = tuple(order["order_key"] for order in some)
        wanted = PreviewRequest(tenant_id=caller.tenant_id, company_id=company_id, order_keys=keys)
        result = await deps.services.mapper.post("/internal/preview", wanted, PreviewResult)
    outcomes = await store.outcomes(deps.pool, caller.tenant_id, company_id)
    parts = await store.would_write(deps.pool, caller.tenant_id, company_id)
    return Preview(
        company_id=company_id,
        approved_at=company_settings(row["settings"]).approved_at if row["settings"] else None,
        outcomes=[_outcome(each, parts) for each in outcomes],
        orders=list(result.orders),
        next_cursor=following("preview", some, limit, "order_key"),
    )


@routes.post("/companies/{company_id}/approve", operation_id="approve_company")
async def approve_company(company_id: str, caller: Writer, deps: Deps) -> CompanySettings:
    """Approve the first sync: from now on documents are written. Approving again changes nothing."""
    row = await company_routes.own(deps, caller, company_id)
    if row["settings"] is None:
        raise Problem(
            409,
            "SETTINGS_NEEDED",
            "the company file has no settings yet",
            cure="save them first: closed_through is needed before anything is written",
        )
    if company_settings(row["settings"]).approved_at is None:
        row = await switch_company(deps, caller, company_id, approved_at=datetime.now(UTC).isoformat())
    return company_settings(row["settings"])


@routes.post("/companies/{company_id}/pause", operation_id="pause_company")
async def pause_company(company_id: str, caller: Writer, deps: Deps) -> CompanySettings:
    """Stop fetching for and writing to the company file."""
    return company_settings((await switch_company(deps, caller, company_id, paused=True))["settings"])


@routes.post("/companies/{company_id}/resume", operation_id="resume_company")
async def resume_company(company_id: str, caller: Writer, deps: Deps) -> CompanySettings:
    """Go on."""
    return company_settings((await switch_company(deps, caller, company_id, paused=False))["settings"])


def _outcome(row: dict[str, Any], parts: list[dict[str, Any]]) -> PreviewOutcome:
    """`parts`: what would be written and what is held, of all outcomes."""
    sample: Reason | None = row["sample"]
    own = [part for part in parts if all(part[name] == row[name] for name in ("outcome", "code", "currency"))]
    none: dict[str, Any] = {"orders": 0, "documents": 0, "total": Decimal(0)}
    free = next((part for part in own if part["held_code"] is None), none)
    return PreviewOutcome(
        outcome=row["outcome"],
        code=row["code"],
        text=sample.text if sample else "",
        currency=row["currency"],
        orders=row["orders"],
        documents=row["documents"],
        total=f"{row['total']:f}",
        would_write=PreviewWritten(
            orders=free["orders"], documents=free["documents"], total=f"{_places(free['total'], row['currency']):f}"
        ),
        held=[
            PreviewHeld(
                code=part["held_code"],
                text=part["sample"].text,
                cure=part["sample"].cure,
                orders=part["orders"],
                documents=part["documents"],
            )
            for part in own
            if part["held_code"] is not None
        ],
    )


def _row(row: arithmetic.OverviewRow) -> OverviewRow:
    return OverviewRow(
        name=row.name,
        source=row.source,
        **{column.value: row.columns[column] for column in Column},
        notices=row.notices,
        totals=[
            SideTotals(
                currency=currency, source=_places(totals.source, currency), ledger=_places(totals.ledger, currency)
            )
            for currency, totals in sorted(row.totals.items())
        ],
    )


def _places(amount: Decimal, currency: str) -> Decimal:
    """With the currency's places, so that nothing shows as 0.00 rather than 0."""
    try:
        return quantize(amount, currency)
    except UnknownCurrency:
        return amount


def _causes_by_code(rows: list[dict[str, Any]]) -> dict[str, list[Cause]]:
    causes: dict[str, list[Cause]] = {}
    for row in rows:
        if row["is_cause"]:
            found = Cause(field=row["field"], value=row["value"], text=row["text"], entities=row["entities"])
            causes.setdefault(row["code"], []).append(found)
    return causes


def _warning(row: dict[str, Any], causes: Mapping[str, list[Cause]]) -> WarningGroup:
    """A code's group, whether documents or whole orders have it."""
    sample: Reason | None = row["sample"]
    return WarningGroup(
        code=row["code"],
        severity=sample.severity if sample else Severity.ERROR,
        text=sample.text if sample else "",
        cure=sample.cure if sample else "",
        entities=row["entities"],
        kinds=row["kinds"],
        blocks=row["blocks"],
        first_seen_at=row["first_seen_at"],
        last_attempt_at=row["last_attempt_at"],
        next_attempt_at=row["next_attempt_at"],
        causes=causes.get(row["code"], []),
    )


def _tasks_missing(missing: list[dict[str, Any]]) -> Iterable[WarningGroup]:
    if missing:
        names = {"orders_to_ledger": "orders", "payouts": "payouts"}
        shown = ", ".join(f"the {names[task['kind']]} of {task['name']}" for task in missing[:5])
        kinds = " and ".join(sorted({task["kind"] for task in missing}))
        yield WarningGroup(
            code="TASK_MISSING",
            severity=Severity.WARNING,
            text=f"no active task fetches {shown}",
            cure=f"make the task of kind {kinds}, or activate it",
            entities=len(missing),
            kinds=["connection"],
            blocks=0,
            first_seen_at=None,
            last_attempt_at=None,
            next_attempt_at=None,
            causes=[],
        )
