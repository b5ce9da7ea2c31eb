"""What a ledger adapter is: the one interface between a lane and the system that keeps the books.

A lane plans (purely), commits the intents, then hands the adapter a batch of operations; the adapter packs them into
the vendor's calls within the vendor's limits and answers with one outcome per operation. Outcomes are values: an
adapter raises only for its own bugs. Adapters hold no state about documents: links and generations belong to the lane.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from common.errors import Rejected
from common.internal.base import CredentialField
from common.messages.base import Reason
from common.messages.control import CompanySettings
from common.messages.documents import CatalogEntry
from common.messages.transactions import CustomerWanted, Document, DocumentKind, ItemWanted
from ledger_writer.ledgers.changes import ReadNotices

CURRENCY = "currency"
"""Detail of a link that `LookAt` gives: the one currency of a customer, where the ledger has such."""


class Capability(StrEnum):
    """What a ledger can do (domain reference, section 32). Settings are validated against it when they are saved."""

    INVOICE = "invoice"
    SALES_RECEIPT = "sales_receipt"
    SALES_ORDER = "sales_order"
    ESTIMATE = "estimate"
    CREDIT_MEMO = "credit_memo"
    REFUND_RECEIPT = "refund_receipt"
    REFUND_PAYMENT = "refund_payment"
    DEPOSIT = "deposit"
    JOURNAL_ENTRY = "journal_entry"
    BILL = "bill"
    EXPENSE = "expense"
    PURCHASE_ORDER = "purchase_order"
    MULTI_CURRENCY = "multi_currency"
    NEXT_NUMBER = "next_number"
    LINE_TAX_CODES = "line_tax_codes"
    CREATES_ITEMS = "creates_items"
    ITEMS_ARE_NAMES = "items_are_names"
    """Keeps no list of items: an item is the name that documents call it by."""
    DEPOSIT_TO_LIABILITY = "deposit_to_liability"
    """Takes a liability as the account money is paid into, so that a gift card can be a payment of its own."""
    DEPOSITS_ACROSS_CURRENCIES = "deposits_across_currencies"
    """One deposit may group documents of several currencies, each at what it stands at in the books."""
    EDITS_POSTED = "edits_posted"
    """Can change a written document in place; else a change is a void and a new document."""
    REFRESHES_CONTACT = "refreshes_contact"
    """Keeps phone, email and addresses of customers, and can change them."""


class OperationKind(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    VOID = "void"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class LedgerLink:
    """Where a document, customer or item lives in the ledger."""

    ledger_id: str
    token: str = ""
    """Edit token (SyncToken, edit sequence); empty where the ledger has none."""
    number: str = ""
    total: Decimal | None = None
    name: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """What the adapter wants back at the next write of this document (line ids, …)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to bring about in the ledger, with everything resolved that it refers to."""

    document_key: str
    kind: DocumentKind
    operation: OperationKind
    wanted: Document | CustomerWanted | ItemWanted
    idempotency_key: str
    """hash(document key, operation, generation): a repeat of the same attempt returns the first result."""
    link: LedgerLink | None = None
    """The written document; None for a create."""
    references: Mapping[str, LedgerLink] = field(default_factory=dict)
    """Document, customer and item keys this one refers to → where they live."""
    applications: tuple[tuple[str, Decimal], ...] = ()
    """(document key, amount) after capping to the open balance; keys are in `references`."""
    previous: Document | None = None
    """What was written last, for ledgers that change a document by reversing it."""
    sent: tuple[Document, ...] = ()
    """What updates without an answer said: the ledger may have any of that instead of `previous`."""
    previous_applications: tuple[tuple[str, Decimal], ...] = ()
    """Applications as they were written last; their keys are in `references`."""
    generation: int = 0
    """Rises with every definitive answer; part of the idempotency key."""
    former: LedgerLink | None = None
    """Where the document was before it was unlinked or found missing: a look-up for a create starts there."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Keys of the documents that its money is or was to be applied to, each once."""
        wanted = self.wanted.applications if isinstance(self.wanted, Document) else ()
        keys = (*(one.document_key for one in wanted), *(key for key, _ in self.previous_applications))
        return tuple(dict.fromkeys(keys))


