"""What was written and wants a look: warnings that hold nothing back."""

from collections.abc import Sequence
from decimal import Decimal

from common.messages.base import Reason
from mapper.mapping.reasons import notice


def name_truncated(name: str, limit: int) -> Reason:
    return notice("NAME_TRUNCATED", f"The customer's name was cut to {limit} characters.", field="name", value=name)


def number_unavailable() -> Reason:
    return notice(
        "NEXT_NUMBER_UNAVAILABLE",
        "The ledger keeps custom transaction numbers and assigns none itself.",
        "Switch custom transaction numbers off in the ledger, or mirror the order number.",
        "numbers.policy",
        "next",
    )


def rounding_added(amount: Decimal, currency: str) -> Reason:
    return notice("ROUNDING_ADDED", f"A rounding line of {amount} {currency} was added.", field="total")


def mixed_tenders(accounts: str) -> Reason:
    return notice(
        "MIXED_TENDERS",
        f"The order was paid into several accounts ({accounts}); a receipt has one, that of the largest payment.",
        "Use invoices with payments for orders with several tenders.",
        "tenders.method",
    )


def tip_unapplied(amount: Decimal, currency: str) -> Reason:
    return notice(
        "TIP_UNAPPLIED",
        f"{amount} {currency} was paid above the order's total; it is no tip in a mode that writes no sale, and stays"
        " unapplied.",
        "Apply it in the ledger, or choose a mode with invoices.",
        "overpayment_policy",
        "tip",
    )


def bill_kept_back(rule: str) -> Reason:
    return notice(
        "NO_DOCUMENTS",
        f"The rule {rule!r} keeps the bill back; without it the purchase becomes no document in this mode.",
        "Nothing, if the rule is meant so: the bill is written when the rule no longer holds for the purchase.",
        "rules",
        rule,
    )


def purchase_refund_left(returned: Decimal, currency: str) -> Reason:
    return notice(
        "PURCHASE_REFUND_NOT_BOOKED",
        f"The vendor gave {returned} {currency} back; what came back of a purchase is not booked.",
        "Enter the vendor's credit in the ledger.",
        "refunds",
        f"{returned}",
    )


def tax_not_expected(amount: Decimal, currency: str) -> Reason:
    return notice(
        "TAX_CHARGED",
        f"The shop charged {amount} {currency} of tax that was not expected; it is posted as charged.",
        "Check the tax settings of the shop.",
        "tax_total",
        f"{amount}",
    )


def tax_code_near(place: str, near: str) -> Reason:
    return notice(
        "TAX_CODE_NEAR_MATCH",
        f"No tax code is mapped for {place!r}; there is one for {near!r}.",
        "Map the place exactly as the shop writes it.",
        "tax.codes",
        place,
    )


def sku_missing(name: str) -> Reason:
    return notice(
        "SKU_MISSING", f"The line {name!r} has no SKU.", "Map the product by its id or title.", "lines.sku", name
    )


def summary_changed(before: Decimal, now: Decimal, currency: str, joined: str, left: str) -> Reason:
    orders = "".join(f" {word}: {numbers}." for word, numbers in (("Added", joined), ("Gone", left)) if numbers)
    return notice(
        "SUMMARY_CHANGED",
        f"Orders of this summary changed after it was written: {before} {currency} became {now}.{orders}",
        "Compare it with the bank; with after_posting = hold such a change waits for you.",
        "total",
        f"{now}",
    )


def cost_missing(product: str) -> Reason:
    return notice(
        "COGS_UNRELIABLE",
        f"The cost of {product!r} is not known, so the cost of goods sold of this day leaves it out.",
        "Give the item a purchase cost in the ledger; the journal follows by itself.",
        "purchase_cost",
        product,
    )


def stock_cost_unreliable(item: str, on_hand: str) -> Reason:
    why = f"stands at {on_hand} on hand" if on_hand.startswith("-") else "has no purchase cost"
    return notice(
        "COGS_UNRELIABLE",
        f"The stock item {item!r} {why}, so the cost of goods sold that the ledger books is not reliable.",
        "Give the item a purchase cost and its stock in the ledger.",
        "purchase_cost",
        item,
    )


def bundle_price_differs(item: str, sold: Decimal, members: Decimal, currency: str) -> Reason:
    return notice(
        "BUNDLE_PRICE_DIFFERS",
        f"The item {item!r} is a bundle of the ledger, whose members come to {members} {currency}; "
        f"the order sells it for {sold} {currency}.",
        "Give the members prices that come to the bundle's, or map the product to a single item.",
        "lines.amount",
        f"{sold}",
    )


def rule_failed(rule: str, problem: str) -> Reason:
    return notice(
        "RULE_FAILED",
        f"The rule {rule!r} was passed over: {problem}.",
        "Correct its value, or its expression: test with has(...) or != null for what may be absent.",
        "rules",
        rule,
    )


def price_kept(item: str, level: str) -> Reason:
    return notice(
        "PRICE_LEVEL_MISSING", f"{item!r} has no price in the level {level!r}; the shop's price was kept.", value=item
    )


def invoice_out_of_scope() -> Reason:
    return notice(
        "INVOICE_OUT_OF_SCOPE",
        "The invoice that this was paid for is older than the customer's horizon; the payment stays unapplied.",
        "Move the customer's horizon back, and it is applied by itself.",
        "horizon",
    )


def let_through(reason: Reason) -> Reason:
    return notice(
        "LET_THROUGH",
        f"Somebody asked for the order; it would be filtered: {reason.text}",
        field=reason.field,
        value=reason.value,
    )


def settled_order_unknown(orders: Sequence[str]) -> Reason:
    shown = ", ".join(orders[:20]) + (f" and {len(orders) - 20} more" if len(orders) > 20 else "")
    return notice(
        "SETTLED_ORDER_UNKNOWN",
        f"Orders of the settlement that were not received are booked as income, tax and shipping included: {shown}.",
        "Sync the orders; their tax, shipping and discounts are then booked as such.",
        "lines",
        orders[0],
    )
