"""Vectors 31 to 33, 40 to 46, 49 and 50: names, products, and what a person does about a warning."""

from datetime import date
from typing import Any

import pytest
from tests.e2e.books import Stage, shown
from tests.e2e.vectors.registry import vector
from tests.e2e.vectors.sales import INVOICES, PAID_A, RECEIPTS, A
from tests.e2e.vectors.store import serving
from tests.e2e.world import eventually
from tests.unit.mapper.samples import D, example_a, line, order, tender, unpaid

from common.messages.orders import Order
from sandbox.demo.gateway import Json, Refused


def of(sku: str, number: str, amount: str = "5.00", **changes: object) -> Order:
    """A paid order of one thing."""
    values: dict[str, object] = {
        "external_id": f"id{number}",
        "number": number,
        "lines": (line("l1", sku, amount),),
        "total": D(amount),
        "tenders": (tender(amount, f"t{number}"),),
    }
    return order(**(values | changes))


@vector(31)
async def a_rule_runs_before_the_product_map(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, "quickbooks_online", products={"missing": "stop_and_queue"})
    await books.refresh_lists()
    await books.rule("strip_sku", "FBA-", ("sku", "starts_with", "FBA-"))
    await books.map_products({"123": "Services"})
    await books.push(of("FBA-123", "1"))
    await books.stands("sales_receipt 5.00")
    (receipt,) = await books.quickbooks("SalesReceipt")
    assert receipt["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"] == "1"


@vector(32)
async def a_customers_name_that_a_vendor_has_gets_a_suffix(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, "quickbooks_online", seeded=[("Vendor", {"DisplayName": "Ada Lovelace"})])
    await books.push(example_a())
    await books.stands("sales_receipt 77.00")
    assert [row["DisplayName"] for row in await books.quickbooks("Customer")] == ["Ada Lovelace (C)"]


def leaf(parent: str) -> Json:
    return {
        "Name": "Hammer",
        "Type": "NonInventory",
        "SubItem": True,
        "ParentRef": {"value": parent},
        "IncomeAccountRef": {"value": "79"},
    }


@vector(33)
async def a_leaf_that_stands_twice_needs_its_full_name(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, "quickbooks_online", products={"missing": "stop_and_queue"})
    realm = f"/companies/{books.company.realm}/seed"
    shelves = [{"entity": "Item", "object": {"Name": name, "Type": "Category"}} for name in ("Tools", "Toys")]
    made = await books.quickbooks_admin("POST", realm, shelves)
    leaves = [{"entity": "Item", "object": leaf(one["id"])} for one in made]
    items = await books.quickbooks_admin("POST", realm, leaves)
    await books.refresh_lists()
    await books.push(of("hammer", "1"))
    await books.document_becomes("sales_receipt", "action_required", "PRODUCT_AMBIGUOUS")
    await books.push(of("tools:hammer", "2"))
    await books.stands("sales_receipt 5.00")
    (receipt,) = await books.quickbooks("SalesReceipt")
    assert receipt["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"] == items[0]["id"]


@vector(40)
async def an_unmapped_product_blocks_three_orders_and_mapping_releases_them(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, "quickbooks_online", products={"missing": "stop_and_queue"})
    await books.refresh_lists()
    await books.push(*(of("WIDGET", number) for number in ("1", "2", "3")))

    async def unmatched() -> list[Json]:
        found = stage.world.gateway.each("/unmatched-products", connection_id=books.connection.connection_id)
        return [row async for row in found]

    async def three_wait() -> bool:
        return [(row["sku"], row["orders"]) for row in await unmatched()] == [("WIDGET", 3)]

    await eventually(three_wait, "three orders wait for one product", within_s=60)
    assert await books.documents("synced") == []
    await books.map_products({"WIDGET": "Services"})
    await books.stands(*["sales_receipt 5.00"] * 3)
    assert await unmatched() == []


