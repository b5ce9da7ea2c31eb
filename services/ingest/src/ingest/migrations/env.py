"""Alembic calls this; `common.migrations` does the work."""

from common.migrations import run_environment
from ingest.tables import METADATA

run_environment(METADATA)
