"""How fast the product is: signed webhooks in, Beancount documents on disk and recorded.

Every order is distinct and of the demo's mix; it is sent once, over keep-alive connections, to the running services. An
order counts when ledger-writer has recorded its documents as written, which it does after the journal's fsync. The
clock runs from the first webhook to the last such record.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import psutil

from bench.load import encode, post
from sandbox.demo.gateway import Gateway
from sandbox.demo.scenery import tenant_key
from sandbox.infrastructure.processes import ServerProcess
from sandbox.shops.life import ShopLife
from sandbox.stack import Stack

CONNECTIONS = 400
POLL_S = 0.05
RUN_TIMEOUT_S = 180.0
SECRET = "whsec_bench"  # noqa: S105 - of a shop that exists for minutes

WRITTEN = """
SELECT count(DISTINCT source_id) FILTER (WHERE state = 'synced') AS written,
       count(*) FILTER (WHERE state IN ('not_tried', 'queued', 'in_flight', 'retry_wait', 'unknown')) AS busy
FROM ledger_writer.documents WHERE connection_id = $1
"""
ARRIVED = "SELECT count(*) FROM ledger_writer.sets WHERE connection_id = $1"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run."""

    webhooks_per_s: float
    orders_per_s: float
    orders_written: int
    cpu_us_per_order: Mapping[str, float]


def domain_of(number: int) -> str:
    """Each run has a shop of its own: a shop is connected once."""
    return f"bench-{number}.myshopify.com"


async def connect_shop(stack: Stack, gateway: Gateway, company_id: str, number: int) -> tuple[str, str]:
    """A webhook-only Shopify connection of its own for one run. Returns its id and its receiver's address."""
    connection = await gateway.post(
        "/connections",
        {
            "channel": "shopify",
            "name": f"bench {number}",
            "config": {"shop_domain": domain_of(number)},
            "secrets": {"webhook_secret": SECRET},
        },
    )
    connection_id = connection["connection_id"]
    settings = {
        "connection_id": connection_id,
        "channel": "shopify",
        "name": f"bench {number}",
        "company_id": company_id,
        "start_date": "2020-01-01",
        "time_zone": "America/New_York",
        # Every order has its document in this mode; with receipts, those that wait for their payment have none.
        "mode": "invoices_only",
        "products": {"missing": "create_non_inventory", "match_field": "sku"},
        "numbers": {"prefix": f"B{number}-"},
    }
    await gateway.save(f"/connections/{connection_id}/settings", settings)
    detail = await gateway.get(f"/connections/{connection_id}")
    return connection_id, stack.url_of("ingest") + detail["webhook_path"]


async def open_books(stack: Stack) -> tuple[Gateway, str]:
    """A tenant with one approved Beancount company."""
    gateway = Gateway(stack.url_of("api"), await tenant_key(stack))
    made = await gateway.post("/companies", {"ledger": "beancount", "name": "Bench books", "home_currency": "USD"})
    company = await gateway.get(f"/companies/{made['company_id']}")
    settings = {
        "company_id": company["company_id"],
        "name": company["name"],
        "ledger": "beancount",
        "closed_through": "2019-12-31",
        "accounts": company["default_accounts"],
    }
    await gateway.save(f"/companies/{company['company_id']}/settings", settings)
    await gateway.post(f"/companies/{company['company_id']}/approve")
    return gateway, company["company_id"]


async def order_bytes(stack: Stack) -> int:
    """Mean size of a normalised order as it travels: what the floor carries and inserts at each hop."""
    database = await asyncpg.connect(stack.place.admin_database_url)
    size = await database.fetchval("SELECT avg(length(body)) FROM ingest.outbox WHERE type = 'order.normalized.v1'")
    await database.close()
    return int(size)


async def measure(stack: Stack, gateway: Gateway, company_id: str, number: int, orders: int) -> Measured:
    """Send `orders` distinct orders and wait until each is written or held. Raises TimeoutError."""
    connection_id, url = await connect_shop(stack, gateway, company_id, number)
    start = datetime.now(UTC).date() - timedelta(days=60)
    pace = orders // 50
    host = domain_of(number)
    life = ShopLife(100 + number, "shopify", "us", start, orders_per_day=pace, with_transactions=True, host=host)
    requests = encode(url, SECRET, life.orders(orders))
    database = await asyncpg.connect(stack.place.admin_database_url)
    before = cpu_seconds(stack)
    started = time.monotonic()
    # Nobody asks the database how far it is while webhooks come in: that would take CPU from what is measured.
    report = await post(url, requests, CONNECTIONS)
    written, ended = await _until_written(database, connection_id, orders, started)
    if report.accepted != orders:
        raise RuntimeError(f"{orders - report.accepted} of {orders} webhooks were refused: {dict(report.by_status)}")
    after = cpu_seconds(stack)
    await database.close()
    cpu = {name: round((after[name] - before[name]) / orders * 1e6, 1) for name in after}
    return Measured(orders / report.seconds, written / (ended - started), written, cpu)


async def _until_written(
    database: asyncpg.Connection, connection_id: str, orders: int, started: float
) -> tuple[int, float]:
    """Number of orders written, and the moment the last of them was first seen written."""
    best, ended = 0, started
    while time.monotonic() - started < RUN_TIMEOUT_S:
        if await database.fetchval(ARRIVED, connection_id) == orders:
            (row,) = await database.fetch(WRITTEN, connection_id)
            if row["written"] > best:
                best, ended = row["written"], time.monotonic()
            if row["busy"] == 0:
                return best, ended
        await asyncio.sleep(POLL_S)
    raise TimeoutError(f"after {RUN_TIMEOUT_S:.0f} s only {best} of {orders} orders are written")


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """CPU seconds used so far by each service, RabbitMQ and Postgres."""
    used: dict[str, float] = {}
    for name, replica in stack.processes.items():
        process = replica.process()
        service = name.rsplit("-", 1)[0]
        if process is not None and name not in stack.stand_ins:
            used[service] = used.get(service, 0.0) + _own(process)
    for server in ("rabbitmq", "postgres"):
        used[server] = sum(_with_children(process) for process in _servers(stack, server))
    return used


def _servers(stack: Stack, server: str) -> list[psutil.Process]:
    """The stack's own server processes with all that they started; empty where they run elsewhere."""
    process = ServerProcess(stack.infrastructure.state.root / f"{server}.process").running()
    return [process, *process.children(recursive=True)] if process else []


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _with_children(process: psutil.Process) -> float:
    """CPU of the process and of its children that have ended: a connection of Postgres is a process."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
