"""Matching a payout in a transaction: between the store and the pure core."""

from common.batch import Batch
from common.database import Connection
from common.messages.orders import Payout
from common.messages.transactions import TransactionSet
from mapper.mapping.configuration import Configuration
from mapper.mapping.payout_candidates import candidates_of
from mapper.mapping.payouts import Candidates, map_payout
from mapper.mapping.settled_sales import SalesSource
from mapper.mapping.settlements import SETTLED_MODES
from mapper.store.configurations import Prepared
from mapper.store.payouts import CLEAN, orders_by_tender, orders_of_payout, sets_of_payout
from mapper.store.sets import NOT_YET, known_sets, write_set


async def match_payout(connection: Connection, payout: Payout, prepared: Prepared | None, batch: Batch) -> None:
    """Map one claimed payout again and record its set if that changed.

    Without settings or a paired company file there is nothing to say yet: either of them marks the payout again.
    """
    batch.execute(CLEAN, payout.tenant_id, payout.connection_id, payout.external_id)
    if prepared is None or prepared.configuration is None:
        return
    result = await payout_set(connection, payout, prepared, prepared.configuration)
    key = (payout.tenant_id, result.company_id, payout.connection_id, "payout", payout.external_id)
    known = (await known_sets(connection, [key])).get(key, NOT_YET)
    write_set(result, known, batch, backfill=True, correlation_id=batch.correlation_id)


async def payout_set(
    connection: Connection, payout: Payout, prepared: Prepared, configuration: Configuration
) -> TransactionSet:
    """The payout matched with what its orders have become, by a configuration that may be tried out. Writes nothing."""
    if configuration.connection.mode in SETTLED_MODES:
        source = SalesSource(await orders_of_payout(connection, payout), prepared.rules, prepared.catalog)
        return map_payout(payout, configuration, Candidates(), source)
    sets = await sets_of_payout(connection, payout, configuration.connection.company_id)
    return map_payout(payout, configuration, candidates_of(sets, await orders_by_tender(connection, payout)))
