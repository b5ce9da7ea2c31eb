"""Payouts of a connection: what came, what it became, what it would become, and files of payouts."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import Path as InPath
from fastapi import Query, Request, status

from api.payout_parts import Part, missing_orders, named_parts
from api.routes.base import ONCE, Deps, Gateway, after_moment, following, router
from api.routes.connections import own
from api.routes.runs import start_sync
from api.routes.settings_gate import connection_settings, payouts_off
from api.security import Reader, Syncer
from api.store import audit, payouts
from api.store.payouts import Fate
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.payouts import PayoutDetail, PayoutPart, PayoutRow
from api.views.work import NUMBERS_MAX, RANGE_DAYS_MAX, Run, SyncRequest
from common.internal import ingest
from common.internal.base import TenantRequest
from common.internal.mapper import PayoutPreview, SetList
from common.messages.orders import Payout
from common.problems import Problem

routes = router("payouts")

PayoutId = Annotated[str, InPath(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
_NO_DAY = date.max
_CAPTURED_LATE = timedelta(days=7)
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file's bytes. Any Content-Type will do: `format` and the bytes say what it is.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@routes.get("/connections/{connection_id}/payouts", operation_id="list_payouts")
async def list_payouts(
    connection_id: str, caller: Reader, deps: Deps, limit: Limit = PAGE_DEFAULT, cursor: Cursor = None
) -> Page[PayoutRow]:
    """Payouts of the connection's orders, newest first."""
    await own(deps, caller, connection_id)
    before = after_moment("payouts", cursor)
    found = await deps.services.ingest.get(
        f"/internal/connections/{connection_id}/payouts",
        ingest.PayoutList,
        tenant_id=caller.tenant_id,
        limit=limit,
        before_day=before[0].date().isoformat() if before else None,
        before_id=before[1] if before else None,
    )
    listed = await _rows(deps, caller.tenant_id, connection_id, found.payouts)
    rows = [row for row, _ in listed]
    keys = [{"day": _moment(row.paid_on), "payout_id": row.payout_id} for row in rows]
    return Page(items=rows, next_cursor=following("payouts", keys, limit, "day", "payout_id"))


@routes.get("/connections/{connection_id}/payouts/{payout_id}", operation_id="get_payout")
async def get_payout(connection_id: str, payout_id: PayoutId, caller: Reader, deps: Deps) -> PayoutDetail:
    """One payout, line by line, with its deposit or the reason why there is none."""
    await own(deps, caller, connection_id)
    source = await deps.services.ingest.get(
        f"/internal/connections/{connection_id}/payouts/{payout_id}", ingest.PayoutHistory, tenant_id=caller.tenant_id
    )
    sets = await deps.services.mapper.get(
        "/internal/sets",
        SetList,
        tenant_id=caller.tenant_id,
        connection_id=connection_id,
        source_kind="payout",
        source_id=payout_id,
    )
    ((row, parts),) = await _rows(deps, caller.tenant_id, connection_id, (source.summary,))
    if row.document_key is None and row.outcome == "held" and source.payout is not None:
        parts = await _failed(deps, caller.tenant_id, source.payout)
        row = row.model_copy(update={"reason": named_parts(row.reason, None, parts)})
    unwritten = [PayoutPart.model_validate(part, from_attributes=True) for part in parts]
    return PayoutDetail(payout=row, unwritten=unwritten, source=source, sets=list(sets.sets))


@routes.post("/connections/{connection_id}/payouts/{payout_id}/preview", operation_id="preview_payout")
async def preview_payout(connection_id: str, payout_id: PayoutId, caller: Reader, deps: Deps) -> PayoutPreview:
    """The deposit as it would be made now, were payouts switched on and automatic. Nothing is written."""
    await own(deps, caller, connection_id)
    return await deps.services.mapper.post(
        f"/internal/connections/{connection_id}/payouts/{payout_id}/preview",
        TenantRequest(tenant_id=caller.tenant_id),
        PayoutPreview,
    )


@routes.post("/connections/{connection_id}/payouts/{payout_id}/deposit", operation_id="deposit_payout")
async def deposit_payout(connection_id: str, payout_id: PayoutId, caller: Syncer, deps: Deps) -> PayoutPreview:
    """Deposit one payout of a connection whose deposits are made by hand (`payouts.automatic` is false).

    Answers with what is written now or, where parts are missing, as soon as they are there. Asking again changes
    nothing.
    """
    row = await own(deps, caller, connection_id)
    if row["settings"] is None or not connection_settings(row["settings"]).payouts.enabled:
        raise payouts_off()
    made = await deps.services.mapper.post(
        f"/internal/connections/{connection_id}/payouts/{payout_id}/deposit",
        TenantRequest(tenant_id=caller.tenant_id),
        PayoutPreview,
    )
    await audit.record(
        deps.pool,
        tenant_id=caller.tenant_id,
        actor=caller.key_id,
        action="payout_deposited",
        subject=connection_id,
        details={"payout_id": payout_id},
    )
    return made


