"""One writer a company: leases, replicas, pauses, failures of the ledger."""

import asyncio
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from common.messages.control import ResendRequested
from common.messages.documents import DocumentChanged
from common.messages.transactions import DocumentKind
from common.packs import Envelope, decode
from ledger_writer.ledgers.beancount.journal import Journal
from ledger_writer.store import lanes

D = Decimal


async def test_two_replicas_write_as_one(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.start()
    await desk.pair()
    await desk.configure()
    for start in range(0, 300, 50):
        await desk.send(*(make.receipt_set(str(number)) for number in range(start, start + 50)))
    await desk.settled(601, timeout_s=60)
    assert (await desk.balances())["Income:Sales"] == D(-7500)
    holders = await desk.pool.fetch("SELECT DISTINCT holder FROM lanes WHERE holder <> ''")
    assert len(holders) <= 1


async def test_a_lane_goes_to_another_replica_when_its_holder_stops(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.pair()
    await desk.configure()
    await desk.send(make.receipt_set("1"))
    await desk.settled(3)
    before = await desk.pool.fetchval("SELECT epoch FROM lanes")
    await desk.stop()
    assert await desk.pool.fetchval("SELECT holder FROM lanes") == ""
    await desk.start()
    await desk.send(make.receipt_set("2"))
    await desk.settled(5)
    assert await desk.pool.fetchval("SELECT epoch FROM lanes") > before


async def test_a_holder_that_was_fenced_off_records_nothing(open_desk: Any, make: Any) -> None:
    await open_desk.send(make.receipt_set("1"))
    await open_desk.settled(3)
    stale = await open_desk.pool.fetchrow(
        "UPDATE lanes SET epoch = epoch + 1 RETURNING company_id, holder, epoch - 1 AS old"
    )
    lease = lanes.Lease(stale["company_id"], make.TENANT, stale["holder"], stale["old"], None, {})
    assert not await lanes.renew(open_desk.pool, lease, 5.0)
    with pytest.raises(lanes.LeaseLost):
        await lanes.intend(open_desk.pool, lease, "[]", 5.0, 1, 1)
    async with open_desk.pool.acquire() as connection, connection.transaction():
        with pytest.raises(lanes.LeaseLost):
            await lanes.fence(connection, lease, None, {})
    await open_desk.send(make.receipt_set("2"))
    await open_desk.settled(5)


async def test_a_paused_lane_writes_nothing_until_it_is_resumed(open_desk: Any, make: Any) -> None:
    path = f"/internal/companies/{make.COMPANY}/lane"
    paused = await open_desk.call("POST", f"{path}/pause", {"tenant_id": make.TENANT})
    assert paused.json()["lane_paused"] is True
    await open_desk.send(make.receipt_set("1"))
    await open_desk.until("SELECT count(*) FROM documents", 3)
    await asyncio.sleep(0.5)
    assert await open_desk.pool.fetchval("SELECT count(*) FROM documents WHERE state = 'not_tried'") == 3
    view = (await open_desk.call("GET", f"/internal/companies/{make.COMPANY}?tenant_id={make.TENANT}")).json()
    assert (view["waiting"], view["lane_paused"]) == (3, True)
    await open_desk.call("POST", f"{path}/resume", {"tenant_id": make.TENANT})
    await open_desk.settled(3)


async def test_what_waits_in_a_queue_is_announced_as_not_tried(open_desk: Any, make: Any) -> None:
    await open_desk.call("POST", f"/internal/companies/{make.COMPANY}/lane/pause", {"tenant_id": make.TENANT})
    await open_desk.send(make.receipt_set("1"))
    async with open_desk.broker.consume("api.documents-changed", 10) as subscription, asyncio.timeout(20):
        delivery = await subscription.get()
        states = [one.state for one in decode(DocumentChanged, delivery.body) if isinstance(one, Envelope)]
    assert sorted((state.kind.value, state.state.value, state.revision) for state in states) == [
        ("customer", "not_tried", 1),
        ("item", "not_tried", 1),
        ("sales_receipt", "not_tried", 1),
    ]


async def test_a_document_that_cant_be_read_keeps_no_other_from_being_announced(open_desk: Any, make: Any) -> None:
    await open_desk.call("POST", f"/internal/companies/{make.COMPANY}/lane/pause", {"tenant_id": make.TENANT})
    await open_desk.send(make.receipt_set("1"))
    await open_desk.until("SELECT count(*) FROM documents", 3)
    await open_desk.pool.execute("UPDATE documents SET notices = '{' WHERE kind = 'sales_receipt'")
    async with open_desk.broker.consume("api.documents-changed", 10) as subscription, asyncio.timeout(20):
        delivery = await subscription.get()
        states = [one.state for one in decode(DocumentChanged, delivery.body) if isinstance(one, Envelope)]
    assert sorted(state.kind.value for state in states) == ["customer", "item"]


async def test_a_company_paused_by_its_settings_waits_too(open_desk: Any, make: Any) -> None:
    await open_desk.configure(paused=True)
    await open_desk.send(make.receipt_set("1"))
    await open_desk.until("SELECT count(*) FROM documents", 3)
    await asyncio.sleep(0.5)
    assert await open_desk.pool.fetchval("SELECT count(*) FROM documents WHERE state = 'not_tried'") == 3
    await open_desk.configure(paused=False)
    await open_desk.settled(3)


@contextmanager
def full_disk(bytes_max: int) -> Iterator[None]:
    """No file of this process grows beyond the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


async def test_a_ledger_that_fails_for_now_is_tried_later_and_at_once_by_a_resend(open_desk: Any, make: Any) -> None:
    with full_disk(400):
        await open_desk.send(make.receipt_set("1"))
        receipt = make.key_of("1", DocumentKind.SALES_RECEIPT)
        await open_desk.until_state(receipt, "retry_wait", "LEDGER_UNAVAILABLE")
    wait_s = await open_desk.pool.fetchval(
        "SELECT extract(epoch FROM next_attempt_at - now())::int FROM documents WHERE document_key = $1", receipt
    )
    assert 40 <= wait_s <= 60
    await open_desk.send(
        ResendRequested(
            tenant_id=make.TENANT,
            revision=1,
            resend_id="res_1",
            company_id=make.COMPANY,
            document_keys=(receipt,),
            cascade=True,
        )
    )
    await open_desk.settled(3)
    view = (await open_desk.call("GET", f"/internal/documents/{receipt}?tenant_id={make.TENANT}")).json()
    assert [attempt["outcome"] for attempt in view["attempts"]] == ["refused", "created"]
    assert view["attempts"][0]["reason"]["code"] == "LEDGER_UNAVAILABLE"
    question = {"tenant_id": make.TENANT, "document_keys": [receipt]}
    answer = (await open_desk.call("POST", "/internal/attempts", question)).json()
    assert (len(answer["attempts"][receipt]), answer["said"]) == (2, {})
    await open_desk.pool.execute("UPDATE documents SET raw = 'no room' WHERE document_key = $1", receipt)
    answer = (await open_desk.call("POST", "/internal/attempts", question)).json()
    assert answer["said"] == {receipt: "no room"}


async def test_a_locked_journal_is_waited_for(open_desk: Any, make: Any) -> None:
    await open_desk.stop()
    other = await asyncio.to_thread(Journal, open_desk.folder, {})
    await open_desk.start()
    await open_desk.send(make.receipt_set("1"))
    await open_desk.until("SELECT count(*) FROM documents", 3)
    await asyncio.sleep(0.5)
    assert "document-key" not in open_desk.journal()
    await asyncio.to_thread(other.close)
    await open_desk.settled(3)


async def test_a_document_that_a_bug_cannot_get_past_does_not_keep_the_others_back(open_desk: Any, make: Any) -> None:
    path = f"/internal/companies/{make.COMPANY}/lane"
    await open_desk.call("POST", f"{path}/pause", {"tenant_id": make.TENANT})
    await open_desk.send(*(make.receipt_set(str(number)) for number in range(4)))
    await open_desk.until("SELECT count(*) FROM documents", 9)
    broken = make.key_of("2", DocumentKind.SALES_RECEIPT)
    await open_desk.pool.execute("UPDATE documents SET wanted = '{}' WHERE document_key = $1", broken)
    await open_desk.call("POST", f"{path}/resume", {"tenant_id": make.TENANT})
    await open_desk.settled(8, timeout_s=60)
    assert await open_desk.state_of(broken) == ("action_required", "PRODUCT_FAULT")


async def test_a_bug_with_a_document_that_waits_for_a_retry_is_not_blamed_on_another(open_desk: Any, make: Any) -> None:
    path = f"/internal/companies/{make.COMPANY}/lane"
    await open_desk.call("POST", f"{path}/pause", {"tenant_id": make.TENANT})
    await open_desk.send(*(make.receipt_set(str(number)) for number in range(4)))
    await open_desk.until("SELECT count(*) FROM documents", 9)
    broken = make.key_of("2", DocumentKind.SALES_RECEIPT)
    await open_desk.pool.execute(
        "UPDATE documents SET wanted = '{}', state = 'retry_wait', next_attempt_at = now() WHERE document_key = $1",
        broken,
    )
    await open_desk.call("POST", f"{path}/resume", {"tenant_id": make.TENANT})
    await open_desk.settled(8, timeout_s=60)
    assert await open_desk.state_of(broken) == ("action_required", "PRODUCT_FAULT")


async def test_a_bug_in_the_look_up_of_what_a_dead_holder_sent_holds_up_that_document_only(
    open_desk: Any, make: Any
) -> None:
    path = f"/internal/companies/{make.COMPANY}/lane"
    await open_desk.call("POST", f"{path}/pause", {"tenant_id": make.TENANT})
    await open_desk.send(*(make.receipt_set(str(number)) for number in range(4)))
    await open_desk.until("SELECT count(*) FROM documents", 9)
    broken = make.key_of("2", DocumentKind.SALES_RECEIPT)
    await open_desk.pool.execute("UPDATE documents SET wanted = '{}' WHERE document_key = $1", broken)
    await open_desk.pool.execute(
        "UPDATE lanes SET intents = (SELECT jsonb_agg(jsonb_build_object("
        "'k', document_key, 'o', 'create', 'g', generation, 'h', content_hash)) FROM documents)"
    )
    await open_desk.call("POST", f"{path}/resume", {"tenant_id": make.TENANT})
    await open_desk.settled(8, timeout_s=60)
    assert await open_desk.state_of(broken) == ("action_required", "PRODUCT_FAULT")
    await open_desk.until("SELECT count(*) FROM lanes WHERE intents IS NOT NULL", 0)


@pytest.mark.slow
async def test_ten_thousand_documents_twice_are_one_set(open_desk: Any, make: Any) -> None:
    sets = [make.receipt_set(str(number), "1.00") for number in range(5_000)]
    await open_desk.send(*sets)
    await open_desk.send(*sets, backfill=True)
    await open_desk.settled(10_001, timeout_s=280)
    await open_desk.send(*sets[:500])
    await open_desk.send(make.receipt_set("last", "1.00"))
    await open_desk.settled(10_003, timeout_s=60)
    assert (await open_desk.balances())["Income:Sales"] == D(-5_001)
    keys = open_desk.posting_keys()
    assert len(keys) == len(set(keys)) == 10_003
