"""A store's address must lead outside: whatever a person types in, and whatever a name answers later."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from common.errors import Rejected
from common.http import OutboundClient
from ingest.outside import Outside, check_addresses, is_outside

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_an_address_inside_is_recognised_in_every_writing(address: str) -> None:
    assert not is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"])
def test_an_address_of_the_public_internet_passes(address: str) -> None:
    assert is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "http://169.254.169.254/latest/meta-data"),
        ("store_url", "https://[::1]:8443/shop"),
        ("base_url", "HTTP://localhost"),
        ("shop_domain", "127.0.0.1"),
        ("base_url", "http://2130706433/"),
        ("base_url", "http://user@10.0.0.1/"),
    ],
)
async def test_a_connection_to_an_address_inside_is_refused_with_its_field(field: str, value: str) -> None:
    with pytest.raises(Rejected) as refused:
        await check_addresses({"name": "shop", field: value}, allow_private=False)
    assert (refused.value.reason.code, refused.value.reason.field) == ("ADDRESS_NOT_ALLOWED", field)
    assert refused.value.reason.cure
    await check_addresses({field: value}, allow_private=True)


class Names:
    """Answers of a name server, one after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int | None, **_: Any) -> list[tuple[Any, ...]]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port or 0)) for one in answer]


class Inner(httpx.AsyncBaseTransport):
    """Notes where a request would go."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return httpx.Response(302, headers={"location": "http://10.0.0.1/"}, content=b"{}")


@pytest.fixture
def inner(monkeypatch: pytest.MonkeyPatch) -> Inner:
    made = Inner()
    monkeypatch.setattr(httpx, "AsyncHTTPTransport", lambda **_: made)
    return made


def answers(monkeypatch: pytest.MonkeyPatch, *given: Sequence[str]) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", Names(*given))


async def test_the_call_goes_to_the_address_that_was_judged_under_the_stores_name(
    monkeypatch: pytest.MonkeyPatch, inner: Inner
) -> None:
    answers(monkeypatch, [PUBLIC])
    client = OutboundClient("store", "https://shop.example:8443/api", transport=Outside())
    answer = await client.request("GET", "/orders")
    (sent,) = inner.seen
    assert (sent.url.host, sent.url.port, sent.url.path) == (PUBLIC, 8443, "/api/orders")
    assert sent.headers["host"] == "shop.example:8443"
    assert sent.extensions["sni_hostname"] == "shop.example"
    # A redirect is an answer like any other: nobody follows it.
    assert answer.status_code == 302


@pytest.mark.parametrize("later", [["127.0.0.1"], [PUBLIC, "10.0.0.1"]], ids=["another", "one of several"])
async def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, inner: Inner, later: list[str]
) -> None:
    answers(monkeypatch, [PUBLIC], later)
    await check_addresses({"base_url": "https://shop.example"}, allow_private=False)
    client = OutboundClient("store", "https://shop.example", transport=Outside())
    with pytest.raises(Rejected, match=r"shop\.example leads into a private network"):
        await client.request("GET", "/orders")
    assert inner.seen == []


async def test_a_name_that_nobody_knows_is_tried_again_later(monkeypatch: pytest.MonkeyPatch, inner: Inner) -> None:
    answers(monkeypatch, [])
    await check_addresses({"base_url": "https://shop.example"}, allow_private=False)
    client = OutboundClient("store", "https://shop.example", transport=Outside())
    with pytest.raises(Exception, match="did not answer"):
        await client.request("GET", "/orders")
    assert inner.seen == []
