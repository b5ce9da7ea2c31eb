"""One running sample shop: how far its life has come, who may ask, and who wants to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from sandbox.shops.buckets import Bucket
from sandbox.shops.faults import Faults
from sandbox.shops.life import Event, ShopLife, Snapshot

PLANS: Final = {"standard": (2, 100), "advanced": (4, 200), "plus": (20, 1_000), "unlimited": (1_000_000, 1_000_000)}
FAILURES_MAX: Final = {"shopify": 8, "woocommerce": 5, "custom": 8}


@dataclass(slots=True)
class Subscription:
    """A webhook somebody registered. `failures` counts refusals in a row; too many end it."""

    id: int
    topic: str
    address: str
    secret: str
    created_at: datetime
    name: str = ""
    active: bool = True
    failures: int = 0


@dataclass(slots=True)
class Credentials:
    """What a caller has to show: `token` (Shopify), or `key` and `secret` (WooCommerce, custom store)."""

    token: str
    key: str
    secret: str
    webhook_secret: str


@dataclass(frozen=True, slots=True)
class Held:
    """An order as the shop holds it now, with the fields polls sort and filter by. Times are UTC."""

    id: int
    created_at: datetime
    updated_at: datetime
    snapshot: Snapshot


@dataclass(slots=True)
class Progress:
    """What one advance brought."""

    snapshots: int = 0
    events: list[Event] = field(default_factory=list)


class ShopStore:
    """A shop with its orders up to now. `life_orders` bounds its life; nothing happens until `advance` is called."""

    def __init__(
        self, name: str, life: ShopLife, life_orders: int, credentials: Credentials, plan: str = "standard"
    ) -> None:
        if plan not in PLANS:
            message = f"plan: {plan!r} is unknown; use one of {', '.join(PLANS)}"
            raise ValueError(message)
        rest, graphql = PLANS[plan]
        self.name, self.life, self.life_orders, self.credentials = name, life, life_orders, credentials
        self.calls = Bucket(40 if plan != "unlimited" else rest, rest)
        self.points = Bucket(graphql * 20 if plan != "unlimited" else graphql, graphql)
        self.faults = Faults()
        self.counters: Counter[str] = Counter()
        self.subscriptions: dict[int, Subscription] = {}
        self.orders: dict[int, Held] = {}
        self.purchases: dict[str, dict[str, Any]] = {}
        """What a custom store bought, as its older contract writes it, by number."""
        self.now: datetime | None = None
        self.seen = 0
        self._subscription_ids = count(901_431_826)
        self._coming: Iterator[Snapshot] = life.snapshots(life_orders)
        self._next: Snapshot | None = None
        self._sorted: dict[str, list[Held]] = {}

    def advance(self, snapshots: int | None = None, until: datetime | None = None) -> Progress:
        """Let things happen: so many of them, or all before a time, or (with neither) the rest of the life."""
        progress = Progress()
        while snapshots is None or progress.snapshots < snapshots:
            snapshot = self._next or next(self._coming, None)
            self._next = snapshot
            if snapshot is None or (until is not None and snapshot.at >= until):
                break
            self._next = None
            self._keep(snapshot)
            progress.snapshots += 1
            progress.events.extend(snapshot.events)
        return progress

    def in_order_of(self, name: str, key: Callable[[Held], tuple[object, int]]) -> list[Held]:
        """All orders sorted by a key; kept until something happens."""
        if name not in self._sorted:
            self._sorted[name] = sorted(self.orders.values(), key=key)
        return self._sorted[name]

    def subscribe(self, topic: str, address: str, secret: str = "", name: str = "") -> Subscription:
        """Register a webhook."""
        secret = secret or self.credentials.webhook_secret
        row = Subscription(next(self._subscription_ids), topic, address, secret, datetime.now(UTC), name)
        self.subscriptions[row.id] = row
        return row

    def note_outcome(self, subscription: Subscription, *, accepted: bool) -> None:
        """Count refusals in a row; Shopify removes a subscription after too many, WooCommerce disables it."""
        subscription.failures = 0 if accepted else subscription.failures + 1
        if subscription.failures >= FAILURES_MAX[self.life.kind]:
            subscription.active = False
            if self.life.kind == "shopify":
                self.subscriptions.pop(subscription.id, None)

    def _keep(self, snapshot: Snapshot) -> None:
        order_id = int(snapshot.order_id)
        created_at = self.orders[order_id].created_at if order_id in self.orders else snapshot.at
        self.orders[order_id] = Held(order_id, created_at, snapshot.at, snapshot)
        self.now = snapshot.at
        self.seen += 1
        self._sorted.clear()
