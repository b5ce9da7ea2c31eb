"""Scheduled tasks of connections."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query, Request, status

from api.connection_tasks import can_fetch
from api.idempotency import seed_of
from api.ids import new_id
from api.routes import connections as connection_routes
from api.routes.base import ONCE, Deps, found, router
from api.routes.runs import view as run_view
from api.scheduler import request_run
from api.schedules import InvalidSchedule, Schedule, next_run
from api.security import Reader, Syncer, Writer
from api.store import audit, connections, runs, tasks
from api.views.base import Page
from api.views.work import Run, Task, TaskChange, TaskCreate
from common.cures import FieldProblem
from common.messages.control import TaskKind
from common.problems import Problem, not_found

routes = router("tasks")


_NEEDS_NO_TASK = {
    TaskKind.SUMMARY: "leave it out: a day's summary is made by itself when the day is over in the shop's time zone",
    TaskKind.LIST_REFRESH: "leave it out: lists are read by themselves, and by POST /v1/companies/{id}/lists/refresh",
    TaskKind.LEDGER_CHECK: "leave it out: ledgers are checked every night, and by POST /v1/companies/{id}/check",
    TaskKind.MANUAL: "start a run instead: POST /v1/runs",
}
"""Kinds that a connection's schedule has no part in → what does their work."""
_INSTEAD_OF_PAYOUTS = (
    "leave it out: upload payout files (POST /v1/connections/{id}/payout-files), or connect the processor that pays out"
)
_INSTEAD_OF_ORDERS = (
    "leave it out: the store sends its orders, and a processor has none; else give the connection credentials for them"
)


@routes.get("/tasks", operation_id="list_tasks")
async def list_tasks(
    caller: Reader, deps: Deps, connection_id: Annotated[str | None, Query(max_length=200)] = None
) -> Page[Task]:
    """Tasks with their last result and next run."""
    rows = await tasks.of_tenant(deps.pool, caller.tenant_id, connection_id)
    return Page(items=[_shown(row) for row in rows])


@routes.post("/tasks", operation_id="create_task", status_code=status.HTTP_201_CREATED, dependencies=ONCE)
async def create_task(body: TaskCreate, caller: Writer, deps: Deps) -> Task:
    """Make a task. A connection has one of each kind: the same again returns what is there.

    `orders_to_ledger` brings refunds and payments too; `refunds` and `payments_to_ledger` look for them beside it, on a
    schedule and with a watermark of their own.
    """
    asked = await connection_routes.own(deps, caller, body.connection_id)
    if body.kind in _NEEDS_NO_TASK:
        cure = _NEEDS_NO_TASK[body.kind]
        wrong = FieldProblem(field="body.kind", value=body.kind.value, cure=cure)
        raise Problem(422, "NO_TASK_NEEDED", f"a task of kind {body.kind.value} would do nothing", errors=[wrong])
    if not can_fetch(asked, body.kind):
        cure = _INSTEAD_OF_PAYOUTS if body.kind is TaskKind.PAYOUTS else _INSTEAD_OF_ORDERS
        wrong = FieldProblem(field="body.kind", value=body.kind.value, cure=cure)
        raise Problem(422, "NOTHING_TO_FETCH", f"a task of kind {body.kind.value} could fetch nothing", errors=[wrong])
    schedule = _schedule(body.interval_s, body.cron)
    async with deps.runtime.transaction() as (connection, _):
        task_id = await tasks.ensure(
            connection,
            task_id=new_id("task", f"{body.connection_id}|{body.kind}"),
            tenant_id=caller.tenant_id,
            connection_id=body.connection_id,
            kind=body.kind,
            interval_s=schedule.interval_s,
            cron=schedule.cron,
        )
        await audit.record(
            connection, tenant_id=caller.tenant_id, actor=caller.key_id, action="task_created", subject=task_id
        )
        row = await tasks.one(connection, caller.tenant_id, task_id)
    return _shown(found(row, "task", task_id))


@routes.get("/tasks/{task_id}", operation_id="get_task")
async def get_task(task_id: str, caller: Reader, deps: Deps) -> Task:
    """One task."""
    return _shown(found(await tasks.one(deps.pool, caller.tenant_id, task_id), "task", task_id))


