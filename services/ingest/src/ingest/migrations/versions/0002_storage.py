"""Write bulky columns as they are: compressing them costs more than writing them.

Revision ID: 0002
"""

from alembic import op

from common.migrations import storage_of_bodies

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    *storage_of_bodies("outbox", "body"),
    *storage_of_bodies("raw_parts", "body", in_row=True),
    *storage_of_bodies("orders", "content", in_row=True),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """What is stored stays readable either way, so nothing needs to be undone."""
