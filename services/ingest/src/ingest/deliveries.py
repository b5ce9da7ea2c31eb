"""Commits webhooks and pushes of concurrent requests together, and what notices ask for."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
import structlog

from common.database import LOST, Connection
from common.group_commit import GroupCommit
from common.messages.base import Reason
from common.runtime import Runtime
from ingest.accounts import Opened
from ingest.arrivals import Arrival, Taken
from ingest.channel import PRIVACY, Delivery, NoticeKind
from ingest.intake import Intake, unknown_only
from ingest.parts import Part, PartKind
from ingest.payout_intake import belongs_to
from ingest.payout_parts import PayoutHead
from ingest.signatures import moment
from ingest.store import connections, payouts

log = structlog.get_logger(__name__)

PRIVACY_ORDERS_MAX = 1000
"""Orders in one row of a privacy request, and so in one transaction; a request that names more has several rows."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One accepted request: one order for vendors' webhooks, up to a hundred for a custom store's push."""

    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission: per order, or the digest of the body that came under this id before."""

    taken: tuple[Taken, ...]
    replayed: bytes | None = None


class Deliveries:
    """Group commit of submissions on one runtime."""

    def __init__(self, runtime: Runtime, intake: Intake, *, group_max: int, linger_s: float) -> None:
        self._runtime = runtime
        self._intake = intake
        self._group = GroupCommit[Submission, Receipt](self._commit, items_max=group_max, linger_s=linger_s, lost=LOST)

    def start(self) -> None:
        """One group at a time: while it commits, the next one grows, which is what makes groups worth having."""
        self._runtime.start_forever("deliveries", self._group.run)

    async def submit(self, opened: Opened, delivery: Delivery, body: bytes) -> Receipt:
        """Store and normalise; returns after the commit. Raises `QueueFull` or one of `database.LOST`."""
        return await self._group.submit(Submission(to_arrivals(opened, delivery, body)))

    async def notice(self, opened: Opened, delivery: Delivery, body: bytes) -> None:
        """Act on a delivery that is not about an order's content."""
        notice = delivery.notice
        if notice is None or notice.kind in {NoticeKind.PING, NoticeKind.IGNORED}:
            return
        async with self._runtime.transaction() as (connection, _):
            if notice.kind is NoticeKind.UNINSTALLED:
                connection_id = opened.account.connection_id
                if await connections.changed_since(connection, connection_id, notice.at):
                    # It was connected again meanwhile; should that be wrong, the next fetch is refused and says so.
                    log.info("late_uninstall_ignored", connection_id=connection_id)
                else:
                    await connections.set_state(connection, connection_id, "needs_credentials", UNINSTALLED)
            elif notice.kind in PRIVACY:
                await _record_privacy(connection, opened, delivery, body)

    async def announce(self, opened: Opened, head: PayoutHead) -> None:
        """Note a payout that an event tells of; a worker fetches it."""
        async with self._runtime.transaction() as (connection, _):
            await payouts.announce(
                connection,
                connection_id=belongs_to(opened),
                external_id=head.payout_id,
                tenant_id=opened.account.tenant_id,
                source_id=opened.account.connection_id,
                format_name=opened.channel.name,
            )

    async def _commit(self, submissions: Sequence[Submission]) -> Sequence[Receipt | Exception]:
        arrivals = [arrival for submission in submissions for arrival in submission.arrivals]
        async with self._runtime.transaction() as (connection, batch):
            fresh, known = await unknown_only(connection, arrivals)
            taken = await self._intake.take(connection, fresh, batch) if fresh else {}
        receipts: list[Receipt | Exception] = []
        for submission in submissions:
            first = submission.arrivals[0]
            replayed = known.get((first.key[0], first.delivery_id))
            found = () if replayed is not None else tuple(taken[arrival.key] for arrival in submission.arrivals)
            receipts.append(Receipt(found, replayed))
        return receipts


UNINSTALLED = Reason(
    code="APP_UNINSTALLED",
    text="the app was removed from the shop, so nothing can be fetched any more",
    cure="install the app again and save the new credentials",
)


def to_arrivals(opened: Opened, delivery: Delivery, body: bytes) -> tuple[Arrival, ...]:
    """One arrival per order. A delivery without an id of its own is known by its body."""
    digest = hashlib.sha256(body).digest()
    identity = delivery.delivery_id or digest.hex()
    return tuple(
        Arrival(
            opened=opened,
            order_id=part.order_id,
            parts=(part,),
            topic=delivery.topic,
            correlation_id=f"webhook:{identity}"[:128],
            delivery_id=identity[:200],
            digest=digest,
            size=len(body),
        )
        for part in delivery.parts
    )


def unreadable(delivery_topic: str, body: bytes) -> Delivery:
    """A signed body that no order can be recognised in: kept as it came, under a name made from it."""
    name = f"unreadable-{hashlib.sha256(body).hexdigest()[:16]}"
    return Delivery("", delivery_topic, parts=(Part(PartKind.ORDER, name, body, moment(None)),))


async def _record_privacy(connection: Connection, opened: Opened, delivery: Delivery, body: bytes) -> None:
    notice = delivery.notice
    if notice is None:
        return
    identity, at = delivery.delivery_id or hashlib.sha256(body).hexdigest(), datetime.now(UTC)
    rows = []
    for start in range(0, max(len(notice.order_ids), 1), PRIVACY_ORDERS_MAX):
        number = start // PRIVACY_ORDERS_MAX + 1
        rows.append(
            (
                opened.account.connection_id,
                identity if number == 1 else f"{identity}#{number}",
                opened.account.tenant_id,
                notice.kind.value,
                notice.customer_id,
                orjson.dumps(notice.order_ids[start : start + PRIVACY_ORDERS_MAX]).decode(),
                at,
            )
        )
    await connection.executemany(
        "INSERT INTO privacy_requests"
        " (connection_id, delivery_id, tenant_id, kind, customer_id, order_ids, after, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, '', $7) ON CONFLICT DO NOTHING",
        rows,
    )
