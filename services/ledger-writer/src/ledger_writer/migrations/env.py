"""Run by Alembic; the connection comes from `common.migrations`."""

from common.migrations import run_environment
from ledger_writer.tables import METADATA

run_environment(METADATA)