class ErrorClass(StrEnum):
    """What to do about a refusal (domain reference, section 24)."""

    TRANSIENT = "transient"
    TOKEN = "token"  # noqa: S105 - a class of refusals
    CONFLICT = "conflict"
    DEPENDENCY = "dependency"
    LOOKUP = "lookup"
    DATA = "data"
    CONFIG = "config"
    PERMISSION = "permission"
    PERIOD = "period"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Written:
    """The ledger has it. `notices` are things a person should look at (TAX_DIFFERS, NAME_TRUNCATED, …)."""

    link: LedgerLink
    action: str = "created"
    notices: tuple[Reason, ...] = ()
    applied: tuple[tuple[str, Decimal], ...] | None = None
    """What was really applied, where that is less than the operation's applications; None: all of them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The ledger said no, definitively."""

    error_class: ErrorClass
    reason: Reason
    raw: str = ""
    """What the ledger said, at most 2,000 characters, without secrets."""
    retry_after_s: float | None = None
    stops_company: bool = False
    """No write to this company can succeed until somebody acts (subscription lapsed, reconnect needed)."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The request left and no answer came: only a look-up can tell."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request never left (limit reached, lease too short, breaker open): nobody's attempt."""

    detail: str
    retry_after_s: float = 1.0


Outcome = Written | Refused | Unanswered | NotSent


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that a look-up found. The caller decides whether it is ours (section 23.3)."""

    link: LedgerLink
    mark: str | None
    """The eight characters of `[tb:…]` in the memo, or None."""
    memo_number: str = ""
    reference: str = ""
    """Of a payment, in full as far as the ledger has it."""
    customer: str = ""
    """Ledger id of its customer."""
    on: date | None = None
    active: bool = True
    kind_in_ledger: str = ""
    """For names: customer, vendor or employee."""
    currency: str = ""
    """Of a customer or vendor, where the ledger keeps each in one."""
    applied: tuple[tuple[str, Decimal], ...] | None = None
    """Ledger ids of the documents that its money is applied to, with amounts, as far as it says so itself; None where
    a document never stands without its applications."""


@dataclass(frozen=True, slots=True)
class LedgerFacts:
    """Facts about written documents that planning needs and only the ledger knows."""

    open_balance: Mapping[str, Decimal]
    deposited: frozenset[str]
    missing: frozenset[str]
    """Document keys whose ledger object is gone, or was made void by somebody."""
    changed: Mapping[str, str]
    """Document key → token in the ledger, where it differs from ours."""


class CompanyRefused(Rejected):
    """No call to this company can succeed until somebody acts (signed out, subscription lapsed).

    A plain `Rejected` from a reader concerns what was asked for: one document, not the company.
    """


@runtime_checkable
class LedgerSession(Protocol):
    """An open company file. Used by one lane holder at a time."""

    async def find(self, operations: Sequence[Operation]) -> Mapping[str, Sequence[Found]]:
        """Look for documents that may already be there, in as few calls as the ledger allows.

        Returns candidates by document key; a key without candidates is absent from the ledger, provably. Raises
        `common.errors.Retryable` when the ledger did not answer.
        """
        ...

    def write(self, operations: Sequence[Operation]) -> AsyncIterator[tuple[str, Outcome]]:
        """Carry the operations out, yielding (document key, outcome) as they become known, each exactly once."""
        ...

    async def facts(self, links: Mapping[str, LedgerLink]) -> LedgerFacts:
        """Read current balances, deposit state and existence of written documents."""
        ...

    def lists(self, names: Sequence[str]) -> AsyncIterator[Sequence[CatalogEntry]]:
        """Read reference lists in pages. The lane assigns revisions; entries come with revision 0."""
        ...


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A lane that nobody held, for as long as it takes to count one request beside it."""

    bookmark: Mapping[str, str]
    give_back: Callable[[Mapping[str, str] | None], Awaitable[bool]]
    """To be called at once, with the new bookmark or None. False: the lane was lost, so nobody knows of the request."""


Turn = Callable[[Callable[[], float]], AbstractAsyncContextManager[Borrowed | None]]
"""Waits for the right to one request beside the lane, told how many seconds the ledger asked us to rest for.

None where the lane's holder counts the request, from entering to leaving."""


