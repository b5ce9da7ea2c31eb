"""What a search of a reference list finds."""

import pytest

from common.messages.documents import CatalogEntry
from ledger_writer.store.catalog import patterns_of, searchable_of


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


@pytest.mark.parametrize("name", ["Widget™", "Ａｄａ Ｆｅｎｎ", "Cafe\u0301 №5", "Straße ½"])
def test_whoever_writes_a_name_as_it_stands_in_the_ledger_finds_it(name: str) -> None:
    entry = CatalogEntry(
        tenant_id="ten_1", company_id="com_1", revision=1, list_name="items", ledger_id="1", name=name, full_name=name
    )
    assert [word for word in patterns_of(name) if word.strip("%") not in searchable_of(entry)] == []
