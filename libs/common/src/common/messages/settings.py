"""What a tenant decides about its connections and company files; travels whole inside `settings.changed`."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from common.messages.base import Amount, CurrencyCode, Frozen, Identifier, Number, ShortText
from common.messages.transactions import LOOKUP_DAYS, AccountRole


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
    SUMMARY_JOURNAL_ENTRY = "summary_journal_entry"
    """Journal entries by day; `journal_entries` makes them by payout."""
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


class Described(Frozen):
    """Settings: the texts under their fields are what the API's document shows to those who fill them in."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class CustomerSettings(Described):
    """Which customer of the ledger an order belongs to (section 16)."""

    strategy: CustomerStrategy = CustomerStrategy.FIRST_LAST
    """How the name that a customer is known by in the ledger is made from an order."""
    single_name: ShortText = "Web Store"
    """Name of the one customer of all orders, for the strategy `single` and for `missing`: `single`."""
    missing: Literal["create", "single", "stop"] = "create"
    """What happens where the ledger has no such customer: make it, use the single one, or hold the order."""
    unconnected: Literal["create", "wait"] = "create"
    """What an order of a buyer whom nobody has connected does: find or make the customer, or wait for a person."""
    refresh_contact: bool = False
    """Whether every order brings phone, email and addresses of its customer in the ledger up to date. Never the name;
    what an order leaves empty stays as it is; an older order leaves a newer one's alone."""


class ProductSettings(Described):
    """How a channel's products find the ledger's items, and the items of lines that are no product (section 17)."""

    match_field: Literal["name", "sku", "part_number", "barcode"] = "name"
    """Field of the ledger's items that a SKU is compared with."""
    missing: Literal["stop_and_queue", "create_non_inventory", "create_inventory", "fallback_item"] = "stop_and_queue"
    """What happens where no item fits: hold the order and queue the product, make an item, or use one for all."""
    fallback_item: ShortText = "unknown_do_not_delete"
    """Item of all products without one, for `missing`: `fallback_item`."""
    shipping_item: ShortText = "Shipping"
    """Item of shipping lines."""
    discount_item: ShortText = "Discount"
    """Item of discount lines."""
    gift_card_item: ShortText = "Gift card"
    """Item of gift cards that are sold or redeemed."""
    tip_item: ShortText = "Tip"
    """Item of tips."""
    surcharge_item: ShortText = "Surcharge"
    """Item of surcharges."""
    rounding_item: ShortText = "Rounding"
    """Item of the line that takes a rounding difference."""
    refund_adjustment_item: ShortText = "Refund adjustment"
    """Item of what a refund gives back beyond its goods."""
    no_restock_item: ShortText = "Returned without restock"
    """Item of goods that were refunded and did not come back."""
    fee_item: ShortText = "Merchant fee"
    """Item of merchant fees on the order."""
    tax_item: ShortText = "Sales tax"
    """Item of tax that is written as a line."""


class TaxSettings(Described):
    """How tax is written (section 12)."""

    method: Literal["tax_codes", "tax_line", "override", "inclusive", "none"] = "override"
    """How tax reaches the ledger: with the codes of places, as a line of its own, as an amount that overrides the
    ledger's, with the codes of places on lines (VAT and GST), or not expected: what was charged is said. The amounts
    are always the channel's."""
    taxable_code: ShortText = "TAX"
    """Code of taxable lines."""
    non_taxable_code: ShortText = "NON"
    """Code of lines without tax."""
    document_code: ShortText = ""
    """Code of the whole document, where the ledger wants one."""
    codes: dict[str, ShortText] = Field(default_factory=dict)
    """Place → code, the nearest first: `zip:02906`, `city:Providence,RI`, `county:Dane,WI`, `state:RI`, `country:US`;
    then `default_taxed` for orders with tax and `default_untaxed` for those without. It is the document's code; that of
    its taxed lines with `inclusive` and in QuickBooks outside the United States, where `default_untaxed` is that of
    lines without tax."""
    shipping_code: ShortText = ""
    """Code of shipping lines; empty: as their tax says."""
    discount_code: ShortText = ""
    """Code of discount lines; empty: as their tax says."""
    remitted: Literal["show_and_reverse", "leave_out"] = "show_and_reverse"
    """Tax that a marketplace has paid itself: shown and taken out again, or left out."""
    use_customer_code: bool = False
    """Whether the ledger customer's own tax code wins over these codes; a rule's code still wins over it."""


