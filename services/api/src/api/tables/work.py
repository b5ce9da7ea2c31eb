"""Tasks that come round, and runs: sets of (order, revision) that somebody asked for."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Index

from api.tables import column
from api.tables.base import Base


class Task(Base, table=True):
    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_of", "connection_id", "kind", unique=True),
        Index("tasks_due", "next_run_at", postgresql_where=sa.text("active")),
    )
    task_id: str = column.text(primary=True)
    tenant_id: str = column.text()
    connection_id: str = column.text()
    kind: str = column.text()
    interval_s: int | None = column.integer(null=True)
    cron: str | None = column.text(null=True)
    active: bool = column.flag(default=True)
    next_run_at: datetime | None = column.moment(null=True)
    last_run_id: str | None = column.text(null=True)
    revision: int = column.big(default="1")
    created_at: datetime = column.moment(now=True)


class Run(Base, table=True):
    """`fetched_at` is when ingest had listed the last item, or the run was cancelled; what is left is a query."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_recent", "tenant_id", "requested_at", "run_id"),
        Index("runs_fetching", "connection_id", postgresql_where=sa.text("fetched_at IS NULL")),
    )
    run_id: str = column.text(primary=True)
    tenant_id: str = column.text()
    trigger: str = column.text()
    kind: str = column.text()
    connection_id: str | None = column.text(null=True)
    company_id: str | None = column.text(null=True)
    task_id: str | None = column.text(null=True)
    requested_at: datetime = column.moment(now=True)
    requested_by: str = column.text()
    request: dict[str, Any] = column.json()
    revision: int = column.big(default="1")
    fetched_at: datetime | None = column.moment(null=True)
    failed: dict[str, Any] | None = column.json(null=True)
    cancelled: bool = column.flag(default=False)


class MirrorCheck(Base, table=True):
    """How far the comparison of a tenant's mirrors is: `first_look` waits for the second; `result` is of the last."""

    __tablename__ = "mirror_checks"
    tenant_id: str = column.text(primary=True)
    next_look_at: datetime = column.moment()
    first_look: list[Any] | None = column.json(null=True)
    checked_at: datetime | None = column.moment(null=True)
    result: dict[str, Any] | None = column.json(null=True)


class RunItem(Base, table=True):
    """One order or document of a run. `page` is the progress page that listed it; a later page overwrites."""

    __tablename__ = "run_items"
    __table_args__ = (Index("run_items_order", "order_key", "document_key"),)
    run_id: str = column.text(primary=True)
    item: str = column.text(primary=True)
    page: int = column.big()
    order_key: str | None = column.text(null=True)
    document_key: str | None = column.text(null=True)
    number: str = column.text()
    revision: int = column.big()
    outcome: str = column.text()
    reason: dict[str, Any] | None = column.json(null=True)
