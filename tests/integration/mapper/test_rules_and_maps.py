"""Rules and maps over internal HTTP, and what they do to orders that are mapped already."""

from datetime import UTC, datetime

import httpx
import pytest
from tests.integration.mapper.conftest import Service, company_changed, numbered, settings_changed
from tests.unit.mapper import samples
from tests.unit.mapper.samples import company, connection, example_a

from common.messages.documents import CatalogEntry
from common.messages.transactions import DocumentKind, SetOutcome
from mapper.mapping.catalog import ProductTarget
from mapper.mapping.products import ITEMS_ARE_NAMES
from mapper.store.configurations import Configurations

TOOLS = CatalogEntry(
    tenant_id="tenant",
    revision=1,
    company_id="books-1",
    list_name="items",
    ledger_id="7",
    name="Tools",
    full_name="Tools",
)


async def test_a_rule_maps_every_order_again_and_goes_away_with_the_rule(mapper: Service) -> None:
    await mapper.configure(connection("invoices_only"))
    await mapper.send(*numbered(["1", "2"]))
    await mapper.set_of("1")
    body = {
        "tenant_id": "tenant",
        "name": "prefix",
        "definition": {"action": "add_prefix", "value": "AZ"},
    }
    async with mapper.http() as client:
        created = await client.post("/internal/rules", json=body)
        assert created.status_code == 201, created.text
        rule_id = created.json()["rule_id"]
        for one in ("1", "2"):
            assert (await mapper.set_of(one, revision=2)).documents[0].number == f"AZ{one}"
        preview = await client.post(
            "/internal/preview", json={"tenant_id": "tenant", "company_id": "books-1", "order_keys": ["shop-1/1"]}
        )
        assert preview.json()["orders"][0]["rules"] == [
            {"rule_id": rule_id, "name": "prefix", "field": "prefix", "before": "", "after": "AZ"}
        ]
        stale = await client.put(f"/internal/rules/{rule_id}", json=body | {"revision": 7})
        assert (stale.status_code, stale.json()["code"]) == (409, "STALE_REVISION")
        changed = body | {"revision": 1, "definition": {"action": "add_prefix", "value": "EB"}}
        assert (await client.put(f"/internal/rules/{rule_id}", json=changed)).json()["revision"] == 2
        assert (await mapper.set_of("1", revision=3)).documents[0].number == "EB1"
        gone = await client.delete(f"/internal/rules/{rule_id}", params={"tenant_id": "tenant"})
        assert gone.status_code == 204
        assert (await mapper.set_of("1", revision=4)).documents[0].number == "1"


async def test_a_rule_that_comes_again_under_its_identifier_stays_the_one_that_is_there(mapper: Service) -> None:
    body = {
        "tenant_id": "tenant",
        "rule_id": "rul_1",
        "name": "prefix",
        "definition": {"action": "add_prefix", "value": "A"},
    }
    async with mapper.http() as client:
        first = await client.post("/internal/rules", json=body)
        changed = await client.put("/internal/rules/rul_1", json=body | {"name": "changed since"})
        again = await client.post("/internal/rules", json=body)
        assert (first.status_code, again.status_code) == (201, 201), again.text
        assert again.json() == changed.json()
        others = await client.post("/internal/rules", json=body | {"tenant_id": "other"})
        assert others.json()["name"] == "prefix"
    assert await mapper.runtime.pool.fetchval("SELECT sum(revision) FROM rule_sets WHERE tenant_id = 'tenant'") == 2