class FeeSettings(Described):
    """Merchant fee written on the order. Refused together with payout fees (section 13)."""

    on_order: Literal["none", "negative_line", "bill", "expense"] = "none"
    """Where the fee is written: nowhere, as a negative line, as a bill, or as an expense."""
    percent: Number | None = None
    """Percent of the order's total, e.g. `2.9`, where the channel states no fee."""
    fixed: Amount | None = None
    """Amount per order, e.g. `0.30`, where the channel states no fee."""
    payee: ShortText = ""
    """Vendor of the bill or expense."""


class NumberSettings(Described):
    """Document numbers (section 10)."""

    policy: Literal["mirror", "next"] = "mirror"
    """Whether documents carry the order's number or the ledger's next one."""
    prefix: Annotated[str, Field(max_length=10)] = ""
    """Put before the order's number, so that two shops never share one."""
    lookup_days: Annotated[int, Field(ge=0, le=365)] = LOOKUP_DAYS
    """How many days around its date a document is looked for in the ledger before it is made, where the ledger assigns
    its number; by memo. A document with a number is looked for by that, whatever its date."""


class PayoutSettings(Described):
    """Whether and how payouts become deposits (section 14)."""

    enabled: bool = False
    """Whether payouts are fetched and deposited."""
    automatic: bool = True
    """Whether a complete payout is deposited by itself."""
    negative: Literal["carried", "debited"] = "carried"
    """What becomes of a payout below zero: carried until a later one makes up for it, or taken from the bank account,
    which is a journal entry of its own."""
    bank_account: ShortText = ""
    """Account of the ledger that payouts reach; empty: the company file's bank account."""
    bank_accounts: dict[CurrencyCode, ShortText] = Field(default_factory=dict)
    """Currency of a payout → account of the ledger that it reaches, e.g. `EUR`; others reach `bank_account`."""
    fee_payee: ShortText = ""
    """Whom the processor's fees go to: the payee of deposits and journal entries that hold them."""
    fee_payee_is: Literal["vendor", "customer"] = "vendor"
    """What the payee of the fees is in the ledger."""
    adjustments: dict[str, AccountRole] = Field(default_factory=dict)
    """Description of an adjustment, or `loan` → role of the account it goes to."""
    accounts: dict[str, ShortText] = Field(default_factory=dict)
    """Description of an adjustment, or `loan` → account of the ledger by its name, where no role fits."""


