"""Every exchange, queue and binding on one page. Data only: `broker.declare` is the one place that acts on it.

    tillbook (topic)   <type> or <type>.backfill   ->  <service>.<message>[.backfill]
    delay.<n>s (fanout) -> one queue with a TTL    ->  default exchange, back to the failing queue only
    dead (direct)      <service>                   ->  <service>.dead, collected by api

Declared once by an administrator before services start (`python -m common.declare`): services hold no right to
configure, and a quorum queue should be a few seconds old before anything is allowed to go wrong.
"""

from dataclasses import dataclass
from functools import cached_property

from common.messages import CONTRACTS
from common.messages.base import State
from common.messages.control import (
    CustomerConnected,
    DocumentDismissed,
    ResendRequested,
    SettingsChanged,
    StateRequested,
    TaskRequested,
    TenantDeleted,
    TenantPurged,
)
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.fetching import OrderListed, TaskProgress
from common.messages.orders import Order, Payout, Product
from common.messages.transactions import TransactionSet, TransactionsListed

SERVICES: tuple[str, ...] = ("ingest", "mapper", "ledger-writer", "api")
EXCHANGE = "tillbook"
HEADER_TENANT = "x-tillbook-tenant"
"""Whose data a message of one tenant holds, for those who can't or needn't open it."""
DEAD_EXCHANGE = "dead"
DELAYS_S: tuple[int, ...] = (10, 60, 600)
DELIVERY_LIMIT = 50
"""The broker's own stop, for a message that kills the process; far above the attempts we count ourselves."""


def routing_key(contract: type[State], *, backfill: bool = False) -> str:
    """The message type; bulk work of a type that has a backfill queue goes beside the live one."""
    return f"{contract.type}.backfill" if backfill and contract.has_backfill else contract.type


@dataclass(frozen=True)
class Queue:
    """One message type as one service consumes it. A backlog therefore names its cause."""

    service: str
    contract: type[State]
    backfill: bool = False
    prefetch: int = 200
    """Deliveries (packs) in flight: about twice a batch."""

    @cached_property
    def name(self) -> str:
        noun = self.contract.type.rsplit(".", 1)[0].replace(".", "-")
        return f"{self.service}.{noun}" + (".backfill" if self.backfill else "")

    @property
    def routing_key(self) -> str:
        return routing_key(self.contract, backfill=self.backfill)

    @property
    def arguments(self) -> dict[str, str | int]:
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": DEAD_EXCHANGE,
            "x-dead-letter-routing-key": self.service,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }


def _queues(service: str, *contracts: type[State]) -> tuple[Queue, ...]:
    live = tuple(Queue(service, contract) for contract in contracts)
    return live + tuple(Queue(service, contract, backfill=True) for contract in contracts if contract.has_backfill)


QUEUES: tuple[Queue, ...] = (
    *_queues("ingest", TaskRequested, SettingsChanged, ResendRequested, StateRequested, TenantDeleted),
    *_queues(
        "mapper",
        Order,
        Payout,
        Product,
        SettingsChanged,
        CatalogEntry,
        CompanyChanged,
        CustomerConnected,
        ResendRequested,
        StateRequested,
        TenantDeleted,
    ),
    *_queues(
        "ledger-writer",
        TransactionSet,
        SettingsChanged,
        CustomerConnected,
        ResendRequested,
        DocumentDismissed,
        StateRequested,
        TenantDeleted,
    ),
    *_queues(
        "api",
        OrderListed,
        TransactionsListed,
        DocumentChanged,
        CompanyChanged,
        TaskProgress,
        StateRequested,
        TenantPurged,
    ),
)


@dataclass(frozen=True, slots=True)
class Delay:
    """A shared waiting room. A message returns to the queue named by its routing key, and to no other."""

    seconds: int

    @property
    def name(self) -> str:
        return f"delay.{self.seconds}s"

    @property
    def arguments(self) -> dict[str, str | int]:
        return {
            "x-queue-type": "quorum",
            "x-message-ttl": self.seconds * 1000,
            # The default exchange routes by queue name, which is what the delayed message carries as routing key.
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }


DELAYS: tuple[Delay, ...] = tuple(Delay(seconds) for seconds in DELAYS_S)


def dead_queue(service: str) -> str:
    """Name of the queue that holds what the service could not handle."""
    return f"{service}.dead"


DEAD_DELIVERY_LIMIT = 1_000_000
"""As good as none, for which RabbitMQ before 4.0 has no word. From 4.0 on the default is 20, then a letter is lost."""
DEAD_QUEUE_ARGUMENTS: dict[str, str | int] = {"x-queue-type": "quorum", "x-delivery-limit": DEAD_DELIVERY_LIMIT}


def queues_of(service: str) -> tuple[Queue, ...]:
    return tuple(queue for queue in QUEUES if queue.service == service)


def delay_for(wanted_s: float) -> Delay:
    """The longest delay not above `wanted_s`, or the shortest there is."""
    fitting = [delay for delay in DELAYS if delay.seconds <= wanted_s]
    return fitting[-1] if fitting else DELAYS[0]


@dataclass(frozen=True, slots=True)
class Permissions:
    """Regular expressions of RabbitMQ's permission model for one service's user."""

    configure: str
    write: str
    read: str


def permissions_of(service: str) -> Permissions:
    """Least privilege: nothing may be declared, own queues read, published only to our exchanges.

    api also reads the dead letters of every service, and replays through the default exchange.
    """
    write = r"^(tillbook|dead|delay\.\d+s" + (r"|amq\.default)$" if service == "api" else r")$")
    read = rf"^{service}\." if service != "api" else r"^(api\.|.*\.dead$)"
    return Permissions(configure="^$", write=write, read=read)


UNCONSUMED: frozenset[type[State]] = frozenset(CONTRACTS) - {queue.contract for queue in QUEUES}
"""Contracts nobody listens to; a test wants this empty."""
