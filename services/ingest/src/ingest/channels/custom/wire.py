"""The native order document of a custom store (see README). Written for us, so it is read strictly.

Money and quantities are decimal strings: a JSON number has gone through binary floating point somewhere, and is
refused with the path to it.
"""

from datetime import UTC
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import CoreSchema, core_schema

from common.messages.orders import PURCHASE_PREFIX, Direction
from ingest.reading import Moment

_PATTERN = r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$"


class _DecimalText:
    """A decimal string and nothing else, checked by its pattern alone."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        text = core_schema.str_schema(pattern=_PATTERN, max_length=34, strict=True)
        return core_schema.no_info_after_validator_function(Decimal, text)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": _PATTERN, "maxLength": 34, "examples": ["19.90"]}


Number = Annotated[Decimal, _DecimalText()]
Text = Annotated[str, Field(max_length=500)]
LongText = Annotated[str, Field(max_length=4000)]
OffsetTime = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]
Identity = Annotated[str, Field(min_length=1, max_length=100)]


def _own(identity: str) -> str:
    if identity.startswith(PURCHASE_PREFIX):
        raise ValueError(f"ids beginning with {PURCHASE_PREFIX!r} are ours: leave that out and send direction instead")
    return identity


class Wire(BaseModel):
    """Known fields must have their type. Others are kept aside, for a push names them in its answer: one may be money
    under a misspelt name."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)


class CustomTax(Wire):
    name: Text = "Tax"
    jurisdiction: Text = ""
    """Whom the tax is owed to; tax of one title and two jurisdictions stays apart."""
    rate: Number | None = None
    amount: Number


class CustomLine(Wire):
    external_id: Identity | None = None
    sku: Text | None = None
    name: Text
    description: LongText = ""
    product_id: Text = ""
    variant_id: Text = ""
    quantity: Number
    fulfilled_quantity: Number | None = None
    """How much of it was shipped, where the order is fulfilled in parts."""
    unit_price: Number
    discount: Number = Decimal(0)
    """Of the whole line."""
    taxable: bool = True
    kind: Literal["product", "gift_card", "tip", "fee"] = "product"
    """A gift card that is sold is a liability, not income."""
    taxes: tuple[CustomTax, ...] = ()
    uom: Text = ""
    class_name: Text = ""
    site: Text = ""
    lot: Text = ""
    shipped_at: OffsetTime | None = None


class CustomShipping(Wire):
    """`amount` is net of shipping discounts."""

    name: Text = ""
    amount: Number
    taxes: tuple[CustomTax, ...] = ()


class CustomFee(Wire):
    name: Text
    amount: Number
    taxes: tuple[CustomTax, ...] = ()


class CustomDiscount(Wire):
    code: Text | None = None
    scope: Literal["line", "order", "shipping"] = "order"
    amount: Number


class CustomGiftCard(Wire):
    code_last4: Text = ""
    amount: Number


class CustomTotals(Wire):
    """`subtotal`, `shipping`, `fees`, `tip`, `paid` and `due` are for readers: the parts themselves say it."""

    subtotal: Any = None
    discount: Number | None = None
    shipping: Any = None
    tax: Number | None = None
    fees: Any = None
    tip: Any = None
    grand_total: Number
    """What the buyer owes; must equal the sum of the parts within one minor unit per line, at most five."""
    paid: Any = None
    due: Any = None


class CustomPayment(Wire):
    external_id: Identity
    method: Text = ""
    """How it was paid, where there is no `gateway`: settings such as `deposit_accounts` go by the one that counts."""
    gateway: Text = ""
    """Through whom it was paid: counts before `method`."""
    amount: Number
    currency: Text | None = None
    paid_at: OffsetTime | None = None
    reference: Text = ""
    fee: Number | None = None


class CustomRefundLine(Wire):
    """`amount` is in the order's price terms: with tax where its prices contain tax."""

    line_external_id: Identity
    quantity: Number
    amount: Number
    tax: Number = Decimal(0)
    restock: bool = False


class CustomRefund(Wire):
    external_id: Identity
    created_at: OffsetTime
    reason: LongText | None = None
    amount: Number
    shipping: Number = Decimal(0)
    shipping_tax: Number = Decimal(0)
    payment_external_id: Identity | None = None
    lines: tuple[CustomRefundLine, ...] = ()


class CustomAddress(Wire):
    name: Text | None = None
    company: Text | None = None
    line1: Text | None = None
    line2: Text | None = None
    city: Text | None = None
    county: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None
    phone: Text | None = None
    email: Text | None = None


