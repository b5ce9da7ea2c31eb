"""A source customer is linked only to a customer of the ledger that is kept in its currency (section 29)."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.ledger_writer.conftest import TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.unit.quickbooks_adapter import samples

from common.messages.transactions import DocumentKind, MissingPolicy

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
