"""One pass of a lane: take what is due, plan, look up, commit intents, write, record.

The order is what makes a crash harmless: nothing is sent before its intent is committed, and an intent is only
cleared in the transaction that records its outcome.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import orjson
import structlog

from common.messages.base import Reason
from common.messages.documents import DocumentState
from common.runtime import Runtime
from common.telemetry import record_span
from ledger_writer.lanes import outcomes
from ledger_writer.lanes.attaching import with_file
from ledger_writer.lanes.gathering import Gathered, gather, leaving_of
from ledger_writer.lanes.looking_up import LedgerAway, Wave, look_up
from ledger_writer.lanes.outcomes import Item
from ledger_writer.lanes.rematching import Doubtful, doubtful_customer, match_again
from ledger_writer.lanes.resolving import Asked, resolve
from ledger_writer.ledgers.abilities import KeepsBookmark
from ledger_writer.ledgers.protocol import (
    Ledger,
    LedgerSession,
    NotSent,
    Operation,
    OperationKind,
    Outcome,
    Refused,
    Unanswered,
    Written,
)
from ledger_writer.planning.dependencies import referred
from ledger_writer.planning.model import Later, Write
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import TRANSITIONS, Event
from ledger_writer.store import due, lanes
from ledger_writer.store.companies import Company
from ledger_writer.store.due import Move
from ledger_writer.store.rows import Row, to_known

log = structlog.get_logger(__name__)

_EDITS = frozenset({OperationKind.UPDATE.value, OperationKind.VOID.value})
_RECORD_EVERY_S = 1.0
"""Outcomes of a slow ledger are recorded this often while the rest of the batch is still being written."""


class CompanyStopped(Exception):
    """No write to the company file can succeed until somebody acts."""

    def __init__(self, refusal: Refused) -> None:
        super().__init__(refusal.reason.code)
        self.refusal = refusal


class Pass:
    """Works on one company file while its lane is held."""

    def __init__(
        self,
        runtime: Runtime,
        lease: lanes.Lease,
        company: Company,
        ledger: Ledger,
        session: LedgerSession,
        lease_s: float,
    ) -> None:
        self._runtime = runtime
        self._pool = runtime.pool
        self._lease = lease
        self._company = company
        self._ledger = ledger
        self._session = session
        self._lease_s = lease_s
        self._at_work: Sequence[Row] = ()
        self._unresolved: str | None = None
        """Intents that stay committed until what became of all of them is known."""

    async def run(self, limit: int) -> int:
        """Take up to `limit` due documents and bring them as far as they go. Returns how many were taken.

        Raises `LeaseLost`, `CompanyStopped` or `LedgerAway`.
        """
        rows = await due.take(self._pool, self._company.company_id, limit)
        # One alone is asked for where a fault is to be traced to its document: the queue and the retries give one each.
        for part in [rows] if limit > 1 else [[row] for row in rows]:
            self._at_work = part
            await self._bring_on(part)
        return len(rows)

    async def _bring_on(self, rows: Sequence[Row]) -> None:
        unknown = [row for row in rows if row.state == DocumentState.UNKNOWN]
        if unknown:
            await self._resolve([(row, *_intent_of(row)) for row in unknown])
        ready = [row for row in rows if row.state != DocumentState.UNKNOWN]
        if ready:
            await self._work_off(await gather(self._pool, self._company, self._ledger, self._session, ready))

    async def resolve_intents(self, intents: str, of: str) -> int:
        """Find out what became of requests whose sender died: by look-up, before anything else is sent.

        `intents` is what is looked for, `of` all there is until `all_resolved`. Returns how many were looked for.
        """
        self._unresolved = of
        entries = {entry["k"]: entry for entry in orjson.loads(intents)}
        self._at_work = rows = await due.by_keys(self._pool, entries)
        # Outcomes that were recorded before the crash have raised the generation already.
        open_rows = [row for row in rows if entries[row.document_key]["g"] == row.generation]
        log.info("lane_resolves_intents", company_id=self._company.company_id, intents=len(open_rows))
        await self._resolve(
            [(row, entries[row.document_key]["o"], entries[row.document_key]["h"]) for row in open_rows]
        )
        return len(open_rows)

    async def set_aside(self, error: Exception) -> None:
        """Show the document that a pass of one failed at to a person, so that the others go on."""
        for row in await due.by_keys(self._pool, [row.document_key for row in self._at_work]):
            if (DocumentState(row.state), Event.NEEDS_PERSON) not in TRANSITIONS:
                continue  # recorded before the fault came up
            await self._record([(row, outcomes.set_aside(row, error))], {}, intents=self._unresolved)

    def all_resolved(self) -> None:
        """Nothing that was sent by somebody else is left to look for."""
        self._unresolved = None

    async def note(self, moved: Sequence[tuple[Row, Move]]) -> None:
        """Record what was found in the ledger without anything having been sent."""
        await self._record(moved, {}, intents=None)

    async def _resolve(self, asked: Sequence[Asked]) -> None:
        """Look for what was sent without an answer, and record what was found."""
        moves, applied = await resolve(self._session, self._pool, asked, self._ledger.request_timeout_s)
        await self._record(moves, applied, intents=self._unresolved)

    async def _work_off(self, gathered: Gathered) -> None:
        """Work in waves: a ledger that names its documents itself can't take two at once that refer to each other."""
        items = gathered.items
        while items:
            steps = plan([item.desired for item in items.values()], gathered.known, gathered.terms, gathered.leaving)
            coming = {step.operation.document_key for step in steps if isinstance(step, Write)}
            later: dict[str, Item] = {}
            moves: list[tuple[Row, Move]] = []
            for step in steps:
                # What is left for later stays due: the next pass asks the ledger again what is open by then.
                if isinstance(step, Write | Later):
                    continue
                if step.blocked_by in coming or step.blocked_by in later:
                    later[step.key] = items[step.key]
                else:
                    moves.append((items[step.key].row, outcomes.settled(items[step.key], step)))
            await self._carry_out([step for step in steps if isinstance(step, Write)], items, moves)
            items = later
            if later:
                keys = {key for item in later.values() for key in referred(item.desired.wanted)}
                gathered.known.update({row.document_key: to_known(row) for row in await due.by_keys(self._pool, keys)})
                gathered.leaving = await leaving_of(self._pool, later.values())

    async def _carry_out(
        self, writes: Sequence[Write], items: Mapping[str, Item], settled: list[tuple[Row, Move]]
    ) -> None:
        """Look up, commit intents, send and record one wave, together with what was settled without a write."""
        wave = await look_up(self._session, self._pool, self._company.company_id, writes, items)
        wave.moves = settled + wave.moves
        for row, move in settled:
            if move.is_write:
                outcomes.take_off(wave.applied, items[row.document_key])
        intents = _encode_intents(wave.operations, items) if wave.operations else None
        company = self._company
        # Also where nothing is sent: what settings released while the lane was busy must not be held by the old ones.
        await lanes.intend(self._pool, self._lease, intents, self._lease_s, company.revision, company.settings_revision)
        if intents is None:
            await self._record(wave.moves, wave.applied, intents=None)
            return
        notices = {write.operation.document_key: write.notices for write in writes}
        await self._send(wave, items, notices, intents)

    async def _send(
        self, wave: Wave, items: Mapping[str, Item], notices: Mapping[str, tuple[Reason, ...]], intents: str
    ) -> None:
        """Hand the batch to the ledger and record outcomes as they come."""
        waiting = {operation.document_key: operation for operation in wave.operations}
        doubtful: list[Doubtful] = []
        stop: Refused | None = None
        stopped: list[str] = []
        wait_s: float | None = None
        started = recorded_at = time.monotonic()
        async for key, answer in self._outcomes(wave.operations):
            operation, item = waiting.pop(key), items[key]
            outcome = await with_file(self._session, operation, answer) if isinstance(answer, Written) else answer
            if isinstance(outcome, NotSent):
                wait_s = max(wait_s or 0.0, outcome.retry_after_s)
                continue
            if isinstance(outcome, Refused) and outcome.stops_company:
                stop = outcome
                stopped.append(key)
                continue
            if isinstance(outcome, Written):
                if outcome.applied is not None:
                    operation = replace(operation, applications=outcome.applied)
                outcomes.add_changes(wave.applied, item, operation)
            customer = doubtful_customer(operation, outcome)
            if isinstance(outcome, Refused) and customer is not None:
                doubtful.append((customer, operation, outcome))
                continue
            move = _to_move(item, operation, outcome, notices[key])
            took_s = time.monotonic() - started
            move.duration_ms = int(took_s * 1000)
            record_span("ledger write", item.row.traceparent, took_s, kind=item.row.kind, ledger=self._ledger.name)
            wave.moves.append((item.row, move))
            if waiting and time.monotonic() - recorded_at > _RECORD_EVERY_S:
                await self._record(wave.moves, wave.applied, intents=intents)
                wave.moves, wave.applied, recorded_at = [], {}, time.monotonic()
        if doubtful:
            wave.moves += await match_again(self._session, self._pool, doubtful, items)
        await self._record(wave.moves, wave.applied, intents=None, clears=True, stopped=stopped)
        if stop is not None:
            raise CompanyStopped(stop)
        if wait_s is not None:
            raise LedgerAway("the ledger asked us to wait", wait_s)

    async def _outcomes(self, operations: Sequence[Operation]) -> AsyncIterator[tuple[str, Outcome]]:
        """The ledger's outcomes, and for what it left unanswered because of a bug of ours, that."""
        left = {operation.document_key for operation in operations}
        detail = "the adapter gave no outcome"
        try:
            async for key, outcome in self._session.write(operations):
                left.discard(key)
                yield key, outcome
        except Exception as error:
            # An adapter raises only for its own bugs; the documents it was busy with are looked up and tried later.
            log.exception("ledger_adapter_failed", company_id=self._company.company_id, ledger=self._ledger.name)
            detail = f"the adapter failed: {type(error).__name__}"
        for key in sorted(left):
            yield key, Unanswered(detail)

    async def _record(
        self,
        moved: Sequence[tuple[Row, Move]],
        applied: Mapping[str, Decimal],
        *,
        intents: str | None,
        clears: bool = False,
        stopped: Sequence[str] = (),
    ) -> None:
        """Outcomes, timeline, dependents and messages in one transaction, fenced by the lane's epoch.

        `stopped`: keys of documents that were refused only because nothing can be written to the company file.
        """
        if not moved and not clears:
            return
        by_key = {move.document_key: (row, move) for row, move in moved}
        moves = [move for _, move in by_key.values()]
        wrote = any(move.is_write for move in moves)
        bookmark = self._session.bookmark() if wrote and isinstance(self._session, KeepsBookmark) else None
        async with self._runtime.transaction() as (connection, batch):
            has_blocked = await lanes.fence(connection, self._lease, intents, bookmark)
            await due.begin_anew(connection, stopped)
            if not moves:
                return
            recorded = await due.record(connection, moves)
            await due.add_attempts(connection, moves)
            overtaken: dict[str, str] = {}
            messages: list[bytes] = []
            for one in recorded:
                row, move = by_key[one.document_key]
                if move.is_write and move.written_hash != one.content_hash:
                    overtaken[one.document_key] = row.wanted
                messages.append(outcomes.to_message(row, move, one))
            for outgoing in outcomes.to_outbox(messages, self._lease.tenant_id):
                batch.send(outgoing)
            await due.keep_written(connection, overtaken)
            await due.keep_sent(connection, moves)
            await due.keep_applications(connection, moves)
            await due.apply(connection, applied)
            freed = {key for key, (row, move) in by_key.items() if outcomes.frees_dependents(row, move)}
            roomier = [move.document_key for move in moves if move.is_write and _makes_room(move)]
            if roomier:
                await due.apply_again(connection, roomier)
            if freed and (has_blocked or any(move.blocked_by in freed for move in moves)):
                await due.release(connection, sorted(freed))


def _makes_room(move: Move) -> bool:
    """Whether money of its set that found too little to be applied to may find it now."""
    return move.operation in _EDITS or move.outcome == "linked"


def _to_move(item: Item, operation: Operation, outcome: Outcome, notices: Sequence[Reason]) -> Move:
    match outcome:
        case Written():
            return outcomes.written(item, operation, outcome, notices)
        case Refused():
            return outcomes.refused(item, operation, outcome)
        case Unanswered():
            return outcomes.unanswered(item, operation, outcome)
        case NotSent():
            raise TypeError("what was not sent is not recorded")


def _encode_intents(operations: Sequence[Operation], items: Mapping[str, Item]) -> str:
    entries = [
        {
            "k": operation.document_key,
            "o": operation.operation,
            "g": operation.generation,
            "h": items[operation.document_key].desired.content_hash,
        }
        for operation in operations
    ]
    return orjson.dumps(entries).decode()


def one_by_one(intents: str) -> list[str]:
    """The same intents, each by itself."""
    return [orjson.dumps([entry]).decode() for entry in orjson.loads(intents)]


def _intent_of(row: Row) -> tuple[str, str]:
    operation, _, content = row.intent.partition(":")
    return operation, content
