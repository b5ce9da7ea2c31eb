"""Lay the schema `ledger_writer`: company files, lanes, documents, attempts, catalog, outbox.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("due_seq")))
    op.create_table(
        "deleted_tenants",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("removed", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("document_key", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempts_by_age", "attempts", ["at"], unique=False)
    op.create_index("attempts_of_document", "attempts", ["document_key", "id"], unique=False)
    op.create_table(
        "catalog",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("ledger_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("searchable", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "list_name", "ledger_id"),
    )
    op.create_index(
        "catalog_by_name",
        "catalog",
        ["company_id", "list_name", sa.literal_column("lower(full_name)"), "ledger_id"],
        unique=False,
    )
    op.create_table(
        "checks",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("document_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "document_key"),
    )
    op.create_table(
        "companies",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", postgresql.JSONB(), nullable=True),
        sa.Column("home_currency", sa.Text(), server_default="", nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("multi_currency", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("custom_numbers", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("preferences", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("secrets", postgresql.BYTEA(), nullable=True),
        sa.Column("previous_secrets", postgresql.BYTEA(), nullable=True),
        sa.Column("secrets_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("secrets_holder", sa.Text(), server_default="", nullable=False),
        sa.Column("secrets_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("oauth_state", sa.Text(), server_default="", nullable=False),
        sa.Column("oauth_verifier", sa.Text(), server_default="", nullable=False),
        sa.Column("oauth_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lane_paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("lists_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("lists_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("feed_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("check_wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("company_id"),
    )
    op.create_index(
        "companies_oauth_state",
        "companies",
        ["oauth_state"],
        unique=True,
        postgresql_where=sa.text("oauth_state <> ''"),
    )
    op.create_index("companies_of_ledger", "companies", ["ledger", "external_id"], unique=False)
    op.create_index("companies_of_tenant", "companies", ["tenant_id"], unique=False)
    op.create_table(
        "company_settings",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("company_id"),
    )
    op.create_table(
        "reconnect_notices",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("told", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("company_id"),
    )
    op.create_table(
        "documents",
        sa.Column("document_key", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("source_number", sa.Text(), nullable=False),
        sa.Column("source_revision", sa.BigInteger(), nullable=False),
        sa.Column("set_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("removed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hold_edits", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("override", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("horizon", sa.Date(), nullable=True),
        sa.Column("written", sa.Text(), nullable=True),
        sa.Column("written_hash", sa.Text(), nullable=True),
        sa.Column("effect", sa.Text(), server_default="", nullable=False),
        sa.Column("applications", sa.Text(), server_default="", nullable=False),
        sa.Column("applied", sa.Numeric(), server_default="0", nullable=False),
        sa.Column("ledger_id", sa.Text(), server_default="", nullable=False),
        sa.Column("link", sa.Text(), server_default="", nullable=False),
        sa.Column("linked_by", sa.Text(), server_default="", nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("former", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("raw", sa.Text(), server_default="", nullable=False),
        sa.Column("notices", sa.Text(), server_default="", nullable=False),
        sa.Column("error_class", sa.Text(), server_default="", nullable=False),
        sa.Column("blocked_by", sa.Text(), nullable=True),
        sa.Column("intent", sa.Text(), server_default="", nullable=False),
        sa.Column("sent", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("document_key"),
    )
    op.create_index(
        "documents_blocked",
        "documents",
        ["blocked_by"],
        unique=False,
        postgresql_where=sa.text("blocked_by IS NOT NULL"),
    )
    op.create_index(
        "documents_by_code", "documents", ["company_id", "code"], unique=False, postgresql_where=sa.text("code <> ''")
    )
    op.create_index(
        "documents_due",
        "documents",
        ["company_id", "priority", "seq", "rank"],
        unique=False,
        postgresql_where=sa.text("state IN ('not_tried', 'queued')"),
    )
    op.create_index(
        "documents_later",
        "documents",
        ["company_id", "next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('retry_wait', 'unknown')"),
    )
    op.create_index(
        "documents_of_set", "documents", ["set_key"], unique=False, postgresql_where=sa.text("set_key <> ''")
    )
    op.create_index(
        "documents_leaving",
        "documents",
        ["set_key"],
        unique=False,
        postgresql_where=sa.text("removed AND effect = 'present'"),
    )
    op.create_index(
        "documents_by_ledger_id",
        "documents",
        ["company_id", "ledger_id"],
        unique=False,
        postgresql_where=sa.text("ledger_id <> '' OR written_at IS NOT NULL"),
    )
    op.create_table(
        "lanes",
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), server_default="", nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("intents", sa.Text(), nullable=True),
        sa.Column("bookmark", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("company_id"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("entity_key", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.Column("exchange", sa.Text(), nullable=False),
        sa.Column("routing_key", sa.Text(), nullable=False),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "outbox_published_at",
        "outbox",
        ["published_at"],
        unique=False,
        postgresql_where=sa.text("published_at IS NOT NULL"),
    )
    op.create_index(
        "outbox_unpublished", "outbox", ["id"], unique=False, postgresql_where=sa.text("published_at IS NULL")
    )
    op.create_index(
        "outbox_unpublished_state",
        "outbox",
        ["type", "entity_key"],
        unique=True,
        postgresql_where=sa.text("published_at IS NULL AND exchange = ''"),
    )
    op.create_table(
        "replays",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("position", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("finished", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("request_id"),
    )
    op.create_index("replays_open", "replays", ["requested_at"], unique=False, postgresql_where=sa.text("NOT finished"))
    op.create_table(
        "sets",
        sa.Column("set_key", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("set_key"),
    )
    op.create_index("sets_of_source", "sets", ["source_id", "connection_id", "source_kind"], unique=False)


def downgrade() -> None:
    op.drop_table("deleted_tenants")
    op.drop_index("sets_of_source", table_name="sets")
    op.drop_table("sets")
    op.drop_index("replays_open", table_name="replays", postgresql_where=sa.text("NOT finished"))
    op.drop_table("replays")
    op.drop_index(
        "outbox_unpublished_state",
        table_name="outbox",
        postgresql_where=sa.text("published_at IS NULL AND exchange = ''"),
    )
    op.drop_index("outbox_unpublished", table_name="outbox", postgresql_where=sa.text("published_at IS NULL"))
    op.drop_index("outbox_published_at", table_name="outbox", postgresql_where=sa.text("published_at IS NOT NULL"))
    op.drop_table("outbox")
    op.drop_table("lanes")
    op.drop_index("documents_of_set", table_name="documents", postgresql_where=sa.text("set_key <> ''"))
    op.drop_index(
        "documents_later", table_name="documents", postgresql_where=sa.text("state IN ('retry_wait', 'unknown')")
    )
    op.drop_index("documents_due", table_name="documents", postgresql_where=sa.text("state IN ('not_tried', 'queued')"))
    op.drop_index(
        "documents_by_ledger_id",
        table_name="documents",
        postgresql_where=sa.text("ledger_id <> '' OR written_at IS NOT NULL"),
    )
    op.drop_index("documents_by_code", table_name="documents", postgresql_where=sa.text("code <> ''"))
    op.drop_index("documents_blocked", table_name="documents", postgresql_where=sa.text("blocked_by IS NOT NULL"))
    op.drop_table("documents")
    op.drop_table("company_settings")
    op.drop_index("companies_of_tenant", table_name="companies")
    op.drop_index("companies_of_ledger", table_name="companies")
    op.drop_index("companies_oauth_state", table_name="companies", postgresql_where=sa.text("oauth_state <> ''"))
    op.drop_table("reconnect_notices")
    op.drop_table("companies")
    op.drop_table("checks")
    op.drop_index("catalog_by_name", table_name="catalog")
    op.drop_table("catalog")
    op.drop_index("attempts_of_document", table_name="attempts")
    op.drop_index("attempts_by_age", table_name="attempts")
    op.drop_table("attempts")
    op.execute(sa.schema.DropSequence(sa.Sequence("due_seq")))
