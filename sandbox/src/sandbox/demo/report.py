"""What the demo prints: tables a bookkeeper reads, and the claims it makes with whether they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from sandbox.demo.delivery import Delivered
from sandbox.demo.gateway import Json
from sandbox.demo.proof import Comparison, in_scope, order_numbers
from sandbox.demo.scenery import Pairing

EXAMPLES = 3
COLUMNS = ("source", "in_ledger", "warnings", "dismissed", "not_tried", "in_progress", "waiting", "out_of_scope")


@dataclass(frozen=True, slots=True)
class Claim:
    """Something the demo says, and whether it is so."""

    text: str
    holds: bool


def show_company(console: Console, pairing: Pairing, delivered: Delivered, run: Json, overview: Json) -> None:
    """Head of a company: what was sent, and where every entity stands."""
    console.rule(f"[bold]{pairing.scene.title}[/bold]  ->  {pairing.scene.ledger}, {pairing.scene.mode}")
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(delivered.report.by_status.items()))
    console.print(f"{delivered.report.sent} webhooks answered {answers}; the polling run saw {run['total']} orders")
    console.print(
        "Among them: one with a forged signature (refused), one sent twice (the second changed nothing), and one order"
        " in a currency that does not exist (kept, with a warning)"
    )
    rows = [row for row in overview["rows"] if any(row[name] for name in COLUMNS)]
    # A column for each kind: there are few of them, so that this fits 80 characters.
    table = Table(Column(no_wrap=True), *(row["name"].replace("_", " ") for row in rows))
    for name in COLUMNS:
        table.add_row(name.replace("_", " "), *(str(row[name]) for row in rows))
    console.print(table)
    source, out = _orders(overview)
    console.print(
        f"{source + out} orders, {source} in scope (source) and {out} out of scope: the {run['total']} that the polling"
        " run saw, and 1 that only a webhook told of"
    )


def _orders(overview: Json) -> tuple[int, int]:
    """Orders in scope and out of scope, as the overview counts them."""
    row = next(row for row in overview["rows"] if row["name"] == "orders")
    return row["source"], row["out_of_scope"]


def show_documents(console: Console, documents: Sequence[Json]) -> None:
    """Documents by kind and state, with their sums."""
    table = Table("document", "state", "count", "sum")
    counts = Counter((row["kind"], row["state"]) for row in documents)
    for (kind, state), count in sorted(counts.items()):
        amounts = [Decimal(r["amount"]) for r in documents if (r["kind"], r["state"]) == (kind, state) and r["amount"]]
        table.add_row(kind.replace("_", " "), state, str(count), f"{sum(amounts):,.2f}" if amounts else "")
    console.print(table)


def show_balances(console: Console, balances: Mapping[str, Decimal], opening: Mapping[str, Decimal]) -> None:
    """The ledger's own trial balance. `opening` is what it said before the first order."""
    table = Table("account", "debit", "credit", title="Trial balance, as the ledger reports it")
    for account, balance in sorted(balances.items()):
        if balance:
            table.add_row(account, f"{balance:,.2f}" if balance > 0 else "", f"{-balance:,.2f}" if balance < 0 else "")
    debited = sum(balance for balance in balances.values() if balance > 0)
    credited = -sum(balance for balance in balances.values() if balance < 0)
    table.add_row("[bold]total[/bold]", f"[bold]{debited:,.2f}[/bold]", f"[bold]{credited:,.2f}[/bold]")
    console.print(table)
    if before := sum(balance for balance in opening.values() if balance > 0):
        console.print(
            f"It includes the opening balances of the sample company, {before:,.2f} on each side before any order;"
            " the proof below leaves them out."
        )


