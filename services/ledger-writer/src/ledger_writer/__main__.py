"""`python -m ledger_writer` serves; `migrate` migrates its schema; `republish MOMENT` sends again what went out."""

import sys

from common.command import run
from ledger_writer.main import create
from ledger_writer.settings import LedgerWriterSettings

sys.exit(run("ledger_writer", LedgerWriterSettings, create, sys.argv[1:]))
