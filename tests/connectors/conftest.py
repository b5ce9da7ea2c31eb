"""What every channel is tested with: account, credentials, and what the service keeps between arrivals."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson

from common.messages.orders import Order
from ingest.channel import Account, Channel
from ingest.parts import BEGINNING, Part, PartKind, Parts, Source, merge

SECRET = "shared-secret-of-the-shop"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LOGINS: dict[str, dict[str, str]] = {
    "shopify": {"shop_domain": "harbour-pine.myshopify.com", "webhook_secret": SECRET},
    "woocommerce": {"store_url": "https://north.example", "webhook_secret": SECRET},
    "custom": {"signing_secret": SECRET},
    "stripe": {"secret_key": SECRET, "webhook_secret": SECRET, "orders_connection": "con"},
}


def account(zone: str = "UTC", *, fetches: bool = True, store_currency: bool = False) -> Account:
    return Account("tenant", "con", ZoneInfo(zone), store_currency=store_currency, fetches=fetches)


@dataclass
class Shelf:
    """Parts of many orders, merged as they arrive, and the outcome of normalising after each arrival."""

    channel: Channel
    account: Account
    parts: dict[str, dict[tuple[str, str, str], Part]] = field(default_factory=dict)
    outcomes: dict[str, Order | Exception] = field(default_factory=dict)

    def take(self, arrived: Iterable[Part]) -> None:
        """Merge parts and normalise their orders again."""
        for part in arrived:
            held = self.parts.setdefault(part.order_id, {})
            merged = merge(held.values(), [part])
            self.parts[part.order_id] = {item.key: item for item in merged.parts}
            self.normalize(part.order_id)

    def normalize(self, order_id: str) -> None:
        try:
            order = self.channel.normalize(Parts.of(order_id, self.parts[order_id].values()), self.account)
        except Exception as error:  # noqa: BLE001 - tests look at what it is
            self.outcomes[order_id] = error
            return
        self.outcomes[order_id] = order
        note = derived_note(order_id, order)
        if note is not None:
            self.parts[order_id][note.key] = note

    def order(self, order_id: str) -> Order:
        """The order as last normalised. Fails the test with the reason where there is none."""
        outcome = self.outcomes[order_id]
        assert isinstance(outcome, Order), outcome
        return outcome


def derived_note(order_id: str, order: Order) -> Part | None:
    """What the service remembers of tenders that were concluded from totals."""
    concluded = [tender for tender in order.tenders if tender.external_id.startswith("derived:")]
    if not concluded:
        return None
    rows = [
        {
            "external_id": tender.external_id,
            "method": tender.method,
            "amount": f"{tender.amount:f}",
            "at": tender.captured_at.isoformat(),
        }
        for tender in concluded
    ]
    return Part(PartKind.DERIVED_TENDER, order_id, orjson.dumps(rows), BEGINNING, source=Source.OWN)


def normalized(channel: Channel, parts: Sequence[Part], known: Account | None = None) -> Order:
    """One order from its parts. Raises what normalising raises."""
    merged = merge((), parts)
    return channel.normalize(Parts.of(parts[0].order_id, merged.parts), known or account())
