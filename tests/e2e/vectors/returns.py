"""Vectors 14 to 17, 26 to 29: refunds, cancellations, tax, rounding, gift cards, currencies."""

from datetime import UTC, date, datetime

from tests.e2e.books import Books, Stage
from tests.e2e.vectors.registry import vector
from tests.e2e.vectors.sales import INVOICES, RECEIPTS, A
from tests.unit.mapper.samples import D, example_a, first_refund, line, order, second_refund, tax, tender, unpaid
from tests.unit.mapper.test_examples import GIFT_ORDER
from tests.unit.mapper.test_payouts import payout, payout_line

from common.messages.orders import FinancialStatus, Lifecycle, Order, Refund

NO_RETURNS = {"REFC": None}
"""Without an account for returns, refunds take income back."""
FIRST = {"INC": D("25.00"), "TAX": D("1.45"), "DISC": D("-1.79"), "UF": D("-24.66")}
SECOND = {"INC": D("44.99"), "SHIP": D("7.95"), "TAX": D("2.61"), "DISC": D("-3.21"), "UF": D("-52.34")}


@vector(14)
async def two_refunds_take_the_whole_order_back(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, accounts=NO_RETURNS)
    await books.publish(example_a())
    await books.stands("sales_receipt 77.00")
    await books.publish(example_a(refunds=(first_refund(),)))
    await books.stands("sales_receipt 77.00", "refund_receipt 24.66")
    await books.publish(example_a(refunds=(second_refund(), first_refund())))
    rows = await books.stands("sales_receipt 77.00", "refund_receipt 24.66", "refund_receipt 52.34")
    numbers = {(row["number"], row["amount"]) for row in rows if row["kind"] == "refund_receipt"}
    assert numbers == {("1001", "24.66"), ("1001-1", "52.34")}
    returned = [entry.sums for entry in await books.entries() if entry.kind == "refund_receipt"]
    assert returned == [FIRST, SECOND]
    assert await books.balances() == {}


@vector(15)
async def the_original_is_written_before_its_refund(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, "quickbooks_online")
    await books.publish(example_a(refunds=(first_refund(),)))
    rows = await books.stands("sales_receipt 77.00", "refund_receipt 24.66")
    written = {row["kind"]: int(row["ledger_id"]) for row in rows}
    assert written["sales_receipt"] < written["refund_receipt"]


HAMMERS = (
    "Item",
    {
        "Name": "HAMMER",
        "Type": "Inventory",
        "UnitPrice": 25,
        "PurchaseCost": 10,
        "IncomeAccountRef": {"value": "79"},
        "ExpenseAccountRef": {"value": "80"},
        "AssetAccountRef": {"value": "81"},
        "TrackQtyOnHand": True,
        "QtyOnHand": 10,
        "InvStartDate": "2026-01-01",
    },
)


@vector(16)
async def goods_that_are_not_restocked_leave_the_stock_alone(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, "quickbooks_online", seeded=[HAMMERS])
    await books.refresh_lists()
    await books.publish(example_a())
    await books.stands("sales_receipt 77.00")
    assert await hammers(books) == 8
    await books.publish(example_a(refunds=(kept(first_refund()),)))
    await books.stands("sales_receipt 77.00", "refund_receipt 24.66")
    assert await hammers(books) == 8
    await books.publish(example_a(refunds=(kept(first_refund()), second_refund())))
    await books.stands("sales_receipt 77.00", "refund_receipt 24.66", "refund_receipt 52.34")
    assert await hammers(books) == 9


def kept(refund: Refund) -> Refund:
    """The refund without its goods coming back."""
    lines = tuple(one.model_copy(update={"restock": False}) for one in refund.lines)
    return refund.model_copy(update={"lines": lines})


async def hammers(books: Books) -> int:
    (item,) = [row for row in await books.quickbooks("Item") if row["Name"] == "HAMMER"]
    return int(item["QtyOnHand"])


@vector(17)
async def a_cancelled_unpaid_order_has_its_invoice_voided(stage: Stage) -> None:
    books = await stage.books(INVOICES)
    await books.push(unpaid())
    await books.stands("invoice 77.00")
    await books.push(unpaid(lifecycle=Lifecycle.CANCELLED, cancelled_on=date(2026, 3, 2)))
    await books.stands(voided=["invoice 77.00"])
    assert await books.balances() == {}


