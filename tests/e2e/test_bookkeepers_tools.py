"""What a bookkeeper reaches for, on the running product: why, what if, what lies where, and everything as a file."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.e2e.world import Company, Connection, World, eventually, first_day

from sandbox.demo.gateway import Json
from sandbox.shops.life import Event

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "signing-secret-of-the-tools"
MODE = "invoices_payments_if_paid"
COMMAND = Path(sys.executable).parent / "tillbook"


class Desk:
    """One tenant's API as a person with curl or the command sees it."""

    def __init__(self, world: World, http: httpx.AsyncClient, key: str) -> None:
        self.world = world
        self.http = http
        self.key = key

    async def get(self, path: str, **query: Any) -> Json:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def put_table(self, path: str, table: str) -> httpx.Response:
        return await self.http.put(path, content=table.encode(), headers={"content-type": "text/csv"})

    def tillbook(self, *arguments: str) -> str:
        environment = {**os.environ, "TILLBOOK_URL": str(self.http.base_url), "TILLBOOK_API_KEY": self.key}
        done = subprocess.run(
            [str(COMMAND), *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def order(self, number: str) -> Json:
        (found,) = (await self.get("/v1/orders", number=number))["items"]
        order: Json = found
        return order


@pytest_asyncio.fixture(loop_scope="session")
async def desk(world: World) -> AsyncIterator[Desk]:
    """A key of its own, so that raw requests and the command can use it."""
    made = await world.gateway.post("/api-keys", {"name": "tools", "scopes": ["read", "write", "sync"]})
    url = world.stack.url_of("api")
    async with httpx.AsyncClient(
        base_url=url, headers={"authorization": f"Bearer {made['key']}"}, timeout=60, trust_env=False
    ) as http:
        yield Desk(world, http, made["key"])


async def push(world: World, connection: Connection, number: str, **changes: Any) -> None:
    """Push one paid order of a custom store."""
    today = first_day(3).isoformat()
    body = {
        "external_id": number,
        "order_number": number,
        "status": "paid",
        "created_at": f"{today}T10:00:00Z",
        "updated_at": f"{today}T10:00:00Z",
        "currency": "USD",
        "prices_include_tax": False,
        "lines": [{"external_id": "l1", "sku": "A", "name": "Apple", "quantity": "1", "unit_price": "10.00"}],
        "totals": {"grand_total": "10.00"},
        "payments": [
            {
                "external_id": f"p-{number}",
                "method": "card",
                "amount": "10.00",
                "paid_at": f"{today}T10:00:00Z",
                "reference": f"ref-{number}",
            }
        ],
        **changes,
    }
    event = Event("custom", "store.example", "orders", number, datetime.now(UTC), f"push-{number}", body)
    await world.send(connection, [event])


async def store(world: World, company: Company, **settings: Any) -> Connection:
    return await world.connect(
        company,
        "custom",
        config={},
        secrets={"signing_secret": SECRET},
        start=first_day(30),
        mode=settings.pop("mode", MODE),
        **settings,
    )


async def test_a_payment_a_rule_keeps_back_is_explained_everywhere(world: World, desk: Desk) -> None:
    company = await world.company("beancount", first_day(40))
    connection = await store(world, company)
    await push(world, connection, "2001")
    await world.settled(company, orders=1)
    paid = await desk.order("2001")

    draft = {"name": "later", "definition": {"action": "mark_as_unpaid",
             "conditions": [{"field": "number", "comparison": "equals", "value": "2002"}]}}  # fmt: skip
    tried = await desk.http.post("/v1/rules/dry-run", json={"order_ids": [paid["order_id"]], "drafts": [draft]})
    (run,) = tried.json()["orders"]
    assert [(rule["name"], rule["matched"]) for rule in run["rules"]] == [("later", False)]

    table = "name,action,field,comparison,source_value\nlater,mark_as_unpaid,number,equals,2002\n"
    imported = await desk.put_table("/v1/rules.csv", table)
    assert imported.json() == {"created": 1, "replaced": 0, "unchanged": 0}
    assert "later" in (await desk.http.get("/v1/rules.csv")).text
    refused = await desk.put_table("/v1/rules.csv", "name,action,valu\nx,add_prefix,A\n")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "valu")

    await push(world, connection, "2002")
    await world.settled(company, orders=2)
    kept = await desk.order("2002")
    for order, missing in ((paid, []), (kept, ["PAYMENT_MARKED_UNPAID"])):
        answer = await desk.get(f"/v1/orders/{order['order_id']}/missing-payments")
        assert [one["reason"]["code"] for one in answer["payments"] if one["reason"]] == missing
        assert (answer["missing"], len(answer["payments"])) == (len(missing), 1)
    story = await desk.get(f"/v1/orders/{kept['order_id']}/timeline")
    told = [entry for entry in story["entries"] if entry["outcome"] == "missing"]
    assert [entry["reason"]["code"] for entry in told] == ["PAYMENT_MARKED_UNPAID"]
    assert "later" in told[0]["reason"]["text"]

    preview = await desk.get(f"/v1/orders/{kept['order_id']}/preview")
    assert [(one["would"], one["document"]["kind"], one["document"]["total"]) for one in preview["documents"]] == [
        ("nothing", "invoice", "10.00")
    ]
    assert "PAYMENT_MARKED_UNPAID" in desk.tillbook("--json", "orders", "why-unpaid", "2002")
    assert "later" in desk.tillbook("rules", "test", "2002")


async def test_what_was_done_and_what_lies_in_clearing_can_be_looked_up(world: World, desk: Desk) -> None:
    company = await world.company("beancount", first_day(40))
    connection = await store(world, company)
    for number in ("3001", "3002"):
        await push(world, connection, number)
    await world.settled(company, orders=2)

    report = await desk.get(f"/v1/companies/{company.company_id}/clearing", limit=1)
    assert [(one["currency"], one["documents"], one["amount"]) for one in report["ages"]] == [("USD", 2, "20.00")]
    rest = await desk.get(f"/v1/companies/{company.company_id}/clearing", cursor=report["next_cursor"])
    items = [*report["items"], *rest["items"]]
    assert {one["order_number"] for one in items} == {"3001", "3002"}
    assert {(one["kind"], one["amount"], one["age_days"], one["account_role"]) for one in items} == {
        ("payment", "10.00", 3, "UF")
    }
    assert {(one["status"], one["reason"]["code"]) for one in items} == {("payouts_off", "PAYOUTS_OFF")}

    log = (await desk.get("/v1/sync-log", number="3001"))["items"]
    assert {(one["direction"], one["entity"], one["action"]) for one in log} >= {
        ("from_channel", "order", "received"),
        ("to_ledger", "invoice", "created"),
        ("to_ledger", "payment", "created"),
    }
    assert all(one["trigger"] == "webhook" and one["ledger_id"] for one in log if one["direction"] == "to_ledger")
    assert (await desk.get("/v1/sync-log", tab="errors"))["items"] == []
    everything = [one["document_key"] or one["order_id"] for one in (await desk.get("/v1/sync-log"))["items"]]
    paged: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await desk.get("/v1/sync-log", limit=2, **cursor)
        paged += [one["document_key"] or one["order_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert paged == everything

    exported = await desk.http.get("/v1/documents.csv", params={"company_id": company.company_id, "kind": "payment"})
    assert exported.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(exported.text)))
    assert {(row["order_number"], row["amount"], row["state"]) for row in rows} == {
        ("3001", "10.00", "synced"),
        ("3002", "10.00", "synced"),
    }
    assert "PAYOUTS_OFF" in desk.tillbook("--json", "clearing")
    assert "3001" in desk.tillbook("log", "--number", "3001")


async def test_an_unmatched_product_waits_in_the_queue_until_a_table_maps_it(world: World, desk: Desk) -> None:
    company = await world.company("quickbooks_online", first_day(40))
    connection = await store(world, company, mode="sales_receipts", products={"match_field": "name"})
    line = {"external_id": "l1", "sku": "=SUM-1", "name": "Odd", "quantity": "1", "unit_price": "10.00"}
    await push(world, connection, "4001", lines=[line])
    (waiting,) = await queue(desk)
    assert (waiting["sku"], waiting["orders"]) == ("=SUM-1", 1)
    listed = await desk.get(f"/v1/companies/{company.company_id}/lists/items", limit=500)
    target = next(one["full_name"] for one in listed["items"] if one["active"] and one["object_type"] == "Service")

    foreign = await desk.put_table("/v1/maps/products.csv", f"connection_id,source,target\nsomeone,=SUM-1,{target}\n")
    assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "row 2, connection_id")
    saved = await desk.put_table("/v1/maps/products.csv", f"connection_id,source,target\n*,'=SUM-1,{target}\n")
    assert saved.status_code == 200, saved.text
    assert (saved.json()["saved"], saved.json()["orders_affected"]) == (1, 1)
    await world.settled(company, orders=1)
    assert await world.gateway.get("/unmatched-products") == {"items": [], "next_cursor": None}
    (receipt,) = await world.documents(company)
    assert (receipt["kind"], receipt["state"]) == ("sales_receipt", "synced")
    assert f"*,'=SUM-1,{target}" in (await desk.http.get("/v1/maps/products.csv")).text
    assert "every product has its item" in desk.tillbook("products", "unmatched")


