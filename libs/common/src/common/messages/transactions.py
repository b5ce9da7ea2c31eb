"""Contracts that mapper publishes: which documents an order, payout or summary should be in the ledger.

Sign convention: line amounts are signed so that Σ `lines.amount` + Σ `taxes.amount` = `total` on every sales form;
a discount line is negative. Credit memos and refund receipts carry positive totals: the kind says the direction.
Journal entries and deposits carry postings: positive amounts are debits, negative ones credits, and sum to zero.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import AwareDatetime, Field

from common.messages.base import (
    Amount,
    CurrencyCode,
    Frozen,
    Identifier,
    LongText,
    Number,
    Reason,
    ShortText,
    State,
)
from common.messages.orders import Address

LOOKUP_DAYS: Final = 7
"""Days around a document's date in which one without a number is looked for, where settings say nothing else."""


class DocumentKind(StrEnum):
    """Rows of the overview, in dependency order."""

    CUSTOMER = "customer"
    VENDOR = "vendor"
    ITEM = "item"
    ESTIMATE = "estimate"
    SALES_ORDER = "sales_order"
    PURCHASE_ORDER = "purchase_order"
    INVOICE = "invoice"
    SALES_RECEIPT = "sales_receipt"
    BILL = "bill"
    CREDIT_MEMO = "credit_memo"
    PAYMENT = "payment"
    REFUND_RECEIPT = "refund_receipt"
    REFUND_PAYMENT = "refund_payment"
    """Money that leaves against a credit memo or an unapplied payment (card refund, cheque, purchase on A/R)."""
    EXPENSE = "expense"
    JOURNAL_ENTRY = "journal_entry"
    INVENTORY_ADJUSTMENT = "inventory_adjustment"
    DEPOSIT = "deposit"


DEPENDENCY_ORDER: tuple[DocumentKind, ...] = tuple(DocumentKind)
"""Customer before product before sales order … before deposit: the order in which a lane writes."""


class AccountRole(StrEnum):
    """What an account is for; settings say which ledger account plays each role (domain reference, section 1)."""

    RECEIVABLE = "AR"
    UNDEPOSITED_FUNDS = "UF"
    CLEARING = "CLR"
    BANK = "BANK"
    INCOME = "INC"
    SHIPPING_INCOME = "SHIP"
    DISCOUNTS = "DISC"
    RETURNS = "REFC"
    TAX = "TAX"
    GIFT_CARDS = "GIFT"
    TIPS = "TIPS"
    FEES = "FEES"
    CHARGEBACKS = "CHB"
    RESERVE = "RSV"
    SHORTFALL = "SHORT"
    CARRIED_FORWARD = "CFWD"
    ROUNDING = "RND"
    EXCHANGE = "FX"
    INVENTORY = "INV"
    COST_OF_GOODS = "COGS"
    PAYABLE = "AP"
    DEFERRED_REVENUE = "DEFREV"
    BAD_DEBT = "BADDEBT"


class LineKind(StrEnum):
    PRODUCT = "product"
    SHIPPING = "shipping"
    DISCOUNT = "discount"
    GIFT_CARD_SALE = "gift_card_sale"
    GIFT_CARD_REDEMPTION = "gift_card_redemption"
    TIP = "tip"
    SURCHARGE = "surcharge"
    FEE = "fee"
    TAX = "tax"
    """Tax written as a line (method `tax_line`), not in `taxes`."""
    REMITTED_TAX = "remitted_tax"
    ROUNDING = "rounding"
    REFUND_ADJUSTMENT = "refund_adjustment"
    POSTING = "posting"
    """One side of a journal entry, or a line of a deposit that is new money rather than a grouped document."""
    GROUPED_DOCUMENT = "grouped_document"
    """A deposit line that moves a payment, receipt or refund out of undeposited funds."""


class Account(Frozen):
    """A role and the ledger account that settings or a rule put behind it. `qualifier` tells x in CLR:x and TAX:x."""

    role: AccountRole
    name: ShortText
    qualifier: ShortText = ""


class DocumentLine(Frozen):
    kind: LineKind
    account: Account
    amount: Amount
    description: LongText = ""
    item_key: Identifier | None = None
    """Key of the entry in `TransactionSet.items`; absent for lines that post to an account directly."""
    quantity: Number | None = None
    unit_price: Number | None = None
    taxable: bool = False
    tax_code: ShortText | None = None
    tax_amount: Amount | None = None
    class_name: ShortText = ""
    site: ShortText = ""
    uom: ShortText = ""
    service_date: dt.date | None = None
    document_key: Identifier | None = None
    source_line_id: ShortText = ""


