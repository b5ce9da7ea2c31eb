"""The order of events: set up, send, poll, settle, show, prove."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sandbox.demo import proof, report
from sandbox.demo.delivery import Delivered, deliver, deliveries, poll, settled
from sandbox.demo.gateway import Gateway, Json
from sandbox.demo.scenery import SCENES, Pairing, set_up, switch_schedule, tenant_key
from sandbox.stack import Stack

ORDERS = 130
SERVICES = ("ingest", "mapper", "ledger-writer", "api")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scene ended in."""

    pairing: Pairing
    delivered: Delivered
    run: Json
    overview: Json


async def play(console: Console, name: str, orders: int, replicas: int, kills: Sequence[str] = ()) -> bool:
    """Run the whole demo on a fresh stack and leave its books behind. True if every claim holds.

    `kills` are crashed one after the other while the webhooks come in.
    """
    stack = Stack(name, replicas=dict.fromkeys(SERVICES, replicas))
    console.print("Starting four services, two shops and a QuickBooks company on private servers ...")
    await stack.destroy()
    async with stack.running(keep_data=True), Gateway(stack.url_of("api"), await tenant_key(stack)) as gateway:
        pairings = [await set_up(stack, gateway, scene, orders) for scene in SCENES]
        opening = {pairing.company_id: await _balances(stack, gateway, pairing) for pairing in pairings}
        outcomes = await _run(console, gateway, pairings, Crashes(stack, kills))
        for pairing in pairings:
            await switch_schedule(gateway, pairing.connection_id, on=True)
        return await _tell(console, stack, gateway, outcomes, opening)


class Crashes:
    """Crashes in the middle of the work, spread evenly over the webhooks."""

    def __init__(self, stack: Stack, names: Sequence[str]) -> None:
        self._stack = stack
        self._names = names
        self._moments = [asyncio.Event() for _ in names]
        self._sent = 0

    def sent(self, total: int) -> None:
        """One of `total` webhooks was sent."""
        self._sent += 1
        for number, moment in enumerate(self._moments, start=1):
            if self._sent >= total * number // (len(self._names) + 1):
                moment.set()

    async def happen(self, told: Callable[[str], None]) -> None:
        """Let each happen when its moment has come; `told` hears of it first."""
        for name, moment in zip(self._names, self._moments, strict=True):
            await moment.wait()
            told(f"kill -9: {name}, after {self._sent} webhooks")
            await self._stack.crash(name)


async def _run(console: Console, gateway: Gateway, pairings: list[Pairing], crashes: Crashes) -> list[Outcome]:
    columns = (TextColumn("{task.description:34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bars = {
            pairing.scene.name: progress.add_task(
                f"webhooks of {pairing.scene.name}", total=len(deliveries(pairing)[0])
            )
            for pairing in pairings
        }
        total = sum(len(deliveries(pairing)[0]) for pairing in pairings)

        def sent(name: str) -> None:
            progress.advance(bars[name])
            crashes.sent(total)

        happening = asyncio.create_task(crashes.happen(progress.console.print))
        delivered = await asyncio.gather(*(deliver(pairing, partial(sent, pairing.scene.name)) for pairing in pairings))
        await happening
        runs = []
        for pairing in pairings:
            bar = progress.add_task(f"polling run of {pairing.scene.name}", total=None)
            runs.append(
                await poll(gateway, pairing, lambda done, total, b=bar: progress.update(b, completed=done, total=total))  # type: ignore[misc]
            )
        bar = progress.add_task("ledgers settle", total=len(pairings))
        overviews = []
        for pairing in pairings:
            overviews.append(await settled(gateway, pairing))
            progress.advance(bar)
    return [Outcome(*parts) for parts in zip(pairings, delivered, runs, overviews, strict=True)]


async def _tell(
    console: Console, stack: Stack, gateway: Gateway, outcomes: list[Outcome], opening: dict[str, dict[str, Decimal]]
) -> bool:
    """Print what there is per company, and prove it. `opening` is what the books held before the first order."""
    holds = True
    for outcome in outcomes:
        pairing = outcome.pairing
        company = f"/companies/{pairing.company_id}"
        warnings = await gateway.get(f"{company}/warnings")
        orders = [order async for order in gateway.each("/orders", connection_id=pairing.connection_id)]
        documents = [row async for row in gateway.each("/documents", company_id=pairing.company_id)]
        balances = await _balances(stack, gateway, pairing)
        report.show_company(console, pairing, outcome.delivered, outcome.run, outcome.overview)
        report.show_documents(console, documents)
        report.show_balances(console, balances, opening[pairing.company_id])
        report.show_warnings(console, warnings, [order for order in orders if order["reason"]])
        comparisons = proof.compare(pairing, proof.moved(opening[pairing.company_id], balances))
        report.show_proof(console, comparisons)
        claims = report.claims(
            pairing, outcome.delivered, outcome.run, outcome.overview, orders, documents, comparisons
        )
        report.show_claims(console, claims)
        holds = holds and all(claim.holds for claim in claims)
    (main,) = _journals(stack)
    proof.check_books(main)
    report.show_end(console, main, holds=holds)
    return holds


async def _balances(stack: Stack, gateway: Gateway, pairing: Pairing) -> dict[str, Decimal]:
    """Account → debit less credit, from the ledger itself."""
    if pairing.scene.ledger == "beancount":
        journals = _journals(stack)
        return proof.beancount_balances(journals[0]) if journals else {}
    trial = await gateway.get(f"/companies/{pairing.company_id}/trial-balance")
    return {row["account"]: Decimal(row["debit"]) - Decimal(row["credit"]) for row in trial["rows"]}


def _journals(stack: Stack) -> list[Path]:
    return sorted(stack.books.rglob("main.beancount"))
