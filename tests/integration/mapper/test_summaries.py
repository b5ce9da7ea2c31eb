"""Summaries through the service: orders join, change and leave; one document follows."""

from datetime import date

from tests.integration.mapper.conftest import Service
from tests.unit.mapper.samples import D, connection
from tests.unit.mapper.test_summaries import O1, O2, O3

from common.messages.orders import FinancialStatus, Lifecycle
from common.messages.transactions import DocumentKind, TransactionSet


async def test_a_days_orders_become_one_receipt_that_follows_its_members(mapper: Service) -> None:
    await mapper.configure(connection("summary_sales_receipt"))
    await mapper.send(O1, O2, O3)
    for one in ("o1", "o2", "o3"):
        reason = (await mapper.set_of(one)).reason
        assert reason is not None
        assert reason.code == "IN_SUMMARY"
    assert await total_of(mapper, D("128.92")) is not None
    voided = {"tenders": (), "lifecycle": Lifecycle.CANCELLED, "financial_status": FinancialStatus.VOIDED}
    gone = O2.model_copy(update={"revision": 2, **voided})
    await mapper.send(gone)
    assert await total_of(mapper, D("81.12")) is not None
    assert await mapper.runtime.pool.fetchval("SELECT count(*) FROM summary_members") == 2


async def test_orders_that_name_their_summary_get_it_whatever_the_connections_mode(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts"))
    await mapper.send(*(one.model_copy(update={"invoice_mode": "summary_invoice"}) for one in (O1, O2)), O3)
    assert [one.kind for one in (await total_of(mapper, D("105.93"))).documents] == [DocumentKind.INVOICE]
    assert [one.kind for one in (await mapper.set_of("o3")).documents] == [DocumentKind.SALES_RECEIPT]


async def total_of(mapper: Service, wanted: object) -> TransactionSet:
    """Wait until the day's summary has this total."""
    await mapper.until_row("SELECT count(*) FROM summaries", wanted=1)
    summary_id = await mapper.runtime.pool.fetchval("SELECT summary_id FROM summaries")
    found = await mapper.set_of(summary_id)
    while not found.documents or found.documents[0].total != wanted:
        found = await mapper.set_of(summary_id, revision=found.revision + 1)
    assert found.documents[0].hold is None, "the day is long over"
    assert found.date == date(2026, 3, 2)
    return found
