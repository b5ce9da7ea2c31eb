"""Vectors 1 to 13: sales, payments, sales orders, numbers."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.e2e.books import Stage
from tests.e2e.canonical import Json
from tests.e2e.vectors.registry import vector
from tests.unit.mapper.samples import (
    ORDER_DAY,
    D,
    configuration,
    example_a,
    line,
    mapped,
    order,
    tax,
    tender,
    unpaid,
)

from common.messages.base import Reason
from common.messages.orders import FinancialStatus, FulfillmentStatus, Order
from mapper.mapping.directives import Directives
from mapper.mapping.missing_payments import LedgerView, why_no_payment
from sandbox.demo.gateway import Refused

A = {"INC": D("-69.99"), "SHIP": D("-7.95"), "TAX": D("-4.06"), "DISC": D("5.00")}
"""Example A without the side of the money."""
RECEIPTS, INVOICES = "sales_receipts", "invoices_payments_if_paid"
ORDERS = "sales_orders_invoices_payments_if_paid"
PAID_A = ("invoice 77.00", "payment 77.00")


@vector(1)
async def a_paid_order_in_receipt_mode_is_one_receipt(stage: Stage) -> None:
    books = await stage.books(RECEIPTS)
    await books.push(example_a())
    (receipt,) = await books.stands("sales_receipt 77.00")
    assert (receipt["number"], receipt["date"]) == ("1001", "2026-03-02")
    assert await books.balances() == A | {"UF": D("77.00")}


@vector(2)
async def a_paid_order_in_invoice_mode_is_an_invoice_and_its_payment(stage: Stage) -> None:
    books = await stage.books(INVOICES)
    await books.push(example_a())
    await books.stands(*PAID_A)
    sums = {entry.kind: entry.sums for entry in await books.entries()}
    assert sums["invoice"] == A | {"AR": D("77.00")}
    assert sums["payment"] == {"UF": D("77.00"), "AR": D("-77.00")}
    assert "AR" not in await books.balances()


@vector(3)
async def pending_then_paid_adds_only_the_payment(stage: Stage) -> None:
    books = await stage.books(INVOICES, order_statuses=["paid", "pending"])
    await books.push(unpaid())
    (invoice,) = await books.stands("invoice 77.00")
    await books.push(example_a())
    rows = await books.stands(*PAID_A)
    assert [row["document_key"] for row in rows if row["kind"] == "invoice"] == [invoice["document_key"]]
    assert await books.balances() == A | {"UF": D("77.00")}


@vector(4)
async def a_blank_filter_that_follows_no_changes_misses_the_payment_and_says_so(stage: Stage) -> None:
    books = await stage.books(INVOICES, follow_changes=False)
    await books.push(unpaid())
    await books.stands("invoice 77.00")
    await books.push(example_a())
    # What comes after it has been handled too, so that the payment was passed over and is not merely late.
    await books.push(unpaid(external_id="9002", number="1002"))
    await books.document_of("9002", "invoice", column="in_ledger")
    assert await books.balances() == {role: 2 * amount for role, amount in A.items()} | {"AR": D("154.00")}
    reason = why_it_is_missing(await books.documents(), books.settings)
    assert reason is not None
    assert (reason.code, reason.field, reason.value) == ("PAYMENT_NOT_FETCHED", "follow_changes", "false")


def why_it_is_missing(documents: Sequence[Json], saved: Json) -> Reason | None:
    """Section 8's answer for the payment of example A, from what the API tells of settings and documents."""
    paid = example_a()
    settings = configuration(INVOICES, follow_changes=saved["follow_changes"], order_statuses=saved["order_statuses"])
    written = [row["kind"] for row in documents if row["state"] == "synced"]
    planned = mapped(paid, settings)
    view = LedgerView(written=[one.key for one in planned.documents if one.kind.value in written])
    return why_no_payment(paid, paid.tenders[0], settings, Directives(), planned, view)


