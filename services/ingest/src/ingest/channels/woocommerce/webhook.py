"""WooCommerce's deliveries: the signature, the ping of a new webhook, and orders."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from ingest.channel import Delivery, Notice, NoticeKind
from ingest.channels.woocommerce.settings import WooCommerceCredentials
from ingest.errors import BodyUnreadable
from ingest.parts import Part, PartKind, Source
from ingest.signatures import moment, verify_base64_sha256

SIGNATURE = "x-wc-webhook-signature"
TOPICS: tuple[str, ...] = ("order.created", "order.updated", "order.deleted", "order.restored")
_PING = b"webhook_id="


def verify(headers: Mapping[str, str], body: bytes, credentials: WooCommerceCredentials, now: datetime) -> None:  # noqa: ARG001
    """Raise `SignatureInvalid` unless the body was signed with the webhook's secret.

    A new webhook's ping carries no signature that can be relied on; it says nothing and is let through. The source that
    a delivery names is not compared: each webhook has a secret of its own, and sites move between names.
    """
    if is_ping(body):
        return
    verify_base64_sha256(headers.get(SIGNATURE, ""), body, (credentials.webhook_secret,), SIGNATURE)


def is_ping(body: bytes) -> bool:
    """Whether this is the form body by which a store tries a new webhook's address."""
    return body.startswith(_PING) and len(body) < 40 and body[len(_PING) :].strip().isdigit()


def parse(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Open a verified delivery. Raises `BodyUnreadable`."""
    topic = headers.get("x-wc-webhook-topic", "")
    identity = headers.get("x-wc-webhook-delivery-id", "")
    if is_ping(body):
        return Delivery("", "ping", notice=Notice(NoticeKind.PING))
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyUnreadable("the body is not JSON") from error
    if not isinstance(content, dict):
        raise BodyUnreadable("the body is not a JSON object")
    # A store makes this id from the webhook and the second: two orders of one second share it, their bodies don't.
    webhook = headers.get("x-wc-webhook-id", "")
    identity = f"{webhook}:{identity}:{hashlib.sha256(body).hexdigest()[:32]}" if identity else ""
    if topic == "order.deleted":
        part = Part(PartKind.DELETION, identity_of(content), body, moment(None), parsed=content)
        return Delivery(identity, topic, parts=(part,))
    if topic.startswith("order."):
        return Delivery(identity, topic, parts=(order_part(content, body),))
    return Delivery(identity, topic, notice=Notice(NoticeKind.IGNORED))


def order_part(content: dict[str, Any], raw: bytes, source: Source = Source.WEBHOOK) -> Part:
    """The order itself. Raises `BodyUnreadable` without an id."""
    at = moment(content.get("date_modified_gmt") or content.get("date_created_gmt"))
    return Part(PartKind.ORDER, identity_of(content), raw, at, source=source, parsed=content)


def identity_of(content: dict[str, Any]) -> str:
    """The id as text, whichever type this PHP version writes. Raises `BodyUnreadable`."""
    value = content.get("id")
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not 0 < len(str(value)) <= 64:
        raise BodyUnreadable("id is missing or not an id")
    return str(value)
