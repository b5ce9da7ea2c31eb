"""Deliveries that go wrong the way they do in life: forged, repeated, out of order, or with words nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any, Final

import orjson

from sandbox.shops.life import Event
from sandbox.shops.signatures import Delivery

UNKNOWN_CURRENCY: Final = "ZZX"
UNKNOWN_STATUS: Final = "on_layaway"
CURRENCY_KEYS: Final = frozenset({"currency", "currency_code", "presentment_currency"})


def forged(event: Event) -> Delivery:
    """The event signed with a key that isn't the receiver's."""
    return replace(Delivery.of(event), forged=True)


def repeated(event: Event, times: int = 2) -> list[Delivery]:
    """The same delivery several times, byte for byte and with the same delivery id."""
    return [Delivery.of(event)] * times


def shuffled(events: Iterable[Event], seed: int) -> list[Delivery]:
    """All events in an order that has nothing to do with time."""
    deliveries = [Delivery.of(event) for event in events]
    Random(seed).shuffle(deliveries)
    return deliveries


def with_unknown_currency(event: Event) -> Event:
    """The event in a currency that doesn't exist, everywhere it names one."""
    return replace(event, body=_recoded(orjson.loads(event.raw())))


def with_unknown_status(event: Event) -> Event:
    """The order in a state nobody has heard of."""
    body = orjson.loads(event.raw())
    body["financial_status" if event.kind == "shopify" else "status"] = UNKNOWN_STATUS
    return replace(event, body=body)


def _recoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: UNKNOWN_CURRENCY if key in CURRENCY_KEYS else _recoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_recoded(item) for item in value]
    return value
