"""Fresh databases and virtual hosts are really fresh, really cheap, and really gone afterwards."""

import secrets
import time

import aio_pika
import asyncpg
import pytest
from pydantic import SecretStr

from common.provisioning.rabbitmq import administration
from sandbox.fresh import Databases, FreshDatabase, Vhosts
from sandbox.infrastructure import Endpoints


async def names(endpoints: Endpoints, prefix: str) -> set[str]:
    """The databases of the server that begin with a prefix."""
    connection = await asyncpg.connect(endpoints.postgres_url)
    try:
        found = await connection.fetch("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
        return {row["datname"] for row in found}
    finally:
        await connection.close()


async def test_a_database_has_the_tables_but_not_what_another_test_wrote(databases: Databases) -> None:
    async with databases.fresh() as first, databases.fresh() as second:
        writing = await asyncpg.connect(first.url_for("mapper"))
        reading = await asyncpg.connect(second.url_for("mapper"))
        try:
            tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'mapper'"
            assert await reading.fetchval(tables) > 1
            await writing.execute("CREATE TABLE left_behind (value text)")
            assert await reading.fetchval("SELECT to_regclass('left_behind')") is None
        finally:
            await writing.close()
            await reading.close()


async def test_a_database_is_dropped_although_somebody_is_connected(
    infrastructure: Endpoints, databases: Databases
) -> None:
    async with databases.fresh() as database:
        connection = await asyncpg.connect(database.admin_url)
        assert await names(infrastructure, database.name) == {database.name}
    assert await names(infrastructure, database.name) == set()
    connection.terminate()


async def test_old_leftovers_go_and_new_ones_stay(infrastructure: Endpoints, databases: Databases) -> None:
    """What a killed run left behind is removed hours later by another run."""
    young = await databases.create()
    old = FreshDatabase(f"tbx_{int(time.time()) - 4 * 3600:x}_{secrets.token_hex(4)}", "", {}, {})
    connection = await asyncpg.connect(infrastructure.postgres_url)
    try:
        await connection.execute(f"CREATE DATABASE {old.name}")
        await databases.prepare()
        assert await names(infrastructure, old.name) == set()
        assert await names(infrastructure, young.name) == {young.name}
    finally:
        await connection.close()
        await databases.drop(young.name)


async def test_a_broken_migration_fails_only_its_own_service(
    infrastructure: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run tries again, because the template is not kept."""

    def broken(package: str, url: SecretStr) -> None:
        if package == "mapper":
            message = "no such column"
            raise LookupError(message)

    monkeypatch.setattr("sandbox.fresh.databases.upgrade", broken)
    made = Databases(infrastructure.postgres_url)
    made.template = f"tbt_test_{secrets.token_hex(4)}"
    await made.prepare()
    try:
        async with made.fresh() as database:
            connection = await asyncpg.connect(database.url_for("ingest"))
            await connection.close()
            with pytest.raises(LookupError, match="no such column"):
                database.url_for("mapper")
        assert made.template not in await names(infrastructure, made.template)
    finally:
        for name in await names(infrastructure, made.template):
            await made.drop(name)


async def test_a_virtual_host_is_empty_declares_and_is_gone_with_its_users(
    infrastructure: Endpoints, vhosts: Vhosts
) -> None:
    async with vhosts.fresh() as vhost:
        assert await vhost.depths() == {}
        await vhost.declare()
        users = await vhost.users()
        async with await aio_pika.connect(users["mapper"]) as connection:
            channel = await connection.channel()
            queue = await channel.get_queue("mapper.order-normalized", ensure=False)
            assert await queue.get(fail=False) is None
    async with administration(infrastructure.management_url) as client:
        listed = (await client.get("/api/vhosts")).json() + (await client.get("/api/users")).json()
    assert not [entry for entry in listed if entry["name"].startswith(vhost.name)]
