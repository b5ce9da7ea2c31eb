"""Webhooks arrive with signatures that a receiver written from the vendors' documents accepts, and only those."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from sandbox.shops import Kind, ShopLife
from sandbox.shops.mischief import forged, repeated, shuffled, with_unknown_currency, with_unknown_status
from sandbox.shops.sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contract.shops.conftest import Receiver

SECRET = "a long enough secret"
START = date(2026, 3, 1)


def genuine(kind: str, headers: Mapping[str, str], raw: bytes) -> bool:
    """Check a signature the way each channel's documentation says."""
    if kind == "custom":
        fields = dict(part.split("=", 1) for part in headers["x-signature"].split(","))
        expected = hmac.new(SECRET.encode(), f"{fields['t']}.".encode() + raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, fields["v1"])
    name = {"shopify": "x-shopify-hmac-sha256", "woocommerce": "x-wc-webhook-signature"}[kind]
    expected = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(expected, headers[name])


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "custom"])
async def test_every_delivery_is_signed_over_its_raw_bytes(receiver: Receiver, kind: Kind) -> None:
    events = list(ShopLife(4, kind, "us", START).events(25))
    report = await WebhookSender(receiver.url, SECRET).send(events)
    assert (report.sent, report.accepted, report.failures) == (len(events), len(events), [])
    assert len(receiver.requests) == len(events)
    assert all(genuine(kind, headers, raw) for headers, raw in receiver.requests)
    assert Counter(raw for _, raw in receiver.requests) == Counter(event.raw() for event in events)


async def test_shopify_deliveries_carry_all_of_shopifys_headers(receiver: Receiver) -> None:
    event = next(ShopLife(4, "shopify", "us", START).events(1))
    await WebhookSender(receiver.url, SECRET).send([event])
    ((headers, raw),) = receiver.requests
    assert headers["x-shopify-topic"] == event.topic == "orders/create"
    assert headers["x-shopify-shop-domain"] == "harbour-pine.myshopify.com"
    assert re.fullmatch(r"20\d\d-(01|04|07|10)", headers["x-shopify-api-version"])
    assert headers["x-shopify-webhook-id"]
    assert headers["x-shopify-event-id"] == event.event_id
    assert datetime.fromisoformat(headers["x-shopify-triggered-at"]) == event.at
    assert json.loads(raw)["id"] == int(event.order_id)


async def test_woocommerce_deliveries_carry_all_of_woocommerces_headers(receiver: Receiver) -> None:
    event = next(ShopLife(4, "woocommerce", "us", START).events(1))
    await WebhookSender(receiver.url, SECRET).send([event])
    ((headers, _),) = receiver.requests
    wanted = {"topic": "order.created", "resource": "order", "event": "created", "source": f"https://{event.shop}/"}
    assert {name: headers[f"x-wc-webhook-{name}"] for name in wanted} == wanted
    assert headers["x-wc-webhook-id"]
    assert headers["x-wc-webhook-delivery-id"]


async def test_mischief_is_what_it_says(receiver: Receiver) -> None:
    event = next(ShopLife(4, "shopify", "us", START).events(1))
    sender = WebhookSender(receiver.url, SECRET, concurrency=1)
    await sender.send([forged(event), *repeated(event), with_unknown_currency(event), with_unknown_status(event)])
    (forgery, first, second, currency, status) = receiver.requests
    assert not genuine("shopify", *forgery)
    assert all(genuine("shopify", *request) for request in (first, second, currency, status))
    assert first[1] == second[1]
    assert first[0]["x-shopify-webhook-id"] == second[0]["x-shopify-webhook-id"]
    body = json.loads(currency[1])
    assert body["currency"] == body["total_price_set"]["shop_money"]["currency_code"] == "ZZX"
    assert json.loads(status[1])["financial_status"] == "on_layaway"
    assert event.body["currency"] == "USD"


