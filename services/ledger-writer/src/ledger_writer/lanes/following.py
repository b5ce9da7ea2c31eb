"""Following what others do in the ledger: reference lists that changed, and documents that were changed or deleted.

Whatever raises the suspicion (a notice of the ledger, its change feed, or all of it where the feed can't tell), the
ledger itself is asked before anything is said: what we wrote ourselves, and what QuickBooks does to a document when
another one is linked to it, is no change. Nothing is ever written over: a person decides (domain reference, 23).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from common.errors import Rejected
from common.messages.base import Reason
from common.messages.documents import DocumentState
from common.runtime import Runtime
from ledger_writer.lanes.listing import follow_lists
from ledger_writer.lanes.work import Pass
from ledger_writer.ledgers.changes import FollowsChanges
from ledger_writer.ledgers.protocol import CompanyRefused, Ledger, LedgerFacts, LedgerSession
from ledger_writer.planning.plan import is_others
from ledger_writer.planning.states import LEDGER_DELETED, Event, next_state
from ledger_writer.store import catalog, checks, due
from ledger_writer.store.companies import Company
from ledger_writer.store.due import Move
from ledger_writer.store.rows import Row, decode_link, parse_wanted

log = structlog.get_logger(__name__)

CHANGED = "LEDGER_CHANGED"
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Follower:
    """Looks at one company file for its lane, between two passes."""

    runtime: Runtime
    company: Company
    ledger: Ledger
    session: LedgerSession
    work: Pass

    async def run(self) -> bool:
        """Do what is wanted. Returns whether anything was. Raises as the session's readers do, and `LeaseLost`."""
        pool, company_id = self.runtime.pool, self.company.company_id
        wanted = await checks.wanted(pool, company_id)
        if wanted is None or not isinstance(self.session, FollowsChanges):
            return False
        if wanted.feed and wanted.lists_read_at is not None:
            await follow_lists(self.runtime, self.company, self.ledger, self.session, wanted.lists_read_at)
        if wanted.check:
            await self._suspect(self.session, wanted)
        looked = False
        while keys := await checks.take(pool, company_id, _AT_ONCE):
            looked = True
            await self._check(await due.by_keys(pool, keys))
            await checks.done(pool, company_id, keys)
        return looked or wanted.feed or wanted.check

    async def _suspect(self, session: FollowsChanges, wanted: checks.Wanted) -> None:
        """Ask the feed which documents may have changed since the last time."""
        async with self.runtime.transaction() as (connection, _):
            started = await catalog.now(connection)
        ids = await session.changed_documents(wanted.checked_at)
        async with self.runtime.transaction() as (connection, _):
            suspects = await checks.looked(connection, self.company.company_id, ids, started)
        log.info("ledger_checked", company_id=self.company.company_id, suspects=suspects, whole=ids is None)

    async def _check(self, rows: Sequence[Row]) -> None:
        links = {row.document_key: link for row in rows if (link := decode_link(row.link)) is not None}
        try:
            facts = await self.session.facts(links)
        except CompanyRefused:
            raise
        except Rejected as error:
            # Only asked, nothing is lost: the next check asks again.
            log.warning("ledger_check_refused", company_id=self.company.company_id, code=error.reason.code)
            return
        moves = [(row, move) for row in rows if (move := verdict(row, facts)) is not None]
        if moves:
            log.warning("ledger_differs", company_id=self.company.company_id, documents=len(moves))
            await self.work.note(moves)


def verdict(row: Row, facts: LedgerFacts) -> Move | None:
    """What the ledger's facts mean for a written document: pure. None where nothing has to be recorded."""
    if row.document_key in facts.missing and row.removed:
        # What was to be made void is gone: planning finds that nothing is left to do.
        return _move(row, Event.AGREES, None, "deleted")
    if row.document_key in facts.missing:
        reason = _deleted(row)
    elif row.document_key in facts.changed and row.intent:
        return None  # by a request of ours that got no answer
    elif row.document_key in facts.changed and is_others(parse_wanted(row.kind, row.wanted)):
        return None  # by those whose document it is
    elif row.document_key in facts.changed:
        reason = _changed()
    elif row.state == DocumentState.ACTION_REQUIRED and row.code in (CHANGED, LEDGER_DELETED):
        return _move(row, Event.AGREES, None, "agrees")
    else:
        return None
    known = row.state == DocumentState.ACTION_REQUIRED
    if known and row.code in (reason.code, LEDGER_DELETED):
        return None
    if next_state(DocumentState(row.state), Event.DIFFERS) is not DocumentState.ACTION_REQUIRED:
        return None
    return _move(row, Event.DIFFERS, reason, "changed" if reason.code == CHANGED else "deleted")


def _move(row: Row, event: Event, reason: Reason | None, outcome: str) -> Move:
    move = Move(
        row.document_key, row.seq, next_state(DocumentState(row.state), event).value, row.failures, row.generation
    )
    move.notices, move.operation, move.outcome, move.ledger_id = row.notices, "check", outcome, row.ledger_id
    if reason is not None:
        move.code, move.reason = reason.code, reason.model_dump_json(exclude_defaults=True)
    return move


def _changed() -> Reason:
    return Reason(
        code=CHANGED,
        text="Somebody changed the document in the ledger after it was written.",
        cure="Resend to put back what the order says, or dismiss to keep what is in the ledger.",
    )


def _deleted(row: Row) -> Reason:
    cure = "Resend to make it again, or dismiss to leave it out."
    if is_others(parse_wanted(row.kind, row.wanted)):
        # The transaction mode makes none: a resend looks for another one.
        cure = "Resend once there is another one of its number, or dismiss to leave its payments as they are."
    return Reason(
        code=LEDGER_DELETED,
        text="Somebody deleted the document in the ledger, or made it void there.",
        cure=cure,
        value=row.ledger_id or None,
    )
