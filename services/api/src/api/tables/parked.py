"""States that could not be handled, and the durable jobs that send them again."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Index

from api.tables import column
from api.tables.base import Base


class DeadLetter(Base, table=True):
    """A state that could not be handled. Body and headers are encrypted; the rest are facts we wrote ourselves."""

    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("dead_letters_group", "queue", "error_type", "frame"),
        Index("dead_letters_recent", "last_failed_at", "dead_letter_id"),
        Index("dead_letters_tenant", "letter_tenant", "entity"),
    )
    dead_letter_id: str = column.text(primary=True)
    queue: str = column.text()
    type: str = column.text()
    letter_tenant: str = column.text()
    entity: str = column.text()
    revision: int = column.big()
    error_type: str = column.text()
    frame: str = column.text()
    error_text: str = column.text()
    attempts: int = column.big()
    failures: int = column.big(default="1")
    status: str = column.text(default="unresolved")
    body: bytes = column.octets()
    headers: bytes = column.octets()
    first_failed_at: datetime = column.moment()
    last_failed_at: datetime = column.moment()
    replayed_at: datetime | None = column.moment(null=True)
    resent_at: datetime | None = column.moment(null=True)
    """Of a set: when a resend of its order was asked for; mapper's answer makes it replayed."""


class ReplayJob(Base, table=True):
    __tablename__ = "replay_jobs"
    job_id: str = column.text(primary=True)
    requested_by: str = column.text()
    requested_at: datetime = column.moment(now=True)
    selection: dict[str, Any] = column.json()
    finished_at: datetime | None = column.moment(null=True)


class ReplayItem(Base, table=True):
    __tablename__ = "replay_items"
    __table_args__ = (Index("replay_items_waiting", "job_id", postgresql_where=sa.text("published_at IS NULL")),)
    job_id: str = column.text(primary=True)
    dead_letter_id: str = column.text(primary=True)
    published_at: datetime | None = column.moment(null=True)
    skipped: str = column.text(default="")
