"""Exact money: exponents, rounding and proration."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import UnknownCurrency, exponent, is_exact, minor_unit, prorate, quantize, tolerance

AMOUNTS = st.decimals(min_value=Decimal("-99999.99"), max_value=Decimal("99999.99"), places=2)
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=Decimal(10_000), places=2), min_size=1, max_size=30)


@pytest.mark.parametrize(("code", "places"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("EUR", 2), ("CLF", 4)])
def test_exponent_comes_from_iso_4217(code: str, places: int) -> None:
    assert exponent(code) == places


@pytest.mark.parametrize("code", ["XXX", "ZZZ", "usd", "", "XAU"])
def test_codes_without_a_minor_unit_are_refused(code: str) -> None:
    with pytest.raises(UnknownCurrency, match="ISO 4217"):
        exponent(code)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("1.005", "USD", "1.01"), ("-1.005", "USD", "-1.01"), ("2.5", "JPY", "3"), ("1.0005", "KWD", "1.001")],
)
def test_rounding_is_half_up_in_the_minor_unit(amount: str, currency: str, expected: str) -> None:
    assert quantize(Decimal(amount), currency) == Decimal(expected)


def test_exactness_asks_for_places_not_for_text() -> None:
    assert is_exact(Decimal("1.500"), "USD")
    assert not is_exact(Decimal("1.501"), "USD")
    assert not is_exact(Decimal("1.5"), "JPY")


@pytest.mark.parametrize(("lines", "expected"), [(1, "0.02"), (3, "0.04"), (4, "0.05"), (40, "0.05")])
def test_tolerance_grows_with_lines_and_stops_at_five_minor_units(lines: int, expected: str) -> None:
    assert tolerance("USD", lines) == Decimal(expected)


def test_coupon_share_of_the_domain_example() -> None:
    parts = prorate(Decimal("5.00"), [Decimal("50.00"), Decimal("19.99")], "USD")
    assert parts == [Decimal("3.57"), Decimal("1.43")]


def test_remainder_goes_to_the_largest_weight_and_the_first_on_a_tie() -> None:
    assert prorate(Decimal("1.00"), [Decimal(1)] * 3, "USD") == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    assert prorate(Decimal("0.01"), [Decimal(1), Decimal(2)], "USD") == [Decimal("0.00"), Decimal("0.01")]


@given(total=AMOUNTS, weights=WEIGHTS)
def test_proration_sums_exactly(total: Decimal, weights: list[Decimal]) -> None:
    parts = prorate(total, weights, "USD")
    assert sum(parts) == total
    assert all(is_exact(part, "USD") for part in parts)
    assert minor_unit("USD") == Decimal("0.01")
