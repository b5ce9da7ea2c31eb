"""Tables of the schema `ledger_writer`, for Alembic only: at run time the store modules speak SQL.

companies          paired company files, tokens encrypted
company_settings   newest settings snapshot of a company, which may arrive before it is paired
reconnect_notices  company files whose people have to be told that the sign-in ended
lanes              who may write to a company file, and what is on its way to the ledger right now
sets               newest revision of each transaction set
documents          documents, customers and items: wanted, written, where, and in which state
checks             written documents that somebody may have changed in the ledger
attempts           every try, for the timeline
catalog            mirror of the ledgers' reference lists
replays            requests to publish documents, company files or the catalog again, and how far each has come
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, Index, SQLModel

from common.forgetting import deleted_tenants_table
from common.outbox import outbox_table


class Base(SQLModel, registry=registry()):
    """A registry of its own: several services' tables may be loaded into one process by tests and tools."""


def _text(*, primary: bool = False, null: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(sa.Text, primary_key=primary, nullable=null, server_default=default))


def _moment(*, null: bool = False) -> Any:
    default = None if null else sa.func.now()
    return Field(sa_column=sa.Column(sa.DateTime(timezone=True), nullable=null, server_default=default))


def _json(*, null: bool = False, default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(JSONB, nullable=null, server_default=default))


def _number(kind: type[sa.types.TypeEngine[Any]], default: str | None = None) -> Any:
    return Field(sa_column=sa.Column(kind, nullable=False, server_default=default))


def _texts() -> Any:
    return Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=True))


def _flag(*, default: bool = False) -> Any:
    return Field(sa_column=sa.Column(sa.Boolean, nullable=False, server_default=sa.true() if default else sa.false()))


def _date() -> Any:
    return Field(sa_column=sa.Column(sa.Date, nullable=True))


def _amount(*, null: bool = False) -> Any:
    default = None if null else "0"
    return Field(sa_column=sa.Column(sa.Numeric, nullable=null, server_default=default))


class Company(Base, table=True):
    """`secrets` is an encrypted JSON object; `previous_secrets` is kept until the new ones have worked.

    `feed_wanted`: read what changed in the reference lists; `check_wanted`: look for documents that were changed or
    deleted in the ledger since `checked_at`.
    `secrets_holder` is the one that may rotate them until `secrets_expires_at`: two replicas that refresh a token at
    once would invalidate each other's. `secrets_epoch` fences the one that was too slow.
    """

    __tablename__ = "companies"
    __table_args__ = (
        Index("companies_of_tenant", "tenant_id"),
        Index("companies_of_ledger", "ledger", "external_id"),
        Index("companies_oauth_state", "oauth_state", unique=True, postgresql_where=sa.text("oauth_state <> ''")),
    )

    company_id: str = _text(primary=True)
    tenant_id: str = _text()
    ledger: str = _text()
    name: str = _text()
    external_id: str = _text(default="")
    status: str = _text()
    reason: dict[str, Any] | None = _json(null=True)
    home_currency: str = _text(default="")
    country: str = _text(default="")
    multi_currency: bool = _flag()
    custom_numbers: bool = _flag(default=True)
    preferences: dict[str, Any] = _json(default="{}")
    details: dict[str, Any] = _json(default="{}")
    secrets: bytes | None = Field(sa_column=sa.Column(BYTEA, nullable=True))
    previous_secrets: bytes | None = Field(sa_column=sa.Column(BYTEA, nullable=True))
    secrets_epoch: int = _number(sa.BigInteger, "0")
    secrets_holder: str = _text(default="")
    secrets_expires_at: dt.datetime | None = _moment(null=True)
    oauth_state: str = _text(default="")
    oauth_verifier: str = _text(default="")
    oauth_expires_at: dt.datetime | None = _moment(null=True)
    lane_paused: bool = _flag()
    lists_wanted: bool = _flag()
    lists_read_at: dt.datetime | None = _moment(null=True)
    feed_wanted: bool = _flag()
    check_wanted: bool = _flag()
    checked_at: dt.datetime | None = _moment(null=True)
    revision: int = _number(sa.BigInteger, "1")
    created_at: dt.datetime = _moment()
    updated_at: dt.datetime = _moment()


