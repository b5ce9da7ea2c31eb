"""Cells that a spreadsheet would run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.cells import guarded, unguarded

HARMLESS = ["", "A-1", "-3.00", "-1,250.50", "-", "'tis", "1=1", "a@b.example"]
RUN = ["=1+1", "+1", "@SUM(A1)", "\t=1", "\r=1", "-2+3", "-A1", "'=1"]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text == unguarded(text)


@pytest.mark.parametrize("text", RUN)
def test_what_would_be_run_gets_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@given(st.text(alphabet="'=+-@\t\ra1.", max_size=6))
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text