@dataclass(frozen=True, slots=True)
class CompanyFile:
    """What an adapter needs to open a company file. `secrets` are decrypted, in memory only."""

    tenant_id: str
    company_id: str
    external_id: str
    home_currency: str
    country: str
    preferences: Mapping[str, str]
    secrets: Mapping[str, str]
    settings: CompanySettings | None
    safe_until: datetime | None = None
    """The lease's end less the request time-out: no request may start after it."""
    may_send: Callable[[], bool] = lambda: True
    """Asked right before each request: false once the lease could end before the answer (monotonic clock)."""
    bookmark: Mapping[str, str] = field(default_factory=dict)
    """What `abilities.KeepsBookmark.bookmark` gave last, stored together with the outcomes it belongs to."""
    turn: Turn | None = None
    """For whoever does not hold the lane."""
    data_dir: Path | None = None
    """Where ledgers that are files keep them."""
    keep_secrets: Callable[[Mapping[str, str]], Awaitable[None]] | None = None
    """Stores rotated secrets, encrypted, before the caller uses them."""
    secrets_lease: Callable[[], AbstractAsyncContextManager[Mapping[str, str]]] | None = None
    """Holds the sole right to rotate the secrets, across replicas; gives them as they are stored at that moment."""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """One account at the end of a day; a positive balance is a debit."""

    account: str
    account_type: str
    currency: str
    balance: Decimal


@dataclass(frozen=True, slots=True)
class PairingRequest:
    """What a person gave to pair a company file without OAuth."""

    tenant_id: str
    company_id: str
    name: str
    home_currency: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    data_dir: Path
    is_known: bool = False
    """It was paired before and its links are kept: what is found there is ours."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A company file that answered. Safe to produce twice for the same request."""

    external_id: str
    name: str
    home_currency: str
    country: str = ""
    preferences: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    multi_currency: bool = False
    custom_numbers: bool = True
    details: Mapping[str, str] = field(default_factory=dict)
    """Facts worth showing, e.g. the path of a journal."""


class PairCompany(Protocol):
    async def __call__(self, request: PairingRequest) -> Paired:
        """Open or make the company file. Raises `common.errors.Rejected` or `Retryable`."""
        ...


class OAuthFlow(Protocol):
    """Pairing by signing in at the ledger (OAuth 2 authorization code with state and PKCE)."""

    async def authorization_url(self, *, state: str, redirect_url: str, verifier: str) -> str:
        """Where to send the user. Asks the ledger's discovery document. Raises `common.errors.Retryable`."""
        ...

    async def finish(self, *, code: str, realm_id: str, redirect_url: str, verifier: str) -> Paired:
        """Exchange the code and read the company. Raises `common.errors.Rejected` or `Retryable`."""
        ...

    async def revoke(self, secrets: Mapping[str, str]) -> None:
        """Tell the ledger that the tokens are no longer used. Raises `common.errors.Retryable`."""
        ...


@dataclass(frozen=True, slots=True)
class Ledger:
    """One adapter, as listed in `ledgers/__init__.py`."""

    name: str
    title: str
    capabilities: frozenset[Capability]
    default_accounts: Mapping[str, str]
    """Account role → account name proposed when a company file is paired."""
    open: "OpenCompany"
    batch_size: int = 100
    """Operations a lane hands over at once."""
    request_timeout_s: float = 120.0
    links_ahead: bool = False
    """Ledger ids are known before writing (they are the document keys), so one batch may hold a document and those
    that refer to it."""
    list_names: tuple[str, ...] = ()
    """Reference lists that `lists` can read."""
    account_type: Callable[[str], str] | None = None
    """For ledgers that open an account when it is first used: the type that one of this name has. Raises
    `common.errors.Rejected` for a name that can't be an account's."""
    credentials: tuple[CredentialField, ...] = ()
    look_at: "LookAt | None" = None
    """For ledgers whose objects have ids that a person can name."""
    customer_balances: Callable[[CompanyFile, Sequence[str]], Awaitable[Mapping[str, Decimal]]] | None = None
    """Customer id → what it owes, in its currency. Raises `common.errors.Rejected` or `Retryable`."""
    report: "ReportTrialBalance | None" = None
    """For ledgers whose balances can be read beside an open session; else the session's own ability is asked."""
    pair: PairCompany | None = None
    oauth: OAuthFlow | None = None
    follows_changes: bool = False
    """Its sessions are `FollowsChanges`."""
    read_notices: ReadNotices | None = None
    """For ledgers that send webhooks."""


class LookAt(Protocol):
    async def __call__(self, company: CompanyFile, kind: DocumentKind, ledger_id: str) -> LedgerLink | None:
        """What the ledger has of this kind under this id, to be linked by hand; None where there is nothing.

        Raises `common.errors.Rejected` or `Retryable`.
        """
        ...


class OpenCompany(Protocol):
    def __call__(self, company: CompanyFile) -> AbstractAsyncContextManager[LedgerSession]: ...


class ReportTrialBalance(Protocol):
    async def __call__(self, company: CompanyFile, as_of: date | None) -> Sequence[AccountBalance]:
        """Balances at the end of `as_of` (None: of everything). Raises `common.errors.Retryable`."""
        ...
