"""Sends what the shops have to tell: signed webhooks with a little mischief, then a polling run for the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from sandbox.demo.gateway import PATIENCE_S, Gateway, Json, Refused
from sandbox.demo.scenery import Pairing, first_day
from sandbox.shops.life import Event
from sandbox.shops.mischief import forged, repeated, with_unknown_currency
from sandbox.shops.sender import Report, WebhookSender
from sandbox.shops.signatures import Delivery

SETTLE_TIMEOUT_S = 150.0
QUIET_PASSES = 4
"""How often in a row nothing may change before everything counts as done."""

Progress = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of one scene's webhooks."""

    report: Report
    unknown_currency: str
    """External id of the order that was told once more in a currency that doesn't exist."""


def deliveries(pairing: Pairing) -> tuple[list[Delivery], str]:
    """The scene's webhooks with one forged signature, one repetition and one unknown currency among them."""
    events = pairing.webhooks()
    sent: list[Delivery] = []
    strange = _stranger(events[0])
    last = len(events) - 1  # a small demo has fewer webhooks, and the same mischief
    for number, event in enumerate(events):
        sent.append(Delivery.of(event))
        if number == min(5, last):
            sent.append(forged(event))
        if number == min(10, last):
            sent += repeated(event, 1)
        if number == min(15, last):
            sent.append(Delivery.of(strange))
    return sent, strange.order_id


def _stranger(event: Event) -> Event:
    """An order nobody knows, in a currency nobody knows. Its id is its own, so that no true order is harmed."""
    strange = with_unknown_currency(event)
    body = {**strange.body, "id": 999_000_111, "number": "X-1", "name": "#X-1", "order_number": 9990}
    return Event(
        strange.kind, strange.shop, strange.topic, "999000111", strange.at, f"strange-{strange.event_id}", body
    )


async def deliver(pairing: Pairing, on_sent: Progress) -> Delivered:
    """Send everything once. What a restart refuses is not sent again: the polling run finds it.

    Except what only a webhook can tell: a forgery, and the order that the shop's API knows nothing of.
    """
    sent, strange = deliveries(pairing)
    sender = WebhookSender(
        pairing.webhook_url, pairing.webhook_secret, concurrency=16, in_order=True, on_sent=lambda _: on_sent()
    )
    alone = [item for item in sent if item.forged or item.event.order_id == strange]
    report, *insisted = await asyncio.gather(
        sender.send([item for item in sent if item not in alone]),
        *(_insist(pairing, item, on_sent) for item in alone),
    )
    for other in insisted:
        report.sent += other.sent
        report.by_status.update(other.by_status)
    return Delivered(report, strange)


async def _insist(pairing: Pairing, delivery: Delivery, on_sent: Progress) -> Report:
    """Send one delivery until a running receiver has answered it."""
    sender = WebhookSender(pairing.webhook_url, pairing.webhook_secret, concurrency=1)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        report = await sender.send([delivery])
        (status,) = report.by_status
        if 0 < status < httpx.codes.INTERNAL_SERVER_ERROR or time.monotonic() > deadline:
            on_sent()
            return report
        await asyncio.sleep(0.5)


async def poll(gateway: Gateway, pairing: Pairing, on_progress: Callable[[int, int], None]) -> Json:
    """Fetch the shop's whole life by polling and follow the run to its end. Raises Refused when it failed."""
    days = {"date_from": first_day().isoformat(), "date_to": datetime.now(UTC).date().isoformat()}
    asked = {"connection_id": pairing.connection_id, "by": "created", **days}
    run = await patiently(lambda: gateway.post("/runs", asked))
    run_id = run["run_id"]
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while time.monotonic() < deadline:
        run = await patiently(lambda: gateway.get(f"/runs/{run_id}"))
        on_progress(run["done"], run["total"])
        if run["state"] in {"finished", "cancelled"}:
            return run
        if run["state"] == "failed":
            raise Refused(f"the polling run failed: {run['failed']}")
        await asyncio.sleep(0.3)
    late = [row async for row in gateway.each(f"/runs/{run_id}/items") if row["result"] == "in_progress"]
    numbers = ", ".join(row["number"] for row in late[:10])
    raise Refused(f"the polling run did not finish in {SETTLE_TIMEOUT_S:.0f} s; still under way: {numbers}")


async def patiently(call: Callable[[], Awaitable[Json]], within_s: float = PATIENCE_S) -> Json:
    """Make a call again while the gateway is being restarted; anything it answers by itself counts."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            answer = await call()
        except (httpx.TransportError, Refused) as error:
            passing = isinstance(error, httpx.TransportError) or " 50" in str(error)
            if not passing or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)
        else:
            return answer


async def settled(gateway: Gateway, pairing: Pairing) -> Json:
    """Wait until the company's overview has nothing in progress and stays so. Returns the overview."""
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    last, quiet = "", 0
    while True:
        overview = await patiently(lambda: gateway.get(f"/companies/{pairing.company_id}/overview"))
        busy = sum(row["in_progress"] + row["not_tried"] for row in overview["rows"])
        now = str(overview["rows"])
        quiet = quiet + 1 if not busy and now == last else 0
        if quiet >= QUIET_PASSES:
            return overview
        if time.monotonic() > deadline:
            raise Refused(f"{pairing.scene.title} still has {busy} documents under way after {SETTLE_TIMEOUT_S:.0f} s")
        last = now
        await asyncio.sleep(0.5)
