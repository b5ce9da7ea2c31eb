"""Entry point of Alembic for the schema `mapper`."""

from common.migrations import run_environment
from mapper.tables import METADATA

run_environment(METADATA)
