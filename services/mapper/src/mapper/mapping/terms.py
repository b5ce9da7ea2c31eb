"""Terms of payment by their usual names: how many days after the order they make it due (section 8.8)."""

import re
from typing import Final

from mapper.mapping.names import normal

NET: Final = re.compile(r"\bnet[ -]?(\d{1,4})\b|\bn/(\d{1,4})\b|^(\d{1,4}) days\b")
AT_ONCE: Final = re.compile(r"^due (up)?on receipt$|^cash on delivery$|^cod$")


def days_of(terms: str) -> int | None:
    """`NET 30`, `2/10 net 30`, `30 days` → 30, `Due on receipt` → 0; None for words that say no number of days."""
    said = normal(terms)
    if not said:
        return None
    if AT_ONCE.search(said):
        return 0
    found = NET.search(said)
    return None if found is None else int(next(text for text in found.groups() if text))
