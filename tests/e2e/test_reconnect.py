"""A QuickBooks company that goes away and comes back: links stay, documents wait, nothing is written twice."""

from collections.abc import Mapping

import httpx
import pytest
from tests.e2e.test_step_by_step import first_moments
from tests.e2e.world import Company, Connection, World, eventually, first_day

from sandbox.demo.gateway import Json
from sandbox.shops.life import Event

pytestmark = pytest.mark.asyncio(loop_scope="session")

ORDERS = 6
MODE = "invoices_payments_if_paid"


async def opened(world: World) -> tuple[Company, Connection, list[Event], list[Event]]:
    """A company in which all orders of a shop have just been placed and written; what happens to them later is left."""
    company = await world.company("quickbooks_online", first_day(40))
    stories = ("pending_then_paid", "refunded_in_full", "edited_before_payment")
    shop = await world.open_shop("shopify", orders=ORDERS, scenarios=stories)
    connection = await world.connect_shop(company, shop, mode=MODE)
    placed, later = first_moments(shop.life.events(ORDERS))
    await world.send(connection, placed, in_order=True)
    await world.settled(company, orders=ORDERS)
    await world.begin_life(shop)
    return company, connection, placed, later


async def sign_in(world: World, company: Company) -> None:
    """The same person, the same company of QuickBooks."""
    begun = await world.gateway.post(f"/companies/{company.company_id}/oauth")
    async with httpx.AsyncClient(follow_redirects=True, timeout=60, trust_env=False) as browser:
        answer = await browser.get(f"{begun['authorization_url']}&realmId={company.realm}")
        answer.raise_for_status()
    assert await status_of(world, company) == "connected"


async def status_of(world: World, company: Company) -> str:
    detail = await world.gateway.get(f"/companies/{company.company_id}")
    return str(detail["status"])


async def steer(world: World, method: str, path: str, body: object = None) -> Json | list[Json]:
    """The stand-in's own controls."""
    url = f"{world.stack.url_of('quickbooks-online')}/_sandbox{path}"
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        answer = await client.request(method, url, json=body)
        answer.raise_for_status()
        found: Json | list[Json] = answer.json()
    return found


async def links(world: World, company: Company) -> Mapping[str, str]:
    """Document key → id in QuickBooks, of what is written."""
    rows = await world.documents(company)
    return {row["document_key"]: row["ledger_id"] for row in rows if row["ledger_id"]}


async def nobody_is_asked(world: World, company: Company) -> None:
    waiting = [row for row in await world.documents(company) if row["state"] in {"action_required", "blocked"}]
    assert not waiting, waiting


async def arrived(world: World, company: Company, before: int) -> None:
    """Wait until documents of what happened meanwhile are queued."""

    async def are_queued() -> bool:
        return len(await world.documents(company)) > before

    await eventually(are_queued, "later documents are queued", within_s=60)


async def test_a_disconnected_company_keeps_its_links_and_resumes_without_duplicates(world: World) -> None:
    company, connection, _, later = await opened(world)
    before = await links(world, company)
    known = len(await world.documents(company))
    await world.gateway.post(f"/companies/{company.company_id}/disconnect")
    assert await status_of(world, company) == "disconnected"
    await world.send(connection, later, in_order=True)
    await arrived(world, company, known)
    assert await links(world, company) == before
    await nobody_is_asked(world, company)

    await sign_in(world, company)
    await world.settled(company, orders=ORDERS)
    after = await links(world, company)
    assert before.items() <= after.items()
    assert len(after) > len(before)
    assert await steer(world, "GET", f"/companies/{company.realm}/duplicates") == []
    await nobody_is_asked(world, company)


async def test_refused_tokens_ask_for_a_sign_in_and_fail_no_document(world: World) -> None:
    company, connection, _, later = await opened(world)
    before = await links(world, company)
    rule = {"action": "expire_token", "entity": "*", "operation": "*", "realm": company.realm, "times": None}
    await steer(world, "POST", "/faults", rule)
    await world.send(connection, later, in_order=True)

    async def is_known() -> bool:
        return await status_of(world, company) == "needs_reconnect"

    await eventually(is_known, "the company needs somebody to sign in", within_s=90)
    await nobody_is_asked(world, company)
    await steer(world, "DELETE", "/faults")
    await sign_in(world, company)
    await world.settled(company, orders=ORDERS)
    after = await links(world, company)
    assert before.items() <= after.items()
    assert len(after) > len(before)
    assert await steer(world, "GET", f"/companies/{company.realm}/duplicates") == []
