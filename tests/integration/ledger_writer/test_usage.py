"""What counts towards limits of use is what was written, once, in the month in which it was written first."""

from datetime import date
from decimal import Decimal
from typing import Any

from common.messages.control import ResendRequested
from common.messages.transactions import DocumentKind
from ledger_writer.store.usage import WRITTEN

K = DocumentKind
MONTH = "SELECT date_trunc('month', now() AT TIME ZONE 'UTC')::date"


async def usage(desk: Any, make: Any, first: str, last: str, tenant: str = "") -> list[tuple[str, str, int]]:
    path = f"/internal/companies/{make.COMPANY}/usage?tenant_id={tenant or make.TENANT}&first={first}&last={last}"
    answer = await desk.call("GET", path)
    assert answer.status_code == 200, answer.text
    return [(one["month"], one["kind"], one["documents"]) for one in answer.json()["counts"]]


async def test_an_invoice_with_its_payments_counts_once_and_what_we_did_not_write_does_not(
    open_desk: Any, make: Any
) -> None:
    customer, item = make.customer_of("Ada"), make.item_of("Mug")
    forms = [make.form("1", kind, "9.00", customer=customer, item=item) for kind in (K.SALES_ORDER, K.INVOICE)]
    paid = [make.payment("1", "4.50", customer=customer, to=forms[1].key, ordinal=part) for part in (0, 1)]
    early = make.form("2", K.SALES_RECEIPT, "5.00", customer=customer, item=item, on=date(2025, 1, 1))
    by_hand = make.form("3", K.SALES_RECEIPT, "6.00", customer=customer, item=item, on=date(2025, 1, 1))
    await open_desk.send(
        make.order_set("1", [*forms, *paid], customers=[customer], items=[item]),
        make.order_set("2", [early], customers=[customer], items=[item]),
        make.order_set("3", [by_hand], customers=[customer], items=[item]),
        make.receipt_set("4"),
    )
    await open_desk.settled(8)
    await open_desk.until_state(early.key, "action_required", "PERIOD_CLOSED")
    await open_desk.until_state(by_hand.key, "action_required", "PERIOD_CLOSED")
    (open_desk.folder / "manual.beancount").write_text('2025-01-01 * "Ada" "At the market" ^by-hand\n')
    link = {"tenant_id": make.TENANT, "ledger_id": "by-hand"}
    assert (await open_desk.call("PUT", f"/internal/documents/{by_hand.key}/link", link)).status_code == 200
    month = (await open_desk.pool.fetchval(MONTH)).isoformat()
    counted = [(month, "invoice", 1), (month, "sales_order", 1), (month, "sales_receipt", 1)]
    assert await usage(open_desk, make, month, month) == counted
    path = f"/internal/companies/{make.COMPANY}/usage?tenant_id=ten_2&first={month}&last={month}"
    assert (await open_desk.call("GET", path)).status_code == 404

    # Nothing of this is another document: an edit, a link that is forgotten and found again.
    await open_desk.send(make.receipt_set("4", "30.00", revision=2))
    await open_desk.until("SELECT amount FROM documents WHERE document_key = $1", Decimal("30.00"), _receipt(make))
    await open_desk.settled(9)
    await open_desk.call("POST", f"/internal/companies/{make.COMPANY}/links/forget", {"tenant_id": make.TENANT})
    await open_desk.until("SELECT linked_by FROM documents WHERE document_key = $1", "matched", _receipt(make))
    assert await usage(open_desk, make, month, month) == counted


async def test_a_document_stays_in_the_month_in_which_it_was_written_first(open_desk: Any, make: Any) -> None:
    await open_desk.send(make.receipt_set("4"), make.receipt_set("5"))
    await open_desk.settled(5)
    written = "UPDATE documents SET written_at = $2 WHERE document_key = $1"
    last_moment, next_moment = "2026-01-31T23:59:59.999999Z", "2026-02-01T00:00:00Z"
    for number, moment in (("4", last_moment), ("5", next_moment)):
        await open_desk.pool.execute(written.replace("$2", f"'{moment}'::timestamptz"), _receipt(make, number))
    january, february = ("2026-01-01", "sales_receipt", 1), ("2026-02-01", "sales_receipt", 1)
    assert await usage(open_desk, make, "2026-01-01", "2026-02-01") == [january, february]
    assert await usage(open_desk, make, "2026-01-01", "2026-01-01") == [january]
    assert await usage(open_desk, make, "2026-02-01", "9999-12-01") == [february]

    # Written anew in another month, it is the same document.
    key = _receipt(make)
    await open_desk.call("DELETE", f"/internal/documents/{key}/link?tenant_id={make.TENANT}")
    (open_desk.folder / "journal" / "2026-01.beancount").write_text(";; tillbook batch 1\n")
    resend = {"tenant_id": make.TENANT, "revision": 1, "resend_id": "r", "company_id": make.COMPANY}
    await open_desk.send(ResendRequested(**resend, document_keys=(key,)))
    await open_desk.until("SELECT linked_by FROM documents WHERE document_key = $1", "created", key)
    assert await usage(open_desk, make, "2026-01-01", "9999-12-01") == [january, february]


async def test_usage_reads_the_documents_of_its_company_alone(open_desk: Any, make: Any) -> None:
    async with open_desk.pool.acquire() as connection, connection.transaction():
        # Of a few rows the planner would read the whole table.
        await connection.execute("SET LOCAL enable_seqscan = off")
        day = date(2026, 1, 1)
        plan = [row[0] for row in await connection.fetch(f"EXPLAIN {WRITTEN}", make.COMPANY, day, day, ["payment"])]
    (read,) = [line for line in plan if "Index Cond" in line]
    assert f"(company_id = '{make.COMPANY}'::text)" in read, plan


def _receipt(make: Any, number: str = "4") -> str:
    key: str = make.key_of(number, K.SALES_RECEIPT)
    return key
