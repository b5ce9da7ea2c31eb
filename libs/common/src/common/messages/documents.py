"""Contracts that ledger-writer publishes: where each document stands, and what the ledgers hold."""

import datetime as dt
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, Field

from common.messages.base import Amount, Frozen, Identifier, Reason, ShortText, State
from common.messages.transactions import DocumentKind


class DocumentState(StrEnum):
    """Exactly one at any time; each belongs to exactly one column of the overview (section 28)."""

    NOT_TRIED = "not_tried"
    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    SYNCED = "synced"
    RETRY_WAIT = "retry_wait"
    ACTION_REQUIRED = "action_required"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    VOIDED = "voided"
    DISMISSED = "dismissed"


class DocumentChanged(State):
    """Where one document of one company file stands. Also sent for customers and items, which documents share."""

    type: ClassVar[str] = "documents.changed.v1"
    packed_max: ClassVar[int] = 200
    read_model_only: ClassVar[bool] = True

    document_key: Identifier
    company_id: Identifier
    connection_id: ShortText
    """Empty for customers and items."""
    source_kind: ShortText
    """order, payout or summary; empty for customers and items."""
    source_id: ShortText
    source_number: ShortText
    source_revision: int
    """Revision of the order this document was mapped from: an item of a run is finished when it is reached."""
    kind: DocumentKind
    state: DocumentState
    reason: Reason | None = None
    notices: tuple[Reason, ...] = ()
    blocked_by: Identifier | None = None
    number: ShortText
    name: ShortText = ""
    """Display name of a customer or item."""
    date: dt.date | None
    amount: Amount | None
    currency: ShortText
    standing: Amount | None = None
    """What stands in the ledger while something else is wanted or kept back: the total it was written with. None where
    nothing does, and where `amount` says it (`synced`)."""
    ledger_id: ShortText = ""
    ledger_url: ShortText = ""
    attempts: int = 0
    first_seen_at: AwareDatetime
    last_attempt_at: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None

    @property
    def key(self) -> str:
        return self.document_key


class CompanyStatus(StrEnum):
    CONNECTED = "connected"
    NEEDS_RECONNECT = "needs_reconnect"
    READ_ONLY = "read_only"
    """The ledger refuses every write (subscription lapsed, company locked)."""
    DISCONNECTED = "disconnected"


class CompanyChanged(State):
    """A paired company file: what it can do and whether it answers. Tokens never leave ledger-writer."""

    type: ClassVar[str] = "company.changed.v1"

    company_id: Identifier
    ledger: Identifier
    """beancount, quickbooks_online, …"""
    name: ShortText
    external_id: ShortText
    status: CompanyStatus
    reason: Reason | None = None
    home_currency: ShortText
    country: ShortText = ""
    multi_currency: bool = False
    custom_numbers: bool = True
    """The ledger takes document numbers that we send."""
    closed_through: dt.date | None = None
    capabilities: tuple[Identifier, ...] = ()
    lane_paused: bool = False

    @property
    def key(self) -> str:
        return self.company_id

    @property
    def assigns_numbers(self) -> bool:
        """Whether a document without a number gets one: QuickBooks gives none while its users number by hand."""
        if self.ledger == "quickbooks_online":
            return not self.custom_numbers
        return not self.capabilities or "next_number" in self.capabilities


class CatalogEntry(State):
    """One object of a reference list in the ledger: account, item, customer, tax code, term, method, class, …"""

    type: ClassVar[str] = "catalog.changed.v1"
    packed_max: ClassVar[int] = 100

    company_id: Identifier
    list_name: Identifier
    """accounts, items, customers, vendors, tax_codes, payment_methods, terms, classes, departments."""
    ledger_id: Identifier
    name: ShortText
    full_name: ShortText
    active: bool = True
    object_type: ShortText = ""
    """Account type, item type and so on, as the ledger says it."""
    sku: ShortText = ""
    email: ShortText = ""
    company_name: ShortText = ""
    currency: ShortText = ""
    details: dict[str, ShortText] = Field(default_factory=dict)
    """Further matchable facts: barcode, part number, purchase cost, preferred vendor, balance, …"""

    @property
    def key(self) -> str:
        return f"{self.company_id}/{self.list_name}/{self.ledger_id}"


class Attempt(Frozen):
    """One try at writing a document, as internal HTTP shows it on the timeline."""

    at: AwareDatetime
    operation: Identifier
    outcome: Identifier
    reason: Reason | None = None
    ledger_id: ShortText = ""
    duration_ms: int = 0
