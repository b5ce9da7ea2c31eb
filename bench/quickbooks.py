"""`python -m bench.quickbooks`: how near a backfill of one QuickBooks company comes to QuickBooks' own limits.

The real ledger-writer, on real Postgres and RabbitMQ, writes orders into the QuickBooks stand-in, which enforces the
published limits (500 requests and 40 batches in any minute, 10 requests in any second) times RATE in windows of the
published length; the ledger-writer is told the same figures. In the middle it is stopped in good order and started
again, and the clock runs on. Every order is a sales receipt; `--customers` says how many different people buy.

Writes build/reports/bench-quickbooks.json:

ratio               orders per minute / (limit / fewest requests an order can need)
requests_per_order  all requests of the backfill, look-ups and lists too
refused             requests that the stand-in throttled
duplicates          receipts or customers that are there more than once
missing             orders without their receipt, or with another total
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import psutil
import uvloop
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from common.broker import Broker, Outgoing
from common.messages.base import State
from common.messages.control import CompanySettings, SettingsChanged
from common.messages.keys import document_key, shared_key
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    Document,
    DocumentKind,
    DocumentLine,
    Inputs,
    ItemWanted,
    LineKind,
    MissingPolicy,
    SetOutcome,
    TransactionSet,
)
from common.packs import encode_member, join_members, split_by_size
from common.topology import EXCHANGE, routing_key
from sandbox.infrastructure import Infrastructure, StateFolder
from sandbox.infrastructure.processes import choose_port
from sandbox.stack.environment import Surroundings, inherited
from sandbox.stack.provision import Place, migrate
from sandbox.stack.replica import Replica
from sandbox.stack.secrets import StackSecrets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT: Final = Path(__file__).resolve().parent.parent
REPORT: Final = ROOT / "build" / "reports" / "bench-quickbooks.json"
RATE: Final = 20
REQUESTS_PER_MINUTE: Final = 500 * RATE
REQUESTS_PER_SECOND: Final = 10 * RATE
BATCHES_PER_MINUTE: Final = 40 * RATE
NAMES_PER_BATCH: Final = 30
TENANT, COMPANY, CONNECTION = "ten_bench", "com_bench", "con_bench"
SERVICE: Final = "ledger-writer"
REDIRECT: Final = "https://books.example.com/oauth/callback"
PATIENCE_S: Final = 1800.0
POLL_S: Final = 0.25

WRITTEN: Final = "SELECT count(*) FROM ledger_writer.documents WHERE kind = 'sales_receipt' AND state = 'synced'"
LAST_WRITE: Final = "SELECT max(last_attempt_at) FROM ledger_writer.documents WHERE kind = 'sales_receipt'"
STATES: Final = "SELECT kind, state, code, count(*) FROM ledger_writer.documents GROUP BY 1, 2, 3 ORDER BY 4 DESC"


@dataclass(frozen=True, slots=True)
class Desk:
    """The ledger-writer and the stand-in as processes, and how they are spoken to."""

    writer: Replica
    quickbooks: Replica
    broker: Broker
    database: asyncpg.Pool
    key: str

    async def call(self, path: str, body: dict[str, Any]) -> Any:
        """One internal request. Raises `httpx.HTTPStatusError`."""
        headers = {"x-tillbook-caller": "api", "authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(base_url=self.writer.url, timeout=60, trust_env=False) as client:
            answer = await client.post(path, json=body, headers=headers)
            answer.raise_for_status()
            return answer.json()

    async def steer(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        async with httpx.AsyncClient(base_url=self.quickbooks.url, timeout=120, trust_env=False) as client:
            answer = await client.request(method, f"/_sandbox{path}", json=body)
            answer.raise_for_status()
            return json.loads(answer.content, parse_float=Decimal)

    async def publish(self, states: Sequence[State], *, backfill: bool = False) -> None:
        """What the mapper and the gateway would send, packed as they pack it."""
        contract = type(states[0])
        members = [encode_member(state.model_dump_json().encode(), "bench", None) for state in states]
        await self.broker.publish(
            [
                Outgoing(
                    EXCHANGE,
                    routing_key(contract, backfill=backfill),
                    contract.type,
                    join_members(members[index] for index in pack),
                )
                for pack in split_by_size(members, contract.packed_max)
            ]
        )

    async def until(self, query: str, least: int) -> None:
        """Wait until a count is reached. Raises TimeoutError with what was seen."""
        deadline = time.monotonic() + PATIENCE_S
        while await self.database.fetchval(query) < least:
            if time.monotonic() > deadline:
                seen = [tuple(row) for row in await self.database.fetch(STATES)]
                raise TimeoutError(f"not within {PATIENCE_S:.0f} s; documents: {seen}")
            await asyncio.sleep(POLL_S)


def orders(count: int, customers: int) -> Iterator[TransactionSet]:
    """Distinct orders as the mapper would send them: one sales receipt with one to three lines each."""
    income = Account(role=AccountRole.INCOME, name="Sales of Product Income")
    goods = [
        ItemWanted(
            key=shared_key(COMPANY, DocumentKind.ITEM, f"article {number}"),
            name=f"Article {number}",
            missing=MissingPolicy.CREATE,
            income_account=income,
        )
        for number in range(40)
    ]
    first_day = date(2026, 1, 5)
    for number in range(count):
        name = f"Buyer {number % customers}"
        customer = CustomerWanted(key=shared_key(COMPANY, DocumentKind.CUSTOMER, name.casefold()), display_name=name)
        chosen = [goods[(number * 7 + place) % len(goods)] for place in range(number % 3 + 1)]
        lines = tuple(
            DocumentLine(
                kind=LineKind.PRODUCT,
                account=income,
                amount=price(number, place),
                quantity=Decimal(1),
                unit_price=price(number, place),
                item_key=item.key,
                description=item.name,
            )
            for place, item in enumerate(chosen)
        )
        source, on = str(100_000 + number), first_day + timedelta(days=number * 60 // count)
        yield order_of(source, on, customer, lines, chosen)


def order_of(
    source: str, on: date, customer: CustomerWanted, lines: tuple[DocumentLine, ...], items: Sequence[ItemWanted]
) -> TransactionSet:
    """One order that is one sales receipt."""
    total = sum((line.amount for line in lines), Decimal(0))
    receipt = Document(
        key=document_key(TENANT, COMPANY, CONNECTION, "order", source, DocumentKind.SALES_RECEIPT, 0),
        kind=DocumentKind.SALES_RECEIPT,
        source_kind="order",
        source_id=source,
        number=source,
        memo_number=source,
        date=on,
        currency="USD",
        total=total,
        customer_key=customer.key,
        deposit_to=Account(role=AccountRole.UNDEPOSITED_FUNDS, name="Undeposited Funds"),
        lines=lines,
    )
    return TransactionSet(
        tenant_id=TENANT,
        revision=1,
        company_id=COMPANY,
        connection_id=CONNECTION,
        source_kind="order",
        source_id=source,
        source_number=source,
        inputs=Inputs(source_revision=1, connection_revision=1, company_revision=1),
        outcome=SetOutcome.MAPPED,
        date=on,
        currency="USD",
        source_total=total,
        after_posting="update",
        customers=(customer,),
        items=tuple(items),
        documents=(receipt,),
    )


def price(number: int, place: int) -> Decimal:
    """Two places, different from order to order."""
    return Decimal(500 + (number * 37 + place * 911) % 9500) / 100


@asynccontextmanager
async def open_desk(infrastructure: Infrastructure) -> AsyncIterator[Desk]:
    """Fresh database, virtual host, ledger-writer and stand-in; nothing of them is left at the end."""
    place = Place("bench_quickbooks", infrastructure.up())
    await place.remove()
    folder = infrastructure.state.root / "stacks" / "bench_quickbooks"
    secrets_file = folder / "secrets.json"
    secrets_file.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    secrets = StackSecrets.kept_in(secrets_file)
    databases, brokers = await place.make(secrets)
    ports = [choose_port(f"TILLBOOK_BENCH_{name}_PORT", previous=None, taken=set()) for name in ("WRITER", "QBO")]
    urls = {SERVICE: f"http://127.0.0.1:{ports[0]}", "quickbooks-online": f"http://127.0.0.1:{ports[1]}"}
    surroundings = Surroundings(databases, brokers, urls, secrets, folder / "books", {})
    limits = {
        "QUICKBOOKS_ONLINE_REQUESTS_PER_WINDOW": str(REQUESTS_PER_MINUTE),
        "QUICKBOOKS_ONLINE_REQUESTS_PER_SECOND": str(REQUESTS_PER_SECOND),
        "QUICKBOOKS_ONLINE_BATCHES_PER_WINDOW": str(BATCHES_PER_MINUTE),
        # Exact however late a request arrives. The stand-in answers at once, so that costs nothing.
        "QUICKBOOKS_ONLINE_ARRIVAL_SLACK_S": "5",
        "LEDGER_WRITER_LOG_LEVEL": "INFO",
    }
    environment = surroundings.of(SERVICE, ports[0]) | limits
    serve = (sys.executable, "-m", "sandbox.quickbooks_online", "--port", str(ports[1]), "--limits", str(RATE))
    quickbooks = Replica("quickbooks-online", serve, inherited(), ports[1], folder, has_health=False)
    writer = Replica(f"{SERVICE}-1", (sys.executable, "-m", "ledger_writer"), environment, ports[0], folder)
    await migrate(SERVICE, environment)
    pool = await asyncpg.create_pool(place.admin_database_url, min_size=1, max_size=2)
    broker = Broker(SecretStr(place.admin_broker_url), name="bench")
    try:
        for replica in (quickbooks, writer):
            replica.start()
            await replica.wait_ready()
        yield Desk(writer, quickbooks, broker, pool, secrets.internal_keys["api"])
    finally:
        await broker.close()
        await pool.close()
        await writer.stop()
        await quickbooks.stop()
        await place.remove()


async def pair(desk: Desk) -> str:
    """Sign in as a person would, and approve. Returns the realm; its lists are mirrored when this returns."""
    realm = str((await desk.steer("POST", "/companies", {"seed": "small"}))["realm_id"])
    named = {"tenant_id": TENANT, "company_id": COMPANY, "ledger": "quickbooks_online", "name": "Bench books"}
    await desk.call("/internal/companies", named)
    asked = {"tenant_id": TENANT, "redirect_url": REDIRECT}
    started = await desk.call(f"/internal/companies/{COMPANY}/oauth", asked)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as browser:
        back = await browser.get(f"{started['authorization_url']}&realm_id={realm}")
    query = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}
    given = {"state": query["state"], "code": query["code"], "realm_id": query["realmId"], "redirect_url": REDIRECT}
    await desk.call("/internal/oauth/callback", given)
    settings = CompanySettings(
        company_id=COMPANY,
        name="Bench books",
        ledger="quickbooks_online",
        closed_through=date(2025, 12, 31),
        approved_at=datetime.now(UTC),
    )
    changed = SettingsChanged(tenant_id=TENANT, revision=1, scope="company", scope_id=COMPANY, company=settings)
    await desk.publish([changed])
    await desk.until("SELECT count(*) FROM ledger_writer.company_settings", 1)
    await desk.until("SELECT count(*) FROM ledger_writer.companies WHERE lists_read_at IS NOT NULL", 1)
    return realm


async def measure(console: Console, count: int, customers: int) -> dict[str, object]:
    """One backfill with a restart in its middle."""
    infrastructure = Infrastructure(StateFolder.default())
    with infrastructure.state.in_use():
        async with open_desk(infrastructure) as desk:
            realm = await pair(desk)
            sets = list(orders(count, customers))
            await desk.steer("DELETE", "/counters")
            cpu = [cpu_seconds(desk.writer), cpu_seconds(desk.quickbooks)]
            begun = await desk.database.fetchval("SELECT clock_timestamp()")
            await desk.publish(sets, backfill=True)
            await desk.until(WRITTEN, count // 2)
            cpu[0] -= cpu_seconds(desk.writer)
            stopped = time.monotonic()
            await desk.writer.stop()
            desk.writer.start()
            await desk.writer.wait_ready()
            down_s = time.monotonic() - stopped
            console.print(f"half of the orders are written; restarted the {SERVICE} in {down_s:.1f} s")
            await desk.until(WRITTEN, count)
            seconds = (await desk.database.fetchval(LAST_WRITE) - begun).total_seconds()
            used = {
                SERVICE: cpu_seconds(desk.writer) - cpu[0],
                "quickbooks stand-in": cpu_seconds(desk.quickbooks) - cpu[1],
            }
            counters = await desk.steer("GET", "/counters")
            found = await compare(desk, realm, sets)
    await asyncio.to_thread(infrastructure.down, only_unused=True)
    return figures(count, customers, seconds, down_s, counters, used) | found


async def compare(desk: Desk, realm: str, sets: Sequence[TransactionSet]) -> dict[str, object]:
    """What the ledger has against what it should have: each receipt once, with its total; each name once."""
    receipts = await desk.steer("GET", f"/companies/{realm}/documents/SalesReceipt")
    stored = Counter((row["DocNumber"], Decimal(row["TotalAmt"])) for row in receipts)
    wanted = {(one.documents[0].number, one.documents[0].total) for one in sets}
    names = [row["DisplayName"] for row in await desk.steer("GET", f"/companies/{realm}/documents/Customer")]
    buyers = Counter(name for name in names if name.startswith("Buyer"))
    numbers = Counter(number for number, _ in stored.elements())
    return {
        "duplicates": sum(times - 1 for times in (*numbers.values(), *buyers.values())),
        "missing": len(wanted - stored.keys()),
    }


def figures(
    count: int, customers: int, seconds: float, down_s: float, counters: dict[str, int], used: dict[str, float]
) -> dict[str, object]:
    """The report, but for what the ledger holds."""
    # One request a receipt; names go thirty to a batch. Look-ups in bulk come on top and are not granted.
    fewest = 1 + (customers + 40) / NAMES_PER_BATCH / count
    allowed = {
        "requests_per_minute": REQUESTS_PER_MINUTE / fewest,
        "requests_per_second": REQUESTS_PER_SECOND * 60 / fewest,
        "batches_per_minute": BATCHES_PER_MINUTE * NAMES_PER_BATCH / ((customers + 40) / count),
    }
    binding = min(allowed, key=lambda name: allowed[name])
    per_minute = count / seconds * 60
    return {
        "ratio": round(per_minute / allowed[binding], 3),
        "requests_per_order": round(counters.get("requests", 0) / count, 4),
        "fewest_requests_per_order": round(fewest, 4),
        "refused": counters.get("refused", 0),
        "orders_per_minute": round(per_minute, 1),
        "binding_limit": binding,
        "orders_per_minute_allowed": round(allowed[binding], 1),
        "orders": count,
        "customers": customers,
        "seconds": round(seconds, 2),
        "restart_s": round(down_s, 2),
        "rate": RATE,
        "cpu_ms_per_order": {name: round(value / count * 1000, 2) for name, value in used.items()},
        "load": [round(value, 2) for value in psutil.getloadavg()],
        "requests": {name: value for name, value in counters.items() if ":" in name},
    }


def cpu_seconds(replica: Replica) -> float:
    process = replica.process()
    if process is None:
        return 0.0
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> int:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.quickbooks", description="A backfill against the limits.")
    parser.add_argument("--orders", type=int, default=5000)
    parser.add_argument("--customers", type=int, default=500, help="how many different people buy")
    given = parser.parse_args()
    console = Console()
    report = uvloop.run(measure(console, given.orders, given.customers))
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    table = Table("figure", "value")
    for name, value in report.items():
        if name != "requests":
            table.add_row(name, str(value))
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
