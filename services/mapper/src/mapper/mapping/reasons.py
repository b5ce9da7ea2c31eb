"""Why something is not in the ledger, said once: every code the core can give, with its words and its cure."""

from datetime import date
from decimal import Decimal
from typing import Final

from common.messages.base import Reason, Severity
from common.messages.transactions import AccountRole

ROLE_NAMES: Final[dict[AccountRole, str]] = {
    AccountRole.RECEIVABLE: "accounts receivable",
    AccountRole.UNDEPOSITED_FUNDS: "undeposited funds",
    AccountRole.CLEARING: "payment clearing",
    AccountRole.BANK: "bank",
    AccountRole.INCOME: "product income",
    AccountRole.SHIPPING_INCOME: "shipping income",
    AccountRole.DISCOUNTS: "discounts",
    AccountRole.RETURNS: "returns and allowances",
    AccountRole.TAX: "sales tax payable",
    AccountRole.GIFT_CARDS: "gift cards outstanding",
    AccountRole.TIPS: "tips payable",
    AccountRole.FEES: "merchant fees",
    AccountRole.CHARGEBACKS: "chargebacks",
    AccountRole.RESERVE: "processor reserve",
    AccountRole.SHORTFALL: "payout shortfall",
    AccountRole.CARRIED_FORWARD: "carried forward",
    AccountRole.ROUNDING: "rounding differences",
    AccountRole.EXCHANGE: "exchange differences",
    AccountRole.INVENTORY: "inventory asset",
    AccountRole.COST_OF_GOODS: "cost of goods sold",
    AccountRole.PAYABLE: "accounts payable",
    AccountRole.DEFERRED_REVENUE: "deferred revenue",
    AccountRole.BAD_DEBT: "bad debts",
}


