"""Contracts that ingest publishes about its work: what the read model lists of an order, and how far a run has come."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime

from common.messages.base import Amount, Frozen, Identifier, Reason, ShortText, State
from common.messages.orders import order_key


class OrderListed(State):
    """What the read model keeps of an order: enough for a list, a filter and a reason, never the order itself."""

    type: ClassVar[str] = "order.listed.v1"
    packed_max: ClassVar[int] = 200
    read_model_only: ClassVar[bool] = True

    connection_id: Identifier
    external_id: Identifier
    channel: Identifier
    number: ShortText
    status: ShortText
    """`financial/fulfillment/lifecycle`, or empty where the order could not be read."""
    ordered_on: date | None
    currency: ShortText
    total: Amount | None
    received_at: AwareDatetime
    run_id: Identifier | None = None
    problem: Reason | None = None

    @property
    def key(self) -> str:
        return order_key(self.connection_id, self.external_id)


class FetchOutcome(StrEnum):
    STORED = "stored"
    UNCHANGED = "unchanged"
    NOT_FOUND = "not_found"
    REFUSED = "refused"


class FetchedOrder(Frozen):
    """One item of a run: it is finished when the order's state has reached `revision`."""

    external_id: Identifier | None
    number: ShortText
    revision: int
    outcome: FetchOutcome
    reason: Reason | None = None


class TaskProgress(State):
    """How far a run has fetched. Each page of a fetch is one state, so progress survives any restart."""

    type: ClassVar[str] = "task.progressed.v1"
    packed_max: ClassVar[int] = 10

    run_id: Identifier
    connection_id: Identifier
    items: tuple[FetchedOrder, ...] = ()
    """Orders seen by this page only."""
    finished: bool = False
    failed: Reason | None = None
    watermark: AwareDatetime | None = None

    @property
    def key(self) -> str:
        return f"{self.run_id}/{self.revision}"
