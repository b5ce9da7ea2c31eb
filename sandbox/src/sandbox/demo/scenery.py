"""What stands before the first order: shops on the stand-ins, company files, connections and their settings."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import httpx

from sandbox.demo.gateway import PATIENCE_S, Gateway, Json
from sandbox.shops.life import Event, ShopLife
from sandbox.shops.shop import Kind
from sandbox.stack import Stack

DAYS = 30
"""One polling run may span 31 days, today included."""
SELLING_DAYS = 16
"""Then nothing new is ordered, and the last refunds still lie in the past."""
FIRST_RUN_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One shop, the company file its orders go to, and how they are to become documents."""

    name: str
    kind: Kind
    seed: int
    ledger: str
    mode: str
    title: str
    withheld: int = 12
    """Orders whose webhooks never come: the polling run finds them."""


SCENES = (
    Scene("north", "shopify", 7, "beancount", "sales_receipts", "North shop (Shopify)"),
    Scene("south", "woocommerce", 11, "quickbooks_online", "invoices_payments_if_paid", "South shop (WooCommerce)"),
)


@dataclass(slots=True)
class Pairing:
    """A scene that is set up and ready for its webhooks."""

    scene: Scene
    life: ShopLife
    orders: int
    company_id: str
    connection_id: str
    webhook_url: str
    webhook_secret: str
    details: Json = field(default_factory=dict)

    def webhooks(self) -> list[Event]:
        """Every event that is told by webhook, in the order it happened."""
        events = list(self.life.events(self.orders))
        seen = list(dict.fromkeys(event.order_id for event in events))
        silent = set(seen[-self.scene.withheld :]) if self.scene.withheld else set()
        return [event for event in events if event.order_id not in silent]


def first_day() -> date:
    """The day the shops' lives begin."""
    return datetime.now(UTC).date() - timedelta(days=DAYS)


async def tenant_key(stack: Stack, name: str = "Demo") -> str:
    """Make a tenant and a key that may do all a tenant may."""
    async with Gateway(stack.url_of("api"), stack.operator_key) as operator:
        tenant = await operator.post("/tenants", {"name": name})
        scopes = ["read", "write", "sync", "admin"]
        key = await operator.post(f"/tenants/{tenant['tenant_id']}/api-keys", {"name": "first key", "scopes": scopes})
    return str(key["key"])


async def set_up(stack: Stack, gateway: Gateway, scene: Scene, orders: int) -> Pairing:
    """Open the shop, pair its company file, connect the two and approve the first sync."""
    start = first_day()
    life = ShopLife(scene.seed, scene.kind, "us", start, orders_per_day=max(1, -(-orders // SELLING_DAYS)))
    shop = await _open_shop(stack, scene, start, orders, life)
    company = await _pair(gateway, scene)
    connection = await gateway.post("/connections", _connection(scene, shop, stack))
    connection_id, company_id = connection["connection_id"], company["company_id"]
    await gateway.save(f"/companies/{company_id}/settings", _company_settings(scene, company, start))
    await gateway.save(f"/connections/{connection_id}/settings", _settings(scene, connection_id, company_id, start))
    await gateway.post(f"/companies/{company_id}/approve")
    await switch_schedule(gateway, connection_id, on=False)
    await _begin_life(stack, scene)
    detail = await gateway.get(f"/connections/{connection_id}")
    return Pairing(
        scene,
        life,
        orders,
        company_id,
        connection_id,
        stack.url_of("ingest") + detail["webhook_path"],
        f"whsec_{scene.name}",
        company["details"],
    )


async def _open_shop(stack: Stack, scene: Scene, start: date, orders: int, life: ShopLife) -> Json:
    asked = {
        "name": scene.name,
        "kind": scene.kind,
        "shop": "us",
        "seed": scene.seed,
        "orders": orders,
        "start_date": start.isoformat(),
        "orders_per_day": life.orders_per_day,
        "plan": "plus",
    }
    async with httpx.AsyncClient(base_url=stack.url_of("shops"), timeout=60, trust_env=False) as client:
        opened = await client.post("/_sandbox/shops", json=asked)
        opened.raise_for_status()
    description: Json = opened.json()
    return description


async def switch_schedule(gateway: Gateway, connection_id: str, *, on: bool) -> None:
    """Off: let the empty first run end and no other begin. The demo shows webhooks first, and polls when it says so."""
    async for task in gateway.each("/tasks", connection_id=connection_id):
        await gateway.change(f"/tasks/{task['task_id']}", {"active": on})
    async with asyncio.timeout(FIRST_RUN_TIMEOUT_S):
        while not on and await _is_fetching(gateway, connection_id):  # noqa: ASYNC110 - the run ends elsewhere
            await asyncio.sleep(0.2)


async def _is_fetching(gateway: Gateway, connection_id: str) -> bool:
    runs = [run async for run in gateway.each("/runs", connection_id=connection_id)]
    return any(not run["fetched_at"] and not run["cancelled"] for run in runs)


async def _begin_life(stack: Stack, scene: Scene) -> None:
    """Let everything happen in the shop, so that its API answers with it. Webhooks are sent by the demo itself."""
    async with httpx.AsyncClient(base_url=stack.url_of("shops"), timeout=60, trust_env=False) as client:
        advanced = await client.post(f"/_sandbox/shops/{scene.name}/advance", json={"deliver": False})
        advanced.raise_for_status()


async def _pair(gateway: Gateway, scene: Scene) -> Json:
    body = {"ledger": scene.ledger, "name": f"{scene.title} books", "home_currency": "USD"}
    company = await gateway.post("/companies", body)
    company_id = company["company_id"]
    if scene.ledger == "quickbooks_online":
        await _consent(gateway, company_id)
    return await gateway.get(f"/companies/{company_id}")


async def _consent(gateway: Gateway, company_id: str) -> None:
    """Click through, from the start where a restart came between."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        begun = await gateway.post(f"/companies/{company_id}/oauth")
        try:
            # The stand-in consents at once and sends the browser back to the gateway, as Intuit does after a click.
            async with httpx.AsyncClient(follow_redirects=True, timeout=60, trust_env=False) as browser:
                (await browser.get(begun["authorization_url"])).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
        else:
            return


def _connection(scene: Scene, shop: Json, stack: Stack) -> Json:
    address = f"{stack.url_of('shops')}/{scene.name}"
    config: dict[str, str] = {"store_url": address}
    secrets = {"consumer_key": f"ck_{scene.name}", "consumer_secret": f"cs_{scene.name}"}
    if scene.kind == "shopify":
        config = {"shop_domain": shop["host"], "base_url": address}
        secrets = {"access_token": f"shpat_{scene.name}"}
    secrets["webhook_secret"] = f"whsec_{scene.name}"
    return {"channel": scene.kind, "name": scene.title, "config": config, "secrets": secrets}


def _company_settings(scene: Scene, company: Json, start: date) -> Json:
    return {
        "company_id": company["company_id"],
        "name": company["name"],
        "ledger": scene.ledger,
        "closed_through": (start - timedelta(days=1)).isoformat(),
        "accounts": company["default_accounts"],
    }


def _settings(scene: Scene, connection_id: str, company_id: str, start: date) -> Json:
    return {
        "connection_id": connection_id,
        "channel": scene.kind,
        "name": scene.title,
        "company_id": company_id,
        "start_date": start.isoformat(),
        "time_zone": "America/New_York",
        "mode": scene.mode,
        "products": {"missing": "create_non_inventory", "match_field": "sku"},
        "payment_methods": {},
        "numbers": {"prefix": ""},
    }
