"""Genuine deliveries that a fault of ours keeps from being opened: kept as they came, under a name made from them.

Which order such a delivery is of is not known before it is opened. When it is, its parts go to that order, and what was
kept gives way to the names of the orders it brought.
"""

import hashlib
from collections.abc import Iterable, Mapping

import orjson

from common.messages.base import Reason
from ingest.channel import Delivery
from ingest.errors import DELIVERY_FAULT, delivery_opened
from ingest.parts import BEGINNING, Part, PartKind, Source

PREFIX = "unopened-"
_TOPIC_HEADERS = ("x-shopify-topic", "x-wc-webhook-topic")
_AS_IT_CAME, _OPENED = 0, 1
"""Ranks: what came of a delivery takes the place of its body, and no repetition takes it back."""


def topic_of(headers: Mapping[str, str]) -> str:
    """The topic that a channel's headers name; empty where the body alone says it."""
    return next((headers[name] for name in _TOPIC_HEADERS if headers.get(name)), "")[:100]


def headers_again(topic: str) -> dict[str, str]:
    """Headers to open a kept delivery with: nothing but the topic decides what a body is."""
    return dict.fromkeys(_TOPIC_HEADERS, topic)


def unopened(topic: str, body: bytes) -> Delivery:
    """A delivery to be opened later. The same body under the same topic has the same name."""
    name = PREFIX + hashlib.sha256(topic.encode() + b"\n" + body).hexdigest()[:32]
    part = Part(PartKind.DELIVERY, name, body, BEGINNING, rank=_AS_IT_CAME)
    return Delivery(name, topic, parts=(part,))


def opened_part(name: str, order_ids: Iterable[str]) -> Part:
    """What takes the place of a kept delivery: the orders that its parts went to."""
    raw = orjson.dumps(sorted(set(order_ids)))
    return Part(PartKind.DELIVERY, name, raw, BEGINNING, rank=_OPENED, source=Source.OWN)


def standing(order_id: str, parts: Iterable[Part]) -> Reason | None:
    """Why there is no order under this name: `DELIVERY_FAULT`, or what became of it. None for every real order."""
    if not order_id.startswith(PREFIX):
        return None
    part = next((part for part in parts if part.kind is PartKind.DELIVERY), None)
    if part is None:
        return None
    return DELIVERY_FAULT if part.rank == _AS_IT_CAME else delivery_opened(part.body)
