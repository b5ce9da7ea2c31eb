"""A customer's phone, email and addresses follow the orders, where the connection's settings say so (section 16.8)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk, order_set
from tests.integration.quickbooks_adapter.conftest import Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import pair
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document

from common.messages.transactions import DocumentKind, MissingPolicy, TransactionSet

FIRST, SECOND, THIRD = (datetime(2026, 3, day, 9, tzinfo=UTC) for day in (1, 2, 3))


@pytest.fixture
async def desk(open_desk: OpenDesk) -> AsyncIterator[Desk]:
    async with open_desk(throttled_wait_s=0.2, request_timeout_s=3.0) as made:
        yield made


def an_order(number: int, at: datetime | None, **contact: Any) -> TransactionSet:
    """A receipt of Ada Fenn's."""
    buyer = samples.customer(contact_at=at, first_name="Ada", **contact)
    items = tuple(
        samples.item(name, missing=MissingPolicy.CREATE).model_copy(update={"key": key})
        for key, name in ((samples.ITEM, "MUG-1"), (samples.SHIPPING, "Shipping"), (samples.DISCOUNT, "Discount"))
    )
    receipt = document(DocumentKind.SALES_RECEIPT, source_id=str(number), customer_key=buyer.key)
    return order_set(str(number), [receipt], customers=[buyer], items=items)


def ada(company: Company) -> dict[str, Any]:
    (found,) = (one for one in company.stored("Customer") if one["DisplayName"] == "Ada Fenn")
    return found


def contact(found: dict[str, Any]) -> tuple[Any, ...]:
    return (
        found.get("PrimaryEmailAddr", {}).get("Address"),
        found.get("PrimaryPhone", {}).get("FreeFormNumber"),
        found.get("BillAddr", {}).get("City"),
        found.get("ShipAddr", {}).get("City"),
    )


OLD: dict[str, Any] = {"email": "old@example.com", "phone": "1", "billing_address": samples.address(city="Bath")}
NEW: dict[str, Any] = {"email": "new@example.com", "shipping_address": samples.address(city="York")}


async def test_the_newest_order_says_how_a_customer_is_reached(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    await desk.send(an_order(1, FIRST, **OLD))
    await desk.settled(5)
    assert contact(ada(company)) == ("old@example.com", "1", "Bath", None)
    await desk.send(an_order(3, THIRD, **NEW))
    await desk.settled(6)
    found = ada(company)
    assert contact(found) == ("new@example.com", "1", "Bath", "York")
    assert (found["DisplayName"], found["GivenName"]) == ("Ada Fenn", "Ada")
    # An older one says nothing, and one that says the same costs no request but its own.
    await desk.send(an_order(2, SECOND, **OLD), an_order(4, THIRD, **NEW))
    await desk.settled(8)
    assert (ada(company)["SyncToken"], contact(ada(company))) == (found["SyncToken"], contact(found))
    tried = "SELECT array_agg(operation || ' ' || outcome ORDER BY at) FROM attempts WHERE document_key = $1"
    assert await desk.pool.fetchval(tried, samples.CUSTOMER) == ["create created", "update updated"]


async def test_a_customer_that_was_found_is_compared_once(desk: Desk, company: Company) -> None:
    async with company.session() as session:
        await company.written(session, samples.operation(samples.customer(**{**OLD, "phone": "7"})))
    await pair(desk, company)
    await desk.send(an_order(1, FIRST, **NEW))
    await desk.settled(5)
    assert contact(ada(company)) == ("new@example.com", "7", "Bath", "York")
    token = ada(company)["SyncToken"]
    await desk.send(an_order(2, SECOND, **NEW))
    await desk.settled(6)
    assert ada(company)["SyncToken"] == token
    assert await desk.pool.fetchval("SELECT linked_by FROM documents WHERE document_key = $1", samples.CUSTOMER) == (
        "matched"
    )


async def test_a_customer_that_a_person_links_is_compared_too(desk: Desk, company: Company) -> None:
    async with company.session() as session:
        other = samples.customer("Fenn & Sons", phone="7").model_copy(update={"key": "7" * 32})
        other_id = (await company.written(session, samples.operation(other))).link.ledger_id
    await pair(desk, company)
    await desk.send(an_order(1, FIRST, **OLD))
    await desk.settled(5)
    path = f"/internal/documents/{samples.CUSTOMER}/link"
    assert (await desk.call("DELETE", f"{path}?tenant_id={TENANT}")).status_code == 200
    linked = await desk.call("PUT", path, {"tenant_id": TENANT, "ledger_id": other_id})
    assert linked.status_code == 200, linked.text
    await desk.settled(5)
    found = company.one("Customer", other_id)
    assert (found["DisplayName"], contact(found)) == ("Fenn & Sons", ("old@example.com", "1", "Bath", None))


async def test_without_the_setting_a_customer_stays_as_it_was_made(desk: Desk, company: Company) -> None:
    await pair(desk, company)
    await desk.send(an_order(1, None, **OLD))
    await desk.settled(5)
    await desk.send(an_order(2, None, **NEW))
    await desk.settled(6)
    assert contact(ada(company)) == ("old@example.com", "1", "Bath", None)
    # Switched on later, the next order tells.
    await desk.send(an_order(3, THIRD, **NEW))
    await desk.settled(7)
    await desk.until("SELECT count(*) FROM attempts WHERE operation = 'update' AND outcome = 'updated'", 1)
    assert contact(ada(company)) == ("new@example.com", "1", "Bath", "York")


@pytest.mark.parametrize(
    "trouble",
    [
        {"action": "drop_before"},
        {"action": "drop_after"},
        {"action": "fault", "code": "5010"},
        {"action": "status", "status": 503},
    ],
    ids=lambda trouble: str(trouble["action"]),
)
async def test_trouble_on_the_way_keeps_no_contact_from_the_ledger(
    desk: Desk, company: Company, trouble: dict[str, Any]
) -> None:
    await pair(desk, company)
    await desk.send(an_order(1, FIRST, **OLD))
    await desk.settled(5)
    company.stand_in.fail(entity="Customer", operation="save", realm=company.realm, times=1, **trouble)
    await desk.send(an_order(2, SECOND, **NEW))
    await desk.settled(6, timeout_s=60)
    assert contact(ada(company)) == ("new@example.com", "1", "Bath", "York")
    assert await desk.pool.fetchval("SELECT count(*) FROM documents WHERE company_id = $1", COMPANY) == 6
