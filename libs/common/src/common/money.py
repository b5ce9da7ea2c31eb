"""Exact money: exponents from ISO 4217, one rounding rule, and proration that loses no cent.

Round half up, once per line, never on sums (domain reference, section 1).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from iso4217 import Currency

ZERO = Decimal(0)


class UnknownCurrency(ValueError):
    """A code that ISO 4217 does not list, or one without a minor unit (metals, test codes)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"currency {code!r} is not an ISO 4217 currency with a minor unit")
        self.code = code


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """Number of decimal places of the currency's minor unit (USD 2, JPY 0, KWD 3). Raises `UnknownCurrency`."""
    try:
        places = Currency(currency).exponent
    except ValueError as error:
        raise UnknownCurrency(currency) from error
    if places is None:
        raise UnknownCurrency(currency)
    return int(places)


@lru_cache(maxsize=512)
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of the currency: 0.01 for USD, 1 for JPY. Raises `UnknownCurrency`."""
    return Decimal(1).scaleb(-exponent(currency))


def quantize(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_UP)


def is_exact(amount: Decimal, currency: str) -> bool:
    """Whether the amount has no places beyond the currency's minor unit."""
    return amount == quantize(amount, currency)


def tolerance(currency: str, lines: int) -> Decimal:
    """How far a total may be from the sum of its parts and still be rounding: minor unit × min(lines + 1, 5)."""
    return minor_unit(currency) * min(lines + 1, 5)


def prorate(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Split `total` in proportion to `weights` so that the parts sum to it exactly.

    Each part is rounded once; what is left over goes to the largest weight (the first on a tie). All-zero weights
    put everything on the first part. An empty sequence gives an empty list.
    """
    if not weights:
        return []
    whole = sum(weights, ZERO)
    if whole == 0:
        return [total, *([ZERO] * (len(weights) - 1))]
    parts = [quantize(total * weight / whole, currency) for weight in weights]
    largest = max(range(len(weights)), key=lambda index: (abs(weights[index]), -index))
    parts[largest] += total - sum(parts, ZERO)
    return parts
