"""Exact arithmetic of the sample shops, in whole minor units (cents, or yen where there is nothing smaller).

Everything a shop knows about money is an `int` here and becomes text only on the wire, so no sum can drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 code and the number of its decimals."""

    code: str
    exponent: int

    def text(self, minor: int) -> str:
        """Write an amount of minor units as a decimal string with the currency's own number of places."""
        if self.exponent == 0:
            return str(minor)
        sign = "-" if minor < 0 else ""
        whole, part = divmod(abs(minor), 10**self.exponent)
        return f"{sign}{whole}.{str(part).zfill(self.exponent)}"

    def decimal(self, minor: int) -> Decimal:
        """Give an amount of minor units as a Decimal in the currency's own number of places."""
        return Decimal(minor).scaleb(-self.exponent)


@dataclass(frozen=True, slots=True)
class TaxRate:
    """One tax of one authority: `parts` is the rate in millionths (8.25 % = 82,500)."""

    id: int
    title: str
    parts: int

    @property
    def fraction(self) -> str:
        """The rate as a decimal fraction, "0.0825"."""
        return format(Decimal(self.parts).scaleb(-6).normalize(), "f")


def half_up(numerator: int, denominator: int) -> int:
    """Divide two non-negative numbers and round halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def cut(total: int, taken: int, of: int) -> int:
    """How much of `total` the first `taken` of `of` equal units carry.

    The parts taken one after the other as differences of cuts always add up to the whole.
    """
    return half_up(total * taken, of) if of else 0


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Spread a total over weights so that the parts add up exactly; odd units go to the largest remainders."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def taxes_on(amount: int, rates: Sequence[TaxRate], included: bool) -> list[int]:
    """The tax of each rate on an amount, which already contains it where `included`."""
    if not included:
        return [half_up(amount * rate.parts, MILLION) for rate in rates]
    together = sum(rate.parts for rate in rates)
    contained = half_up(amount * together, MILLION + together)
    return allocate(contained, [rate.parts for rate in rates])