@routes.patch("/tasks/{task_id}", operation_id="change_task")
async def change_task(task_id: str, body: TaskChange, caller: Writer, deps: Deps) -> Task:
    """Switch a task on or off, or give it another schedule."""
    async with deps.runtime.transaction() as (connection, _):
        row = found(await tasks.one(connection, caller.tenant_id, task_id), "task", task_id)
        rescheduled = body.interval_s is not None or body.cron is not None
        schedule = _schedule(
            body.interval_s if rescheduled else row["interval_s"], body.cron if rescheduled else row["cron"]
        )
        active = row["active"] if body.active is None else body.active
        # Switching on runs at once, as saving the settings did; a new schedule begins with its own next time.
        now = datetime.now(UTC)
        following = row["next_run_at"]
        if rescheduled:
            following = next_run(schedule, now)
        elif active and not row["active"]:
            following = now
        await tasks.change(
            connection,
            caller.tenant_id,
            task_id,
            active=active,
            interval_s=schedule.interval_s,
            cron=schedule.cron,
            next_run_at=following,
        )
        await audit.record(
            connection,
            tenant_id=caller.tenant_id,
            actor=caller.key_id,
            action="task_changed",
            subject=task_id,
            details={"active": active, "interval_s": schedule.interval_s, "cron": schedule.cron},
        )
        row = found(await tasks.one(connection, caller.tenant_id, task_id), "task", task_id)
    return _shown(row)


@routes.delete("/tasks/{task_id}", operation_id="delete_task", status_code=status.HTTP_204_NO_CONTENT)
async def delete_task(task_id: str, caller: Writer, deps: Deps) -> None:
    """Remove a task. Saving the connection's settings makes the usual ones again."""
    async with deps.runtime.transaction() as (connection, _):
        if not await tasks.delete(connection, caller.tenant_id, task_id):
            raise not_found("task", task_id)
        await audit.record(
            connection, tenant_id=caller.tenant_id, actor=caller.key_id, action="task_deleted", subject=task_id
        )


@routes.post("/tasks/{task_id}/run", operation_id="run_task", status_code=status.HTTP_202_ACCEPTED, dependencies=ONCE)
async def run_task(task_id: str, request: Request, caller: Syncer, deps: Deps) -> Run:
    """Run a task now. Its schedule stays as it is; one run of a task at a time."""
    run_id = new_id("run", seed_of(request))
    async with deps.runtime.transaction(correlation_id=run_id) as (connection, batch):
        row = found(await tasks.lock(connection, caller.tenant_id, task_id), "task", task_id)
        running = await tasks.running(connection, task_id, deps.settings.run_stale_after_s)
        if running is not None and running != run_id:
            raise Problem(
                409, "ALREADY_RUNNING", f"run {running} of this task has not finished", cure="wait for it, or cancel it"
            )
        if await runs.one(connection, caller.tenant_id, run_id) is None:
            target = found(
                await connections.one(connection, caller.tenant_id, row["connection_id"]),
                "connection",
                row["connection_id"],
            )
            if target["settings"] is None:
                raise Problem(409, "SETTINGS_NEEDED", "the connection has no settings yet", cure="save them first")
            task = {**row, "company_id": target["company_id"]}
            now = datetime.now(UTC)
            await request_run(connection, batch, task, run_id, now, trigger="task", requested_by=caller.key_id)
            await tasks.started(connection, task_id, run_id, row["next_run_at"])
            await audit.record(
                connection, tenant_id=caller.tenant_id, actor=caller.key_id, action="task_run", subject=task_id
            )
    return await run_view(deps, caller.tenant_id, run_id)


def _schedule(interval_s: int | None, cron: str | None) -> Schedule:
    """A valid schedule. Raises a 422 problem."""
    try:
        schedule = Schedule(interval_s, cron)
        next_run(schedule, datetime.now(UTC))
    except InvalidSchedule as error:
        field = "body.cron" if cron is not None else "body.interval_s"
        wrong = FieldProblem(field=field, value=cron, cure=str(error))
        raise Problem(422, "SCHEDULE_INVALID", "the task has no schedule that works", errors=[wrong]) from error
    return schedule


def _shown(row: dict[str, Any]) -> Task:
    if row["last_run_id"] is None or row["last_run_at"] is None:
        result = None
    elif row["last_cancelled"]:
        result = "cancelled"
    elif row["last_failed"] is not None:
        result = "failed"
    else:
        result = "running" if row["last_fetched_at"] is None else "fetched"
    return Task(**row, last_result=result)
