"""Internal HTTP of ledger-writer: company files, their lists and lanes, and what was written for one order.

GET    /internal/ledgers                                              → LedgerList
POST   /internal/companies                        PairRequest         → CompanyView (201, again 200)
GET    /internal/companies/{company_id} ?tenant_id                    → CompanyView
POST   /internal/companies/{company_id}/oauth     OAuthStart          → OAuthStarted
POST   /internal/oauth/callback                   OAuthCallback       → CompanyView (found by its state)
POST   /internal/companies/{company_id}/disconnect Disconnect         → CompanyView
POST   /internal/companies/{company_id}/links/forget TenantRequest    → LinksForgotten (each is looked for again)
DELETE /internal/companies/{company_id} ?tenant_id                    → 204 (links and documents go too)
POST   /internal/companies/{company_id}/lane/pause  TenantRequest     → CompanyView
POST   /internal/companies/{company_id}/lane/resume TenantRequest     → CompanyView
GET    /internal/companies/{company_id}/lists/{list_name} ?tenant_id&search&cursor&limit → CatalogPage
POST   /internal/companies/{company_id}/lists/refresh TenantRequest   → CompanyView (202; entries come when read)
POST   /internal/companies/{company_id}/accounts  AccountsQuestion    → AccountsAnswer (what it opens on first use)
POST   /internal/companies/{company_id}/check     TenantRequest       → CompanyView (202; differences show on documents)
GET    /internal/companies/{company_id}/customers ?tenant_id&search   → CatalogPage (asks the ledger's mirror)
GET    /internal/companies/{company_id}/trial-balance ?tenant_id&as_of → TrialBalance
GET    /internal/companies/{company_id}/usage ?tenant_id&first&last   → UsageCounts
GET    /internal/documents ?tenant_id&connection_id&source_kind&source_id → DocumentList
GET    /internal/documents/{document_key} ?tenant_id                  → DocumentView
POST   /internal/attempts                         AttemptsQuestion    → AttemptsAnswer
PUT    /internal/documents/{document_key}/link    LinkRequest         → DocumentView
DELETE /internal/documents/{document_key}/link ?tenant_id             → DocumentView
"""

from datetime import date

from pydantic import AwareDatetime, Field

from common.internal.base import CredentialField, Secrets, Shape, TenantRequest
from common.messages.base import Amount, Identifier, Reason, ShortText
from common.messages.documents import Attempt, CatalogEntry, CompanyStatus, DocumentState
from common.messages.transactions import DocumentKind


class LedgerDescription(Shape):
    """A ledger that company files can be paired with."""

    name: Identifier
    title: str
    capabilities: tuple[Identifier, ...]
    default_accounts: dict[str, str]
    """Account role → account name proposed for a new company file."""
    credentials: tuple[CredentialField, ...] = ()
    uses_oauth: bool = False


class LedgerList(Shape):
    ledgers: tuple[LedgerDescription, ...]


class PairRequest(TenantRequest):
    """Pair a company file. With a ledger that uses OAuth it stays `disconnected` until the callback came."""

    company_id: Identifier
    ledger: Identifier
    name: ShortText
    home_currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    """For ledgers that can't say it themselves."""
    settings: dict[Identifier, ShortText] = Field(default_factory=dict, max_length=30)
    secrets: Secrets = Field(default_factory=dict)


class CompanyView(Shape):
    """A company file without its tokens."""

    company_id: Identifier
    ledger: Identifier
    name: str
    external_id: str
    status: CompanyStatus
    reason: Reason | None = None
    home_currency: str
    country: str = ""
    capabilities: tuple[Identifier, ...]
    default_accounts: dict[str, str] = Field(default_factory=dict)
    closed_through: date | None = None
    lane_paused: bool = False
    lane_holder: str = ""
    """Replica that writes to this company file now; empty where nobody does."""
    lists_read_at: AwareDatetime | None = None
    waiting: int = 0
    """Documents that are due."""
    details: dict[str, str] = Field(default_factory=dict)
    """Facts of the adapter worth showing, e.g. `path` of a Beancount journal."""
    can_notify: bool = False
    """Whether people can be told by mail that a sign-in has ended."""


