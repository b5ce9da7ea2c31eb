"""Compares what the ledgers say with what happened in the shops, to the cent.

The expectation is added up from the shops' own lives; the books are read from the ledgers themselves: bean-query over
the journal files, the trial balance of QuickBooks. Neither side has seen the other's numbers.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sandbox.demo.scenery import Pairing
from sandbox.shops.expectation import Expectation, ExpectedOrder

CENT = Decimal("0.01")
GIFT_TENDERS = frozenset({"gift_card"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the proof: an account role on both sides."""

    what: str
    expected: Decimal
    in_books: Decimal

    @property
    def agrees(self) -> bool:
        return self.expected == self.in_books


def in_scope(row: ExpectedOrder, mode: str) -> bool:
    """Whether the order becomes a document in this mode: receipts wait for all the money, invoices for none of it."""
    never_paid = not row.paid and row.total > 0
    if row.cancelled and never_paid:
        return False
    return mode != "sales_receipts" or row.paid >= row.total


def expected(pairing: Pairing) -> dict[str, Decimal]:
    """Balances by role (debits positive) once every order in scope is in the books."""
    story: Expectation = pairing.life.expectation(pairing.orders)
    sums: dict[str, int] = defaultdict(int)
    for row in story.orders.values():
        if not in_scope(row, pairing.scene.mode):
            continue
        gift = sum(amount for (_, tender), amount in row.captured.items() if tender in GIFT_TENDERS)
        tax_back = sum(refund.tax for refund in row.refunds)
        sums["money"] += row.paid - gift - row.refunded
        sums["receivable"] += row.total - row.paid
        sums["gift cards"] += gift - row.gift_cards_sold
        sums["sales tax"] -= row.tax - tax_back
        sums["income"] -= row.total - row.tax - row.gift_cards_sold - (row.refunded - tax_back)
    return {name: story.money(amount) for name, amount in sums.items()}


def compare(pairing: Pairing, balances: Mapping[str, Decimal]) -> list[Comparison]:
    """Put the ledger's balances (account name → debit less credit) beside what was expected, role by role."""
    by_role: dict[str, Decimal] = defaultdict(Decimal)
    for account, balance in balances.items():
        by_role[role_of(account)] += balance
    wanted = expected(pairing)
    names = [*wanted, *(name for name in by_role if name not in wanted)]
    rows = [Comparison(name, wanted.get(name, Decimal(0)), by_role[name]) for name in names]
    return [*rows, Comparison("debits less credits", Decimal(0), sum(balances.values(), Decimal(0)))]


def moved(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """What happened to each account in between: the QuickBooks company has a history of its own."""
    return {account: balance - before.get(account, Decimal(0)) for account, balance in after.items()}


ROLES = (
    ("receivable", "receivable"),
    ("a/r", "receivable"),
    ("undeposited", "money"),
    ("clearing", "money"),
    ("checking", "money"),
    ("gift", "gift cards"),
    ("tax", "sales tax"),
)


def role_of(account: str) -> str:
    """The role that an account's name in either ledger stands for; everything of the shop's own is income."""
    lowered = account.lower()
    return next((role for part, role in ROLES if part in lowered), "income")


def beancount_balances(main: Path) -> dict[str, Decimal]:
    """Balances of a Beancount journal, as bean-query adds them up. Raises RuntimeError with what it said."""
    query = "SELECT account, sum(number) AS total, currency GROUP BY account, currency"
    output = _program("bean-query", "--format", "csv", str(main), query)
    rows = list(csv.DictReader(io.StringIO(output)))
    foreign = {row["currency"].strip() for row in rows} - {"USD"}
    if foreign:
        raise RuntimeError(f"the books hold {', '.join(sorted(foreign))}, and everything was sold in USD")
    return {row["account"].strip(): Decimal(row["total"].strip()).quantize(CENT) for row in rows}


def check_books(main: Path) -> None:
    """Have bean-check judge the journal. Raises RuntimeError with its first complaints."""
    _program("bean-check", "--no-cache", str(main))


def _program(name: str, *arguments: str) -> str:
    path = Path(sys.executable).parent / name
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name} is not satisfied with the books:\n{(done.stderr or done.stdout)[:2000]}")
    return done.stdout


def order_numbers(pairing: Pairing) -> dict[str, ExpectedOrder]:
    """External id → what was expected of the order."""
    return dict(pairing.life.expectation(pairing.orders).orders)
