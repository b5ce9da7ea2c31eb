"""Messages in, sets out: through the broker, the database and the worker."""

import asyncio
from collections import Counter
from typing import Any

import orjson
import pytest
from tests.integration.mapper.conftest import Service, company_changed, numbered, settings_changed
from tests.unit.mapper.samples import ORDER_DAY, company, connection, example_a, kinds, unpaid

from common.messages.control import ResendRequested, StateRequested, TenantDeleted
from common.messages.documents import CatalogEntry
from common.messages.orders import FinancialStatus
from common.messages.transactions import SetOutcome, TransactionSet
from mapper.handlers.tenant_deleted import FORGETTING


async def test_an_order_becomes_a_set_of_documents(mapper: Service) -> None:
    await mapper.configure(connection("invoices_payments_if_paid"))
    await mapper.send(example_a())
    result = await mapper.set_of("9001")
    assert result.outcome is SetOutcome.MAPPED
    assert kinds(result) == ["invoice", "payment"]
    assert result.revision == 1
    assert result.inputs.source_revision == 1
    listed = await mapper.runtime.pool.fetchval("SELECT count(*) FROM outbox WHERE type = 'transactions.listed.v1'")
    assert listed == 1


async def test_an_order_that_arrives_before_its_settings_is_mapped_when_they_come(mapper: Service) -> None:
    await mapper.send(example_a())
    await mapper.until_row("SELECT count(*) FROM orders", wanted=1)
    assert mapper.sets == {}
    await mapper.configure(connection("sales_receipts"))
    result = await mapper.set_of("9001")
    while result.outcome is not SetOutcome.MAPPED:
        result = await mapper.set_of("9001", revision=result.revision + 1)
    assert kinds(result) == ["sales_receipt"]


async def test_an_unpaired_company_holds_orders_until_it_is_paired(mapper: Service) -> None:
    await mapper.send(settings_changed(company=company()), settings_changed(connection=connection("sales_receipts")))
    await mapper.until_row("SELECT count(*) FROM settings", wanted=2)
    await mapper.send(example_a())
    held = await mapper.set_of("9001")
    assert held.outcome is SetOutcome.HELD
    assert held.reason is not None
    assert held.reason.code == "COMPANY_NOT_CONNECTED"
    await mapper.send(company_changed())
    assert (await mapper.set_of("9001", revision=2)).outcome is SetOutcome.MAPPED


async def test_the_same_state_twice_and_an_older_one_change_nothing(mapper: Service) -> None:
    await mapper.configure(connection("invoices_payments_if_paid"))
    await mapper.send(example_a(revision=2))
    await mapper.set_of("9001")
    await mapper.send(example_a(revision=2))
    await mapper.send(unpaid(revision=1))
    await mapper.send(example_a(external_id="9002", number="1002"))
    await mapper.set_of("9002")
    assert [one.revision for one in mapper.versions if one.source_id == "9001"] == [1]
    assert kinds(mapper.sets["9001"]) == ["invoice", "payment"]


async def test_new_settings_map_every_order_again_but_publish_only_what_changed(mapper: Service) -> None:
    await mapper.configure(connection("invoices_payments_if_paid"))
    ids = [f"o{number}" for number in range(120)]
    await mapper.send(*numbered(ids[:60]))
    await mapper.send(*numbered(ids[60:], tenders=(), financial_status=FinancialStatus.PENDING))
    for one in ids:
        await mapper.set_of(one)
    renamed = connection("invoices_payments_if_paid", payment_methods={"card": "Visa"})
    await mapper.send(settings_changed(connection=renamed, revision=2))
    for one in ids[:60]:
        assert (await mapper.set_of(one, revision=2)).documents[1].payment_method == "Visa"
    await mapper.until_row("SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL", wanted=0)
    for one in ids[60:]:
        assert mapper.sets[one].revision == 1, "an unpaid order has the same invoice under both settings"


