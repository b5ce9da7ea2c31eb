"""What comes in and what becomes of it: values of the intake, and the rows and messages made from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from common.batch import Batch
from common.messages.base import Reason
from common.messages.fetching import FetchedOrder, FetchOutcome, OrderListed
from common.telemetry import current_traceparent
from ingest.accounts import Opened
from ingest.parts import BEGINNING, Part
from ingest.store.orders import DELIVERIES, OrderKey


@dataclass(frozen=True, slots=True)
class Arrival:
    """Parts of one order that came in together."""

    opened: Opened
    order_id: str
    parts: tuple[Part, ...]
    topic: str
    correlation_id: str
    traceparent: str | None = field(default_factory=current_traceparent)
    """Of the request it came in with: group commit writes for many requests at once."""
    delivery_id: str = ""
    """Set for deliveries that are remembered; empty for what we fetched ourselves."""
    digest: bytes = b""
    size: int = 0
    run_id: str | None = None
    backfill: bool = False
    again: bool = False
    """Whether the order is sent even if nothing of it changed."""
    let_through: tuple[Literal["filters", "do_not_import"], ...] = ()
    """What must not keep the order out from now on."""

    @property
    def key(self) -> OrderKey:
        return (self.opened.account.connection_id, self.order_id)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one order."""

    revision: int
    outcome: FetchOutcome
    number: str
    problem: Reason | None = None

    def fetched(self, external_id: str) -> FetchedOrder:
        """The order as an item of a run."""
        return FetchedOrder(
            external_id=external_id,
            number=self.number,
            revision=self.revision,
            outcome=self.outcome,
            reason=self.problem,
        )


def to_listed(key: OrderKey, channel: str, row: Mapping[str, Any], problem: Reason | None) -> OrderListed:
    """What the read model keeps, from a row of `orders`."""
    return OrderListed(
        tenant_id=row["tenant_id"],
        revision=row["revision"],
        connection_id=key[0],
        external_id=key[1],
        channel=channel,
        number=row["number"],
        status=row["status"],
        ordered_on=row["ordered_on"],
        currency=row["currency"],
        total=row["total"],
        received_at=row["received_at"],
        run_id=row["run_id"],
        problem=problem,
    )


def remember(arrival: Arrival, batch: Batch, at: datetime, *, ignored: bool) -> None:
    times = [part.version for part in arrival.parts if part.version != BEGINNING]
    batch.upsert(
        DELIVERIES,
        {
            "connection_id": arrival.key[0],
            "delivery_id": arrival.delivery_id,
            "order_id": arrival.order_id,
            "topic": arrival.topic,
            "digest": arrival.digest,
            "size": arrival.size,
            "channel_time": max(times) if times else None,
            "received_at": at,
            "ignored": ignored,
        },
    )


def readable_amount(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    fits = isinstance(exponent, int) and exponent >= -4 and abs(value) < Decimal("1e15")
    return value if fits else None
