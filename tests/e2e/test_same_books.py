"""The same orders through Beancount and QuickBooks give the same books, in every mode: `make same-books`.

Compared per account role at every month end, in home currency; some orders are in a foreign one. Tax is one sum, for
QuickBooks splits it by agency; estimates and sales orders post nothing, so that their count, total and open state are
compared. Purchase feeds are left out: an order of a shop makes none of their documents. Writes
`build/reports/same-books.json`.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

import pytest
import pytest_asyncio
from tests.e2e import stream
from tests.e2e.books import Stage

from common.messages.control import TransactionMode
from mapper.mapping.modes import PURCHASE_FEEDS
from sandbox.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

MODES = [mode.value for mode in TransactionMode if mode not in PURCHASE_FEEDS]
LEDGERS = ("beancount", "quickbooks_online")
AT_ONCE = 8
REPORT = Path("build/reports/same-books.json")
MORE_ACCOUNTS = {
    "RSV": ("Processor Reserve", "Other Current Asset"),
    "SHORT": ("Payout Shortfall", "Other Current Liability"),
    "CFWD": ("Carried Forward", "Other Current Asset"),
    "CLR": ("Euro Clearing", "Other Current Asset"),
    "FX": ("Exchange Differences", "Other Expense"),
}
"""What QuickBooks proposes no account for."""

Sums = Mapping[str, Decimal]
OrderForms = tuple[int, Decimal, int]
"""Count, total, how many are open."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one ledger says in one mode."""

    at: Mapping[str, Sums]
    """Month end → role → debit less credit."""
    order_forms: OrderForms
    posted: int


Same = Mapping[str, Mapping[str, Kept | BaseException]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def same(product: Stack) -> AsyncIterator[Same]:
    """Every mode in a company file of either ledger, several at once; one that fails fails its own tests only."""
    plays = [(mode, ledger) for mode in MODES for ledger in LEDGERS]
    gate = asyncio.Semaphore(AT_ONCE)

    async def play(stage: Stage, mode: str, ledger: str) -> Kept:
        async with gate:
            return await keep(stage, mode, ledger)

    async with Stage.of(product) as stage:
        results = await asyncio.gather(*(play(stage, *one) for one in plays), return_exceptions=True)
    kept: dict[str, dict[str, Kept | BaseException]] = defaultdict(dict)
    for (mode, ledger), result in zip(plays, results, strict=True):
        kept[mode][ledger] = result
    report(kept)
    yield kept


async def keep(stage: Stage, mode: str, ledger: str) -> Kept:
    """Tell the whole quarter, as first seen and as it ended, and read the books."""
    online = ledger == "quickbooks_online"
    seeded = [("Account", {"Name": name, "AccountType": kind}) for name, kind in MORE_ACCOUNTS.values()]
    more = {role: name for role, (name, _) in MORE_ACCOUNTS.items()} if online else {"CLR": "Assets:Clearing:Euro"}
    books = await stage.books(
        mode,
        ledger,
        accounts=more,
        realm={"multi_currency": True},
        seeded=seeded if online else (),
        deposit_accounts={stream.EURO_METHOD: more["CLR"]},
        payouts={"enabled": True},
    )
    before = {day: await books.balances(day) for day in stream.MONTH_ENDS}
    first, last = stream.first_seen(), stream.changes()
    await books.publish(*first)
    await stage.world.settled(books.company, orders=len(first), within_s=240)
    await books.publish(*last)
    await books.publish(*stream.payouts())
    await books.seen(last, within_s=120)
    await stage.world.settled(books.company, orders=len(first), within_s=240)
    if not online:
        await asyncio.to_thread(check, stage.world.journal(books.company))
    at = {day.isoformat(): moved(before[day], await books.balances(day)) for day in stream.MONTH_ENDS}
    return Kept(at, await books.order_forms(), len(await books.entries()))


def moved(before: Sums, after: Sums) -> Sums:
    """What the orders did: a company of QuickBooks comes with stock of its own."""
    roles = sorted({*before, *after})
    changes = {role: after.get(role, Decimal(0)) - before.get(role, Decimal(0)) for role in roles}
    return {role: amount for role, amount in changes.items() if amount}


def check(main: Path) -> None:
    """Have bean-check judge the books."""
    program = Path(sys.executable).parent / "bean-check"
    done = subprocess.run([program, "--no-cache", main], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]


def differences(kept: Mapping[str, Kept | BaseException]) -> list[str]:
    """What the two ledgers do not agree on, in words; empty where the books are the same."""
    for result in kept.values():
        if isinstance(result, BaseException):
            return [f"{type(result).__name__}: {str(result)[:400]}"]
    mine, theirs = (kept[ledger] for ledger in LEDGERS)
    assert isinstance(mine, Kept)
    assert isinstance(theirs, Kept)
    found = []
    for day, sums in mine.at.items():
        for role in sorted({*sums, *theirs.at[day]}):
            ours, other = sums.get(role, Decimal(0)), theirs.at[day].get(role, Decimal(0))
            if ours != other:
                found.append(f"{day} {role}: {ours} in Beancount, {other} in QuickBooks")
    if mine.order_forms != theirs.order_forms:
        found.append(f"order forms: {mine.order_forms} in Beancount, {theirs.order_forms} in QuickBooks")
    return found


class Row(TypedDict):
    """What the report says of one mode."""

    mode: str
    same: bool
    month_ends: int
    roles: int
    documents_posted: int | None
    order_forms: list[str] | None
    largest_balance: str
    differences: list[str]


def report(same: Same) -> None:
    """Print the table and write it down."""
    rows: list[Row] = []
    for mode in MODES:
        kept, wrong = same[mode]["beancount"], differences(same[mode])
        sums = kept.at if isinstance(kept, Kept) else {}
        largest = max((abs(amount) for day in sums.values() for amount in day.values()), default=Decimal(0))
        rows.append(
            {
                "mode": mode,
                "same": not wrong,
                "month_ends": len(sums),
                "roles": len({role for day in sums.values() for role in day}),
                "documents_posted": kept.posted if isinstance(kept, Kept) else None,
                "order_forms": list(map(str, kept.order_forms)) if isinstance(kept, Kept) else None,
                "largest_balance": str(largest),
                "differences": wrong,
            }
        )
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"ledgers": LEDGERS, "modes": rows}, indent=2) + "\n")
    if os.environ.get("TILLBOOK_SHOW") != "same-books":
        return
    print(f"\n{'mode':<42}{'roles':>6}{'posted':>8}{'largest':>12}  difference")
    for row in rows:
        said = "0.00" if row["same"] else "; ".join(row["differences"])[:600]
        print(f"{row['mode']:<42}{row['roles']:>6}{row['documents_posted']!s:>8}{row['largest_balance']:>12}  {said}")


@pytest.mark.parametrize("mode", MODES)
async def test_both_ledgers_hold_the_same_books(same: Same, mode: str) -> None:
    assert differences(same[mode]) == []


@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid", "journal_entries"])
async def test_the_books_hold_something(same: Same, mode: str) -> None:
    kept = same[mode]["beancount"]
    assert isinstance(kept, Kept)
    assert kept.posted
    assert all(sum(sums.values()) == 0 for sums in kept.at.values())