@vector(41)
async def a_customer_connected_from_a_date_brings_only_what_is_later(stage: Stage) -> None:
    known = ("Customer", {"DisplayName": "Countess of Lovelace"})
    books = await stage.books(RECEIPTS, "quickbooks_online", seeded=[known], customers={"missing": "stop"})
    company = f"/companies/{books.company.company_id}"
    april = example_a(external_id="9002", number="1002", ordered_on=date(2026, 4, 10))
    await books.publish(example_a(), april)
    customer = await books.customer("Ada Lovelace")
    await books.document_of("9002", "sales_receipt", column="warnings")
    choice = {
        "connection_id": books.connection.connection_id,
        "source_external_id": "c1",
        "link": "existing",
        "ledger_id": "1",
        "horizon": "2026-04-01",
    }
    await stage.world.gateway.post(f"{company}/customers/{customer['document_key']}/connect", choice)
    early = await books.document_of("9001", "sales_receipt", code="BEFORE_HORIZON", column="out_of_scope")
    assert early["ledger_id"] == ""
    (late,) = await books.stands("sales_receipt 77.00")
    assert late["source_id"] == "9002"
    (receipt,) = await books.quickbooks("SalesReceipt")
    assert receipt["CustomerRef"]["value"] == "1"


@vector(42)
async def a_payment_is_not_resent_without_its_invoice_and_cascade_sends_both(stage: Stage) -> None:
    books = await stage.books(INVOICES, "quickbooks_online")
    await books.fault(action="fault", entity="Invoice", operation="save", code="6000")
    await books.push(example_a())
    invoice = await books.document_becomes("invoice", "action_required")
    payment = await books.document_becomes("payment", "blocked")
    with pytest.raises(Refused) as refused:
        await books.resend(document_keys=[payment["document_key"]])
    assert "DEPENDENCY_NOT_IN_LEDGER" in str(refused.value)
    assert invoice["document_key"] in str(refused.value)
    assert "invoice 1001" in str(refused.value)
    await books.resend(document_keys=[payment["document_key"]], cascade=True)
    await books.stands(*PAID_A)


@vector(43)
async def a_dismissed_warning_is_hidden_and_the_totals_add_up(stage: Stage) -> None:
    books = await stage.books(INVOICES, "quickbooks_online")
    await books.fault(action="fault", entity="Invoice", operation="save", code="6000")
    await books.push(example_a())
    invoice = await books.document_becomes("invoice", "action_required")
    before = await adding_up(stage, books.company.company_id)
    assert (before["invoices"]["warnings"], before["invoices"]["dismissed"]) == (1, 0)
    wanted = {"company_id": books.company.company_id, "document_keys": [invoice["document_key"]]}
    await stage.world.gateway.post("/dismissals", wanted)
    await books.document_becomes("invoice", "dismissed")
    await books.document_becomes("payment", "blocked", "DISMISSED_DEPENDENCY")
    after = await adding_up(stage, books.company.company_id)
    assert (after["invoices"]["warnings"], after["invoices"]["dismissed"]) == (0, 1)
    assert after["invoices"]["source"] == before["invoices"]["source"]


async def adding_up(stage: Stage, company_id: str) -> dict[str, Json]:
    """The overview's rows by name, each with its columns adding up to its source."""
    overview = await stage.world.gateway.get(f"/companies/{company_id}/overview")
    columns = ("in_ledger", "warnings", "dismissed", "not_tried", "in_progress", "waiting")
    for row in overview["rows"]:
        assert row["source"] == sum(row[name] for name in columns), row
    return {row["name"]: row for row in overview["rows"]}


@vector(44)
async def a_company_that_is_connected_again_gets_no_duplicates(stage: Stage) -> None:
    books = await stage.books(INVOICES, "quickbooks_online")
    await books.push(example_a())
    before = await books.stands(*PAID_A)
    company = f"/companies/{books.company.company_id}"
    await stage.world.gateway.post(f"{company}/disconnect", {})
    await books.push(example_a(tenders=(tender("70.00", "t1"), tender("7.00", "t2"))))
    await stage.world.consent(books.company.company_id, again=books.company.realm)
    await stage.world.gateway.post(f"{company}/approve")
    after = await books.stands("invoice 77.00", "payment 70.00", "payment 7.00")
    ids = {row["document_key"]: row["ledger_id"] for row in after}
    assert all(ids[row["document_key"]] == row["ledger_id"] for row in before)
    assert len(await books.quickbooks("Invoice")) == 1
    assert len(await books.quickbooks("Payment")) == 2


