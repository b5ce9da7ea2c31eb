"""Payouts through the service: they finish by themselves when the missing sale arrives."""

import asyncio
from datetime import UTC, datetime

from tests.integration.mapper.conftest import Service, settings_changed
from tests.unit.mapper.samples import D, company, connection
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


async def test_a_payout_that_is_written_keeps_its_mode_and_a_new_one_meets_earlier_receipts(mapper: Service) -> None:
    approved = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC))
    await mapper.configure(connection("sales_receipts", payouts={"enabled": True}), company=approved)
    await mapper.send(*SALES[:2])
    await mapper.send(payout("74.47", CHARGES[0]))
    first = await mapper.set_of("po_1")
    while first.outcome is not SetOutcome.MAPPED:
        first = await mapper.set_of("po_1", revision=first.revision + 1)
    await mapper.configure(connection("journal_entries", payouts={"enabled": True}), company=approved, revision=2)
    await mapper.send(SALES[2])
    await mapper.send(payout("160.10", *CHARGES[1:], external_id="po_2"))
    await mapper.set_of("id1003")
    await mapper.set_of("po_2")
    await mapper.settle()
    kept, second = mapper.sets["po_1"], mapper.sets["po_2"]
    assert kept.kept_mode == "sales_receipts"
    assert kept.documents == first.documents
    assert [one.kind for one in second.documents] == [DocumentKind.JOURNAL_ENTRY]
    assert trial_balance(list(second.documents)) == {
        "BANK": D("160.10"),
        "FEES": D("5.40"),
        "UF": D("-120.00"),
        "INC": D("-45.50"),
    }


async def test_a_settlement_waits_for_a_sale_that_was_written_and_is_held_now(mapper: Service) -> None:
    approved = company(approved_at=datetime(2026, 1, 2, tzinfo=UTC))
    await mapper.configure(connection("sales_receipts", payouts={"enabled": True}), company=approved)
    await mapper.send(SALES[1])
    await mapper.set_of("id1002")
    await mapper.configure(connection("journal_entries", payouts={"enabled": True}), company=approved, revision=2)
    foreign = SALES[1].tenders[0].model_copy(update={"currency": "EUR"})
    await mapper.send(SALES[1].model_copy(update={"tenders": (foreign,), "revision": 2}))
    held = await mapper.set_of("id1002", revision=2)
    assert held.outcome is SetOutcome.HELD
    await mapper.send(payout("116.22", CHARGES[1]))
    waiting = await mapper.set_of("po_1")
    assert waiting.reason is not None, "its receipt is in the ledger: booked here as well, it were income twice"
    assert waiting.reason.code == "PAYOUT_INCOMPLETE"
    await mapper.send(SALES[1].model_copy(update={"revision": 3}))
    done = await mapper.set_of("po_1", revision=waiting.revision + 1)
    assert trial_balance(list(done.documents)) == {"BANK": D("116.22"), "FEES": D("3.78"), "UF": D("-120.00")}


async def test_one_payout_is_deposited_by_hand_and_the_others_wait(mapper: Service) -> None:
    by_hand = connection("sales_receipts", payouts={"enabled": True, "automatic": False})
    await mapper.configure(by_hand)
    await mapper.send(*SALES[:2])
    await mapper.send(payout("74.47", CHARGES[0]), payout("116.22", CHARGES[1], external_id="po_2"))
    for one in ("po_1", "po_2"):
        await until_document(mapper, one, "WAITING_FOR_APPROVAL")
    async with mapper.http() as http:
        path = "/internal/connections/shop-1/payouts/{}/deposit"
        made = await http.post(path.format("po_1"), json={"tenant_id": "tenant"})
        assert made.status_code == 200, made.text
        assert [one["hold"] for one in made.json()["documents"]] == [None]
        unknown = await http.post(path.format("po_9"), json={"tenant_id": "tenant"})
        assert unknown.status_code == 404
    await until_document(mapper, "po_1", None)
    await mapper.configure(by_hand, revision=2)
    await mapper.settle()
    held = {name: [one.hold.code if one.hold else None for one in mapper.sets[name].documents] for name in mapper.sets}
    assert (held["po_1"], held["po_2"]) == ([None], ["WAITING_FOR_APPROVAL"]), "what was asked for is remembered"


async def until_document(mapper: Service, payout_id: str, hold: str | None) -> None:
    """Wait until a payout's deposit is held for this reason, or for none."""
    found = await mapper.set_of(payout_id)
    while [one.hold.code if one.hold else None for one in found.documents] != [hold]:
        found = await mapper.set_of(payout_id, revision=found.revision + 1)
