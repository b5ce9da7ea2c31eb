"""Documents of one order with every attempt, and links made or given up by hand."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query

from common.application import InternalCaller
from common.cures import FieldProblem
from common.database import Connection, Pool
from common.errors import UpstreamUnavailable
from common.internal.ledger_writer import (
    AttemptsAnswer,
    AttemptsQuestion,
    DocumentList,
    DocumentView,
    LinkRequest,
    LinkTarget,
    WrittenLink,
)
from common.messages.base import Identifier, Reason
from common.messages.documents import Attempt, DocumentState
from common.messages.transactions import DocumentKind
from common.problems import Problem, not_found
from ledger_writer.lanes.lane import Workshop, company_file
from ledger_writer.ledgers.protocol import CURRENCY, LedgerLink
from ledger_writer.messages import to_document_changed
from ledger_writer.planning.plan import RANK
from ledger_writer.routes.shared import CurrentWorkshop, Tenant, company_of, ledger_named
from ledger_writer.store import catalog, due, requests, timeline
from ledger_writer.store.lanes import NOTIFY
from ledger_writer.store.rows import Row, decode_link, encode_link

router = APIRouter(tags=["documents"])
DocumentKey = Annotated[Identifier, Path()]

_LOOK_TIMEOUT_S = 20.0

_UNLINKED = Reason(
    code="UNLINKED",
    text="The link to the ledger was given up by hand.",
    cure="Resend to write it again, or dismiss to leave it out.",
)


@router.get("/internal/documents", operation_id="list_documents")
async def list_documents(
    _: InternalCaller,
    workshop: CurrentWorkshop,
    tenant_id: Tenant,
    connection_id: Annotated[Identifier, Query()],
    source_kind: Annotated[Identifier, Query()],
    source_id: Annotated[Identifier, Query()],
) -> DocumentList:
    """Documents of one source entity in every company file, in dependency order, with what they need."""
    pool = workshop.runtime.pool
    rows = await timeline.of_source(pool, tenant_id, connection_id, source_kind, source_id)
    rows.sort(key=lambda row: (row.company_id, RANK[DocumentKind(row.kind)], row.document_key))
    return DocumentList(documents=tuple(await _views(pool, rows)))


@router.get("/internal/documents/{document_key}", operation_id="get_document")
async def get_document(
    _: InternalCaller, workshop: CurrentWorkshop, document_key: DocumentKey, tenant_id: Tenant
) -> DocumentView:
    """One document, customer or item."""
    pool = workshop.runtime.pool
    rows = [row for row in await due.by_keys(pool, [document_key]) if row.tenant_id == tenant_id]
    if not rows:
        raise not_found("document", document_key)
    return (await _views(pool, rows))[0]


@router.post("/internal/attempts", operation_id="list_attempts")
async def list_attempts(_: InternalCaller, workshop: CurrentWorkshop, request: AttemptsQuestion) -> AttemptsAnswer:
    """What was tried for many documents at once, for the log."""
    pool = workshop.runtime.pool
    said = await timeline.of_tenant(pool, request.tenant_id, request.document_keys)
    found = await timeline.attempts_of(pool, list(said))
    return AttemptsAnswer(
        attempts={key: tuple(attempts) for key, attempts in found.items()},
        said={key: text for key, text in said.items() if text},
    )


@router.post("/internal/documents/{document_key}/link/check", operation_id="check_link")
async def check_link(
    _: InternalCaller, workshop: CurrentWorkshop, document_key: DocumentKey, request: LinkRequest
) -> LinkTarget:
    """What the document would be linked to. Refused (422) as linking it would be; a customer of the mirror is not asked
    for in the ledger."""
    row = await _row(workshop, document_key, request.tenant_id)
    if row.kind == DocumentKind.CUSTOMER:
        entry = await catalog.one(workshop.runtime.pool, row.company_id, "customers", request.ledger_id)
        if entry is not None:
            _refuse_other_currency(row, request.ledger_id, entry.currency)
            return LinkTarget(ledger_id=entry.ledger_id, name=entry.name, currency=entry.currency)
    there = await _look_at(workshop, row, request.ledger_id)
    currency = there.details.get(CURRENCY, "")
    return LinkTarget(ledger_id=there.ledger_id, name=there.name, currency=currency)


@router.put("/internal/documents/{document_key}/link", operation_id="link_document")
async def link_document(
    _: InternalCaller, workshop: CurrentWorkshop, document_key: DocumentKey, request: LinkRequest
) -> DocumentView:
    """Tie a document to what a person found in the ledger."""
    there = await _look_at(workshop, await _row(workshop, document_key, request.tenant_id), request.ledger_id)
    async with workshop.runtime.transaction() as (connection, batch):
        row = await _locked(connection, document_key, request.tenant_id)
        if row.ledger_id and row.ledger_id != request.ledger_id:
            raise Problem(409, "LINKED_ALREADY", f"it is linked to {row.ledger_id!r}", cure="Unlink it first.")
        shares = row.kind in {DocumentKind.CUSTOMER, DocumentKind.ITEM}
        holder = await requests.holder_of(connection, row.company_id, row.kind, request.ledger_id)
        if holder not in {None, document_key} and not shares:
            raise Problem(409, "LEDGER_ID_TAKEN", f"{request.ledger_id!r} is linked to document {holder}")
        link = replace(
            there, number=there.number or row.number, total=there.total or row.amount, name=there.name or row.name
        )
        row = await requests.link(connection, document_key, encode_link(link), request.ledger_id)
        await due.release(connection, [document_key])
        await due.apply_again(connection, [document_key])
        await connection.execute(NOTIFY, [row.company_id])
        batch.publish(to_document_changed(row))
        views = await _views(connection, [row])
    return views[0]


async def _row(workshop: Workshop, document_key: str, tenant_id: str) -> Row:
    rows = await due.by_keys(workshop.runtime.pool, [document_key])
    row = next((row for row in rows if row.tenant_id == tenant_id), None)
    if row is None:
        raise not_found("document", document_key)
    return row


async def _look_at(workshop: Workshop, row: Row, ledger_id: str) -> LedgerLink:
    """What the ledger has under the id, so that nothing is ever linked to what is not there or can't be its own."""
    company = await company_of(workshop, row.company_id, row.tenant_id)
    ledger = ledger_named(company.ledger)
    if ledger.look_at is None:
        return LedgerLink(ledger_id)
    kind = DocumentKind(row.kind)
    try:
        async with asyncio.timeout(_LOOK_TIMEOUT_S):
            found = await ledger.look_at(company_file(workshop, company), kind, ledger_id)
    except TimeoutError as error:
        raise UpstreamUnavailable(f"{ledger.title} took too long") from error
    if found is None:
        cure = "give the id of what is in the ledger, or resend the document to have it written"
        raise Problem(
            422,
            "LINK_NOT_FOUND",
            f"{ledger.title} has no {kind.value.replace('_', ' ')} with this id",
            cure=cure,
            errors=[FieldProblem(field="body.ledger_id", value=ledger_id, cure=cure)],
        )
    if kind is DocumentKind.CUSTOMER:
        _refuse_other_currency(row, ledger_id, found.details.get(CURRENCY, ""))
    return found


