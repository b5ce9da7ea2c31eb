"""A fresh database is a copy of a template in which all services' migrations have run.

The template is made again when a migration changes. What a killed run leaves behind is removed by a later one.
"""

import asyncio
import hashlib
import hmac
import importlib.util
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from pydantic import SecretStr

from common.migrations import upgrade
from common.provisioning import postgres, provision_database
from common.provisioning.postgres import schema_of
from common.topology import SERVICES

TEMPLATE, COPY = "tbt", "tbx"
LEFTOVER_AFTER_S = 3 * 3600
LOCK = "SELECT pg_advisory_lock(hashtextextended('tillbook.template', 0))"


@dataclass(frozen=True, slots=True)
class FreshDatabase:
    """A database of its own: `admin_url` for everything in it, `url_for(service)` as the service sees it."""

    name: str
    admin_url: str
    urls: dict[str, str]
    broken: Mapping[str, Exception]
    """Service → why its migrations failed."""

    def url_for(self, service: str) -> str:
        """The URL of a service's role: `ledger-writer` or `ledger_writer`, as you like.

        Raises what the service's migrations raised: they fail its own tests and nobody else's.
        """
        name = service.replace("_", "-")
        if name in self.broken:
            raise self.broken[name]
        return self.urls[name]


class Databases:
    """Makes and drops fresh databases on the server of `admin_url`. `prepare` comes first."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self.template = f"{TEMPLATE}_{migrations_fingerprint()}"
        self._source = self.template
        self._broken: dict[str, Exception] = {}

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[FreshDatabase]:
        """A copy of the template, dropped at the end."""
        database = await self.create()
        try:
            yield database
        finally:
            await self.drop(database.name)

    async def create(self) -> FreshDatabase:
        """Copy the template, which `prepare` has made."""
        name = f"{COPY}_{int(time.time()):x}_{secrets.token_hex(4)}"
        await postgres.create_database(self.admin_url, name, template=self._source)
        connection = await asyncpg.connect(self.admin_url)
        try:
            # Rights to connect belong to the database itself and are not copied with it.
            await postgres.admit_only(connection, name, [self.role(service) for service in SERVICES])
        finally:
            await connection.close()
        urls = {
            service: postgres.role_url(self.admin_url, name, self.role(service), self.password(service))
            for service in SERVICES
        }
        return FreshDatabase(name, postgres.database_url(self.admin_url, name), urls, self._broken)

    async def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        finally:
            await connection.close()

    async def prepare(self) -> None:
        """Make the template unless it exists, and remove what earlier runs left behind."""
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(LOCK)
            await self.remove_leftovers(connection)
            ready = "SELECT datistemplate FROM pg_database WHERE datname = $1"
            if not await connection.fetchval(ready, self.template):
                await self.make_template(connection)
        finally:
            await connection.close()

    async def make_template(self, connection: asyncpg.Connection) -> None:
        """Provision a database, run all migrations in it, and close it to connections."""
        await connection.execute(f"DROP DATABASE IF EXISTS {self.template} WITH (FORCE)")
        urls = await provision_database(
            self.admin_url,
            self.template,
            passwords={service: self.password(service) for service in SERVICES},
            role_prefix=f"{self.template}_",
        )
        for service in SERVICES:
            if migrations_of(service):
                try:
                    await asyncio.to_thread(upgrade, schema_of(service), SecretStr(urls[service]))
                except Exception as error:  # noqa: BLE001 (raised again where the service's URL is asked for)
                    self._broken[service] = error
        await connection.execute(f"COMMENT ON DATABASE {self.template} IS '{int(time.time())}'")
        if self._broken:  # for this run only: the next one tries again
            self._source = f"{self.template}_{secrets.token_hex(4)}"
            await connection.execute(f"ALTER DATABASE {self.template} RENAME TO {self._source}")
        else:
            await connection.execute(f"ALTER DATABASE {self.template} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")

    async def remove_leftovers(self, connection: asyncpg.Connection) -> None:
        """Drop copies and templates that are hours old: nobody uses them any more."""
        databases = await connection.fetch(
            "SELECT datname AS name, shobj_description(oid, 'pg_database') AS made FROM pg_database"
            " WHERE datname LIKE $1 OR (datname LIKE $2 AND datname <> $3)",
            f"{COPY}\\_%",
            f"{TEMPLATE}\\_%",
            self.template,
        )
        for database in databases:
            name: str = database["name"]
            made = int(name.split("_")[1], 16) if name.startswith(COPY) else int(database["made"] or time.time())
            if made < time.time() - LEFTOVER_AFTER_S:
                if name.startswith(TEMPLATE):
                    await connection.execute(f"ALTER DATABASE {name} WITH IS_TEMPLATE false")
                await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def role(self, service: str) -> str:
        """The role of a service in all copies of this template."""
        return f"{self.template}_{schema_of(service)}"

    def password(self, service: str) -> str:
        """The role's password: another program must find the same one, and only who administers the server can."""
        key = (urlsplit(self.admin_url).password or "").encode()
        return hmac.new(key, self.role(service).encode(), hashlib.sha256).hexdigest()


def migrations_fingerprint() -> str:
    """Changes when a database made before would no longer be right."""
    digest = hashlib.sha256(Path(postgres.__file__).read_bytes())
    for service in SERVICES:
        for file in migrations_of(service):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def migrations_of(service: str) -> list[Path]:
    """The files that make a service's tables; none where it has none."""
    found = importlib.util.find_spec(schema_of(service))
    folder = Path(found.origin).parent / "migrations" if found and found.origin else Path("nowhere")
    return sorted(folder.rglob("*.py")) if (folder / "env.py").exists() else []
