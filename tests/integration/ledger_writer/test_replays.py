"""Somebody rebuilds a mirror: everything owned is published again, in pages that survive a restart."""

import asyncio
from typing import Any

from common.messages.base import State
from common.messages.control import StateRequested
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.transactions import DocumentKind
from common.packs import Envelope, decode
from common.runtime import Runtime, running
from ledger_writer.handlers import state_requested
from ledger_writer.replaying import replay_page

COMPANIES = """
INSERT INTO companies (company_id, tenant_id, ledger, name, status)
SELECT 'com_' || n, $1, 'beancount', 'Books', 'connected' FROM generate_series(1, $2::int) AS n
"""
SENT = "SELECT entity_key FROM outbox WHERE type = $1 AND correlation_id = $2 ORDER BY id"


def request(make: Any, request_id: str, contract: type[State], tenant_id: str | None = None) -> StateRequested:
    return StateRequested(tenant_id=tenant_id or make.TENANT, revision=1, request_id=request_id, entity=contract.type)


async def remember(runtime: Runtime, asked: StateRequested) -> None:
    """What the consumer does with the message."""
    async with runtime.transaction() as (connection, batch):
        await state_requested.HANDLER.load(connection, [asked])
        state_requested.HANDLER.handle(asked, None, batch)


async def sent(runtime: Runtime, request_id: str) -> list[str]:
    return [row["entity_key"] for row in await runtime.pool.fetch(SENT, CompanyChanged.type, request_id)]


async def test_a_request_is_answered_a_page_a_transaction_and_a_restart_goes_on_where_it_was(
    desk: Any, make: Any
) -> None:
    await desk.pool.execute(COMPANIES, make.TENANT, 5)
    await desk.pool.execute(COMPANIES.replace("'com_'", "'other_'"), "another tenant", 1)
    asked = request(make, "r", CompanyChanged)
    async with running("ledger-writer", desk.settings) as runtime:
        await remember(runtime, asked)
        assert await sent(runtime, "r") == []
        assert await replay_page(runtime, 2)
        assert await sent(runtime, "r") == ["com_1", "com_2"]
    async with running("ledger-writer", desk.settings) as runtime:
        await remember(runtime, asked)
        while await replay_page(runtime, 2):
            pass
        everything = [f"com_{number}" for number in range(1, 6)]
        assert await sent(runtime, "r") == everything
        # The same request once more, as a broker may deliver it: it was answered.
        await remember(runtime, asked)
        assert not await replay_page(runtime, 2)
        assert await sent(runtime, "r") == everything


async def test_two_replicas_answer_two_requests_at_once(desk: Any, make: Any) -> None:
    await desk.pool.execute(COMPANIES, make.TENANT, 3)
    async with running("ledger-writer", desk.settings) as runtime:
        for request_id in ("a", "b"):
            await remember(runtime, request(make, request_id, CompanyChanged))
        async with runtime.pool.acquire() as other, other.transaction():
            await other.execute("SELECT FROM replays WHERE request_id = 'a' FOR UPDATE")
            while await replay_page(runtime, 2):
                pass
            assert (len(await sent(runtime, "a")), len(await sent(runtime, "b"))) == (0, 3)
        while await replay_page(runtime, 2):
            pass
        assert len(await sent(runtime, "a")) == 3


async def test_what_cant_be_read_is_left_out_of_a_rebuild_and_the_next_one_has_its_turn(desk: Any, make: Any) -> None:
    await desk.start()
    await desk.send(make.receipt_set("1"), make.receipt_set("2"))
    await desk.until("SELECT count(*) FROM documents WHERE revision > 0", 5)
    await desk.pool.execute(COMPANIES, make.TENANT, 3)
    broken = make.key_of("1", DocumentKind.SALES_RECEIPT)
    await desk.pool.execute("UPDATE documents SET notices = '{' WHERE document_key = $1", broken)
    await desk.pool.execute("UPDATE companies SET ledger = 'abacus' WHERE company_id = 'com_2'")
    await desk.pool.execute(
        "INSERT INTO catalog (company_id, list_name, ledger_id, tenant_id, full_name, searchable, body, content_hash,"
        " revision) SELECT 'com_1', 'accounts', n, $1, n, n, '{', '', 1 FROM unnest('{a,b}'::text[]) AS n",
        make.TENANT,
    )
    await desk.pool.execute("UPDATE outbox SET published_at = now()")
    async with desk.broker.consume("api.documents-changed", 100) as subscription, asyncio.timeout(30):
        for contract in (DocumentChanged, CatalogEntry, CompanyChanged):
            await desk.send(request(make, contract.type, contract))
            await desk.until("SELECT count(*) FROM replays WHERE finished AND request_id = $1", 1, contract.type)
        heard: dict[str, str] = {}
        while len(heard) < 4:
            delivery = await subscription.get()
            for one in decode(DocumentChanged, delivery.body):
                assert isinstance(one, Envelope)
                if one.correlation_id == DocumentChanged.type:
                    heard[one.state.document_key] = one.state.kind.value
            await subscription.acknowledge([delivery])
    assert broken not in heard
    assert sorted(heard.values()) == ["customer", "customer", "item", "sales_receipt"]
    found = await desk.pool.fetch(SENT, CompanyChanged.type, CompanyChanged.type)
    assert [row["entity_key"] for row in found] == ["com_1", "com_3"]
    assert not await desk.pool.fetch(SENT, CatalogEntry.type, CatalogEntry.type)
