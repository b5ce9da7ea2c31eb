"""Matching a payout in a transaction: between the store and the pure core."""

from collections.abc import Mapping
from dataclasses import replace

from common.batch import Batch
from common.database import Connection
from common.messages.control import ConnectionSettings
from common.messages.orders import Payout
from common.messages.transactions import TransactionSet
from mapper.mapping.configuration import Configuration
from mapper.mapping.payout_candidates import NOTHING, candidates_of, money_received
from mapper.mapping.payout_reasons import INCOMPLETE
from mapper.mapping.payouts import map_payout
from mapper.mapping.settled_sales import SalesSource
from mapper.store.configurations import Prepared
from mapper.store.payouts import (
    CLEAN,
    deposited_elsewhere,
    grouped_documents,
    is_asked_for,
    orders_by_tender,
    orders_of_payout,
    sets_near_payout,
    sets_of_payout,
)
from mapper.store.sets import NOT_YET, KnownSet, known_sets, write_set


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
    known = await known_payout(connection, payout, prepared)
    result = await payout_set(connection, payout, prepared, prepared.configuration, known, taken)
    taken.update((key, payout.external_id) for key in grouped_documents(result))
    write_set(result, known, batch, backfill=True, correlation_id=batch.correlation_id)


async def payout_set(
    connection: Connection,
    payout: Payout,
    prepared: Prepared,
    configuration: Configuration,
    known: KnownSet,
    taken: Mapping[str, str] = NOTHING,
) -> TransactionSet:
    """The payout matched with what its orders have become, by a configuration that may be tried out. Writes nothing."""
    if not configuration.connection.payouts.automatic and await is_asked_for(connection, payout):
        configuration = replace(configuration, connection=by_itself(configuration.connection))
    orders = await orders_of_payout(connection, payout)
    source = SalesSource(orders, prepared.rules, prepared.catalog)
    company_id = configuration.connection.company_id
    sets, written_by = await sets_of_payout(connection, payout, company_id)
    if configuration.company.approved_at is None:
        written_by = NOTHING
    elsewhere = {key: at for key, at in taken.items() if at != payout.external_id}
    candidates = replace(
        candidates_of(sets, await orders_by_tender(connection, payout), written_by),
        deposited=await deposited_elsewhere(connection, payout, company_id, orders) | elsewhere,
    )
    result = map_payout(payout, configuration, candidates, source, kept_mode=known.history.mode)
    if result.reason is None or result.reason.code != INCOMPLETE:
        return result
    near = await sets_near_payout(connection, payout, company_id)
    if not near:
        return result
    candidates = replace(candidates, near=money_received(near))
    return map_payout(payout, configuration, candidates, source, kept_mode=known.history.mode)


def by_itself(settings: ConnectionSettings) -> ConnectionSettings:
    """The same settings as if deposits were made by themselves."""
    return settings.model_copy(update={"payouts": settings.payouts.model_copy(update={"automatic": True})})


async def known_payout(connection: Connection, payout: Payout, prepared: Prepared) -> KnownSet:
    """What is stored about the payout's set."""
    company_id = prepared.connection.company_id
    key = (payout.tenant_id, company_id, payout.connection_id, "payout", payout.external_id)
    return (await known_sets(connection, [key])).get(key, NOT_YET)
