"""Starts tasks when they are due. Any number of replicas may run it: a due task is locked by one of them.

The database's clock says what is due. A task that is held (paused, still running) is not queued up: it comes round
again at its next time.
"""

from datetime import datetime

import structlog

from api.ids import new_id
from api.schedules import InvalidSchedule, Schedule, next_run
from api.store import runs, tasks
from api.store.sql import Row
from common.batch import Batch
from common.database import Connection
from common.messages.control import TaskKind, TaskRequested
from common.runtime import Runtime

log = structlog.get_logger(__name__)

_TASKS_AT_ONCE = 50


async def start_waiting(runtime: Runtime, stale_after_s: int) -> None:
    """Start every task that is due now."""
    while await start_due(runtime, stale_after_s) == _TASKS_AT_ONCE:
        pass


async def start_due(runtime: Runtime, stale_after_s: int) -> int:
    """Start a batch of the tasks that are due now. Returns how many were looked at."""
    async with runtime.transaction() as (connection, batch):
        due = await tasks.claim_due(connection, _TASKS_AT_ONCE, stale_after_s)
        for task in due:
            await _start(connection, batch, task)
    return len(due)


async def _start(connection: Connection, batch: Batch, task: Row) -> None:
    now: datetime = task["now"]
    try:
        following = next_run(Schedule(task["interval_s"], task["cron"]), now)
    except InvalidSchedule as error:
        log.warning("task_schedule_invalid", task_id=task["task_id"], error=str(error))
        await connection.execute("UPDATE tasks SET active = false WHERE task_id = $1", task["task_id"])
        return
    run_id = None
    if task["held"] is None:
        run_id = new_id("run")
        await request_run(connection, batch, task, run_id, now, trigger="task", requested_by="schedule")
        log.info("task_started", task_id=task["task_id"], run_id=run_id, kind=task["kind"])
    else:
        log.info("task_held", task_id=task["task_id"], why=task["held"])
    await tasks.started(connection, task["task_id"], run_id, following)


async def request_run(
    connection: Connection, batch: Batch, task: Row, run_id: str, now: datetime, *, trigger: str, requested_by: str
) -> None:
    """Store a run of a task and ask ingest for it. `task` needs connection, tenant, kind, and company."""
    await runs.insert(
        connection,
        run_id=run_id,
        tenant_id=task["tenant_id"],
        trigger=trigger,
        kind=task["kind"],
        connection_id=task["connection_id"],
        company_id=task["company_id"],
        task_id=task["task_id"],
        requested_by=requested_by,
        request={},
    )
    batch.publish(
        TaskRequested(
            tenant_id=task["tenant_id"],
            revision=1,
            run_id=run_id,
            kind=TaskKind(task["kind"]),
            connection_id=task["connection_id"],
            requested_at=now,
        ),
        correlation_id=run_id,
    )
