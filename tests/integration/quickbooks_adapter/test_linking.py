"""A source customer is linked only to a customer of the ledger that is kept in its currency (section 29)."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.unit.quickbooks_adapter import samples

from common.messages.transactions import DocumentKind, MissingPolicy, TransactionSet

ITEMS = tuple(
    samples.item(name, missing=MissingPolicy.CREATE).model_copy(update={"key": key})
    for key, name in ((samples.ITEM, "MUG-1"), (samples.SHIPPING, "Shipping"), (samples.DISCOUNT, "Discount"))
)
PATH = f"/internal/documents/{samples.CUSTOMER}/link"


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    async with open_desk(request_timeout_s=3.0) as made:
        yield made


async def made_by_hand(company: Company, currency: str) -> str:
    """Id of a customer that is in the ledger already."""
    wanted = samples.customer(f"Shop in {currency}", currency=currency).model_copy(update={"key": currency * 8})
    async with company.session() as session:
        return (await company.written(session, samples.operation(wanted))).link.ledger_id


async def ask(desk: Desk, ledger_id: str, *, link: bool = False) -> tuple[int, str, str]:
    """Status, code (or name) and cure (or currency)."""
    body = {"tenant_id": TENANT, "ledger_id": ledger_id}
    answer = await desk.call("PUT" if link else "POST", PATH if link else f"{PATH}/check", body)
    said = answer.json()
    if answer.status_code == 422:
        (wrong,) = said["errors"]
        assert (wrong["field"], wrong["value"]) == ("body.ledger_id", ledger_id)
    return answer.status_code, said.get("code") or said.get("name"), said.get("cure") or said.get("currency")


async def test_a_customer_of_another_currency_is_refused_with_both_currencies(desk: Desk, british: Company) -> None:
    euro, pound = await made_by_hand(british, "EUR"), await made_by_hand(british, "GBP")
    await pair(desk, british)
    buyer = samples.customer(currency="GBP", missing=MissingPolicy.STOP)
    receipt = samples.document(DocumentKind.SALES_RECEIPT, customer_key=buyer.key)
    await desk.send(order_set("1001", [receipt], customers=[buyer]))
    await desk.until_state(buyer.key, "action_required", "CUSTOMER_MISSING")
    await desk.until("SELECT count(*) FROM catalog WHERE list_name = 'customers' AND ledger_id = $1", 1, euro)
    taken = samples.customer("Shop in EUR", currency="GBP").model_copy(update={"key": "9" * 32})
    await desk.send(order_set("1002", [], customers=[taken]))
    await desk.until_state(taken.key, "action_required", "CUSTOMER_CURRENCY_DIFFERS")
    other = (422, "CURRENCY_DIFFERS", "choose a customer that is kept in GBP, or let one be made")
    refused = await desk.call("POST", f"{PATH}/check", {"tenant_id": TENANT, "ledger_id": euro})
    assert refused.json()["detail"] == "this customer of the ledger is kept in EUR, and the orders are in GBP"
    assert await ask(desk, euro) == other
    assert await ask(desk, euro, link=True) == other
    assert await ask(desk, pound) == (200, "Shop in GBP", "GBP")
    await desk.pool.execute("DELETE FROM catalog WHERE list_name = 'customers'")
    assert await ask(desk, euro) == other, "one that the mirror does not know yet is looked at in the ledger"
    assert await ask(desk, pound) == (200, "Shop in GBP", "GBP")
    unknown = await ask(desk, "99999999")
    assert unknown[:2] == (422, "LINK_NOT_FOUND")
    assert (await ask(desk, pound, link=True))[0] == 200
    strangers = await desk.call("POST", f"{PATH}/check", {"tenant_id": "ten_2", "ledger_id": pound})
    assert strangers.status_code == 404


async def gone(company: Company, ledger_id: str, name: str) -> None:
    """What merging leaves of a customer: an inactive one under another name."""
    async with company.session() as session:
        stored = company.one("Customer", ledger_id)
        left = {"Id": ledger_id, "SyncToken": stored["SyncToken"], "sparse": True, "Active": False, "DisplayName": name}
        await session._client.update("Customer", left, f"gone{ledger_id}")


def an_order(number: int, **customer: str) -> TransactionSet:
    buyer = samples.customer(**customer)
    receipt = samples.document(DocumentKind.SALES_RECEIPT, source_id=str(number), customer_key=buyer.key)
    return order_set(str(number), [receipt], customers=[buyer], items=ITEMS)


async def test_a_customer_that_was_merged_away_is_matched_once_more_by_its_name(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    await desk.send(an_order(1))
    await desk.settled(5)
    (first,) = (one["Id"] for one in company.stored("Customer") if one["DisplayName"] == "Ada Fenn")
    await gone(company, first, "Ada Fenn (deleted)")
    async with company.session() as session:
        other = samples.customer().model_copy(update={"key": "7" * 32})
        second = (await company.written(session, samples.operation(other))).link.ledger_id
    assert second != first
    await desk.send(an_order(2), an_order(3))
    await desk.settled(7)
    assert [one["CustomerRef"]["value"] for one in company.stored("SalesReceipt")] == [first, second, second]
    linked = await desk.pool.fetchrow("SELECT * FROM documents WHERE document_key = $1", samples.CUSTOMER)
    assert linked is not None
    assert (linked["ledger_id"], linked["linked_by"], linked["state"]) == (second, "matched", "synced")
    await gone(company, second, "Ada Fenn (gone)")
    await desk.send(an_order(4))
    refused = samples.key_of(DocumentKind.SALES_RECEIPT, "4")
    await desk.until_state(refused, "action_required")
    assert (await desk.state_of(refused))[1] in {"OBJECT_NOT_FOUND", "REFERENCE_INVALID", "CUSTOMER_INACTIVE"}
    assert (await desk.state_of(samples.CUSTOMER))[0] == "synced"


async def test_a_search_suggests_who_is_almost_of_that_name_with_currency_and_balance(
    desk: Desk, british: Company
) -> None:
    async with british.session() as session:
        for number, name in enumerate(("Jones & Jones", "Jones and Sons", "Ada Fenn")):
            wanted = samples.customer(name, currency="GBP").model_copy(update={"key": f"{number}" * 32})
            await british.written(session, samples.operation(wanted))
    await pair(desk, british)
    await desk.until("SELECT count(*) FROM catalog WHERE list_name = 'customers' AND full_name ~ 'Jones|Fenn'", 3)

    async def found(search: str) -> list[tuple[str, str, str | None]]:
        path = f"/internal/companies/{COMPANY}/customers"
        answer = await desk.call("GET", f"{path}?{urlencode({'tenant_id': TENANT, 'search': search})}")
        assert answer.status_code == 200, answer.text
        return [(one["name"], one["currency"], one["details"].get("balance")) for one in answer.json()["items"]]

    assert await found("JONES and jones") == [("Jones & Jones", "GBP", "0"), ("Jones and Sons", "GBP", "0")]
    assert await found("sons, jones") == [("Jones and Sons", "GBP", "0")]
    assert await found("Fenn, Ada") == [("Ada Fenn", "GBP", "0")]
    assert [await found(wild) for wild in ("%", "J_nes", "\\")] == [[], [], []]
    british.stand_in.fail(action="status", status=503, operation="query", realm=british.realm, times=None)
    assert await found("Fenn") == [("Ada Fenn", "GBP", None)]
