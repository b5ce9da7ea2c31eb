"""Runs: manual syncs, and the progress of everything that was started, by poll and as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Request, status
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.connection_tasks import can_fetch
from api.idempotency import seed_of
from api.ids import new_id, order_id
from api.routes import connections as connection_routes
from api.routes.base import ONCE, Deps, Gateway, after_moment, after_text, following, found, router
from api.routes.settings_gate import connection_settings, payouts_off
from api.security import Reader, Syncer, TenantPrincipal
from api.store import audit, runs
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.work import ItemResult, Run, RunItem, RunState, RunSummary, RunTrigger, SyncRequest
from common.cures import FieldProblem
from common.messages.control import ConnectionSettings, TaskKind, TaskRequested
from common.problems import Problem

routes = router("runs")

_EVENTS = {
    "schema": {"type": "string", "description": "Lines of server-sent events; `data` of each is a `Run` as JSON."},
    "example": 'event: progress\ndata: {"run_id":"run_5f0c2f4a","state":"working","total":40,"done":12,…}\n\n',
}
_WATCH_SHARE = 5
"""A stream rests this many times as long as its question took."""

Text = Annotated[str | None, Query(max_length=200)]


@routes.post("/runs", operation_id="start_sync", status_code=status.HTTP_202_ACCEPTED, dependencies=ONCE)
async def start_sync(body: SyncRequest, request: Request, caller: Syncer, deps: Deps) -> Run:
    """Sync orders by date range (at most 31 days) or by numbers (at most 500), payouts by date range, or the summary of
    one day. The schedule is not touched. Refused with `NO_API_ACCESS` where the store only sends, and with
    `NOT_SUPPORTED` where its channel has none of what is asked for."""
    row = await connection_routes.own(deps, caller, body.connection_id)
    if row["settings"] is None:
        raise Problem(
            409,
            "SETTINGS_NEEDED",
            "the connection has no settings yet",
            cure="save them first: start_date is needed before anything is fetched",
        )
    _check_what(body, connection_settings(row["settings"]))
    kind = TaskKind.PAYOUTS if body.what == "payouts" else TaskKind.MANUAL
    if not can_fetch(row, kind):
        raise _not_fetched(body, row)
    run_id = new_id("run", seed_of(request))
    now = datetime.now(UTC)
    start, end = _window(body, row["settings"].get("time_zone", "UTC"))
    async with deps.runtime.transaction(correlation_id=run_id) as (connection, batch):
        made = await runs.insert(
            connection,
            run_id=run_id,
            tenant_id=caller.tenant_id,
            trigger="manual",
            kind=kind,
            connection_id=body.connection_id,
            company_id=row["company_id"],
            task_id=None,
            requested_by=caller.key_id,
            request=body.model_dump(mode="json", exclude_defaults=True),
        )
        if made:
            batch.publish(
                TaskRequested(
                    tenant_id=caller.tenant_id,
                    revision=1,
                    run_id=run_id,
                    kind=kind,
                    connection_id=body.connection_id,
                    requested_at=now,
                    window_start=start,
                    window_end=end,
                    by=body.by,
                    order_numbers=tuple(dict.fromkeys(body.order_numbers)),
                    force=body.force,
                    backfill=start is not None,
                )
            )
            await audit.record(
                connection,
                tenant_id=caller.tenant_id,
                actor=caller.key_id,
                action="sync_started",
                subject=run_id,
                details={"connection_id": body.connection_id, "what": body.what, "numbers": len(body.order_numbers)},
            )
    return await view(deps, caller.tenant_id, run_id)


@routes.get("/runs", operation_id="list_runs")
async def list_runs(
    caller: Reader,
    deps: Deps,
    connection_id: Text = None,
    task_id: Text = None,
    trigger: RunTrigger | None = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Page[RunSummary]:
    """Runs, newest first."""
    rows = await runs.page(
        deps.pool,
        caller.tenant_id,
        connection_id=connection_id,
        task_id=task_id,
        trigger=trigger,
        before=after_moment("runs", cursor),
        limit=limit,
    )
    after = following("runs", rows, limit, "requested_at", "run_id")
    return Page(items=[RunSummary(**{**row, "kind": _kind(row["kind"])}) for row in rows], next_cursor=after)


@routes.get("/runs/{run_id}", operation_id="get_run")
async def get_run(run_id: str, caller: Reader, deps: Deps) -> Run:
    """A run and how far it is."""
    return await view(deps, caller.tenant_id, run_id)


@routes.get("/runs/{run_id}/items", operation_id="list_run_items")
async def list_run_items(
    run_id: str,
    caller: Reader,
    deps: Deps,
    result: ItemResult | None = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Page[RunItem]:
    """What became of each order (or document) of the run, with the reason."""
    found(await runs.one(deps.pool, caller.tenant_id, run_id), "run", run_id)
    begin = after_text("run_items", cursor)
    rows = await runs.items(deps.pool, caller.tenant_id, run_id, result=result, after=begin, limit=limit)
    after = following("run_items", rows, limit, "item")
    items = [RunItem(**{**row, "order_id": order_id(row["order_key"]) if row["order_key"] else None}) for row in rows]
    return Page(items=items, next_cursor=after)


@routes.post("/runs/{run_id}/cancel", operation_id="cancel_run")
async def cancel_run(run_id: str, caller: Syncer, deps: Deps) -> Run:
    """Stop fetching. Orders that have arrived go on into the ledger."""
    found(await runs.one(deps.pool, caller.tenant_id, run_id), "run", run_id)
    async with deps.runtime.transaction(correlation_id=run_id) as (connection, batch):
        row = await runs.cancel(connection, caller.tenant_id, run_id)
        if row is None:
            raise Problem(
                409,
                "RUN_FINISHED",
                "the run has fetched everything already",
                cure="there is nothing to cancel; its orders show what became of them",
            )
        if row["connection_id"] is not None:
            batch.publish(
                TaskRequested(
                    tenant_id=caller.tenant_id,
                    revision=row["revision"],
                    run_id=run_id,
                    kind=TaskKind(row["kind"]),
                    connection_id=row["connection_id"],
                    requested_at=row["requested_at"],
                    cancelled=True,
                )
            )
        await audit.record(
            connection, tenant_id=caller.tenant_id, actor=caller.key_id, action="run_cancelled", subject=run_id
        )
    return await view(deps, caller.tenant_id, run_id)


@routes.get(
    "/runs/{run_id}/events",
    operation_id="stream_run",
    response_class=EventSourceResponse,
    responses={200: {"content": {"text/event-stream": _EVENTS}, "description": "`progress` events, then one `end`."}},
)
async def stream_run(run_id: str, caller: Reader, deps: Deps, request: Request) -> EventSourceResponse:
    """Progress as server-sent events: one `progress` whenever something changed, and `end` when all is done."""
    found(await runs.one(deps.pool, caller.tenant_id, run_id), "run", run_id)
    return EventSourceResponse(_events(deps, caller, run_id, request), ping=15)


async def _events(
    deps: Gateway, caller: TenantPrincipal, run_id: str, request: Request
) -> AsyncIterator[ServerSentEvent]:
    shown: Run | None = None
    clock = asyncio.get_running_loop().time
    deadline = clock() + deps.settings.stream_max_s
    while (asked := clock()) < deadline and not await request.is_disconnected():
        current = await view(deps, caller.tenant_id, run_id)
        took_s = clock() - asked
        is_over = current.state not in {RunState.FETCHING, RunState.WORKING}
        if current != shown:
            yield ServerSentEvent(current.model_dump_json(), event="end" if is_over else "progress")
            shown = current
        if is_over:
            return
        # A run of many thousands takes a while to count: a watcher must not keep the database busy with it.
        await asyncio.sleep(max(deps.settings.progress_interval_s, took_s * _WATCH_SHARE))


async def view(deps: Gateway, tenant_id: str, run_id: str) -> Run:
    """A run with its progress as it is now. Raises a 404 problem."""
    row = found(await runs.one(deps.pool, tenant_id, run_id), "run", run_id)
    tally = await runs.tally(deps.pool, tenant_id, run_id)
    total = sum(tally.values())
    done = total - tally.get(ItemResult.IN_PROGRESS, 0)
    return Run(
        **{**row, "kind": _kind(row["kind"])},
        state=_state(row, total - done),
        total=total,
        done=done,
        results={ItemResult(result): items for result, items in tally.items()},
    )


def _state(row: dict[str, Any], open_items: int) -> RunState:
    if row["cancelled"]:
        return RunState.CANCELLED
    if row["failed"] is not None:
        return RunState.FAILED
    if row["fetched_at"] is None:
        return RunState.FETCHING
    return RunState.WORKING if open_items else RunState.FINISHED


def _kind(kind: str) -> TaskKind | None:
    return None if kind == "resend" else TaskKind(kind)


def _check_what(body: SyncRequest, settings: ConnectionSettings) -> None:
    """Raises a 409 problem where the connection's settings make nothing of what is asked for."""
    if body.what == "payouts" and not settings.payouts.enabled:
        raise payouts_off()
    if body.what == "summary" and not settings.mode.value.startswith("summary"):
        raise Problem(
            409,
            "NO_SUMMARIES",
            f"the connection writes no summaries: its mode is {settings.mode.value}",
            cure="sync its orders, or choose a summary mode in its settings",
        )


