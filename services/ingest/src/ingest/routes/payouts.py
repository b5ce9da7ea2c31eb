"""Payouts: the list, one with what it was read from, and uploaded files."""

import asyncio
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from common.application import internal_caller
from common.cures import FieldProblem
from common.errors import Rejected
from common.internal.ingest import PayoutHistory, PayoutList, PayoutSummary, PayoutUpload, RawPart, UploadedPayout
from common.messages.fetching import FetchOutcome
from common.messages.orders import Payout
from common.problems import Problem, not_found
from ingest.payout_intake import PayoutArrival
from ingest.payout_parts import FILE, PayoutPart
from ingest.routes.connections import CurrentService, Tenant
from ingest.service import Service
from ingest.store import payouts
from ingest.store.payouts import StoredPayout
from ingest.uploads import BY_NAME
from ingest.uploads.file import CutPayout, FileFormat, FileRefused, packed
from ingest.uploads.payout_csv import OF_THE_PAYOUT

routes = APIRouter(prefix="/internal", tags=["payouts"], dependencies=[Depends(internal_caller)])


@routes.get("/connections/{connection_id}/payouts", operation_id="list_payouts")
async def list_payouts(
    connection_id: str,
    tenant_id: Tenant,
    service: CurrentService,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    before_day: date | None = None,
    before_id: Annotated[str, Query(max_length=128)] = "",
) -> PayoutList:
    """Payouts of one connection, newest first; those without a date come first of all."""
    before = None if before_day is None else (before_day, before_id)
    rows = await payouts.page(service.runtime.pool, tenant_id, connection_id, before, limit)
    return PayoutList(payouts=tuple(summary(row) for row in rows))


@routes.get("/connections/{connection_id}/payouts/{payout_id}", operation_id="get_payout")
async def get_payout(connection_id: str, payout_id: str, tenant_id: Tenant, service: CurrentService) -> PayoutHistory:
    """One payout as it was last sent on, and what it was read from."""
    stored = await payouts.find(service.runtime.pool, connection_id, payout_id)
    if stored is None or stored.tenant_id != tenant_id:
        raise not_found("payout", payout_id)
    payout = None
    if stored.content is not None:
        body = service.cipher.decrypt(stored.content, payouts.content_context(connection_id, payout_id))
        payout = Payout.model_validate_json(body)
    rows = await service.runtime.pool.fetch(
        "SELECT kind, part_id, size, received_at, run_id FROM payout_parts"
        " WHERE connection_id = $1 AND payout_id = $2 ORDER BY kind, part_id LIMIT 500",
        connection_id,
        payout_id,
    )
    parts = tuple(
        RawPart(
            part_id=row["part_id"],
            topic=row["kind"],
            via=stored.via,
            size_bytes=row["size"],
            received_at=row["received_at"],
            run_id=row["run_id"],
        )
        for row in rows
    )
    return PayoutHistory(summary=summary(stored), payout=payout, parts=parts)


@routes.post("/connections/{connection_id}/payout-files", operation_id="upload_payout_file")
async def upload(
    connection_id: str,
    tenant_id: Tenant,
    service: CurrentService,
    request: Request,
    format_name: Annotated[str, Query(alias="format", max_length=64)],
) -> PayoutUpload:
    """Take a file in. A file that nothing can be made of is refused whole; a payout that can't be read is kept with
    its reason, and the others of the file go on."""
    if not await payouts.is_of_tenant(service.runtime.pool, connection_id, tenant_id):
        raise not_found("connection", connection_id)
    form = BY_NAME.get(format_name)
    if form is None:
        wrong = FieldProblem(field="query.format", value=format_name, cure=f"one of {', '.join(BY_NAME)}")
        raise Problem(422, "UNKNOWN_FORMAT", f"there is no format {format_name!r} of payout files", errors=[wrong])
    raw = await request.body()
    parameters = {name: request.query_params.get(name, "")[:200].strip() for name in OF_THE_PAYOUT}
    try:
        # Unpacking and cutting a large report takes seconds: others must not wait for it.
        cut = await asyncio.to_thread(lambda: form.cut(packed(raw), parameters))
    except FileRefused as error:
        wrong = FieldProblem(field=error.field, value=error.value or None, cure=error.cure or "correct the file")
        raise Problem(422, "PAYOUT_FILE_INVALID", error.text, cure=error.cure or None, errors=[wrong]) from error
    return PayoutUpload(payouts=tuple([await _take(service, tenant_id, connection_id, form, one) for one in cut]))


async def _take(
    service: Service, tenant_id: str, connection_id: str, form: FileFormat, cut: CutPayout
) -> UploadedPayout:
    arrival = PayoutArrival(
        tenant_id=tenant_id,
        connection_id=connection_id,
        source_id=connection_id,
        payout_id=cut.payout_id,
        format=form.name,
        via="upload",
        parts=(PayoutPart(FILE, "", cut.raw),),
    )
    try:
        async with service.runtime.transaction(correlation_id=f"payout:{cut.payout_id}") as (connection, batch):
            taken = await service.payouts.take(connection, arrival, batch)
    except Rejected as error:
        return UploadedPayout(payout_id=cut.payout_id, outcome=FetchOutcome.REFUSED, revision=0, problem=error.reason)
    return UploadedPayout(
        payout_id=taken.payout_id, outcome=taken.outcome, revision=taken.revision, problem=taken.problem
    )


def summary(stored: StoredPayout) -> PayoutSummary:
    """A row of the list."""
    return PayoutSummary(
        connection_id=stored.connection_id,
        external_id=stored.external_id,
        source_id=stored.source_id,
        format=stored.format,
        via=stored.via,
        revision=stored.revision,
        status=stored.status,
        paid_on=stored.paid_on,
        currency=stored.currency,
        net=stored.net,
        lines=stored.lines,
        problem=stored.problem,
        received_at=stored.received_at,
        run_id=stored.run_id,
    )
