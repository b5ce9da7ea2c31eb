"""Matching a payout in a transaction: between the store and the pure core."""

from collections.abc import Mapping
from dataclasses import replace

from common.batch import Batch
from common.database import Connection
from common.messages.orders import Payout
from common.messages.transactions import TransactionSet
from mapper.mapping.configuration import Configuration
from mapper.mapping.payout_candidates import NOTHING, candidates_of, money_received
from mapper.mapping.payout_matching import Candidates
from mapper.mapping.payout_reasons import INCOMPLETE
from mapper.mapping.payouts import map_payout
from mapper.mapping.settled_sales import SalesSource
from mapper.mapping.settlements import SETTLED_MODES
from mapper.store.configurations import Prepared
from mapper.store.payouts import (
    CLEAN,
    deposited_elsewhere,
    grouped_documents,
    orders_by_tender,
    orders_of_payout,
    sets_near_payout,
    sets_of_payout,
)
from mapper.store.sets import NOT_YET, known_sets, write_set


async def match_payout(
    connection: Connection, payout: Payout, prepared: Prepared | None, batch: Batch, taken: dict[str, str]
) -> None:
    """Map one claimed payout again and record its set if that changed.

    `taken`: documents that payouts of the same transaction have grouped, each with its payout; grows by this one's.
    Without settings or a paired company file there is nothing to say yet: either of them marks the payout again.
    """
    batch.execute(CLEAN, payout.tenant_id, payout.connection_id, payout.external_id)
    if prepared is None or prepared.configuration is None:
        return
    result = await payout_set(connection, payout, prepared, prepared.configuration, taken)
    taken.update((key, payout.external_id) for key in grouped_documents(result))
    key = (payout.tenant_id, result.company_id, payout.connection_id, "payout", payout.external_id)
    known = (await known_sets(connection, [key])).get(key, NOT_YET)
    write_set(result, known, batch, backfill=True, correlation_id=batch.correlation_id)


async def payout_set(
    connection: Connection,
    payout: Payout,
    prepared: Prepared,
    configuration: Configuration,
    taken: Mapping[str, str] = NOTHING,
) -> TransactionSet:
    """The payout matched with what its orders have become, by a configuration that may be tried out. Writes nothing."""
    orders = await orders_of_payout(connection, payout)
    if configuration.connection.mode in SETTLED_MODES:
        source = SalesSource(orders, prepared.rules, prepared.catalog)
        return map_payout(payout, configuration, Candidates(), source)
    company_id = configuration.connection.company_id
    sets = await sets_of_payout(connection, payout, company_id)
    elsewhere = {key: at for key, at in taken.items() if at != payout.external_id}
    candidates = replace(
        candidates_of(sets, await orders_by_tender(connection, payout)),
        deposited=await deposited_elsewhere(connection, payout, company_id, orders) | elsewhere,
    )
    result = map_payout(payout, configuration, candidates)
    if result.reason is None or result.reason.code != INCOMPLETE:
        return result
    near = await sets_near_payout(connection, payout, company_id)
    return map_payout(payout, configuration, replace(candidates, near=money_received(near))) if near else result