def _not_fetched(body: SyncRequest, row: dict[str, Any]) -> Problem:
    """What is fetched nowhere is not promised: the store only pushes, or its channel has none of it."""
    upload = "upload the payout's file: POST /v1/connections/{id}/payout-files"
    if row["fetches"]:
        cure = f"{upload}, or sync the connection of the processor that pays out"
        wrong = FieldProblem(field="body.what", value=body.what, cure=cure)
        return Problem(409, "NOT_SUPPORTED", "the connection's channel tells of no payouts", cure=cure, errors=[wrong])
    if row["fetches_payouts"]:
        cure = "sync the connection of the shop that took them"
        wrong = FieldProblem(field="body.what", value=body.what, cure=cure)
        return Problem(409, "NOT_SUPPORTED", "the connection's channel has no orders", cure=cure, errors=[wrong])
    cure = upload if body.what == "payouts" else "have the store send it again"
    cure = f"{cure}, or give the connection credentials to fetch with"
    wrong = FieldProblem(field="body.connection_id", value=body.connection_id, cure=cure)
    text = "nothing can be fetched: the connection's store only sends"
    return Problem(409, "NO_API_ACCESS", text, cure=cure, errors=[wrong])


def _window(body: SyncRequest, time_zone: str) -> tuple[datetime | None, datetime | None]:
    """The range in UTC; both days are meant whole, in the connection's time zone."""
    if body.date_from is None or body.date_to is None:
        return None, None
    zone = ZoneInfo(time_zone)
    start = datetime.combine(body.date_from, time(), zone)
    end = datetime.combine(body.date_to + timedelta(days=1), time(), zone)
    return start.astimezone(UTC), end.astimezone(UTC)
