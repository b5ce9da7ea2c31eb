"""The headers each sales channel puts on a webhook, with the signature its receiver has to check."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.shops.life import Event
from sandbox.shops.shopify_wire import API_VERSION


@dataclass(frozen=True, slots=True)
class Delivery:
    """One posting of an event. A repetition has the same `delivery_id`; a forged one is signed with another key."""

    event: Event
    delivery_id: str
    forged: bool = False

    @classmethod
    def of(cls, event: Event) -> Delivery:
        """The first, honest delivery of an event."""
        return cls(event, event.event_id)


def headers_of(delivery: Delivery, raw: bytes, secret: str, now: datetime | None = None) -> dict[str, str]:
    """The headers of a delivery with this raw body, as the channel would send them at `now` (default: really now)."""
    key = f"not-{secret}" if delivery.forged else secret
    match delivery.event.kind:
        case "shopify":
            return _shopify(delivery, raw, key)
        case "woocommerce":
            return _woocommerce(delivery, raw, key)
        case "custom":
            return _custom(delivery, raw, key, now or datetime.now(UTC))


def mac_base64(raw: bytes, secret: str) -> str:
    """HMAC-SHA256 of the raw body in base64, as Shopify and WooCommerce send it."""
    return base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()


def _shopify(delivery: Delivery, raw: bytes, secret: str) -> dict[str, str]:
    event = delivery.event
    return {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": event.topic,
        "X-Shopify-Hmac-SHA256": mac_base64(raw, secret),
        "X-Shopify-Shop-Domain": event.shop,
        "X-Shopify-API-Version": API_VERSION,
        "X-Shopify-Webhook-Id": delivery.delivery_id,
        "X-Shopify-Event-Id": event.event_id,
        "X-Shopify-Triggered-At": event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }


def _woocommerce(delivery: Delivery, raw: bytes, secret: str) -> dict[str, str]:
    event = delivery.event
    resource, what = event.topic.split(".", 1)
    return {
        "Content-Type": "application/json",
        "User-Agent": "WooCommerce/10.2.1 Hookshot (WordPress/6.8.3)",
        "X-WC-Webhook-Source": f"https://{event.shop}/",
        "X-WC-Webhook-Topic": event.topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": what,
        "X-WC-Webhook-Signature": mac_base64(raw, secret),
        "X-WC-Webhook-ID": "7" if what == "created" else "8",
        "X-WC-Webhook-Delivery-ID": delivery.delivery_id.replace("-", ""),
    }


def _custom(delivery: Delivery, raw: bytes, secret: str, now: datetime) -> dict[str, str]:
    seconds = str(int(now.timestamp()))
    signed = hmac.new(secret.encode(), seconds.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Signature": f"t={seconds},v1={signed}",
        "X-Idempotency-Key": delivery.delivery_id,
    }
