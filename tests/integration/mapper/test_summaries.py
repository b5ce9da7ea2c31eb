"""Summaries through the service: orders join, change and leave; one document follows."""

from datetime import UTC, date, datetime

from tests.integration.mapper.conftest import Service
from tests.unit.mapper.samples import D, company, connection, first_refund
from tests.unit.mapper.test_summaries import O1, O2, O3

from common.messages.orders import FinancialStatus, Lifecycle
from common.messages.transactions import DocumentKind, SetOutcome, TransactionSet


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


async def test_a_refund_of_an_order_that_joined_under_the_new_mode_waits_for_the_summary_there_is(
    mapper: Service,
) -> None:
    await mapper.configure(RECEIPTS, company=APPROVED)
    await mapper.send(O1, O2)
    made = await total_of(mapper, D("105.93"))
    await mapper.configure(INVOICES, company=APPROVED, revision=2)
    back = first_refund(
        lines=(),
        tax=D("0.00"),
        transactions=(first_refund().transactions[0].model_copy(update={"amount": D("5.00")}),),
    )
    await mapper.send(O3.model_copy(update={"refunds": (back,)}))
    await total_of(mapper, D("128.92"))
    await mapper.settle()
    joined = mapper.sets["o3"]
    assert joined.kept_mode == "summary_sales_receipt"
    assert [one.depends_on for one in joined.documents] == [(made.documents[0].key,)]


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


async def test_orders_that_are_filtered_later_stay_in_the_summary_that_is_written(mapper: Service) -> None:
    await mapper.configure(RECEIPTS, company=APPROVED)
    await mapper.send(O1, O2, O3)
    made = await total_of(mapper, D("128.92"))
    await mapper.configure(RECEIPTS.model_copy(update={"enabled": False}), company=APPROVED, revision=2)
    for one in ("o1", "o2", "o3"):
        assert (await mapper.set_of(one, revision=2)).outcome is SetOutcome.FILTERED
    await mapper.settle()
    assert mapper.sets[made.source_id].documents == made.documents
    await mapper.configure(RECEIPTS, company=APPROVED, revision=3)
    gone = O2.model_copy(
        update={
            "revision": 2,
            "lifecycle": Lifecycle.CANCELLED,
            "tenders": (),
            "financial_status": FinancialStatus.VOIDED,
        }
    )
    await mapper.send(gone)
    assert await total_of(mapper, D("81.12")) is not None


async def test_an_order_that_is_filtered_before_the_day_is_over_leaves_its_summary(mapper: Service) -> None:
    await mapper.configure(RECEIPTS, company=APPROVED)
    await mapper.send(O1, O2, O3)
    made = await total_of(mapper, D("128.92"))
    await mapper.runtime.pool.execute("UPDATE summaries SET finished = false, due_at = now() + interval '1 day'")
    await mapper.send(O2.model_copy(update={"revision": 2, "do_not_import": True}))
    open_day = await mapper.set_of(made.source_id, revision=made.revision + 1)
    while not open_day.documents or open_day.documents[0].total != D("81.12"):
        open_day = await mapper.set_of(made.source_id, revision=open_day.revision + 1)
    assert open_day.documents[0].hold is not None


async def test_an_order_that_names_its_summary_no_longer_leaves_it(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts"), company=APPROVED)
    await mapper.send(*(one.model_copy(update={"invoice_mode": "summary_sales_receipt"}) for one in (O1, O2)))
    made = await total_of(mapper, D("105.93"))
    await mapper.send(O2.model_copy(update={"revision": 2}))
    alone = await mapper.set_of(made.source_id, revision=made.revision + 1)
    assert [one.total for one in alone.documents] == [D("58.13")]
    assert [(one.kind, one.total) for one in (await mapper.set_of("o2", revision=2)).documents] == [
        (DocumentKind.SALES_RECEIPT, D("47.80"))
    ]


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
