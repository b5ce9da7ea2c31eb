"""What a lane is told that a stored body says."""

from typing import Any

from common.messages.transactions import Document
from ledger_writer.planning.content import encode
from ledger_writer.store.rows import _JUST_READ_MAX, keep_read, parse_wanted


def test_what_was_just_read_is_not_read_again(make: Any) -> None:
    document = make.document(note="just read")
    body, _ = encode(document)
    keep_read(body, document)
    assert parse_wanted("invoice", body) is document
    assert parse_wanted("invoice", body) is not document


def test_a_large_body_is_read_when_it_is_needed(make: Any) -> None:
    document = make.document(orders=tuple(f"order {number}" for number in range(2_000)))
    body, _ = encode(document)
    keep_read(body, document)
    assert parse_wanted("invoice", body) is not document


def test_a_body_that_nobody_just_read_says_the_same(make: Any) -> None:
    document = make.document(note="never kept")
    body, _ = encode(document)
    assert parse_wanted("invoice", body) == document
    assert parse_wanted("invoice", body) is not document


def test_how_far_a_document_is_looked_for_reaches_the_lane(make: Any) -> None:
    body, _ = encode(make.document(lookup_days=30))
    read = parse_wanted("invoice", body)
    assert isinstance(read, Document)
    assert read.lookup_days == 30


def test_only_the_last_thousand_are_remembered(make: Any) -> None:
    first = make.document(note="the first")
    body, _ = encode(first)
    keep_read(body, first)
    for number in range(_JUST_READ_MAX):
        keep_read(f'{{"number": {number}}}', first)
    assert parse_wanted("invoice", body) is not first
