"""A stranger at the real services: each owner of data refuses another tenant's, on every route there is."""

import asyncio
import uuid

import httpx
import pytest
from tests.e2e.test_payouts import EXAMPLE_B, upload
from tests.e2e.world import World, first_day
from tests.isolation import Prey, bodies_for, walk

from sandbox.demo.gateway import Json, Refused
from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARK = f"Marked-{uuid.uuid4().hex[:8]}"
ORDERS = 2
OF_NO_ORDER = {"field": "number", "comparison": "equals", "value": "none"}


async def prey_of(world: World) -> Prey:
    """A tenant with one of everything that the services keep."""
    gateway = world.gateway
    company = await world.company("beancount", first_day(40))
    shop = await world.open_shop("shopify", orders=ORDERS, scenarios=("refunded_in_full",))
    connection = await world.connect_shop(company, shop, mode="invoices_payments_if_paid")
    only = {"action": "add_prefix", "value": "AZ", "conditions": [OF_NO_ORDER]}
    rule = await gateway.post("/rules", {"name": MARK, "definition": only})
    await world.send(connection, shop.life.events(ORDERS), in_order=True)
    await world.settled(company, orders=ORDERS)
    given = {"payout_id": f"po-{MARK}", "paid_on": first_day(0).isoformat(), "currency": "USD", "net": "209.91"}
    uploaded = await upload(world, connection, "payout_csv", EXAMPLE_B.encode(), **given)
    assert uploaded.status_code == 200, uploaded.text
    run = await gateway.post("/runs", {"connection_id": connection.connection_id, "order_numbers": ["1"]})
    # Whatever is still under way would change what its owner sees all by itself.
    payout = f"/connections/{connection.connection_id}/payouts/po-{MARK}"
    async with asyncio.timeout(60):
        while (await gateway.get(payout))["payout"]["outcome"] is None:
            await asyncio.sleep(0.2)
        while (await gateway.get(f"/runs/{run['run_id']}"))["state"] != "finished":
            await asyncio.sleep(0.2)
    await world.settled(company, orders=ORDERS)
    orders = await world.orders(connection)
    documents = [row async for row in gateway.each("/documents", company_id=company.company_id)]
    ids = {
        "tenant_id": world.tenant_id,
        "key_id": (await first(world, "/api-keys"))["key_id"],
        "connection_id": connection.connection_id,
        "company_id": company.company_id,
        "task_id": (await first(world, "/tasks"))["task_id"],
        "run_id": run["run_id"],
        "rule_id": rule["rule_id"],
        "document_key": next(row["document_key"] for row in documents if row["kind"] == "invoice"),
        "customer_key": next(row["document_key"] for row in documents if row["kind"] == "customer"),
        "order_id": next(iter(orders.values()))["order_id"],
        "payout_id": f"po-{MARK}",
        "list_name": "accounts",
        "map_name": "products",
        "channel": "custom",
        "dead_letter_id": "dl_1",
        "job_id": "rep_1",
    }
    settings = [await gateway.get(f"/{kind}/settings") for kind in paths_of(ids)]
    names = {one["name"] for one in settings}
    return Prey(ids, bodies_for(ids, *settings), {MARK, *names})


async def first(world: World, path: str) -> Json:
    page = await world.gateway.get(path, limit=1)
    row: Json = page["items"][0]
    return row


def paths_of(ids: dict[str, str]) -> tuple[str, str]:
    return f"companies/{ids['company_id']}", f"connections/{ids['connection_id']}"


async def kept(world: World, prey: Prey) -> list[object]:
    """All that a stranger could have changed, as its owner sees it."""
    gateway, ids = world.gateway, dict(prey.ids)
    lists = ("/orders", "/documents", "/rules", "/tasks")
    seen: list[object] = [[row async for row in gateway.each(path)] for path in lists]
    for path in paths_of(ids):
        seen += [await gateway.get(f"/{path}"), await gateway.get(f"/{path}/settings")]
    connection = f"/connections/{ids['connection_id']}"
    return [*seen, await gateway.get(f"{connection}/payouts/{ids['payout_id']}")]


async def test_no_service_gives_a_stranger_anything_of_another_tenant(product: Stack, world: World) -> None:
    prey = await prey_of(world)
    before = await kept(world, prey)
    assert all(mark in str(before) for mark in prey.marks)
    async with World.of(product) as other:
        wanted = {"name": "stranger", "scopes": ["read", "write", "sync", "admin"]}
        key = await other.operator.post(f"/tenants/{other.tenant_id}/api-keys", wanted)
        headers = {"authorization": f"Bearer {key['key']}"}
        with httpx.Client(base_url=product.url_of("api"), headers=headers, timeout=60, trust_env=False) as stranger:
            assert await asyncio.to_thread(walk, stranger, prey) > 60
    assert await kept(world, prey) == before


async def test_a_shop_is_connected_once_by_a_tenant_and_no_tenant_hears_of_anothers(product: Stack) -> None:
    async with World.of(product) as world, World.of(product) as agency:
        shop = await world.open_shop("shopify", orders=ORDERS)
        first = await world.connect_shop(await world.company("beancount", first_day(40)), shop, mode="sales_receipts")
        body = {"channel": "shopify", "name": "again", "config": {"shop_domain": shop.host.upper()}}
        login = {"secrets": {"webhook_secret": first.secret}}
        with pytest.raises(Refused, match="SHOP_CONNECTED_ALREADY") as refused:
            await world.gateway.post("/connections", body | login)
        assert "answered 409" in str(refused.value)
        assert first.connection_id in str(refused.value)
        assert [row["connection_id"] async for row in world.gateway.each("/connections")] == [first.connection_id]
        assert (await agency.gateway.post("/connections", body | login))["connection_id"] != first.connection_id
