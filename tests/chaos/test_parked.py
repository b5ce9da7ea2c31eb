"""A message that a bug kills is parked, listed, replayed after the repair, and then written."""

from collections import Counter

import pytest
from tests.chaos.poison import ORDERS, Poisoned
from tests.e2e import expected
from tests.e2e.world import eventually

from sandbox.demo.gateway import Json

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos, pytest.mark.slow]

PARKED_WITHIN_S = 150
"""A bug is tried three times, ten seconds and then a minute apart."""


async def warnings(poisoned: Poisoned) -> dict[str, int]:
    """Code → how many, as a bookkeeper sees them."""
    shown = await poisoned.world.gateway.get(f"/companies/{poisoned.connection.company.company_id}/warnings")
    return {group["code"]: group["entities"] for group in shown["groups"]}


async def test_a_message_killed_by_a_bug_is_parked_listed_replayed_and_written(poisoned: Poisoned) -> None:
    world, connection = poisoned.world, poisoned.connection
    story = poisoned.shop.life.expectation(ORDERS)
    mine: list[Json] = []

    async def are_parked() -> bool:
        letters = world.operator.each("/dead-letters", tenant_id=world.tenant_id, status="unresolved")
        mine[:] = [letter async for letter in letters]
        return len(mine) == ORDERS

    await eventually(are_parked, "the messages are parked", within_s=PARKED_WITHIN_S, every_s=1, seen=lambda: mine)
    assert {letter["entity"] for letter in mine} == {f"{connection.connection_id}/{key}" for key in story.orders}
    assert {letter["type"] for letter in mine} == {"order.normalized.v1"}
    assert {letter["error_type"] for letter in mine} == {"ValidationError"}
    assert all(letter["frame"].startswith("store/configurations.py:") for letter in mine)
    groups = await world.operator.get("/dead-letters/groups", tenant_id=world.tenant_id)
    assert [group["letters"] for group in groups["items"]] == [ORDERS]
    shown = await world.operator.get(f"/dead-letters/{mine[0]['dead_letter_id']}")
    assert not any(customer.email in str(shown) for customer in poisoned.shop.life.customers)
    assert not await world.documents(connection.company)
    assert (await warnings(poisoned)).get("MESSAGE_PARKED") == ORDERS

    await poisoned.repaired()
    job = await world.operator.post("/dead-letters/replays", {"tenant_id": world.tenant_id})

    async def is_handled() -> bool:
        nonlocal job
        job = await world.operator.get(f"/dead-letters/replays/{job['job_id']}")
        return Counter(job["outcomes"]) == Counter({"handled": ORDERS})

    await eventually(is_handled, "the replay is through", within_s=60, seen=lambda: job)
    await world.settled(connection.company, orders=ORDERS)
    rows = await world.documents(connection.company)
    assert Counter((row["kind"], row["state"]) for row in rows) == {("sales_receipt", "synced"): ORDERS}
    assert "MESSAGE_PARKED" not in await warnings(poisoned)
    accounts = expected.by_role(await world.balances(connection.company))
    assert accounts == expected.balances(story, "sales_receipts")
    again = await world.operator.post("/dead-letters/replays", {"tenant_id": world.tenant_id})
    assert again["total"] == ORDERS
    await world.settled(connection.company, orders=ORDERS)
    assert await world.documents(connection.company) == rows