def show_warnings(console: Console, warnings: Json, orders: Sequence[Json]) -> None:
    """Everything that is not in the ledger, with its reason."""
    table = Table("code", "how many", "reason", "cure", title="Warnings")
    for group in warnings["groups"]:
        table.add_row(group["code"], str(group["entities"]), group["text"], group["cure"])
    if warnings["groups"]:
        console.print(table)
    waiting = Counter(order["reason"]["code"] for order in orders if order["column"] not in {"warnings", "in_ledger"})
    for code, count in sorted(waiting.items()):
        examples = [order for order in orders if order["reason"]["code"] == code][:EXAMPLES]
        numbers = ", ".join(f"{order['number']} {order['status'] or 'unread'}" for order in examples)
        more = " ..." if count > len(examples) else ""
        console.print(f"{count} orders not in the ledger for {code} ({numbers}{more}): {examples[0]['reason']['text']}")


def show_proof(console: Console, comparisons: Sequence[Comparison]) -> None:
    """Shops and books, side by side."""
    table = Table("", "in the shop", "in the books", "", title="Proof")
    for row in comparisons:
        verdict = "[green]agrees[/green]" if row.agrees else f"[red]{row.in_books - row.expected:+,.2f}[/red]"
        table.add_row(row.what, f"{row.expected:,.2f}", f"{row.in_books:,.2f}", verdict)
    console.print(table)


def claims(
    pairing: Pairing,
    delivered: Delivered,
    run: Json,
    overview: Json,
    orders: Sequence[Json],
    documents: Sequence[Json],
    comparisons: Sequence[Comparison],
) -> list[Claim]:
    """What must be so for the demo to succeed."""
    expected = order_numbers(pairing)
    in_ledger = {order["external_id"] for order in orders if order["column"] == "in_ledger"}
    wanted = {key for key, row in expected.items() if in_scope(row, pairing.scene.mode)}
    explained = {order["external_id"] for order in orders if order["column"] != "in_ledger" and order["reason"]}
    strange = next((o for o in orders if o["external_id"] == delivered.unknown_currency), None)
    keys = Counter(
        (row["source_kind"], row["source_id"], row["kind"], row["number"]) for row in documents if row["source_id"]
    )
    forged = delivered.report.by_status[401]
    missing, foreign = wanted - in_ledger, in_ledger - set(expected)
    return [
        Claim(
            "the overview counts each order of the shop, and the one that only a webhook told of, once",
            sum(_orders(overview)) == run["total"] + 1,
        ),
        Claim(f"all {len(wanted)} orders that should be in the ledger are ({len(missing)} missing)", not missing),
        Claim(f"nothing else is in it ({len(foreign)} strangers)", not foreign),
        Claim(
            "every other order has a reason",
            set(expected) - in_ledger <= explained | {key for key, row in expected.items() if row.cancelled},
        ),
        Claim("the forged signature was refused", forged == 1),
        Claim(
            "the unknown currency is a warning that names it",
            strange is not None and strange["column"] == "warnings" and "ZZX" in str(strange["reason"]),
        ),
        Claim(
            "the webhook that came twice was taken once: no document is there twice",
            all(count == 1 for count in keys.values()),
        ),
        Claim("books and shop agree to the cent", all(row.agrees for row in comparisons)),
    ]


def show_claims(console: Console, made: Sequence[Claim]) -> None:
    """Each claim with its verdict."""
    for claim in made:
        console.print(f"[green]ok[/green]    {claim.text}" if claim.holds else f"[red]FAILS[/red] {claim.text}")


def show_end(console: Console, main: Path, *, holds: bool) -> None:
    """Where the books are, and the verdict."""
    console.rule()
    console.print("bean-check accepts the books.")
    console.print(f"Books: {main}", soft_wrap=True, highlight=False)
    console.print("The QuickBooks company was a stand-in, gone with this demo; its books are what is shown above.")
    console.print(f"Open them with: .venv/bin/fava {main}", soft_wrap=True, highlight=False)
    console.print("[green]Everything holds.[/green]" if holds else "[red]Not everything holds; see above.[/red]")
