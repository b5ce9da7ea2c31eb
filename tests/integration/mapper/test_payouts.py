"""Payouts through the service: they finish by themselves when the missing sale arrives."""

import asyncio

from tests.integration.mapper.conftest import Service, settings_changed
from tests.unit.mapper.samples import D, connection
from tests.unit.mapper.test_payouts import CHARGES, REFUND, SALES, payout

from common.messages.transactions import DocumentKind, SetOutcome


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
