"""What a stack needs from the servers before its processes start, and how it is removed again."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import asyncpg
from pydantic import SecretStr

from common.broker import BrokerLost, declare
from common.provisioning import provision_broker, provision_database
from common.provisioning.postgres import check_identifier, database_url, schema_of
from common.provisioning.rabbitmq import remove_broker, user_url
from common.topology import SERVICES
from sandbox.infrastructure import Endpoints
from sandbox.stack.secrets import StackSecrets

MIGRATION_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """The database, the virtual host, the roles and the users of one stack on its servers."""

    stack: str
    endpoints: Endpoints

    def __post_init__(self) -> None:
        check_identifier(self.stack)

    @property
    def database(self) -> str:
        return f"tillbook_{self.stack}"

    @property
    def vhost(self) -> str:
        return f"tillbook-{self.stack}"

    @property
    def admin_database_url(self) -> str:
        """The administrator's URL of the stack's database."""
        return database_url(self.endpoints.postgres_url, self.database)

    @property
    def admin_broker_url(self) -> str:
        """The administrator's URL of the stack's virtual host."""
        parts = urlsplit(self.endpoints.rabbitmq_url)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return user_url(self.endpoints.rabbitmq_url, self.vhost, user, password)

    async def make(self, secrets: StackSecrets) -> tuple[dict[str, str], dict[str, str]]:
        """Database and virtual host with the topology in it. Returns service → database URL and → broker URL."""
        databases = await provision_database(
            self.endpoints.postgres_url,
            self.database,
            passwords=secrets.database_passwords,
            role_prefix=f"{self.database}_",
        )
        brokers = await provision_broker(
            self.endpoints.management_url,
            self.endpoints.rabbitmq_url,
            self.vhost,
            passwords=secrets.broker_passwords,
            user_prefix=f"{self.vhost}-",
        )
        await self._declare()
        return databases, brokers

    async def _declare(self) -> None:
        """Declare the topology. A virtual host that was removed a moment ago may still fail the first queues."""
        for pause_s in (1, 2, 4, 8):
            try:
                return await declare(SecretStr(self.admin_broker_url))
            except BrokerLost:
                await asyncio.sleep(pause_s)
        return await declare(SecretStr(self.admin_broker_url))

    async def remove(self) -> None:
        """Drop all of it. Nothing of the stack may run any more."""
        connection = await asyncpg.connect(self.endpoints.postgres_url)
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
            for service in SERVICES:
                await connection.execute(f"DROP ROLE IF EXISTS {self.database}_{schema_of(service)}")
        finally:
            await connection.close()
        users = [f"{self.vhost}-{service}" for service in SERVICES]
        await remove_broker(self.endpoints.management_url, self.vhost, users=users)


async def migrate(service: str, environment: Mapping[str, str]) -> None:
    """`python -m <service> migrate`. Raises RuntimeError with what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        schema_of(service),
        "migrate",
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), MIGRATION_PATIENCE_S)
    except TimeoutError as error:
        process.kill()
        message = f"migrating {service} took over {MIGRATION_PATIENCE_S:.0f} s; is this machine busy? run it again"
        raise RuntimeError(message) from error
    if process.returncode != 0:
        message = f"the migrations of {service} failed:\n{output.decode(errors='replace')}"
        raise RuntimeError(message)
