"""Tables of the schema `ingest`, for Alembic only: at run time the store modules speak SQL."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, Index, SQLModel

from common.forgetting import deleted_tenants_table
from common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """A registry of its own: several services' tables may be loaded into one process by tests and tools."""


def _text(*, primary: bool = False, null: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.Text, primary_key=primary, nullable=null, server_default=default))


def _moment(*, null: bool = False, now: bool = False) -> Any:
    default = sa.func.now() if now else None
    return Field(sa_column=sa.Column(sa.DateTime(timezone=True), nullable=null, server_default=default))


def _octets(*, null: bool = False) -> Any:
    return Field(sa_column=sa.Column(BYTEA, nullable=null))


def _json(*, null: bool = False) -> Any:
    return Field(sa_column=sa.Column(JSONB, nullable=null))


def _big(*, primary: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.BigInteger, primary_key=primary, nullable=False, server_default=default))


def _flag(default: bool) -> Any:
    return Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true() if default else sa.false()))


class Connection(Base, table=True):
    """One paired account of a channel. `secrets` is encrypted JSON; nothing else in the row is secret."""

    __tablename__ = "connections"
    __table_args__ = (Index("connections_of_tenant", "tenant_id"),)
    connection_id: str = _text(primary=True)
    tenant_id: str = _text()
    channel: str = _text()
    name: str = _text()
    state: str = _text()
    config: dict[str, Any] = _json()
    secrets: bytes = _octets()
    reason: dict[str, Any] | None = _json(null=True)
    created_at: datetime = _moment(now=True)
    updated_at: datetime = _moment(now=True)


class ConnectionSettings(Base, table=True):
    """What ingest reads of a connection's settings. Apart from the connection, because either may arrive first."""

    __tablename__ = "connection_settings"
    connection_id: str = _text(primary=True)
    tenant_id: str = _text()
    revision: int = _big()
    time_zone: str = _text()
    store_currency: bool = _flag(default=False)
    rounding_tolerance: Decimal | None = Field(sa_column=sa.Column(sa.Numeric, nullable=True))
    start_date: date | None = Field(sa_column=sa.Column(sa.Date, nullable=True))
    enabled: bool = _flag(default=True)
    raw_retention_days: int = Field(sa_column=sa.Column(sa.Integer, nullable=False, server_default="730"))


class RawPart(Base, table=True):
    """The newest version of each part of each order, encrypted as it came."""

    __tablename__ = "raw_parts"
    connection_id: str = _text(primary=True)
    order_id: str = _text(primary=True)
    kind: str = _text(primary=True)
    part_id: str = _text(primary=True)
    version: datetime = _moment()
    rank: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    source: str = _text()
    topic: str = _text()
    size: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    body: bytes = _octets()
    received_at: datetime = _moment()
    run_id: str | None = _text(null=True)


class Order(Base, table=True):
    """The order as last published (`content`, encrypted), and why a newer state of it could not be."""

    __tablename__ = "orders"
    __table_args__ = (
        Index("orders_due", "tenant_id", "due_kind", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
        Index("orders_of_tenant", "tenant_id", "connection_id", "external_id"),
    )
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    tenant_id: str = _text()
    revision: int = _big()
    state_hash: bytes = _octets()
    content: bytes | None = _octets(null=True)
    content_revision: int = _big()
    number: str = _text()
    status: str = _text()
    ordered_on: date | None = Field(sa_column=sa.Column(sa.Date, nullable=True))
    currency: str = _text()
    total: Decimal | None = Field(sa_column=sa.Column(sa.Numeric, nullable=True))
    problem: dict[str, Any] | None = _json(null=True)
    received_at: datetime = _moment()
    run_id: str | None = _text(null=True)
    due_at: datetime | None = _moment(null=True)
    due_kind: str = _text()
    due_attempts: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))


class Normalisation(Base, table=True):
    """A revision of an order that a later one replaced, for its timeline. The newest is the order's own row."""

    __tablename__ = "normalisations"
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    revision: int = _big(primary=True)
    at: datetime = _moment()
    status: str = _text()
    total: Decimal | None = Field(sa_column=sa.Column(sa.Numeric, nullable=True))
    currency: str = _text()