class CompanySettingsRow(Base, table=True):
    __tablename__ = "company_settings"

    company_id: str = _text(primary=True)
    tenant_id: str = _text()
    revision: int = _number(sa.BigInteger)
    settings: dict[str, Any] | None = _json(null=True)


class ReconnectNotice(Base, table=True):
    """There is one while somebody has to be told; `told` are the addresses that need no mail any more."""

    __tablename__ = "reconnect_notices"

    company_id: str = _text(primary=True)
    tenant_id: str = _text()
    since: dt.datetime = _moment()
    due_at: dt.datetime = _moment()
    tries: int = _number(sa.Integer, "0")
    told: list[str] = Field(sa_column=sa.Column(ARRAY(sa.Text), nullable=False, server_default="{}"))


class Lane(Base, table=True):
    """`intents` is what has been, or is about to be, sent: committed before the request, cleared with its outcome."""

    __tablename__ = "lanes"

    company_id: str = _text(primary=True)
    tenant_id: str = _text()
    holder: str = _text(default="")
    epoch: int = _number(sa.BigInteger, "0")
    expires_at: dt.datetime | None = _moment(null=True)
    intents: str | None = _text(null=True)
    bookmark: dict[str, Any] = _json(default="{}")
    wait_until: dt.datetime | None = _moment(null=True)


class DocumentSet(Base, table=True):
    __tablename__ = "sets"
    __table_args__ = (Index("sets_of_source", "source_id", "connection_id", "source_kind"),)

    set_key: str = _text(primary=True)
    tenant_id: str = _text()
    company_id: str = _text()
    connection_id: str = _text()
    source_kind: str = _text()
    source_id: str = _text()
    revision: int = _number(sa.BigInteger)


class DocumentRow(Base, table=True):
    """One document, customer or item.

    `wanted` is JSON of what should be there; `content_hash` is its fingerprint and `written_hash` that of what is
    there. While both are equal, `wanted` is also what was written; `written` holds the older version otherwise.
    `seq` rises whenever somebody wants the document to be looked at: a lane that finds it changed after its write
    leaves the document due.
    `written_at` is when we first wrote it: for good, whatever became of it since, as usage is counted by it.
    """

    __tablename__ = "documents"
    __table_args__ = (
        Index(
            "documents_due",
            "company_id",
            "priority",
            "seq",
            "rank",
            postgresql_where=sa.text("state IN ('not_tried', 'queued')"),
        ),
        Index(
            "documents_later",
            "company_id",
            "next_attempt_at",
            postgresql_where=sa.text("state IN ('retry_wait', 'unknown')"),
        ),
        Index("documents_blocked", "blocked_by", postgresql_where=sa.text("blocked_by IS NOT NULL")),
        Index("documents_of_set", "set_key", postgresql_where=sa.text("set_key <> ''")),
        Index("documents_leaving", "set_key", postgresql_where=sa.text("removed AND effect = 'present'")),
        # What was written counts towards limits of use although its link is gone: no company's usage reads the others.
        Index(
            "documents_by_ledger_id",
            "company_id",
            "ledger_id",
            postgresql_where=sa.text("ledger_id <> '' OR written_at IS NOT NULL"),
        ),
        Index("documents_by_code", "company_id", "code", postgresql_where=sa.text("code <> ''")),
    )

    document_key: str = _text(primary=True)
    tenant_id: str = _text()
    company_id: str = _text()
    connection_id: str = _text()
    source_kind: str = _text()
    source_id: str = _text()
    source_number: str = _text()
    source_revision: int = _number(sa.BigInteger)
    set_key: str = _text()
    kind: str = _text()
    rank: int = _number(sa.SmallInteger)
    priority: int = _number(sa.SmallInteger)
    seq: int = _number(sa.BigInteger)

    wanted: str = _text()
    content_hash: str = _text()
    removed: bool = _flag()
    hold_edits: bool = _flag()
    override: bool = _flag()
    number: str = _text()
    name: str = _text()
    on_date: dt.date | None = _date()
    amount: Decimal | None = _amount(null=True)
    currency: str = _text()
    traceparent: str | None = _text(null=True)
    horizon: dt.date | None = _date()

    written: str | None = _text(null=True)
    written_hash: str | None = _text(null=True)
    effect: str = _text(default="")
    applications: str = _text(default="")
    applied: Decimal = _amount()
    ledger_id: str = _text(default="")
    link: str = _text(default="")
    linked_by: str = _text(default="")
    linked_at: dt.datetime | None = _moment(null=True)
    written_at: dt.datetime | None = _moment(null=True)
    former: str = _text(default="")

    state: str = _text()
    code: str = _text(default="")
    reason: str = _text(default="")
    raw: str = _text(default="")
    notices: str = _text(default="")
    error_class: str = _text(default="")
    blocked_by: str | None = _text(null=True)
    intent: str = _text(default="")
    sent: list[str] | None = _texts()
    """What updates without an answer said, each content once, for as long as an intent is kept."""
    attempts: int = _number(sa.Integer, "0")
    failures: int = _number(sa.Integer, "0")
    generation: int = _number(sa.Integer, "0")
    next_attempt_at: dt.datetime | None = _moment(null=True)
    first_seen_at: dt.datetime = _moment()
    last_attempt_at: dt.datetime | None = _moment(null=True)
    dismissed_revision: int = _number(sa.BigInteger, "0")
    revision: int = _number(sa.BigInteger, "0")


