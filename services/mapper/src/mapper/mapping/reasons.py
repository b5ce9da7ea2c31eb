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


def _notice(code: str, text: str, cure: str = "", field: str | None = None, value: str | None = None) -> Reason:
    return Reason(
        code=code, text=text[:4000], cure=cure[:500], field=field, value=_short(value), severity=Severity.WARNING
    )


def _error(code: str, text: str, cure: str = "", field: str | None = None, value: str | None = None) -> Reason:
    return Reason(code=code, text=text[:4000], cure=cure[:500], field=field, value=_short(value))


def _short(value: str | None) -> str | None:
    return None if value is None else value[:500]


# ---------------------------------------------------------------------------------------------------------- filters


def draft() -> Reason:
    return _error("DRAFT", "Drafts are never synced.", "Complete the draft order in the shop.", "lifecycle", "draft")


def test_order() -> Reason:
    return _error("TEST_ORDER", "Test orders are never synced.", field="custom_fields.test")


def connection_disabled(name: str) -> Reason:
    return _error("CONNECTION_DISABLED", f"The connection {name!r} is switched off.", "Switch the connection on.")


def do_not_import(rule: str | None) -> Reason:
    if rule is None:
        return _error("DO_NOT_IMPORT", "The shop marked this order as not for import.", field="do_not_import")
    return _error("DO_NOT_IMPORT", f"Filtered by the rule {rule!r}.", "Change or disable the rule.", "rule", rule)


def store_filtered(store: str) -> Reason:
    return _error(
        "STORE_FILTERED",
        f"The store {store!r} is not among the stores of this connection.",
        "Add the store to the store filter.",
        "store_filter",
        store,
    )


def mode_none() -> Reason:
    return _error("MODE_NONE", "The transaction mode is `none`.", "Choose a transaction mode.", "mode", "none")


def before_start(ordered_on: date, start: date) -> Reason:
    return _error(
        "BEFORE_START_DATE",
        f"The order of {ordered_on} is older than the connection's start date {start}.",
        "Move the start date back, or leave the order out.",
        "start_date",
        start.isoformat(),
    )


def status_filtered(statuses: str, wanted: str) -> Reason:
    return _error(
        "STATUS_FILTERED",
        f"The order is {statuses}; the status filter lets {wanted} pass.",
        "Add the status to the filter, or wait until the order reaches it.",
        "order_statuses",
        wanted,
    )


def closed_period(on: date, closed_through: date) -> Reason:
    return _error(
        "CLOSED_PERIOD",
        f"The document is dated {on}, and the books are closed through {closed_through}.",
        "Open the period, post with a later date, or dismiss.",
        "closed_through",
        closed_through.isoformat(),
    )


def original_missing() -> Reason:
    return _error(
        "ORIGINAL_MISSING",
        "The order was refunded before it was ever written, and refunds without their original are skipped.",
        "Set missing_original to sync_original_first.",
        "missing_original",
        "skip",
    )


def nothing_to_write(status: str) -> Reason:
    return _notice("NO_DOCUMENTS", f"An order that is {status} becomes no document in this mode.")


def before_horizon(on: date, horizon: date) -> Reason:
    return _error(
        "BEFORE_HORIZON",
        f"The document of {on} is older than the customer's horizon {horizon}.",
        "Move the customer's horizon back.",
        "horizon",
        horizon.isoformat(),
    )


def zero_total() -> Reason:
    return _error(
        "ZERO_TOTAL",
        "The order's total is zero, and such orders are not synced.",
        "Switch sync_zero_total_orders on.",
        "sync_zero_total_orders",
        "false",
    )


def in_summary(on: date) -> Reason:
    return _notice("IN_SUMMARY", f"The order is part of the summary of {on}.")


def in_payout() -> Reason:
    return _notice("IN_PAYOUT", "The order is accounted for by the payout that pays it out.")


# ------------------------------------------------------------------------------------------------ what stops a set


def refused_value(field: str, value: str, why: str) -> Reason:
    return _error(
        "VALUE_REFUSED", f"{field} is {value}: {why}.", "Correct the order in the shop, or by a rule.", field, value
    )


