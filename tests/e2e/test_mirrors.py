"""What a mirror has lost is found by comparing it with its owner, and comes back by a rebuild."""

import asyncpg
import pytest
from tests.e2e.world import Company, World, eventually, first_day

from sandbox.demo.gateway import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORDERS = 6
LOST = {
    "read_model": ("api.documents", "documents.changed.v1"),
    "mapper": ("mapper.orders", "order.normalized.v1"),
    "ledger_writer": ("ledger_writer.sets", "transactions.mapped.v1"),
}
"""Mirror → the table that loses a row, and the type of its states."""


async def execute(world: World, statement: str) -> str:
    """As somebody with the database's password would; `$1` is the tenant."""
    database = await asyncpg.connect(world.stack.place.admin_database_url)
    try:
        return str(await database.execute(statement, world.tenant_id))
    finally:
        await database.close()


async def compared(world: World) -> Json:
    """A whole comparison, without the minutes between its two looks."""
    path = f"/tenants/{world.tenant_id}/mirrors"
    before = (await world.operator.post(f"{path}/check"))["checked_at"]
    seen: Json = {}

    async def is_over() -> bool:
        nonlocal seen
        seen = await world.operator.get(path)
        if seen["going_on"]:
            await execute(world, "UPDATE api.mirror_checks SET next_look_at = now() WHERE tenant_id = $1")
        return bool(seen["checked_at"] != before and not seen["going_on"])

    await eventually(is_over, "the mirrors are compared", within_s=60, seen=lambda: seen)
    return seen


async def all_same(world: World) -> Json:
    """Wait until no mirror differs, and nothing is under way."""
    seen: Json = {}

    async def are_same() -> bool:
        nonlocal seen
        seen = await compared(world)
        return not seen["differences"] and not seen["under_way"]

    await eventually(are_same, "every mirror is as its owner", within_s=60, seen=lambda: seen)
    return seen


async def written(world: World, company: Company) -> dict[str, tuple[object, ...]]:
    """Document key → what a bookkeeper sees of it. That the lane has looked at it once more is no part of it."""
    fields = ("kind", "state", "ledger_id", "number", "date", "amount", "notices")
    return {row["document_key"]: tuple(row[name] for name in fields) for row in await world.documents(company)}


async def test_a_mirror_that_lost_a_row_is_named_and_mended_by_a_rebuild(world: World) -> None:
    company = await world.company("beancount", first_day(40))
    shop = await world.open_shop("shopify", orders=ORDERS)
    connection = await world.connect_shop(company, shop, mode="invoices_payments_if_paid")
    await world.send(connection, shop.life.events(ORDERS), in_order=True)
    await world.settled(company, orders=ORDERS)
    in_ledger = await written(world, company)
    rows = {(one["mirror"], one["entity"]): one["mirror_rows"] for one in (await all_same(world))["entities"]}
    assert rows["mapper", "order.normalized.v1"] == rows["read_model", "order.listed.v1"] == ORDERS
    assert all(rows[mirror, entity] for mirror, (_, entity) in LOST.items())

    for table, _ in LOST.values():
        taken = f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table} WHERE tenant_id = $1)"
        assert await execute(world, taken) == "DELETE 1"
    found = (await compared(world))["differences"]
    assert {(one["mirror"], one["entity"]): one["owner_rows"] - one["mirror_rows"] for one in found} == {
        (mirror, entity): 1 for mirror, (_, entity) in LOST.items()
    }
    for mirror in LOST:
        await world.operator.post(f"/tenants/{world.tenant_id}/rebuild?mirror={mirror}")
    await all_same(world)
    await world.settled(company, orders=ORDERS)
    assert await written(world, company) == in_ledger


async def test_a_set_that_ledger_writer_lost_comes_back_by_a_resend_of_its_order(world: World) -> None:
    """As after a dead letter: nothing of the order has changed, so that nothing would be sent by itself."""
    company = await world.company("beancount", first_day(40))
    shop = await world.open_shop("shopify", orders=2)
    connection = await world.connect_shop(company, shop, mode="sales_receipts")
    await world.send(connection, shop.life.events(2), in_order=True)
    await world.settled(company, orders=2)
    in_ledger = await written(world, company)
    order = (await world.gateway.get("/orders"))["items"][0]
    lost = f"DELETE FROM ledger_writer.sets WHERE tenant_id = $1 AND source_id = '{order['external_id']}'"
    assert await execute(world, lost) == "DELETE 1"
    body = {"company_id": company.company_id, "order_ids": [order["order_id"]]}
    run = (await world.gateway.post("/resends", body))["run_id"]
    await all_same(world)
    await world.settled(company, orders=2)
    assert (await world.gateway.get(f"/runs/{run}"))["results"] == {"synced": 1}
    assert await written(world, company) == in_ledger
