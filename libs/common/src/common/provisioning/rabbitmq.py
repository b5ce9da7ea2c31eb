"""One virtual host, and in it one user per service with the rights of `topology.permissions_of` and no others.

Uses the management HTTP API, which every RabbitMQ since 3.x has. Everything may be run again.
"""

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from common.topology import SERVICES, permissions_of

_RECOVERY_S = 10.0


async def provision_broker(
    management_url: str,
    broker_url: str,
    vhost: str,
    *,
    services: Iterable[str] = SERVICES,
    passwords: Mapping[str, str] | None = None,
    user_prefix: str = "",
) -> dict[str, str]:
    """Make the virtual host and the users. Returns service → amqp URL.

    `management_url`: http(s)://administrator:password@host:port; `broker_url`: any amqp(s) URL of the same broker.
    `passwords`: service → password; a service without one gets a new random password each time.
    `user_prefix`: set where several virtual hosts of one broker must not share users.
    Raises httpx.HTTPStatusError for what the broker refuses, httpx.TransportError when it can't be reached.
    """
    known = passwords or {}
    urls: dict[str, str] = {}
    async with administration(management_url) as client:
        await ensure_vhost(client, vhost)
        for service in services:
            user, password = user_prefix + service, known.get(service) or secrets.token_urlsafe(24)
            await put(client, f"/api/users/{quote(user, safe='')}", {"password": password, "tags": ""})
            allowed = permissions_of(service)
            rights = {"configure": allowed.configure, "write": allowed.write, "read": allowed.read}
            await put(client, f"/api/permissions/{quote(vhost, safe='')}/{quote(user, safe='')}", rights)
            urls[service] = user_url(broker_url, vhost, user, password)
    return urls


def administration(management_url: str) -> httpx.AsyncClient:
    """A client of the management API, with the URL's credentials."""
    parts = urlsplit(management_url)
    account = httpx.BasicAuth(unquote(parts.username or ""), unquote(parts.password or ""))
    place = parts.netloc.rpartition("@")[2]
    return httpx.AsyncClient(base_url=urlunsplit(parts._replace(netloc=place)), auth=account, timeout=30)


async def ensure_vhost(client: httpx.AsyncClient, vhost: str) -> None:
    """Create the virtual host unless it exists; the administrator may do everything in it."""
    await put(client, f"/api/vhosts/{quote(vhost, safe='')}", {"description": "tillbook"})
    whoami = await client.get("/api/whoami")
    whoami.raise_for_status()
    administrator = quote(whoami.json()["name"], safe="")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await put(client, f"/api/permissions/{quote(vhost, safe='')}/{administrator}", everything)


async def put(client: httpx.AsyncClient, path: str, body: Mapping[str, str]) -> None:
    """Create or correct one object of the broker."""
    (await client.put(path, json=dict(body))).raise_for_status()


async def remove_broker(management_url: str, vhost: str, *, users: Iterable[str] = ()) -> None:
    """Delete the virtual host with all its queues, and the users."""
    async with administration(management_url) as client:
        host = f"/api/vhosts/{quote(vhost, safe='')}"
        if (await client.get(host)).is_success:
            await _recovered(client)
        for path in (host, *(f"/api/users/{quote(user, safe='')}" for user in users)):
            answer = await client.delete(path)
            if answer.status_code != httpx.codes.NOT_FOUND:
                answer.raise_for_status()


async def _recovered(client: httpx.AsyncClient) -> None:
    """Wait until a broker that was just started has its queues again.

    Quorum queues that are deleted while they recover take the supervisor of dead-lettering with them (RabbitMQ 3.10):
    from then on no queue can be declared until the broker is started anew. It does not say when that is over.
    """
    answer = await client.get("/api/nodes")
    answer.raise_for_status()
    up_s = min((node.get("uptime", 0) for node in answer.json()), default=0) / 1000
    await asyncio.sleep(max(_RECOVERY_S - up_s, 0))


def user_url(broker_url: str, vhost: str, user: str, password: str) -> str:
    """A user's URL of a virtual host."""
    parts = urlsplit(broker_url)
    place = parts.netloc.rpartition("@")[2]
    account = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{account}@{place}", path="/" + quote(vhost, safe="")))
