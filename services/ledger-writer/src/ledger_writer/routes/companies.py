"""Company files and their lanes: look, pause, resume, trial balance."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query

from common.application import InternalCaller
from common.errors import UpstreamUnavailable
from common.internal.base import TenantRequest
from common.internal.ledger_writer import CompanyView, TrialBalance, TrialBalanceRow, UsageCount, UsageCounts
from common.messages.base import Identifier
from common.messages.documents import CompanyStatus
from common.messages.transactions import DocumentKind
from common.problems import Problem
from ledger_writer.lanes.lane import Workshop, company_file
from ledger_writer.ledgers.abilities import ReportsTrialBalance
from ledger_writer.ledgers.protocol import AccountBalance, CompanyFile, Ledger
from ledger_writer.routes.shared import CurrentWorkshop, Tenant, company_of, ledger_named, locked_company, view_of
from ledger_writer.store import checks, companies, usage
from ledger_writer.store.lanes import NOTIFY

router = APIRouter(tags=["companies"])
CompanyId = Annotated[Identifier, Path()]

_REPORT_TIMEOUT_S = 25.0
"""Less than the gateway waits (API_INTERNAL_TIMEOUT_S), so that callers are told why and when to try again."""
_REPORT_AGAIN_S = 60.0
"""By then the ledger's limits, which count by the minute, have room again."""


@router.get("/internal/companies/{company_id}", operation_id="get_company")
async def get_company(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, tenant_id: Tenant
) -> CompanyView:
    """One company file."""
    return await view_of(workshop, company_id, tenant_id)


@router.post("/internal/companies/{company_id}/lane/pause", operation_id="pause_lane")
async def pause_lane(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: TenantRequest
) -> CompanyView:
    """Nothing more is written to the company file; the pass in hand finishes."""
    return await _set_paused(workshop, company_id, request.tenant_id, paused=True)


@router.post("/internal/companies/{company_id}/lane/resume", operation_id="resume_lane")
async def resume_lane(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: TenantRequest
) -> CompanyView:
    """Go on writing; where the ledger had refused all writes, e.g. for an unpaid subscription, try again."""
    return await _set_paused(workshop, company_id, request.tenant_id, paused=False)


async def _set_paused(workshop: Workshop, company_id: str, tenant_id: str, *, paused: bool) -> CompanyView:
    async with workshop.runtime.transaction() as (connection, batch):
        company = await locked_company(connection, company_id, tenant_id)
        was_refused = not paused and company.status is CompanyStatus.READ_ONLY
        if company.lane_paused != paused or was_refused:
            values: dict[str, object] = {"lane_paused": paused}
            if was_refused:
                values |= {"status": CompanyStatus.CONNECTED.value, "reason": None}
            await companies.change(connection, company_id, values)
            await connection.execute(NOTIFY, [company_id])
            stored = await companies.get(connection, company_id)
            if stored is not None:
                batch.publish(stored.changed(ledger_named(stored.ledger)))
    return await view_of(workshop, company_id, tenant_id)


@router.post("/internal/companies/{company_id}/check", operation_id="check_company", status_code=202)
async def check_company(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: TenantRequest
) -> CompanyView:
    """Have what was written compared with what the ledger has now, as it is done every night."""
    async with workshop.runtime.transaction() as (connection, _batch):
        company = await locked_company(connection, company_id, request.tenant_id)
        ledger = ledger_named(company.ledger)
        if not ledger.follows_changes:
            raise Problem(
                409,
                "NO_CHECK",
                f"{ledger.title} is written by nobody else and is not checked",
                cure="nothing: no change of another program has to be looked for",
            )
        await checks.want(connection, company_id)
    return await view_of(workshop, company_id, request.tenant_id)


@router.get("/internal/companies/{company_id}/trial-balance", operation_id="get_trial_balance")
async def get_trial_balance(
    _: InternalCaller,
    workshop: CurrentWorkshop,
    company_id: CompanyId,
    tenant_id: Tenant,
    as_of: Annotated[date | None, Query()] = None,
) -> TrialBalance:
    """Balances as the ledger itself reports them. 503 where none came in time; Retry-After says when to try again."""
    company = await company_of(workshop, company_id, tenant_id)
    ledger = ledger_named(company.ledger)
    try:
        async with asyncio.timeout(_REPORT_TIMEOUT_S):
            rows = await _report(ledger, company_file(workshop, company), as_of)
    except TimeoutError as error:
        detail = f"{ledger.title} took too long, or its limits leave no request to spare"
        raise UpstreamUnavailable(detail, _REPORT_AGAIN_S) from error
    zero = Decimal(0)
    return TrialBalance(
        company_id=company_id,
        as_of=as_of,
        rows=tuple(
            TrialBalanceRow(
                account=row.account,
                account_type=row.account_type,
                currency=row.currency,
                debit=max(row.balance, zero),
                credit=max(-row.balance, zero),
            )
            for row in rows
        ),
    )


@router.get("/internal/companies/{company_id}/usage", operation_id="get_usage")
async def get_usage(
    _: InternalCaller,
    workshop: CurrentWorkshop,
    company_id: CompanyId,
    tenant_id: Tenant,
    first: Annotated[date, Query()],
    last: Annotated[date, Query()],
) -> UsageCounts:
    """Documents that we wrote, by month and kind; `first` and `last` are first days of months. None where none were."""
    company = await company_of(workshop, company_id, tenant_id)
    found = await usage.by_month(workshop.runtime.pool, company.company_id, first, last)
    return UsageCounts(
        counts=tuple(UsageCount(month=month, kind=DocumentKind(kind), documents=count) for month, kind, count in found)
    )


async def _report(ledger: Ledger, file: CompanyFile, as_of: date | None) -> Sequence[AccountBalance]:
    if ledger.report is not None:
        return await ledger.report(file, as_of)
    async with ledger.open(file) as session:
        if isinstance(session, ReportsTrialBalance):
            return await session.trial_balance(as_of)
    raise Problem(409, "NO_TRIAL_BALANCE", f"{ledger.title} can't report its balances")
