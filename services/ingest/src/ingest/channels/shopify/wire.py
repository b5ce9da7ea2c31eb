"""Shopify's REST JSON, only the fields we read.

Money bags stay unparsed: they matter only where the buyer's currency differs from the shop's, and parsing two
dozen of them would cost more than the rest of the order.
"""

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ingest.reading import Moment


class Wire(BaseModel):
    """Tolerant: ids may be numbers or strings, unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class ShopifyTaxLine(Wire):
    title: str | None = None
    price: Decimal
    price_set: Any = None
    rate: Decimal | None = None
    channel_liable: bool | None = None


class ShopifyAllocation(Wire):
    amount: Decimal
    amount_set: Any = None
    discount_application_index: int = 0


class ShopifyDuty(Wire):
    price: Decimal | None = None
    price_set: Any = None
    shop_money: Any = None
    presentment_money: Any = None
    tax_lines: tuple[ShopifyTaxLine, ...] = ()


class ShopifyLine(Wire):
    id: str
    sku: str | None = None
    name: str | None = None
    title: str | None = None
    variant_title: str | None = None
    vendor: str | None = None
    quantity: Decimal
    fulfillable_quantity: Decimal | None = None
    fulfillment_status: str | None = None
    price: Decimal
    price_set: Any = None
    total_discount: Decimal | None = None
    total_discount_set: Any = None
    discount_allocations: tuple[ShopifyAllocation, ...] | None = None
    tax_lines: tuple[ShopifyTaxLine, ...] | None = None
    duties: tuple[ShopifyDuty, ...] | None = None
    gift_card: bool | None = None
    tip: Any = None
    product_id: str | None = None
    variant_id: str | None = None


class ShopifyShippingLine(Wire):
    id: str | None = None
    title: str | None = None
    price: Decimal
    price_set: Any = None
    is_removed: bool | None = None
    discount_allocations: tuple[ShopifyAllocation, ...] | None = None
    tax_lines: tuple[ShopifyTaxLine, ...] | None = None


class ShopifyDiscountApplication(Wire):
    value_type: str = ""
    allocation_method: str = ""
    target_selection: str = ""
    target_type: str = "line_item"
    title: str | None = None
    code: str | None = None
    description: str | None = None

    @property
    def on_whole_order(self) -> bool:
        """A fixed amount off the order, as against a percentage or a reduction of chosen lines."""
        kind = (self.value_type, self.allocation_method, self.target_selection, self.target_type)
        return kind == ("fixed_amount", "across", "all", "line_item")


class ShopifyDiscountCode(Wire):
    code: str | None = None


class ShopifyTransaction(Wire):
    id: str
    order_id: str | None = None
    kind: str
    status: str
    gateway: str | None = None
    amount: Decimal
    amount_set: Any = None
    currency: str | None = None
    created_at: Moment
    processed_at: Moment | None = None
    parent_id: str | None = None
    authorization: str | None = None

    @property
    def moved(self) -> bool:
        return self.status.lower() == "success"

    @property
    def at(self) -> Moment:
        return self.processed_at or self.created_at


class ShopifyRefundLine(Wire):
    line_item_id: str
    quantity: Decimal
    restock_type: str | None = None
    subtotal: Decimal | None = None
    subtotal_set: Any = None
    total_tax: Decimal | None = None
    total_tax_set: Any = None


class ShopifyAdjustment(Wire):
    kind: str
    reason: str | None = None
    amount: Decimal
    amount_set: Any = None
    tax_amount: Decimal | None = None
    tax_amount_set: Any = None


class ShopifyRefundShipping(Wire):
    subtotal_amount_set: Any = None
    tax_amount_set: Any = None


class ShopifyRefund(Wire):
    id: str
    order_id: str | None = None
    created_at: Moment
    processed_at: Moment | None = None
    note: str | None = None
    restock: bool | None = None
    refund_line_items: tuple[ShopifyRefundLine, ...] = ()
    order_adjustments: tuple[ShopifyAdjustment, ...] = ()
    refund_shipping_lines: tuple[ShopifyRefundShipping, ...] | None = None
    total_duties_set: Any = None
    transactions: tuple[ShopifyTransaction, ...] = ()

    @property
    def at(self) -> Moment:
        return self.processed_at or self.created_at


class ShopifyAddress(Wire):
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country: str | None = None
    country_code: str | None = None
    phone: str | None = None


class ShopifyCustomer(Wire):
    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    tags: str | None = None
    tax_exempt: bool | None = None
    currency: str | None = None


class ShopifyFulfillment(Wire):
    status: str | None = None
    created_at: Moment | None = None
    tracking_company: str | None = None
    tracking_number: str | None = None


class ShopifyNoteAttribute(Wire):
    name: str | None = None
    value: Any = None


class ShopifySchedule(Wire):
    due_at: Moment | None = None


class ShopifyPaymentTerms(Wire):
    payment_terms_name: str | None = None
    payment_schedules: tuple[ShopifySchedule, ...] | None = None


class ShopifyOrder(Wire):
    id: str
    name: str | None = None
    order_number: str | None = None
    test: bool | None = None
    created_at: Moment
    processed_at: Moment | None = None
    updated_at: Moment
    cancelled_at: Moment | None = None
    currency: str
    presentment_currency: str | None = None
    financial_status: str | None
    fulfillment_status: str | None = None
    taxes_included: bool | None = None
    total_price: Decimal
    total_price_set: Any = None
    current_total_price: Decimal | None = None
    current_total_price_set: Any = None
    total_outstanding: Decimal | None = None
    total_tax: Decimal | None = None
    total_tax_set: Any = None
    total_discounts: Decimal | None = None
    total_discounts_set: Any = None
    total_tip_received: Decimal | None = None
    total_tip_received_set: Any = None
    original_total_duties_set: Any = None
    original_total_additional_fees_set: Any = None
    duties_included: bool | None = None
    tax_lines: tuple[ShopifyTaxLine, ...] | None = None
    line_items: tuple[ShopifyLine, ...]
    shipping_lines: tuple[ShopifyShippingLine, ...] | None = None
    discount_applications: tuple[ShopifyDiscountApplication, ...] | None = None
    discount_codes: tuple[ShopifyDiscountCode, ...] | None = None
    payment_gateway_names: tuple[str, ...] | None = None
    payment_terms: ShopifyPaymentTerms | None = None
    transactions: tuple[ShopifyTransaction, ...] | None = None
    refunds: tuple[ShopifyRefund, ...] | None = None
    fulfillments: tuple[ShopifyFulfillment, ...] | None = None
    customer: ShopifyCustomer | None = None
    email: str | None = None
    contact_email: str | None = None
    billing_address: ShopifyAddress | None = None
    shipping_address: ShopifyAddress | None = None
    note: str | None = None
    note_attributes: tuple[ShopifyNoteAttribute, ...] | None = None
    tags: str | tuple[str, ...] | None = None
    po_number: str | None = None
    source_name: str | None = None
    tax_exempt: bool | None = None


class ShopifyEdit(Wire):
    order_id: str
    committed_at: Moment | None = None
    created_at: Moment


class ShopifyWebhook(Wire):
    id: str | None = None
    topic: str
    address: str


class ShopifyShop(Wire):
    name: str = ""
    domain: str = ""
    currency: str = Field(default="")
    iana_timezone: str | None = None