async def test_a_missing_product_queues_once_and_releases_all_its_orders_when_it_exists(mapper: Service) -> None:
    """Vector 40, by way of the ledger's catalog; one of the two has another SKU by a rule."""
    await mapper.configure(connection("invoices_only", products={"missing": "stop_and_queue"}))
    strip = {"tenant_id": "tenant", "name": "R12", "definition": {"action": "strip_sku", "value": "NA"}}
    async with mapper.http() as client:
        assert (await client.post("/internal/rules", json=strip)).status_code == 201
    await mapper.send(*numbered(["1", "2", "3"]))
    for one in ("1", "2", "3"):
        held = await mapper.set_of(one)
        assert held.documents[0].hold is not None
        assert held.documents[0].hold.code == "PRODUCT_MISSING"
    queued = await mapper.runtime.pool.fetch("SELECT DISTINCT product_key, sku FROM unmatched ORDER BY sku")
    assert [tuple(row) for row in queued] == [("hammer", "HAMMER"), ("ils", "ILS")]
    await mapper.send(*(item(name, str(number)) for number, name in enumerate(("HAMMER", "ils"))))
    for one in ("1", "2", "3"):
        result = await mapper.set_of(one, revision=2)
        while result.documents[0].hold is not None:
            result = await mapper.set_of(one, revision=result.revision + 1)
    await mapper.until_row("SELECT count(*) FROM unmatched", wanted=0)


def item(name: str, ledger_id: str, revision: int = 1) -> CatalogEntry:
    return CatalogEntry(
        tenant_id="tenant",
        revision=revision,
        company_id="books-1",
        list_name="items",
        ledger_id=ledger_id,
        name=name,
        full_name=name,
    )


