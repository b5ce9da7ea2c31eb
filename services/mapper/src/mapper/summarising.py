"""Making a summary in a transaction: between the store, the clock and the pure core."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from common.batch import Batch
from common.database import Connection
from common.messages.orders import Order
from mapper.mapping.configuration import Configuration
from mapper.mapping.reasons import Held
from mapper.mapping.summaries import KINDS, Membership, map_summary, memberships, summary_mode
from mapper.store.configurations import Prepared
from mapper.store.sets import NOT_YET, KnownSet, known_sets, read_sets, write_set
from mapper.store.summaries import KEEP_MEMBERS_MODE, LEAVE_OPEN, MADE, SET_MEMBERSHIPS, DueSummary, members_of


def set_memberships(order: Order, prepared: Prepared, batch: Batch, *, included: bool, kept_mode: str) -> None:
    """Record which summaries an order is part of, and have those made again that it joined or left.

    `kept_mode`: the mode that its set was made by; empty where a rule or the order chose it.
    """
    members: tuple[Membership, ...] = ()
    if included and prepared.configuration is not None:
        try:
            members = memberships(order, prepared.configuration, prepared.rules, kept_mode)
        except Held:
            members = ()  # the order's own set says why; it joins a summary when that is cured
    batch.execute(
        SET_MEMBERSHIPS,
        order.tenant_id,
        order.connection_id,
        order.external_id,
        [one.summary_id for one in members],
        [one.day for one in members],
        [end_of(one.day, prepared.connection.time_zone) for one in members],
    )


def leave_open_summaries(order: Order, known: KnownSet, batch: Batch) -> None:
    """Take an order that is held or filtered now out of days that are not over.

    What such a set had written stays, and so does the order in a summary that is in the ledger: switching a connection
    off would empty all of them.
    """
    if known.in_summary:
        batch.execute(LEAVE_OPEN, order.tenant_id, order.connection_id, order.external_id)


def end_of(day: date, time_zone: str) -> datetime:
    """When a day is over where the channel is, in UTC; UTC days where the zone is not known."""
    midnight = datetime.combine(day + timedelta(days=1), time())
    try:
        return midnight.replace(tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        return midnight.replace(tzinfo=UTC)


async def make_summary(
    connection: Connection, tenant_id: str, due: DueSummary, prepared: Prepared | None, now: datetime, batch: Batch
) -> None:
    """Make one claimed summary again and record its set if that changed."""
    if prepared is None or prepared.configuration is None:
        batch.execute(MADE, tenant_id, due.connection_id, due.summary_id, True)
        return
    key = (tenant_id, prepared.connection.company_id, due.connection_id, "summary", due.summary_id)
    known = (await known_sets(connection, [key])).get(key, NOT_YET)
    members = await members_of(connection, tenant_id, due)
    kept = await _kept_mode(connection, tenant_id, prepared.configuration, known, members)
    mode = summary_mode(members, prepared.configuration, prepared.rules, kept)
    if mode not in KINDS:
        batch.execute(MADE, tenant_id, due.connection_id, due.summary_id, True)
        return
    if not prepared.connection.merge_refunds:
        # Who joined after the setting changed is booked as the summary is: refunds wait for the document that it has.
        member_of = (tenant_id, prepared.connection.company_id, due.connection_id, due.summary_id)
        batch.execute(KEEP_MEMBERS_MODE, *member_of, mode.value, [one.value for one in KINDS])
    finished = due.due_at <= now
    batch.execute(MADE, tenant_id, due.connection_id, due.summary_id, finished)
    result = map_summary(
        Membership(due.summary_id, due.day),
        tenant_id,
        members,
        prepared.configuration,
        prepared.rules,
        prepared.catalog,
        mode=mode,
        finished=finished,
        previous=next(iter(await read_sets(connection, [key])), None) if known.revision else None,
    )
    write_set(result, known, batch, backfill=True, correlation_id="")


async def _kept_mode(
    connection: Connection, tenant_id: str, configuration: Configuration, known: KnownSet, members: Sequence[Order]
) -> str:
    """The mode that a summary was begun by, empty where the connection's decides (decision 0011).

    One that was never made was begun by its first member: the setting may have changed since that joined.
    """
    settings = configuration.connection
    # Before the first approval nothing is written. A mode without summaries empties those that there are.
    if configuration.company.approved_at is None and settings.mode in KINDS:
        return ""
    if known.history.mode or not members:
        return known.history.mode
    first = min(members, key=lambda one: (one.created_at, one.external_id))
    key = (tenant_id, settings.company_id, settings.connection_id, "order", first.external_id)
    return (await known_sets(connection, [key])).get(key, NOT_YET).history.mode
