"""Which months of use are listed."""

from datetime import date

import pytest

from api.routes.usage import months_of
from common.problems import Problem

TODAY = date(2026, 3, 31)


def test_without_a_range_it_is_this_month_and_the_eleven_before() -> None:
    months = months_of(None, None, TODAY)
    assert (months[0], months[8], months[9], months[-1]) == (
        date(2025, 4, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 3, 1),
    )
    assert len(months) == 12
    assert months_of(None, date(2024, 1, 2), TODAY)[0] == date(2023, 2, 1)


def test_any_days_of_the_first_and_the_last_month_name_them() -> None:
    assert months_of(date(2026, 2, 28), None, TODAY) == [date(2026, 2, 1), date(2026, 3, 1)]
    assert months_of(date(2026, 3, 31), date(2026, 3, 1), TODAY) == [date(2026, 3, 1)]
    assert months_of(None, date.min, TODAY) == [date.min]
    assert months_of(date.max, date.max, TODAY) == [date(9999, 12, 1)]


def test_ten_years_are_listed_at_most() -> None:
    assert len(months_of(date(2016, 4, 1), None, TODAY)) == 120
    with pytest.raises(Problem) as refused:
        months_of(date(2016, 3, 31), None, TODAY)
    assert refused.value.details.errors[0].cure == "ask for 120 months at most"
    with pytest.raises(Problem) as none:
        months_of(date(2026, 4, 1), None, TODAY)
    assert (none.value.status, none.value.details.errors[0].value) == (422, "2026-04-01")
