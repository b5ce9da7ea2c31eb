"""Contracts that api publishes: settings in full, and what a person or a schedule asked for."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, Field

from common.messages.base import Amount, Frozen, Identifier, Number, ShortText, State
from common.messages.transactions import AccountRole


class TransactionMode(StrEnum):
    """Which documents an order becomes (section 6)."""

    NONE = "none"
    SALES_RECEIPTS = "sales_receipts"
    INVOICES_ONLY = "invoices_only"
    INVOICES_PAYMENTS_IF_PAID = "invoices_payments_if_paid"
    SALES_ORDERS = "sales_orders"
    SALES_ORDERS_PAYMENTS_IF_PAID = "sales_orders_payments_if_paid"
    SALES_ORDERS_INVOICES_PAYMENTS_IF_PAID = "sales_orders_invoices_payments_if_paid"
    SALES_ORDERS_INVOICES_PO = "sales_orders_invoices_po"
    ESTIMATES = "estimates"
    SUMMARY_SALES_RECEIPT = "summary_sales_receipt"
    SUMMARY_INVOICE = "summary_invoice"
    SUMMARY_SALES_ORDER = "summary_sales_order"
    SUMMARY_PAYOUT = "summary_payout"
    JOURNAL_ENTRIES = "journal_entries"
    PAYMENTS_ONLY = "payments_only"
    CREDIT_MEMOS_ONLY = "credit_memos_only"
    PURCHASE_ORDERS = "purchase_orders"
    BILLS = "bills"
    PURCHASE_ORDERS_BILLS = "purchase_orders_bills"
    EXPENSES = "expenses"


class CustomerStrategy(StrEnum):
    """How the customer's match key is built from an order (section 16)."""

    FIRST_LAST = "first_last"
    LAST_FIRST = "last_first"
    FIRST_LAST_EMAIL = "first_last_email"
    LAST_FIRST_EMAIL = "last_first_email"
    LAST_FIRST_MIDDLE = "last_first_middle"
    BILLING_COMPANY_OR_FIRST_LAST = "billing_company_or_first_last"
    BILLING_COMPANY_OR_LAST_FIRST = "billing_company_or_last_first"
    BILLING_COMPANY_OR_SINGLE = "billing_company_or_single"
    SHIPPING_COMPANY_OR_FIRST_LAST = "shipping_company_or_first_last"
    SHIPPING_COMPANY_OR_LAST_FIRST = "shipping_company_or_last_first"
    SHIPPING_FIRST_LAST = "shipping_first_last"
    SHIPPING_LAST_FIRST = "shipping_last_first"
    SHIPPING_FULL_NAME = "shipping_full_name"
    BILLING_FULL_NAME = "billing_full_name"
    BILLING_EMAIL_AS_NAME = "billing_email_as_name"
    EMAIL = "email"
    NAME_THEN_EMAIL = "name_then_email"
    STORE_TYPE = "store_type"
    STORE_NAME_AND_CURRENCY = "store_name_and_currency"
    ORDER_NUMBER = "order_number"
    SINGLE = "single"


class CustomerSettings(Frozen):
    strategy: CustomerStrategy = CustomerStrategy.FIRST_LAST
    single_name: ShortText = "Web Store"
    missing: Literal["create", "single", "stop"] = "create"
    refresh_contact: bool = False


class ProductSettings(Frozen):
    match_field: Literal["name", "sku", "part_number", "barcode"] = "name"
    missing: Literal["stop_and_queue", "create_non_inventory", "create_inventory", "fallback_item"] = "stop_and_queue"
    fallback_item: ShortText = "unknown_do_not_delete"
    shipping_item: ShortText = "Shipping"
    discount_item: ShortText = "Discount"
    gift_card_item: ShortText = "Gift card"
    tip_item: ShortText = "Tip"
    surcharge_item: ShortText = "Surcharge"
    rounding_item: ShortText = "Rounding"
    refund_adjustment_item: ShortText = "Refund adjustment"
    no_restock_item: ShortText = "Returned without restock"
    fee_item: ShortText = "Merchant fee"
    tax_item: ShortText = "Sales tax"


