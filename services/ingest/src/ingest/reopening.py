"""Opens deliveries again that a fault of ours kept from being opened when they came."""

from dataclasses import replace

from common.broker import UNAVAILABLE
from common.crypto import Cipher
from common.database import CONTENDED
from common.runtime import Runtime
from ingest.accounts import Accounts, Opened
from ingest.arrivals import Arrival
from ingest.channel import Delivery
from ingest.deliveries import Deliveries, to_arrivals, unreadable
from ingest.errors import BodyUnreadable
from ingest.faults import log_fault
from ingest.intake import Intake
from ingest.store.orders import KeptDelivery, OrderKey, load_kept
from ingest.unopened import PREFIX, headers_again, opened_part


class Reopening:
    """One kept delivery at a time: there are none unless a release of ours has a bug."""

    def __init__(
        self, runtime: Runtime, accounts: Accounts, intake: Intake, deliveries: Deliveries, cipher: Cipher
    ) -> None:
        self._runtime = runtime
        self._accounts = accounts
        self._intake = intake
        self._deliveries = deliveries
        self._cipher = cipher

    async def take_up(self, opened: Opened, key: OrderKey) -> bool:
        """Open what is kept under this name; false where nothing is. What still can't be opened stays due."""
        if not key[1].startswith(PREFIX):
            return False
        kept = await load_kept(self._runtime.pool, self._cipher, key)
        if kept is None:
            return False
        try:
            delivery = _parsed(opened, kept)
            await self._act(opened, key, kept, delivery)
        except (*UNAVAILABLE, *CONTENDED):
            raise
        except Exception as error:  # noqa: BLE001 - logged; it is kept, and others' work goes on
            log_fault("open again", key, error)
        return True

    async def _act(self, opened: Opened, key: OrderKey, kept: KeptDelivery, delivery: Delivery) -> None:
        """What the receiver would have done. Each step may be done twice, so a crash between them loses nothing."""
        if delivery.notice is not None:
            # Where the channel gave no time in the body, it is old news by now: as old as the delivery.
            notice = replace(delivery.notice, at=delivery.notice.at or kept.received_at)
            await self._deliveries.notice(opened, replace(delivery, notice=notice), kept.body)
            self._accounts.forget(key[0])
        if delivery.payout is not None:
            await self._deliveries.announce(opened, delivery.payout)
        brought = to_arrivals(opened, delivery, kept.body)
        mark = opened_part(key[1], (arrival.order_id for arrival in brought))
        marked = Arrival(opened, key[1], (mark,), kept.topic, f"again:{key[1]}")
        # Together: the body is given up only if what was in it is stored.
        async with self._runtime.transaction() as (connection, batch):
            await self._intake.take(connection, [*brought, marked], batch)


def _parsed(opened: Opened, kept: KeptDelivery) -> Delivery:
    try:
        return opened.channel.parse(headers_again(kept.topic), kept.body)
    except BodyUnreadable:
        return unreadable(kept.topic, kept.body)
