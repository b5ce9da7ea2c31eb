"""WooCommerce's v3 JSON, only the fields we read.

Plugins and PHP versions bend it: ids come as strings, empty objects as lists, empty amounts as empty strings.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _or_zero(value: Any) -> Any:
    return "0" if value in {"", None} else value


def _or_empty(value: Any) -> Any:
    return {} if value == [] or value is None else value


Money = Annotated[Decimal, BeforeValidator(_or_zero)]
"""An amount that may be empty text."""


class Wire(BaseModel):
    """Tolerant: ids may be numbers or strings, unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class WooMeta(Wire):
    key: str = ""
    value: Any = None


class WooTax(Wire):
    id: str = ""
    total: Money = Decimal(0)


class WooLine(Wire):
    id: str
    name: str | None = None
    product_id: str | None = None
    variation_id: str | None = None
    quantity: Decimal
    subtotal: Money
    total: Money
    total_tax: Money = Decimal(0)
    taxes: tuple[WooTax, ...] = ()
    sku: str | None = None
    meta_data: tuple[WooMeta, ...] | None = ()


class WooCharge(Wire):
    """A shipping or fee line."""

    id: str
    name: str | None = None
    method_title: str | None = None
    total: Money
    total_tax: Money = Decimal(0)
    taxes: tuple[WooTax, ...] = ()


class WooTaxLine(Wire):
    rate_id: str = ""
    rate_code: str | None = None
    label: str | None = None
    rate_percent: Decimal | None = None
    tax_total: Money = Decimal(0)
    shipping_tax_total: Money = Decimal(0)


class WooCoupon(Wire):
    code: str | None = None


class WooGiftCard(Wire):
    id: str | None = None
    code: str | None = None
    amount: Money


class WooRefundHead(Wire):
    id: str


class WooAddress(Wire):
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address_1: str | None = None
    address_2: str | None = None
    city: str | None = None
    state: str | None = None
    postcode: str | None = None
    country: str | None = None
    email: str | None = None
    phone: str | None = None


Address = Annotated[WooAddress, BeforeValidator(_or_empty)]


class WooOrder(Wire):
    id: str
    number: str | None = None
    parent_id: str | None = None
    status: str
    currency: str
    created_via: str | None = None
    date_created_gmt: str
    date_modified_gmt: str | None = None
    date_paid_gmt: str | None = None
    date_completed_gmt: str | None = None
    prices_include_tax: bool | None = None
    total: Decimal
    total_tax: Money = Decimal(0)
    customer_id: str | None = None
    customer_note: str | None = None
    billing: Address = WooAddress()
    shipping: Address = WooAddress()
    payment_method: str | None = None
    payment_method_title: str | None = None
    transaction_id: str | None = None
    line_items: tuple[WooLine, ...]
    tax_lines: tuple[WooTaxLine, ...] = ()
    shipping_lines: tuple[WooCharge, ...] = ()
    fee_lines: tuple[WooCharge, ...] = ()
    coupon_lines: tuple[WooCoupon, ...] = ()
    refunds: tuple[WooRefundHead, ...] = ()
    gift_cards: tuple[WooGiftCard, ...] | None = None
    meta_data: tuple[WooMeta, ...] | None = ()


class WooRefund(Wire):
    id: str
    date_created_gmt: str
    amount: Money
    reason: str | None = None
    line_items: tuple[WooLine, ...] = ()
    shipping_lines: tuple[WooCharge, ...] = ()
    fee_lines: tuple[WooCharge, ...] = ()


class WooWebhook(Wire):
    id: str
    status: str = ""
    topic: str = ""
    delivery_url: str = ""
