"""What a rule says, as people write it and every service passes it on (section 22); mapper owns and runs it."""

import json
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, GetJsonSchemaHandler, JsonValue, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

CONDITIONS_MAX = 50
FIELD_NAMES: Final = (
    "number", "external_id", "channel", "native_status", "financial_status", "fulfillment_status", "lifecycle",
    "currency", "customer_currency", "parent_number", "store_name", "po_number", "terms", "sales_rep",
    "department", "warehouse", "ship_method", "tracking_number", "note", "private_note", "gift_message", "tags",
    "discount_codes", "reference_number", "payout_id", "invoice_mode", "tax_included", "direction", "vendor_name",
    "total", "tips", "tax_remitted", "exchange_rate", "merchant_fee", "shipping_cost", "rounding", "ordered_on",
    "cancelled_on", "due_on", "ship_date", "created_at", "modified_at", "order_date", "due_date", "store_type",
    "class", "class_name", "total_tax", "tax_total", "shipping_amount", "shipping_method", "ship_via",
    "is_refund", "line_count", "first_name", "middle_name", "last_name", "customer_company", "email", "phone",
    "customer_id", "customer_tags", "customer_group", "tax_exempt", "vat_number", "price_level", "billing_name",
    "billing_company", "billing_line1", "billing_line2", "billing_city", "billing_county", "billing_state",
    "billing_zip", "billing_country", "billing_phone", "ship_name", "ship_company", "ship_line1", "ship_line2",
    "ship_city", "ship_county", "ship_state", "ship_zip", "ship_country", "ship_phone", "shipping_name",
    "shipping_company", "shipping_line1", "shipping_line2", "shipping_city", "shipping_county", "shipping_state",
    "shipping_zip", "shipping_country", "shipping_phone", "sku", "name", "uom", "site", "lot", "product_id",
    "variant_id", "vendor", "is_gift_card", "quantity", "unit_price", "amount", "fulfilled_quantity",
    "description", "line_class", "line_discount", "line_tax", "line_ship_date", "sku_missing", "payment_method",
    "payment_kind", "payment_reference", "payment_amount", "payment_date", "payment_currency", "payment_fee",
    "sku_original",
)  # fmt: skip
"""What conditions and templates can ask of an order, a line and a payment; custom fields come on top of them."""

Text = Annotated[str, Field(max_length=500)]


class Comparison(StrEnum):
    EQUALS = "equals"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    IN_LIST = "in_list"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    BETWEEN = "between"
    BEFORE = "before"
    AFTER = "after"
    REGEX = "regex"
    CEL = "cel"


