"""A bug that comes true: rows the mapper can't read cost what they are about, and nobody else anything."""

import asyncio
from typing import Any

from tests.integration.mapper.conftest import Service, company_changed, numbered, settings_changed
from tests.unit.mapper.samples import company, connection
from tests.unit.mapper.test_payouts import CHARGES, SALES, payout
from tests.unit.mapper.test_summaries import O1, O2

from common.messages.base import State
from common.messages.control import ResendRequested, StateRequested
from common.messages.orders import Order
from common.messages.transactions import SetOutcome, TransactionSet

SOUND, POISON = '"mode":"sales_receipts"', '"mode":"no_such_mode"'
WRITE_SETTINGS = """
UPDATE settings SET body = replace(body, $1, $2), revision = revision + 1
WHERE tenant_id = 'early' AND scope = 'connection'
"""
NOBODY_WAITS = "SELECT count(*) FROM orders WHERE dirty_since IS NOT NULL"
TRY_AGAIN = "UPDATE set_aside SET retry_at = now()"


async def configured(mapper: Service, tenant_id: str, revision: int = 1, **changes: Any) -> None:
    states: list[State] = [settings_changed(company=company(), revision=revision)] if revision == 1 else []
    states.append(settings_changed(connection=connection("sales_receipts", **changes), revision=revision))
    if revision == 1:
        await mapper.send(company_changed().model_copy(update={"tenant_id": tenant_id}))
    await mapper.send(*(one.model_copy(update={"tenant_id": tenant_id}) for one in states))
    count = "SELECT count(*) FROM settings WHERE tenant_id = $1 AND revision >= $2"
    await mapper.until_row(count, tenant_id, revision, wanted=len(states))


async def held(mapper: Service, source_id: str, *, revision: int) -> TransactionSet:
    found = await mapper.set_of(source_id, revision=revision)
    assert found.outcome is SetOutcome.HELD
    assert found.reason is not None
    assert found.reason.code == "PRODUCT_FAULT"
    return found


async def test_a_tenant_whose_settings_cant_be_read_holds_up_its_own_orders_only(mapper: Service) -> None:
    pool = mapper.runtime.pool
    for tenant_id, ids in (("early", ["p1", "p2"]), ("late", ["s1", "s2"])):
        await configured(mapper, tenant_id)
        await mapper.send(*(one.model_copy(update={"tenant_id": tenant_id}) for one in numbered(ids)))
    for one in ("p1", "p2", "s1", "s2"):
        assert (await mapper.set_of(one)).outcome is SetOutcome.MAPPED
    written = {one: mapper.sets[one].documents for one in ("p1", "p2")}
    await pool.execute(WRITE_SETTINGS, SOUND, POISON)
    await pool.execute("UPDATE orders SET dirty_since = now() WHERE tenant_id = 'early'")
    await configured(mapper, "late", revision=2, payment_methods={"card": "Visa"})
    for one in ("s1", "s2"):
        assert (await mapper.set_of(one, revision=2)).documents[0].payment_method == "Visa"
    for one in ("p1", "p2"):
        assert (await held(mapper, one, revision=2)).documents == written[one], "what was decided on last stays"
    await mapper.until_row(NOBODY_WAITS, wanted=0)
    rows = await pool.fetch("SELECT error, frame, retry_at > now() + interval '50 minutes' AS later FROM set_aside")
    assert {tuple(row) for row in rows} == {("ValidationError", "store/configurations.py:_configuration", True)}
    asked: dict[str, Any] = {"tenant_id": "early", "revision": 1, "company_id": "books-1"}
    await mapper.send(ResendRequested(**asked, resend_id="r1", order_keys=("shop-1/p1",)))
    async with asyncio.timeout(20):
        while [one.source_id for one in mapper.versions if one.revision == 2].count("p1") < 2:
            await asyncio.sleep(0.02)
    assert (await held(mapper, "p1", revision=2)).documents == written["p1"], (
        "who asked hears that it is held as before"
    )
    await mapper.until_row(NOBODY_WAITS, wanted=0)

    await pool.execute(WRITE_SETTINGS, POISON, SOUND)
    await pool.execute(TRY_AGAIN)
    for one in ("p1", "p2"):
        mended = await mapper.set_of(one, revision=3)
        assert (mended.outcome, mended.reason, mended.documents) == (SetOutcome.MAPPED, None, written[one])
    assert await pool.fetchval("SELECT count(*) FROM set_aside") == 0