@pytest.mark.parametrize(
    ("definition", "wrong"),
    [
        ({}, ("action", None, "fill it in")),
        (
            {"action": "mark_as_paid", "conditions": [{"comparison": "equals"}]},
            ("conditions.0.field", None, "fill it in"),
        ),
        (
            {"action": "mark_as_paid", "conditions": [{"match": "any", "conditions": [{"field": "sku"}]}]},
            ("conditions.0.conditions.0.comparison", None, "fill it in"),
        ),
        (
            {"action": "mark_as_paid", "conditions": [{"field": "sku", "comparison": "like"}]},
            ("conditions.0.comparison", "like", "give one of 'equals', 'is_not', "),
        ),
        ({"action": "map_class"}, ("value", "", "the value is empty: give one, say `clear`")),
        (
            {"action": "map_class", "copy_from": "sku", "clear": True},
            ("copy_from", "sku", "give one of value, copy_from and clear"),
        ),
    ],
)
async def test_the_wrong_part_of_a_rule_is_named_by_its_place(
    mapper: Service, definition: dict[str, object], wrong: tuple[str, str | None, str]
) -> None:
    place, value, cure = wrong
    async with mapper.http() as client:
        answer = await client.post(
            "/internal/rules", json={"tenant_id": "tenant", "name": "R", "definition": definition}
        )
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error.get("value")) == (422, f"definition.{place}", value)
    assert error["cure"].startswith(cure)


async def test_a_broken_rule_is_refused_and_another_tenant_sees_none(mapper: Service) -> None:
    async with mapper.http() as client:
        broken = await client.post(
            "/internal/rules",
            json={
                "tenant_id": "tenant",
                "name": "R",
                "definition": {
                    "action": "map_sku",
                    "value": "X",
                    "conditions": [{"field": "skuu", "comparison": "equals", "value": "1"}],
                },
            },
        )
        assert broken.status_code == 422
        assert "no field 'skuu'" in broken.json()["detail"]
        (error,) = broken.json()["errors"]
        assert (error["field"], error["value"]) == ("definition.conditions.0.field", "skuu")
        assert "did you mean sku" in error["cure"]
        table = "name,action,value\nR1,add_prefix,AZ\nR2,map_memo,x\n"
        read = await client.post("/internal/rules.csv", content=table, headers={"content-type": "text/csv"})
        assert [(one["name"], one["definition"]["value"]) for one in read.json()["rules"]] == [
            ("R1", "AZ"),
            ("R2", "x"),
        ]
        assert (await client.get("/internal/rules", params={"tenant_id": "tenant"})).json()["items"] == []
        saved = await client.put(
            "/internal/rules.csv", params={"tenant_id": "tenant"}, content=table, headers={"content-type": "text/csv"}
        )
        assert saved.json() == {"created": 2, "replaced": 0, "unchanged": 0}, saved.text
        mine = await client.get("/internal/rules", params={"tenant_id": "tenant", "limit": 1})
        assert [one["name"] for one in mine.json()["items"]] == ["R1"] or mine.json()["next_cursor"]
        rest = await client.get("/internal/rules", params={"tenant_id": "tenant", "cursor": mine.json()["next_cursor"]})
        assert {one["name"] for one in (*mine.json()["items"], *rest.json()["items"])} == {"R1", "R2"}
        theirs = await client.get("/internal/rules", params={"tenant_id": "other"})
        assert theirs.json()["items"] == []
        exported = await client.get("/internal/rules.csv", params={"tenant_id": "tenant"})
        assert exported.text.count("\n") == 3
        again = await client.put(
            "/internal/rules.csv",
            params={"tenant_id": "tenant"},
            content=exported.text,
            headers={"content-type": "text/csv"},
        )
        assert again.json() == {"created": 0, "replaced": 0, "unchanged": 2}
        revisions = (await client.get("/internal/rules", params={"tenant_id": "tenant"})).json()["items"]
        assert [one["revision"] for one in revisions] == [1, 1]


