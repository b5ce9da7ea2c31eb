"""Let orders find the payouts and summaries they belong to.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payout_members",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("payout_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "reference", "payout_id"),
    )
    op.create_table(
        "order_references",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "reference", "external_id"),
    )
    op.create_table(
        "summaries",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("summary_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("dirty_since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "summary_id"),
    )
    op.create_index(
        "summaries_dirty", "summaries", ["dirty_since"], postgresql_where=sa.text("dirty_since IS NOT NULL")
    )
    op.create_index("summaries_unfinished", "summaries", ["due_at"], postgresql_where=sa.text("NOT finished"))
    op.create_table(
        "summary_members",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("summary_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "external_id", "summary_id"),
    )
    op.create_index("summary_members_by_summary", "summary_members", ["tenant_id", "connection_id", "summary_id"])
