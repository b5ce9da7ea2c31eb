"""Takes parts of orders in: kept raw, merged with what is stored, normalised, revised, sent on. One way for all of
webhooks, pushes, polls and refetches.

Everything happens under the locks of the orders concerned and in the caller's transaction, so two arrivals for one
order can't both become its next revision, and what is sent is what is stored.
"""

import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from common.batch import Batch
from common.crypto import Cipher
from common.database import Connection, lock_keys
from common.messages.base import Reason, at_revision
from common.messages.fetching import FetchOutcome
from common.messages.orders import Order, order_key
from ingest.accounts import Opened, read_by
from ingest.arrivals import Arrival, Taken, readable_amount, remember, to_listed
from ingest.channel import Glance
from ingest.errors import DELIVERY_FAULT, PRODUCT_FAULT, IncompleteOrder, NormalizationError, OutOfScope, same_version
from ingest.faults import log_fault
from ingest.metrics import DELIVERIES_REPEATED, ORDERS_TAKEN
from ingest.parts import BEGINNING, Merged, Part, PartKind, Parts, Source, merge
from ingest.store.connections import settings_in_force
from ingest.store.due import FAULT, FETCH_ASKED, REFETCH, RESEND
from ingest.store.orders import (
    NORMALISATIONS,
    ORDERS,
    RAW_PARTS,
    OrderKey,
    StoredOrder,
    content_context,
    known_deliveries,
    load_orders,
    load_parts,
    part_context,
    problem_json,
    replaced,
)
from ingest.store.raw import seal
from ingest.unopened import standing

_DERIVED = b'"derived:'
_MODIFIED = b'"modified_at":"'
_LET_THROUGH = b'"let_through":'
_AFTER_FAULT = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Rules:
    """When an incomplete order is fetched, and when that is given up."""

    refetch_delay: timedelta
    refetch_attempts_max: int


@dataclass(frozen=True, slots=True)
class _Read:
    """Result of normalising: an order, or the reason why there is none."""

    order: Order | None
    problem: Reason | None
    due: str = ""
    """What must be done about it later: `REFETCH`, `FAULT` (read again) or nothing."""
    body: bytes = b""
    """The order's JSON at revision 0, encoded only once."""

    @property
    def state_hash(self) -> bytes:
        """Changes when the order's content or its problem does. A vendor's time stamp is no content."""
        if self.order is None:
            problem = self.problem.model_dump_json() if self.problem is not None else ""
            return hashlib.sha256(problem.encode()).digest()
        before, _, rest = self.body.partition(_MODIFIED)
        return hashlib.sha256(before + rest.partition(b'"')[2]).digest()