async def test_no_two_rules_have_one_name_so_that_a_table_keeps_them_apart(mapper: Service) -> None:
    """Rows of one name are one rule: two rules of a name would come back as one that needs both conditions."""
    wanted: dict[str, object] = {"action": "add_tag", "value": "t"}
    large = {**wanted, "conditions": [{"field": "total", "comparison": "more_than", "value": "1000"}]}
    euros = {**wanted, "conditions": [{"field": "currency", "comparison": "equals", "value": "EUR"}]}
    async with mapper.http() as client:

        async def made(name: str, definition: dict[str, object], tenant: str = "tenant") -> httpx.Response:
            return await client.post(
                "/internal/rules", json={"tenant_id": tenant, "name": name, "definition": definition}
            )

        assert (await made("Same", large)).status_code == 201
        refused = await made(" Same ", euros)
        assert (refused.status_code, refused.json()["code"]) == (409, "RULE_NAME_TAKEN")
        cure = "give it another name, or change the rule that has this one"
        assert refused.json()["errors"] == [{"field": "name", "value": "Same", "cure": cure}]
        assert (await made("Same", euros, "other")).status_code == 201
        other = (await made("Other", euros)).json()
        path = f"/internal/rules/{other['rule_id']}"
        renamed = await client.put(path, json={"tenant_id": "tenant", "name": "Same", "definition": euros})
        assert (renamed.status_code, renamed.json()["code"]) == (409, "RULE_NAME_TAKEN")
        kept = await client.put(path, json={"tenant_id": "tenant", "name": "Other", "definition": euros})
        assert kept.status_code == 200, "its own name is not taken"
        before = (await client.get("/internal/rules", params={"tenant_id": "tenant"})).json()
        table = (await client.get("/internal/rules.csv", params={"tenant_id": "tenant"})).text
        done = await client.put(
            "/internal/rules.csv", params={"tenant_id": "tenant"}, content=table, headers={"content-type": "text/csv"}
        )
        assert done.json() == {"created": 0, "replaced": 0, "unchanged": 2}
        assert (await client.get("/internal/rules", params={"tenant_id": "tenant"})).json() == before


async def test_mapping_a_product_releases_the_orders_that_waited_for_it(mapper: Service) -> None:
    """Vector 40: one unmapped product blocks three orders; mapping it releases all three."""
    settings = connection("invoices_only", products={"missing": "stop_and_queue"})
    await mapper.configure(settings)
    await mapper.send(*(example_a(external_id=one, number=one) for one in ("1", "2", "3")))
    for one in ("1", "2", "3"):
        held = (await mapper.set_of(one)).documents[0].hold
        assert held is not None
        assert held.code == "PRODUCT_MISSING"
    await mapper.send(TOOLS)
    async with mapper.http() as client:
        queue = await client.get("/internal/unmatched-products", params={"tenant_id": "tenant"})
        assert [(one["sku"], one["orders"]) for one in queue.json()["items"]] == [("HAMMER", 3), ("NAILS", 3)]
        await mapper.until_row("SELECT count(*) FROM catalog", wanted=1)
        table = "connection_id,source,target\n*,hammer,Tools\nshop-1,NAILS,Tools\n"
        saved = await client.put(
            "/internal/maps/products.csv",
            params={"tenant_id": "tenant"},
            content=table,
            headers={"content-type": "text/csv"},
        )
        assert saved.json() == {"saved": 2, "removed": 0, "orders_affected": 3}, saved.text
        for one in ("1", "2", "3"):
            released = await mapper.set_of(one, revision=2)
            assert released.outcome is SetOutcome.MAPPED
            assert released.documents[0].hold is None
            assert {item.ledger_id for item in released.items if item.name == "Tools"} == {"7"}
        await mapper.until_row("SELECT count(*) FROM unmatched", wanted=0)
        exported = await client.get("/internal/maps/products.csv", params={"tenant_id": "tenant"})
        assert exported.text.splitlines()[1:] == ["*,hammer,Tools", "shop-1,NAILS,Tools"]
        removed = await client.put(
            "/internal/maps/products",
            json={"tenant_id": "tenant", "entries": [{"connection_id": "*", "source": "HAMMER", "target": ""}]},
        )
        assert removed.json()["removed"] == 1
        again = (await mapper.set_of("1", revision=3)).documents[0].hold
        assert again is not None
        assert again.field == "lines.sku"
        unknown = await client.get("/internal/maps/colours", params={"tenant_id": "tenant"})
        assert unknown.status_code == 422


