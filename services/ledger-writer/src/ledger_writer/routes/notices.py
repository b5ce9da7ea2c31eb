"""Webhooks of ledgers: somebody changed something there. The ledger's signature is all the authority a caller has.

A notice is a hint and nothing more: accepting it takes one short transaction, shared with the requests beside it, and
the lane asks the ledger itself. Losing one costs only time, because the nightly check finds what it was about.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Request, Response
from starlette.requests import ClientDisconnect

from common.broker import UNAVAILABLE
from common.database import CONTENDED
from common.group_commit import GroupCommit, QueueFull
from common.messages.base import Identifier
from common.problems import Problem, not_found
from common.runtime import Runtime
from ledger_writer.ledgers import BY_NAME
from ledger_writer.ledgers.changes import Notice, NoticeRefused
from ledger_writer.store import checks

log = structlog.get_logger(__name__)
router = APIRouter(tags=["webhooks"])

_READ_TIMEOUT_S = 10.0
Told = tuple[str, Sequence[Notice]]
"""The ledger's name, and what it said in one request."""


def open_desk(runtime: Runtime) -> GroupCommit[Told, None]:
    """Stores what concurrent requests say in one transaction; its `run` has to be kept running."""

    async def commit(told: Sequence[Told]) -> Sequence[None]:
        by_ledger: dict[str, list[Notice]] = {}
        for ledger, notices in told:
            by_ledger.setdefault(ledger, []).extend(notices)
        async with runtime.transaction() as (connection, _):
            for ledger, notices in sorted(by_ledger.items()):
                documents = [(notice.external_id, notice.ledger_id) for notice in notices if not notice.list_name]
                owners = {notice.external_id for notice in notices if notice.list_name}
                await checks.told(connection, ledger, documents, owners)
        return [None] * len(told)

    return GroupCommit(commit, lost=UNAVAILABLE)


@router.post("/ledger-webhooks/{ledger}", operation_id="receive_notices", status_code=200)
async def receive_notices(ledger: Annotated[Identifier, Path()], request: Request) -> Response:
    """Take a ledger's webhook: 200 once it is stored, 401 for a wrong signature, 503 where it should come again."""
    adapter = BY_NAME.get(ledger)
    if adapter is None or adapter.read_notices is None:
        raise not_found("ledger with webhooks", ledger)
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            body = await request.body()
    except TimeoutError as error:
        raise Problem(408, "TOO_SLOW", f"the body took longer than {_READ_TIMEOUT_S:g} s") from error
    except ClientDisconnect:
        return Response(status_code=499)
    try:
        notices = adapter.read_notices(request.headers, body)
    except NoticeRefused as error:
        log.warning("notice_refused", ledger=ledger, size=len(body))
        cure = f"sign with the verifier token of the app that {adapter.title} knows us by"
        raise Problem(401, "SIGNATURE_INVALID", "the signature does not fit the body", cure=cure) from error
    except ValueError as error:
        log.warning("notice_unreadable", ledger=ledger, size=len(body))
        raise Problem(422, "BODY_UNREADABLE", str(error), cure="send one of the formats that are documented") from error
    desk: GroupCommit[Told, None] = request.app.state.notices
    if notices:
        try:
            await desk.submit((ledger, notices))
        except QueueFull as error:
            raise _unavailable("more notices are waiting than can be taken") from error
        except (*UNAVAILABLE, *CONTENDED) as error:
            log.warning("notice_deferred", ledger=ledger, error=type(error).__name__)
            raise _unavailable("the database can't take this right now") from error
    return Response(status_code=200)


def _unavailable(detail: str) -> Problem:
    return Problem(503, "UNAVAILABLE", detail, cure="send it again after Retry-After", headers={"retry-after": "5"})
