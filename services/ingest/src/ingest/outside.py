"""Addresses that people type in must lead outside: never to our own network, this machine or a cloud's metadata.

Checked where a connection is saved, for a clear answer, and again at every call, where it counts: the name is
resolved, every address it stands for is judged, and the connection goes to the judged address, so that a name which
answers differently the second time gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Final

import httpx

from common.errors import Rejected
from common.messages.base import Reason

_DOMAIN_FIELDS: Final = ("_domain",)
_RESOLVE_S: Final = 5.0
_TRANSLATED: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
"""IPv6 in which a gateway finds an IPv4 address: the last four bytes."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_outside(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    inner = _inner(address)
    if inner is not None:
        return is_outside(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


class Outside(httpx.AsyncBaseTransport):
    """Sends requests to public addresses only. `allow_private` is for tests and stores inside one's own network."""

    def __init__(self, *, allow_private: bool = False, connections_max: int = 20) -> None:
        limits = httpx.Limits(max_connections=connections_max, max_keepalive_connections=connections_max)
        self._inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `Rejected` for an address that is not outside, `httpx.ConnectError` for a name nobody knows."""
        if self._allow_private:
            return await self._inner.handle_async_request(request)
        host = request.url.host
        found = await _resolve(host, request.url.port)
        if not found:
            raise httpx.ConnectError(f"{host} can't be resolved", request=request)
        _refuse_inside(host, found, "")
        # The certificate is still checked against the name, and the store still sees it as its host.
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=str(found[0])),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def check_addresses(config: Mapping[str, str], *, allow_private: bool) -> None:
    """Refuse a connection that would be fetched from inside our network.

    Raises `Rejected` that names the field. A name that can't be resolved now passes: every call is checked anyway.
    """
    if allow_private:
        return
    for field, value in config.items():
        host = _host(field, value)
        if host:
            _refuse_inside(host, await _resolve(host, None), field)


def _host(field: str, value: str) -> str:
    if field.endswith(_DOMAIN_FIELDS):
        value = f"https://{value}"
    if not value.lower().startswith(("http://", "https://")):
        return ""
    try:
        return httpx.URL(value).host
    except httpx.InvalidURL as error:
        raise Rejected(_reason(field, value, f"{value!r} is no address", "give the store's address")) from error


async def _resolve(host: str, port: int | None) -> Sequence[Address]:
    """Every address of a host; none where it can't be resolved."""
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        return []
    # A zone (fe80::1%eth0) belongs to no public address.
    return [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]


def _refuse_inside(host: str, found: Sequence[Address], field: str) -> None:
    if all(is_outside(address) for address in found):
        return
    text = f"{host} leads into a private network, to this machine, or to another address that is not public"
    raise Rejected(_reason(field, host, text, "give the public address of the store"))


def _reason(field: str, value: str, text: str, cure: str) -> Reason:
    return Reason(code="ADDRESS_NOT_ALLOWED", text=text, cure=cure, field=field or None, value=value[:500])