class Held(Exception):
    """The order belongs in the ledger and can't be mapped; raised anywhere in the core, answered by `map_order`."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def notice(code: str, text: str, cure: str = "", field: str | None = None, value: str | None = None) -> Reason:
    return Reason(
        code=code, text=text[:4000], cure=cure[:500], field=field, value=_short(value), severity=Severity.WARNING
    )


def error(code: str, text: str, cure: str = "", field: str | None = None, value: str | None = None) -> Reason:
    return Reason(code=code, text=text[:4000], cure=cure[:500], field=field, value=_short(value))


def _short(value: str | None) -> str | None:
    return None if value is None else value[:500]


# ------------------------------------------------------------ what stops a set


def refused_value(field: str, value: str, why: str) -> Reason:
    return error(
        "VALUE_REFUSED", f"{field} is {value}: {why}.", "Correct the order in the shop, or by a rule.", field, value
    )


def company_unknown(company_id: str) -> Reason:
    return error(
        "COMPANY_NOT_CONNECTED",
        "The company file of this connection is not paired yet.",
        "Pair the company file.",
        "company_id",
        company_id,
    )


def account_missing(role: AccountRole) -> Reason:
    return error(
        "ACCOUNT_MISSING",
        f"No ledger account is set for {ROLE_NAMES[role]} ({role.value}).",
        f"Choose an account for {ROLE_NAMES[role]} in the company settings.",
        f"accounts.{role.value}",
    )


def totals_mismatch(stated: Decimal, computed: Decimal, currency: str, what: str) -> Reason:
    return error(
        "TOTALS_MISMATCH",
        f"The {what} says {stated} {currency}, its parts add up to {computed} {currency} "
        f"(difference {stated - computed}).",
        f"Correct the {what} in the shop or the rule that changed it.",
        "total",
        f"{stated}",
    )


def refunded_beyond_paid(returned: Decimal, paid: Decimal, currency: str) -> Reason:
    return error(
        "TOTALS_MISMATCH",
        f"Refunds of {returned} {currency} were given back, and only {paid} {currency} was ever paid.",
        "Correct the order's payments or refunds in the shop, so that no more goes back than came in.",
        "refunds",
        f"{returned}",
    )


def amount_changed(stated: Decimal, changed: Decimal, currency: str, rule: str) -> Reason:
    return error(
        "AMOUNT_CHANGED_BY_RULE",
        f"The rule {rule!r} changed the total from {stated} to {changed} {currency}, and the customer has paid.",
        "Allow the rule to change totals, or change the rule.",
        "rule",
        rule,
    )


def currency_not_enabled(currency: str, home: str) -> Reason:
    return error(
        "CURRENCY_NOT_ENABLED",
        f"The order is in {currency}; the company file keeps its books in {home} only.",
        "Switch on multi-currency in the ledger, or leave such orders out by a rule.",
        "currency",
        currency,
    )


def unknown_currency(currency: str) -> Reason:
    return error(
        "CURRENCY_UNKNOWN",
        f"{currency} is not a currency with a minor unit.",
        "Correct the currency in the shop, or map it by a rule.",
        "currency",
        currency,
    )


def tender_currency(currency: str, order_currency: str) -> Reason:
    return error(
        "TENDER_CURRENCY_DIFFERS",
        f"A payment is in {currency}, the order in {order_currency}.",
        "Map the order's currency by a rule, or switch use_store_currency.",
        "tenders.currency",
        currency,
    )


def overpaid(paid: Decimal, total: Decimal, currency: str) -> Reason:
    return error(
        "OVERPAYMENT",
        f"{paid} {currency} was paid for an order of {total} {currency}.",
        "Choose what to do with overpayments: unapplied or tip.",
        "overpayment_policy",
        "stop",
    )


def mode_not_supported(mode: str, why: str, cure: str) -> Reason:
    return error("MODE_NOT_SUPPORTED", f"The mode {mode} can't be used here: {why}.", cure, "mode", mode)


def tax_line_refused(mode: str) -> Reason:
    return error(
        "TAX_LINE_IN_SALES_ORDER",
        f"Tax written as a line keeps a sales order open for ever; the mode {mode} can't use the method tax_line.",
        "Use tax codes or override in sales-order modes.",
        "tax.method",
        "tax_line",
    )


def fees_conflict() -> Reason:
    return error(
        "FEES_TWICE",
        "Merchant fees are set both on the order and on the payout; they would be counted twice.",
        "Switch off one of them.",
        "fees.on_order",
    )


def order_of_summary(number: str, reason: Reason) -> Reason:
    return reason.model_copy(update={"text": f"Order {number} of the summary: {reason.text}"[:4000]})


def summary_negative(day: date, total: Decimal, currency: str) -> Reason:
    return error(
        "SUMMARY_NEGATIVE",
        f"The summary of {day} comes to {total} {currency}: more went back than came in.",
        "Switch merge_refunds off, so that refunds have documents of their own.",
        "merge_refunds",
        "true",
    )


# ------------------------------------------------------------ what holds a document


def waiting_for_day_end(day: date) -> Reason:
    return error("WAITING_FOR_DAY_END", f"The summary of {day} waits until the day is over.")


def waiting_for_payment(total: Decimal, paid: Decimal, currency: str) -> Reason:
    return error(
        "WAITING_FOR_PAYMENT",
        f"The sales receipt waits until the order is paid in full ({paid} of {total} {currency} so far).",
        "Nothing to do; it is written when the payment arrives.",
    )


def payments_short(status: str, total: Decimal, paid: Decimal, missing: Decimal, currency: str) -> Reason:
    """The channel calls an order paid whose payments say otherwise: no other payment may ever come."""
    return error(
        "PAYMENTS_SHORT",
        f"The channel says that the order is {status}, and its payments come to {paid} of {total} {currency}: "
        f"{missing} {currency} is missing.",
        "Let the channel send the missing payment, or correct the order's total in the shop.",
        "financial_status",
        status,
    )


def no_balance() -> Reason:
    return notice("NO_BALANCE", "The order has no balance, so there is nothing to pay.")


def product_missing(sku: str, name: str, *, listed: bool) -> Reason:
    """`listed`: the ledger keeps a list of items, where one can be made."""
    said = f"the SKU {sku!r}" if sku else f"no SKU (title {name!r})"
    return error(
        "PRODUCT_MISSING",
        f"No item of the ledger matches the product with {said}."
        if listed
        else f"The product with {said} has no item.",
        "Map the product, or create the item in the ledger."
        if listed
        else "Map the product to the name of an item, or have missing ones made or put on one item (products.missing).",
        "lines.sku" if sku else "lines.name",
        sku or name,
    )


def mapped_item_missing(source: str, item: str) -> Reason:
    return error(
        "PRODUCT_MISSING",
        f"{source!r} is mapped to the item {item!r}, which the ledger does not have.",
        "Map the product to an item that exists, or create the item in the ledger.",
        "products.map",
        item,
    )


def product_ambiguous(key: str, names: str) -> Reason:
    return error(
        "PRODUCT_AMBIGUOUS",
        f"{key!r} matches several items of the ledger: {names}.",
        "Map the product to one of them, or use the full name as SKU.",
        "lines.sku",
        key,
    )


def product_inactive(name: str) -> Reason:
    return error(
        "PRODUCT_INACTIVE",
        f"The item {name!r} is inactive in the ledger.",
        "Reactivate the item or map the product to another one.",
        "lines.sku",
        name,
    )


def product_name_taken(name: str, sku: str) -> Reason:
    return error(
        "PRODUCT_NAME_TAKEN",
        f"The ledger has an item named {name!r} with another SKU ({sku or 'none'}).",
        "Map the product, or rename one of them.",
        "lines.name",
        name,
    )


def customer_missing(name: str) -> Reason:
    return error(
        "CUSTOMER_MISSING",
        f"The customer {name!r} is not connected to the ledger.",
        "Connect the customer, or dismiss it.",
        "customer",
        name,
    )


def customer_dismissed(name: str) -> Reason:
    return error(
        "DISMISSED_DEPENDENCY",
        f"The customer {name!r} was dismissed.",
        "Connect the customer to write its documents.",
        "customer",
        name,
    )


def seller_missing() -> Reason:
    return error(
        "VENDOR_MISSING",
        "The purchase does not say whom it was bought from, and purchase orders and bills need a vendor.",
        "Let the store send the vendor's name, or set it by a rule map_customer_name.",
        "vendor_name",
        "",
    )


def vendor_missing() -> Reason:
    return Reason(
        code="VENDOR_MISSING",
        text="A bill for the merchant fee needs a vendor, and none is set.",
        cure="Name the payee in the fee settings, or write the fee as an expense.",
        field="fees.payee",
        value="",
    )
