"""What a processor or marketplace says about one payout, piece by piece, kept as it came. Pure values."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from ingest.errors import NormalizationError

HEAD = "payout"
ROWS = "rows"
CHARGE = "charge"
FILE = "file"


@dataclass(frozen=True, slots=True)
class PayoutPart:
    """One stored piece: the payout itself, a page of what is in it, a charge it speaks of, or an uploaded file."""

    kind: str
    part_id: str
    raw: bytes

    @property
    def key(self) -> tuple[str, str]:
        return (self.kind, self.part_id)


@dataclass(frozen=True, slots=True)
class PayoutHead:
    """A payout as a list shows it. `is_paid`: nothing more is expected to change about it."""

    payout_id: str
    raw: bytes
    is_paid: bool

    @property
    def part(self) -> PayoutPart:
        return PayoutPart(HEAD, "", self.raw)


@dataclass(frozen=True, slots=True)
class PayoutParts:
    """Everything stored of one payout."""

    payout_id: str
    parts: tuple[PayoutPart, ...]

    def head(self) -> dict[str, Any]:
        """The payout's own JSON. Raises `NormalizationError` where there is none."""
        for body in self.bodies(HEAD):
            return body
        raise NormalizationError(
            HEAD, None, "fetch the payout again", code="DETAILS_MISSING", text="the payout is missing"
        )

    def bodies(self, kind: str) -> Iterator[dict[str, Any]]:
        """JSON objects of a kind, in order of their part ids. Raises `NormalizationError`."""
        for part in sorted((part for part in self.parts if part.kind == kind), key=lambda part: part.part_id):
            try:
                body = orjson.loads(part.raw)
            except orjson.JSONDecodeError as error:
                raise NormalizationError(
                    kind, "not JSON", "fetch the payout again", code="UNREADABLE_PAYOUT"
                ) from error
            if not isinstance(body, dict):
                raise NormalizationError(kind, "no object", "fetch the payout again", code="UNREADABLE_PAYOUT")
            yield body

    def rows(self, field: str) -> Iterator[dict[str, Any]]:
        """What is in the payout: the lists named `field` of all pages, one after the other."""
        for page in self.bodies(ROWS):
            listed = page.get(field)
            if not isinstance(listed, list):
                raise NormalizationError(field, listed, "fetch the payout again", code="UNREADABLE_PAYOUT")
            yield from (row for row in listed if isinstance(row, dict))

    def file(self) -> bytes:
        """The uploaded file, compressed with gzip."""
        for part in self.parts:
            if part.kind == FILE:
                return part.raw
        raise NormalizationError(
            FILE, None, "upload the file again", code="DETAILS_MISSING", text="the file is missing"
        )


def page(number: int, raw: bytes) -> PayoutPart:
    """A page of rows; the number's width keeps pages in order."""
    return PayoutPart(ROWS, f"{number:06d}", raw)
