"""Which orders a document is a summary of: all of them in its note, or beside it where they do not fit (section 15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

NOTE_MAX: Final = 3_900
"""Characters of order numbers that fit a note."""
ORDERS_MAX: Final = 50_000
CHARACTERS_MAX: Final = 1_000_000
"""Of all numbers together: a message has to hold them."""


@dataclass(frozen=True, slots=True)
class Listing:
    note: str
    orders: tuple[str, ...] = ()
    """Empty where the note says it all."""
    left_out: int = 0
    """Of all orders, those that `orders` has no room for either."""


def listing_of(numbers: Sequence[str]) -> Listing:
    """What the document says of its orders. A note that can't name them all ends after a whole number, and says so."""
    listed = ", ".join(numbers)
    if len(listed) <= NOTE_MAX and listed.split(", ") == list(numbers):
        return Listing(listed)
    shown = sum(end <= NOTE_MAX for end in accumulate(len(number) + 2 for number in numbers))
    left = len(numbers) - shown
    note = ", ".join(numbers[:shown])
    fitting = sum(end <= CHARACTERS_MAX for end in accumulate(map(len, numbers)))
    orders = tuple(numbers[: min(fitting, ORDERS_MAX)])
    return Listing(f"{note} … and {left} more" if left else note, orders, len(numbers) - len(orders))
