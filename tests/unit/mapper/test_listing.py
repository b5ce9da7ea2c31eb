"""A document's note names the orders it is a summary of, or says how many more there are."""

import pytest

from mapper.mapping.listing import CHARACTERS_MAX, NOTE_MAX, ORDERS_MAX, Listing, listing_of


def test_what_fits_the_note_is_listed_there_alone() -> None:
    assert listing_of([]) == Listing("")
    assert listing_of(["#1", "#2"]) == Listing("#1, #2")
    widest = ["x" * (NOTE_MAX - 4), "#2"]
    assert listing_of(widest) == Listing(", ".join(widest))


def test_a_note_ends_after_a_whole_number_and_says_how_many_are_left() -> None:
    first = "x" * (NOTE_MAX - 3)
    assert listing_of([first, "#2"]) == Listing(f"{first} … and 1 more", (first, "#2"))


def test_a_number_that_reads_like_two_is_told_from_them() -> None:
    assert listing_of(["A, 1", "B"]) == Listing("A, 1, B", ("A, 1", "B"))


@pytest.mark.parametrize(("number", "fitting"), [("1", ORDERS_MAX), ("x" * 500, CHARACTERS_MAX // 500)])
def test_what_a_message_can_hold_is_bounded(number: str, fitting: int) -> None:
    listing = listing_of([number] * (ORDERS_MAX + 1))
    assert listing.orders == (number,) * fitting
    assert listing.left_out == ORDERS_MAX + 1 - fitting
    shown = NOTE_MAX // (len(number) + 2)
    assert listing.note.endswith(f"{number} … and {ORDERS_MAX + 1 - shown} more")
