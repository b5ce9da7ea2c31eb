"""What a search of a reference list finds."""

import pytest

from ledger_writer.store.catalog import patterns_of


@pytest.mark.parametrize(
    ("search", "patterns"),
    [
        ("", []),
        ("  ", []),
        ("Jones & Jones", ["%jones%", "%jones%"]),
        ("Jones AND Jones", ["%jones%", "%jones%"]),
        ("Roe, Jane", ["%roe%", "%jane%"]),
        ("ada@x.org", ["%ada@x.org%"]),
        ("Ａda  Straße", ["%ada%", "%strasse%"]),
        ("a_b", [r"%a\_b%"]),
        ("&", ["%&%"]),
        ("%", [r"%\%%"]),
        ("and", ["%and%"]),
    ],
)
def test_every_word_counts_and_none_is_a_wildcard(search: str, patterns: list[str]) -> None:
    assert patterns_of(search) == patterns