@vector(5)
async def a_full_discount_is_an_invoice_of_zero_and_no_payment(stage: Stage) -> None:
    books = await stage.books(INVOICES)
    free = order(lines=(line("l1", "HAMMER", "25.00", amount=D("0.00"), discount=D("25.00")),), total=D("0.00"))
    await books.push(free)
    await books.stands("invoice 0.00")
    skipped = await books.document_becomes("payment", "skipped", "NO_BALANCE")
    assert skipped["column"] == "out_of_scope"
    assert await books.balances() == {}


@vector(6)
async def two_equal_tenders_with_different_ids_are_two_payments(stage: Stage) -> None:
    books = await stage.books(INVOICES)
    await books.push(example_a(tenders=(tender("38.50", "t1"), tender("38.50", "t2"))))
    await books.stands("invoice 77.00", "payment 38.50", "payment 38.50")
    assert await books.balances() == A | {"UF": D("77.00")}


@vector(7)
async def the_same_tender_delivered_twice_is_one_payment(stage: Stage) -> None:
    books = await stage.books(INVOICES)
    await books.push(example_a())
    before = await books.stands(*PAID_A)
    await books.push(example_a(), example_a(note="told again"))
    after = await books.stands(*PAID_A)
    assert {row["document_key"] for row in after} == {row["document_key"] for row in before}
    assert await books.balances() == A | {"UF": D("77.00")}


@vector(8)
async def an_overpayment_applies_the_balance_and_leaves_the_rest(stage: Stage) -> None:
    books = await stage.books(INVOICES, "quickbooks_online")
    await books.push(example_a(tenders=(tender("80.00"),)))
    await books.stands("invoice 77.00", "payment 80.00")
    (payment,) = [row for row in await books.quickbooks("Payment") if D(str(row["TotalAmt"])) == D("80.00")]
    assert [D(str(one["Amount"])) for one in payment["Line"]] == [D("77.00")]
    assert D(str(payment["UnappliedAmt"])) == D("3.00")


def desk(*tenders: str, **changes: object) -> Order:
    """Order 3001 of section 9: 221.24 and 13 % tax; P1 100.00 on day 1, P2 150.00 on day 6."""
    day_6 = datetime(2026, 3, 7, tzinfo=UTC)
    paid = {
        "P1": tender("100.00", "P1", reference="P1"),
        "P2": tender("150.00", "P2", reference="P2", captured_at=day_6, captured_on=day_6.date()),
    }
    values: dict[str, object] = {
        "number": "3001",
        "lines": (line("l1", "DESK", "221.24", taxes=(tax("28.76", rate="0.13"),)),),
        "taxes": (tax("28.76", rate="0.13"),),
        "tax_total": D("28.76"),
        "total": D("250.00"),
        "tenders": tuple(paid[name] for name in tenders),
        "financial_status": FinancialStatus.PAID if len(tenders) == 2 else FinancialStatus.PARTIALLY_PAID,
    }
    return order(**(values | changes))


OWN_NUMBERS = (
    "Preferences",
    {"Id": "1", "SyncToken": "0", "sparse": True, "SalesFormsPrefs": {"CustomTxnNumbers": True}},
)
"""The preference under which QuickBooks takes the numbers that it is sent."""
SOMEBODYS_ESTIMATE = (
    OWN_NUMBERS,
    ("Customer", {"DisplayName": "Ada Lovelace"}),
    (
        "Estimate",
        {
            "CustomerRef": {"value": "1"},
            "TxnDate": "2026-03-02",
            "DocNumber": "1001",
            "PrivateNote": "4711",
            "Line": [
                {
                    "Amount": 77,
                    "DetailType": "SalesItemLineDetail",
                    "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
                }
            ],
        },
    ),
)
"""What a bookkeeper wrote: the order's number on it, another one in the memo."""


