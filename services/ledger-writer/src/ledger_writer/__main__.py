"""`python -m ledger_writer` serves; `python -m ledger_writer migrate` migrates the schema."""

import sys

from common.application import serve
from common.migrations import upgrade
from ledger_writer.main import create
from ledger_writer.settings import LedgerWriterSettings


def main() -> int:
    """Returns the exit status."""
    settings = LedgerWriterSettings()
    if sys.argv[1:] == ["migrate"]:
        upgrade("ledger_writer", settings.database_url)
        return 0
    if sys.argv[1:]:
        print("usage: python -m ledger_writer [migrate]", file=sys.stderr)  # noqa: T201
        return 2
    serve(create(settings), settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