class TaxSettings(Frozen):
    method: Literal["tax_codes", "tax_line", "override", "inclusive", "none"] = "override"
    taxable_code: ShortText = "TAX"
    non_taxable_code: ShortText = "NON"
    document_code: ShortText = ""
    codes: dict[str, ShortText] = Field(default_factory=dict)
    """Place → code: `zip:02906`, `city:Providence,RI`, `county:Dane,WI`, `state:RI`, `country:US`, `default_taxed`,
    `default_untaxed`."""
    shipping_code: ShortText = ""
    discount_code: ShortText = ""
    remitted: Literal["show_and_reverse", "leave_out"] = "show_and_reverse"
    use_customer_code: bool = False


class FeeSettings(Frozen):
    """Merchant fee written on the order. Refused together with payout fees (section 13)."""

    on_order: Literal["none", "negative_line", "bill", "expense"] = "none"
    percent: Number | None = None
    fixed: Amount | None = None
    payee: ShortText = ""


class NumberSettings(Frozen):
    policy: Literal["mirror", "next"] = "mirror"
    prefix: Annotated[str, Field(max_length=10)] = ""
    lookup_days: Annotated[int, Field(ge=0, le=365)] = 7


class PayoutSettings(Frozen):
    enabled: bool = False
    automatic: bool = True
    fee_payee: ShortText = ""
    adjustments: dict[str, AccountRole] = Field(default_factory=dict)
    """Description of an adjustment → role of the account it goes to."""


class ConnectionSettings(Frozen):
    """Everything a connection's orders are fetched and mapped by. Travels whole, never as a difference."""

    connection_id: Identifier
    channel: Identifier
    name: ShortText
    company_id: Identifier
    enabled: bool = True
    start_date: date
    """Orders before it are out of scope. Required before the first write."""
    time_zone: ShortText = "UTC"
    mode: TransactionMode = TransactionMode.SALES_RECEIPTS
    order_statuses: tuple[ShortText, ...] = ()
    follow_changes: bool = True
    unpaid_in_receipt_mode: Literal["hold", "invoice"] = "hold"
    sync_zero_total_orders: bool = True
    unpaid_cancel: Literal["void", "credit_memo"] = "void"
    missing_original: Literal["sync_original_first", "skip"] = "sync_original_first"
    refund_policy: Literal["document", "reduce_payment"] = "document"
    after_posting: Literal["update", "hold"] = "update"
    overpayment_policy: Literal["unapplied", "tip", "stop"] = "unapplied"
    show_line_discounts: bool = False
    rounding_tolerance: Amount | None = None
    use_store_currency: bool = False
    tips_to: Literal["liability", "income"] = "liability"
    merge_refunds: bool = False
    terms_days: Annotated[int, Field(ge=0, le=3650)] = 0
    store_filter: tuple[ShortText, ...] = ()
    class_name: ShortText = ""
    department: ShortText = ""
    sales_rep: ShortText = ""
    payment_methods: dict[str, ShortText] = Field(default_factory=dict)
    """Channel's tender method → payment method of the ledger."""
    deposit_accounts: dict[str, ShortText] = Field(default_factory=dict)
    """Channel's tender method → clearing account; others go to undeposited funds."""
    customers: CustomerSettings = CustomerSettings()
    products: ProductSettings = ProductSettings()
    tax: TaxSettings = TaxSettings()
    fees: FeeSettings = FeeSettings()
    numbers: NumberSettings = NumberSettings()
    payouts: PayoutSettings = PayoutSettings()


class CompanySettings(Frozen):
    """Settings of one company file, shared by the connections that point at it."""

    company_id: Identifier
    name: ShortText
    ledger: Identifier
    closed_through: date
    """No document is written on or before this date. Required before the first write."""
    paused: bool = False
    approved_at: AwareDatetime | None = None
    """When somebody approved the preview of the first sync; nothing is written before."""
    accounts: dict[AccountRole, ShortText] = Field(default_factory=dict)
    notify: tuple[ShortText, ...] = ()


