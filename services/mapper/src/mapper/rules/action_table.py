"""Every action with the scope it works on, what it shows as changed, and which values it takes (section 22)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from common.internal.mapper_rules import Action
from common.messages.orders import Address, Customer
from common.money import ZERO
from mapper.rules import actions as do
from mapper.rules.action_checks import (
    check_currency,
    check_custom,
    check_date,
    check_due,
    check_factor,
    check_mode,
    check_number,
    check_split,
)
from mapper.rules.fields import Scope
from mapper.rules.working import Working


@dataclass(frozen=True, slots=True)
class ActionKind:
    """How an action works: on what, through what, the field it shows as changed, and what values it takes."""

    scope: Scope
    apply: do.Apply
    shows: str
    check: Callable[[str], None] = lambda _value: None
    for_refunds: bool = False
    """Whether it also runs on refunds, with `is_refund` true."""


ORDER, LINE, PAYMENT = Scope.ORDER, Scope.LINE, Scope.PAYMENT
A = Action

ACTIONS: Final[dict[Action, ActionKind]] = {
    A.MAP_TRANSACTION_TYPE: ActionKind(ORDER, do.apply_mode, "mode", check_mode),
    A.DO_NOT_IMPORT: ActionKind(ORDER, do.apply_by_rule("excluded_by"), "do_not_import"),
    A.DO_NOT_EXPORT: ActionKind(ORDER, do.apply_nothing, "do_not_export"),
    A.DO_NOT_CREATE_INVOICE: ActionKind(ORDER, do.apply_by_rule("no_invoice_by"), "do_not_create_invoice"),
    A.MARK_AS_UNPAID: ActionKind(ORDER, do.apply_by_rule("unpaid_by"), "paid"),
    A.MARK_AS_PAID: ActionKind(ORDER, do.apply_by_rule("paid_by"), "paid"),
    A.MAP_ORDER_NUMBER: ActionKind(ORDER, do.apply_order("number"), "number", for_refunds=True),
    A.ADD_PREFIX: ActionKind(ORDER, do.apply_directive("prefix"), "prefix"),
    A.MAP_REFERENCE_NUMBER: ActionKind(ORDER, do.apply_order("reference_number"), "reference_number"),
    A.MAP_MEMO: ActionKind(ORDER, do.apply_directive("memo"), "memo"),
    A.MAP_ORDER_DATE: ActionKind(ORDER, do.apply_order_date, "ordered_on", check_date),
    A.MAP_DUE_DATE: ActionKind(ORDER, do.apply_due_date, "due_on", check_due),
    A.MAP_TERMS: ActionKind(ORDER, do.apply_order("terms"), "terms"),
    A.MAP_CUSTOMER_NAME: ActionKind(ORDER, do.apply_directive("customer_name"), "customer_name"),
    A.MAP_BILLING_COMPANY: ActionKind(ORDER, do.apply_billing_company, "billing_company"),
    A.MAP_CUSTOMER_TYPE: ActionKind(ORDER, do.apply_customer_type, "customer_group"),
    A.MAP_PRICE_LEVEL: ActionKind(LINE, do.apply_price_level, "price_level"),
    A.MAP_SALES_REP: ActionKind(ORDER, do.apply_order("sales_rep"), "sales_rep"),
    A.MAP_CLASS: ActionKind(ORDER, do.apply_order("class_name"), "class"),
    A.MAP_LINE_CLASS: ActionKind(LINE, do.apply_line("class_name"), "line_class"),
    A.MAP_SHIPPING_CLASS: ActionKind(ORDER, do.apply_directive("shipping_class"), "shipping_class"),
    A.MAP_DISCOUNT_CLASS: ActionKind(ORDER, do.apply_directive("discount_class"), "discount_class"),
    A.MAP_DEPARTMENT: ActionKind(ORDER, do.apply_order("department"), "department"),
    A.MAP_AR_ACCOUNT: ActionKind(ORDER, do.apply_directive("receivable"), "ar_account"),
    A.MAP_DEPOSIT_ACCOUNT: ActionKind(PAYMENT, do.apply_deposit_account, "deposit_account"),
    A.MAP_PAYMENT_METHOD: ActionKind(PAYMENT, do.apply_payment_method, "payment_method"),
    A.MAP_MERCHANT_FEE_ITEM: ActionKind(ORDER, do.apply_directive("fee_item"), "fee_item"),
    A.MAP_MERCHANT_FEE_PERCENT: ActionKind(ORDER, do.apply_fee_percent, "fee_percent", check_number),
    A.MAP_MERCHANT_FEE_CENTS: ActionKind(ORDER, do.apply_fee_fixed, "fee_fixed", check_number),
    A.MAP_BILL_EXPENSE_ACCOUNT: ActionKind(ORDER, do.apply_directive("fee_account"), "fee_account"),
    A.MAP_INCOME_ACCOUNT: ActionKind(LINE, do.apply_line_directive("income_account"), "income_account"),
    A.MAP_SKU: ActionKind(LINE, do.apply_line("sku"), "sku", for_refunds=True),
    A.SPLIT_SKU: ActionKind(LINE, do.apply_split_sku, "sku", check_split, for_refunds=True),
    A.STRIP_SKU: ActionKind(LINE, do.apply_strip_sku, "sku", for_refunds=True),
    A.MULTIPLY_QUANTITY: ActionKind(LINE, do.apply_multiply, "quantity", check_factor),
    A.MAP_DESCRIPTION: ActionKind(LINE, do.apply_line("description"), "description"),
    A.MAP_UOM: ActionKind(LINE, do.apply_line("uom"), "uom"),
    A.MAP_SITE: ActionKind(LINE, do.apply_line("site"), "site"),
    A.MAP_LINE_TAX_CODE: ActionKind(LINE, do.apply_line_directive("tax_code"), "tax_code"),
    A.MAP_SHIPPING_TAX_CODE: ActionKind(ORDER, do.apply_directive("shipping_tax_code"), "shipping_tax_code"),
    A.MAP_DISCOUNT_TAX_CODE: ActionKind(ORDER, do.apply_directive("discount_tax_code"), "discount_tax_code"),
    A.MAP_TAX_ITEM: ActionKind(ORDER, do.apply_directive("tax_item"), "tax_item"),
    A.REMOVE_TAX: ActionKind(ORDER, do.apply_remove_tax, "total_tax"),
    A.MAP_SHIPPING_METHOD: ActionKind(ORDER, do.apply_directive("shipping_item"), "shipping_item"),
    A.MAP_SHIPPING_AMOUNT: ActionKind(ORDER, do.apply_shipping_amount, "shipping_amount", check_number),
    A.ADD_SHIPPING_SURCHARGE: ActionKind(ORDER, do.apply_shipping_surcharge, "shipping_amount", check_number),
    A.MAP_DISCOUNT: ActionKind(ORDER, do.apply_directive("discount_item"), "discount_item"),
    A.MAP_STORE_NAME: ActionKind(ORDER, do.apply_order("store_name"), "store_name"),
    A.MAP_CUSTOM_FIELD: ActionKind(ORDER, do.apply_custom_field, "custom_fields", check_custom),
    A.MAP_TEMPLATE: ActionKind(ORDER, do.apply_directive("template"), "template"),
    A.EXCLUDE_PRODUCT_FROM_INVENTORY: ActionKind(LINE, do.apply_nothing, "exclude_product_from_inventory"),
    A.MAP_CURRENCY: ActionKind(ORDER, do.apply_currency, "currency", check_currency),
    A.ADD_TAG: ActionKind(ORDER, do.apply_tag, "tags"),
}


def shown_value(working: Working, kind: ActionKind, action: Action, index: int) -> Any:
    """What the action's field holds now, for before → after."""
    directives = working.directives
    if kind.scope is Scope.PAYMENT:
        held = directives.deposit_accounts if action is A.MAP_DEPOSIT_ACCOUNT else directives.payment_methods
        return held.get(working.tenders[index].external_id, "")
    if kind.scope is Scope.LINE:
        line = working.lines[index]
        directive = directives.lines.get(line.external_id)
        if kind.shows in ("tax_code", "income_account", "price_level"):
            return getattr(directive, kind.shows) if directive else ""
        return getattr(line, {"line_class": "class_name"}.get(kind.shows, kind.shows), "")
    return _shown_of_order(working, kind.shows)


_BY_RULE: Final = {
    "do_not_import": "excluded_by",
    "do_not_create_invoice": "no_invoice_by",
    "ar_account": "receivable",
}


def _shown_of_order(working: Working, name: str) -> Any:
    order, directives = working.order, working.directives
    if name == "paid":
        return "unpaid" if directives.unpaid_by else "paid" if directives.paid_by else ""
    if name == "shipping_amount":
        return sum((line.amount for line in order.shipping_lines), ZERO)
    if name == "billing_company":
        return (order.billing_address or Address()).company
    if name == "customer_group":
        return (order.customer or Customer()).group
    if name == "custom_fields":
        return "; ".join(f"{key}={text}" for key, text in order.custom_fields.items())
    held = {"class": "class_name", "total_tax": "tax_total"}.get(name, name)
    if hasattr(order, held) and held not in _BY_RULE:
        return getattr(order, held)
    return getattr(directives, _BY_RULE.get(name, name), "")
