"""A fresh virtual host is a broker of its own, as far as its users can tell."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from common.broker import declare
from common.provisioning import provision_broker
from common.provisioning.rabbitmq import administration, ensure_vhost, remove_broker, user_url
from common.topology import SERVICES
from sandbox.infrastructure import Endpoints

NAME = "tbx"
LEFTOVER_AFTER_S = 3 * 3600


@dataclass(frozen=True, slots=True)
class FreshVhost:
    """A virtual host of its own. `url`: an administrator's, who may configure everything in it."""

    name: str
    url: str
    management_url: str

    async def declare(self) -> None:
        """Put the product's topology into it. Wait three seconds before killing the broker: quorum queues settle."""
        await declare(SecretStr(self.url))

    async def users(self) -> dict[str, str]:
        """Make one user per service, with its real rights. Returns service → amqp URL."""
        return await provision_broker(self.management_url, self.url, self.name, user_prefix=f"{self.name}-")

    async def depths(self) -> dict[str, int]:
        """Messages per queue, as the management API sees them: it lags by up to five seconds."""
        async with administration(self.management_url) as client:
            listing = await client.get(f"/api/queues/{quote(self.name, safe='')}")
            listing.raise_for_status()
            return {queue["name"]: queue.get("messages", 0) for queue in listing.json()}


@dataclass(frozen=True, slots=True)
class Vhosts:
    """Makes and removes fresh virtual hosts."""

    endpoints: Endpoints

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[FreshVhost]:
        """A virtual host, removed at the end."""
        vhost = await self.create()
        try:
            yield vhost
        finally:
            await self.remove(vhost.name)

    async def create(self) -> FreshVhost:
        """Make an empty virtual host."""
        name = f"{NAME}-{int(time.time()):x}-{secrets.token_hex(4)}"
        async with administration(self.endpoints.management_url) as client:
            await ensure_vhost(client, name)
        parts = urlsplit(self.endpoints.rabbitmq_url)
        url = user_url(self.endpoints.rabbitmq_url, name, unquote(parts.username or ""), unquote(parts.password or ""))
        return FreshVhost(name, url, self.endpoints.management_url)

    async def remove(self, name: str) -> None:
        """Remove it with its queues and users."""
        users = [f"{name}-{service}" for service in SERVICES]
        await remove_broker(self.endpoints.management_url, name, users=users)

    async def remove_leftovers(self) -> None:
        """Remove virtual hosts that are hours old: nobody uses them any more."""
        async with administration(self.endpoints.management_url) as client:
            listing = await client.get("/api/vhosts")
            listing.raise_for_status()
        names = [str(vhost["name"]) for vhost in listing.json()]
        ours = [name for name in names if name.startswith(f"{NAME}-")]
        old = [name for name in ours if int(name.split("-")[1], 16) < time.time() - LEFTOVER_AFTER_S]
        await asyncio.gather(*(self.remove(name) for name in old))