@vector(26)
async def inclusive_tax_is_sent_as_net_and_tax(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, tax={"method": "inclusive", "codes": {"default_taxed": "GST10"}})
    mug = order(
        lines=(line("l1", "MUG", "13.55", taxes=(tax("1.35", "GST", "0.10"),)),),
        taxes=(tax("1.35", "GST", "0.10"),),
        tax_total=D("1.35"),
        total=D("14.90"),
        tax_included=True,
        tenders=(tender("14.90"),),
    )
    await books.push(mug)
    await books.stands("sales_receipt 14.90")
    assert await books.balances() == {"UF": D("14.90"), "INC": D("-13.55"), "TAX": D("-1.35")}
    (receipt,) = await books.planned()
    assert {one["kind"]: one["amount"] for one in receipt["lines"]}["product"] == "13.55"


@vector(27)
async def a_cent_is_rounded_and_half_a_unit_stops_the_order(stage: Stage) -> None:
    books = await stage.books(RECEIPTS)
    await books.push(example_a(total=D("77.01"), tenders=(tender("77.01"),)))
    (receipt,) = await books.stands("sales_receipt 77.01")
    assert [one["code"] for one in receipt["notices"]] == ["ROUNDING_ADDED"]
    assert await books.balances() == A | {"UF": D("77.01"), "RND": D("-0.01")}
    await books.push(example_a(external_id="9002", number="1002", total=D("77.50"), tenders=(tender("77.50"),)))
    stopped = await books.order_becomes("warnings", "TOTALS_MISMATCH", "9002")
    assert "77.50" in stopped["reason"]["text"]
    assert await books.balances() == A | {"UF": D("77.01"), "RND": D("-0.01")}


GIFT = {"UF": D("50.00"), "GIFT": D("30.00"), "INC": D("-75.00"), "TAX": D("-5.00")}


@vector(28)
async def a_gift_card_is_a_line_on_receipts_and_a_payment_on_invoices(stage: Stage) -> None:
    receipts, invoices = await stage.books(RECEIPTS), await stage.books(INVOICES)
    await receipts.push(GIFT_ORDER)
    await receipts.stands("sales_receipt 50.00")
    assert await receipts.balances() == GIFT
    await invoices.push(GIFT_ORDER)
    await invoices.stands("invoice 80.00", "payment 30.00", "payment 50.00")
    assert await invoices.balances() == GIFT
    # QuickBooks takes only assets as deposit-to accounts: the card is a negative line on the invoice.
    lined = await stage.books(INVOICES, "quickbooks_online")
    await lined.push(GIFT_ORDER)
    await lined.stands("invoice 50.00", "payment 50.00")
    assert await lined.balances() == GIFT


@vector(29)
async def a_euro_gains_and_loses(stage: Stage) -> None:
    def sold(external_id: str, **changes: object) -> Order:
        values = {
            "external_id": external_id,
            "number": external_id,
            "currency": "EUR",
            "exchange_rate": D("1.10"),
            "lines": (line("l1", "LAMP", "100.00"),),
            "total": D("100.00"),
        }
        return order(**(values | changes))

    gain = await stage.books(INVOICES)
    await gain.publish(sold("g", financial_status=FinancialStatus.PENDING))
    await gain.stands("invoice 100.00")
    assert await gain.balances() == {"AR": D("110.00"), "INC": D("-110.00")}
    later = datetime(2026, 3, 9, tzinfo=UTC)
    paid = tender("100.00", currency="EUR", exchange_rate=D("1.12"), captured_at=later, captured_on=later.date())
    await gain.publish(sold("g", tenders=(paid,)))
    await gain.stands("invoice 100.00", "payment 100.00")
    (payment,) = [entry.sums for entry in await gain.entries() if entry.kind == "payment"]
    assert payment == {"UF": D("112.00"), "AR": D("-110.00"), "FX": D("-2.00")}
    loss = await stage.books(RECEIPTS, payouts={"enabled": True})
    await loss.publish(sold("l", tenders=(tender("100.00", "t9", currency="EUR"),)))
    await loss.stands("sales_receipt 100.00")
    charge = payout_line("charge", "100.00", "3.20", tender_external_id="t9")
    await loss.publish(payout("96.80", charge, currency="EUR", bank_currency="USD", exchange_rate=D("1.08")))
    await loss.stands("sales_receipt 100.00", "deposit 96.80")
    (deposit,) = [entry.sums for entry in await loss.entries() if entry.kind == "deposit"]
    assert deposit == {"BANK": D("104.54"), "FEES": D("3.46"), "FX": D("2.00"), "UF": D("-110.00")}
