"""What the other services said of their entities: derived, guarded by revision, and rebuilt at any time."""

import datetime as dt
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlmodel import Index

from api.tables import column
from api.tables.base import Base


class Order(Base, table=True):
    """Read model of `order.listed`."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_recent", "tenant_id", "received_at", "order_key"),
        Index("orders_connection", "connection_id", "received_at", "order_key"),
        Index("orders_number", "tenant_id", "number"),
    )
    order_key: str = column.text(primary=True)
    tenant_id: str = column.text()
    connection_id: str = column.text()
    external_id: str = column.text()
    revision: int = column.big()
    channel: str = column.text()
    number: str = column.text()
    status: str = column.text()
    ordered_on: dt.date | None = column.day()
    currency: str = column.text()
    total: Decimal | None = column.amount()
    received_at: dt.datetime = column.moment()
    said_at: dt.datetime = column.moment(now=True)
    """When ingest last said so, by this database's clock; the same again is news too: a resend has changed nothing."""
    run_id: str | None = column.text(null=True)
    problem: dict[str, Any] | None = column.json(null=True)
    problem_code: str | None = column.text(null=True)


class TransactionSet(Base, table=True):
    """Read model of `transactions.listed`. `column_alone` holds where no document of the set can say more."""

    __tablename__ = "sets"
    __table_args__ = (
        Index("sets_source", "connection_id", "source_kind", "source_id"),
        Index("sets_company", "company_id", "outcome"),
        Index("sets_payouts", "company_id", postgresql_where=sa.text("source_kind = 'payout'")),
    )
    set_key: str = column.text(primary=True)
    tenant_id: str = column.text()
    company_id: str = column.text()
    connection_id: str = column.text()
    source_kind: str = column.text()
    source_id: str = column.text()
    source_number: str = column.text()
    revision: int = column.big()
    source_revision: int = column.big()
    outcome: str = column.text()
    reason: dict[str, Any] | None = column.json(null=True)
    reason_code: str | None = column.text(null=True)
    column_alone: str = column.text()
    documents: int = column.big()
    total: Decimal | None = column.amount()
    currency: str = column.text()
    date: dt.date | None = column.day()
    grouped: list[str] | None = column.json(null=True)
    """Of a payout: keys of the documents that its deposit groups."""
    said_at: dt.datetime = column.moment(now=True)
    changed_at: dt.datetime = column.moment(now=True)
    """When its revision rose: what its documents said before was about another set."""


class Document(Base, table=True):
    """Read model of `documents.changed`; `column_name` is the overview's column (see `columns.py`)."""

    __tablename__ = "documents"
    __table_args__ = (
        Index("documents_overview", "company_id", "kind", "column_name"),
        Index("documents_source", "connection_id", "source_kind", "source_id"),
        Index("documents_recent", "tenant_id", "first_seen_at", "document_key"),
        Index("documents_reason", "company_id", "reason_code", postgresql_where=sa.text("reason_code IS NOT NULL")),
        Index("documents_blocked_by", "blocked_by", postgresql_where=sa.text("blocked_by IS NOT NULL")),
        Index("documents_number", "tenant_id", "number"),
    )
    document_key: str = column.text(primary=True)
    tenant_id: str = column.text()
    company_id: str = column.text()
    connection_id: str = column.text()
    source_kind: str = column.text()
    source_id: str = column.text()
    source_number: str = column.text()
    source_revision: int = column.big()
    revision: int = column.big()
    kind: str = column.text()
    state: str = column.text()
    column_name: str = column.text()
    reason: dict[str, Any] | None = column.json(null=True)
    reason_code: str | None = column.text(null=True)
    notices: list[Any] = column.json()
    has_notices: bool = column.flag(default=False)
    blocked_by: str | None = column.text(null=True)
    number: str = column.text()
    name: str = column.text()
    date: dt.date | None = column.day()
    amount: Decimal | None = column.amount()
    currency: str = column.text()
    standing: Decimal | None = column.amount()
    """What of it stands in the ledger, whatever it waits for; null where nothing does."""
    ledger_id: str = column.text()
    ledger_url: str = column.text()
    attempts: int = column.big()
    first_seen_at: dt.datetime = column.moment()
    last_attempt_at: dt.datetime | None = column.moment(null=True)
    next_attempt_at: dt.datetime | None = column.moment(null=True)
    said_at: dt.datetime = column.moment(now=True)