@pytest.mark.parametrize(
    "steps",
    [
        ("maps", "settings", "order"),
        ("maps", "order", "settings"),
        ("order", "maps", "settings"),
        ("settings", "maps", "order"),
        ("settings", "order", "maps"),
    ],
    ids="-".join,
)
async def test_a_mapped_product_is_known_whatever_came_first(mapper: Service, steps: tuple[str, ...]) -> None:
    """A map may be older than the settings that say which company file the connection belongs to."""
    able = (*samples.ALL_CAPABILITIES, ITEMS_ARE_NAMES)
    await mapper.send(company_changed(revision=2, capabilities=able))
    await mapper.until_row("SELECT count(*) FROM companies WHERE revision = 2", wanted=1)
    rows = [
        {"connection_id": "shop-1", "source": "HAMMER", "target": "Tools"},
        {"connection_id": "*", "source": "NAILS", "target": "Nails"},
    ]
    for step in steps:
        if step == "settings":
            await mapper.configure(connection("invoices_only", products={"missing": "stop_and_queue"}))
        elif step == "order":
            await mapper.send(example_a(external_id="1", number="1"))
            await mapper.until_row("SELECT count(*) FROM orders", wanted=1)
        else:
            async with mapper.http() as client:
                saved = await client.put("/internal/maps/products", json={"tenant_id": "tenant", "entries": rows})
            assert saved.json()["saved"] == 2
    await mapper.set_of("1")
    await mapper.settle()
    result = mapper.sets["1"]
    assert [(one.kind, one.hold) for one in result.documents] == [(DocumentKind.INVOICE, None)]
    assert {"Tools", "Nails"} <= {item.name for item in result.items}


async def test_a_connection_that_moved_to_another_company_file_keeps_no_old_map_in_memory(mapper: Service) -> None:
    """Each company file has counted one change of its maps, and it was not the same one."""
    memory = Configurations()
    for revision, company_id, target in ((1, "books-1", "Tools"), (2, "books-2", "Other tools")):
        moved = connection("invoices_only", company_id=company_id)
        await mapper.send(settings_changed(connection=moved, revision=revision))
        await mapper.until_row("SELECT revision FROM settings", wanted=revision)
        entry = {"connection_id": "shop-1", "source": "HAMMER", "target": target}
        async with mapper.http() as client:
            await client.put("/internal/maps/products", json={"tenant_id": "tenant", "entries": [entry]})
        async with mapper.runtime.pool.acquire() as database, database.transaction():
            (prepared,) = (await memory.load(database, [("tenant", "shop-1")])).values()
        assert prepared.catalog.product_map == {"hammer": ProductTarget(target)}


async def test_a_mapping_taken_away_for_a_while_brings_a_written_order_to_no_other_mode(
    mapper: Service,
) -> None:
    approved = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC))
    settings = {"products": {"missing": "stop_and_queue"}}
    await mapper.configure(connection("sales_receipts", **settings), company=approved)
    rows = [{"connection_id": "*", "source": sku, "target": "Tools"} for sku in ("HAMMER", "NAILS")]
    await mapper.send(TOOLS)
    await mapper.until_row("SELECT count(*) FROM catalog", wanted=1)
    async with mapper.http() as client:
        body = {"tenant_id": "tenant", "entries": rows}
        await client.put("/internal/maps/products", json=body)
        await mapper.send(example_a(external_id="1", number="1"))
        written = await mapper.set_of("1")
        assert [(one.kind, one.hold) for one in written.documents] == [(DocumentKind.SALES_RECEIPT, None)]
        await mapper.configure(connection("invoices_payments_if_paid", **settings), company=approved, revision=2)
        gone = {"tenant_id": "tenant", "entries": [{**one, "target": ""} for one in rows]}
        await client.put("/internal/maps/products", json=gone)
        waiting = await mapper.set_of("1", revision=2)
        assert waiting.documents[0].hold is not None
        await client.put("/internal/maps/products", json=body)
        back = await mapper.set_of("1", revision=3)
    assert back.documents == written.documents
    assert back.kept_mode == "sales_receipts"