class Delivery(Base, table=True):
    """One webhook or push and the order it brought a part of; repeated deliveries are recognised by it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_of_order", "connection_id", "order_id"),
        Index("deliveries_received", "received_at"),
    )
    connection_id: str = _text(primary=True)
    delivery_id: str = _text(primary=True)
    order_id: str = _text(primary=True)
    topic: str = _text()
    digest: bytes = _octets()
    size: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    channel_time: datetime | None = _moment(null=True)
    received_at: datetime = _moment()
    ignored: bool = _flag(default=False)


class Watermark(Base, table=True):
    """Up to where a task has fetched and stored everything."""

    __tablename__ = "watermarks"
    connection_id: str = _text(primary=True)
    kind: str = _text(primary=True)
    value: datetime = _moment()
    updated_at: datetime = _moment(now=True)


class Run(Base, table=True):
    """A run asked for by the api. `position` is where it goes on after a crash; a replica works on it by lease."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_open", "requested_at", postgresql_where=sa.text("state = 'open'")),)
    run_id: str = _text(primary=True)
    tenant_id: str = _text()
    connection_id: str = _text()
    revision: int = _big()
    request: dict[str, Any] = _json()
    state: str = _text()
    position: dict[str, Any] = _json()
    pages: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    attempts: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    requested_at: datetime = _moment()
    leased_until: datetime | None = _moment(null=True)
    epoch: int = _big(default="0")
    retry_at: datetime | None = _moment(null=True)


class Rebuild(Base, table=True):
    """A request to publish entities again; `after` is the key of the last one that was."""

    __tablename__ = "rebuilds"
    request_id: str = _text(primary=True)
    tenant_id: str = _text()
    entity: str = _text()
    after: str = _text()
    finished: bool = _flag(default=False)
    requested_at: datetime = _moment(now=True)


class PrivacyRequest(Base, table=True):
    """What a channel asked on a customer's or shop's behalf, and what was done about it."""

    __tablename__ = "privacy_requests"
    __table_args__ = (Index("privacy_open", "received_at", postgresql_where=sa.text("finished_at IS NULL")),)
    connection_id: str = _text(primary=True)
    delivery_id: str = _text(primary=True)
    tenant_id: str = _text()
    kind: str = _text()
    customer_id: str = _text()
    order_ids: list[str] = _json()
    after: str = _text()
    received_at: datetime = _moment()
    finished_at: datetime | None = _moment(null=True)
    removed: dict[str, Any] | None = _json(null=True)


class Payout(Base, table=True):
    """The payout as last published (`content`, encrypted), and why its newest state is not.

    `connection_id` is the connection whose orders it pays out, `source_id` the one it came through.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        Index("payouts_due", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
        Index("payouts_of_tenant", "tenant_id", "connection_id", "external_id"),
    )
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    tenant_id: str = _text()
    source_id: str = _text()
    format: str = _text()
    via: str = _text()
    revision: int = _big()
    state_hash: bytes = _octets()
    content: bytes | None = _octets(null=True)
    content_revision: int = _big()
    status: str = _text()
    paid_on: date | None = Field(sa_column=sa.Column(sa.Date, nullable=True))
    currency: str = _text()
    net: Decimal | None = Field(sa_column=sa.Column(sa.Numeric, nullable=True))
    lines: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    problem: dict[str, Any] | None = _json(null=True)
    received_at: datetime = _moment()
    run_id: str | None = _text(null=True)
    due_at: datetime | None = _moment(null=True)
    due_attempts: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))


class PayoutPart(Base, table=True):
    """What a payout was read from, encrypted as it came."""

    __tablename__ = "payout_parts"
    connection_id: str = _text(primary=True)
    payout_id: str = _text(primary=True)
    kind: str = _text(primary=True)
    part_id: str = _text(primary=True)
    digest: bytes = _octets()
    size: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    body: bytes = _octets()
    received_at: datetime = _moment()
    run_id: str | None = _text(null=True)


outbox_table(Base.metadata)
deleted_tenants_table(Base.metadata)
METADATA = Base.metadata