@routes.post(
    "/connections/{connection_id}/payouts/{payout_id}/sync-orders",
    operation_id="sync_payout_orders",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=ONCE,
)
async def sync_payout_orders(
    connection_id: str, payout_id: PayoutId, request: Request, caller: Syncer, deps: Deps
) -> Run:
    """Sync the orders of a payout that have no documents yet; the deposit is made by itself when they are there.

    By their numbers (at most 500 a run) or, where neither the processor nor the shop has told any, by the days of
    their sales.
    """
    await own(deps, caller, connection_id)
    source = await deps.services.ingest.get(
        f"/internal/connections/{connection_id}/payouts/{payout_id}", ingest.PayoutHistory, tenant_id=caller.tenant_id
    )
    known = await payouts.orders_of(deps.pool, source.payout) if source.payout is not None else []
    numbers, days = missing_orders(source.payout, known) if source.payout is not None else ([], [])
    if not numbers and not days:
        raise Problem(
            409,
            "NOTHING_MISSING",
            f"every order that payout {payout_id!r} names has its documents",
            cure="the payout's reason says what else keeps it from being deposited",
        )
    wanted: dict[str, Any] = {"order_numbers": numbers[:NUMBERS_MAX]}
    if not numbers:
        # An order is a few days older than the payment that was captured late.
        earliest = max(min(days) - _CAPTURED_LATE, max(days) - timedelta(days=RANGE_DAYS_MAX - 1))
        wanted = {"date_from": earliest, "date_to": max(days)}
    return await start_sync(SyncRequest(connection_id=connection_id, **wanted), request, caller, deps)


@routes.post(
    "/connections/{connection_id}/payout-files",
    operation_id="upload_payout_file",
    dependencies=ONCE,
    openapi_extra=_FILE,
)
async def upload_payout_file(
    connection_id: str,
    request: Request,
    caller: Syncer,
    deps: Deps,
    format_name: Annotated[
        str, Query(alias="format", max_length=64, description="payout_csv or amazon_settlement_v2.")
    ],
    payout_id: Annotated[str | None, Query(max_length=64, description="Of a CSV without this column.")] = None,
    paid_on: Annotated[date | None, Query(description="Of a CSV without this column.")] = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$", description="Of a CSV without this column.")] = None,
    net: Annotated[
        str | None,
        Query(
            pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,4})?$",
            description="What reached the bank; without it, what the rows come to.",
        ),
    ] = None,
    processor: Annotated[str | None, Query(max_length=100, description="Who paid out.")] = None,
) -> ingest.PayoutUpload:
    """Upload a payout file, plain or compressed with gzip, up to 8 MB.

    A wrong column refuses the file and is named. A payout that can't be read is kept with its reason, one that does
    not balance is held with it; the others of the file go on. The same file again changes nothing.

    `payout_csv`, with a header, separated by commas, semicolons or tabs: `order_number`, `amount`, `fee` and `type` are
    required; `payout_id`, `paid_on`, `currency`, `net` and `processor` stand in the file or in the parameters;
    `reference`, `refund_id`, `tender_id`, `description` and `occurred_on` may be there. `amount` as the merchant sees
    it: what takes money away is negative; `fee` is what was kept back of it, positive. `type` is one of `charge`,
    `refund`, `chargeback`, `chargeback_reversal`, `dispute_fee`, `fee`, `reserve_held`, `reserve_released`,
    `adjustment`, `loan`, `transfer`, `carried_forward`. Days are written like 2026-03-15.
    """
    await own(deps, caller, connection_id)
    uploaded = await deps.services.ingest.upload(
        f"/internal/connections/{connection_id}/payout-files",
        await request.body(),
        ingest.PayoutUpload,
        tenant_id=caller.tenant_id,
        format=format_name,
        payout_id=payout_id,
        paid_on=paid_on.isoformat() if paid_on else None,
        currency=currency,
        net=net,
        processor=processor,
    )
    await audit.record(
        deps.pool,
        tenant_id=caller.tenant_id,
        actor=caller.key_id,
        action="payouts_uploaded",
        subject=connection_id,
        details={"format": format_name, "payouts": len(uploaded.payouts)},
    )
    return uploaded


async def _rows(
    deps: Gateway, tenant_id: str, connection_id: str, found: tuple[ingest.PayoutSummary, ...]
) -> list[tuple[PayoutRow, list[Part]]]:
    """Each payout, and what of it is not in the ledger though its deposit groups it."""
    ids = [one.external_id for one in found]
    fates = await payouts.fates(deps.pool, tenant_id, connection_id, ids)
    behind = [key for key, fate in fates.items() if fate.document_state not in (None, "synced")]
    parts = await payouts.unwritten(deps.pool, tenant_id, connection_id, behind) if behind else {}
    return [
        (_row(one, fates.get(one.external_id), parts.get(one.external_id, [])), parts.get(one.external_id, []))
        for one in found
    ]


async def _failed(deps: Gateway, tenant_id: str, payout: Payout) -> list[Part]:
    """Documents of the payout's orders that failed, while others of its orders are missing altogether."""
    ids = sorted({line.order_external_id for line in payout.lines if line.order_external_id})
    numbers = sorted({line.order_number for line in payout.lines if line.order_number})
    return await payouts.failed(deps.pool, tenant_id, payout.connection_id, ids, numbers)


def _row(one: ingest.PayoutSummary, fate: Fate | None, parts: list[Part]) -> PayoutRow:
    """A payout that could not be read has its own reason; of the others, the set, its orders or the deposit say it."""
    return PayoutRow(
        **one.model_dump(include=set(PayoutRow.model_fields) & set(ingest.PayoutSummary.model_fields)),
        payout_id=one.external_id,
        outcome="refused" if one.problem is not None else "waiting" if fate is None else fate.outcome,
        reason=one.problem or (named_parts(fate.reason, fate.document_state, parts) if fate is not None else None),
        document_key=fate.document_key if fate is not None else None,
        document_state=fate.document_state if fate is not None else None,
        ledger_id=fate.ledger_id if fate is not None else "",
    )


def _moment(day: date | None) -> datetime:
    return datetime.combine(day or _NO_DAY, time.min, UTC)
