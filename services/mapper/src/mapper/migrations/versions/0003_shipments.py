"""Remember which quantities part-invoices took.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sets", sa.Column("shipments", sa.Text(), server_default="", nullable=False))
