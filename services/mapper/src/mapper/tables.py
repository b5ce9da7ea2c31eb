"""The schema `mapper`, for Alembic only; run-time SQL stands in `store/`.

Primary keys begin with the tenant, so that no identifier of one tenant can ever meet another's.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from common.forgetting import deleted_tenants_table
from common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """A registry of its own: several services' tables may be loaded into one process by tests."""


def _text(*, primary: bool = False, null: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.Text, primary_key=primary, nullable=null, server_default=default))


def _big(*, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.BigInteger, nullable=False, server_default=default))


def _flag() -> Any:
    return Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.false()))


def _moment(*, null: bool = False, now: bool = True) -> Any:
    default = sa.func.now() if now else None
    return Field(sa_column=sa.Column(sa.DateTime(timezone=True), nullable=null, server_default=default))


class SettingsRow(Base, table=True):
    """Snapshot of one connection's or company's settings."""

    __tablename__ = "settings"

    tenant_id: str = _text(primary=True)
    scope: str = _text(primary=True)
    scope_id: str = _text(primary=True)
    company_id: str = _text()
    """Of a connection: the company file it points at. Of a company: itself."""
    revision: int = _big()
    deleted: bool = _flag()
    body: str = _text()

    __table_args__ = (sa.Index("settings_by_company", "tenant_id", "company_id"),)


class CompanyRow(Base, table=True):
    """What ledger-writer says of a company file, and how often its catalog has changed."""

    __tablename__ = "companies"

    tenant_id: str = _text(primary=True)
    company_id: str = _text(primary=True)
    revision: int = _big()
    catalog_revision: int = _big(default="0")
    links_revision: int = _big(default="0")
    """How often product maps and customer connections have changed."""
    body: str = _text()
    """Empty until the company file is paired; its catalog may arrive first."""


class CatalogRow(Base, table=True):
    """Mirror of one object of a ledger's reference list."""

    __tablename__ = "catalog"

    tenant_id: str = _text(primary=True)
    company_id: str = _text(primary=True)
    list_name: str = _text(primary=True)
    ledger_id: str = _text(primary=True)
    revision: int = _big()
    catalog_revision: int = _big()
    body: str = _text()

    __table_args__ = (sa.Index("catalog_by_revision", "tenant_id", "company_id", "list_name", "catalog_revision"),)


class RuleSetRow(Base, table=True):
    """How often a tenant's rules have changed."""

    __tablename__ = "rule_sets"

    tenant_id: str = _text(primary=True)
    revision: int = _big()


class RuleRow(Base, table=True):
    """One rule of section 22."""

    __tablename__ = "rules"

    tenant_id: str = _text(primary=True)
    rule_id: str = _text(primary=True)
    name: str = _text()
    enabled: bool = Field(sa_column=sa.Column(sa.Boolean, nullable=False))
    priority: int = Field(sa_column=sa.Column(sa.Integer, nullable=False))
    definition: dict[str, Any] = Field(sa_column=sa.Column(JSONB, nullable=False))
    revision: int = _big()
    updated_at: datetime = _moment()


class MapRow(Base, table=True):
    """One entry of a map, e.g. `products`: what the channel says → the ledger's object."""

    __tablename__ = "maps"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    map_name: str = _text(primary=True)
    source_key: str = _text(primary=True)
    source: str = _text()
    target: str = _text()
    updated_at: datetime = _moment()


class CustomerLinkRow(Base, table=True):
    """How a person connected a source customer to a company file."""

    __tablename__ = "customer_links"

    tenant_id: str = _text(primary=True)
    company_id: str = _text(primary=True)
    customer_key: str = _text(primary=True)
    connection_id: str = _text()
    source_external_id: str | None = _text(null=True)
    revision: int = _big()
    body: str = _text()

    __table_args__ = (sa.Index("customer_links_by_connection", "tenant_id", "connection_id"),)


class ProductRow(Base, table=True):
    """A product of a channel, for names beside unmatched SKUs."""

    __tablename__ = "products"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    revision: int = _big()
    body: str = _text()


class OrderRow(Base, table=True):
    """The newest state of an order as ingest sent it, and whether it must be mapped again."""

    __tablename__ = "orders"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    revision: int = _big()
    number: str = _text()
    customer_external_id: str | None = _text(null=True)
    ordered_on: datetime = Field(sa_column=sa.Column(sa.Date, nullable=False))
    body: str = _text()
    dirty_since: datetime | None = _moment(null=True, now=False)
    dirty_live: bool = _flag()
    """A person waits for it: its set goes out as live work."""
    dirty_correlation: str = _text(default="")
    dirty_again: bool = _flag()
    """Somebody asked for it to be sent: its set goes out even if nothing of it changed."""
    received_at: datetime = _moment()

    __table_args__ = (
        sa.Index("orders_dirty", "tenant_id", "dirty_since", postgresql_where=sa.text("dirty_since IS NOT NULL")),
        sa.Index(
            "orders_of_customer",
            "tenant_id",
            "connection_id",
            "customer_external_id",
            postgresql_where=sa.text("customer_external_id IS NOT NULL"),
        ),
    )