class DocumentTax(Frozen):
    """Tax of the whole document for one rate, as the channel charged it; nothing where only a code is to be named."""

    title: ShortText
    account: Account
    amount: Amount
    rate: Number | None = None
    tax_code: ShortText | None = None


class Application(Frozen):
    """Money of this document applied to another one (payment to invoice, refund to credit memo or payment)."""

    document_key: Identifier
    amount: Amount


class WantedState(StrEnum):
    PRESENT = "present"
    VOID = "void"
    """The document should have no effect: void it if it was written, else never write it."""
    CLOSED = "closed"
    """A sales order or estimate that should be closed."""
    FOUND = "found"
    """A document that somebody else writes: linked where the ledger has it, and never written, changed or made void."""


class Document(Frozen):
    key: Identifier
    kind: DocumentKind
    ordinal: int = 0
    wanted: WantedState = WantedState.PRESENT
    hold: Reason | None = None
    """Set when the document may not be written yet (WAITING_FOR_PAYMENT, PRODUCT_MISSING, …)."""
    notices: tuple[Reason, ...] = ()
    source_kind: Identifier
    """order, tender, refund, payout or summary."""
    source_id: Identifier
    number: ShortText | None
    """Document number to write; None lets the ledger assign it."""
    lookup_days: Annotated[int, Field(ge=0, le=365)] = LOOKUP_DAYS
    """Days around `date` in which it is looked for before it is made, where it has no number to be found by."""
    memo_number: ShortText
    """Full order number, or what a rule wrote in its place; the memo is `<memo_number> [tb:<mark>]`."""
    order_number: ShortText = ""
    """Full order number where `memo_number` is another text, else empty."""
    note: LongText = ""
    orders: Annotated[tuple[ShortText, ...], Field(max_length=50_000)] = ()
    """Of a summary: numbers of its orders, where they don't fit `note`; empty where they do, and for a settlement."""
    orders_left_out: int = 0
    """How many more orders the summary has than `orders` holds."""
    date: dt.date
    due_date: dt.date | None = None
    currency: CurrencyCode
    exchange_rate: Number | None = None
    total: Amount
    customer_key: Identifier | None = None
    lines: tuple[DocumentLine, ...] = ()
    taxes: tuple[DocumentTax, ...] = ()
    deposit_to: Account | None = None
    receivable: Account | None = None
    payment_method: ShortText = ""
    reference: ShortText = ""
    applications: tuple[Application, ...] = ()
    closes: tuple[Identifier, ...] = ()
    """Keys of the sales orders or estimates that this document closes."""
    depends_on: tuple[Identifier, ...] = ()
    billing_address: Address | None = None
    shipping_address: Address | None = None
    email: ShortText = ""
    terms: ShortText = ""
    class_name: ShortText = ""
    department: ShortText = ""
    ship_date: dt.date | None = None
    ship_method: ShortText = ""
    tracking_number: ShortText = ""
    po_number: ShortText = ""
    sales_rep: ShortText = ""
    template: ShortText = ""
    """Form that the ledger shows and prints the document by, where it has several."""
    custom_fields: dict[str, ShortText] = Field(default_factory=dict)

    @property
    def mark(self) -> str:
        """The eight characters by which a document in the ledger is known to be ours."""
        return self.key[:8]

    @property
    def source_number(self) -> str:
        """Number of the order (or id of the payout or summary) that it is for, whatever its memo says."""
        return self.order_number or self.memo_number

    @property
    def shown_number(self) -> str:
        """What people know it by: its own number, else that of its order."""
        return self.number or self.source_number

    @property
    def memo(self) -> str:
        return f"{self.memo_number} [tb:{self.mark}]"

    @property
    def orders_of_summary(self) -> tuple[str, ...]:
        """Numbers of a summary's orders, but for those left out; empty for any other document.

        A settlement names its orders in `note` alone; the journal of a summary's costs depends on it and names none.
        """
        if self.source_kind != "summary" or self.depends_on:
            return ()
        return self.orders or (tuple(self.note.split(", ")) if self.note else ())


class MissingPolicy(StrEnum):
    CREATE = "create"
    CREATE_INVENTORY = "create_inventory"
    STOP = "stop"


