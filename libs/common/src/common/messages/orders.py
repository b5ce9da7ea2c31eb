"""Contracts that ingest publishes: orders, payouts and products in the words of the product, not of any channel."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AwareDatetime, Field

from common.messages.base import (
    Amount,
    CurrencyCode,
    Frozen,
    Identifier,
    LongText,
    Number,
    ShortText,
    State,
)

PURCHASE_PREFIX: Final = "purchase:"
"""Begins the external id of a purchase: a purchase and an order that a channel numbers alike are two entities."""


def order_key(connection_id: str, external_id: str) -> str:
    """Identity of an order across services: the connection and the channel's immutable id."""
    return f"{connection_id}/{external_id}"


class Direction(StrEnum):
    """Whether the merchant sold or bought."""

    SALE = "sale"
    PURCHASE = "purchase"


def direction_of(external_id: str) -> Direction:
    """What an order is by its external id alone, for those who keep no more of it."""
    return Direction.PURCHASE if external_id.startswith(PURCHASE_PREFIX) else Direction.SALE


class FinancialStatus(StrEnum):
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class FulfillmentStatus(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"


class Lifecycle(StrEnum):
    OPEN = "open"
    CANCELLED = "cancelled"
    DRAFT = "draft"


class TenderKind(StrEnum):
    MONEY = "money"
    GIFT_CARD = "gift_card"
    STORE_CREDIT = "store_credit"


class TenderStatus(StrEnum):
    """Only a successful capture is money; the others explain why a payment is missing or must be voided."""

    CAPTURED = "captured"
    VOIDED = "voided"


class Address(Frozen):
    name: ShortText = ""
    company: ShortText = ""
    line1: ShortText = ""
    line2: ShortText = ""
    city: ShortText = ""
    county: ShortText = ""
    region: ShortText = ""
    """State or province code as the channel writes it."""
    postal_code: ShortText = ""
    country: ShortText = ""
    """ISO 3166-1 alpha-2 where the channel gives it."""
    phone: ShortText = ""


class Customer(Frozen):
    """The buyer as the channel knows them; `external_id` is absent for guests."""

    external_id: Identifier | None = None
    first_name: ShortText = ""
    middle_name: ShortText = ""
    last_name: ShortText = ""
    company: ShortText = ""
    emails: tuple[ShortText, ...] = ()
    phone: ShortText = ""
    tags: tuple[ShortText, ...] = ()
    group: ShortText = ""
    tax_exempt: bool = False
    vat_number: ShortText = ""
    currency: CurrencyCode | None = None
    price_level: ShortText = ""


class TaxLine(Frozen):
    title: ShortText
    amount: Amount
    rate: Number | None = None
    """Fraction, not percent: 6.25 % is 0.0625."""
    jurisdiction: ShortText = ""


class OrderLine(Frozen):
    """One sold thing. `amount` is authoritative: net of tax and of `discount`."""

    external_id: Identifier
    sku: ShortText = ""
    name: ShortText = ""
    description: LongText = ""
    quantity: Number
    unit_price: Number
    """Net of tax, before discount."""
    amount: Amount
    discount: Amount
    """Share of discounts on this line, positive, already taken off `amount`."""
    taxes: tuple[TaxLine, ...] = ()
    uom: ShortText = ""
    class_name: ShortText = ""
    site: ShortText = ""
    lot: ShortText = ""
    is_gift_card: bool = False
    product_id: ShortText = ""
    variant_id: ShortText = ""
    vendor: ShortText = ""
    ship_date: date | None = None
    fulfilled_quantity: Number | None = None
    custom_fields: dict[str, ShortText] = Field(default_factory=dict)


class ShippingLine(Frozen):
    external_id: Identifier
    title: ShortText = ""
    amount: Amount
    """Net of tax and of shipping discounts."""
    discount: Amount
    taxes: tuple[TaxLine, ...] = ()


class OrderDiscount(Frozen):
    """A discount on the whole order that the channel did not spread over the lines. Positive amount."""

    code: ShortText = ""
    title: ShortText = ""
    amount: Amount


class Surcharge(Frozen):
    """An extra charge that is neither goods nor shipping (fee line, duty, gift wrap); may be negative."""

    external_id: Identifier
    title: ShortText = ""
    amount: Amount
    taxes: tuple[TaxLine, ...] = ()


class Tender(Frozen):
    """One successful capture of money for an order."""

    external_id: Identifier
    method: ShortText
    kind: TenderKind = TenderKind.MONEY
    status: TenderStatus = TenderStatus.CAPTURED
    amount: Amount
    currency: CurrencyCode
    captured_at: AwareDatetime
    captured_on: date
    """The channel's local calendar date of the capture."""
    reference: ShortText = ""
    fee: Amount | None = None
    exchange_rate: Number | None = None
    """Home currency per unit on the day of the capture, where it differs from the order's."""


class RefundLine(Frozen):
    line_external_id: Identifier
    quantity: Number
    amount: Amount
    """Net of tax and discount, positive."""
    discount: Amount
    """Share of the original discount that goes back with it, positive."""
    tax: Amount
    taxes: tuple[TaxLine, ...] = ()
    restock: bool = False


class RefundAdjustment(Frozen):
    """An amount the channel states beside the lines (restocking fee, discrepancy); positive gives more money back."""

    title: ShortText
    amount: Amount
    tax: Amount


class RefundTransaction(Frozen):
    external_id: Identifier
    method: ShortText
    kind: TenderKind = TenderKind.MONEY
    amount: Amount
    reference: ShortText = ""
    tender_external_id: Identifier | None = None


class Refund(Frozen):
    external_id: Identifier
    created_at: AwareDatetime
    refunded_on: date
    lines: tuple[RefundLine, ...] = ()
    shipping: Amount
    """Net shipping given back, positive."""
    shipping_tax: Amount
    tax: Amount
    """All tax given back, line and shipping tax included."""
    adjustments: tuple[RefundAdjustment, ...] = ()
    transactions: tuple[RefundTransaction, ...] = ()
    note: LongText = ""


class Order(State):
    """One order with everything known about it (domain reference, section 3)."""

    type: ClassVar[str] = "order.normalized.v1"
    has_backfill: ClassVar[bool] = True

    connection_id: Identifier
    external_id: Identifier
    channel: Identifier
    number: ShortText
    financial_status: FinancialStatus
    fulfillment_status: FulfillmentStatus
    lifecycle: Lifecycle
    native_status: ShortText = ""
    created_at: AwareDatetime
    modified_at: AwareDatetime
    ordered_on: date
    """The channel's local calendar date of the sale."""
    cancelled_on: date | None = None
    currency: CurrencyCode
    total: Amount
    tax_included: bool = False
    tax_total: Amount
    tips: Amount
    tax_remitted: Amount
    """Tax that the marketplace collects and pays itself; part of `total`."""
    lines: Annotated[tuple[OrderLine, ...], Field(max_length=5000)]
    shipping_lines: tuple[ShippingLine, ...] = ()
    discounts: tuple[OrderDiscount, ...] = ()
    surcharges: tuple[Surcharge, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    """Tax by rate over the whole order, as the channel sums it."""
    rounding: Amount
    """Difference that normalisation found within tolerance; becomes the rounding line."""
    tenders: tuple[Tender, ...] = ()
    refunds: tuple[Refund, ...] = ()
    customer: Customer | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    parent_number: ShortText = ""
    store_name: ShortText = ""
    store_type: ShortText = ""
    po_number: ShortText = ""
    terms: ShortText = ""
    due_on: date | None = None
    sales_rep: ShortText = ""
    class_name: ShortText = ""
    department: ShortText = ""
    warehouse: ShortText = ""
    ship_date: date | None = None
    ship_method: ShortText = ""
    tracking_number: ShortText = ""
    shipping_cost: Amount | None = None
    note: LongText = ""
    private_note: LongText = ""
    """What the merchant's people wrote about the order, for themselves. Rules read it; no document shows it unasked."""
    gift_message: LongText = ""
    tags: tuple[ShortText, ...] = ()
    custom_fields: dict[str, ShortText] = Field(default_factory=dict)
    discount_codes: tuple[ShortText, ...] = ()
    reference_number: ShortText = ""
    payout_id: ShortText = ""
    exchange_rate: Number | None = None
    customer_currency: CurrencyCode | None = None
    invoice_mode: ShortText = ""
    do_not_import: bool = False
    merchant_fee: Amount | None = None
    forgotten: bool = False
    """The people in it were removed on request. What was made of the order stays as it is."""
    let_through: tuple[Literal["filters", "do_not_import"], ...] = ()
    """What keeps the order out no more, because a person asked for it: the status filter, the start date and the
    customer's horizon (`filters`), or a rule and the shop's own mark (`do_not_import`)."""
    direction: Direction = Direction.SALE
    """Of a purchase `external_id` begins with `PURCHASE_PREFIX`, and its lines are at cost."""
    vendor_name: ShortText = ""
    """Of a purchase: whom it was bought from."""

    @property
    def key(self) -> str:
        return order_key(self.connection_id, self.external_id)


class PayoutLine(Frozen):
    external_id: Identifier
    kind: Identifier
    """charge, refund, chargeback, chargeback_reversal, dispute_fee, fee, reserve_held, reserve_released, adjustment,
    loan, transfer, carried_forward."""
    amount: Amount
    fee: Amount
    order_number: ShortText = ""
    order_external_id: ShortText = ""
    tender_external_id: ShortText = ""
    refund_external_id: ShortText = ""
    reference: ShortText = ""
    description: ShortText = ""
    occurred_on: date
    sku: ShortText = ""
    quantity: Number | None = None


class Payout(State):
    """One transfer from a processor or marketplace to the bank, with what is inside it (section 14)."""

    type: ClassVar[str] = "payout.normalized.v1"
    packed_max: ClassVar[int] = 5

    connection_id: Identifier
    external_id: Identifier
    processor: Identifier
    currency: CurrencyCode
    paid_on: date
    status: Identifier
    net: Amount
    lines: tuple[PayoutLine, ...]
    period_start: date | None = None
    period_end: date | None = None
    bank_currency: CurrencyCode | None = None
    exchange_rate: Number | None = None

    @property
    def key(self) -> str:
        return f"{self.connection_id}/payout/{self.external_id}"


class Product(State):
    """A product of the channel, for matching and for items that must be made in the ledger."""

    type: ClassVar[str] = "product.normalized.v1"

    connection_id: Identifier
    external_id: Identifier
    sku: ShortText
    name: ShortText
    barcode: ShortText = ""
    price: Number | None = None
    currency: CurrencyCode | None = None
    active: bool = True

    @property
    def key(self) -> str:
        return f"{self.connection_id}/product/{self.external_id}"
