"""A ledger-writer that dies at a chosen moment, without warning: `python crashing.py MOMENT`.

The moments are made by wrapping functions of the service from outside; the service itself knows nothing of them.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from common.application import serve
from ledger_writer.ledgers.beancount import journal
from ledger_writer.main import create
from ledger_writer.settings import LedgerWriterSettings
from ledger_writer.store import due


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before_record() -> None:
    """The batch is on disk, nothing of it is recorded."""

    async def record(*_: Any) -> None:
        die()

    due.record = record  # type: ignore[assignment]


def inside_append() -> None:
    """Half of the batch is on disk."""
    write = journal._write_all

    def write_half(handle: int, content: bytes) -> None:
        if b"document-key" not in content:
            write(handle, content)
            return
        write(handle, content[: len(content) // 2])
        os.fsync(handle)
        die()

    journal._write_all = write_half


def before_append() -> None:
    """The intents are committed, nothing is on disk."""

    def append(self: journal.Journal, texts: Mapping[str, str], accounts: Iterable[str]) -> None:
        die()

    journal.Journal.append = append  # type: ignore[method-assign]


def after_record() -> None:
    """Everything is recorded, its messages are not published."""
    from common.outbox import Outbox, StoredRow

    async def publish(self: Outbox, stored: Sequence[StoredRow]) -> bool:
        die()
        return False

    Outbox.publish = publish  # type: ignore[method-assign]


MOMENTS: dict[str, Callable[[], None]] = {
    moment.__name__: moment for moment in (before_append, inside_append, before_record, after_record)
}

if __name__ == "__main__":
    MOMENTS[sys.argv[1]]()
    settings = LedgerWriterSettings()
    serve(create(settings), settings)
