"""Dead letters: for operators, never for tenants. Every action is audited."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import Query, Request, status

from api.dead_letters.letters import context_of
from api.dead_letters.outcome import LetterOutcome, outcome_of
from api.idempotency import seed_of
from api.ids import new_id
from api.masking import mask, mask_headers
from api.routes.base import ONCE, Deps, Gateway, after_moment, following, found, router
from api.security import Operator
from api.store import audit
from api.store import dead_letters as store
from api.store.dead_letters import Selection
from api.views.base import PAGE_DEFAULT, Cursor, Limit, Page
from api.views.dead import (
    Archived,
    DeadLetter,
    DeadLetterDetail,
    DeadLetterGroup,
    DeadLetterSelection,
    ReplayJob,
)
from common.crypto import DecryptionFailed
from common.problems import Problem

routes = router("dead letters")

REPLAY_MAX = 100_000

Text = Annotated[str | None, Query(max_length=500)]
Status = Literal["unresolved", "replayed", "archived"] | None


@routes.get("/dead-letters", operation_id="list_dead_letters")
async def list_dead_letters(
    _: Operator,
    deps: Deps,
    queue: Text = None,
    type: Text = None,  # noqa: A002 - the name clients read
    error_type: Text = None,
    frame: Text = None,
    tenant_id: Text = None,
    status: Status = None,
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> Page[DeadLetter]:
    """Parked messages, latest failure first, without their bodies; archived ones with `status=archived` only."""
    selection = Selection(
        queue=queue, type=type, error_type=error_type, frame=frame, tenant_id=tenant_id, status=status
    )
    rows = await store.page(deps.pool, selection, after_moment("dead_letters", cursor), limit)
    after = following("dead_letters", rows, limit, "last_failed_at", "dead_letter_id")
    return Page(items=[DeadLetter(**row) for row in await _with_outcomes(deps, rows)], next_cursor=after)


@routes.get("/dead-letters/groups", operation_id="list_dead_letter_groups")
async def list_dead_letter_groups(
    _: Operator, deps: Deps, queue: Text = None, tenant_id: Text = None, status: Status = "unresolved"
) -> Page[DeadLetterGroup]:
    """Parked messages by (queue, error, first frame of ours): one row is one cause."""
    rows = await store.groups(deps.pool, Selection(queue=queue, tenant_id=tenant_id, status=status))
    return Page(items=[DeadLetterGroup(**row) for row in rows])


@routes.get("/dead-letters/{dead_letter_id}", operation_id="get_dead_letter")
async def get_dead_letter(dead_letter_id: str, caller: Operator, deps: Deps) -> DeadLetterDetail:
    """One parked message, masked. Looking is audited."""
    row = found(await store.one(deps.pool, dead_letter_id), "dead letter", dead_letter_id)
    await _audit(deps, caller.key_id, "dead_letter_shown", dead_letter_id, {})
    (shown,) = await _with_outcomes(deps, [row])
    if row["status"] == "archived":
        return DeadLetterDetail(**{**shown, "headers": {}, "body": None})
    try:
        headers = orjson.loads(deps.cipher.decrypt(row["headers"], context_of(dead_letter_id, "headers")))
        body = deps.cipher.decrypt(row["body"], context_of(dead_letter_id, "body"))
    except DecryptionFailed as error:
        raise Problem(409, "KEY_MISSING", str(error), cure="configure the encryption key it was stored with") from error
    return DeadLetterDetail(**{**shown, "headers": mask_headers(headers), "body": _masked(body)})


@routes.post("/dead-letters/archive", operation_id="archive_dead_letters")
async def archive_dead_letters(body: DeadLetterSelection, caller: Operator, deps: Deps) -> Archived:
    """Take messages off the list for good; their bodies are removed."""
    count = await store.archive(deps.pool, _selection(body))
    await _audit(deps, caller.key_id, "dead_letters_archived", "dead letters", {**_shown(body), "archived": count})
    return Archived(archived=count)


@routes.post(
    "/dead-letters/replays",
    operation_id="replay_dead_letters",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=ONCE,
)
async def replay_dead_letters(body: DeadLetterSelection, request: Request, caller: Operator, deps: Deps) -> ReplayJob:
    """Send messages to their queues again: by id, by group, or by filter. The job goes on through any restart."""
    job_id = new_id("rep", seed_of(request))
    async with deps.runtime.transaction() as (connection, _):
        count = await store.start_job(connection, job_id, _selection(body), _shown(body), caller.key_id, REPLAY_MAX)
        await audit.record(
            connection,
            tenant_id=None,
            actor=caller.key_id,
            action="dead_letters_replayed",
            subject=job_id,
            details={**_shown(body), "letters": count},
        )
    return await _job(deps, job_id)


@routes.get("/dead-letters/replays/{job_id}", operation_id="get_replay")
async def get_replay(job_id: str, _: Operator, deps: Deps) -> ReplayJob:
    """How far a replay is, and what became of the messages."""
    return await _job(deps, job_id)


async def _job(deps: Gateway, job_id: str) -> ReplayJob:
    row = found(await store.job(deps.pool, job_id), "replay", job_id)
    letters = await _with_outcomes(deps, await store.letters_of_job(deps.pool, job_id))
    outcomes: dict[LetterOutcome, int] = {}
    for letter in letters:
        outcomes[letter["outcome"]] = outcomes.get(letter["outcome"], 0) + 1
    return ReplayJob(**row, outcomes=outcomes)


async def _with_outcomes(deps: Gateway, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen = await store.evidence(deps.pool, rows)
    now = datetime.now(UTC)
    shown = []
    for row in rows:
        outcome, superseded_by = outcome_of(
            status=row["status"],
            revision=row["revision"],
            replayed_at=row["replayed_at"],
            last_failed_at=row["last_failed_at"],
            seen_revision=seen.get((row["type"], row["entity"])),
            now=now,
        )
        shown.append({**row, "tenant_id": row["letter_tenant"], "outcome": outcome, "superseded_by": superseded_by})
    return shown


def _selection(body: DeadLetterSelection) -> Selection:
    return Selection(**{**body.model_dump(), "ids": tuple(body.ids)})


def _shown(body: DeadLetterSelection) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude_defaults=True)


def _masked(body: bytes) -> Any:
    try:
        return mask(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {"undecodable": True, "size_bytes": len(body)}


async def _audit(deps: Gateway, actor: str, action: str, subject: str, details: dict[str, Any]) -> None:
    await audit.record(deps.pool, tenant_id=None, actor=actor, action=action, subject=subject, details=details)