class CustomerWanted(Frozen):
    """A customer that documents of the set need; shared by every order that resolves to the same key."""

    key: Identifier
    display_name: ShortText
    match_field: Identifier = "display_name"
    """display_name or email."""
    ledger_id: Identifier | None = None
    missing: MissingPolicy = MissingPolicy.CREATE
    first_name: ShortText = ""
    last_name: ShortText = ""
    company: ShortText = ""
    email: ShortText = ""
    phone: ShortText = ""
    currency: CurrencyCode | None = None
    taxable: bool = True
    tax_code: ShortText = ""
    """Code that a customer has from the order that makes it; empty: the ledger's own default."""
    customer_type: ShortText = ""
    """What kind of customer the channel or a rule calls it, e.g. `Wholesale`; for ledgers that keep one."""
    billing_address: Address | None = None
    shipping_address: Address | None = None
    source_external_id: Identifier | None = None
    contact_at: AwareDatetime | None = None
    """When the order was made whose phone, email and addresses these are, where the ledger's customer follows them;
    absent: the customer has them from the order that makes it."""


class ItemWanted(Frozen):
    """An item that lines of the set need; shared by every order that resolves to the same key."""

    key: Identifier
    name: ShortText
    sku: ShortText = ""
    match_field: Identifier = "name"
    """name, sku, or another field that the ledger declares."""
    ledger_id: Identifier | None = None
    missing: MissingPolicy = MissingPolicy.STOP
    item_type: Identifier = "non_inventory"
    income_account: Account
    description: LongText = ""
    unit_price: Number | None = None
    """What it is sold for; None where only its cost is known."""
    purchase_cost: Number | None = None
    """What it is bought for, where a purchase makes it."""
    taxable: bool = True


class SetOutcome(StrEnum):
    MAPPED = "mapped"
    HELD = "held"
    """Should be in the ledger and can't be; `reason` is a warning."""
    FILTERED = "filtered"
    """Out of scope; `reason` names the filter."""


class Inputs(Frozen):
    """Revisions this set was made from. A newer stored input means the set must be mapped again."""

    source_revision: int
    connection_revision: int
    company_revision: int
    rules_revision: int = 0
    catalog_revision: int = 0


class TransactionSet(State):
    """All documents that one order, payout or summary should be in one company file."""

    type: ClassVar[str] = "transactions.mapped.v1"
    has_backfill: ClassVar[bool] = True

    company_id: Identifier
    connection_id: Identifier
    source_kind: Identifier
    """order, payout or summary."""
    source_id: Identifier
    source_number: ShortText
    inputs: Inputs
    outcome: SetOutcome
    reason: Reason | None = None
    date: dt.date
    currency: CurrencyCode
    source_total: Amount
    kept_mode: ShortText = ""
    """The connection's transaction mode where that decided what the documents are; a later change of the setting leaves
    them as they are. Empty where a rule or the order itself chose."""
    after_posting: Identifier = "update"
    """update or hold: what an edit does to a document that is already written."""
    customers: tuple[CustomerWanted, ...] = ()
    vendors: tuple[CustomerWanted, ...] = ()
    """Whom bills, expenses and purchase orders of the set are for; their documents name them as `customer_key`."""
    items: tuple[ItemWanted, ...] = ()
    documents: Annotated[tuple[Document, ...], Field(max_length=500)] = ()

    @property
    def key(self) -> str:
        return set_key(self.company_id, self.connection_id, self.source_kind, self.source_id)


class TransactionsListed(State):
    """What the read model keeps of a set: its outcome and reason."""

    type: ClassVar[str] = "transactions.listed.v1"
    packed_max: ClassVar[int] = 200
    read_model_only: ClassVar[bool] = True

    company_id: Identifier
    connection_id: Identifier
    source_kind: Identifier
    source_id: Identifier
    source_number: ShortText
    source_revision: int
    outcome: SetOutcome
    reason: Reason | None = None
    documents: int
    total: Amount
    currency: CurrencyCode
    date: dt.date
    grouped: tuple[Identifier, ...] = ()
    """Of a payout: keys of the documents that its deposit moves to the bank."""

    @property
    def key(self) -> str:
        return set_key(self.company_id, self.connection_id, self.source_kind, self.source_id)


def set_key(company_id: str, connection_id: str, source_kind: str, source_id: str) -> str:
    """Identity of a transaction set: one source entity in one company file."""
    return f"{company_id}/{connection_id}/{source_kind}/{source_id}"
