"""What people do: link and unlink by hand, connect customers, look at lists and timelines, disconnect, delete."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest

from common.messages.base import Reason
from common.messages.control import CustomerConnected, ResendRequested, StateRequested, TenantDeleted
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.transactions import DocumentKind, MissingPolicy, WantedState
from common.packs import Envelope, decode
from ledger_writer.store import requests

D = Decimal
K = DocumentKind


@pytest.fixture
async def written(open_desk: Any, make: Any) -> str:
    """Key of a receipt that is in the ledger."""
    await open_desk.send(make.receipt_set("1"))
    await open_desk.settled(3)
    key: str = make.key_of("1", K.SALES_RECEIPT)
    return key


def resend(make: Any, key: str) -> ResendRequested:
    return ResendRequested(
        tenant_id=make.TENANT, revision=1, resend_id="res_1", company_id=make.COMPANY, document_keys=(key,)
    )


async def states(desk: Any, queue: str, contract: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async with desk.broker.consume(queue, 100) as subscription:
        while len(found) < count:
            delivery = await subscription.get()
            found += [one.state for one in decode(contract, delivery.body) if isinstance(one, Envelope)]
            await subscription.acknowledge([delivery])
    return found


async def test_unlinking_waits_for_a_resend_which_finds_what_is_still_there(
    open_desk: Any, make: Any, written: str
) -> None:
    answer = await open_desk.call("DELETE", f"/internal/documents/{written}/link?tenant_id={make.TENANT}")
    assert (answer.json()["state"], answer.json()["reason"]["code"]) == ("action_required", "UNLINKED")
    await open_desk.send(
        ResendRequested(
            tenant_id=make.TENANT, revision=1, resend_id="r", company_id=make.COMPANY, document_keys=(written,)
        )
    )
    await open_desk.until_state(written, "synced")
    assert (await open_desk.balances())["Income:Sales"] == D("-25.00")
    view = (await open_desk.call("GET", f"/internal/documents/{written}?tenant_id={make.TENANT}")).json()
    assert view["link"]["linked_by"] == "matched"


async def test_what_was_deleted_by_hand_is_written_again_after_unlinking(
    open_desk: Any, make: Any, written: str
) -> None:
    await open_desk.call("DELETE", f"/internal/documents/{written}/link?tenant_id={make.TENANT}")
    path = open_desk.folder / "journal" / "2026-01.beancount"
    path.write_text(";; tillbook batch 1\n")
    await open_desk.send(
        ResendRequested(
            tenant_id=make.TENANT, revision=1, resend_id="r", company_id=make.COMPANY, document_keys=(written,)
        )
    )
    await open_desk.until_state(written, "synced")
    assert [key for key in open_desk.posting_keys() if written in key] == [f"{written}:g2"]


@pytest.mark.parametrize("by_disconnecting", [False, True])
async def test_what_is_forgotten_is_looked_up_again_and_nothing_is_written_twice(
    open_desk: Any, make: Any, written: str, by_disconnecting: bool
) -> None:
    keys = open_desk.posting_keys()
    assert len(keys) == 3
    linked_at = "SELECT count(*) FROM documents WHERE linked_by = 'matched' AND state = 'synced'"
    if by_disconnecting:
        path = f"/internal/companies/{make.COMPANY}/disconnect"
        await open_desk.call("POST", path, {"tenant_id": make.TENANT, "forget_links": True})
        await open_desk.until("SELECT count(*) FROM documents WHERE state = 'not_tried'", 3)
        await open_desk.pair()
    else:
        path = f"/internal/companies/{make.COMPANY}/links/forget"
        assert (await open_desk.call("POST", path, {"tenant_id": "ten_2"})).status_code == 404
        answer = await open_desk.call("POST", path, {"tenant_id": make.TENANT})
        assert (answer.status_code, answer.json()) == (200, {"documents": 3, "kept": 0})
    await open_desk.until(linked_at, 3)
    assert open_desk.posting_keys() == keys
    await open_desk.send(make.receipt_set("2"))
    await open_desk.settled(5)
    assert (await open_desk.balances())["Income:Sales"] == D("-50.00")
    assert set(keys) < set(open_desk.posting_keys())
    assert len(open_desk.posting_keys()) == 5


async def forget(desk: Any, make: Any) -> tuple[int, int]:
    """How many links are given up, and how many are kept."""
    path = f"/internal/companies/{make.COMPANY}/links/forget"
    answer = (await desk.call("POST", path, {"tenant_id": make.TENANT})).json()
    return answer["documents"], answer["kept"]


async def lane(desk: Any, make: Any, action: str) -> None:
    path = f"/internal/companies/{make.COMPANY}/lane/{action}"
    assert (await desk.call("POST", path, {"tenant_id": make.TENANT})).status_code == 200


async def test_a_held_edit_outlives_the_forgetting_of_links(open_desk: Any, make: Any, written: str) -> None:
    await open_desk.send(make.receipt_set("1", "30.00", revision=2, after_posting="hold"))
    await open_desk.until_state(written, "action_required", "SOURCE_CHANGED")
    assert await forget(open_desk, make) == (2, 1)
    await open_desk.until("SELECT count(*) FROM documents WHERE linked_by = 'matched' AND state = 'synced'", 2)
    assert await open_desk.state_of(written) == ("action_required", "SOURCE_CHANGED")
    await open_desk.send(resend(make, written))
    await open_desk.until_state(written, "synced")
    assert (await open_desk.balances())["Income:Sales"] == D("-30.00")


async def test_a_removal_that_waits_outlives_the_forgetting_of_links(open_desk: Any, make: Any, written: str) -> None:
    await lane(open_desk, make, "pause")
    taken_back = make.receipt_set("1", revision=2)
    (receipt,) = taken_back.documents
    void = receipt.model_copy(update={"wanted": WantedState.VOID})
    await open_desk.send(taken_back.model_copy(update={"documents": (void,)}))
    await open_desk.until_state(written, "queued")
    assert await forget(open_desk, make) == (2, 1)
    await lane(open_desk, make, "resume")
    await open_desk.until_state(written, "voided")
    assert (await open_desk.balances())["Income:Sales"] == D(0)


@pytest.mark.parametrize(("amount", "code"), [("30.00", "CHANGED_WHILE_UNLINKED"), (None, "LINK_GIVEN_UP")])
async def test_what_changes_between_forgetting_and_looking_is_never_taken_for_done(
    open_desk: Any, make: Any, written: str, amount: str | None, code: str
) -> None:
    await lane(open_desk, make, "pause")
    assert await forget(open_desk, make) == (3, 0)
    changed = make.order_set("1", [], revision=2) if amount is None else make.receipt_set("1", amount, revision=2)
    await open_desk.send(changed)
    await open_desk.until("SELECT revision FROM sets", 2)
    await lane(open_desk, make, "resume")
    await open_desk.until_state(written, "action_required", code)
    assert (await open_desk.balances())["Income:Sales"] == D("-25.00")
    path = f"/internal/documents/{written}/link"
    linked = await open_desk.call("PUT", path, {"tenant_id": make.TENANT, "ledger_id": written})
    assert (linked.status_code, linked.json()["state"]) == (200, "synced")


@pytest.mark.parametrize("keeps", ["invoice", "payment"])
async def test_what_is_applied_is_counted_once_where_only_one_of_both_links_is_forgotten(
    open_desk: Any, make: Any, keeps: str
) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    invoice = make.form("1", K.INVOICE, "25.00", customer=customer, item=item)
    payment = make.payment("1", "25.00", customer=customer, to=invoice.key)
    shared = {"customers": [customer], "items": [item], "after_posting": "hold"}
    await open_desk.send(make.order_set("1", [invoice, payment], **shared))
    await open_desk.settled(4)
    changed = (invoice if keeps == "invoice" else payment).model_copy(update={"memo_number": "1-B"})
    documents = [changed if one.key == changed.key else one for one in (invoice, payment)]
    await open_desk.send(make.order_set("1", documents, revision=2, **shared))
    await open_desk.until_state(changed.key, "action_required", "SOURCE_CHANGED")
    assert await forget(open_desk, make) == (3, 1)
    await open_desk.until("SELECT count(*) FROM documents WHERE linked_by = 'matched' AND state = 'synced'", 3)
    applied = "SELECT applied FROM documents WHERE document_key = $1"
    assert await open_desk.pool.fetchval(applied, invoice.key) == D("25.00")
    await open_desk.send(make.order_set("1", [invoice], revision=3, **shared))
    await open_desk.send(resend(make, payment.key))
    await open_desk.until_state(payment.key, "voided")
    assert await open_desk.pool.fetchval(applied, invoice.key) == D(0)


@pytest.mark.parametrize("why", ["closed period", "horizon", "hold"])
async def test_what_would_not_be_looked_for_keeps_its_link(open_desk: Any, make: Any, written: str, why: str) -> None:
    if why == "closed period":
        await open_desk.configure(closed_through=date(2026, 1, 31))
    elif why == "horizon":
        await open_desk.pool.execute("UPDATE documents SET horizon = '2026-01-10' WHERE kind = 'customer'")
    else:
        stopped = make.receipt_set("1", revision=2)
        hold = Reason(code="TAX_UNMAPPED", text="No tax code.", cure="Map it.")
        held = stopped.documents[0].model_copy(update={"hold": hold})
        await open_desk.send(stopped.model_copy(update={"documents": (held,)}))
        await open_desk.until("SELECT count(*) FROM documents WHERE wanted LIKE '%TAX_UNMAPPED%'", 1)
        await open_desk.until_state(written, "synced")
    assert await forget(open_desk, make) == (2, 1)
    await open_desk.until("SELECT count(*) FROM documents WHERE linked_by = 'matched' AND state = 'synced'", 2)
    linked = await open_desk.pool.fetchrow("SELECT state, linked_by FROM documents WHERE document_key = $1", written)
    assert tuple(linked) == ("synced", "created")


async def test_another_company_of_the_ledger_begins_with_nothing_written(
    open_desk: Any, make: Any, written: str
) -> None:
    await lane(open_desk, make, "pause")
    async with open_desk.pool.acquire() as connection, connection.transaction():
        await requests.start_anew(connection, make.COMPANY)
    rows = await open_desk.pool.fetch("SELECT DISTINCT state, link, ledger_id, former, applied, intent FROM documents")
    assert [tuple(row) for row in rows] == [("not_tried", "", "", "", D(0), "")]
    assert await open_desk.pool.fetchval("SELECT written_hash FROM documents WHERE document_key = $1", written) is None


@pytest.mark.parametrize("how", ["forgotten", "another company"])
async def test_the_overview_hears_at_once_what_is_no_longer_known_to_be_written(
    open_desk: Any, make: Any, written: str, how: str
) -> None:
    await lane(open_desk, make, "pause")
    if how == "forgotten":
        assert await forget(open_desk, make) == (3, 0)
    else:
        async with open_desk.pool.acquire() as connection, connection.transaction():
            await requests.start_anew(connection, make.COMPANY)
    newest: dict[str, tuple[int, str]] = {}
    async with open_desk.broker.consume("api.documents-changed", 100) as subscription, asyncio.timeout(60):
        while [state for _, state in newest.values()] != ["not_tried"] * 3:
            delivery = await subscription.get()
            for one in decode(DocumentChanged, delivery.body):
                assert isinstance(one, Envelope)
                said = (one.state.revision, one.state.state.value)
                # As the read model takes it: what is older than what it has is nothing new.
                newest[one.state.document_key] = max(newest.get(one.state.document_key, (0, "")), said)
            await subscription.acknowledge([delivery])
    assert written in newest


async def test_a_link_by_hand_is_refused_where_somebody_else_has_the_object(
    open_desk: Any, make: Any, written: str
) -> None:
    customer, item = make.customer_of("Other"), make.item_of("Mug")
    held = make.form("2", K.SALES_RECEIPT, "5.00", customer=customer, item=item, on=date(2025, 1, 1))
    await open_desk.send(make.order_set("2", [held], customers=[customer], items=[item]))
    await open_desk.until_state(held.key, "action_required", "PERIOD_CLOSED")
    path = f"/internal/documents/{held.key}/link"
    taken = await open_desk.call("PUT", path, {"tenant_id": make.TENANT, "ledger_id": written})
    assert (taken.status_code, taken.json()["code"]) == (409, "LEDGER_ID_TAKEN")
    nothing = await open_desk.call("PUT", path, {"tenant_id": make.TENANT, "ledger_id": "by-hand"})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "LINK_NOT_FOUND")
    assert nothing.json()["errors"][0]["value"] == "by-hand"
    (open_desk.folder / "manual.beancount").write_text(
        '2025-01-01 * "Other" "Sold at the market" ^by-hand ^another\n', encoding="utf-8"
    )
    linked = await open_desk.call("PUT", path, {"tenant_id": make.TENANT, "ledger_id": "by-hand"})
    assert (linked.json()["state"], linked.json()["link"]["linked_by"]) == ("synced", "person")
    other = await open_desk.call("PUT", path, {"tenant_id": make.TENANT, "ledger_id": "another"})
    assert other.json()["code"] == "LINKED_ALREADY"
    stranger = await open_desk.call("PUT", path, {"tenant_id": "ten_2", "ledger_id": "by-hand"})
    assert stranger.status_code == 404


async def test_a_customer_is_connected_with_a_horizon(open_desk: Any, make: Any) -> None:
    customer, item = make.customer_of("Jane Roe"), make.item_of("Mug")
    await open_desk.send(make.order_set("0", [], customers=[customer], items=[item]))
    await open_desk.settled(2)
    connected = {
        "tenant_id": make.TENANT,
        "company_id": make.COMPANY,
        "connection_id": make.CONNECTION,
        "customer_key": customer.key,
        "source_external_id": None,
    }
    check = f"/internal/documents/{customer.key}/link/check"
    target = await open_desk.call("POST", check, json={"tenant_id": make.TENANT, "ledger_id": "Assets-Jane"})
    assert target.json()["name"] == "Assets-Jane"
    connected["display_name"] = target.json()["name"]
    await open_desk.send(
        CustomerConnected(revision=1, link="existing", ledger_id="Assets-Jane", horizon=date(2026, 1, 10), **connected)
    )
    await open_desk.until("SELECT ledger_id FROM documents WHERE document_key = $1", "Assets-Jane", customer.key)
    early = make.form("1", K.SALES_RECEIPT, "5.00", customer=customer, item=item)
    late = make.form("2", K.SALES_RECEIPT, "7.00", customer=customer, item=item, on=date(2026, 1, 10))
    await open_desk.send(make.order_set("1", [early]), make.order_set("2", [late]))
    await open_desk.until_state(early.key, "skipped", "BEFORE_HORIZON")
    await open_desk.until_state(late.key, "synced")
    await open_desk.send(CustomerConnected(revision=2, link="existing", ledger_id="Assets-Jane", **connected))
    await open_desk.until_state(early.key, "synced")
    assert open_desk.journal().count('* "Assets-Jane" "Sales receipt') == 2


async def test_a_customer_that_a_person_wants_made_is_made_even_where_missing_ones_stop(
    open_desk: Any, make: Any
) -> None:
    missing = make.customer_of("Jane Roe").model_copy(update={"missing": MissingPolicy.STOP})
    item = make.item_of("Mug")
    receipt = make.form("1", K.SALES_RECEIPT, "5.00", customer=missing, item=item)
    await open_desk.send(make.order_set("1", [receipt], customers=[missing], items=[item]))
    await open_desk.until_state(missing.key, "action_required", "CUSTOMER_MISSING")
    await open_desk.send(
        CustomerConnected(
            tenant_id=make.TENANT,
            revision=1,
            company_id=make.COMPANY,
            connection_id=make.CONNECTION,
            customer_key=missing.key,
            source_external_id="c1",
            link="create",
            display_name="Jane Roe (c1)",
        )
    )
    await open_desk.until_state(receipt.key, "synced")
    assert 'custom "customer" "Jane Roe (c1)"' in open_desk.journal()


async def test_the_documents_of_an_order_come_with_what_they_need_and_every_attempt(
    open_desk: Any, make: Any, written: str
) -> None:
    path = f"/internal/documents?tenant_id={make.TENANT}&connection_id={make.CONNECTION}&source_kind=order&source_id=1"
    documents = (await open_desk.call("GET", path)).json()["documents"]
    assert [one["kind"] for one in documents] == ["customer", "item", "sales_receipt"]
    assert documents[2]["document_key"] == written
    assert [(one["operation"], one["outcome"]) for one in documents[2]["attempts"]] == [("create", "created")]
    assert (await open_desk.call("GET", path.replace(make.TENANT, "ten_2"))).json()["documents"] == []


async def test_the_accounts_are_mirrored_published_and_searched(open_desk: Any, make: Any) -> None:
    await open_desk.until("SELECT lists_read_at IS NOT NULL FROM companies", True)
    path = f"/internal/companies/{make.COMPANY}/lists/accounts?tenant_id={make.TENANT}"
    page = (await open_desk.call("GET", f"{path}&search=sales&limit=1")).json()
    assert [one["full_name"] for one in page["items"]] == ["Income:Sales"]
    rest = (await open_desk.call("GET", f"{path}&search=sales&cursor={page['next_cursor']}")).json()
    assert [one["full_name"] for one in rest["items"]] == ["Liabilities:SalesTax"]
    bad = await open_desk.call("GET", f"{path}&cursor=nonsense")
    assert (bad.status_code, bad.json()["code"]) == (422, "CURSOR_INVALID")
    entries = await states(open_desk, "mapper.catalog-changed", CatalogEntry, 20)
    assert {entry.list_name for entry in entries} == {"accounts"}
    refreshed = await open_desk.call(
        "POST", f"/internal/companies/{make.COMPANY}/lists/refresh", {"tenant_id": make.TENANT}
    )
    assert refreshed.status_code == 202


async def test_accounts_that_are_in_no_list_yet_are_typed_or_refused_with_a_cure(open_desk: Any, make: Any) -> None:
    names = ["Income:Erlöse:Web", "Income:web"]
    path = f"/internal/companies/{make.COMPANY}/accounts"
    answer = (await open_desk.call("POST", path, {"tenant_id": make.TENANT, "names": names})).json()
    assert answer["types"] == {"Income:Erlöse:Web": "Income"}
    assert "capital letter" in answer["cures"].pop("Income:web")
    assert answer["cures"] == {}
    assert (await open_desk.call("POST", path, {"tenant_id": "ten_2", "names": names})).status_code == 404


async def test_disconnecting_keeps_links_and_connecting_again_makes_no_duplicates(
    open_desk: Any, make: Any, written: str
) -> None:
    path = f"/internal/companies/{make.COMPANY}/disconnect"
    gone = await open_desk.call("POST", path, {"tenant_id": make.TENANT})
    assert gone.json()["status"] == "disconnected"
    await open_desk.send(make.receipt_set("1", revision=2), make.receipt_set("2"))
    await open_desk.until("SELECT count(*) FROM documents", 5)
    await open_desk.pair()
    await open_desk.settled(5)
    assert (await open_desk.balances())["Income:Sales"] == D("-50.00")
    assert len(open_desk.posting_keys()) == 5


async def test_an_internal_call_without_the_callers_key_is_refused(open_desk: Any, make: Any) -> None:
    transport = httpx.ASGITransport(app=open_desk.apps[0])
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        for path in ("/internal/ledgers", f"/internal/companies/{make.COMPANY}?tenant_id={make.TENANT}"):
            assert (await client.get(path)).status_code == 401


async def test_an_unknown_ledger_is_named_with_the_known_ones(open_desk: Any, make: Any) -> None:
    request = {"tenant_id": make.TENANT, "company_id": "com_2", "ledger": "abacus", "name": "x"}
    answer = await open_desk.call("POST", "/internal/companies", request)
    assert (answer.status_code, answer.json()["code"]) == (422, "LEDGER_UNKNOWN")
    assert "beancount" in answer.json()["cure"]


async def test_everything_owned_is_published_again_on_request(open_desk: Any, make: Any, written: str) -> None:
    await states(open_desk, "api.documents-changed", DocumentChanged, 3)
    await states(open_desk, "api.company-changed", CompanyChanged, 1)
    asked = {"tenant_id": make.TENANT, "revision": 1}
    await open_desk.send(StateRequested(request_id="1", entity=DocumentChanged.type, **asked))
    await open_desk.send(StateRequested(request_id="2", entity=CompanyChanged.type, **asked))
    documents = await states(open_desk, "api.documents-changed", DocumentChanged, 3)
    assert {one.document_key for one in documents} >= {written}
    assert (await states(open_desk, "api.company-changed", CompanyChanged, 1))[0].company_id == make.COMPANY


async def test_a_deleted_tenant_leaves_nothing_behind(open_desk: Any, make: Any, written: str) -> None:
    asked = StateRequested(tenant_id=make.TENANT, revision=1, request_id="1", entity=CompanyChanged.type)
    await open_desk.send(asked)
    await open_desk.until("SELECT count(*) FROM replays", 1)
    await open_desk.pool.execute(
        "INSERT INTO reconnect_notices (company_id, tenant_id) SELECT company_id, tenant_id FROM companies"
    )
    await open_desk.send(TenantDeleted(tenant_id=make.TENANT, revision=1))
    await open_desk.until("SELECT count(*) FROM companies", 0)
    tables = ("documents", "sets", "attempts", "lanes", "catalog", "company_settings", "replays", "reconnect_notices")
    for table in tables:
        assert await open_desk.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_a_check_that_would_find_nothing_is_refused_and_nothing_needs_doing(open_desk: Any, make: Any) -> None:
    path = f"/internal/companies/{make.COMPANY}/check"
    refused = await open_desk.call("POST", path, {"tenant_id": make.TENANT})
    assert (refused.status_code, refused.json()["code"]) == (409, "NO_CHECK")
    assert refused.json()["cure"] == "nothing: no change of another program has to be looked for"