class CheckRow(Base, table=True):
    """A written document that may not be in the ledger any more as we wrote it: the lane looks."""

    __tablename__ = "checks"

    company_id: str = _text(primary=True)
    document_key: str = _text(primary=True)


class AttemptRow(Base, table=True):
    __tablename__ = "attempts"
    __table_args__ = (Index("attempts_of_document", "document_key", "id"), Index("attempts_by_age", "at"))

    id: int = Field(sa_column=sa.Column(sa.BigInteger, sa.Identity(always=True), primary_key=True))
    document_key: str = _text()
    at: dt.datetime = _moment()
    operation: str = _text()
    outcome: str = _text()
    reason: str = _text()
    ledger_id: str = _text()
    duration_ms: int = _number(sa.Integer)


class CatalogRow(Base, table=True):
    __tablename__ = "catalog"
    __table_args__ = (Index("catalog_by_name", "company_id", "list_name", sa.text("lower(full_name)"), "ledger_id"),)

    company_id: str = _text(primary=True)
    list_name: str = _text(primary=True)
    ledger_id: str = _text(primary=True)
    tenant_id: str = _text()
    full_name: str = _text()
    searchable: str = _text()
    body: str = _text()
    content_hash: str = _text()
    revision: int = _number(sa.BigInteger)
    seen_at: dt.datetime = _moment()


class ReplayRow(Base, table=True):
    """`position` is the key of the last row that was published again.

    A finished one stays for a while, so that its request's message may come twice.
    """

    __tablename__ = "replays"
    __table_args__ = (Index("replays_open", "requested_at", postgresql_where=sa.text("NOT finished")),)

    request_id: str = _text(primary=True)
    tenant_id: str = _text()
    entity: str = _text()
    position: list[str] = _json()
    finished: bool = _flag()
    requested_at: dt.datetime = _moment()


DUE_SEQUENCE = sa.Sequence("due_seq", metadata=Base.metadata)
outbox_table(Base.metadata)
deleted_tenants_table(Base.metadata)
METADATA = Base.metadata
"""Everything `alembic check` compares the migrations with."""