def company_unknown(company_id: str) -> Reason:
    return _error(
        "COMPANY_NOT_CONNECTED",
        "The company file of this connection is not paired yet.",
        "Pair the company file.",
        "company_id",
        company_id,
    )


def account_missing(role: AccountRole) -> Reason:
    return _error(
        "ACCOUNT_MISSING",
        f"No ledger account is set for {ROLE_NAMES[role]} ({role.value}).",
        f"Choose an account for {ROLE_NAMES[role]} in the company settings.",
        f"accounts.{role.value}",
    )


def totals_mismatch(stated: Decimal, computed: Decimal, currency: str, what: str = "order") -> Reason:
    return _error(
        "TOTALS_MISMATCH",
        f"The {what} says {stated} {currency}, its parts add up to {computed} {currency} "
        f"(difference {stated - computed}).",
        f"Correct the {what} in the shop or the rule that changed it.",
        "total",
        f"{stated}",
    )


def amount_changed(stated: Decimal, changed: Decimal, currency: str, rule: str) -> Reason:
    return _error(
        "AMOUNT_CHANGED_BY_RULE",
        f"The rule {rule!r} changed the total from {stated} to {changed} {currency}, and the customer has paid.",
        "Allow the rule to change totals, or change the rule.",
        "rule",
        rule,
    )


def currency_not_enabled(currency: str, home: str) -> Reason:
    return _error(
        "CURRENCY_NOT_ENABLED",
        f"The order is in {currency}; the company file keeps its books in {home} only.",
        "Switch on multi-currency in the ledger, or leave such orders out by a rule.",
        "currency",
        currency,
    )


def unknown_currency(currency: str) -> Reason:
    return _error(
        "CURRENCY_UNKNOWN",
        f"{currency} is not a currency with a minor unit.",
        "Correct the currency in the shop, or map it by a rule.",
        "currency",
        currency,
    )


def tender_currency(currency: str, order_currency: str) -> Reason:
    return _error(
        "TENDER_CURRENCY_DIFFERS",
        f"A payment is in {currency}, the order in {order_currency}.",
        "Map the order's currency by a rule, or switch use_store_currency.",
        "tenders.currency",
        currency,
    )


def overpaid(paid: Decimal, total: Decimal, currency: str) -> Reason:
    return _error(
        "OVERPAYMENT",
        f"{paid} {currency} was paid for an order of {total} {currency}.",
        "Choose what to do with overpayments: unapplied or tip.",
        "overpayment_policy",
        "stop",
    )


def mode_not_supported(mode: str, why: str, cure: str) -> Reason:
    return _error("MODE_NOT_SUPPORTED", f"The mode {mode} can't be used here: {why}.", cure, "mode", mode)


def tax_line_refused(mode: str) -> Reason:
    return _error(
        "TAX_LINE_IN_SALES_ORDER",
        f"Tax written as a line keeps a sales order open for ever; the mode {mode} can't use the method tax_line.",
        "Use tax codes or override in sales-order modes.",
        "tax.method",
        "tax_line",
    )


def fees_conflict() -> Reason:
    return _error(
        "FEES_TWICE",
        "Merchant fees are set both on the order and on the payout; they would be counted twice.",
        "Switch off one of them.",
        "fees.on_order",
    )


def order_of_summary(number: str, reason: Reason) -> Reason:
    return reason.model_copy(update={"text": f"Order {number} of the summary: {reason.text}"[:4000]})


def summary_negative(day: date, total: Decimal, currency: str) -> Reason:
    return _error(
        "SUMMARY_NEGATIVE",
        f"The summary of {day} comes to {total} {currency}: more went back than came in.",
        "Switch merge_refunds off, so that refunds have documents of their own.",
        "merge_refunds",
        "true",
    )


# ------------------------------------------------------------------------------------------- what holds a document


def waiting_for_day_end(day: date) -> Reason:
    return _error("WAITING_FOR_DAY_END", f"The summary of {day} waits until the day is over.")


def waiting_for_payment(total: Decimal, paid: Decimal, currency: str) -> Reason:
    return _error(
        "WAITING_FOR_PAYMENT",
        f"The sales receipt waits until the order is paid in full ({paid} of {total} {currency} so far).",
        "Nothing to do; it is written when the payment arrives.",
    )