async def queue(desk: Desk) -> list[Json]:
    """The queue of unmatched products, as soon as there is something in it."""
    found: list[Json] = []

    async def is_there() -> bool:
        nonlocal found
        found = (await desk.get("/v1/unmatched-products"))["items"]
        return bool(found)

    await eventually(is_there, "a product waits", within_s=60)
    return found


async def test_a_bookkeepers_own_accounts_are_opened_when_they_are_first_used(world: World) -> None:
    company = await world.company("beancount", first_day(40))
    path = f"/companies/{company.company_id}/settings"
    settings = await world.gateway.get(path)
    own = {"INC": "Income:Erlöse:8400", "UF": "Assets:Geldtransit"}
    await world.gateway.save(path, {**settings, "accounts": {**settings["accounts"], **own}})
    await push(world, await store(world, company, mode="sales_receipts"), "2601")
    await world.settled(company, orders=1)
    balances = await world.balances(company)
    assert {name: balance for name, balance in balances.items() if balance} == {
        "Income:Erlöse:8400": Decimal("-10.00"),
        "Assets:Geldtransit": Decimal("10.00"),
    }


async def test_a_back_up_is_restored_into_other_books(world: World, desk: Desk, tmp_path: Path) -> None:
    company = await world.company("beancount", first_day(40))
    connection = await store(world, company, terms_days=14, department="North")
    other = await world.company("beancount", first_day(20))
    target = await store(world, other)
    only = {"action": "add_prefix", "value": "AZ", "connections": [connection.connection_id]}
    await world.gateway.post("/rules", {"name": "prefix", "definition": only})
    await desk.put_table("/v1/maps/products.csv", f"connection_id,source,target\n{connection.connection_id},A,Apples\n")

    file = tmp_path / "books.json"
    desk.tillbook("backup", str(file), "--company", company.company_id)
    saved = (await desk.http.get(f"/v1/companies/{company.company_id}/backup")).json()
    assert (saved["format"], saved["version"]) == ("tillbook.backup", 1)
    assert SECRET not in file.read_text()

    path = f"/v1/companies/{other.company_id}/restore"
    homeless = await desk.http.post(path, json={"backup": saved, "connections": {connection.connection_id: "nowhere"}})
    assert homeless.json()["errors"][0]["field"] == f"body.connections.{connection.connection_id}"
    broken = {**saved, "company": {**saved["company"], "accounts": {"INC": "Income:nowhere"}}}
    names = {connection.connection_id: target.connection_id}
    refused = await desk.http.post(path, json={"backup": broken, "connections": names})
    assert refused.json()["errors"][0]["field"] == "body.backup.company.accounts.INC"
    misspelt = {**saved, "rules": [{"name": "x", "definition": {"action": "add_prefixx", "value": "A"}}]}
    refused = await desk.http.post(path, json={"backup": misspelt, "connections": names})
    assert refused.json()["errors"][0]["field"] == "body.backup.rules.0.definition.action"
    newer = await desk.http.post(path, json={"backup": {**saved, "version": 2}, "connections": names})
    assert newer.json()["errors"][0]["field"] == "body.backup.version"

    before = await world.gateway.get(f"/connections/{target.connection_id}/settings")
    dry = (await desk.http.post(path, json={"backup": saved, "connections": names})).json()
    assert (dry["dry_run"], dry["restored"]) == (True, False)
    assert set(dry["changes"]["connections"][target.connection_id]) >= {"terms_days", "department"}
    assert await world.gateway.get(f"/connections/{target.connection_id}/settings") == before

    words = ("--company", other.company_id, "--connection", f"{connection.connection_id}={target.connection_id}")
    desk.tillbook("restore", str(file), *words, "--apply")
    after = await world.gateway.get(f"/connections/{target.connection_id}/settings")
    assert (after["terms_days"], after["department"], after["company_id"]) == (14, "North", other.company_id)
    assert (await world.gateway.get(f"/companies/{other.company_id}/settings"))["approved_at"]
    rule = (await desk.get("/v1/rules"))["items"][0]
    assert rule["definition"]["connections"] == [target.connection_id]
    rows = (await desk.get(f"/v1/connections/{target.connection_id}/maps/products"))["items"]
    assert [(row["source"], row["target"]) for row in rows] == [("A", "Apples")]
    again = await desk.http.post(path, json={"backup": saved, "connections": names, "dry_run": False})
    changes = again.json()["changes"]
    assert (changes["connections"], changes["rules_unchanged"]) == ({target.connection_id: []}, 1)
