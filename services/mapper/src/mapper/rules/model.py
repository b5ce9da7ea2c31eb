"""What a rule is: data that a person writes, a table imports, and the engine compiles (section 22)."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

DEPTH_MAX = 5
"""Groups within groups; deeper nesting is no longer readable."""
CONDITIONS_MAX = 50

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
    """A free-form condition: `field` is `expression`, `value` the CEL text."""


WITHOUT_VALUE = frozenset({Comparison.IS_EMPTY, Comparison.IS_NOT_EMPTY})


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


WITHOUT_ARGUMENT = frozenset(
    {
        Action.DO_NOT_IMPORT,
        Action.DO_NOT_EXPORT,
        Action.DO_NOT_CREATE_INVOICE,
        Action.MARK_AS_UNPAID,
        Action.MARK_AS_PAID,
        Action.REMOVE_TAX,
        Action.EXCLUDE_PRODUCT_FROM_INVENTORY,
    }
)


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Condition(Part):
    """One comparison. `values` serves in_list (any number) and between (two)."""

    field: Text
    comparison: Comparison
    value: Text = ""
    values: Annotated[tuple[Text, ...], Field(max_length=5000)] = ()


def _kind(given: Any) -> str:
    names = given if isinstance(given, dict) else type(given).model_fields if isinstance(given, Part) else ()
    return "Group" if "conditions" in names else "Condition"


OneCondition = Annotated[
    Annotated[Condition, Tag("Condition")] | Annotated["Group", Tag("Group")], Discriminator(_kind)
]
"""Known by its `conditions`, so that what is wrong with one is said of what was meant."""


class Group(Part):
    """Conditions joined by one word; other words need a group of their own."""

    match: Literal["all", "any"] = "all"
    conditions: Annotated[tuple[OneCondition, ...], Field(max_length=CONDITIONS_MAX)] = ()


class Rule(Part):
    """One rule. Rules run by priority, then name; the last writer wins, `stop` ends the list for its scope."""

    rule_id: Annotated[str, Field(max_length=128)] = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    """No other rule of the tenant has it."""
    enabled: bool = True
    priority: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    direction: Literal["to_ledger", "from_ledger"] = "to_ledger"
    connections: Literal["all"] | Annotated[tuple[Text, ...], Field(max_length=1000)] = "all"
    match: Literal["all", "any"] = "all"
    conditions: Annotated[tuple[OneCondition, ...], Field(max_length=CONDITIONS_MAX)] = ()
    action: Action
    value: Text = ""
    copy_from: Text = ""
    """Field whose text becomes the value."""
    clear: bool = False
    """Empty the field; an empty value alone is refused."""
    stop: bool = False
    allow_total_change: bool = False

    @model_validator(mode="after")
    def _has_one_value(self) -> "Rule":
        given = [bool(self.value), bool(self.copy_from), self.clear]
        if self.action in WITHOUT_ARGUMENT:
            return self
        if sum(given) > 1:
            raise ValueError("give one of value, copy_from and clear")
        if not any(given):
            raise ValueError("the value is empty: say `clear` to empty the field, or `copy_from` another field")
        return self
