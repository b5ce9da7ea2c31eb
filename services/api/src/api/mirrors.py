"""Which service mirrors what of whom, and where a mirror differs from its owner. Pure; `mirror_checks` is the shell.

A mirror is behind its owner while something is under way. So it is looked at twice, some minutes apart, and only what
stood still on both sides and differs all the same is a difference.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from common.internal.counts import EntityCounts
from common.messages.base import State
from common.messages.control import DocumentDismissed, SettingsChanged
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.fetching import OrderListed
from common.messages.orders import Order, Payout
from common.messages.transactions import TransactionSet, TransactionsListed


class Mirror(StrEnum):
    """What a service keeps of the others' entities."""

    READ_MODEL = "read_model"
    MAPPER = "mapper"
    LEDGER_WRITER = "ledger_writer"


HOLDERS: Mapping[Mirror, str] = {
    Mirror.READ_MODEL: "api",
    Mirror.MAPPER: "mapper",
    Mirror.LEDGER_WRITER: "ledger-writer",
}
OWNERS: Mapping[type[State], str] = {
    OrderListed: "ingest",
    Order: "ingest",
    Payout: "ingest",
    TransactionsListed: "mapper",
    TransactionSet: "mapper",
    DocumentChanged: "ledger-writer",
    CompanyChanged: "ledger-writer",
    CatalogEntry: "ledger-writer",
}
MIRRORED: Mapping[Mirror, tuple[type[State], ...]] = {
    Mirror.READ_MODEL: (OrderListed, TransactionsListed, DocumentChanged, CompanyChanged),
    Mirror.MAPPER: (Order, Payout, CompanyChanged, CatalogEntry),
    Mirror.LEDGER_WRITER: (TransactionSet,),
}
"""What is compared. Products are not: nobody keeps them but mapper, who hears of them again with the next sync."""
REQUESTED: Mapping[Mirror, tuple[type[State], ...]] = {
    Mirror.READ_MODEL: MIRRORED[Mirror.READ_MODEL],
    # Settings first: what comes after them is mapped by them.
    Mirror.MAPPER: (SettingsChanged, *MIRRORED[Mirror.MAPPER]),
    Mirror.LEDGER_WRITER: (SettingsChanged, DocumentDismissed, *MIRRORED[Mirror.LEDGER_WRITER]),
}
"""What is asked for to fill a mirror."""

Place = tuple[str, str, str]
"""(type of state, company id, connection id)"""


@dataclass(frozen=True, slots=True)
class Compared:
    """One type of entities of one company file and connection, at its owner and in a mirror."""

    mirror: Mirror
    entity: str
    company_id: str
    connection_id: str
    owner_rows: int
    mirror_rows: int
    owner_revisions: int
    mirror_revisions: int

    @property
    def is_same(self) -> bool:
        return (self.owner_rows, self.owner_revisions) == (self.mirror_rows, self.mirror_revisions)


@dataclass(frozen=True, slots=True)
class Found:
    """Of two looks: what differed at both and did not move between them, and how many places did move."""

    differences: tuple[Compared, ...]
    under_way: int


def compare(
    counts: Mapping[str, EntityCounts], companies: Iterable[str], connections: Iterable[str]
) -> tuple[Compared, ...]:
    """Every mirror beside its owners; `counts` by service.

    Only for company files and connections that exist: owners keep what they did for those that were deleted.
    """
    known_companies, known_connections = {"", *companies}, {"", *connections}
    held: dict[str, dict[Place, tuple[int, int]]] = {
        service: {(one.entity, one.company_id, one.connection_id): (one.rows, one.revisions) for one in found.counts}
        for service, found in counts.items()
    }
    compared = []
    for mirror, contracts in MIRRORED.items():
        for contract in contracts:
            owned, mirrored = held[OWNERS[contract]], held[HOLDERS[mirror]]
            for place in sorted({key for key in (*owned, *mirrored) if key[0] == contract.type}):
                if place[1] in known_companies and place[2] in known_connections:
                    owner, copy = owned.get(place, (0, 0)), mirrored.get(place, (0, 0))
                    compared.append(Compared(mirror, *place, owner[0], copy[0], owner[1], copy[1]))
    return tuple(compared)


def totals(compared: Iterable[Compared]) -> dict[tuple[Mirror, str], tuple[int, int]]:
    """(mirror, type) → rows at the owner and in the mirror, over all company files and connections."""
    sums = {(mirror, contract.type): (0, 0) for mirror, contracts in MIRRORED.items() for contract in contracts}
    for one in compared:
        owner, copy = sums[one.mirror, one.entity]
        sums[one.mirror, one.entity] = (owner + one.owner_rows, copy + one.mirror_rows)
    return sums


def judge(first: Iterable[Compared], second: Iterable[Compared]) -> Found:
    """What two looks some minutes apart say together. A place that moved meanwhile is under way, and not judged."""
    before = frozenset(first)
    different = [one for one in second if not one.is_same]
    staying = tuple(one for one in different if one in before)
    return Found(staying, len(different) - len(staying))
