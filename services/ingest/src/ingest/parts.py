"""Raw parts of one order: what the channel said, piece by piece, and which piece is newer.

An order reaches us in parts and in any order: the order itself, its transactions, its refunds, the difference an edit
made. Each part is kept as it came; the order is always worked out from all of them again. Merging is pure: the same
deliveries in any sequence leave the same parts.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson

from ingest.errors import NormalizationError

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class PartKind(StrEnum):
    ORDER = "order"
    TRANSACTION = "transaction"
    TRANSACTIONS = "transactions"
    """The complete list, as fetched together with the order."""
    REFUND = "refund"
    REFUNDS = "refunds"
    """The complete list, as fetched together with the order."""
    EDIT = "edit"
    DELETION = "deletion"
    DELIVERY = "delivery"
    """A delivery that a fault of ours kept from being opened, and later the orders it turned out to be of."""
    DERIVED_TENDER = "derived_tender"
    """Tenders concluded from totals, as published before. Never stored: made from the published order when needed."""


class Source(StrEnum):
    WEBHOOK = "webhook"
    API = "api"
    OWN = "own"


@dataclass(frozen=True)
class Part:
    """One piece of an order. `version` is the channel's own time of last change, never ours.

    `rank` orders pieces of one version (a settled transaction beats a pending one).
    """

    kind: PartKind
    order_id: str
    raw: bytes
    version: datetime
    part_id: str = ""
    rank: int = 0
    source: Source = Source.WEBHOOK
    parsed: Any = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.order_id, self.kind.value, self.part_id)

    @cached_property
    def digest(self) -> bytes:
        return hashlib.sha256(self.raw).digest()

    @cached_property
    def body(self) -> Any:
        """The JSON value. Raises `NormalizationError` if the bytes are not JSON."""
        if self.parsed is not None:
            return self.parsed
        try:
            return orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise NormalizationError("body", "not JSON", "send the channel's own JSON body unchanged") from error


@dataclass(frozen=True, slots=True)
class Parts:
    """All stored parts of one order, each at its newest version."""

    order_id: str
    order: Part | None = None
    deletion: Part | None = None
    transaction_list: Part | None = None
    refund_list: Part | None = None
    derived_tender: Part | None = None
    transactions: tuple[Part, ...] = ()
    refunds: tuple[Part, ...] = ()
    edits: tuple[Part, ...] = ()

    @classmethod
    def of(cls, order_id: str, parts: Iterable[Part]) -> "Parts":
        """Sort parts into their places. Of two parts with one key the caller must have kept the newer."""
        ordered = sorted(parts, key=lambda part: part.key)
        single = {part.kind: part for part in ordered}

        def all_of(kind: PartKind) -> tuple[Part, ...]:
            return tuple(part for part in ordered if part.kind is kind)

        return cls(
            order_id=order_id,
            order=single.get(PartKind.ORDER),
            deletion=single.get(PartKind.DELETION),
            transaction_list=single.get(PartKind.TRANSACTIONS),
            refund_list=single.get(PartKind.REFUNDS),
            derived_tender=single.get(PartKind.DERIVED_TENDER),
            transactions=all_of(PartKind.TRANSACTION),
            refunds=all_of(PartKind.REFUND),
            edits=all_of(PartKind.EDIT),
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """Result of putting arriving parts beside the stored ones."""

    parts: tuple[Part, ...]
    """Everything to normalise from."""
    changed: tuple[Part, ...]
    """What must be written."""
    contradictory: bool
    """Two webhooks claim the same version with different content: only a fetch can tell which is right."""


def newer(stored: Part, arrived: Part) -> bool:
    """Whether `arrived` replaces `stored`.

    The channel's version decides. On a tie a settled state beats a pending one, and what we fetched beats what was
    pushed, because it is the answer to a question asked later. Between two pushed bodies the digest decides, so that
    the order of arrival never does.
    """
    if (arrived.version, arrived.rank) != (stored.version, stored.rank):
        return (arrived.version, arrived.rank) > (stored.version, stored.rank)
    if arrived.source is not stored.source:
        return arrived.source is Source.API
    if arrived.source is Source.API:
        return True
    return arrived.digest > stored.digest


def merge(stored: Iterable[Part], arrived: Iterable[Part]) -> Merged:
    """Put arriving parts beside the stored ones; older ones change nothing."""
    held = {part.key: part for part in stored}
    changed: dict[tuple[str, str, str], Part] = {}
    contradictory = False
    for part in arrived:
        known = held.get(part.key)
        if known is not None and known.digest == part.digest:
            confirmed = _confirmed(known, part)
            if confirmed is not known:
                held[part.key] = changed[part.key] = confirmed
            continue
        if known is not None and _tie(known, part):
            contradictory = True
        if known is None or newer(known, part):
            held[part.key] = changed[part.key] = part
    return Merged(tuple(held.values()), tuple(changed.values()), contradictory)


def _confirmed(known: Part, part: Part) -> Part:
    """The same words again. A later version, or a fetch, is worth keeping: completeness compares versions."""
    version, rank = max((known.version, known.rank), (part.version, part.rank))
    source = Source.API if Source.API in {known.source, part.source} else known.source
    if (version, rank, source) == (known.version, known.rank, known.source):
        return known
    return replace(part, version=version, rank=rank, source=source)


def _tie(known: Part, part: Part) -> bool:
    same = (known.version, known.rank) == (part.version, part.rank)
    return same and known.source is Source.WEBHOOK and part.source is Source.WEBHOOK
