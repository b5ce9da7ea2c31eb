"""What a fault of ours may cost: the one order, payout or summary that it is about, for a while, and no other."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from common.batch import Batch
from common.broker import UNAVAILABLE
from common.database import CONTENDED, Connection
from common.faults import log_fault
from common.messages.base import Reason
from common.messages.orders import Order, Payout
from common.messages.transactions import Inputs, SetOutcome, TransactionSet
from common.recovery import first_own_frame
from common.runtime import Runtime
from mapper.store.locks import share_configuration
from mapper.store.orders import is_asked_for, lock_orders, read_orders
from mapper.store.payouts import payout_of
from mapper.store.set_aside import SourceKey, put_aside
from mapper.store.sets import NOT_YET, known_sets, read_sets, write_set

PASSING: tuple[type[Exception], ...] = (*UNAVAILABLE, *CONTENDED)
"""Nothing is wrong with what was worked on: the same works when it is run again."""

PRODUCT_FAULT = Reason(
    code="PRODUCT_FAULT",
    text="A fault of tillbook keeps this from being mapped; the fault is in the service's log.",
    cure="Report it with the number. What is in the ledger stays as it is; it is mapped again by itself every hour.",
)
_COMPANY = """
SELECT company_id FROM settings WHERE tenant_id = $1 AND scope = 'connection' AND scope_id = $2 AND NOT deleted
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a list shows of a source entity."""

    number: str
    revision: int
    on: date
    currency: str
    total: Decimal


async def set_aside(runtime: Runtime, kind: str, key: SourceKey, error: Exception) -> None:
    """Hold what a bug is about, with a reason that everybody sees, and let the rest go on."""
    log_fault("source_set_aside", error, kind=kind, tenant_id=key[0], connection_id=key[1], source_id=key[2])
    about = (type(error).__name__, first_own_frame(error))
    try:
        async with runtime.transaction() as (connection, batch):
            await share_configuration(connection, [key[0]])
            if kind == "order":
                await lock_orders(connection, [key])
            await _hold(connection, kind, key, batch)
            await put_aside(connection, kind, key, *about)
    except PASSING:
        raise
    except Exception as second:  # noqa: BLE001 - logged
        # The row itself can't be read, so there is nothing to list; out of the way it must be all the same.
        log_fault("source_not_held", second, kind=kind, tenant_id=key[0], source_id=key[2])
        async with runtime.transaction() as (connection, _):
            await put_aside(connection, kind, key, *about)


async def _hold(connection: Connection, kind: str, key: SourceKey, batch: Batch) -> None:
    tenant_id, connection_id, source_id = key
    company_id = await connection.fetchval(_COMPANY, tenant_id, connection_id)
    if company_id is None:
        return
    set_key = (tenant_id, company_id, connection_id, kind, source_id)
    known = (await known_sets(connection, [set_key])).get(set_key, NOT_YET)
    before = await read_sets(connection, [set_key])
    if before:
        # Its documents stay those that were decided on last: nobody knows better.
        result = before[0].model_copy(update={"revision": 0, "outcome": SetOutcome.HELD, "reason": PRODUCT_FAULT})
    else:
        found = await _known(connection, kind, key)
        if found is None:
            return
        result = TransactionSet(
            tenant_id=tenant_id,
            revision=0,
            company_id=company_id,
            connection_id=connection_id,
            source_kind=kind,
            source_id=source_id,
            source_number=found.number,
            inputs=Inputs(source_revision=found.revision, connection_revision=0, company_revision=0),
            outcome=SetOutcome.HELD,
            reason=PRODUCT_FAULT,
            date=found.on,
            currency=found.currency,
            source_total=found.total,
        )
    write_set(
        result,
        known,
        batch,
        backfill=True,
        correlation_id="",
        by_shipment=bool(known.history.shipments),
        again=kind == "order" and await is_asked_for(connection, key),
    )


async def _known(connection: Connection, kind: str, key: SourceKey) -> _Known | None:
    match kind:
        case "order":
            order: Order | None = (await read_orders(connection, [key])).get(key)
            if order is not None:
                return _Known(order.number, order.revision, order.ordered_on, order.currency, order.total)
        case "payout":
            payout: Payout | None = await payout_of(connection, *key)
            if payout is not None:
                return _Known(payout.external_id, payout.revision, payout.paid_on, payout.currency, payout.net)
    return None
