"""The whole ledger-writer on real Postgres and RabbitMQ, with a QuickBooks company paired by signing in."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.conftest import ROLES, Company, OpenDesk
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document

from common.messages.transactions import AccountRole, Application, DocumentKind, MissingPolicy, TransactionSet
from ledger_writer.lanes.work import Pass
from ledger_writer.store.lanes import LeaseLost

REDIRECT = "https://books.example.com/oauth/callback"
ORDERS = 12


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    async with open_desk(throttled_wait_s=0.2, request_timeout_s=3.0) as made:
        yield made


async def pair(desk: Desk, company: Company) -> None:
    """Sign in at the stand-in as a person would, for this company; settings as a new shop has them."""
    await sign_in(desk, company)
    await desk.configure(ledger="quickbooks_online", name="Garden shop", accounts=dict(ROLES))


async def sign_in(desk: Desk, company: Company) -> None:
    named = {"tenant_id": TENANT, "company_id": COMPANY, "ledger": "quickbooks_online", "name": "Garden shop"}
    made = await desk.call("POST", "/internal/companies", named)
    assert made.status_code in (200, 201), made.text
    asked = {"tenant_id": TENANT, "redirect_url": REDIRECT}
    started = await desk.call("POST", f"/internal/companies/{COMPANY}/oauth", asked)
    assert started.status_code == 200, started.text
    url = started.json()["authorization_url"]
    async with httpx.AsyncClient(trust_env=False) as browser:
        back = await browser.get(f"{url}&realm_id={company.realm}")
    query = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}
    assert query["realmId"] == company.realm
    given = {"state": query["state"], "code": query["code"], "realm_id": query["realmId"], "redirect_url": REDIRECT}
    finished = await desk.call("POST", "/internal/oauth/callback", given)
    assert finished.status_code == 200, finished.text
    assert finished.json()["status"] == "connected"


async def test_books_that_the_ledger_closed_are_told_before_the_first_approval(desk: Desk, company: Company) -> None:
    async with company.session() as session:
        await company.close_books(session, "2026-06-30")
    await sign_in(desk, company)
    await desk.configure(ledger="quickbooks_online", name="Garden shop", accounts=dict(ROLES), approved_at=None)
    await desk.send(SETS[1])
    (receipt,) = SETS[1].documents
    await desk.until_state(receipt.key, "action_required", "PERIOD_CLOSED")
    assert company.stored("SalesReceipt") == []


def paid_order(number: int) -> TransactionSet:
    """Example A as an invoice and its payment, or as a receipt; each with a customer of its own."""
    source = str(3000 + number)
    customer = samples.customer(f"Customer {number}").model_copy(update={"key": f"{number:032x}"})
    items = tuple(
        samples.item(name, missing=MissingPolicy.CREATE).model_copy(update={"key": key})
        for key, name in ((samples.ITEM, "MUG-1"), (samples.SHIPPING, "Shipping"), (samples.DISCOUNT, "Discount"))
    )
    given: dict[str, Any] = {"source_id": source, "customer_key": customer.key}
    if number % 2:
        documents = [document(DocumentKind.SALES_RECEIPT, **given)]
    else:
        invoice = document(DocumentKind.INVOICE, **given)
        applied = (Application(document_key=invoice.key, amount=Decimal("77.00")),)
        paid = document(DocumentKind.PAYMENT, applications=applied, depends_on=(invoice.key,), **given)
        documents = [invoice, paid]
    return order_set(source, documents, customers=[customer], items=items)


SETS = [paid_order(number) for number in range(ORDERS)]
DOCUMENTS = sum(len(one.documents) for one in SETS) + ORDERS + 3


def expected(company: Company) -> None:
    """What the ledger must hold after all orders: each once, to the cent."""
    assert len(company.stored("SalesReceipt")) == ORDERS // 2
    assert len(company.stored("Invoice")) == len(company.stored("Payment")) == ORDERS // 2
    assert len([one for one in company.stored("Customer") if one["DisplayName"].startswith("Customer")]) == ORDERS
    balances = company.balances()
    assert balances["4"] == Decimal("77.00") * ORDERS
    assert balances.get("84", Decimal(0)) == 0
    assert sum(balances.values()) == 0


async def test_orders_reach_the_ledger_through_the_lane(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    await desk.send(*SETS)
    await desk.settled(DOCUMENTS)
    expected(company)
    balances = await desk.balances()
    assert balances["Undeposited Funds"] == Decimal("77.00") * ORDERS
    before = company.stand_in.steer("GET", "/counters")["requests"]
    await desk.send(*SETS)
    await desk.settled(DOCUMENTS)
    assert company.stand_in.steer("GET", "/counters")["requests"] - before <= 2


@pytest.mark.parametrize(
    "trouble",
    [
        {"action": "drop_before", "times": 2},
        {"action": "drop_after", "times": 2},
        {"action": "throttle", "times": 2},
        {"action": "expire_token"},
        {"action": "status", "status": 503, "times": 2},
    ],
    ids=lambda trouble: str(trouble["action"]),
)
async def test_trouble_on_the_way_changes_nothing_in_the_result(
    desk: Desk, company: Company, trouble: dict[str, Any]
) -> None:
    await pair(desk, company)
    for entity in ("Customer", "Item", "Invoice", "SalesReceipt", "Payment"):
        company.stand_in.fail(entity=entity, operation="save", realm=company.realm, **trouble)
    # Once only: after a second silence the lane rightly waits a minute before it asks again.
    company.stand_in.fail(**{**trouble, "operation": "batch", "realm": company.realm, "times": 1})
    await desk.send(*SETS)
    await desk.settled(DOCUMENTS, timeout_s=60)
    expected(company)


async def test_a_restart_in_the_middle_leaves_no_document_twice(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    company.stand_in.fail(action="delay", entity="*", operation="save", hold_s=0.2, times=None, realm=company.realm)
    await desk.send(*SETS)
    await desk.until("SELECT count(*) > 8 FROM documents WHERE state = 'synced'", True)
    await desk.stop()
    company.stand_in.steer("DELETE", "/faults")
    await desk.start()
    await desk.settled(DOCUMENTS, timeout_s=60)
    expected(company)


async def test_changes_whose_writer_died_before_it_could_record_them_are_known_for_ours(
    desk: Desk, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer was there and the writer gone: what the next one finds was removed or edited by us, not by others."""
    await pair(desk, company)
    await desk.send(*SETS)
    await desk.settled(DOCUMENTS)
    record = Pass._record
    died: list[tuple[object, ...]] = []

    async def dying(self: Pass, *given: Any, clears: bool = False, **more: Any) -> None:
        if clears and not died:
            died.append(given)
            raise LeaseLost(COMPANY)
        await record(self, *given, clears=clears, **more)

    monkeypatch.setattr(Pass, "_record", dying)
    removed = SETS[1].model_copy(update={"documents": (), "revision": 9})
    (receipt,) = SETS[3].documents
    edited = SETS[3].model_copy(
        update={"documents": (receipt.model_copy(update={"note": "as edited"}),), "revision": 9}
    )
    await desk.send(removed, edited)
    async with asyncio.timeout(20):
        while not died:
            await asyncio.sleep(0.02)
    await desk.pool.execute("UPDATE lanes SET expires_at = now()")
    rows = "SELECT state FROM documents WHERE document_key = $1"
    await desk.until(rows, "voided", SETS[1].documents[0].key)
    hashes = "SELECT written_hash = content_hash AND state = 'synced' FROM documents WHERE document_key = $1"
    await desk.until(hashes, True, receipt.key)
    stored = company.stored("SalesReceipt")
    assert (len(stored), sum("as edited" in str(one) for one in stored)) == (ORDERS // 2, 1)


async def test_a_lapsed_subscription_stops_the_company_and_fails_no_document(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    company.stand_in.steer("PATCH", f"/companies/{company.realm}", {"subscription": "lapsed"})
    await desk.send(*SETS)
    await desk.until("SELECT status FROM companies WHERE company_id = $1", "read_only", COMPANY)
    failed = await desk.pool.fetchval("SELECT count(*) FROM documents WHERE state = 'action_required'")
    assert failed == 0
    company.stand_in.steer("PATCH", f"/companies/{company.realm}", {"subscription": "active"})
    resumed = await desk.call("POST", f"/internal/companies/{COMPANY}/lane/resume", {"tenant_id": TENANT})
    assert resumed.status_code == 200, resumed.text
    await desk.settled(DOCUMENTS, timeout_s=60)
    expected(company)


async def test_a_connection_that_is_gone_keeps_documents_queued_until_somebody_signs_in(
    desk: Desk, company: Company
) -> None:
    await pair(desk, company)
    await desk.send(*SETS[:4])
    await desk.settled(sum(len(one.documents) for one in SETS[:4]) + 4 + 3)
    company.stand_in.fail(action="expire_token", entity="*", operation="*", realm=company.realm, times=None)
    await desk.send(*SETS)
    await desk.until("SELECT status FROM companies WHERE company_id = $1", "needs_reconnect", COMPANY, timeout_s=30)
    failed = await desk.pool.fetchval("SELECT count(*) FROM documents WHERE state = 'action_required'")
    assert failed == 0
    company.stand_in.steer("DELETE", "/faults")
    await sign_in(desk, company)
    await desk.settled(DOCUMENTS, timeout_s=60)
    expected(company)


async def test_an_item_that_lacked_an_account_of_the_settings_is_made_once_they_name_it(
    desk: Desk, company: Company
) -> None:
    await sign_in(desk, company)
    fewer = {role: name for role, name in ROLES.items() if role is not AccountRole.INVENTORY}
    await desk.configure(ledger="quickbooks_online", name="Garden shop", accounts=fewer)
    stocked = samples.item("Watering can", missing=MissingPolicy.CREATE, item_type="inventory").model_copy(
        update={"key": f"{998:032x}"}
    )
    await desk.send(SETS[1].model_copy(update={"items": (*SETS[1].items, stocked)}))
    await desk.until_state(stocked.key, "action_required", "ACCOUNT_MISSING")
    await desk.configure(ledger="quickbooks_online", name="Garden shop", accounts=dict(ROLES))
    await desk.until_state(stocked.key, "synced")
    assert [one["Type"] for one in company.stored("Item") if one["Name"] == "Watering can"] == ["Inventory"]


async def test_a_summary_carries_the_list_of_its_orders_as_a_file(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    customer = samples.customer("Shopify summary")
    summary = document(
        DocumentKind.SALES_RECEIPT,
        source_id="2026-03-14",
        source_kind="summary",
        number=None,
        memo_number="day-1",
        note="#1001, #1002, #1003",
    )
    items = SETS[0].items
    await desk.send(order_set("2026-03-14", [summary], customers=[customer], items=items))
    await desk.settled(1 + 1 + len(items))
    (file,) = company.stored("Attachable")
    (receipt,) = company.stored("SalesReceipt")
    assert file["AttachableRef"][0]["EntityRef"] == {"type": "SalesReceipt", "value": receipt["Id"]}
    content = company.stand_in.http.get(f"/_sandbox/files/{company.realm}/{file['Id']}").text
    assert content.splitlines() == ["order", "#1001", "#1002", "#1003"]


async def test_a_summary_of_more_orders_than_a_note_holds_has_all_of_them_attached(
    desk: Desk, company: Company
) -> None:
    def day(orders: list[str], revision: int) -> TransactionSet:
        given: dict[str, Any] = {"source_kind": "summary", "source_id": "day", "number": None, "memo_number": "day"}
        listing = listing_of(orders)
        receipt = document(DocumentKind.SALES_RECEIPT, note=listing[0], orders=listing[1], **given)
        return order_set("day", [receipt], customers=[samples.customer()], items=SETS[0].items, revision=revision)

    def files() -> list[list[str]]:
        ids = sorted((one["Id"] for one in company.stored("Attachable")), key=int)
        texts = [company.stand_in.http.get(f"/_sandbox/files/{company.realm}/{one}").text for one in ids]
        return [text.splitlines() for text in texts]

    def listing_of(orders: list[str]) -> tuple[str, tuple[str, ...]]:
        return ", ".join(orders[:300]) + f" … and {len(orders) - 300} more", tuple(orders)

    await pair(desk, company)
    orders = [f"SHOP-{number}" for number in range(3000)]
    await desk.send(day(orders, 1))
    await desk.settled(5)
    assert files() == [["order", *orders]]
    (stored,) = company.stored("SalesReceipt")
    assert stored["CustomerMemo"]["value"].endswith(" … 3000 orders, all in the attached file")
    # One that the note does not name is exchanged for another.
    after = [*orders[:-1], "SHOP-X"]
    await desk.send(day(after, 2))
    await desk.until("SELECT state = 'synced' AND wanted LIKE '%SHOP-X%' FROM documents WHERE set_key <> ''", True)
    assert files() == [["order", *after]]
