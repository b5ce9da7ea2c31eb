"""A service sees its own schema and its own queues, and nobody else's."""

from itertools import permutations

import aio_pika
import asyncpg
import pytest
import pytest_asyncio
from aiormq.exceptions import ChannelAccessRefused

from common.provisioning.postgres import schema_of
from common.topology import QUEUES, SERVICES, dead_queue, queues_of
from sandbox.fresh import FreshDatabase, FreshVhost

PAIRS = list(permutations(SERVICES, 2))


@pytest.mark.parametrize(("reader", "owner"), PAIRS)
async def test_a_service_cannot_touch_anothers_schema(
    reader: str, owner: str, module_postgres_database: FreshDatabase
) -> None:
    """Attempted with real connections: read, write, create, and even with the other's schema on the search path."""
    table = f"{schema_of(owner)}.secret_of_{schema_of(owner)}"
    owning = await asyncpg.connect(module_postgres_database.url_for(owner))
    reading = await asyncpg.connect(module_postgres_database.url_for(reader))
    try:
        await owning.execute(f"CREATE TABLE IF NOT EXISTS {table} (value text)")
        await owning.execute(f"INSERT INTO {table} VALUES ('x')")
        assert await owning.fetchval(f"SELECT count(*) FROM {table}") > 0
        await reading.execute(f"SET search_path = {schema_of(owner)}")
        for attempt in (
            f"SELECT * FROM {table}",
            f"INSERT INTO {table} VALUES ('y')",
            f"DELETE FROM {table}",
            f"DROP TABLE {table}",
            f"CREATE TABLE {schema_of(owner)}.mine (value text)",
            f"SET ROLE {await owning.fetchval('SELECT current_user')}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reading.execute(attempt)
    finally:
        await owning.close()
        await reading.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_works_in_its_own_schema_without_naming_it(
    service: str, module_postgres_database: FreshDatabase
) -> None:
    """The search path is the role's own."""
    connection = await asyncpg.connect(module_postgres_database.url_for(service))
    try:
        await connection.execute("CREATE TABLE own_things (value text)")
        found = "SELECT schemaname FROM pg_tables WHERE tablename = 'own_things' AND tableowner = current_user"
        assert await connection.fetchval(found) == schema_of(service)
    finally:
        await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_no_service_gets_into_the_administrators_database(
    service: str, module_postgres_database: FreshDatabase
) -> None:
    """Nor may it make objects in `public` or other databases."""
    connection = await asyncpg.connect(module_postgres_database.url_for(service))
    try:
        for attempt in ("CREATE TABLE public.shared (value text)", "CREATE DATABASE mine", "CREATE ROLE mine"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attempt)
    finally:
        await connection.close()


async def test_a_strangers_role_cannot_connect(postgres_database: FreshDatabase) -> None:
    """PUBLIC has no right to connect, so a role of another product on the same server stays out."""
    admin = await asyncpg.connect(postgres_database.admin_url)
    role = f"stranger_{postgres_database.name}"
    try:
        await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'stranger'")
        place = postgres_database.admin_url.rpartition("@")[2]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"postgresql://{role}:stranger@{place}")
    finally:
        await admin.execute(f"DROP ROLE IF EXISTS {role}")
        await admin.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker_users(module_rabbitmq_vhost: FreshVhost) -> dict[str, str]:
    """Topology and users in one virtual host."""
    await module_rabbitmq_vhost.declare()
    return await module_rabbitmq_vhost.users()


async def refused(url: str, queue: str) -> bool:
    """Does the broker refuse to let this user read the queue?"""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        found = await channel.get_queue(queue, ensure=False)
        try:
            await found.get(fail=False)
        except ChannelAccessRefused:
            return True
        return False


@pytest.mark.parametrize(("reader", "owner"), PAIRS)
async def test_a_broker_user_cannot_read_anothers_queue(reader: str, owner: str, broker_users: dict[str, str]) -> None:
    """Every queue of the other service is attempted."""
    for queue in queues_of(owner):
        assert await refused(broker_users[reader], queue.name)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_broker_user_reads_its_own_queues(service: str, broker_users: dict[str, str]) -> None:
    """Else the refusals above would prove nothing."""
    assert queues_of(service)
    for queue in queues_of(service):
        assert not await refused(broker_users[service], queue.name)


async def test_only_the_api_reads_dead_letters(broker_users: dict[str, str]) -> None:
    """A service reads at most its own; the api collects all."""
    for service in SERVICES:
        assert not await refused(broker_users["api"], dead_queue(service))
    assert await refused(broker_users["mapper"], dead_queue("ingest"))


@pytest.mark.parametrize("service", SERVICES)
async def test_a_broker_user_cannot_declare_anything(service: str, broker_users: dict[str, str]) -> None:
    """The topology is the administrator's."""
    async with await aio_pika.connect(broker_users[service]) as connection:
        channel = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await channel.declare_queue(f"{service}.of-my-own", durable=True)


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "api"])
async def test_only_the_api_publishes_to_a_queue_directly(service: str, broker_users: dict[str, str]) -> None:
    """Replay goes to one queue; everybody else goes through the exchanges."""
    message = aio_pika.Message(b"{}")
    async with await aio_pika.connect(broker_users[service]) as connection:
        channel = await connection.channel(publisher_confirms=True)
        with pytest.raises(ChannelAccessRefused):
            await channel.default_exchange.publish(message, routing_key=QUEUES[0].name)
    async with await aio_pika.connect(broker_users["api"]) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.default_exchange.publish(message, routing_key=dead_queue(service))
