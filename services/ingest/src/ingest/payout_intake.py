"""Takes payouts in: raw parts kept, normalised, revised, sent on. One way for runs, webhooks and uploads.

A payout belongs to the connection whose orders it pays out, which for a processor is not the connection that fetched
it: mapper looks for its sales among that connection's orders, and by that connection's settings.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from common.batch import Batch
from common.crypto import Cipher
from common.database import Connection, lock_keys
from common.errors import Rejected
from common.messages.base import Reason, at_revision
from common.messages.fetching import FetchOutcome
from common.messages.orders import Payout
from ingest.accounts import Opened, zone_of
from ingest.channel import Account
from ingest.errors import NormalizationError, OutOfScope
from ingest.faults import log_fault
from ingest.payout_lines import is_settled
from ingest.payout_parts import PayoutPart, PayoutParts
from ingest.store import payouts as store
from ingest.store.connections import settings_in_force
from ingest.store.orders import problem_json
from ingest.store.payouts import StoredPayout
from ingest.store.raw import seal

Reader = Callable[[PayoutParts, Account], Payout]
"""Pure. Raises `NormalizationError` or `OutOfScope`; the payout has revision 0."""


_FAULT = Reason(
    code="PRODUCT_FAULT",
    text="A fault of tillbook keeps this payout from being read; the fault is in the service's log.",
    cure="Report it with the payout's id. It is kept, and read again with each run of payouts, or when it is uploaded.",
)


@dataclass(frozen=True, slots=True)
class PayoutArrival:
    """All parts of one payout. Without parts, those stored are read again."""

    tenant_id: str
    connection_id: str
    """The connection whose orders the payout pays out."""
    source_id: str
    """The connection it was fetched or uploaded through."""
    payout_id: str
    format: str
    via: str
    """`api`, `webhook` or `upload`."""
    parts: tuple[PayoutPart, ...] = ()
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class TakenPayout:
    """What became of one payout."""

    payout_id: str
    revision: int
    outcome: FetchOutcome
    problem: Reason | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    payout: Payout | None
    problem: Reason | None
    body: bytes = b""

    @property
    def state_hash(self) -> bytes:
        problem = self.problem.model_dump_json() if self.problem is not None else ""
        return hashlib.sha256(problem.encode() + b"\n" + self.body).digest()


class PayoutIntake:
    """Takes payouts in, in the caller's transaction."""

    def __init__(self, cipher: Cipher, readers: dict[str, Reader]) -> None:
        self._cipher = cipher
        self._readers = readers

    async def take(self, connection: Connection, arrival: PayoutArrival, batch: Batch) -> TakenPayout:
        """Store, normalise and record what to send. Raises `Rejected` where the id is another source's payout."""
        key = (arrival.connection_id, arrival.payout_id)
        await lock_keys(connection, ["/payout/".join(key)])
        settings = await settings_in_force(connection, [arrival.connection_id])
        stored = await store.find(connection, *key)
        if stored is not None and (stored.tenant_id, stored.format) != (arrival.tenant_id, arrival.format):
            raise Rejected(_taken(stored, arrival))
        parts = arrival.parts or await store.load_parts(connection, self._cipher, *key)
        reading = settings.get(arrival.connection_id)
        account = Account(arrival.tenant_id, arrival.connection_id, zone_of(reading.time_zone if reading else "UTC"))
        # A settlement report has a hundred thousand rows: others must not wait for it to be read.
        read = await asyncio.to_thread(self._read, arrival, PayoutParts(arrival.payout_id, parts), account, stored)
        self._keep(arrival, batch)
        return self._record(arrival, read, stored, batch)

    def _read(self, arrival: PayoutArrival, parts: PayoutParts, account: Account, stored: StoredPayout | None) -> _Read:
        try:
            payout = self._readers[arrival.format](parts, account)
        except (NormalizationError, OutOfScope) as error:
            return _Read(None, error.reason)
        except Exception as error:  # noqa: BLE001 - logged; the payout is kept, and read again with the next run
            log_fault("payout", (arrival.connection_id, arrival.payout_id), error)
            return _Read(None, _FAULT)
        if not is_settled(payout) and (stored is None or stored.content is None):
            return _Read(payout, _not_paid(payout))
        return _Read(payout, None, payout.encoded())

    def _keep(self, arrival: PayoutArrival, batch: Batch) -> None:
        if not arrival.parts:
            return
        for part in arrival.parts:
            context = store.part_context(arrival.connection_id, arrival.payout_id, part.key)
            batch.upsert(
                store.PARTS,
                {
                    "connection_id": arrival.connection_id,
                    "payout_id": arrival.payout_id,
                    "kind": part.kind,
                    "part_id": part.part_id,
                    "digest": hashlib.sha256(part.raw).digest(),
                    "size": len(part.raw),
                    "body": seal(self._cipher, part.raw, context),
                    "received_at": datetime.now(UTC),
                    "run_id": arrival.run_id,
                },
            )
        batch.execute(
            store.DROP_OTHER_PARTS,
            arrival.connection_id,
            arrival.payout_id,
            [part.kind for part in arrival.parts],
            [part.part_id for part in arrival.parts],
        )

    def _record(self, arrival: PayoutArrival, read: _Read, stored: StoredPayout | None, batch: Batch) -> TakenPayout:
        key = (arrival.connection_id, arrival.payout_id)
        if stored is not None and stored.state_hash == read.state_hash:
            batch.execute(store.NOT_DUE, *key)
            return TakenPayout(arrival.payout_id, stored.revision, FetchOutcome.UNCHANGED, read.problem)
        revision = (stored.revision if stored is not None else 0) + 1
        payout, is_sent = read.payout, read.problem is None
        body = at_revision(read.body, revision)
        content = self._cipher.encrypt(body, store.content_context(*key)) if is_sent else stored and stored.content
        batch.upsert(
            store.PAYOUTS,
            {
                "connection_id": arrival.connection_id,
                "external_id": arrival.payout_id,
                "tenant_id": arrival.tenant_id,
                "source_id": arrival.source_id,
                "format": arrival.format,
                "via": arrival.via,
                "revision": revision,
                "state_hash": read.state_hash,
                "content": content,
                "content_revision": revision if is_sent else stored.content_revision if stored is not None else 0,
                "status": payout.status if payout is not None else stored.status if stored is not None else "",
                "paid_on": payout.paid_on if payout is not None else stored.paid_on if stored is not None else None,
                "currency": payout.currency if payout is not None else stored.currency if stored is not None else "",
                "net": payout.net if payout is not None else stored.net if stored is not None else None,
                "lines": len(payout.lines) if payout is not None else stored.lines if stored is not None else 0,
                "problem": problem_json(read.problem),
                "received_at": datetime.now(UTC),
                "run_id": arrival.run_id,
                "due_at": None,
                "due_attempts": 0,
            },
        )
        if payout is not None and is_sent:
            batch.publish(payout, revision=revision, body=body)
        outcome = FetchOutcome.STORED if is_sent else FetchOutcome.REFUSED
        return TakenPayout(arrival.payout_id, revision, outcome, read.problem)


def belongs_to(opened: Opened) -> str:
    """The connection whose orders a connection's payouts pay out: its own, unless its credentials name another."""
    return opened.credentials.orders_connection_id or opened.account.connection_id


def _not_paid(payout: Payout) -> Reason:
    return Reason(
        code="PAYOUT_NOT_PAID",
        text=f"the payout is {payout.status}: it becomes a deposit when the money is at the bank",
        field="status",
        value=payout.status,
    )


def _taken(stored: StoredPayout, arrival: PayoutArrival) -> Reason:
    return Reason(
        code="PAYOUT_EXISTS",
        text=f"payout {arrival.payout_id} came from another source ({stored.format}) before",
        cure="give this payout another id, or leave it out",
        field="payout_id",
        value=arrival.payout_id,
    )
