"""What planning is given and what it gives back: values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from common.messages.base import Reason
from common.messages.documents import DocumentState
from common.messages.transactions import Document, DocumentKind
from ledger_writer.ledgers.protocol import LedgerLink, Operation
from ledger_writer.planning.content import Wanted
from ledger_writer.planning.states import Event


class Effect(StrEnum):
    """What a written document amounts to in the ledger."""

    PRESENT = "present"
    VOID = "void"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written last for a document, and where it is."""

    content_hash: str
    effect: Effect
    link: LedgerLink
    document: Document | None = None
    """None for customers and items: of those nobody has to know what was written before."""
    applications: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Desired:
    """A document, customer or item that is due, with everything stored about it."""

    key: str
    kind: DocumentKind
    wanted: Wanted
    content_hash: str
    state: DocumentState
    written: Written | None = None
    removed: bool = False
    """No longer part of its transaction set: should have no effect."""
    hold_edits: bool = False
    """`after_posting` is `hold`."""
    override: bool = False
    """A person asked for it to be sent although an edit was held."""
    generation: int = 0
    undoing: bool = False
    """A request of ours to take it back got no answer, and may have worked."""
    unanswered: bool = False
    """A request of ours got no answer. It may have changed what was written last, or do so yet."""
    sent: tuple[Document, ...] = ()
    """What such requests said, where they were updates: any of them may be what the ledger has."""
    former: LedgerLink | None = None
    set_key: str = ""
    """The transaction set it belongs to; empty for customers and items."""


@dataclass(frozen=True, slots=True)
class Known:
    """What planning needs of a document that another one refers to."""

    key: str
    kind: DocumentKind
    state: DocumentState
    label: str
    """How a person knows it: number or name."""
    link: LedgerLink | None = None
    """Where it is; None while it is not there or void."""
    reason: Reason | None = None
    open_balance: Decimal | None = None
    """What is left to apply money to; None where that makes no sense."""
    horizon: date | None = None
    """Of a customer: documents before it are out of scope."""

    @property
    def is_gone(self) -> bool:
        """It is not in the ledger, and will not be."""
        return self.link is None and self.state in {DocumentState.SKIPPED, DocumentState.VOIDED}


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for the whole company file."""

    edits_posted: bool
    approved: bool
    closed_through: date | None
    ledger_closed_through: date | None = None
    """Day through which the ledger itself has closed its books; known only while nothing may be written."""
    links_ahead: bool = False
    attaches: bool = False
    """The ledger takes files: a summary has its list of orders attached."""
    refreshes_contact: bool = False
    """The ledger's customers can be given the contact of a later order."""
    deposited: frozenset[str] = frozenset()
    changed_in_ledger: frozenset[str] = frozenset()
    missing_in_ledger: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Write:
    """Carry this out. `lookup` asks for a look-up first: it may be there already."""

    operation: Operation
    lookup: bool
    notices: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing to send: the document moves to another state, with the reason a person reads."""

    key: str
    event: Event
    reason: Reason | None = None
    blocked_by: str | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing yet: the document stays due until `after`, which this plan writes, is in the ledger."""

    key: str
    after: str


Step = Write | Settle | Later


@dataclass(slots=True)
class Ground:
    """What is known while a plan grows: documents planned earlier count as there for later ones."""

    known: dict[str, Known]
    terms: Terms
    planned: dict[str, LedgerLink] = field(default_factory=dict)
    """Documents of this plan that will be there when a later one of the same batch is written."""
    applied: dict[str, Decimal] = field(default_factory=dict)
    """Money that this plan applies to a document, beyond what is applied already."""
    changing: dict[str, str] = field(default_factory=dict)
    """Document → the one whose write changes what is open of it: its own edit, or money that is taken off it."""
    freed: dict[str, str] = field(default_factory=dict)
    """Of those, the documents that this plan takes money off → the one that is applied to them less."""
    writing: set[str] = field(default_factory=set)
    """What this plan writes."""
    leaving: Mapping[str, Known] = field(default_factory=dict)
    """Set → a document that is no longer part of it and whose postings still stand in the ledger."""

    @classmethod
    def of(cls, known: Mapping[str, Known], terms: Terms, leaving: Mapping[str, Known]) -> "Ground":
        return cls(dict(known), terms, leaving=leaving)
