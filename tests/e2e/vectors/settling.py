"""Vectors 18 to 25: payouts, settlements, summaries."""

from datetime import date
from decimal import Decimal

from tests.e2e.books import Books, Stage
from tests.e2e.vectors.registry import vector
from tests.e2e.vectors.sales import RECEIPTS
from tests.unit.mapper.samples import D
from tests.unit.mapper.test_payouts import (
    BY_DESCRIPTION,
    CHARGES,
    MARKETPLACE,
    NEGATIVE,
    OLD,
    REFUND,
    SALE_1001,
    SALES,
    payout,
    payout_line,
    sale,
)
from tests.unit.mapper.test_summaries import O1, O2, O3

SOLD = ("sales_receipt 77.00", "sales_receipt 120.00", "sales_receipt 45.50")
B = {"BANK": D("209.91"), "FEES": D("7.93"), "UF": D("-217.84")}
PAYOUTS = {"enabled": True}


async def deposit_of(books: Books) -> dict[str, Decimal]:
    (deposit,) = [dict(entry.sums) for entry in await books.entries() if entry.kind.lower() == "deposit"]
    return deposit


@vector(18)
async def payout_b_is_a_deposit_to_the_cent(stage: Stage) -> None:
    for ledger in ("beancount", "quickbooks_online"):
        books = await stage.books(RECEIPTS, ledger, payouts=PAYOUTS)
        await books.publish(*SALES)
        await books.publish(payout("209.91", *CHARGES, REFUND))
        await books.stands(*SOLD, "refund_receipt 24.66", "deposit 209.91")
        assert await deposit_of(books) == B
        after = await books.balances()
        assert "UF" not in after
        assert after["BANK"] == D("209.91")


@vector(19)
async def a_payout_with_a_missing_order_names_it_and_finishes_when_it_is_there(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, payouts=PAYOUTS)
    await books.publish(SALES[0], SALES[2])
    await books.publish(payout("209.91", *CHARGES, REFUND))
    waiting = await books.settlement("po_1", "PAYOUT_INCOMPLETE")
    assert "1002 (not received)" in waiting["text"]
    await books.stands("sales_receipt 77.00", "sales_receipt 45.50", "refund_receipt 24.66")
    await books.publish(SALES[1])
    await books.stands(*SOLD, "refund_receipt 24.66", "deposit 209.91")
    assert await deposit_of(books) == B


@vector(20)
async def payout_c_is_a_deposit_of_zero(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, payouts=PAYOUTS)
    await books.publish(sale("1004", "30.00"), OLD)
    await books.publish(payout("-56.17", *NEGATIVE))
    await books.stands("sales_receipt 30.00", "sales_receipt 85.00", "refund_receipt 85.00", "deposit 0.00")
    assert await deposit_of(books) == {"UF": D("55.00"), "FEES": D("1.17"), "SHORT": D("-56.17")}


@vector(21)
async def payout_d_has_a_chargeback_and_its_fee(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, payouts=PAYOUTS)
    await books.publish(SALE_1001.model_copy(update={"refunds": ()}), *SALES[1:])
    back = (payout_line("chargeback", "-45.50"), payout_line("dispute_fee", "-15.00"))
    await books.publish(payout("174.07", *CHARGES, *back))
    await books.stands(*SOLD, "deposit 174.07")
    assert await deposit_of(books) == {
        "BANK": D("174.07"),
        "FEES": D("22.93"),
        "CHB": D("45.50"),
        "UF": D("-242.50"),
    }
    won = payout("45.50", payout_line("chargeback_reversal", "45.50"), external_id="po_2")
    await books.publish(won)
    await books.stands(*SOLD, "deposit 174.07", "deposit 45.50")
    assert "CHB" not in await books.balances()


@vector(22)
async def the_same_payout_twice_is_one_deposit(stage: Stage) -> None:
    books = await stage.books(RECEIPTS, payouts=PAYOUTS)
    await books.publish(*SALES)
    await books.publish(payout("209.91", *CHARGES, REFUND))
    await books.stands(*SOLD, "refund_receipt 24.66", "deposit 209.91")
    await books.publish(payout("209.91", *CHARGES, REFUND))
    await books.stands(*SOLD, "refund_receipt 24.66", "deposit 209.91")
    assert await deposit_of(books) == B


@vector(23)
async def a_settlement_across_a_month_end_carries_forward(stage: Stage) -> None:
    books = await stage.books("journal_entries", payouts=PAYOUTS)
    await books.publish(
        payout(
            "700.00",
            payout_line("charge", "410.25", occurred_on=date(2026, 7, 30)),
            payout_line("charge", "289.75", occurred_on=date(2026, 8, 2)),
            paid_on=date(2026, 8, 5),
        )
    )
    await books.stands("journal_entry 410.25", "journal_entry 700.00")
    july, august = sorted(await books.entries(), key=lambda entry: entry.on)
    assert july.on.month == 7
    assert july.sums == {"CFWD": D("410.25"), "INC": D("-410.25")}
    assert august.sums == {"BANK": D("700.00"), "INC": D("-289.75"), "CFWD": D("-410.25")}


@vector(24)
async def the_marketplace_settlement_comes_to_its_net(stage: Stage) -> None:
    books = await stage.books("journal_entries", payouts={"enabled": True, "adjustments": BY_DESCRIPTION})
    await books.publish(payout("565.00", *MARKETPLACE))
    await books.stands("journal_entry 1172.50")
    assert await books.balances() == {
        "BANK": D("565.00"),
        "DISC": D("20.00"),
        "FEES": D("345.00"),
        "REFC": D("80.00"),
        "RSV": D("40.00"),
        "INC": D("-1000.00"),
        "SHIP": D("-50.00"),
    }


@vector(25)
async def a_day_is_one_receipt_and_the_same_again(stage: Stage) -> None:
    books = await stage.books("summary_sales_receipt")
    await books.publish(O1, O2, O3)
    (receipt,) = await books.stands("sales_receipt 128.92")
    wanted = {
        "UF": D("128.92"),
        "INC": D("-114.98"),
        "SHIP": D("-10.00"),
        "TAX": D("-5.94"),
        "DISC": D("2.00"),
    }
    assert await books.balances() == wanted
    await books.publish(O3, O1, O2)
    (again,) = await books.stands("sales_receipt 128.92")
    assert again["document_key"] == receipt["document_key"]
    assert await books.balances() == wanted
    for ledger in ("beancount", "quickbooks_online"):
        journal = await stage.books("summary_journal_entry", ledger)
        await journal.publish(O1, O2, O3)
        await journal.stands("journal_entry 130.92")
        assert await journal.balances() == wanted
