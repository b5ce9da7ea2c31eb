"""What api owns: tenants, keys, settings and their history, dismissals, and records of what people did."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Index

from api.tables import column
from api.tables.base import Base


class Tenant(Base, table=True):
    __tablename__ = "tenants"
    tenant_id: str = column.text(primary=True)
    name: str = column.text()
    revision: int = column.big(default="1")
    created_at: datetime = column.moment(now=True)
    deleted_at: datetime | None = column.moment(null=True)


class Purge(Base, table=True):
    """What each service has removed of a deleted tenant; outlives the tenant's other rows."""

    __tablename__ = "purges"
    tenant_id: str = column.text(primary=True)
    service: str = column.text(primary=True)
    revision: int = column.big()
    removed: dict[str, int] = column.json()
    purged_at: datetime = column.moment(now=True)


class ApiKey(Base, table=True):
    """`secret_hash` is SHA-256 of 256 random bits: nothing slower is needed, and nothing can be guessed from it."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_tenant", "tenant_id", "created_at"),)
    key_id: str = column.text(primary=True)
    tenant_id: str | None = column.text(null=True)
    name: str = column.text()
    secret_hash: bytes = column.octets()
    scopes: list[str] = column.texts()
    created_at: datetime = column.moment(now=True)
    created_by: str = column.text()
    expires_at: datetime | None = column.moment(null=True)
    revoked_at: datetime | None = column.moment(null=True)
    last_used_at: datetime | None = column.moment(null=True)


class Company(Base, table=True):
    """A company file: what its owner set here, and what ledger-writer says of it (`ledger_revision` and below)."""

    __tablename__ = "companies"
    __table_args__ = (Index("companies_tenant", "tenant_id", "created_at", "company_id"),)
    company_id: str = column.text(primary=True)
    tenant_id: str = column.text()
    ledger: str = column.text()
    name: str = column.text()
    created_at: datetime = column.moment(now=True)
    ready: bool = column.flag(default=False)
    settings: dict[str, Any] | None = column.json(null=True)
    settings_revision: int = column.big(default="0")
    ledger_revision: int = column.big(default="0")
    status: str = column.text(default="disconnected")
    reason: dict[str, Any] | None = column.json(null=True)
    external_id: str = column.text(default="")
    home_currency: str = column.text(default="")
    country: str = column.text(default="")
    capabilities: list[str] = Field(sa_column=sa.Column(JSONB, nullable=False, server_default="[]"))
    lane_paused: bool = column.flag(default=False)
    assigns_numbers: bool = column.flag(default=True)


class Connection(Base, table=True):
    __tablename__ = "connections"
    __table_args__ = (
        Index("connections_tenant", "tenant_id", "created_at", "connection_id"),
        Index("connections_company", "company_id"),
    )
    connection_id: str = column.text(primary=True)
    tenant_id: str = column.text()
    channel: str = column.text()
    name: str = column.text()
    created_at: datetime = column.moment(now=True)
    ready: bool = column.flag(default=False)
    fetches: bool = column.flag(default=True)
    """Whether it can be asked for orders: ingest's answer when its credentials were last saved."""
    fetches_payouts: bool = column.flag(default=True)
    """The same of payouts."""
    company_id: str | None = column.text(null=True)
    settings: dict[str, Any] | None = column.json(null=True)
    settings_revision: int = column.big(default="0")


class SettingsVersion(Base, table=True):
    __tablename__ = "settings_history"
    scope: str = column.text(primary=True)
    scope_id: str = column.text(primary=True)
    revision: int = column.big(primary=True)
    tenant_id: str = column.text()
    settings: dict[str, Any] = column.json()
    changed_by: str = column.text()
    changed_at: datetime = column.moment(now=True)


class Dismissal(Base, table=True):
    """`subject` is a document key, or an order key where no document exists, valid for `order_revision` only."""

    __tablename__ = "dismissals"
    subject: str = column.text(primary=True)
    tenant_id: str = column.text()
    company_id: str = column.text()
    is_order: bool = column.flag(default=False)
    order_revision: int = column.big(default="0")
    dismissed: bool = column.flag(default=True)
    note: str = column.text()
    revision: int = column.big(default="1")
    changed_by: str = column.text()
    changed_at: datetime = column.moment(now=True)


class AuditEntry(Base, table=True):
    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_tenant", "tenant_id", "entry_id"),)
    entry_id: int = column.identity()
    tenant_id: str | None = column.text(null=True)
    at: datetime = column.moment(now=True)
    actor: str = column.text()
    action: str = column.text()
    subject: str = column.text()
    details: dict[str, Any] = column.json()


class StoredAnswer(Base, table=True):
    """The answer to a request with an idempotency key, encrypted: it may hold a key that is shown once."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("idempotency_created", "created_at"),)
    owner: str = column.text(primary=True)
    idempotency_key: str = column.text(primary=True)
    route: str = column.text(primary=True)
    body_hash: bytes = column.octets()
    status: int | None = column.integer(null=True)
    answer: bytes | None = column.octets(null=True)
    locked_until: datetime = column.moment()
    created_at: datetime = column.moment(now=True)
