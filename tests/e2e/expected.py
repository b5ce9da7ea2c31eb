"""What the books must say about a shop's life, added up from what happened there and never from what was sent."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.demo.proof import GIFT_TENDERS, in_scope, role_of
from sandbox.shops.expectation import Expectation, ExpectedOrder

MODES = ("sales_receipts", "invoices_only", "invoices_payments_if_paid")


def balances(story: Expectation, mode: str) -> dict[str, Decimal]:
    """Role → balance, debits positive, once every order in scope is in the books."""
    sums: dict[str, int] = defaultdict(int)
    for row in story.orders.values():
        if not in_scope(row, mode):
            continue
        tax_back = sum(refund.tax for refund in row.refunds)
        sums["sales tax"] -= row.tax - tax_back
        sums["income"] -= row.total - row.tax - row.gift_cards_sold - (row.refunded - tax_back)
        sums["gift cards"] -= row.gift_cards_sold
        if mode == "invoices_only":
            # Nothing is said about money: refunds are credits the customer has.
            sums["receivable"] += row.total - row.refunded
            continue
        gift = gift_cards_redeemed(row)
        sums["gift cards"] += gift
        sums["money"] += row.paid - gift - row.refunded
        sums["receivable"] += row.total - row.paid
    return {role: story.money(amount) for role, amount in sums.items() if amount}


def gift_cards_redeemed(row: ExpectedOrder) -> int:
    """What was paid with gift cards, in minor units."""
    return sum(amount for (_, tender), amount in row.captured.items() if tender in GIFT_TENDERS)


def by_role(accounts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """A ledger's accounts added up by the role their name stands for; roles that are even are left out."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for account, balance in accounts.items():
        sums[role_of(account)] += balance
    return {role: amount for role, amount in sums.items() if amount}


def documents(row: ExpectedOrder, mode: str) -> Counter[str]:
    """How many documents of each kind an order must have in the ledger, payments left out."""
    if not in_scope(row, mode):
        return Counter()
    returned = sum(1 for refund in row.refunds if refund.money)
    if mode == "sales_receipts":
        return +Counter({"sales_receipt": 1, "refund_receipt": returned})
    return +Counter({"invoice": 1, "credit_memo" if mode == "invoices_only" else "refund_receipt": returned})


def hindered(documents: Iterable[Mapping[str, Any]], source_id: str) -> list[dict[str, Any]]:
    """What stands in the way of an order's documents, for the message of a failed assertion."""
    told = ("kind", "amount", "state", "reason", "notices", "attempts", "ledger_id")
    return [{name: row.get(name) for name in told} for row in documents if row["source_id"] == source_id]