class CustomCustomer(Wire):
    external_id: Identity | None = None
    email: Text | None = None
    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text | None = None
    company: Text | None = None
    phone: Text | None = None
    tax_exempt: bool = False
    vat_number: Text = ""
    tags: tuple[Text, ...] = ()
    group: Text = ""
    price_level: Text = ""


class CustomOrder(Wire):
    """One order as it stands now, whole: everything that is left out is taken to be empty."""

    external_id: Annotated[Identity, AfterValidator(_own)]
    """The store's own id of the order; never changes. A purchase and an order may have the same."""
    direction: Literal["sale", "purchase"] = "sale"
    """`purchase`: what the store bought, with lines at cost, for the modes purchase_orders, bills,
    purchase_orders_bills and expenses."""
    vendor_name: Text = ""
    """Of a purchase: whom it was bought from, as the ledger calls them. Purchase orders and bills need it."""
    order_number: Identity
    """What people call the order; becomes the number of its documents."""
    status: Literal[
        "pending", "authorized", "paid", "partially_paid", "partially_refunded", "refunded", "voided", "cancelled"
    ]
    fulfillment_status: Literal["unfulfilled", "partial", "fulfilled"] = "unfulfilled"
    test: bool = False
    """A test order is never written to a ledger."""
    created_at: OffsetTime
    updated_at: OffsetTime
    """When this version was made, with an offset: a later one replaces an earlier one. Of several contents under one
    time one stays, the same in whichever order they come; a push of another is answered with SAME_UPDATED_AT."""
    cancelled_at: OffsetTime | None = None
    """Given where the whole order was cancelled."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    exchange_rate: Number | None = None
    """Home currency per unit of the order's; empty: the ledger's own rate."""
    prices_include_tax: bool
    """Whether unit prices, discounts, shipping, fees and refunds contain tax."""
    channel: Text = ""
    store_name: Text = ""
    po_number: Text | None = None
    parent_number: Text = ""
    """Number of the order that this one replaces or returns."""
    terms: Text = ""
    due_at: Moment | None = None
    sales_rep: Text = ""
    class_name: Text = ""
    department: Text = ""
    warehouse: Text = ""
    invoice_mode: Text = ""
    ship_method: Text = ""
    tracking_number: Text = ""
    shipped_at: OffsetTime | None = None
    shipping_cost: Number | None = None
    """What the merchant paid for shipping."""
    merchant_fee: Number | None = None
    """What the processor keeps of the whole order, where it is not known per payment."""
    reference_number: Text = ""
    payout_id: Text = ""
    """The processor's payout that paid this order out, where the store knows it."""
    note: LongText = ""
    """What the buyer wrote; it stands on the documents."""
    private_note: LongText = ""
    """What your own people wrote: rules can read it, no document shows it by itself."""
    gift_message: LongText = ""
    """What goes with a present: as `private_note`."""
    tags: tuple[Text, ...] = ()
    custom_fields: dict[str, Text] = Field(default_factory=dict, max_length=100)
    """What has no field here, under names of the store's own; rules can read it. Other unknown fields are ignored, and
    the answer names them."""
    do_not_import: bool = False
    """True keeps the order out of the ledger."""
    tax_remitted: Number = Decimal(0)
    """Tax that a marketplace has collected and paid itself."""
    customer: CustomCustomer | None = None
    billing_address: CustomAddress | None = None
    shipping_address: CustomAddress | None = None
    lines: Annotated[tuple[CustomLine, ...], Field(max_length=5000)]
    shipping: tuple[CustomShipping, ...] = ()
    fees: tuple[CustomFee, ...] = ()
    discounts: tuple[CustomDiscount, ...] = ()
    """Names of reductions; what `totals.discount` says beyond the lines' own discounts is taken off the order."""
    tip: Number = Decimal(0)
    """A tip on the whole order."""
    gift_cards: tuple[CustomGiftCard, ...] = ()
    """Gift cards that paid for the order: a tender, not a discount."""
    totals: CustomTotals
    payments: tuple[CustomPayment, ...] = ()
    """Money that was captured. An authorisation is no payment."""
    refunds: tuple[CustomRefund, ...] = ()

    @property
    def order_id(self) -> str:
        """What the order is kept under."""
        return order_id_of(self.direction, self.external_id)


def order_id_of(direction: object, external_id: object) -> str:
    """A purchase and an order of one id are two."""
    return f"{PURCHASE_PREFIX}{external_id}" if direction == Direction.PURCHASE else str(external_id)
