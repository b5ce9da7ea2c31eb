"""The migrations make exactly the tables that the models declare."""

import asyncio

from pydantic import SecretStr

from common.migrations import check
from sandbox.fresh import FreshDatabase


async def test_the_migrated_schema_equals_the_models(postgres_database: FreshDatabase) -> None:
    await asyncio.to_thread(check, "api", SecretStr(postgres_database.url_for("api")))
