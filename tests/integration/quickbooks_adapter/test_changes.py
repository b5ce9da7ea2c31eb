"""What others do in QuickBooks reaches the documents that we wrote: by webhook in both formats, and by the feed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import SETS, pair
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, key_of

from common.messages.control import DocumentDismissed, ResendRequested
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    DocumentKind,
    MissingPolicy,
    TransactionSet,
)
from ledger_writer.ledgers.quickbooks_online.numbers import dumps, loads
from ledger_writer.store import companies
from sandbox.quickbooks_online.webhooks import signature as sign

VERIFIER = "verifier-token-of-the-tests"
CHANGED, DELETED = "LEDGER_CHANGED", "LEDGER_DELETED"
FIRST = SETS[:4]
WRITTEN = sum(len(one.documents) for one in FIRST) + len(FIRST) + 3
RECEIPT, OTHER = (one.documents[0].key for one in FIRST if one.documents[0].kind is DocumentKind.SALES_RECEIPT)
INVOICE, PAYMENT = (document.key for document in FIRST[0].documents)


@pytest.fixture
async def desk(open_desk: OpenDesk, company: Company) -> AsyncIterator[Desk]:
    """A company in which two receipts and two paid invoices are written."""
    async with open_desk(webhook_verifier=VERIFIER, request_timeout_s=3.0) as made:
        await pair(made, company)
        await made.send(*FIRST)
        await made.settled(WRITTEN)
        yield made


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The running application on a port of its own."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    # The test's own signals stay the test's.
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(20):
            while not server.started:
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


def bookkeeper(company: Company) -> Callable[..., Awaitable[Any]]:
    """Somebody who works in QuickBooks itself."""
    token = company.tokens()["access_token"]

    async def act(entity: str, body: dict[str, Any], **params: str) -> Any:
        url = f"{company.stand_in.url}/v3/company/{company.realm}/{entity.lower()}"
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, params=params, content=dumps(body), headers=headers)
        assert answer.status_code == 200, answer.text
        return loads(answer.content)[entity]

    return act


async def ledger_id(desk: Desk, key: str) -> str:
    return str(await desk.pool.fetchval("SELECT ledger_id FROM documents WHERE document_key = $1", key))


async def redated(desk: Desk, company: Company, key: str, day: str, entity: str = "SalesReceipt") -> None:
    """Somebody moves a document to another day."""
    now = company.one(entity, await ledger_id(desk, key))
    body = {"Id": now["Id"], "SyncToken": now["SyncToken"], "sparse": True, "TxnDate": day}
    if entity == "SalesReceipt":
        body["Line"] = now["Line"]
    await bookkeeper(company)(entity, body)


async def resend(desk: Desk, key: str) -> None:
    await desk.send(
        ResendRequested(
            tenant_id=TENANT, revision=1, resend_id=f"again-{key[:8]}", company_id=COMPANY, document_keys=(key,)
        )
    )


async def all_checked(desk: Desk) -> None:
    await desk.until("SELECT NOT EXISTS (SELECT FROM checks)", True)
    await desk.until("SELECT NOT (feed_wanted OR check_wanted) FROM companies", True)


@pytest.mark.parametrize("style", ["legacy", "cloudevents"])
async def test_changes_told_by_webhook_wait_for_a_person_and_can_be_taken_back(
    desk: Desk, company: Company, style: str
) -> None:
    async with served(desk.apps[0]) as url:
        told = {"url": f"{url}/ledger-webhooks/quickbooks_online", "verifier": VERIFIER, "format": style}
        company.stand_in.steer("POST", "/webhooks", {**told, "delay_s": 0.05})
        # Our own writes are told as well, and are no changes.
        await desk.send(*SETS[4:6])
        both = sum(len(one.documents) for one in SETS[4:6]) + 2
        await desk.settled(WRITTEN + both)
        await delivered(company, least=both)
        await all_checked(desk)
        await desk.settled(WRITTEN + both)

        await redated(desk, company, RECEIPT, "2026-03-20")
        await desk.until_state(RECEIPT, "action_required", CHANGED)
        gone = company.one("SalesReceipt", await ledger_id(desk, OTHER))
        await bookkeeper(company)(
            "SalesReceipt", {"Id": gone["Id"], "SyncToken": gone["SyncToken"]}, operation="delete"
        )
        await desk.until_state(OTHER, "action_required", DELETED)
        paid = company.one("Invoice", await ledger_id(desk, INVOICE))
        await bookkeeper(company)("Invoice", {"Id": paid["Id"], "SyncToken": paid["SyncToken"]}, operation="void")
        await desk.until_state(INVOICE, "action_required", DELETED)

    shown = (await desk.call("GET", f"/internal/documents/{RECEIPT}?tenant_id={TENANT}")).json()
    assert shown["reason"]["code"] == CHANGED
    assert (shown["attempts"][-1]["operation"], shown["attempts"][-1]["outcome"]) == ("check", "changed")
    assert company.one("SalesReceipt", await ledger_id(desk, RECEIPT))["TxnDate"] == "2026-03-20"

    before = company.one("SalesReceipt", await ledger_id(desk, RECEIPT))
    await resend(desk, RECEIPT)
    await desk.until_state(RECEIPT, "synced")
    after = company.one("SalesReceipt", before["Id"])
    assert (after["TxnDate"], after["TotalAmt"]) == ("2026-03-14", Decimal("77.00"))
    await resend(desk, OTHER)
    await desk.until_state(OTHER, "synced")
    again = await ledger_id(desk, OTHER)
    assert again != gone["Id"]
    assert [one["Id"] for one in company.stored("SalesReceipt") if one["DocNumber"] == gone["DocNumber"]] == [again]


async def delivered(company: Company, *, least: int) -> None:
    async with asyncio.timeout(20):
        while True:
            (held,) = company.stand_in.steer("GET", "/webhooks")
            if held["delivered"] >= least and not held["queued"]:
                return
            await asyncio.sleep(0.05)


async def test_what_is_dismissed_stays_as_the_ledger_has_it_and_what_is_put_back_is_well(
    desk: Desk, company: Company
) -> None:
    await redated(desk, company, RECEIPT, "2026-03-20")
    await redated(desk, company, PAYMENT, "2026-03-21", "Payment")
    await look(desk)
    await desk.until_state(RECEIPT, "action_required", CHANGED)
    await desk.until_state(PAYMENT, "action_required", CHANGED)
    dismissed = DocumentDismissed(
        tenant_id=TENANT, revision=1, company_id=COMPANY, document_key=RECEIPT, dismissed=True
    )
    await desk.send(dismissed)
    await desk.until_state(RECEIPT, "dismissed")
    await redated(desk, company, PAYMENT, "2026-03-14", "Payment")
    await look(desk)
    await desk.until_state(PAYMENT, "synced")
    assert await desk.state_of(RECEIPT) == ("dismissed", CHANGED)
    assert company.one("SalesReceipt", await ledger_id(desk, RECEIPT))["TxnDate"] == "2026-03-20"


async def look(desk: Desk) -> None:
    """What happens every night, now."""
    answer = await desk.call("POST", f"/internal/companies/{COMPANY}/check", {"tenant_id": TENANT})
    assert answer.status_code == 202, answer.text
    await all_checked(desk)


async def test_the_nightly_check_asks_for_everything_where_the_feed_can_not_tell(desk: Desk, company: Company) -> None:
    assert await companies.want_checks(desk.pool, ["quickbooks_online"], 0) == 1
    await all_checked(desk)
    await desk.settled(WRITTEN)
    assert await companies.want_checks(desk.pool, ["quickbooks_online"], 24) == 0
    await redated(desk, company, RECEIPT, "2026-03-20")
    company.stand_in.steer("DELETE", "/counters")
    await desk.pool.execute("UPDATE companies SET checked_at = now() - interval '40 days'")
    await look(desk)
    await desk.until_state(RECEIPT, "action_required", CHANGED)
    counters = company.stand_in.steer("GET", "/counters")
    assert not [name for name in counters if name.startswith("cdc")]
    assert counters["requests"] <= 4
    assert await desk.pool.fetchval("SELECT checked_at > now() - interval '1 hour' FROM companies")


async def test_a_new_entry_of_a_list_is_mirrored_from_the_feed(desk: Desk, company: Company) -> None:
    await desk.until("SELECT NOT lists_wanted FROM companies", True)
    await bookkeeper(company)("Customer", {"DisplayName": "Walk-in trade"})
    company.stand_in.steer("DELETE", "/counters")
    body = dumps(
        {
            "eventNotifications": [
                {
                    "realmId": company.realm,
                    "dataChangeEvent": {"entities": [{"id": "1", "operation": "Create", "name": "Customer"}]},
                }
            ]
        }
    )
    assert (await post(desk, body, signature(body))).status_code == 200
    name = "SELECT count(*) FROM catalog WHERE list_name = 'customers' AND full_name = 'Walk-in trade'"
    await desk.until(name, 1)
    counters = company.stand_in.steer("GET", "/counters")
    assert counters.get("query:-:query", 0) <= 1, "only what the feed does not carry is read whole"


async def test_documents_that_lacked_an_account_or_a_customer_are_written_once_the_ledger_has_it(
    desk: Desk, company: Company
) -> None:
    """Fifty orders would say the same: nobody has to resend any of them."""

    def sale(source: str, customer: CustomerWanted, **more: Any) -> TransactionSet:
        receipt = document(DocumentKind.SALES_RECEIPT, source_id=source, customer_key=customer.key, **more)
        return order_set(source, [receipt], customers=[customer], items=SETS[0].items)

    till = Account(role=AccountRole.UNDEPOSITED_FUNDS, name="Till drawer")
    known = SETS[0].customers[0]
    walk_in = samples.customer("Walk-in trade").model_copy(update={"key": f"{999:032x}", "missing": MissingPolicy.STOP})
    lacking = [sale("8001", known, deposit_to=till), sale("8002", known, deposit_to=till), sale("8003", walk_in)]
    keys = [one.documents[0].key for one in lacking]
    await desk.send(*lacking)
    for key in keys[:2]:
        await desk.until_state(key, "action_required", "ACCOUNT_MISSING")
    await desk.until_state(walk_in.key, "action_required", "CUSTOMER_MISSING")
    await desk.until_state(keys[2], "blocked")
    shown = (await desk.call("GET", f"/internal/documents/{keys[0]}?tenant_id={TENANT}")).json()
    assert shown["error_class"] == "config", "a person has to act: it is not tried again by the clock"

    await bookkeeper(company)("Customer", {"DisplayName": "Somebody else"})
    await desk.pool.execute("UPDATE companies SET feed_wanted = true")
    await all_checked(desk)
    assert (await desk.state_of(walk_in.key))[0] == "action_required"
    await bookkeeper(company)("Account", {"Name": "Till drawer", "AccountType": "Bank"})
    await bookkeeper(company)("Customer", {"DisplayName": "Walk-in TRADE"})
    await desk.pool.execute("UPDATE companies SET feed_wanted = true")
    for key in keys:
        await desk.until_state(key, "synced")
    shown = (await desk.call("GET", f"/internal/documents/{keys[0]}?tenant_id={TENANT}")).json()
    assert (shown["error_class"], shown["reason"]) == ("", None)
    attempts = await desk.pool.fetchval("SELECT count(*) FROM attempts WHERE document_key = $1", walk_in.key)
    assert attempts == 2, "tried once, and once more when the ledger had it: another customer was no reason"


async def test_a_notice_that_intuit_did_not_sign_is_refused_and_does_nothing(desk: Desk, company: Company) -> None:
    body = dumps({"eventNotifications": [{"realmId": company.realm, "dataChangeEvent": {"entities": []}}]})
    assert (await post(desk, body, "forged")).status_code == 401
    assert (await post(desk, b"[", signature(b"["))).status_code == 422
    assert (await post(desk, body + b" " * 3_000_000, "forged")).status_code in {401, 413}
    unknown = await desk.call("POST", "/ledger-webhooks/beancount")
    assert unknown.status_code == 404
    assert await desk.pool.fetchval("SELECT count(*) FROM checks") == 0
    assert await desk.pool.fetchval("SELECT count(*) FROM companies WHERE feed_wanted") == 0


def signature(body: bytes) -> str:
    return sign(body, VERIFIER)


async def post(desk: Desk, body: bytes, signed: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=desk.apps[0])
    headers = {"intuit-signature": signed, "content-type": "application/json"}
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger-writer") as client:
        return await client.post("/ledger-webhooks/quickbooks_online", content=body, headers=headers)


def test_the_first_orders_hold_what_the_tests_speak_of() -> None:
    assert key_of(DocumentKind.INVOICE, "3000") == INVOICE
    assert FIRST[0].documents[0].date == date(2026, 3, 14)
