"""Payouts through the service: they finish by themselves when the missing sale arrives."""

import asyncio

from tests.integration.mapper.conftest import Service, settings_changed
from tests.unit.mapper.samples import D, connection
from tests.unit.mapper.test_payouts import CHARGES, REFUND, SALES, payout, payout_line

from common.messages.transactions import DocumentKind, SetOutcome
from mapper.mapping.postings import trial_balance


async def test_an_incomplete_payout_finishes_when_the_missing_sale_arrives(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts", payouts={"enabled": True}))
    await mapper.send(SALES[0], SALES[2])
    await mapper.send(payout("209.91", *CHARGES, REFUND))
    waiting = await mapper.set_of("po_1")
    while waiting.reason is None or "1001" in waiting.reason.text:
        waiting = await mapper.set_of("po_1", revision=waiting.revision + 1)
    assert waiting.outcome is SetOutcome.HELD
    assert waiting.reason.code == "PAYOUT_INCOMPLETE"
    await mapper.send(SALES[1])
    done = await mapper.set_of("po_1", revision=waiting.revision + 1)
    assert done.outcome is SetOutcome.MAPPED
    assert [one.kind for one in done.documents] == [DocumentKind.DEPOSIT]
    assert done.documents[0].total == D("209.91")
    await mapper.send(payout("209.91", *CHARGES, REFUND))
    await mapper.send(settings_changed(connection=connection("sales_receipts", payouts={"enabled": True}), revision=2))
    await mapper.until_row("SELECT count(*) FROM payouts WHERE dirty_since IS NOT NULL", wanted=0)
    await asyncio.sleep(0.5)
    assert mapper.sets["po_1"].revision == done.revision, "the same payout twice is one deposit"


async def test_a_sale_goes_to_the_bank_once_and_is_found_by_its_amount_where_nothing_names_it(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts", payouts={"enabled": True}))
    day = SALES[1].ordered_on
    unnamed = payout_line("charge", "120.00", "3.78", reference="ch_9", occurred_on=day)
    await mapper.send(payout("116.22", unnamed))
    waiting = await mapper.set_of("po_1")
    assert waiting.reason is not None
    assert waiting.reason.code == "PAYOUT_INCOMPLETE"
    await mapper.send(SALES[1])
    done = await mapper.set_of("po_1", revision=waiting.revision + 1)
    assert [one.total for one in done.documents] == [D("116.22")]
    again = payout_line("charge", "120.00", order_number="1002", occurred_on=day)
    await mapper.send(payout("120.00", again, external_id="po_2"))
    held = await mapper.set_of("po_2")
    assert held.reason is not None
    assert "1002 (in the deposit of payout po_1 already)" in held.reason.text


async def test_a_settlement_is_booked_again_when_its_order_arrives(mapper: Service) -> None:
    await mapper.configure(connection("journal_entries", payouts={"enabled": True}))
    await mapper.send(payout("74.47", CHARGES[0]))
    whole = await mapper.set_of("po_1")
    assert [one.code for one in whole.documents[0].notices] == ["SETTLED_ORDER_UNKNOWN"]
    await mapper.send(SALES[0])
    known = await mapper.set_of("po_1", revision=whole.revision + 1)
    assert trial_balance(list(known.documents))["TAX"] == D("-4.06")