class OAuthStart(TenantRequest):
    redirect_url: str = Field(min_length=1, max_length=2000)
    """Address of the gateway's callback, as registered with the vendor."""


class OAuthStarted(Shape):
    authorization_url: str
    state: str


class OAuthCallback(Shape):
    """What the vendor appended to the redirect address."""

    state: str = Field(min_length=1, max_length=500)
    code: str = Field(default="", max_length=4000)
    realm_id: str = Field(default="", max_length=128)
    error: str = Field(default="", max_length=500)
    redirect_url: str = Field(min_length=1, max_length=2000)


class Disconnect(TenantRequest):
    """Links are kept unless `forget_links`, so that connecting the same company again makes no duplicates."""

    forget_links: bool = False


class LinksForgotten(Shape):
    documents: int
    """Documents, customers and items that are looked for again."""
    kept: int = 0
    """Those in the ledger that keep their link."""


class CatalogPage(Shape):
    items: tuple[CatalogEntry, ...]
    next_cursor: str | None = None


class AccountsQuestion(TenantRequest):
    """Names that are not in the ledger's list of accounts."""

    names: tuple[ShortText, ...] = Field(max_length=500)


class AccountsAnswer(Shape):
    """Which accounts the ledger opens by itself when they are first used."""

    types: dict[str, str]
    """Name → type of the account; names that it would not open are left out."""
    cures: dict[str, str]
    """Name → what would make it the name of an account; empty for ledgers that open none."""


class TrialBalanceRow(Shape):
    account: str
    account_type: str = ""
    currency: str
    debit: Amount
    credit: Amount


class TrialBalance(Shape):
    """Balances that the ledger itself reports, not what we think we wrote."""

    company_id: Identifier
    as_of: date | None
    rows: tuple[TrialBalanceRow, ...]


class UsageCount(Shape):
    month: date
    """Its first day."""
    kind: DocumentKind
    documents: int


class UsageCounts(Shape):
    """Documents that were written, not found; each in the month in which it was first written."""

    counts: tuple[UsageCount, ...]


class WrittenLink(Shape):
    ledger_id: str
    number: str = ""
    url: str = ""
    linked_by: str = ""
    """created, matched or person."""
    at: AwareDatetime


class DocumentView(Shape):
    """One document, customer or item with every attempt at writing it, oldest first."""

    document_key: Identifier
    company_id: Identifier
    connection_id: str
    source_kind: str
    source_id: str
    source_number: str
    source_revision: int
    kind: DocumentKind
    state: DocumentState
    reason: Reason | None = None
    error_class: str = ""
    """What kind of refusal it was, which says whether it is tried again by itself (`transient`), waits for a person
    (`data`, `config`, `permission`, `period`, `limit`) and so on; empty where the ledger refused nothing."""
    raw_reason: str = ""
    """What the ledger said, without secrets."""
    notices: tuple[Reason, ...] = ()
    blocked_by: tuple[Identifier, ...] = ()
    number: str
    name: str = ""
    date: date | None
    amount: Amount | None
    currency: str
    link: WrittenLink | None = None
    attempts: tuple[Attempt, ...] = ()
    next_attempt_at: AwareDatetime | None = None


class DocumentList(Shape):
    """Documents of one source entity in every company file, in dependency order, with what they need."""

    documents: tuple[DocumentView, ...]


class AttemptsQuestion(TenantRequest):
    """What was tried for these documents, customers and items."""

    document_keys: tuple[Identifier, ...] = Field(max_length=500)


class AttemptsAnswer(Shape):
    """Document key → its attempts, oldest first; keys of other tenants are left out."""

    attempts: dict[str, tuple[Attempt, ...]]
    said: dict[str, str] = Field(default_factory=dict)
    """Document key → what the ledger itself said to the last attempt, where it did not take it; without secrets."""


class LinkTarget(Shape):
    """An object of the ledger that a document, customer or item can be linked to."""

    ledger_id: str
    name: str = ""
    currency: str = ""
    """Of a customer, where the ledger keeps each in one currency."""


class LinkRequest(TenantRequest):
    """Tie a document to what a person found in the ledger. Refused (409) where that object is linked already."""

    ledger_id: Identifier
