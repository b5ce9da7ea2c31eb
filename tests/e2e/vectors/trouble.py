"""Vectors 34 to 39, 47 and 48: what ledgers do to us, and two writers at once."""

import asyncio
import fcntl
import os

import httpx
from tests.e2e.books import Stage
from tests.e2e.canonical import Json
from tests.e2e.vectors.registry import vector
from tests.e2e.vectors.sales import INVOICES, OWN_NUMBERS, PAID_A, RECEIPTS, A
from tests.e2e.world import eventually
from tests.unit.mapper.samples import D, example_a, tender, unpaid

ONLINE = "quickbooks_online"


@vector(34)
async def a_create_without_an_answer_is_looked_up_and_not_repeated(stage: Stage) -> None:
    books = await stage.books(INVOICES, ONLINE)
    await books.fault(action="drop_after", entity="Invoice", operation="save")
    await books.push(example_a())
    await books.stands(*PAID_A)
    assert len(await books.quickbooks("Invoice")) == 1
    assert await books.balances() == A | {"UF": D("77.00")}


def invoice_by_hand(total: int) -> list[tuple[str, Json]]:
    """An unmarked invoice 1001 in a company that takes the numbers it is sent."""
    line = {"DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": "1"}}, "Amount": total}
    invoice = {"CustomerRef": {"value": "1"}, "TxnDate": "2026-03-02", "DocNumber": "1001", "Line": [line]}
    return [OWN_NUMBERS, ("Customer", {"DisplayName": "Ada Lovelace"}), ("Invoice", invoice)]


@vector(35)
async def a_taken_number_is_linked_where_it_is_the_same_order_and_else_collides(stage: Stage) -> None:
    same = await stage.books("invoices_only", ONLINE, seeded=invoice_by_hand(77))
    await same.push(unpaid())
    (linked,) = await same.stands("invoice 77.00")
    assert [row["Id"] for row in await same.quickbooks("Invoice")] == [linked["ledger_id"]]
    other = await stage.books("invoices_only", ONLINE, seeded=invoice_by_hand(80))
    await other.push(unpaid())
    await other.document_becomes("invoice", "action_required", "NUMBER_COLLISION")
    assert len(await other.quickbooks("Invoice")) == 1
    refused = await stage.books("invoices_only", ONLINE)
    await refused.fault(action="fault", entity="Invoice", operation="save", code="6140")
    await refused.push(unpaid())
    await refused.document_becomes("invoice", "action_required", "NUMBER_COLLISION")
    assert await refused.quickbooks("Invoice") == []


@vector(36)
async def a_stale_object_is_read_again_and_written(stage: Stage) -> None:
    books = await stage.books("invoices_only", ONLINE)
    await books.push(unpaid())
    await books.stands("invoice 77.00")
    await books.fault(action="fault", entity="Invoice", operation="save", code="5010")
    changed = unpaid(shipping_lines=(), total=D("69.05"))
    await books.push(changed)
    await books.stands("invoice 69.05")
    assert (await books.balances())["AR"] == D("69.05")
    assert await books.fired() == 1


@vector(37)
async def a_throttled_ledger_is_waited_for_without_a_warning(stage: Stage) -> None:
    books = await stage.books(INVOICES, ONLINE)
    await books.fault(action="throttle", entity="Invoice", operation="save")
    await books.push(example_a())
    await books.stands(*PAID_A)
    assert await books.fired() == 1
    overview = await stage.world.gateway.get(f"/companies/{books.company.company_id}/overview")
    assert sum(row["warnings"] for row in overview["rows"]) == 0
    (invoice,) = [row for row in await books.documents() if row["kind"] == "invoice"]
    assert invoice["reason"] is None


@vector(38)
async def a_lapsed_subscription_pauses_the_company_and_fails_nothing(stage: Stage) -> None:
    books = await stage.books(INVOICES, ONLINE)
    await books.quickbooks_admin("PATCH", f"/companies/{books.company.realm}", {"subscription": "lapsed"})
    await books.push(example_a())
    company = await books.company_becomes("read_only")
    assert company["reason"]["code"]
    overview = await stage.world.gateway.get(f"/companies/{books.company.company_id}/overview")
    assert sum(row["warnings"] for row in overview["rows"]) == 0
    assert {row["state"] for row in await books.documents()} <= {"not_tried", "queued", "retry_wait", "blocked"}
    await books.quickbooks_admin("PATCH", f"/companies/{books.company.realm}", {"subscription": "active"})
    await stage.world.gateway.post(f"/companies/{books.company.company_id}/lane/resume")
    await books.stands(*PAID_A)


@vector(39, deferred=True)
async def a_locked_desktop_file_is_tried_again_and_a_bad_account_is_not(stage: Stage) -> None:
    from ledger_writer.ledgers.protocol import ErrorClass
    from ledger_writer.planning.desktop import classify

    assert classify("3180", "There was an error when saving: the list has been modified") is ErrorClass.TRANSIENT
    assert classify("3180", "The element is in use, could not lock") is ErrorClass.TRANSIENT
    assert classify("3180", "The posting account is invalid") is ErrorClass.DATA


@vector(47)
async def a_second_writer_waits_for_the_first(stage: Stage) -> None:
    books = await stage.books(RECEIPTS)
    await books.push(example_a())
    await books.stands("sales_receipt 77.00")
    journal = stage.world.journal(books.company)
    # The first writer: whoever holds the lock of the company's folder.
    lock = await asyncio.to_thread(taken, str(journal.parent / ".lock"))
    try:
        stuck = await times_stuck(stage)
        await books.push(example_a(external_id="9002", number="1002", tenders=(tender("77.00", "t2"),)))

        async def waits() -> bool:
            return await times_stuck(stage) > stuck

        await eventually(waits, "the second writer reports that it is stuck", within_s=60)
        assert await books.balances() == A | {"UF": D("77.00")}
    finally:
        os.close(lock)
    await books.stands("sales_receipt 77.00", "sales_receipt 77.00")
    assert (await books.balances())["UF"] == D("154.00")


def taken(path: str) -> int:
    """The file's lock, once its holder has let it go."""
    handle = os.open(path, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


async def times_stuck(stage: Stage) -> float:
    """How often the ledger-writer found a company file locked."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        text = (await client.get(f"{stage.world.stack.url_of('ledger-writer')}/metrics")).text
    return sum(float(row.split()[-1]) for row in text.splitlines() if row.startswith("tillbook_lane_stuck_total"))


@vector(48, deferred=True)
async def sixty_one_changed_items_queue_and_drain(stage: Stage) -> None:
    from mapper.mapping.inventory import InventoryQueue

    queue = InventoryQueue()
    queue.changed({f"sku-{n}": D(n) for n in range(61)})
    sent: dict[str, object] = {}
    assert queue.must_batch
    while batch := queue.next_batch():
        sent |= batch
        queue.answered(batch, refused={"sku-7": "no such product"} if "sku-7" in batch else {})
    assert len(sent) == 61
    assert queue.waiting == {}
    assert queue.refused == {"sku-7": "no such product"}