def _refuse_other_currency(row: Row, ledger_id: str, currency: str) -> None:
    """A customer of the ledger has one currency for ever (domain reference, 16.11 and 29)."""
    if not currency or not row.currency or currency == row.currency:
        return
    cure = f"choose a customer that is kept in {row.currency}, or let one be made"
    raise Problem(
        422,
        "CURRENCY_DIFFERS",
        f"this customer of the ledger is kept in {currency}, and the orders are in {row.currency}",
        cure=cure,
        errors=[FieldProblem(field="body.ledger_id", value=ledger_id, cure=cure)],
    )


@router.delete("/internal/documents/{document_key}/link", operation_id="unlink_document")
async def unlink_document(
    _: InternalCaller, workshop: CurrentWorkshop, document_key: DocumentKey, tenant_id: Tenant
) -> DocumentView:
    """Give the link up; a resend looks for the document, and writes it again where it is gone."""
    async with workshop.runtime.transaction() as (connection, batch):
        row = await _locked(connection, document_key, tenant_id)
        if not row.link:
            raise Problem(
                409,
                "NOT_LINKED",
                "this document has no link to give up",
                cure="there is nothing to do: a resend looks for it in the ledger, and writes it where it is not there",
            )
        row = await requests.unlink(connection, row, _UNLINKED.model_dump_json(exclude_defaults=True))
        await due.release(connection, [document_key])
        await connection.execute(NOTIFY, [row.company_id])
        batch.publish(to_document_changed(row))
        views = await _views(connection, [row])
    return views[0]


async def _locked(connection: Connection, document_key: str, tenant_id: str) -> Row:
    row = await requests.lock(connection, document_key, tenant_id)
    if row is None:
        raise not_found("document", document_key)
    return row


async def _views(where: Pool | Connection, rows: Sequence[Row]) -> list[DocumentView]:
    attempts = await timeline.attempts_of(where, [row.document_key for row in rows])
    return [_view(row, attempts.get(row.document_key, [])) for row in rows]


def _view(row: Row, attempts: Sequence[Attempt]) -> DocumentView:
    link = decode_link(row.link)
    return DocumentView(
        document_key=row.document_key,
        company_id=row.company_id,
        connection_id=row.connection_id,
        source_kind=row.source_kind,
        source_id=row.source_id,
        source_number=row.source_number,
        source_revision=row.source_revision,
        kind=DocumentKind(row.kind),
        state=DocumentState(row.state),
        reason=row.reason_value(),
        error_class=row.error_class,
        raw_reason=row.raw,
        notices=row.notices_value(),
        blocked_by=() if row.blocked_by is None else (row.blocked_by,),
        number=(link.number if link is not None else "") or row.number,
        name=row.name,
        date=row.on_date,
        amount=row.amount,
        currency=row.currency,
        link=None
        if link is None or row.linked_at is None
        else WrittenLink(
            ledger_id=link.ledger_id,
            number=link.number,
            url=link.details.get("url", ""),
            linked_by=row.linked_by,
            at=row.linked_at,
        ),
        attempts=tuple(attempts),
        next_attempt_at=row.next_attempt_at,
    )
