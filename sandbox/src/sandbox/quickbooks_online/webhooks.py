"""Webhooks out: both payload formats, signed, in order, tried again until they are acknowledged."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import itertools
import urllib.error
import urllib.request
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.quickbooks_online.wire import dump

RETRY_S = (10, 20, 30, 300, 1200, 7200, 14400, 21600)
_WATCHED = (
    "Account Bill BillPayment Budget Class CreditMemo Currency Customer Department Deposit Employee Estimate Invoice "
    "Item JournalCode JournalEntry Payment PaymentMethod Preferences Purchase PurchaseOrder RefundReceipt SalesReceipt "
    "TaxAgency Term TimeActivity Transfer Vendor VendorCredit"
)
ENTITIES = frozenset(_WATCHED.split())
_PAST = {"Create": "created", "Update": "updated", "Delete": "deleted", "Void": "voided", "Emailed": "emailed"}
Event = tuple[str, str, str, str, str]
"""(realm, entity, id, operation, time)"""


@dataclass(slots=True)
class Subscription:
    """Where notices go. ``format`` is "legacy" or "cloudevents"; ``speed`` divides the retry delays."""

    url: str
    verifier: str
    format: str = "legacy"
    entities: tuple[str, ...] = ()
    delay_s: float = 0.2
    speed: float = 1.0
    attempts_max: int = 12
    number: int = 0
    queue: deque[Event] = field(default_factory=deque)
    delivered: int = 0
    failed: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Webhooks:
    def __init__(self) -> None:
        self.subscriptions: list[Subscription] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._numbers = itertools.count(1)

    def subscribe(self, subscription: Subscription) -> int:
        """Start delivering to ``subscription``; needs a running event loop."""
        subscription.number = next(self._numbers)
        self.subscriptions.append(subscription)
        self.tasks.append(asyncio.get_running_loop().create_task(_deliver(subscription)))
        return subscription.number

    def clear(self) -> None:
        for task in self.tasks:
            task.cancel()
        self.tasks.clear()
        self.subscriptions.clear()

    def publish(self, realm: str, events: list[tuple[str, str, str]]) -> None:
        """Queue the changes of one committed step."""
        if not self.subscriptions:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for entity, identifier, operation in events:
            if entity not in ENTITIES:
                continue
            for subscription in self.subscriptions:
                if not subscription.entities or entity in subscription.entities:
                    subscription.queue.append((realm, entity, identifier, operation, now))
                    subscription.wake.set()


def payload(events: list[Event], style: str) -> bytes:
    """The body of one notice in either format."""
    if style == "cloudevents":
        return dump([_cloud_event(event) for event in events])
    realms: dict[str, list[dict[str, Any]]] = {}
    for realm, entity, identifier, operation, time in events:
        notice = {"id": identifier, "operation": operation, "name": entity, "lastUpdated": time}
        realms.setdefault(realm, []).append(notice)
    notices = [{"realmId": realm, "dataChangeEvent": {"entities": found}} for realm, found in realms.items()]
    return dump({"eventNotifications": notices})


def _cloud_event(event: Event) -> dict[str, Any]:
    realm, entity, identifier, operation, time = event
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "intuit." + base64.b64encode(hashlib.sha256(realm.encode()).digest()).decode(),
        "type": f"qbo.{entity.lower()}.{_PAST[operation]}.v1",
        "datacontenttype": "application/json",
        "time": time,
        "intuitentityid": identifier,
        "intuitaccountid": realm,
        "data": {},
    }


def signature(body: bytes, verifier: str) -> str:
    """The value of the ``intuit-signature`` header."""
    return base64.b64encode(hmac.new(verifier.encode(), body, hashlib.sha256).digest()).decode()


async def _deliver(subscription: Subscription) -> None:
    """Send what is queued, up to 100 events a notice; newer events wait behind one that is not acknowledged."""
    while True:
        await subscription.wake.wait()
        await asyncio.sleep(subscription.delay_s)
        subscription.wake.clear()
        while subscription.queue:
            events = [subscription.queue.popleft() for _ in range(min(100, len(subscription.queue)))]
            body = payload(events, subscription.format)
            for attempt in range(subscription.attempts_max):
                if await asyncio.to_thread(_post, subscription, body):
                    subscription.delivered += len(events)
                    break
                subscription.failed += 1
                delay = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                await asyncio.sleep(delay / subscription.speed)


def _post(subscription: Subscription, body: bytes) -> bool:
    headers = {
        "Content-Type": "application/json",
        "intuit-signature": signature(body, subscription.verifier),
        "intuit-created-time": datetime.now(UTC).isoformat(),
        "intuit-notification-schema-version": "1.0" if subscription.format == "legacy" else "2.0",
    }
    request = urllib.request.Request(subscription.url, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310
            return 200 <= int(answer.status) < 300
    except (urllib.error.URLError, OSError, ValueError):
        return False
