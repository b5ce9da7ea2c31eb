"""The consume loop on a real broker and a real database: once, and one bad state costs only itself."""

import asyncio

import orjson
import pytest
from tests.integration.common.conftest import SmallService, listed, product

from common.batch import Batch
from common.broker import Outgoing
from common.messages.orders import Product
from common.outbox import insert, mark_for_republish
from common.packs import decode
from common.recovery import HEADER_ATTEMPT, HEADER_ERROR_TYPE, HEADER_FRAME, HEADER_QUEUE
from common.topology import EXCHANGE

KILL_WAITING = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE relation = 'things'::regclass AND NOT granted
"""


async def test_a_pack_becomes_rows_and_outgoing_states_once(small_service: SmallService) -> None:
    small_service.start()
    await small_service.send(*(product(n) for n in range(50)))
    await small_service.send(*(product(n) for n in range(50)))
    await small_service.until({str(n): "Bowl" for n in range(50)})
    states = await small_service.listed(50)
    assert {state.source_id for state in states} == {str(n) for n in range(50)}


async def test_an_older_revision_never_overwrites_a_newer_one(small_service: SmallService) -> None:
    await small_service.send(product(1, revision=2, name="new"))
    await small_service.send(product(1, revision=1, name="old"), product(2))
    small_service.start()
    await small_service.until({"1": "new", "2": "Bowl"})
    await small_service.send(product(1, revision=1, name="old"), product(3))
    await small_service.until({"1": "new", "2": "Bowl", "3": "Bowl"})


@pytest.mark.parametrize("kind", ["bug", "refused", "poison", "misfit"])
async def test_one_bad_state_is_parked_alone_and_the_rest_of_its_pack_lands(
    small_service: SmallService, kind: str
) -> None:
    small_service.start()
    await small_service.send(product(1), product(2, name=kind), product(3))
    await small_service.until({"1": "Bowl", "3": "Bowl"})
    ((headers, body),) = await small_service.drain("mapper.dead", 1)
    members = decode(Product, body)
    assert len(members) == 1
    assert orjson.loads(body)["states"][0]["s"]["external_id"] == "2"
    assert headers[HEADER_QUEUE] == "mapper.product-normalized"
    errors = {"bug": "ZeroDivisionError", "refused": "Rejected", "poison": "DivisionByZeroError", "misfit": "DataError"}
    expected = errors[kind]
    assert headers[HEADER_ERROR_TYPE] == expected
    assert headers[HEADER_FRAME]
    assert {state.source_id for state in await small_service.listed(2)} == {"1", "3"}


async def test_a_retryable_state_waits_and_comes_back_counted(small_service: SmallService) -> None:
    small_service.start()
    await small_service.send(product(1), product(2, name="later"))
    await small_service.until({"1": "Bowl"})
    ((headers, _),) = await small_service.drain("delay.10s", 1)
    assert headers[HEADER_ATTEMPT] == 2


async def test_a_body_that_is_no_pack_is_parked_as_it_came(small_service: SmallService) -> None:
    small_service.start()
    await small_service.broker.publish([Outgoing(EXCHANGE, Product.type, Product.type, b"not json")])
    await small_service.send(product(1))
    await small_service.until({"1": "Bowl"})
    ((headers, body),) = await small_service.drain("mapper.dead", 1)
    assert body == b"not json"
    assert headers[HEADER_ERROR_TYPE] == "InvalidMessage"


async def test_what_a_crash_left_in_the_outbox_is_swept_once(small_service: SmallService) -> None:
    async with small_service.pool.acquire() as connection, connection.transaction():
        batch = Batch(correlation_id="cor-1")
        for number in range(30):
            batch.publish(product(number))
            batch.publish(listed(product(number)))
        await batch.flush(connection)
    # What only the read model takes in shares a row.
    assert await small_service.outbox.sweep(min_age_s=0) == 31
    assert await small_service.outbox.sweep(min_age_s=0) == 0
    assert len(await small_service.products(30)) == 30
    assert len(await small_service.listed(30)) == 30


async def test_unpublished_states_of_one_entity_become_one_row_with_the_newest_content(
    small_service: SmallService,
) -> None:
    for revision in (1, 3, 2):
        async with small_service.pool.acquire() as connection, connection.transaction():
            batch = Batch()
            batch.publish(product(1, revision=revision))
            await batch.flush(connection)
    assert await small_service.pool.fetchval("SELECT count(*) FROM outbox") == 1
    await small_service.outbox.sweep(min_age_s=0)
    (state,) = await small_service.products(1)
    assert state.revision == 3


async def test_republish_sends_the_newest_revision_of_what_was_published_before(small_service: SmallService) -> None:
    started = await small_service.pool.fetchval("SELECT now()")
    for revision in (1, 2):
        async with small_service.pool.acquire() as connection, connection.transaction():
            batch = Batch()
            batch.publish(product(1, revision=revision))
            stored = await batch.flush(connection)
        await small_service.outbox.publish(stored)
    await small_service.products(2)
    assert await mark_for_republish(small_service.pool, started) == 1
    await small_service.outbox.sweep(min_age_s=0)
    (state,) = await small_service.products(1)
    assert state.revision == 2


async def test_a_lost_connection_to_the_broker_loses_and_repeats_nothing(small_service: SmallService) -> None:
    small_service.start()
    await small_service.send(*(product(n) for n in range(10)))
    await small_service.until({str(n): "Bowl" for n in range(10)})
    for connection in list(small_service.broker._connections.values()):
        await connection.close()
    await small_service.send(*(product(n) for n in range(10, 20)))
    await small_service.until({str(n): "Bowl" for n in range(20)})
    assert len(await small_service.listed(20)) == 20


async def test_a_lost_database_pauses_and_counts_as_nobodys_attempt(small_service: SmallService) -> None:
    small_service.start()
    await small_service.send(product(1))
    await small_service.until({"1": "Bowl"})
    killed = 0
    async with small_service.pool.acquire() as holder, holder.transaction():
        await holder.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
        await small_service.send(*(product(n) for n in range(2, 12)))
        async with asyncio.timeout(15):
            # The batch is under way and waits for us: its connection goes away in the middle of it.
            while not killed:
                killed = await holder.fetchval(KILL_WAITING)
                await asyncio.sleep(0.02)
    await small_service.until({str(n): "Bowl" for n in range(1, 12)})
    with pytest.raises(TimeoutError):
        await small_service.drain("mapper.dead", 1, timeout_s=0.5)


async def test_two_replicas_that_write_one_entity_at_once_leave_the_newest(small_service: SmallService) -> None:
    async def write(revision: int) -> None:
        async with small_service.pool.acquire() as connection, connection.transaction():
            batch = Batch()
            batch.publish(product(7, revision=revision))
            await insert(connection, batch._outgoing)

    await asyncio.gather(*(write(revision) for revision in range(1, 9)))
    await small_service.outbox.sweep(min_age_s=0)
    (state,) = await small_service.products(1)
    assert state.revision == 8