class Intake:
    """Takes arrivals in, in the caller's transaction."""

    def __init__(self, cipher: Cipher, rules: Rules) -> None:
        self._cipher = cipher
        self._rules = rules

    async def take(
        self, connection: Connection, arrivals: Sequence[Arrival], batch: Batch, now: datetime | None = None
    ) -> dict[OrderKey, Taken]:
        """Store, normalise and record what to send. Returns the new state of each order."""
        at = now or datetime.now(UTC)
        groups: dict[OrderKey, list[Arrival]] = {}
        for arrival in arrivals:
            groups.setdefault(arrival.key, []).append(arrival)
        keys = sorted(groups)
        await lock_keys(connection, [order_key(*key) for key in keys])
        settings = await settings_in_force(connection, sorted({key[0] for key in keys}))
        orders = await load_orders(connection, keys)
        # An order that is new has no parts yet, as both are written together.
        held = [key for key in keys if key in orders]
        parts = await load_parts(connection, self._cipher, held) if held else {}
        taken: dict[OrderKey, Taken] = {}
        for key in keys:
            if key in orders and key not in parts and not any(arrival.parts for arrival in groups[key]):
                taken[key] = self._left_alone(key, orders[key], groups[key][-1], batch)
                continue
            opened = read_by(groups[key][-1].opened, settings.get(key[0]))
            taken[key] = self._one(key, opened, groups[key], parts.get(key, []), orders.get(key), batch, at)
            ORDERS_TAKEN.labels(opened.channel.name, taken[key].outcome.value).inc()
        return taken

    def _left_alone(self, key: OrderKey, stored: StoredOrder, arrival: Arrival, batch: Batch) -> Taken:
        """Nothing is left to read the order from: its retention is over, or it was forgotten. It stays as it is."""
        batch.execute(
            "UPDATE orders SET due_at = NULL, due_kind = '', due_attempts = 0"
            " WHERE connection_id = $1 AND external_id = $2",
            *key,
        )
        if arrival.again:
            self._say_again(key, stored, arrival, batch)
        if arrival.again and stored.content is not None:
            body = self._cipher.decrypt(stored.content, content_context(key))
            batch.publish(Order.model_validate_json(body), correlation_id=arrival.correlation_id, body=body)
        return Taken(stored.revision, FetchOutcome.UNCHANGED, stored.number, stored.problem)

    def _one(
        self,
        key: OrderKey,
        opened: Opened,
        arrivals: Sequence[Arrival],
        stored_parts: Sequence[Part],
        stored: StoredOrder | None,
        batch: Batch,
        at: datetime,
    ) -> Taken:
        merged = merge(stored_parts, [part for arrival in arrivals for part in arrival.parts])
        asked = {one for arrival in arrivals for one in arrival.let_through}
        read = self._read(key, opened, merged, stored, asked)
        taken = self._record(key, arrivals[-1], merged, read, stored, batch, at)
        changed = {part.key for part in merged.changed}
        if asked and not changed and taken.outcome is FetchOutcome.STORED:
            # All that is new is that somebody asked for it.
            taken = replace(taken, outcome=FetchOutcome.UNCHANGED)
        topics = {part.key: arrival for arrival in arrivals for part in arrival.parts}
        for part in merged.changed:
            self._keep(key[0], part, topics.get(part.key, arrivals[-1]), batch, at)
        for arrival in arrivals:
            if arrival.delivery_id:
                remember(arrival, batch, at, ignored=not any(part.key in changed for part in arrival.parts))
        if merged.contradictory and not changed and not opened.account.fetches:
            # Nobody can be asked which of the two is right, so the sender is told that this one was not taken, and not
            # what may be wrong with the other.
            return replace(taken, problem=same_version(max(part.version for part in merged.parts)))
        return taken

    def _read(
        self, key: OrderKey, opened: Opened, merged: Merged, stored: StoredOrder | None, asked: Set[str]
    ) -> _Read:
        fetches = opened.account.fetches
        refetch = REFETCH if merged.contradictory and fetches else ""
        aside = standing(key[1], merged.parts)
        if aside is not None:
            return _Read(None, aside, FAULT if aside is DELIVERY_FAULT else "")
        try:
            content = self._cipher.decrypt(stored.content, content_context(key)) if stored and stored.content else b""
            parts = Parts.of(key[1], (*merged.parts, *_concluded(key, content)))
            order = opened.channel.normalize(parts, opened.account)
            through = asked | let_through_before(content)
            if through:
                order = order.model_copy(update={"let_through": tuple(sorted(through))})
            return _Read(order, None, refetch, order.encoded())
        except IncompleteOrder as error:
            if fetches and _attempts(stored, REFETCH) < self._rules.refetch_attempts_max:
                return _Read(None, error.waiting(), REFETCH)
            return _Read(None, error.refused())
        except (NormalizationError, OutOfScope) as error:
            return _Read(None, error.reason)
        except Exception as error:  # noqa: BLE001 - logged; what the channel sent must be kept whatever our bugs do
            log_fault("read", key, error)
            return _Read(None, PRODUCT_FAULT, refetch or FAULT)

    def _record(
        self,
        key: OrderKey,
        arrival: Arrival,
        merged: Merged,
        read: _Read,
        stored: StoredOrder | None,
        batch: Batch,
        at: datetime,
    ) -> Taken:
        state_hash = read.state_hash
        due = self._due(read, stored, at, answered=arrival.again)
        outcome = FetchOutcome.STORED if read.order is not None else FetchOutcome.REFUSED
        if stored is not None and stored.state_hash == state_hash:
            if due != (stored.due_at, stored.due_kind, stored.due_attempts):
                batch.execute(
                    "UPDATE orders SET due_at = $3, due_kind = $4, due_attempts = $5"
                    " WHERE connection_id = $1 AND external_id = $2",
                    *key,
                    *due,
                )
            # A resend that still waits has its answer with whatever arrives first.
            asked = arrival.again or stored.due_kind == RESEND
            if asked:
                self._say_again(key, stored, arrival, batch)
            if read.order is not None:
                outcome = FetchOutcome.UNCHANGED
                if asked:
                    self._send(read.order, read.body, stored.content_revision, arrival, batch)
            return Taken(stored.revision, outcome, stored.number, stored.problem)
        revision = stored.revision + 1 if stored is not None else 1
        row = self._row(key, arrival, merged, read, stored, revision)
        if read.order is not None:
            body = self._send(read.order, read.body, revision, arrival, batch)
            row["content"] = self._cipher.encrypt(body, content_context(key))
            row["content_revision"] = revision
        row |= {"state_hash": state_hash, "received_at": at, "run_id": arrival.run_id}
        row |= dict(zip(("due_at", "due_kind", "due_attempts"), due, strict=True))
        batch.upsert(ORDERS, row)
        if stored is not None:
            batch.upsert(NORMALISATIONS, replaced(key, stored))
        batch.publish(
            to_listed(key, arrival.opened.channel.name, row, read.problem),
            correlation_id=arrival.correlation_id,
            traceparent=arrival.traceparent,
        )
        return Taken(revision, outcome, row["number"], read.problem)

    def _say_again(self, key: OrderKey, stored: StoredOrder, arrival: Arrival, batch: Batch) -> None:
        """Tell who asked that the order stands as it did, refused or not."""
        row = {one.name: getattr(stored, one.name) for one in fields(stored)}
        listed = to_listed(key, arrival.opened.channel.name, row, stored.problem)
        batch.publish(listed, correlation_id=arrival.correlation_id, traceparent=arrival.traceparent)

    def _send(self, order: Order, unnumbered: bytes, revision: int, arrival: Arrival, batch: Batch) -> bytes:
        """Publish the order at a revision. Returns its JSON at that revision."""
        body = at_revision(unnumbered, revision)
        batch.publish(
            order,
            revision=revision,
            backfill=arrival.backfill,
            correlation_id=arrival.correlation_id,
            traceparent=arrival.traceparent,
            body=body,
        )
        return body

    def _row(
        self,
        key: OrderKey,
        arrival: Arrival,
        merged: Merged,
        read: _Read,
        stored: StoredOrder | None,
        revision: int,
    ) -> dict[str, Any]:
        row: dict[str, Any] = {
            "connection_id": key[0],
            "external_id": key[1],
            "tenant_id": arrival.opened.account.tenant_id,
            "revision": revision,
            "content": stored.content if stored is not None else None,
            "content_revision": stored.content_revision if stored is not None else 0,
            "problem": problem_json(read.problem),
        }
        order = read.order
        if order is not None:
            status = f"{order.financial_status}/{order.fulfillment_status}/{order.lifecycle}"
            return row | {
                "number": order.number,
                "status": status,
                "ordered_on": order.ordered_on,
                "currency": order.currency,
                "total": order.total,
            }
        seen = _glance(arrival, key, merged)
        return row | {
            "number": seen.number or (stored.number if stored is not None else ""),
            "status": "",
            "ordered_on": stored.ordered_on if stored is not None else None,
            "currency": seen.currency,
            "total": readable_amount(seen.total),
        }

    def _due(
        self, read: _Read, stored: StoredOrder | None, at: datetime, *, answered: bool
    ) -> tuple[datetime | None, str, int]:
        if stored is not None and stored.due_at is not None and stored.due_kind == FETCH_ASKED and not answered:
            # What comes by itself is not what somebody wants to be asked for.
            return (stored.due_at, FETCH_ASKED, stored.due_attempts)
        if not read.due:
            return (None, "", 0)
        attempts = _attempts(stored, read.due)
        if stored is not None and stored.due_at is not None and stored.due_kind == read.due:
            return (stored.due_at, read.due, attempts)
        if read.due == FAULT:
            return (at + _AFTER_FAULT, FAULT, 0)
        # Twice as long after each attempt: the channel's own update usually comes first.
        return (at + self._rules.refetch_delay * (2 ** min(attempts, 8)), REFETCH, attempts)

    def _keep(self, connection_id: str, part: Part, arrival: Arrival, batch: Batch, at: datetime) -> None:
        batch.upsert(
            RAW_PARTS,
            {
                "connection_id": connection_id,
                "order_id": part.order_id,
                "kind": part.kind.value,
                "part_id": part.part_id,
                "version": part.version,
                "rank": part.rank,
                "source": part.source.value,
                "topic": arrival.topic,
                "size": len(part.raw),
                "body": seal(self._cipher, part.raw, part_context(connection_id, part.key)),
                "received_at": at,
                "run_id": arrival.run_id,
            },
        )


