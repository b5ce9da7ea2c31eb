"""The general ledger: one posting a transaction, running balances by account and by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Round half up to two places, as the ledger rounds tax and totals."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a posting: ``amount`` in home currency, debit positive; ``foreign`` in the document's currency."""

    account: str
    amount: Decimal
    foreign: Decimal
    name: str | None = None
    memo: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """What one transaction does to the books. Raises ``ValueError`` if debits and credits differ."""

    txn: str
    entity: str
    day: date
    number: str
    entries: tuple[Entry, ...]

    def __post_init__(self) -> None:
        difference = sum((entry.amount for entry in self.entries), ZERO)
        if difference:
            raise ValueError(f"{self.entity} {self.txn}: debits and credits differ by {difference}")


class Ledger:
    """Postings by transaction, with balances that are kept rather than summed."""

    def __init__(self) -> None:
        self.postings: dict[str, Posting] = {}
        self.balances: dict[str, Decimal] = {}
        self.names: dict[tuple[str, str], Decimal] = {}

    def replace(self, txn: str, posting: Posting | None) -> Posting | None:
        """Put ``posting`` in place of what ``txn`` posted before; returns that."""
        previous = self.postings.pop(txn, None)
        if previous is not None:
            self._add(previous, -1)
        if posting is not None:
            self.postings[txn] = posting
            self._add(posting, 1)
        return previous

    def _add(self, posting: Posting, sign: int) -> None:
        for entry in posting.entries:
            amount = entry.amount * sign
            self.balances[entry.account] = self.balances.get(entry.account, ZERO) + amount
            if entry.name is not None:
                key = (entry.account, entry.name)
                self.names[key] = self.names.get(key, ZERO) + entry.foreign * sign

    def entries(self, start: date | None = None, end: date | None = None) -> Iterator[tuple[Posting, Entry]]:
        """Every entry between two dates, both included."""
        for posting in self.postings.values():
            if (start is None or posting.day >= start) and (end is None or posting.day <= end):
                for entry in posting.entries:
                    yield posting, entry
