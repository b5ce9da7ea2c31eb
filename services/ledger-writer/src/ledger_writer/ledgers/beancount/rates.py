"""Exchange rates where the channel says none: the bookkeeper's `price` directives, the last one up to the day. Pure."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from common.messages.transactions import Document
from common.money import ZERO
from ledger_writer.ledgers.protocol import LedgerLink, Operation

_PRICE = re.compile(
    r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})[ \t]+price[ \t]+([A-Z]{3})[ \t]+([0-9][0-9,]*(?:\.[0-9]*)?)[ \t]+([A-Z]{3})\b",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Prices:
    """Currency → (day, what one is worth in home currency), by day; of one day the last one counts."""

    by_currency: Mapping[str, Sequence[tuple[date, Decimal]]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str, home_currency: str) -> "Prices":
        """Directives such as `2026-03-02 price EUR 1.10 USD` of a journal; those of other currencies are left out."""
        found: dict[str, dict[date, Decimal]] = {}
        for year, month, day, currency, amount, home in _PRICE.findall(text):
            try:
                on = date(int(year), int(month), int(day))
            except ValueError:
                continue  # no day of the calendar: Beancount says so where it reads the file
            rate = Decimal(amount.replace(",", ""))
            if home == home_currency and rate > ZERO:
                found.setdefault(currency, {})[on] = rate
        return cls({currency: sorted(prices.items()) for currency, prices in found.items()})

    def at(self, currency: str, on: date) -> Decimal | None:
        """The rate of a day: that of the last day up to it which has one."""
        prices = self.by_currency.get(currency, ())
        place = bisect_right(prices, on, key=lambda one: one[0])
        return prices[place - 1][1] if place else None


def lacks_rate(document: object, home_currency: str) -> bool:
    """Whether a document is in another currency, and nobody said at which rate."""
    return isinstance(document, Document) and document.currency != home_currency and document.exchange_rate is None


def rated(operation: Operation, prices: Prices, home_currency: str, given: dict[str, Decimal]) -> Operation:
    """The operation with the rates of the books for what has none.

    An entry that is reversed keeps the rate it was written at. `given`: document key → rate, of the same batch; grows.
    """
    wanted, previous = operation.wanted, operation.previous
    if isinstance(wanted, Document) and lacks_rate(wanted, home_currency):
        rate = prices.at(wanted.currency, wanted.date)
        if rate is not None:
            given[operation.document_key] = rate
            wanted = wanted.model_copy(update={"exchange_rate": rate})
    if previous is not None and lacks_rate(previous, home_currency):
        written = operation.link.details.get("rate") if operation.link is not None else None
        if written:
            previous = previous.model_copy(update={"exchange_rate": Decimal(written)})
    references = {key: _rated_link(link, given.get(key)) for key, link in operation.references.items()}
    return replace(operation, wanted=wanted, previous=previous, references=references)


def _rated_link(link: LedgerLink, rate: Decimal | None) -> LedgerLink:
    return link if rate is None else replace(link, details={**link.details, "rate": f"{rate:f}"})
