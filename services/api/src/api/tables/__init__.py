"""Tables of the schema `api`, for Alembic only: at run time the store modules speak SQL."""

from api.tables import owned, parked, read_model, work
from api.tables.base import Base
from common.outbox import outbox_table

outbox_table(Base.metadata)
METADATA = Base.metadata
"""Everything `alembic check` compares the migrations with."""

__all__ = ["METADATA", "owned", "parked", "read_model", "work"]
