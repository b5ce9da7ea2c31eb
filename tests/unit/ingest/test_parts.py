"""Merging parts: newer wins, ties are decided by content, arrival order decides nothing."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import NormalizationError
from ingest.parts import Part, PartKind, Parts, Source, merge, newer

T0 = datetime(2026, 5, 1, tzinfo=UTC)


def part(
    raw: bytes = b"{}", minutes: int = 0, rank: int = 0, source: Source = Source.WEBHOOK, part_id: str = ""
) -> Part:
    return Part(PartKind.ORDER, "1", raw, T0 + timedelta(minutes=minutes), part_id, rank, source)


@pytest.mark.parametrize(
    ("stored", "arrived", "wins"),
    [
        (part(b"a"), part(b"b", minutes=1), True),
        (part(b"a", minutes=1), part(b"b"), False),
        # a settled transaction replaces the pending one of the same moment, and not the reverse
        (part(b"a"), part(b"b", rank=1), True),
        (part(b"a", rank=1), part(b"b"), False),
        # what was fetched is the answer to a later question
        (part(b"b"), part(b"a", source=Source.API), True),
        (part(b"a", source=Source.API), part(b"b"), False),
        (part(b"a", source=Source.API), part(b"b", source=Source.API), True),
        # but never to an older version
        (part(b"a", minutes=1), part(b"b", source=Source.API), False),
    ],
)
def test_which_of_two_bodies_is_newer(stored: Part, arrived: Part, wins: bool) -> None:
    assert newer(stored, arrived) is wins


def test_two_pushed_bodies_of_one_version_are_contradictory_and_end_the_same_in_any_order() -> None:
    bodies = [part(b"first"), part(b"second"), part(b"third")]
    ends = set()
    for order in permutations(bodies):
        held: tuple[Part, ...] = ()
        contradictory = False
        for body in order:
            merged = merge(held, [body])
            held, contradictory = merged.parts, contradictory or merged.contradictory
        assert contradictory
        ends.add(held[0].raw)
    assert len(ends) == 1


def test_the_same_body_again_changes_nothing() -> None:
    merged = merge([part(b"a")], [part(b"a")])
    assert merged.changed == ()
    assert not merged.contradictory


def test_the_same_words_confirmed_by_a_fetch_are_kept_as_fetched() -> None:
    merged = merge([part(b"a")], [part(b"a", source=Source.API)])
    assert [item.source for item in merged.changed] == [Source.API]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 1)), min_size=1, max_size=8
    )
)
def test_pushed_parts_merge_to_the_same_result_in_any_order(rows: list[tuple[int, bytes, int]]) -> None:
    parts = [part(raw, minutes, rank) for minutes, raw, rank in rows]
    forwards = merge((), parts).parts
    backwards = merge((), list(reversed(parts))).parts
    one_by_one: tuple[Part, ...] = ()
    for item in parts:
        one_by_one = merge(one_by_one, [item]).parts
    assert {p.raw for p in forwards} == {p.raw for p in backwards} == {p.raw for p in one_by_one}


def test_parts_are_sorted_into_their_places() -> None:
    parts = Parts.of(
        "1",
        [
            part(),
            Part(PartKind.TRANSACTION, "1", b"{}", T0, "11"),
            Part(PartKind.TRANSACTION, "1", b"{}", T0, "10"),
            Part(PartKind.REFUNDS, "1", b"[]", T0),
        ],
    )
    assert parts.order is not None
    assert [item.part_id for item in parts.transactions] == ["10", "11"]
    assert parts.refund_list is not None
    assert parts.transaction_list is None


def test_a_body_that_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(NormalizationError, match="JSON"):
        _ = part(b"<html>").body
