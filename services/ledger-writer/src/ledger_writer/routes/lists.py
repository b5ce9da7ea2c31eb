"""The mirror of a ledger's reference lists: read, search, refresh."""

import asyncio
import base64
import binascii
from decimal import Decimal
from typing import Annotated

import orjson
import structlog
from fastapi import APIRouter, Path, Query

from common.application import InternalCaller
from common.cures import FieldProblem
from common.errors import Rejected, Retryable
from common.internal.base import TenantRequest
from common.internal.ledger_writer import AccountsAnswer, AccountsQuestion, CatalogPage, CompanyView
from common.messages.base import Identifier
from common.messages.documents import CatalogEntry
from common.problems import Problem
from ledger_writer.lanes.lane import Workshop, company_file
from ledger_writer.ledgers import BY_NAME
from ledger_writer.routes.shared import CurrentWorkshop, Tenant, company_of, ledger_named, locked_company, view_of
from ledger_writer.store import catalog, companies
from ledger_writer.store.lanes import NOTIFY

log = structlog.get_logger(__name__)
router = APIRouter(tags=["lists"])
CompanyId = Annotated[Identifier, Path()]
Search = Annotated[str, Query(max_length=200)]

_FOUND_MAX = 50
_BALANCES_TIMEOUT_S = 5.0


@router.get("/internal/companies/{company_id}/lists/{list_name}", operation_id="get_list")
async def get_list(
    _: InternalCaller,
    workshop: CurrentWorkshop,
    company_id: CompanyId,
    list_name: Annotated[Identifier, Path()],
    tenant_id: Tenant,
    search: Search = "",
    cursor: Annotated[str, Query(max_length=1000)] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> CatalogPage:
    """One reference list by name, in pages."""
    await company_of(workshop, company_id, tenant_id)
    known = sorted({name for ledger in BY_NAME.values() for name in ledger.list_names})
    if list_name not in known:
        cure = f"use one of {', '.join(known)}"
        wrong = FieldProblem(field="path.list_name", value=list_name, cure=cure)
        raise Problem(404, "LIST_UNKNOWN", f"there is no list {list_name!r}", cure=cure, errors=[wrong])
    return await _page(workshop, company_id, list_name, search, cursor, limit)


@router.post("/internal/companies/{company_id}/lists/refresh", operation_id="refresh_lists", status_code=202)
async def refresh(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: TenantRequest
) -> CompanyView:
    """Have the lane read the lists again; entries come when they are read."""
    async with workshop.runtime.transaction() as (connection, _batch):
        await locked_company(connection, company_id, request.tenant_id)
        await companies.want_lists(connection, company_id)
        await connection.execute(NOTIFY, [company_id])
    return await view_of(workshop, company_id, request.tenant_id)


@router.post("/internal/companies/{company_id}/accounts", operation_id="name_accounts")
async def name_accounts(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: AccountsQuestion
) -> AccountsAnswer:
    """Which accounts that are in no list yet the ledger would open, and what is wrong with the names of the others."""
    ledger = ledger_named((await company_of(workshop, company_id, request.tenant_id)).ledger)
    types: dict[str, str] = {}
    cures: dict[str, str] = {}
    if ledger.account_type is not None:
        for name in request.names:
            try:
                types[name] = ledger.account_type(name)
            except Rejected as error:
                cures[name] = error.reason.cure
    return AccountsAnswer(types=types, cures=cures)


@router.get("/internal/companies/{company_id}/customers", operation_id="search_customers")
async def search_customers(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, tenant_id: Tenant, search: Search = ""
) -> CatalogPage:
    """Customers of the ledger's mirror with every word of the text, and what they owe if the ledger answers at once."""
    company = await company_of(workshop, company_id, tenant_id)
    page = await _page(workshop, company_id, "customers", search, "", _FOUND_MAX)
    ask = ledger_named(company.ledger).customer_balances
    if ask is None or not page.items:
        return page
    try:
        async with asyncio.timeout(_BALANCES_TIMEOUT_S):
            owed = await ask(company_file(workshop, company), [entry.ledger_id for entry in page.items])
    except (TimeoutError, Retryable, Rejected) as error:
        log.warning("balances_not_read", company_id=company_id, error=type(error).__name__)
        return page
    items = (_owing(entry, owed.get(entry.ledger_id)) for entry in page.items)
    return page.model_copy(update={"items": tuple(items)})


def _owing(entry: CatalogEntry, balance: Decimal | None) -> CatalogEntry:
    if balance is None:
        return entry
    return entry.model_copy(update={"details": {**entry.details, "balance": f"{balance:f}"}})


async def _page(
    workshop: Workshop, company_id: str, list_name: str, search: str, cursor: str, limit: int
) -> CatalogPage:
    after = _decode(cursor)
    found = await catalog.page(workshop.runtime.pool, company_id, list_name, search, after, limit)
    more = _encode(found[-1][1]) if len(found) == limit else None
    return CatalogPage(items=tuple(entry for entry, _ in found), next_cursor=more)


def _encode(place: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _decode(cursor: str) -> tuple[str, str]:
    if not cursor:
        return "", ""
    try:
        name, ledger_id = orjson.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError, TypeError) as error:
        cure = "start again without a cursor"
        raise Problem(
            422,
            "CURSOR_INVALID",
            "the cursor was not made here",
            cure=cure,
            errors=[FieldProblem(field="query.cursor", value=cursor[:200], cure=cure)],
        ) from error
    return str(name), str(ledger_id)