class Action(StrEnum):
    MAP_TRANSACTION_TYPE = "map_transaction_type"
    DO_NOT_IMPORT = "do_not_import"
    DO_NOT_EXPORT = "do_not_export"
    DO_NOT_CREATE_INVOICE = "do_not_create_invoice"
    MARK_AS_UNPAID = "mark_as_unpaid"
    MARK_AS_PAID = "mark_as_paid"
    MAP_ORDER_NUMBER = "map_order_number"
    ADD_PREFIX = "add_prefix"
    MAP_REFERENCE_NUMBER = "map_reference_number"
    MAP_MEMO = "map_memo"
    MAP_ORDER_DATE = "map_order_date"
    MAP_DUE_DATE = "map_due_date"
    MAP_TERMS = "map_terms"
    MAP_CUSTOMER_NAME = "map_customer_name"
    MAP_BILLING_COMPANY = "map_billing_company"
    MAP_CUSTOMER_TYPE = "map_customer_type"
    MAP_PRICE_LEVEL = "map_price_level"
    MAP_SALES_REP = "map_sales_rep"
    MAP_CLASS = "map_class"
    MAP_LINE_CLASS = "map_line_class"
    MAP_SHIPPING_CLASS = "map_shipping_class"
    MAP_DISCOUNT_CLASS = "map_discount_class"
    MAP_DEPARTMENT = "map_department"
    MAP_AR_ACCOUNT = "map_ar_account"
    MAP_DEPOSIT_ACCOUNT = "map_deposit_account"
    MAP_PAYMENT_METHOD = "map_payment_method"
    MAP_MERCHANT_FEE_ITEM = "map_merchant_fee_item"
    MAP_MERCHANT_FEE_PERCENT = "map_merchant_fee_percent"
    MAP_MERCHANT_FEE_CENTS = "map_merchant_fee_cents"
    MAP_BILL_EXPENSE_ACCOUNT = "map_bill_expense_account"
    MAP_INCOME_ACCOUNT = "map_income_account"
    MAP_SKU = "map_sku"
    SPLIT_SKU = "split_sku"
    STRIP_SKU = "strip_sku"
    MULTIPLY_QUANTITY = "multiply_quantity"
    MAP_DESCRIPTION = "map_description"
    MAP_UOM = "map_uom"
    MAP_SITE = "map_site"
    MAP_LINE_TAX_CODE = "map_line_tax_code"
    MAP_SHIPPING_TAX_CODE = "map_shipping_tax_code"
    MAP_DISCOUNT_TAX_CODE = "map_discount_tax_code"
    MAP_TAX_ITEM = "map_tax_item"
    REMOVE_TAX = "remove_tax"
    MAP_SHIPPING_METHOD = "map_shipping_method"
    MAP_SHIPPING_AMOUNT = "map_shipping_amount"
    ADD_SHIPPING_SURCHARGE = "add_shipping_surcharge"
    MAP_DISCOUNT = "map_discount"
    MAP_STORE_NAME = "map_store_name"
    MAP_CUSTOM_FIELD = "map_custom_field"
    MAP_TEMPLATE = "map_template"
    EXCLUDE_PRODUCT_FROM_INVENTORY = "exclude_product_from_inventory"
    MAP_CURRENCY = "map_currency"
    ADD_TAG = "add_tag"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class Condition(Part):
    """One comparison of a field of the order."""

    field: Annotated[Text, Field(examples=list(FIELD_NAMES))]
    """Of the order, each line or each payment. The examples are all there are, but for `custom.<name>` and
    `line_custom.<name>`, which are custom fields, and `expression`, where `comparison` is `cel`."""
    comparison: Comparison
    value: Text = ""
    """What is compared with; the text of the expression where `comparison` is `cel`."""
    values: Annotated[tuple[Text, ...], Field(max_length=5000)] = ()
    """In the place of `value`: any number of them for `in_list`, two for `between`."""


def _kind(given: Any) -> str:
    names = given if isinstance(given, dict) else type(given).model_fields if isinstance(given, Part) else ()
    return Group.__name__ if "conditions" in names else Condition.__name__


OneCondition = Annotated[
    Annotated[Condition, Tag("Condition")] | Annotated["Group", Tag("Group")], Discriminator(_kind)
]
"""Known by its `conditions`, so that what is wrong with one is said of what was meant."""


class Group(Part):
    """Conditions joined by one word; other words need a group of their own."""

    match: Literal["all", "any"] = "all"
    conditions: Annotated[tuple[OneCondition, ...], Field(max_length=CONDITIONS_MAX)]


class RuleDefinition(Part):
    """What a rule does, and to which orders. Most actions want one of `value`, `copy_from` and `clear`."""

    direction: Literal["to_ledger", "from_ledger"] = "to_ledger"
    connections: Literal["all"] | Annotated[tuple[Text, ...], Field(max_length=1000)] = "all"
    """Ids of the connections that it is for."""
    match: Literal["all", "any"] = "all"
    """Whether all of the conditions must hold or any one of them."""
    conditions: Annotated[tuple[OneCondition, ...], Field(max_length=CONDITIONS_MAX)] = ()
    """Without any it is for every order."""
    action: Action
    value: Text = ""
    """A text, or one with fields in braces as conditions name them, such as `Web {number}`."""
    copy_from: Text = ""
    """Field whose text becomes the value, as conditions name it."""
    clear: bool = False
    """Empty the field; an empty value alone is refused."""
    stop: bool = False
    """It ends the list for the order, line or payment that it was applied to."""
    allow_total_change: bool = False
    """Do not hold the order where its total is no longer the channel's."""


class _ShownAsRule:
    """Describes in schemas what the JSON says."""

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(RuleDefinition.__pydantic_core_schema__)


def _is_whole(given: dict[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError(r"write a character beyond \uffff as itself, or as both halves of its pair") from None
    return given


Definition = Annotated[dict[str, JsonValue], AfterValidator(_is_whole), _ShownAsRule()]
"""A `RuleDefinition` that travels as it came: mapper alone reads it and names what is wrong with it, so that the two
sides can be deployed in any order."""
