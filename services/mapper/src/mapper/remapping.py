"""Mapping in a transaction: what an order batch and the worker share, between the store and the pure core."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from common.batch import Batch
from common.database import Connection
from common.internal.mapper import AppliedRule
from common.messages.control import ConnectionSettings
from common.messages.orders import Order
from common.messages.transactions import Inputs, SetOutcome, TransactionSet
from mapper.mapping.history import IN_SUMMARY
from mapper.mapping.orders import map_order
from mapper.mapping.reasons import company_unknown
from mapper.rules.engine import Change
from mapper.store.configurations import Configurations, ConnectionKey, Prepared
from mapper.store.orders import OrderKey, key_of
from mapper.store.payouts import MARK_MEMBERS, REFERENCES, amount_reference, reference_rows, references_of_order
from mapper.store.sets import NOT_YET, KnownSet, SetKey, known_sets, mapped_revisions, write_set, write_unmatched
from mapper.summarising import leave_open_summaries, set_memberships


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What mapping needs to know beside the orders themselves, read in the transaction that writes the sets."""

    prepared: Mapping[ConnectionKey, Prepared]
    known: Mapping[SetKey, KnownSet]


async def read_surroundings(
    connection: Connection, configurations: Configurations, keys: Sequence[OrderKey]
) -> Surroundings:
    """Configurations and known sets of these orders. The caller holds the configuration and order locks."""
    prepared = await configurations.load(connection, {(key[0], key[1]) for key in keys})
    return Surroundings(prepared, await known_sets(connection, list(_set_keys(prepared, keys))))


async def changed_unseen(connection: Connection, orders: Sequence[Order], around: Surroundings) -> frozenset[OrderKey]:
    """Orders whose later revisions are stored and not mapped, because the connection looks at each only once.

    A changed rule or list must not let them in by the back door; a person's resend does.
    """
    once = {}
    for order in orders:
        prepared = around.prepared.get((order.tenant_id, order.connection_id))
        if prepared is not None and looks_once(prepared.connection):
            company_id = prepared.connection.company_id
            once[order.tenant_id, company_id, order.connection_id, "order", order.external_id] = order
    mapped = await mapped_revisions(connection, list(once))
    return frozenset(key_of(order) for key, order in once.items() if mapped.get(key, order.revision) != order.revision)


def looks_once(connection: ConnectionSettings) -> bool:
    """Reference behaviour (section 7): with a blank filter an order is looked at once, when it is new."""
    return not connection.follow_changes and not connection.order_statuses


def _set_keys(prepared: Mapping[ConnectionKey, Prepared], keys: Iterable[OrderKey]) -> Iterable[SetKey]:
    for tenant_id, connection_id, external_id in keys:
        settings = prepared.get((tenant_id, connection_id))
        if settings is not None:
            yield (tenant_id, settings.connection.company_id, connection_id, "order", external_id)


def map_and_record(
    order: Order,
    around: Surroundings,
    batch: Batch,
    *,
    backfill: bool,
    correlation_id: str,
    renew: bool = False,
    again: bool = False,
) -> TransactionSet | None:
    """Map one order and record its set if that changed. None where the connection has no settings yet.

    Documents of an order whose people were removed on request stay as they are: the books are kept by law, and without
    its customer the order would be booked on somebody else's name.

    `renew`: somebody asked for this order to be brought up to date, so that it follows a new transaction mode too.
    `again`: its set is sent even if nothing of it changed.
    """
    tenant_id, connection_id, external_id = key_of(order)
    prepared = around.prepared.get((tenant_id, connection_id))
    if prepared is None:
        return None
    company_id = prepared.connection.company_id
    known = around.known.get((tenant_id, company_id, connection_id, "order", external_id), NOT_YET)
    if order.forgotten and known.history.mapped:
        return None
    result = map_prepared(order, prepared, known.renewed() if renew else known)
    changed = write_set(
        result,
        known,
        batch,
        backfill=backfill,
        correlation_id=correlation_id,
        by_shipment=prepared.rules.defers_invoices,
        again=again,
    )
    write_unmatched(order, prepared.rules, result, known, batch)
    included = result.reason is not None and result.reason.code == IN_SUMMARY
    if result.outcome is not SetOutcome.MAPPED:
        leave_open_summaries(order, known, batch)
    elif included or known.in_summary:
        set_memberships(order, prepared, batch, included=included, kept_mode=result.kept_mode)
    if prepared.connection.payouts.enabled:
        _tell_payouts(order, batch, changed=changed)
    return result


def _tell_payouts(order: Order, batch: Batch, *, changed: bool) -> None:
    """Let payouts find the order, and match again those that it belongs to."""
    for row in reference_rows(order):
        batch.upsert(REFERENCES, row)
    if changed:
        names = [f"order:{order.external_id}", *references_of_order(order), amount_reference(order.total)]
        batch.execute(MARK_MEMBERS, order.tenant_id, order.connection_id, names)


def map_prepared(order: Order, prepared: Prepared, known: KnownSet = NOT_YET) -> TransactionSet:
    """The pure core's answer, or HELD while the company file is not paired."""
    if prepared.configuration is None:
        return _waiting_for_company(order, prepared)
    return map_order(order, prepared.configuration, prepared.rules, prepared.catalog, known.history)


def rule_changes(order: Order, prepared: Prepared) -> tuple[AppliedRule, ...]:
    """What each rule changes on the order, in the order they run: the dry run of section 22.11."""
    changes: list[Change] = []
    prepared.rules.apply(order, changes)
    return tuple(
        AppliedRule(rule_id=one.rule_id, name=one.name, field=one.field, before=one.before, after=one.after)
        for one in changes
    )


def _waiting_for_company(order: Order, prepared: Prepared) -> TransactionSet:
    return TransactionSet(
        tenant_id=order.tenant_id,
        revision=0,
        company_id=prepared.connection.company_id,
        connection_id=order.connection_id,
        source_kind="order",
        source_id=order.external_id,
        source_number=order.number,
        inputs=Inputs(source_revision=order.revision, connection_revision=0, company_revision=0),
        outcome=SetOutcome.HELD,
        reason=company_unknown(prepared.connection.company_id),
        date=order.ordered_on,
        currency=order.currency,
        source_total=order.total,
    )
