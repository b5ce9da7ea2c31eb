"""What conditions can ask about: every field of an order, its lines, tenders, addresses and customer, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from common.messages.orders import Address, Customer, Order, OrderLine, Tender
from common.money import ZERO

NO_ADDRESS: Final = Address()
NO_CUSTOMER: Final = Customer()
CUSTOM: Final = "custom."
LINE_CUSTOM: Final = "line_custom."


class Scope(StrEnum):
    ORDER = "order"
    LINE = "line"
    PAYMENT = "payment"


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Field:
    """A named value of an order, of each line, or of each tender. `read` gets the thing of its scope."""

    name: str
    scope: Scope
    kind: Kind
    read: Callable[[Any], Any]


class UnknownField(ValueError):
    """A rule names a field that no order has."""

    def __init__(self, name: str) -> None:
        within = [known for known in FIELDS if name.endswith(f"_{known}")]
        near = list(dict.fromkeys([*within, *get_close_matches(name, list(FIELDS))]))[:3]
        hint = f"; did you mean {', '.join(near)}?" if near else "."
        super().__init__(f"there is no field {name!r}{hint} Custom fields are written custom.<name>.")
        self.name = name


def field_named(name: str) -> Field:
    """The field of that name. Raises `UnknownField` with near names."""
    known = FIELDS.get(name)
    if known is not None:
        return known
    if name.startswith(CUSTOM) and len(name) > len(CUSTOM):
        key = name.removeprefix(CUSTOM)
        return Field(name, Scope.ORDER, Kind.TEXT, lambda order: order.custom_fields.get(key, ""))
    if name.startswith(LINE_CUSTOM) and len(name) > len(LINE_CUSTOM):
        key = name.removeprefix(LINE_CUSTOM)
        return Field(name, Scope.LINE, Kind.TEXT, lambda line: line.custom_fields.get(key, ""))
    raise UnknownField(name)


def text_of(value: Any) -> str:
    """A field's value as rules compare and copy it: plain digits, ISO dates, `true` and `false`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value)


def plain(number: Decimal) -> str:
    """19.90 → 19.9 and 1E+2 → 100: equal numbers have equal texts."""
    if number == number.to_integral_value():
        return f"{number.quantize(Decimal(1)):f}" if number else "0"
    return f"{number.normalize():f}"


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda thing: getattr(thing, name)


def _customer(name: str) -> Callable[[Order], Any]:
    return lambda order: getattr(order.customer or NO_CUSTOMER, name)


def _address(which: str, name: str) -> Callable[[Order], Any]:
    return lambda order: getattr(getattr(order, which) or NO_ADDRESS, name)


def _shipping(order: Order) -> Decimal:
    return sum((line.amount for line in order.shipping_lines), ZERO)


def _shipping_title(order: Order) -> str:
    return order.shipping_lines[0].title if order.shipping_lines else order.ship_method


T, N, D = Kind.TEXT, Kind.NUMBER, Kind.DATE

_ORDER: Final[dict[str, tuple[Kind, Callable[[Order], Any]]]] = {
    **{
        name: (T, _attribute(name))
        for name in (
            "number",
            "external_id",
            "channel",
            "native_status",
            "financial_status",
            "fulfillment_status",
            "lifecycle",
            "currency",
            "customer_currency",
            "parent_number",
            "store_name",
            "po_number",
            "terms",
            "sales_rep",
            "department",
            "warehouse",
            "ship_method",
            "tracking_number",
            "note",
            "private_note",
            "gift_message",
            "tags",
            "discount_codes",
            "reference_number",
            "payout_id",
            "invoice_mode",
            "tax_included",
            "direction",
            "vendor_name",
        )
    },
    **{
        name: (N, _attribute(name))
        for name in ("total", "tips", "tax_remitted", "exchange_rate", "merchant_fee", "shipping_cost", "rounding")
    },
    **{
        name: (D, _attribute(name))
        for name in ("ordered_on", "cancelled_on", "due_on", "ship_date", "created_at", "modified_at")
    },
    "order_date": (D, _attribute("ordered_on")),
    "due_date": (D, _attribute("due_on")),
    "store_type": (T, lambda order: order.store_type or order.channel),
    "class": (T, _attribute("class_name")),
    "class_name": (T, _attribute("class_name")),
    "total_tax": (N, _attribute("tax_total")),
    "tax_total": (N, _attribute("tax_total")),
    "shipping_amount": (N, _shipping),
    "shipping_method": (T, _shipping_title),
    "ship_via": (T, lambda order: order.ship_method or _shipping_title(order)),
    "is_refund": (T, lambda order: bool(order.refunds)),
    "line_count": (N, lambda order: Decimal(len(order.lines))),
    "first_name": (T, _customer("first_name")),
    "middle_name": (T, _customer("middle_name")),
    "last_name": (T, _customer("last_name")),
    "customer_company": (T, _customer("company")),
    "email": (T, _customer("emails")),
    "phone": (T, _customer("phone")),
    "customer_id": (T, _customer("external_id")),
    "customer_tags": (T, _customer("tags")),
    "customer_group": (T, _customer("group")),
    "tax_exempt": (T, _customer("tax_exempt")),
    "vat_number": (T, _customer("vat_number")),
    "price_level": (T, _customer("price_level")),
    **{
        f"{prefix}_{short}": (T, _address(which, name))
        for prefix, which in (
            ("billing", "billing_address"),
            ("ship", "shipping_address"),
            ("shipping", "shipping_address"),
        )
        for short, name in (
            ("name", "name"),
            ("company", "company"),
            ("line1", "line1"),
            ("line2", "line2"),
            ("city", "city"),
            ("county", "county"),
            ("state", "region"),
            ("zip", "postal_code"),
            ("country", "country"),
            ("phone", "phone"),
        )
    },
}

_LINE: Final[dict[str, tuple[Kind, Callable[[OrderLine], Any]]]] = {
    **{
        name: (T, _attribute(name))
        for name in ("sku", "name", "uom", "site", "lot", "product_id", "variant_id", "vendor", "is_gift_card")
    },
    **{name: (N, _attribute(name)) for name in ("quantity", "unit_price", "amount", "fulfilled_quantity")},
    "description": (T, lambda line: line.description or line.name),
    "line_class": (T, _attribute("class_name")),
    "line_discount": (N, _attribute("discount")),
    "line_tax": (N, lambda line: sum((tax.amount for tax in line.taxes), ZERO)),
    "line_ship_date": (D, _attribute("ship_date")),
    "sku_missing": (T, lambda line: not line.sku),
}

_PAYMENT: Final[dict[str, tuple[Kind, Callable[[Tender], Any]]]] = {
    "payment_method": (T, _attribute("method")),
    "payment_kind": (T, _attribute("kind")),
    "payment_reference": (T, _attribute("reference")),
    "payment_amount": (N, _attribute("amount")),
    "payment_date": (D, _attribute("captured_on")),
    "payment_currency": (T, _attribute("currency")),
    "payment_fee": (N, _attribute("fee")),
}

FIELDS: Final[dict[str, Field]] = {
    **{name: Field(name, Scope.ORDER, kind, read) for name, (kind, read) in _ORDER.items()},
    **{name: Field(name, Scope.LINE, kind, read) for name, (kind, read) in _LINE.items()},
    **{name: Field(name, Scope.PAYMENT, kind, read) for name, (kind, read) in _PAYMENT.items()},
    "sku_original": Field("sku_original", Scope.LINE, Kind.TEXT, _attribute("sku")),
}
"""`sku_original` is read from the order as fetched; the engine sees to that."""