async def test_the_webhooks_of_an_order_keep_their_sequence_when_asked(receiver: Receiver) -> None:
    events = list(ShopLife(4, "woocommerce", "us", START).events(60))
    await WebhookSender(receiver.url, SECRET, concurrency=8, in_order=True).send(events)
    seen = defaultdict(list)
    for _, raw in receiver.requests:
        body = json.loads(raw)
        seen[body["id"]].append(body["date_modified_gmt"])
    assert any(len(times) > 1 for times in seen.values())
    assert all(earlier <= later for times in seen.values() for earlier, later in pairwise(times))


def test_shuffling_loses_nothing_and_changes_the_sequence() -> None:
    events = list(ShopLife(4, "shopify", "us", START).events(30))
    mixed = [delivery.event for delivery in shuffled(events, 1)]
    assert Counter(event.event_id for event in mixed) == Counter(event.event_id for event in events)
    assert mixed != events


async def test_refusals_are_counted_and_tried_again_only_when_asked(receiver: Receiver) -> None:
    receiver.status = 503
    events = list(ShopLife(4, "shopify", "us", START).orders(3))
    report = await WebhookSender(receiver.url, SECRET).send(events)
    assert (report.sent, report.accepted, report.by_status) == (3, 0, Counter({503: 3}))
    assert {failure.reason for failure in report.failures} == {"HTTP 503"}
    assert len(receiver.requests) == 3
    again = await WebhookSender(receiver.url, SECRET, attempts_max=3, retry_after_s=0.01).send(events[:1])
    assert (again.retried, again.sent) == (2, 1)
    assert len(receiver.requests) == 6


async def test_a_receiver_that_is_not_there_is_a_failure_and_no_crash() -> None:
    events = list(ShopLife(4, "shopify", "us", START).orders(2))
    report = await WebhookSender("http://127.0.0.1:9/hook", SECRET).send(events)
    assert report.by_status == Counter({0: 2})
    assert [failure.reason for failure in report.failures] == ["ConnectionRefusedError"] * 2


async def test_deliveries_go_out_side_by_side(receiver: Receiver) -> None:
    import asyncio

    together = asyncio.Barrier(4)

    async def wait_for_the_others() -> None:
        async with asyncio.timeout(5):
            await together.wait()

    receiver.before_answer = wait_for_the_others
    report = await WebhookSender(receiver.url, SECRET, concurrency=4).send(
        ShopLife(4, "shopify", "us", START).orders(8)
    )
    assert report.accepted == 8


async def test_the_command_sends_by_hand(receiver: Receiver) -> None:
    import asyncio

    command = [sys.executable, "-m", "sandbox.shops", "send", receiver.url, "--secret", SECRET, "--orders", "5"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{len(receiver.requests)} sent" in done.stdout
    assert all(genuine("shopify", headers, raw) for headers, raw in receiver.requests)


async def test_a_receiver_that_closes_after_each_answer_gets_everything_once() -> None:
    import asyncio

    bodies: list[bytes] = []

    async def answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"(?i)content-length: (\d+)", head)
        assert found
        bodies.append(await reader.readexactly(int(found.group(1))))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer_and_close, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    events = list(ShopLife(4, "shopify", "us", START).orders(10))
    async with server:
        report = await WebhookSender(f"http://127.0.0.1:{port}/hook", SECRET, concurrency=2).send(events)
    assert (report.sent, report.accepted) == (10, 10)
    assert Counter(bodies) == Counter(event.raw() for event in events)


async def test_silence_nonsense_and_slowness_are_failures_with_a_name() -> None:
    import asyncio

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"hello there\r\n\r\n")
        writer.close()

    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    event = next(ShopLife(4, "shopify", "us", START).orders(1))
    reasons = []
    for behaviour in (hang_up, babble, dawdle):
        server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            report = await WebhookSender(f"http://127.0.0.1:{port}/", SECRET, timeout_s=0.3).send([event])
        reasons += [failure.reason for failure in report.failures]
    assert reasons[0] in ("NoAnswer", "ConnectionResetError", "BrokenPipeError")
    assert reasons[1:] == ["NoAnswer", "TimeoutError"]
