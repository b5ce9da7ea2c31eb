"""Remember by which mode a set's documents were made.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sets", sa.Column("mode", sa.Text(), server_default="", nullable=False))