@vector(9)
async def section_nine_row_by_row(stage: Stage) -> None:
    books = await stage.books(ORDERS)
    await books.rule("do_not_create_invoice", "", ("fulfillment_status", "is_not", "fulfilled"))
    await books.push(desk("P1"))
    await books.stands("sales_order 250.00", "payment 100.00")
    assert await books.balances() == {"UF": D("100.00"), "AR": D("-100.00")}
    await books.push(desk("P1", fulfillment_status=FulfillmentStatus.FULFILLED))
    rows = await books.stands("sales_order 250.00", "invoice 250.00", "payment 100.00")
    assert {row["number"] for row in rows if row["kind"] in {"sales_order", "invoice"}} == {"3001"}
    assert (await books.balances())["AR"] == D("150.00")
    await books.push(desk("P1", "P2", fulfillment_status=FulfillmentStatus.FULFILLED))
    await books.stands("sales_order 250.00", "invoice 250.00", "payment 100.00", "payment 150.00")
    assert await books.balances() == {"UF": D("250.00"), "INC": D("-221.24"), "TAX": D("-28.76")}
    sums = {entry.kind: entry.sums for entry in await books.entries()}
    assert sums["invoice"] == {"AR": D("250.00"), "INC": D("-221.24"), "TAX": D("-28.76")}


@vector(10)
async def an_invoice_forty_days_later_still_closes_the_sales_order(stage: Stage) -> None:
    books = await stage.books(ORDERS, "quickbooks_online")
    await books.rule("do_not_create_invoice", "", ("fulfillment_status", "is_not", "fulfilled"))
    await books.push(unpaid())
    await books.stands("estimate 77.00")
    assert [row["TxnStatus"] for row in await books.quickbooks("Estimate")] == ["Pending"]
    day = ORDER_DAY + timedelta(days=40)
    late = tender("77.00", captured_on=day, captured_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
    await books.push(example_a(tenders=(late,), fulfillment_status=FulfillmentStatus.FULFILLED))
    await books.stands("estimate 77.00", *PAID_A)
    (closed,) = await books.quickbooks("Estimate")
    (invoice,) = [row for row in await books.quickbooks("Invoice") if row.get("DocNumber") == "1001"]
    assert closed["TxnStatus"] == "Closed"
    assert {"TxnId": closed["Id"], "TxnType": "Estimate"} in invoice["LinkedTxn"]
    (payment,) = [row for row in await books.documents("synced") if row["kind"] == "payment"]
    assert date.fromisoformat(payment["date"]) == day


@vector(11)
async def the_ledger_numbers_the_invoice_and_the_memo_finds_it_again(stage: Stage) -> None:
    books = await stage.books(INVOICES, "quickbooks_online", numbers={"policy": "next"})
    await books.push(unpaid(number="3001"))
    (invoice,) = await books.stands("invoice 77.00")
    (stored,) = [row for row in await books.quickbooks("Invoice") if row["Id"] == invoice["ledger_id"]]
    assert invoice["number"] == stored["DocNumber"] != "3001"
    assert stored["PrivateNote"].startswith("3001 [tb:")
    await stage.world.gateway.remove(f"/documents/{invoice['document_key']}/link")
    await books.resend(document_keys=[invoice["document_key"]])
    (found,) = await books.stands("invoice 77.00")
    assert found["ledger_id"] == invoice["ledger_id"]


@vector(12)
async def a_sales_order_whose_memo_is_another_number_is_not_found(stage: Stage) -> None:
    books = await stage.books(ORDERS, "quickbooks_online", seeded=SOMEBODYS_ESTIMATE)
    await books.push(example_a())
    warned = await books.document_becomes("estimate", "action_required", "SO_NOT_FOUND")
    assert "4711" in warned["reason"]["text"]
    waiting = await books.document_becomes("invoice", "blocked")
    assert waiting["blocked_by"] == warned["document_key"]
    assert [row["PrivateNote"] for row in await books.quickbooks("Estimate")] == ["4711"]


@vector(13)
async def tax_as_a_line_is_refused_in_sales_order_modes(stage: Stage) -> None:
    books = await stage.books(ORDERS)
    with pytest.raises(Refused) as refused:
        await books.save(tax={"method": "tax_line"})
    assert "body.tax.method" in str(refused.value)
    assert "sales orders can't carry tax as a line" in str(refused.value)
