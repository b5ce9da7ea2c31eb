"""What a channel is: the one interface between the shell of this service and a folder under `channels/`."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from common.messages.orders import Order, Payout
from common.money import tolerance
from ingest.parts import Part, Parts
from ingest.payout_parts import PayoutHead, PayoutPart, PayoutParts

if TYPE_CHECKING:
    import httpx  # the pure parts of channels import this module, and must not reach a client through it

By = Literal["created", "modified"]


class Capability(StrEnum):
    WEBHOOKS = "webhooks"
    """Signed deliveries are pushed to us."""
    SUBSCRIPTIONS = "subscriptions"
    """Webhook subscriptions can be checked and registered through the API."""
    POLLING = "polling"
    """Orders changed since a moment can be listed."""
    PAYOUTS = "payouts"
    """Payouts to the bank can be listed with what is in them."""
    PUSHES_CANONICAL = "pushes_canonical"
    """Deliveries are written for us: they are answered with 202, field paths and conflicts."""


class Credentials(BaseModel):
    """What a connection signs in with. Every secret in it is a `SecretStr`; it is stored encrypted and never shown.

    The text under a field is the hint that people see beside its input.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)

    @property
    def fetches(self) -> bool:
        """Whether these credentials reach the channel's API, or only verify what it sends."""
        raise NotImplementedError

    @property
    def orders_connection_id(self) -> str | None:
        """For processors: the connection whose orders are paid through this account."""
        return None


@dataclass(frozen=True, slots=True)
class Account:
    """What normalisation needs to know about a connection, beside the parts."""

    tenant_id: str
    connection_id: str
    zone: ZoneInfo
    store_currency: bool = False
    """Book in the shop's currency rather than the one the buyer paid in."""
    rounding_tolerance: Decimal | None = None
    """How far a total may be from its parts and still be rounding; None: minor unit × min(lines + 1, 5)."""
    fetches: bool = True
    """Whether missing parts can be fetched, so that nothing needs to be concluded without them."""

    def tolerance(self, currency: str, lines: int) -> Decimal:
        """The difference that is rounding, for an order or refund of so many lines."""
        return tolerance(currency, lines) if self.rounding_tolerance is None else self.rounding_tolerance


class NoticeKind(StrEnum):
    PING = "ping"
    UNINSTALLED = "uninstalled"
    CUSTOMER_REDACT = "customer_redact"
    SHOP_REDACT = "shop_redact"
    DATA_REQUEST = "data_request"
    IGNORED = "ignored"
    """Signed and well-formed, about something we keep nothing of."""


PRIVACY = frozenset({NoticeKind.CUSTOMER_REDACT, NoticeKind.SHOP_REDACT, NoticeKind.DATA_REQUEST})
"""What a channel asks for people's sake."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery that isn't about the content of an order."""

    kind: NoticeKind
    order_ids: tuple[str, ...] = ()
    customer_id: str = ""
    at: datetime | None = None
    """When it happened, where the channel says so."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified delivery, opened. `delivery_id` is the channel's own; empty means derive one from the body."""

    delivery_id: str
    topic: str
    parts: tuple[Part, ...] = ()
    notice: Notice | None = None
    payout: PayoutHead | None = None
    """A payout that the delivery announces; it is fetched."""
    ignored: tuple[str, ...] = ()
    """Paths of what a pushed document has beyond its contract, which its sender is told."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a list shows of an order that could not be normalised, as far as it can be read."""

    number: str = ""
    currency: str = ""
    total: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a poll: the parts of each order on it."""

    orders: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """The account that credentials open. Currency and time zone are empty where the channel doesn't say."""

    name: str
    currency: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One webhook subscription as the channel lists it."""

    topic: str
    address: str
    active: bool


class ChannelClient(Protocol):
    """Calls to one account of the channel. Raises the errors of `common.errors`; maps nothing."""

    async def check(self) -> Shop:
        """The account these credentials open. Raises `UpstreamRefused` when they open nothing."""
        ...

    def pages(self, start: datetime, end: datetime, *, by: By) -> AsyncIterator[Page]:
        """Orders created or modified (`by`) in [start, end), oldest first, with every part normalisation needs."""
        ...

    async def fetch(self, order_id: str) -> tuple[Part, ...]:
        """All parts of one order; empty when the channel has no such order."""
        ...

    async def find(self, number: str) -> tuple[Part, ...]:
        """All parts of the order with this number; empty when there is none."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class Subscribes(Protocol):
    """Optional: keeping webhook subscriptions alive."""

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Every subscription of this account."""
        ...

    async def subscribe(self, topics: Sequence[str], address: str) -> None:
        """Register the topics at our address; a disabled subscription is switched on again."""
        ...


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a document is pushed to us: its shape, and the headers that go with it."""

    document: type[BaseModel]
    headers: Mapping[str, str]
    """Header → what it holds."""
    documents_max: int
    """Documents in one request, as a list."""
    example: Mapping[str, Any]
    """One document as a store would send it."""


@runtime_checkable
class PaysOut(Protocol):
    """Optional: payouts to the bank, and what is inside each."""

    def payouts(self, start: date, end: date) -> AsyncIterator[tuple[PayoutHead, ...]]:
        """Pages of the payouts that arrive at the bank from `start` to `end`, both included."""
        ...

    async def payout(self, payout_id: str) -> PayoutHead | None:
        """One payout, None where there is none."""
        ...

    async def payout_parts(self, head: PayoutHead) -> tuple[PayoutPart, ...]:
        """The payout with everything that is inside it."""
        ...


@dataclass(frozen=True, slots=True)
class ShopName:
    """Which of a channel's credentials names the shop: two connections of one tenant to it would book all twice."""

    field: str
    compared: Callable[[str], str]
    """The one way of writing it that can be compared. Pure and total."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of sales channel: the only thing a folder exports."""

    name: str
    title: str
    capabilities: frozenset[Capability]
    credentials: type[Credentials]
    normalize: Callable[[Parts, Account], Order]
    """Pure. Raises `NormalizationError`, `IncompleteOrder` or `OutOfScope`; the order has revision 0."""
    glance: Callable[[Parts], Glance]
    """Pure and total: never raises, whatever the parts hold."""
    verify: Callable[[Mapping[str, str], bytes, Any, datetime], None]
    """(lower-case headers, raw body, credentials, now) → None, or raises `SignatureInvalid`, `WrongShop`."""
    parse: Callable[[Mapping[str, str], bytes], Delivery]
    """Open a verified delivery. Raises `BodyUnreadable`."""
    connect: "Callable[[Any, httpx.AsyncBaseTransport | None], ChannelClient]"
    """Open a client with these credentials; the transport is the default one outside of tests."""
    topics: tuple[str, ...] = field(default=())
    """Webhook topics to subscribe to."""
    normalize_payout: Callable[[PayoutParts, Account], Payout] | None = None
    """Pure. Raises `NormalizationError` or `OutOfScope`; None where this channel pays nothing out."""
    shop_name: ShopName | None = None
    """None where nothing in the credentials names a shop."""
    pushed: Pushed | None = None
    """What is pushed to us, where the channel writes it for us."""