class PayoutRow(Base, table=True):
    """The newest state of a payout as ingest sent it."""

    __tablename__ = "payouts"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    revision: int = _big()
    body: str = _text()
    dirty_since: datetime | None = _moment(null=True, now=False)
    asked_at: datetime | None = _moment(null=True, now=False)
    """When somebody asked for its deposit, where deposits are not made by themselves."""

    __table_args__ = (sa.Index("payouts_dirty", "dirty_since", postgresql_where=sa.text("dirty_since IS NOT NULL")),)


class PayoutMemberRow(Base, table=True):
    """What a payout's lines refer to, so that an order finds the payouts it belongs to."""

    __tablename__ = "payout_members"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    reference: str = _text(primary=True)
    payout_id: str = _text(primary=True)


class OrderReferenceRow(Base, table=True):
    """What a payout may call an order: its number, its payments, its refunds. Kept where payouts are switched on."""

    __tablename__ = "order_references"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    reference: str = _text(primary=True)
    external_id: str = _text(primary=True)


class SummaryRow(Base, table=True):
    """One summary of a connection: a day, a store, a currency, an account; and whether it must be made again."""

    __tablename__ = "summaries"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    summary_id: str = _text(primary=True)
    day: datetime = Field(sa_column=sa.Column(sa.Date, nullable=False))
    due_at: datetime = _moment(now=False)
    """When the day is over where the channel is."""
    finished: bool = _flag()
    """Whether it was made after its day was over."""
    dirty_since: datetime | None = _moment(null=True, now=False)

    __table_args__ = (
        sa.Index("summaries_dirty", "dirty_since", postgresql_where=sa.text("dirty_since IS NOT NULL")),
        sa.Index("summaries_unfinished", "due_at", postgresql_where=sa.text("NOT finished")),
    )


class SummaryMemberRow(Base, table=True):
    """Which summaries an order is part of: that of its sale, and those of its refunds where they are merged."""

    __tablename__ = "summary_members"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    summary_id: str = _text(primary=True)

    __table_args__ = (sa.Index("summary_members_by_summary", "tenant_id", "connection_id", "summary_id"),)


class SetRow(Base, table=True):
    """The transaction set of one source entity in one company file."""

    __tablename__ = "sets"

    tenant_id: str = _text(primary=True)
    company_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    source_kind: str = _text(primary=True)
    source_id: str = _text(primary=True)
    revision: int = _big()
    content_hash: str = _text()
    mapped: bool = _flag()
    """Whether it has documents now, or had before it was held or filtered."""
    invoiced: bool = _flag()
    cancellation: str = _text(default="")
    """How a cancellation was booked: void or credit."""
    shipments: str = _text(default="")
    """Quantities of part-invoices as JSON, where invoices follow the shipments."""
    mode: str = _text(default="")
    """The mode its documents were made by, where they may be written."""
    body: str = _text()
    mapped_at: datetime = _moment()

    __table_args__ = (sa.Index("sets_of_source", "tenant_id", "connection_id", "source_kind", "source_id"),)


class UnmatchedRow(Base, table=True):
    """A product that keeps one order out of the ledger."""

    __tablename__ = "unmatched"

    tenant_id: str = _text(primary=True)
    connection_id: str = _text(primary=True)
    external_id: str = _text(primary=True)
    product_key: str = _text(primary=True)
    """Normal form of the SKU, or of the title where there is none."""
    company_id: str = _text()
    sku: str = _text()
    name: str = _text()
    first_seen_at: datetime = _moment()

    __table_args__ = (
        sa.Index("unmatched_by_product", "tenant_id", "connection_id", "product_key"),
        sa.Index("unmatched_by_company", "tenant_id", "company_id", "product_key"),
    )


class SetAsideRow(Base, table=True):
    """An order, payout or summary that a fault of ours keeps from being worked on, and when that is tried again."""

    __tablename__ = "set_aside"

    tenant_id: str = _text(primary=True)
    kind: str = _text(primary=True)
    """order, payout or summary."""
    connection_id: str = _text(primary=True)
    source_id: str = _text(primary=True)
    error: str = _text()
    frame: str = _text()
    retry_at: datetime = _moment(now=False)

    __table_args__ = (sa.Index("set_aside_due", "retry_at"),)


class ReplayRow(Base, table=True):
    """A request to publish every set again, and how far it has come."""

    __tablename__ = "replays"

    request_id: str = _text(primary=True)
    entity: str = _text()
    tenant_id: str = _text()
    """Empty: all tenants."""
    position: list[str] = Field(sa_column=sa.Column(JSONB, nullable=False))
    requested_at: datetime = _moment()


outbox_table(Base.metadata)
deleted_tenants_table(Base.metadata)
METADATA = Base.metadata
"""Everything `alembic check` compares the migrations with."""