def no_balance() -> Reason:
    return _notice("NO_BALANCE", "The order has no balance, so there is nothing to pay.")


def product_missing(sku: str, name: str) -> Reason:
    said = f"the SKU {sku!r}" if sku else f"no SKU (title {name!r})"
    return _error(
        "PRODUCT_MISSING",
        f"No item of the ledger matches the product with {said}.",
        "Map the product, or create the item in the ledger.",
        "lines.sku" if sku else "lines.name",
        sku or name,
    )


def mapped_item_missing(source: str, item: str) -> Reason:
    return _error(
        "PRODUCT_MISSING",
        f"{source!r} is mapped to the item {item!r}, which the ledger does not have.",
        "Map the product to an item that exists, or create the item in the ledger.",
        "products.map",
        item,
    )


def product_ambiguous(key: str, names: str) -> Reason:
    return _error(
        "PRODUCT_AMBIGUOUS",
        f"{key!r} matches several items of the ledger: {names}.",
        "Map the product to one of them, or use the full name as SKU.",
        "lines.sku",
        key,
    )


def product_inactive(name: str) -> Reason:
    return _error(
        "PRODUCT_INACTIVE",
        f"The item {name!r} is inactive in the ledger.",
        "Reactivate the item or map the product to another one.",
        "lines.sku",
        name,
    )


def product_name_taken(name: str, sku: str) -> Reason:
    return _error(
        "PRODUCT_NAME_TAKEN",
        f"The ledger has an item named {name!r} with another SKU ({sku or 'none'}).",
        "Map the product, or rename one of them.",
        "lines.name",
        name,
    )


def customer_missing(name: str) -> Reason:
    return _error(
        "CUSTOMER_MISSING",
        f"The customer {name!r} is not connected to the ledger.",
        "Connect the customer, or dismiss it.",
        "customer",
        name,
    )


def customer_dismissed(name: str) -> Reason:
    return _error(
        "DISMISSED_DEPENDENCY",
        f"The customer {name!r} was dismissed.",
        "Connect the customer to write its documents.",
        "customer",
        name,
    )


# --------------------------------------------------------------------------------------------------------- notices


def name_truncated(name: str, limit: int) -> Reason:
    return _notice("NAME_TRUNCATED", f"The customer's name was cut to {limit} characters.", field="name", value=name)


def number_unavailable() -> Reason:
    return _notice(
        "NEXT_NUMBER_UNAVAILABLE",
        "The ledger keeps custom transaction numbers and assigns none itself.",
        "Switch custom transaction numbers off in the ledger, or mirror the order number.",
        "numbers.policy",
        "next",
    )


def rounding_added(amount: Decimal, currency: str) -> Reason:
    return _notice("ROUNDING_ADDED", f"A rounding line of {amount} {currency} was added.", field="total")


def mixed_tenders(accounts: str) -> Reason:
    return _notice(
        "MIXED_TENDERS",
        f"The order was paid into several accounts ({accounts}); a receipt has one, that of the largest payment.",
        "Use invoices with payments for orders with several tenders.",
        "tenders.method",
    )


def tax_not_expected(amount: Decimal, currency: str) -> Reason:
    return _notice(
        "TAX_CHARGED",
        f"The shop charged {amount} {currency} of tax that was not expected; it is posted as charged.",
        "Check the tax settings of the shop.",
        "tax_total",
        f"{amount}",
    )


def tax_code_near(place: str, near: str) -> Reason:
    return _notice(
        "TAX_CODE_NEAR_MATCH",
        f"No tax code is mapped for {place!r}; there is one for {near!r}.",
        "Map the place exactly as the shop writes it.",
        "tax.codes",
        place,
    )


def sku_missing(name: str) -> Reason:
    return _notice(
        "SKU_MISSING", f"The line {name!r} has no SKU.", "Map the product by its id or title.", "lines.sku", name
    )


def price_kept(item: str, level: str) -> Reason:
    return _notice(
        "PRICE_LEVEL_MISSING", f"{item!r} has no price in the level {level!r}; the shop's price was kept.", value=item
    )
