"""The log of what was done: fetched, created, linked, updated, skipped, failed (section 30)."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import Query

from api.ids import order_id
from api.routes.base import Deps, after_moment, following, router
from api.routes.ledger_links import with_urls
from api.security import Reader
from api.store import sync_log as store
from api.store.sql import Row
from api.views.base import PAGE_DEFAULT, Cursor, Page
from api.views.books import LogEntry, LogTab
from common.internal.ledger_writer import AttemptsAnswer, AttemptsQuestion
from common.messages.base import Reason
from common.messages.documents import Attempt

routes = router("books")

_FAILED = frozenset({"refused", "unanswered", "failed"})
_LIMIT_MAX = 200

Text = Annotated[str | None, Query(max_length=200)]


@routes.get("/sync-log", operation_id="list_sync_log")
async def list_sync_log(
    caller: Reader,
    deps: Deps,
    company_id: Text = None,
    connection_id: Text = None,
    number: Annotated[
        str | None, Query(max_length=200, description="Order number: the whole story of one order.")
    ] = None,
    tab: Annotated[LogTab | None, Query(description="errors, orders, or info; all of them without.")] = None,
    limit: Annotated[int, Query(ge=1, le=_LIMIT_MAX, description="Documents and orders at most.")] = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Page[LogEntry]:
    """What was fetched and written, newest first; every attempt is an entry, those of one document stay together.

    An attempt is of the run by which a person asked for it last, else of the run that fetched its order.
    Attempts of what is in the ledger are kept for 90 days.
    """
    rows = await store.subjects(
        deps.pool,
        caller.tenant_id,
        company_id=company_id,
        connection_id=connection_id,
        number=number,
        tab=tab,
        before=after_moment("sync_log", cursor),
        limit=limit,
    )
    await with_urls(deps, caller.tenant_id, rows)
    documents = [row for row in rows if row["subject"] == "document"]
    tried = AttemptsAnswer(attempts={})
    asked: dict[str, list[Row]] = {}
    if documents:
        question = AttemptsQuestion(tenant_id=caller.tenant_id, document_keys=tuple(row["key"] for row in documents))
        tried = await deps.services.ledger_writer.post("/internal/attempts", question, AttemptsAnswer)
        asked = await store.asked_for(deps.pool, caller.tenant_id, documents)
    only_failed = tab is LogTab.ERRORS
    items = [entry for row in rows for entry in _entries(row, tried, asked.get(row["key"], []), only_failed)]
    return Page(items=items, next_cursor=following("sync_log", rows, limit, "at", "key"))


def _entries(row: dict[str, Any], tried: AttemptsAnswer, asked: Sequence[Row], only_failed: bool) -> Iterator[LogEntry]:
    if row["subject"] == "order":
        yield _entry(row, "from_channel", row["action"], row["reason"])
        return
    attempts = tried.attempts.get(row["key"], ())
    for attempt in reversed(attempts):
        if attempt.outcome in _FAILED or not only_failed:
            run = next((run for run in reversed(asked) if run["requested_at"] <= attempt.at), {})
            said = tried.said.get(row["key"], "") if attempt is attempts[-1] else ""
            yield _entry(
                {**row, **run, "key": row["key"]}, "to_ledger", _action(attempt), attempt.reason, attempt, said
            )
    if not attempts:
        # Its attempts were forgotten after 90 days, or are with a service that has lost them: the last one is known.
        yield _entry(row, "to_ledger", "failed" if row["reason"] else "written", row["reason"])


def _action(attempt: Attempt) -> str:
    if attempt.outcome in _FAILED:
        return "failed"
    return "looked_up" if attempt.outcome == "absent" else attempt.outcome


def _entry(
    row: dict[str, Any],
    direction: str,
    action: str,
    reason: Reason | None,
    attempt: Attempt | None = None,
    said: str = "",
) -> LogEntry:
    is_order = row["source_kind"] == "order"
    return LogEntry(
        at=attempt.at if attempt else row["at"],
        direction=direction,
        trigger=row["trigger"],
        run_id=row["run_id"],
        connection_id=row["connection_id"],
        company_id=row["company_id"],
        entity=row["entity"],
        number=row["number"],
        order_id=order_id(f"{row['connection_id']}/{row['source_id']}") if is_order else None,
        document_key=row["key"] if row["subject"] == "document" else None,
        action=action,
        code=reason.code if reason else None,
        message=reason.text if reason else "",
        cure=reason.cure if reason else "",
        duration_ms=attempt.duration_ms if attempt else None,
        ledger_said=said,
        ledger_id=(attempt.ledger_id if attempt else "") or row["ledger_id"],
        ledger_url=row["ledger_url"],
    )
