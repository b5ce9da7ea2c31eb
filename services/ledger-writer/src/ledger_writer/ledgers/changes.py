"""How a ledger tells that somebody changed something in it. None of it is needed: a ledger may have neither."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from common.messages.documents import CatalogEntry


@runtime_checkable
class FollowsChanges(Protocol):
    """A session whose ledger tells what changed since a moment."""

    def changed_lists(self, names: Sequence[str], since: datetime) -> AsyncIterator[Sequence[CatalogEntry]]:
        """Entries that changed since then, in pages; lists that the ledger can't follow come whole."""
        ...

    async def changed_documents(self, since: datetime) -> Collection[str] | None:
        """Ledger ids of documents that anybody made, changed or removed since then, more rather than too few.

        None where the ledger can't tell (too long ago, too many). Raises as `facts` does.
        """
        ...


@dataclass(frozen=True, slots=True)
class Notice:
    """One object of a company file that is not what it was. It names the object and never says what changed."""

    external_id: str
    """The company's id in the ledger."""
    ledger_id: str
    list_name: str = ""
    """The reference list that it belongs to; empty for documents."""


class NoticeRefused(Exception):
    """The notice is not signed by the ledger."""


class ReadNotices(Protocol):
    def __call__(self, headers: Mapping[str, str], body: bytes) -> Sequence[Notice]:
        """Check the signature over the raw bytes and read them. Raises `NoticeRefused`, `ValueError`."""
        ...