async def test_orders_payouts_and_summaries_that_cant_be_read_stand_aside_for_the_others(mapper: Service) -> None:
    """Also an order that has no set yet: it is out of the way, and in the log."""
    pool = mapper.runtime.pool
    await mapper.configure(connection("sales_receipts", payouts={"enabled": True}))
    await mapper.send(*SALES)
    await mapper.send(payout("74.47", CHARGES[0]), payout("74.47", CHARGES[0], external_id="po_2"))
    for one in (*(sale.external_id for sale in SALES), "po_1", "po_2"):
        await mapper.set_of(one)
    await mapper.settle()
    before = dict(mapper.sets)
    sound, broken = SALES[1].external_id, SALES[0].external_id
    await pool.execute("UPDATE orders SET body = '{' || body WHERE external_id = $1", broken)
    await pool.execute("UPDATE payouts SET body = '{' || body WHERE external_id = 'po_1'")
    changed = connection("sales_receipts", payouts={"enabled": True}, payment_methods={"card": "Visa"})
    await mapper.send(settings_changed(connection=changed, revision=2))
    assert (await mapper.set_of(sound, revision=before[sound].revision + 1)).outcome is SetOutcome.MAPPED
    await held(mapper, broken, revision=before[broken].revision + 1)
    await held(mapper, "po_1", revision=before["po_1"].revision + 1)
    await mapper.until_row(NOBODY_WAITS, wanted=0)
    await mapper.until_row("SELECT count(*) FROM payouts WHERE dirty_since IS NOT NULL", wanted=0)
    kinds = await pool.fetch("SELECT kind, source_id FROM set_aside ORDER BY kind")
    assert [tuple(row) for row in kinds if row["kind"] == "order"] == [("order", broken)]
    assert ("payout", "po_1") in [tuple(row) for row in kinds]
    await pool.execute("DELETE FROM sets WHERE source_id = $1", broken)
    await pool.execute(TRY_AGAIN)
    await mapper.until_row("SELECT count(*) FROM set_aside WHERE retry_at > now() AND source_id = $1", broken, wanted=1)
    assert await pool.fetchval("SELECT count(*) FROM sets WHERE source_id = $1", broken) == 0


async def test_a_summary_that_cant_be_made_is_made_when_that_is_mended(mapper: Service) -> None:
    pool = mapper.runtime.pool
    await mapper.configure(connection("summary_sales_receipt"))
    await mapper.send(O1, O2)
    await mapper.until_row("SELECT count(*) FROM summary_members", wanted=2)
    summary_id = await pool.fetchval("SELECT summary_id FROM summaries")
    await mapper.set_of(summary_id)
    await mapper.settle()
    made = mapper.sets[summary_id]
    await pool.execute("UPDATE orders SET body = '{' || body WHERE external_id = 'o1'")
    await pool.execute("UPDATE summaries SET dirty_since = now()")
    found = await held(mapper, summary_id, revision=made.revision + 1)
    await mapper.until_row("SELECT count(*) FROM set_aside WHERE kind = 'summary'", wanted=1)
    await pool.execute("UPDATE orders SET body = substr(body, 2) WHERE external_id = 'o1'")
    await pool.execute(TRY_AGAIN)
    mended = await mapper.set_of(summary_id, revision=found.revision + 1)
    assert (mended.outcome, mended.reason) == (SetOutcome.MAPPED, None)


async def test_a_rebuild_leaves_out_what_cant_be_read_and_the_next_one_has_its_turn(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts"))
    orders: list[Order] = numbered(["1", "2", "3"])
    await mapper.send(*orders)
    for order in orders:
        await mapper.set_of(order.external_id)
    mapper.versions.clear()
    await mapper.runtime.pool.execute("UPDATE sets SET body = '{' || body WHERE source_id = '2'")
    for request_id in ("q1", "q2"):
        await mapper.send(
            StateRequested(tenant_id="tenant", revision=1, request_id=request_id, entity=TransactionSet.type)
        )
    await mapper.until_row("SELECT count(*) FROM replays", wanted=0)
    await mapper.until_row("SELECT count(*) FROM outbox WHERE published_at IS NULL", wanted=0)
    await mapper.set_of("3")
    assert {one.source_id for one in mapper.versions} <= {"1", "3"}
