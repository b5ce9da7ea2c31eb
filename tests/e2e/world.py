"""A tenant on the running product, as its owner sees it: everything here goes over the public REST API and webhooks."""

import asyncio
import itertools
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from sandbox.demo import proof
from sandbox.demo.delivery import patiently
from sandbox.demo.gateway import Gateway, Json, Refused
from sandbox.shops.life import Event, ShopLife
from sandbox.shops.sender import Report, WebhookSender
from sandbox.shops.shop import Kind
from sandbox.shops.signatures import Delivery
from sandbox.stack import Stack

QUIET_PASSES = 4
QUIET_PASS_S = 0.4
SETTLE_TIMEOUT_S = 120.0
WRITTEN = ("synced", "voided")
_realms = itertools.count(9_130_000_000_000_001)


@dataclass(frozen=True, slots=True)
class Company:
    """A paired company file. `realm`: QuickBooks' own id of it, empty for Beancount."""

    company_id: str
    ledger: str
    realm: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected channel account and where its webhooks go."""

    connection_id: str
    channel: str
    company: Company
    webhook_url: str
    secret: str


@dataclass(frozen=True, slots=True)
class SampleShop:
    """A shop of the stand-in, with the life that says what it sells."""

    name: str
    life: ShopLife
    host: str
    address: str


class PatientGateway(Gateway):
    """Reads again while a part of the product is being restarted."""

    async def get(self, path: str, **query: Any) -> Json:
        return await patiently(lambda: Gateway.get(self, path, **query))


class World:
    """One tenant."""

    def __init__(self, stack: Stack, gateway: Gateway, operator: Gateway, tenant_id: str) -> None:
        self.stack = stack
        self.gateway = gateway
        self.operator = operator
        self.tenant_id = tenant_id

    @classmethod
    @asynccontextmanager
    async def of(cls, stack: Stack) -> AsyncIterator["World"]:
        """A new tenant with a key that may do all a tenant may."""
        url = stack.url_of("api")
        async with Gateway(url, stack.operator_key) as operator:
            tenant = await operator.post("/tenants", {"name": "End to end"})
            wanted = {"name": "tests", "scopes": ["read", "write", "sync", "admin"]}
            key = await operator.post(f"/tenants/{tenant['tenant_id']}/api-keys", wanted)
            async with PatientGateway(url, str(key["key"])) as gateway:
                yield cls(stack, gateway, operator, tenant["tenant_id"])

    async def company(self, ledger: str, closed_through: date) -> Company:
        """Pair a fresh company file, save its settings and approve its first sync."""
        name = f"Books {uuid.uuid4().hex[:8]}"
        body = {"ledger": ledger, "name": name, "home_currency": "USD"}
        company_id = (await self.gateway.post("/companies", body))["company_id"]
        realm = await self.consent(company_id) if ledger == "quickbooks_online" else ""
        detail = await self.gateway.get(f"/companies/{company_id}")
        settings = {
            "company_id": company_id,
            "name": name,
            "ledger": ledger,
            "closed_through": closed_through.isoformat(),
            "accounts": detail["default_accounts"],
        }
        await self.gateway.save(f"/companies/{company_id}/settings", settings)
        await self.gateway.post(f"/companies/{company_id}/approve")
        return Company(company_id, ledger, realm)

    async def consent(
        self, company_id: str, seeded: Sequence[tuple[str, Json]] = (), *, again: str = "", **company: Any
    ) -> str:
        """Give a company of its own to the app, as its owner does with one click at Intuit. Returns its realm.

        `company` are settings of the stand-in's; `seeded` the (entity, object) that stand there before. `again`: the
        realm that was given before.
        """
        realm = again or str(next(_realms))
        begun = await self.gateway.post(f"/companies/{company_id}/oauth")
        steering = f"{self.stack.url_of('quickbooks-online')}/_sandbox/companies"
        async with httpx.AsyncClient(follow_redirects=True, timeout=60, trust_env=False) as browser:
            if not again:
                (await browser.post(steering, json={"realm_id": realm, **company})).raise_for_status()
            if seeded:
                parts = [{"entity": entity, "object": content} for entity, content in seeded]
                (await browser.post(f"{steering}/{realm}/seed", json=parts)).raise_for_status()
            answer = await browser.get(f"{begun['authorization_url']}&realmId={realm}")
            answer.raise_for_status()
        return realm

    async def connect(
        self,
        company: Company,
        channel: str,
        *,
        config: Mapping[str, str],
        secrets: Mapping[str, str],
        start: date,
        mode: str,
        **settings: Any,
    ) -> Connection:
        """Connect a channel account and let no schedule fetch from it: tests say when."""
        name = f"{channel} {uuid.uuid4().hex[:6]}"
        body = {"channel": channel, "name": name, "config": dict(config), "secrets": dict(secrets)}
        made = await self.gateway.post("/connections", body)
        connection_id = made["connection_id"]
        whole = {
            "connection_id": connection_id,
            "channel": channel,
            "name": name,
            "company_id": company.company_id,
            "start_date": start.isoformat(),
            "mode": mode,
            "products": {"missing": "create_non_inventory", "match_field": "sku"},
            **settings,
        }
        await self.gateway.save(f"/connections/{connection_id}/settings", whole)
        await self.stop_schedule(connection_id)
        detail = await self.gateway.get(f"/connections/{connection_id}")
        url = self.stack.url_of("ingest") + detail["webhook_path"]
        secret = secrets.get("webhook_secret") or secrets["signing_secret"]
        return Connection(connection_id, channel, company, url, secret)

    async def stop_schedule(self, connection_id: str) -> None:
        """Switch the connection's tasks off, and end what they had begun: years of an empty shop take long to read."""
        async for task in self.gateway.each("/tasks", connection_id=connection_id):
            await self.gateway.change(f"/tasks/{task['task_id']}", {"active": False})
        async for run in self.gateway.each("/runs", connection_id=connection_id):
            with suppress(Refused):  # it is over
                await self.gateway.post(f"/runs/{run['run_id']}/cancel")
        async with asyncio.timeout(60):
            while [
                run
                async for run in self.gateway.each("/runs", connection_id=connection_id)
                if not (run["fetched_at"] or run["failed"] or run["cancelled"])
            ]:
                await asyncio.sleep(0.2)

    async def open_shop(self, kind: Kind, *, orders: int, seed: int = 7, days: int = 28, **life: Any) -> SampleShop:
        """A shop of the stand-in in which nothing has happened yet. Its life began `days` ago."""
        name = f"{kind}-{uuid.uuid4().hex[:8]}"
        start = first_day(days)
        # All of it must lie in the past when the shop is polled, also refunds days after the last order.
        per_day = max(1, -(-orders // max(1, days - 14)))
        # Several shops of a test lead the same life, and each is connected under its own name.
        life |= {"host": f"{name}.myshopify.com"} if kind == "shopify" else {}
        asked = {"name": name, "kind": kind, "shop": "us", "seed": seed, "orders": orders, **life}
        asked |= {"start_date": start.isoformat(), "orders_per_day": per_day, "plan": "unlimited"}
        async with httpx.AsyncClient(base_url=self.stack.url_of("shops"), timeout=60, trust_env=False) as client:
            opened = await client.post("/_sandbox/shops", json=asked)
            opened.raise_for_status()
        made = ShopLife(seed, kind, "us", start, orders_per_day=per_day, **life)
        return SampleShop(name, made, opened.json()["host"], f"{self.stack.url_of('shops')}/{name}")

    async def begin_life(self, shop: SampleShop) -> None:
        """Let everything happen in the shop, untold: its API answers with it from now on."""
        async with httpx.AsyncClient(base_url=self.stack.url_of("shops"), timeout=60, trust_env=False) as client:
            (await client.post(f"/_sandbox/shops/{shop.name}/advance", json={"deliver": False})).raise_for_status()

    async def connect_shop(self, company: Company, shop: SampleShop, *, mode: str, **settings: Any) -> Connection:
        """Connect a sample shop with everything it needs to be asked back."""
        kind, name = shop.life.kind, shop.name
        config: dict[str, str] = {}
        secrets = {"webhook_secret": f"whsec_{name}"}
        if kind == "shopify":
            config = {"shop_domain": shop.host, "base_url": shop.address}
            secrets |= {"access_token": f"shpat_{name}"}
        elif kind == "woocommerce":
            config = {"store_url": shop.address}
            secrets |= {"consumer_key": f"ck_{name}", "consumer_secret": f"cs_{name}"}
        else:
            config = {"base_url": shop.address, "pull_contract": settings.pop("pull_contract", "native")}
            secrets = {"signing_secret": f"whsec_{name}", "token": f"shpat_{name}"}
        start = shop.life.start.date()
        return await self.connect(
            company, kind, config=config, secrets=secrets, start=start, mode=mode,
            time_zone="America/New_York", **settings,
        )  # fmt: skip

    async def send(
        self, connection: Connection, deliveries: Iterable[Delivery | Event], *, in_order: bool = False, **options: Any
    ) -> Report:
        """Post signed webhooks, with more patience than a vendor has: what a busy machine makes of them counts here."""
        patience = {"timeout_s": 30.0} | options
        sender = WebhookSender(connection.webhook_url, connection.secret, in_order=in_order, **patience)
        return await sender.send(deliveries)

    async def poll(self, connection: Connection, *, days: int = 30, within_s: float = SETTLE_TIMEOUT_S) -> Json:
        """Fetch the shop's last `days` days and follow the run until every order of it is done."""
        span = {"date_from": first_day(days).isoformat(), "date_to": datetime.now(UTC).date().isoformat()}
        asked = {"connection_id": connection.connection_id, "by": "created", **span}
        run = await patiently(lambda: self.gateway.post("/runs", asked))

        async def is_over() -> bool:
            nonlocal run
            run = await self.gateway.get(f"/runs/{run['run_id']}")
            assert run["state"] != "failed", run["failed"]
            return run["state"] in {"finished", "cancelled"}

        await eventually(is_over, "the polling run ends", within_s=within_s, seen=lambda: run)
        return run

    async def settled(self, company: Company, *, orders: int = 0, within_s: float = SETTLE_TIMEOUT_S) -> Json:
        """Wait until nothing of the company is in progress, at least `orders` orders are known, and it stays so."""
        overview: Json = {}
        quiet, last = 0, ""

        async def is_quiet() -> bool:
            nonlocal overview, quiet, last
            overview = await self.gateway.get(f"/companies/{company.company_id}/overview")
            rows = overview["rows"]
            busy = sum(row["in_progress"] + row["not_tried"] for row in rows)
            known = sum(row["source"] + row["out_of_scope"] for row in rows if row["name"] == "orders")
            # The shop is being asked for what is missing; that ends by itself.
            fetching = await self.gateway.get("/orders", company_id=company.company_id, code="WAITING_FOR_DETAILS")
            busy += len(fetching["items"])
            quiet = quiet + 1 if not busy and known >= orders and str(rows) == last else 0
            last = str(rows)
            return quiet >= QUIET_PASSES

        await eventually(is_quiet, "the company settles", within_s=within_s, every_s=QUIET_PASS_S, seen=lambda: last)
        return overview

    async def orders(self, connection: Connection) -> dict[str, Json]:
        """Every order of the connection by the channel's id."""
        rows = self.gateway.each("/orders", connection_id=connection.connection_id)
        return {row["external_id"]: row async for row in rows}

    async def documents(self, company: Company, *, of: str | None = None) -> list[Json]:
        """The company's documents that come from orders; `of` one order by its channel id."""
        rows = self.gateway.each("/documents", company_id=company.company_id)
        found = [row async for row in rows if row["source_kind"] == "order" and row["kind"] not in {"customer", "item"}]
        return [row for row in found if of is None or row["source_id"] == of]

    async def timeline(self, order: Json) -> Json:
        """The whole story of one order."""
        return await self.gateway.get(f"/orders/{order['order_id']}/timeline")

    async def balances(self, company: Company) -> dict[str, Decimal]:
        """Account → debit less credit, as the ledger reports it. A Beancount journal has to pass `bean-check` first."""
        if company.ledger == "beancount":
            main = self.journal(company)
            await asyncio.to_thread(proof.check_books, main)
            return await asyncio.to_thread(proof.beancount_balances, main)
        trial = await self.gateway.get(f"/companies/{company.company_id}/trial-balance")
        return {row["account"]: Decimal(row["debit"]) - Decimal(row["credit"]) for row in trial["rows"]}

    def journal(self, company: Company) -> Path:
        """The main file of a company's Beancount books."""
        (main,) = [path for path in self.stack.books.rglob("main.beancount") if company.company_id in path.parts]
        return main


def first_day(days: int) -> date:
    """The day `days` days ago."""
    return datetime.now(UTC).date() - timedelta(days=days)


def written(documents: Iterable[Json]) -> Counter[tuple[str, str]]:
    """How many documents of each (order, kind) are in the ledger."""
    return Counter((row["source_id"], row["kind"]) for row in documents if row["state"] in WRITTEN)


async def eventually(
    is_so: Callable[[], Awaitable[bool]],
    what: str,
    *,
    within_s: float,
    every_s: float = 0.3,
    seen: Callable[[], object] = lambda: "",
) -> None:
    """Wait until something is so. Raises AssertionError with what was seen last."""
    deadline = time.monotonic() + within_s
    while not await is_so():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}; last seen: {str(seen())[:3000]}"
        await asyncio.sleep(every_s)