class SettingsChanged(State):
    """A full snapshot of the settings of one connection or one company file."""

    type: ClassVar[str] = "settings.changed.v1"
    packed_max: ClassVar[int] = 5

    scope: Literal["connection", "company"]
    scope_id: Identifier
    connection: ConnectionSettings | None = None
    company: CompanySettings | None = None
    deleted: bool = False

    @property
    def key(self) -> str:
        return f"{self.scope}/{self.scope_id}"


class TaskKind(StrEnum):
    ORDERS_TO_LEDGER = "orders_to_ledger"
    REFUNDS = "refunds"
    PAYMENTS_TO_LEDGER = "payments_to_ledger"
    PAYOUTS = "payouts"
    SUMMARY = "summary"
    LIST_REFRESH = "list_refresh"
    LEDGER_CHECK = "ledger_check"
    WEBHOOK_CHECK = "webhook_check"
    MANUAL = "manual"


class TaskRequested(State):
    """A run that ingest should carry out. `revision` rises when the run is cancelled or restarted."""

    type: ClassVar[str] = "task.requested.v1"
    packed_max: ClassVar[int] = 5

    run_id: Identifier
    kind: TaskKind
    connection_id: Identifier
    requested_at: AwareDatetime
    window_start: AwareDatetime | None = None
    """None on a scheduled run: ingest continues from its own watermark."""
    window_end: AwareDatetime | None = None
    by: Literal["created", "modified"] = "modified"
    order_numbers: Annotated[tuple[ShortText, ...], Field(max_length=500)] = ()
    force: bool = False
    backfill: bool = False
    cancelled: bool = False

    @property
    def key(self) -> str:
        return self.run_id


class ResendRequested(State):
    """Bring these up to date from current source data, rules and settings, and try them now."""

    type: ClassVar[str] = "resend.requested.v1"
    packed_max: ClassVar[int] = 1

    resend_id: Identifier
    company_id: Identifier
    order_keys: Annotated[tuple[Identifier, ...], Field(max_length=1000)] = ()
    """`connection_id/external_id` of the orders the documents come from."""
    document_keys: Annotated[tuple[Identifier, ...], Field(max_length=1000)] = ()
    refetch: bool = False
    cascade: bool = False

    @property
    def key(self) -> str:
        return self.resend_id


class DocumentDismissed(State):
    """A person hid a warning, or took that back. `revision` rises with each change of mind."""

    type: ClassVar[str] = "document.dismissed.v1"

    company_id: Identifier
    document_key: Identifier
    dismissed: bool
    note: ShortText = ""

    @property
    def key(self) -> str:
        return self.document_key


class CustomerConnected(State):
    """How a source customer relates to the ledger (section 29)."""

    type: ClassVar[str] = "customer.connected.v1"

    company_id: Identifier
    connection_id: Identifier
    customer_key: Identifier
    source_external_id: Identifier | None
    link: Literal["existing", "create", "ignore", "none"]
    ledger_id: Identifier | None = None
    display_name: ShortText = ""
    horizon: date | None = None
    """None: everything. Documents before it are out of scope."""

    @property
    def key(self) -> str:
        return f"{self.company_id}/{self.customer_key}"


class StateRequested(State):
    """Asks an owner to publish its entities again, so that a mirror can be rebuilt."""

    type: ClassVar[str] = "state.requested.v1"
    packed_max: ClassVar[int] = 1

    request_id: Identifier
    entity: Identifier
    """Type name of the states wanted, e.g. `documents.changed.v1`."""

    @property
    def key(self) -> str:
        return self.request_id


class TenantDeleted(State):
    """Every service removes what it holds of this tenant (design 12)."""

    type: ClassVar[str] = "tenant.deleted.v1"
    packed_max: ClassVar[int] = 1

    @property
    def key(self) -> str:
        return self.tenant_id
