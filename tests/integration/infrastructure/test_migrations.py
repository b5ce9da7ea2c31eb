"""The tables that the migrations make are the tables that the code declares."""

import asyncio

import asyncpg
import pytest
from alembic.util import CommandError
from pydantic import SecretStr

from common.migrations import check, upgrade
from common.provisioning.postgres import schema_of
from common.topology import SERVICES
from sandbox.fresh import FreshDatabase
from sandbox.fresh.databases import migrations_of

OWNERS = [service for service in SERVICES if migrations_of(service)]


def test_every_service_has_migrations() -> None:
    assert set(OWNERS) == set(SERVICES)


@pytest.mark.parametrize("service", OWNERS)
async def test_migrations_and_declared_tables_agree(service: str, postgres_database: FreshDatabase) -> None:
    """`alembic check` raises where a table, column or index differs, so an added column has to make it raise."""
    url = SecretStr(postgres_database.url_for(service))
    await asyncio.to_thread(check, schema_of(service), url)
    connection = await asyncpg.connect(url.get_secret_value())
    try:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema AND tablename NOT LIKE 'alembic%'"
        await connection.execute(f"ALTER TABLE {await connection.fetchval(tables)} ADD COLUMN unexpected text")
        with pytest.raises(CommandError, match="unexpected"):
            await asyncio.to_thread(check, schema_of(service), url)
    finally:
        await connection.close()


@pytest.mark.parametrize("service", OWNERS)
async def test_migrating_twice_changes_nothing_and_stays_in_the_own_schema(
    service: str, module_postgres_database: FreshDatabase
) -> None:
    """The version table is the service's own too."""
    url = module_postgres_database.url_for(service)
    admin = await asyncpg.connect(module_postgres_database.admin_url)
    listing = "SELECT schemaname, tablename FROM pg_tables WHERE tableowner LIKE $1 ORDER BY 1, 2"
    try:
        before = await admin.fetch(listing, f"%_{schema_of(service)}")
        await asyncio.to_thread(upgrade, schema_of(service), SecretStr(url))
        assert await admin.fetch(listing, f"%_{schema_of(service)}") == before
        assert {row["schemaname"] for row in before} == {schema_of(service)}
        assert "alembic_version" in {row["tablename"] for row in before}
    finally:
        await admin.close()