async def test_a_resend_maps_again_and_a_rebuild_publishes_everything_again(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts"))
    await mapper.send(*numbered(["1", "2"]))
    await mapper.set_of("1")
    await mapper.set_of("2")
    await mapper.send(
        ResendRequested(tenant_id="tenant", revision=1, resend_id="r1", company_id="books-1", order_keys=("shop-1/1",))
    )
    await mapper.send(StateRequested(tenant_id="tenant", revision=1, request_id="q1", entity=TransactionSet.type))
    async with asyncio.timeout(20):
        while sorted(one.source_id for one in mapper.versions) != ["1", "1", "1", "2", "2"]:
            await asyncio.sleep(0.02)
    assert {one.revision for one in mapper.versions} == {1}
    await mapper.until_row("SELECT count(*) FROM replays", wanted=0)
    await mapper.until_row("SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL", wanted=0)


async def test_a_resent_set_is_sent_once_more_as_it_is_and_one_that_is_only_mapped_is_not(mapper: Service) -> None:
    """Ledger-writer may have lost it to a dead letter; to whoever has it, it is nothing new."""
    await mapper.configure(connection("sales_receipts"))
    await mapper.send(*numbered(["1", "2", "3"]))
    first = {one: await mapper.set_of(one) for one in ("1", "2", "3")}
    asked: dict[str, Any] = {"tenant_id": "tenant", "revision": 1, "company_id": "books-1"}
    await mapper.send(
        ResendRequested(**asked, resend_id="r1", order_keys=("shop-1/2",), only_map=True),
        ResendRequested(**asked, resend_id="r2", order_keys=("shop-1/1", "shop-1/3", "shop-1/1")),
    )
    async with asyncio.timeout(20):
        while len(mapper.versions) < 5:
            await asyncio.sleep(0.02)
    await mapper.until_row("SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL OR dirty_again", wanted=0)
    again = mapper.versions[3:]
    assert sorted(one.source_id for one in again) == ["1", "3"]
    assert all(one == first[one.source_id] for one in again)
    rows = await mapper.runtime.pool.fetch(
        "SELECT entity_key, count(*) AS times FROM outbox WHERE type = $1 GROUP BY 1 ORDER BY 1", TransactionSet.type
    )
    assert [row["times"] for row in rows] == [2, 1, 2]
    await mapper.send(
        settings_changed(connection=connection("sales_receipts", payment_methods={"card": "Visa"}), revision=2)
    )
    for one in first:
        await mapper.set_of(one, revision=2)
    assert Counter(one.revision for one in mapper.versions) == {1: 5, 2: 3}


async def test_documents_of_a_forgotten_customer_stay_as_they_were(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts"))
    order = example_a()
    await mapper.send(order)
    before = await mapper.set_of("9001")
    await mapper.send(order.model_copy(update={"revision": order.revision + 1, "customer": None, "forgotten": True}))
    await mapper.until_row("SELECT max(revision) FROM orders", wanted=order.revision + 1)
    await mapper.configure(connection("invoices_only"), revision=2)
    await mapper.until_row("SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL", wanted=0)
    assert await mapper.set_of("9001") == before
    assert len(mapper.versions) == 1


async def test_deleting_a_tenant_leaves_nothing_of_it_and_takes_what_comes_late(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts"))
    await mapper.send(example_a())
    await mapper.set_of("9001")
    await mapper.send(TenantDeleted(tenant_id="tenant", revision=1))
    left = {
        table: f"SELECT count(*) FROM {table}" + (" WHERE type <> 'tenant.purged.v1'" if table == "outbox" else "")
        for table in ("orders", "sets", "settings", "companies", "outbox")
    }
    for count in left.values():
        await mapper.until_row(count, wanted=0)
    await mapper.send(example_a(external_id="late"))
    await mapper.until_row(left["orders"], wanted=1)
    await FORGETTING.look_again(mapper.runtime)
    for count in left.values():
        assert await mapper.runtime.pool.fetchval(count) == 0
    removed = orjson.loads(await mapper.runtime.pool.fetchval("SELECT removed FROM deleted_tenants"))
    assert removed["orders"] == 2


async def test_a_preview_shows_the_documents_and_writes_nothing(mapper: Service) -> None:
    await mapper.configure(connection("invoices_payments_if_paid"))
    await mapper.send(example_a())
    await mapper.set_of("9001")
    before = await mapper.runtime.pool.fetchval("SELECT count(*) FROM outbox")
    body = {"tenant_id": "tenant", "company_id": "books-1", "order_keys": ["shop-1/9001", "shop-1/none"]}
    async with mapper.http() as client:
        answer = await client.post("/internal/preview", json=body)
        stored = await client.get(
            "/internal/sets",
            params={
                "tenant_id": "tenant",
                "connection_id": "shop-1",
                "source_kind": "order",
                "source_id": "9001",
            },
        )
        refused = await client.post("/internal/preview", json=body, headers={"authorization": "Bearer no"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["missing"] == ["shop-1/none"]
    assert [one["kind"] for one in shown["orders"][0]["documents"]] == ["invoice", "payment"]
    assert shown["orders"][0]["documents"][0]["customer"] == "Ada Lovelace"
    assert [one["unchanged"] for one in shown["orders"][0]["documents"]] == [True, True]
    assert [one["revision"] for one in stored.json()["sets"]] == [1]
    assert refused.status_code == 401
    assert await mapper.runtime.pool.fetchval("SELECT count(*) FROM outbox") == before


@pytest.mark.slow
async def test_settings_that_change_while_orders_pour_in_never_leave_a_stale_set(two_mappers: Service) -> None:
    """The race of design 2.2: whatever the interleaving, every set is made from the last settings."""
    mapper = two_mappers
    modes = ["invoices_only", "invoices_payments_if_paid", "sales_receipts"]
    ids = [f"o{number}" for number in range(300)]

    async def pour() -> None:
        for start in range(0, len(ids), 10):
            await mapper.send(*numbered(ids[start : start + 10]), backfill=start % 20 == 0)
            await asyncio.sleep(0.01)

    async def change() -> None:
        for revision in range(1, 25):
            mode = modes[revision % len(modes)]
            await mapper.send(settings_changed(connection=connection(mode), revision=revision))
            if revision == 1:
                await mapper.send(company_changed())
                await mapper.send(settings_changed(company=company()))
            await asyncio.sleep(0.015)

    await asyncio.gather(pour(), change())
    await mapper.until_row("SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL", wanted=0, timeout_s=60)
    await mapper.until_row("SELECT count(*) FROM orders", wanted=len(ids), timeout_s=60)
    await mapper.until_row("SELECT revision FROM settings WHERE scope = 'connection'", wanted=24)
    await mapper.until_row("SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL", wanted=0, timeout_s=60)
    wanted = [modes[24 % 3]]
    assert wanted == ["invoices_only"]
    rows = await mapper.runtime.pool.fetch("SELECT source_id, revision, body FROM sets")
    assert len(rows) == len(ids)
    for row in rows:
        stored = TransactionSet.model_validate_json(row["body"])
        assert kinds(stored) == ["invoice"], f"order {row['source_id']} was mapped by older settings"
        assert stored.date == ORDER_DAY
    async with asyncio.timeout(60):
        while any(mapper.sets.get(row["source_id"]) is None for row in rows) or any(
            mapper.sets[row["source_id"]].revision < row["revision"] for row in rows
        ):
            await asyncio.sleep(0.05)
    assert all(kinds(mapper.sets[one]) == ["invoice"] for one in ids)
