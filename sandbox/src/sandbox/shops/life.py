"""A shop's life: orders arriving over the days and everything that happens to them, drawn from one seed."""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from random import Random
from typing import Final
from uuid import UUID

import orjson

from sandbox.shops import custom_pull, custom_wire, woocommerce_wire
from sandbox.shops.catalogue import make_customers, make_gift_card, make_products
from sandbox.shops.clerk import Change, Clerk, Moment
from sandbox.shops.expectation import Expectation
from sandbox.shops.scenarios import STORIES, Scenario, Stage
from sandbox.shops.shop import Kind, Shop, shop_named
from sandbox.shops.shopify_parts import Json, Money
from sandbox.shops.shopify_payments import refund_json, transaction_json
from sandbox.shops.shopify_wire import edit_json, order_json
from sandbox.shops.state import Edit, Order, Refund, Transaction

SHOPIFY_TOPICS: Final = {
    "created": "orders/create",
    "updated": "orders/updated",
    "paid": "orders/paid",
    "edited": "orders/edited",
    "cancelled": "orders/cancelled",
    "refunded": "refunds/create",
    "transaction": "order_transactions/create",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a shop tells the world: a webhook's topic and body, ready to be signed and sent.

    `body` is read-only (parts of it are shared); `raw()` is what goes on the wire.
    """

    kind: Kind
    shop: str
    topic: str
    order_id: str
    at: datetime
    event_id: str
    body: Json

    def raw(self) -> bytes:
        """The body as UTF-8 JSON."""
        return orjson.dumps(self.body)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An order at one moment: what its shop's API would answer about it, and the events that moment causes."""

    at: datetime
    order_id: str
    body: Json
    transactions: list[Json]
    refunds: list[Json]
    events: tuple[Event, ...]
    pulled: Json | None = None
    edited: bool = False
    number: str = ""
    money: tuple[Transaction, ...] = ()
    """Every movement of money of the order so far, for whoever pays it out."""


class ShopLife:
    """The life of one shop.

    The same arguments always give the same life. `shop` is a sample shop's name ("us", "eu", "jp", "ca") or a Shop of
    your own; `orders_per_day` sets the pace; `scenarios` keeps only some stories by name (default: all that suit the
    kind); `with_transactions` puts a `transactions` list into Shopify's order bodies, which Shopify itself doesn't do;
    `host` is the name it answers to where several shops lead the same life (default: its kind's own).
    """

    def __init__(
        self,
        seed: int,
        kind: Kind,
        shop: Shop | str,
        start_date: date,
        customers: int = 40,
        products: int = 24,
        *,
        orders_per_day: int = 60,
        scenarios: Sequence[str] | None = None,
        with_transactions: bool = False,
        host: str = "",
    ) -> None:
        self.kind, self.seed, self.orders_per_day = kind, seed, orders_per_day
        self.with_transactions = with_transactions
        self.shop = shop_named(shop) if isinstance(shop, str) else shop
        self.host = host or self.shop.host(kind)
        self.stories = choose_stories(kind, scenarios)
        self.start = datetime(start_date.year, start_date.month, start_date.day, tzinfo=self.shop.zone).astimezone(UTC)
        mark = zlib.crc32(f"{seed}/{kind}/{self.shop.domain}".encode()) % 8_000 + 1_000
        self.base_id = mark * 10**9 if kind != "woocommerce" else mark * 100
        rng = Random(f"{seed}/{kind}/{self.shop.domain}")
        self.products = make_products(self.shop, rng, self.base_id + 10**6, products)
        self.gift_card = make_gift_card(self.shop, self.base_id + 10**6)
        self.customers = make_customers(self.shop, rng, self.base_id + 3 * 10**6, customers)

    def events(self, orders: int | None = None, until: datetime | None = None) -> Iterator[Event]:
        """All the shop sends, as it happens: the whole life of the first `orders` orders, or all before `until`."""
        for snapshot in self.snapshots(orders, until):
            yield from snapshot.events

    def snapshots(self, orders: int | None = None, until: datetime | None = None) -> Iterator[Snapshot]:
        """The same life with the state of the changed order at every moment, for a stand-in that answers polls."""
        for moment in self._moments(orders, until):
            yield self._snapshot(moment)

    def orders(self, n: int, first: int = 0) -> Iterator[Event]:
        """`n` different orders as they first appear, each as one create event: for benchmarks."""
        for index in range(first, first + n):
            yield self._snapshot(next(self._story(index)), first_only=True).events[0]

    def expectation(self, orders: int | None = None, until: datetime | None = None) -> Expectation:
        """What the books must say once the same part of this life has been synced."""
        expectation = Expectation(self.kind, self.shop)
        for moment in self._moments(orders, until):
            expectation.add(moment)
        return expectation

    def _moments(self, orders: int | None, until: datetime | None) -> Iterator[Moment]:
        """Merge the stories of all orders by time. A story runs ahead of the clock by one moment at most."""
        if orders is None and until is None:
            message = "orders: nothing given; say how many orders or until when, for a shop never stops by itself"
            raise ValueError(message)
        waiting: list[tuple[datetime, int, Iterator[Moment], Moment]] = []
        index = 0
        while True:
            while orders is None or index < orders:
                starts = self.arrival(index)
                if (until is not None and starts >= until) or (waiting and starts > waiting[0][0]):
                    break
                story = self._story(index)
                heapq.heappush(waiting, (starts, index, story, next(story)))
                index += 1
            if not waiting:
                return
            at, number, story, moment = heapq.heappop(waiting)
            if until is not None and at >= until:
                return
            yield moment
            following = next(story, None)
            if following is not None:
                heapq.heappush(waiting, (following.at, number, story, following))

    def arrival(self, index: int) -> datetime:
        """When the order with this index is placed; later orders never come earlier."""
        gap = 86_400 // self.orders_per_day
        jitter = Random(f"{self.seed}/{index}/at").randrange(max(1, gap))
        return self.start + timedelta(
            days=index // self.orders_per_day, seconds=index % self.orders_per_day * gap + jitter
        )

    def _story(self, index: int) -> Iterator[Moment]:
        rng = Random(f"{self.seed}/{self.kind}/{self.shop.domain}/{index}")
        scenario = self._scenario(index, rng)
        customer = None if scenario.walk_in else rng.choice(self.customers)
        region = customer.region if customer else self.shop.regions[0]
        at = self.arrival(index)
        order = Order(
            shop=self.shop,
            index=index,
            id=self.base_id + 1 + index if self.kind != "woocommerce" else self.base_id + 1 + index * 3,
            number=self.shop.first_number + index,
            scenario=scenario.name,
            customer=customer,
            region=region,
            created_at=at,
            updated_at=at,
        )
        stage = Stage(order, Clerk(order, self.kind), rng, self.products, self.gift_card, at)
        return scenario.story(stage)

    def _scenario(self, index: int, rng: Random) -> Scenario:
        """Every story once, so that a short life has them all; then by weight."""
        if index < len(self.stories):
            return self.stories[index]
        return rng.choices(self.stories, [scenario.weight for scenario in self.stories])[0]

    def _snapshot(self, moment: Moment, *, first_only: bool = False) -> Snapshot:
        order = moment.order
        if self.kind == "shopify":
            return self._shopify_snapshot(moment, moment.changes[:1] if first_only else moment.changes)
        body = woocommerce_wire.order_json(order) if self.kind == "woocommerce" else custom_wire.order_json(order)
        created = any(change.what == "created" for change in moment.changes)
        topic = "order" if self.kind == "custom" else "order.created" if created else "order.updated"
        refunds = (
            [woocommerce_wire.refund_json(order, row) for row in order.refunds] if self.kind == "woocommerce" else []
        )
        pulled = custom_pull.pulled_json(order) if self.kind == "custom" and not first_only else None
        events = (self._event(moment, 0, topic, body),)
        return Snapshot(
            moment.at, str(order.id), body, [], refunds, events, pulled,
            number=str(order.number), money=tuple(order.transactions),
        )  # fmt: skip

    def _shopify_snapshot(self, moment: Moment, changes: Sequence[Change]) -> Snapshot:
        order, money = moment.order, Money(self.shop.currency)
        body = order_json(order, with_transactions=self.with_transactions)
        events = []
        for index, change in enumerate(changes):
            payload = self._shopify_payload(change, order, money, body)
            events.append(self._event(moment, index, SHOPIFY_TOPICS[change.what], payload))
        transactions = [transaction_json(order, row, money) for row in order.transactions]
        return Snapshot(
            moment.at, str(order.id), body, transactions, body["refunds"], tuple(events), edited=order.edited,
            number=str(order.number), money=tuple(order.transactions),
        )  # fmt: skip

    @staticmethod
    def _shopify_payload(change: Change, order: Order, money: Money, body: Json) -> Json:
        match change.subject:
            case Transaction() as row:
                return transaction_json(order, row, money)
            case Refund() as refund:
                return refund_json(order, refund, money)
            case Edit() as edit:
                return edit_json(order, edit)
            case None:
                return body

    def _event(self, moment: Moment, index: int, topic: str, body: Json) -> Event:
        order = moment.order
        mark = blake2b(f"{self.base_id}/{order.id}/{order.version}/{index}".encode(), digest_size=16)
        event_id = str(UUID(bytes=mark.digest(), version=4))
        return Event(self.kind, self.host, topic, str(order.id), moment.at, event_id, body)


def choose_stories(kind: Kind, names: Sequence[str] | None) -> list[Scenario]:
    """The scenarios of a kind of shop, or some of them by name. Raises ValueError naming the ones there are."""
    suitable = [scenario for scenario in STORIES if kind in scenario.kinds]
    if names is None:
        return suitable
    unknown = sorted(set(names) - {scenario.name for scenario in suitable})
    if unknown:
        known = ", ".join(scenario.name for scenario in suitable)
        message = f"scenarios: {', '.join(unknown)} unknown for a {kind} shop; use some of {known}"
        raise ValueError(message)
    return [scenario for scenario in suitable if scenario.name in names]
