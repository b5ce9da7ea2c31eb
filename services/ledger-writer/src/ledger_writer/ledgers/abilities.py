"""What a session may be able to do besides writing. The lane asks each session whether it is."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Protocol, runtime_checkable

from ledger_writer.ledgers.protocol import AccountBalance, LedgerLink


@runtime_checkable
class KeepsBookmark(Protocol):
    """A session that must remember something exactly as far as its outcomes are recorded.

    The length of a journal file, the watermark of a change feed: stored in the transaction that records outcomes, so
    that the two can never disagree.
    """

    def bookmark(self) -> Mapping[str, str]: ...


@runtime_checkable
class Attaches(Protocol):
    """A session that can hang files on documents."""

    async def attach(
        self, link: LedgerLink, *, file_name: str, content_type: str, file: bytes, alone: bool = False
    ) -> str:
        """Returns the attachment's id. With `alone`, others of its name on the document go. Raises as `facts` does."""
        ...


@runtime_checkable
class ReportsTrialBalance(Protocol):
    """A session that can say what the ledger's own accounts stand at."""

    async def trial_balance(self, as_of: date | None) -> Sequence[AccountBalance]:
        """Balances at the end of `as_of` (None: of everything). Raises `common.errors.Retryable`."""
        ...


@runtime_checkable
class ClosesBooks(Protocol):
    """A session whose ledger closes its books by itself, up to a day that it tells."""

    async def closed_through(self) -> date | None:
        """The last day that is closed; None where none is. Raises as `facts` does."""
        ...


@runtime_checkable
class LendsRequests(Protocol):
    """A session that keeps limits, and can set requests aside for others than the lane."""

    def lend(self, rest_s: float) -> AbstractAsyncContextManager[None]:
        """Count one request of somebody else from entering to leaving, whom the ledger asked to rest for so long."""
        ...