@vector(45)
async def a_manual_sync_of_a_filtered_order_says_which_filter(stage: Stage) -> None:
    """A range leaves it out; by its number it is taken all the same."""
    with serving(unpaid()) as store:
        books = await stage.books(
            INVOICES,
            config={"base_url": store.address},
            secrets={"token": "t" * 32},
            order_statuses=["paid", "shipped"],
        )

        async def results(**asked: Any) -> dict[str, Json]:
            begun = {"connection_id": books.connection.connection_id, **asked}
            run = await stage.world.gateway.post("/runs", begun)

            async def is_over() -> bool:
                nonlocal run
                run = await stage.world.gateway.get(f"/runs/{run['run_id']}")
                return bool(run["state"] == "finished")

            await eventually(is_over, "the run ends", within_s=60, seen=lambda: run)
            items = [row async for row in stage.world.gateway.each(f"/runs/{run['run_id']}/items")]
            return {row["number"]: row for row in items}

        out = (await results(date_from="2026-03-01", date_to="2026-03-10"))["1001"]
        assert (out["result"], out["reason"]["code"]) == ("filtered", "STATUS_FILTERED")
        assert "the status filter lets paid, shipped pass" in out["reason"]["text"]
        assert await books.documents() == []
        named = await results(order_numbers=["1001", "4711"])
    assert named["4711"]["result"] == "not_found"
    assert (named["1001"]["result"], named["1001"]["reason"]["code"]) == ("synced", "LET_THROUGH")
    assert named["1001"]["reason"]["text"].endswith(f"it would be filtered: {out['reason']['text']}")
    await books.stands("invoice 77.00")


@vector(46)
async def a_failed_fetch_leaves_the_watermark_where_it_was(stage: Stage) -> None:
    with serving(example_a()) as store:
        books = await stage.books(RECEIPTS, config={"base_url": store.address}, secrets={"token": "t" * 32})
        connection_id = books.connection.connection_id
        store.works = False
        assert await fetched(stage, connection_id) == "failed"
        before = await stage.world.gateway.get(f"/connections/{connection_id}/watermarks")
        store.works = True
        assert await fetched(stage, connection_id) == "finished"
        after = await stage.world.gateway.get(f"/connections/{connection_id}/watermarks")
        store.works = False
        assert await fetched(stage, connection_id) == "failed"
        assert await stage.world.gateway.get(f"/connections/{connection_id}/watermarks") == after
    assert after != before
    await books.stands("sales_receipt 77.00")


async def fetched(stage: Stage, connection_id: str) -> str:
    """Run the connection's task now. Returns how it ended."""
    gateway = stage.world.gateway
    (task,) = [row async for row in gateway.each("/tasks", connection_id=connection_id) if "orders" in row["kind"]]
    run = await gateway.post(f"/tasks/{task['task_id']}/run")

    async def is_over() -> bool:
        nonlocal run
        run = await gateway.get(f"/runs/{run['run_id']}")
        return run["state"] in {"finished", "failed"}

    await eventually(is_over, "the run ends", within_s=90, seen=lambda: run)
    return str(run["state"])


@vector(49)
async def fees_on_the_order_and_on_the_payout_are_refused_together(stage: Stage) -> None:
    books = await stage.books(RECEIPTS)
    with pytest.raises(Refused) as refused:
        await books.save(fees={"on_order": "negative_line"}, payouts={"enabled": True})
    assert "body.fees.on_order" in str(refused.value)
    assert "payouts post the fees already" in str(refused.value)


@vector(50)
async def a_preview_posts_nothing(stage: Stage) -> None:
    books = await stage.books(INVOICES, approved=False)
    await books.push(example_a())
    preview: Json = {}

    async def is_there() -> bool:
        nonlocal preview
        preview = await stage.world.gateway.get(f"/companies/{books.company.company_id}/preview")
        return bool(preview["orders"])

    await eventually(is_there, "the order can be previewed", within_s=60, seen=lambda: preview)
    (row,) = preview["orders"]
    assert [(one["kind"], one["total"]) for one in row["documents"]] == [("invoice", "77.00"), ("payment", "77.00")]
    assert {one["account_role"] for one in row["documents"][0]["lines"]} == {"INC", "SHIP", "DISC", "TAX"}
    assert [shown(one) for one in await books.documents("synced")] == []
    assert await books.balances() == {}
    await stage.world.gateway.post(f"/companies/{books.company.company_id}/approve")
    await books.stands(*PAID_A)
    assert await books.balances() == A | {"UF": D("77.00")}
