"""Alembic per service: the version table lives in the service's own schema, and locks never wait for long.

A service's `migrations/env.py` is three lines that call `run_environment`; `python -m <service> migrate` calls
`upgrade`. Several replicas may start at once: an advisory lock lets one migrate and the others wait.
"""

import asyncio
from importlib.resources import files

import sqlalchemy as sa
from alembic import command, context
from alembic.config import Config
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine

_LOCK_TIMEOUT = "5s"


def _configuration(package: str) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(files(package).joinpath("migrations")))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _engine_url(url: SecretStr) -> sa.URL:
    return sa.make_url(url.get_secret_value()).set(drivername="postgresql+asyncpg")


def run_environment(metadata: sa.MetaData) -> None:
    """Body of a `migrations/env.py`: run on the connection that `upgrade` or `check` put into the configuration."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()


async def _with_connection(package: str, url: SecretStr, action: str) -> None:
    configuration = _configuration(package)
    engine = create_async_engine(_engine_url(url))

    def act(connection: sa.Connection) -> None:
        configuration.attributes["connection"] = connection
        if action == "upgrade":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('tillbook migrations', 0))"))
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
            command.upgrade(configuration, "head")
        else:
            command.check(configuration)

    try:
        async with engine.begin() as connection:
            await connection.run_sync(act)
    finally:
        await engine.dispose()


def upgrade(package: str, url: SecretStr) -> None:
    """Bring the schema of the role in `url` to the newest revision, in one transaction."""
    asyncio.run(_with_connection(package, url, "upgrade"))


def check(package: str, url: SecretStr) -> None:
    """Raise `alembic.util.CommandError` when the tables differ from what the models declare."""
    asyncio.run(_with_connection(package, url, "check"))


def storage_of_bodies(table: str, *columns: str, in_row: bool = False) -> list[str]:
    """Statements that let bulky columns be written as they are: for what the server can't or needn't make smaller.

    Compressing a message body costs the server twice what writing it costs, and what is encrypted does not get smaller.
    `in_row` keeps rows of up to 8 KB in one piece: for tables whose rows are hardly ever updated, because an update
    copies what is in the row and leaves what is beside it.
    """
    statements = [f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL" for column in columns]
    if in_row:
        statements.append(f"ALTER TABLE {table} SET (toast_tuple_target = 8160)")
    return statements
