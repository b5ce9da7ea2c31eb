"""The tables that migrations make are the tables that the models declare."""

import asyncio

from pydantic import SecretStr

from common.migrations import check
from sandbox.fresh import FreshDatabase


async def test_migrations_and_models_agree(postgres_database: FreshDatabase) -> None:
    await asyncio.to_thread(check, "mapper", SecretStr(postgres_database.url_for("mapper")))
