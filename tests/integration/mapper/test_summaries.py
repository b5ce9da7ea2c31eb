"""Summaries through the service: orders join, change and leave; one document follows."""

from datetime import UTC, date, datetime

from tests.integration.mapper.conftest import Service
from tests.unit.mapper.samples import D, company, connection
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


APPROVED = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC))
RECEIPTS, INVOICES = connection("summary_sales_receipt"), connection("summary_invoice")


async def test_a_summary_that_was_begun_is_finished_by_its_own_mode(mapper: Service) -> None:
    await mapper.configure(RECEIPTS, company=APPROVED)
    await mapper.send(O1, O2)
    await total_of(mapper, D("105.93"))
    await mapper.configure(INVOICES, company=APPROVED, revision=2)
    await mapper.send(O3)
    assert [one.kind for one in (await total_of(mapper, D("128.92"))).documents] == [DocumentKind.SALES_RECEIPT]


async def test_before_the_first_approval_a_summary_follows_the_setting(mapper: Service) -> None:
    await mapper.configure(RECEIPTS)
    await mapper.send(O1, O2)
    made = await total_of(mapper, D("105.93"))
    await mapper.configure(INVOICES, revision=2)
    invoiced = await mapper.set_of(made.source_id, revision=made.revision + 1)
    assert [one.kind for one in invoiced.documents] == [DocumentKind.INVOICE]
    await mapper.configure(connection("sales_receipts"), revision=3)
    await mapper.settle()
    assert mapper.sets[made.source_id].documents == ()
    assert [one.kind for one in mapper.sets["o1"].documents] == [DocumentKind.SALES_RECEIPT]


async def test_a_summary_whose_orders_joined_under_another_mode_is_made_all_the_same(mapper: Service) -> None:
    await mapper.configure(RECEIPTS, company=APPROVED)
    await mapper.send(O1, O2)
    made = await total_of(mapper, D("105.93"))
    await mapper.settle()
    pool = mapper.runtime.pool
    # As if the setting had been changed before anybody came to make it.
    await pool.execute("DELETE FROM sets WHERE source_kind = 'summary'")
    del mapper.sets[made.source_id]
    await mapper.configure(connection("sales_receipts"), company=APPROVED, revision=2)
    await pool.execute("UPDATE summaries SET dirty_since = now()")
    again = await mapper.set_of(made.source_id)
    assert [(one.kind, one.total) for one in again.documents] == [(DocumentKind.SALES_RECEIPT, D("105.93"))]


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
