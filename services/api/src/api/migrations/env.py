"""Entry point of Alembic for the schema `api`."""

from api.tables import METADATA
from common.migrations import run_environment

run_environment(METADATA)
