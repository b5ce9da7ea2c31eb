"""Scheduled tasks. The database's clock decides what is due, so that replicas needn't agree on the time."""

from datetime import datetime

from api.store.sql import Row, Where, row_of, rows_of
from common.database import affected

_SHOWN = """t.task_id, t.tenant_id, t.connection_id, t.kind, t.interval_s, t.cron, t.active, t.next_run_at, t.revision,
    t.last_run_id, r.requested_at AS last_run_at, r.fetched_at AS last_fetched_at, r.failed AS last_failed,
    r.cancelled AS last_cancelled"""
_FROM = "tasks t LEFT JOIN runs r ON r.run_id = t.last_run_id AND r.tenant_id = t.tenant_id"


async def ensure(
    where: Where,
    *,
    task_id: str,
    tenant_id: str,
    connection_id: str,
    kind: str,
    interval_s: int | None,
    cron: str | None,
) -> str:
    """Make the connection's task of this kind unless there is one; it is due at once. Returns its id."""
    await where.execute(
        """
        INSERT INTO tasks (task_id, tenant_id, connection_id, kind, interval_s, cron, next_run_at)
        VALUES ($1, $2, $3, $4, $5, $6, now()) ON CONFLICT (connection_id, kind) DO NOTHING
        """,
        task_id,
        tenant_id,
        connection_id,
        kind,
        interval_s,
        cron,
    )
    found: str = await where.fetchval(
        "SELECT task_id FROM tasks WHERE connection_id = $1 AND kind = $2 AND tenant_id = $3",
        connection_id,
        kind,
        tenant_id,
    )
    return found


async def of_tenant(where: Where, tenant_id: str, connection_id: str | None) -> list[Row]:
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM {_FROM} WHERE t.tenant_id = $1 AND ($2::text IS NULL OR t.connection_id = $2)"
            " ORDER BY t.connection_id, t.kind LIMIT 1000",
            tenant_id,
            connection_id,
        ),
        "last_failed",
    )


async def one(where: Where, tenant_id: str, task_id: str) -> Row | None:
    return row_of(
        await where.fetchrow(
            f"SELECT {_SHOWN} FROM {_FROM} WHERE t.tenant_id = $1 AND t.task_id = $2", tenant_id, task_id
        ),
        "last_failed",
    )


async def change(
    where: Where,
    tenant_id: str,
    task_id: str,
    *,
    active: bool,
    interval_s: int | None,
    cron: str | None,
    next_run_at: datetime | None,
) -> bool:
    status = await where.execute(
        """
        UPDATE tasks SET active = $3, interval_s = $4, cron = $5, next_run_at = $6, revision = revision + 1
        WHERE tenant_id = $1 AND task_id = $2
        """,
        tenant_id,
        task_id,
        active,
        interval_s,
        cron,
        next_run_at,
    )
    return affected(status) == 1


async def delete(where: Where, tenant_id: str, task_id: str) -> bool:
    status = await where.execute("DELETE FROM tasks WHERE tenant_id = $1 AND task_id = $2", tenant_id, task_id)
    return affected(status) == 1


async def claim_due(where: Where, limit: int, stale_after_s: int) -> list[Row]:
    """Lock tasks that are due, oldest first; another replica's are skipped.

    `held` says why a due task must not start now: paused, disabled, no settings yet, or still running.
    """
    return rows_of(
        await where.fetch(
            """
            SELECT t.task_id, t.tenant_id, t.connection_id, t.kind, t.interval_s, t.cron, now() AS now, c.company_id,
                CASE
                    WHEN c.settings IS NULL THEN 'no settings'
                    WHEN NOT (c.settings ->> 'enabled')::boolean THEN 'connection disabled'
                    WHEN f.settings IS NULL THEN 'company file has no settings'
                    WHEN (f.settings ->> 'paused')::boolean THEN 'company file paused'
                    WHEN f.status IN ('disconnected', 'needs_reconnect') THEN 'company file ' || f.status
                    WHEN EXISTS (
                        SELECT FROM runs r WHERE r.connection_id = t.connection_id AND r.task_id = t.task_id
                          AND r.fetched_at IS NULL AND r.requested_at > now() - make_interval(secs => $2)
                    ) THEN 'still running'
                END AS held
            FROM tasks t
            JOIN connections c ON c.connection_id = t.connection_id
            LEFT JOIN companies f ON f.company_id = c.company_id
            WHERE t.active AND t.next_run_at <= now()
            ORDER BY t.next_run_at LIMIT $1 FOR UPDATE OF t SKIP LOCKED
            """,
            limit,
            stale_after_s,
        )
    )


async def started(where: Where, task_id: str, run_id: str | None, next_run_at: datetime) -> None:
    """Note the next time, and the run that was started, if one was."""
    await where.execute(
        "UPDATE tasks SET next_run_at = $2, last_run_id = coalesce($3, last_run_id) WHERE task_id = $1",
        task_id,
        next_run_at,
        run_id,
    )


async def missing(where: Where, tenant_id: str, company_id: str) -> list[Row]:
    """Tasks that are not there or not active: of orders, and of payouts where they are switched on.

    Of connections of the company file that are enabled and can be asked.
    """
    return rows_of(
        await where.fetch(
            """
            SELECT c.connection_id, c.name, k.kind
            FROM connections c CROSS JOIN (VALUES ('orders_to_ledger'), ('payouts')) AS k (kind)
            WHERE c.tenant_id = $1 AND c.company_id = $2 AND (c.settings ->> 'enabled')::boolean
                AND CASE k.kind WHEN 'payouts' THEN c.fetches_payouts AND (c.settings #>> '{payouts,enabled}')::boolean
                    ELSE c.fetches END
                AND NOT EXISTS (
                SELECT FROM tasks t WHERE t.connection_id = c.connection_id AND t.kind = k.kind AND t.active
            ) ORDER BY k.kind, c.connection_id
            """,
            tenant_id,
            company_id,
        )
    )


async def lock(where: Where, tenant_id: str, task_id: str) -> Row | None:
    """The task's row, locked, so that it isn't started twice."""
    return row_of(
        await where.fetchrow(
            "SELECT task_id, tenant_id, connection_id, kind, next_run_at FROM tasks"
            " WHERE tenant_id = $1 AND task_id = $2 FOR UPDATE",
            tenant_id,
            task_id,
        )
    )


async def running(where: Where, task_id: str, stale_after_s: int) -> str | None:
    """The run of the task that is still fetching, if one is."""
    found: str | None = await where.fetchval(
        "SELECT run_id FROM runs WHERE task_id = $1 AND fetched_at IS NULL"
        " AND requested_at > now() - make_interval(secs => $2) ORDER BY requested_at DESC LIMIT 1",
        task_id,
        stale_after_s,
    )
    return found
