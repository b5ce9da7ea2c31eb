"""How names are compared and cut: the one normal form that matching, keys and filters share (section 16.1)."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

SEPARATORS: Final = re.compile(r" ?([:,]) ?")
"""What stands between the parts of a place, with the spaces around it."""


@lru_cache(maxsize=65536)
def normal(text: str) -> str:
    """Unicode NFKC, trimmed, spaces collapsed, case ignored: equal normal forms are the same name, nothing else is."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


@lru_cache(maxsize=65536)
def tidy(text: str) -> str:
    """The same, but as it is written: for names that are shown or created."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def place_name(text: str) -> str:
    """A place without spaces around its parts: `city: Providence, RI` is `city:Providence,RI`."""
    return SEPARATORS.sub(r"\1", tidy(text))