class ConnectionSettings(Described):
    """Everything a connection's orders are fetched and mapped by. Travels whole, never as a difference."""

    connection_id: Identifier
    """The connection these settings are of: as in the path."""
    channel: Identifier
    """The connection's channel: as it was made."""
    name: ShortText
    """Shown in lists."""
    company_id: Identifier
    """The company file that its documents are written to."""
    enabled: bool = True
    """False stops mapping and fetching for this connection."""
    start_date: date
    """Orders before it are out of scope. Required before the first write."""
    time_zone: ShortText = "UTC"
    """IANA name; days and dates of documents are those of this zone."""
    mode: TransactionMode = TransactionMode.SALES_RECEIPTS
    """Which documents an order becomes. Modes with sales orders write estimates where the ledger has no sales orders
    (its capabilities name `estimate` and not `sales_order`). A change is for orders that are not written yet: what is
    written keeps its mode until it is resent, and a day's summary that was begun is finished by the mode it began with,
    so that from one summary mode to another the change shows on the next day. `payments_only` applies payments to
    invoices that somebody else writes, found by number, customer and total; where there is none they stay unapplied."""
    order_statuses: tuple[ShortText, ...] = ()
    """Only orders in one of these statuses are written, e.g. `paid`; empty: every order."""
    follow_changes: bool = True
    """Whether an order that changed after it was written is looked at again."""
    unpaid_in_receipt_mode: Literal["hold", "invoice"] = "hold"
    """An unpaid order where sales receipts are written: held until it is paid, or an invoice."""
    sync_zero_total_orders: bool = True
    """Whether orders of 0.00 are written."""
    unpaid_cancel: Literal["void", "credit_memo"] = "void"
    """What a cancelled unpaid invoice becomes: void, or a credit memo."""
    missing_original: Literal["sync_original_first", "skip"] = "sync_original_first"
    """A refund whose sale is not in the ledger: write the sale first, or leave both out."""
    refund_policy: Literal["document", "reduce_payment"] = "document"
    """Whether a refund is a document of its own or makes the payment smaller."""
    after_posting: Literal["update", "hold"] = "update"
    """An order that was edited after it was written: change the document, or hold it for a person."""
    overpayment_policy: Literal["unapplied", "tip", "stop"] = "unapplied"
    """Money above the balance: left unapplied, a tip, or held."""
    show_line_discounts: bool = False
    """Whether the discount of each line is a line of its own."""
    rounding_tolerance: Amount | None = None
    """Difference that a rounding line may take; empty: the currency's smallest unit times the lines."""
    use_store_currency: bool = False
    """Whether the shop's currency is booked rather than the one the buyer paid in."""
    tips_to: Literal["liability", "income"] = "liability"
    """Account of tips: what is owed to staff, or income."""
    unpaid_in_summary_invoice: bool = False
    """In the mode `summary_invoice`: whether orders that are not paid yet are in the summary too. A change takes the
    summary invoices already written out of the ledger and writes others in their place."""
    merge_refunds: bool = False
    """In summaries: refunds as negative quantities rather than documents of their own."""
    summary_costs: Literal["ledger", "journal"] = "ledger"
    """Cost of goods sold of a summary: left to the ledger (stock items), or by a journal for the other items; for all
    items where the summary is a journal entry itself."""
    raw_retention_days: Annotated[int, Field(ge=30, le=3650)] = 730
    """Days that what the channel sent is kept, encrypted, to be read again; amounts and documents stay."""
    terms_days: Annotated[int, Field(ge=0, le=3650)] = 0
    """Days until an invoice is due."""
    store_filter: tuple[ShortText, ...] = ()
    """Only orders of these stores or sales channels are written; empty: all."""
    class_name: ShortText = ""
    """Class of every document, where the order names none."""
    department: ShortText = ""
    """Department or location of every document, where the order names none."""
    sales_rep: ShortText = ""
    """Sales representative of every document, where the order names none."""
    site: ShortText = ""
    """Site of every line, where neither the line nor a rule names one."""
    payment_methods: dict[str, ShortText] = Field(default_factory=dict)
    """Channel's tender method → payment method of the ledger."""
    deposit_accounts: dict[str, ShortText] = Field(default_factory=dict)
    """Channel's tender method → clearing account; others go to `deposit_account`."""
    deposit_account: ShortText = ""
    """Account that money of every other method goes to; empty: undeposited funds."""
    customers: CustomerSettings = CustomerSettings()
    """How customers are found or made."""
    products: ProductSettings = ProductSettings()
    """How products are found or made."""
    tax: TaxSettings = TaxSettings()
    """How tax is written."""
    fees: FeeSettings = FeeSettings()
    """Merchant fees on the order."""
    numbers: NumberSettings = NumberSettings()
    """How documents are numbered."""
    payouts: PayoutSettings = PayoutSettings()
    """How payouts are deposited."""


class CompanySettings(Described):
    """Settings of one company file, shared by the connections that point at it."""

    company_id: Identifier
    """The company file these settings are of: as in the path."""
    name: ShortText
    """Shown in lists."""
    ledger: Identifier
    """The company file's ledger: as it was paired."""
    closed_through: date
    """No document is written on or before this date. Required before the first write."""
    paused: bool = False
    """Changed by the pause and resume routes only."""
    approved_at: AwareDatetime | None = None
    """When somebody approved the preview of the first sync; nothing is written before."""
    accounts: dict[AccountRole, ShortText] = Field(default_factory=dict)
    """Role → account of the ledger. Roles that are left out of the first save take the ledger's proposal."""
    notify: tuple[ShortText, ...] = ()
    """E-mail addresses, at most 10, that are told once when the sign-in to the ledger has to be repeated."""