def _concluded(key: OrderKey, content: bytes) -> tuple[Part, ...]:
    """Tenders that were concluded from totals, as published: the real payment takes over their identity."""
    if _DERIVED not in content:
        return ()
    rows = [
        {
            "external_id": tender["external_id"],
            "method": tender["method"],
            "amount": tender["amount"],
            "at": tender["captured_at"],
        }
        for tender in orjson.loads(content)["tenders"]
        if tender["external_id"].startswith("derived:")
    ]
    return (Part(PartKind.DERIVED_TENDER, key[1], orjson.dumps(rows), BEGINNING, source=Source.OWN, parsed=rows),)


def let_through_before(content: bytes) -> Set[str]:
    """What the order as published was let through; a shop may have a field of its own of that name."""
    return set(orjson.loads(content).get("let_through", ())) if _LET_THROUGH in content else set()


def _attempts(stored: StoredOrder | None, kind: str) -> int:
    """How often this was tried since it became due."""
    return stored.due_attempts if stored is not None and stored.due_kind == kind else 0


def _glance(arrival: Arrival, key: OrderKey, merged: Merged) -> Glance:
    """What can be shown of an order that could not be read; nothing where a bug keeps even that from us."""
    try:
        return arrival.opened.channel.glance(Parts.of(key[1], merged.parts))
    except Exception as error:  # noqa: BLE001 - a list without a number is better than an order that is lost
        log_fault("glance", key, error)
        return Glance()


async def unknown_only(
    connection: Connection, arrivals: Sequence[Arrival]
) -> tuple[list[Arrival], dict[tuple[str, str], bytes]]:
    """Leave out deliveries that came before; also returns the digests of those."""
    wanted = {(a.key[0], a.delivery_id) for a in arrivals if a.delivery_id}
    known = await known_deliveries(connection, sorted(wanted))
    for arrival in arrivals:
        if (arrival.key[0], arrival.delivery_id) in known:
            DELIVERIES_REPEATED.labels(arrival.opened.channel.name).inc()
    return [a for a in arrivals if (a.key[0], a.delivery_id) not in known], known
