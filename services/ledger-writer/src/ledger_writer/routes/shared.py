"""What the routes have in common: the workshop, finding what a tenant owns, and showing it."""

from typing import Annotated

from fastapi import Depends, Query, Request

from common.cures import FieldProblem
from common.database import Connection
from common.internal.ledger_writer import CompanyView
from common.messages.base import Identifier
from common.problems import Problem, not_found
from ledger_writer.lanes.lane import Workshop
from ledger_writer.ledgers import BY_NAME
from ledger_writer.ledgers.protocol import Ledger
from ledger_writer.store import companies
from ledger_writer.store.companies import Company


def workshop_of(request: Request) -> Workshop:
    """Dependency: what lanes and routes of this replica share."""
    workshop: Workshop = request.app.state.workshop
    return workshop


CurrentWorkshop = Annotated[Workshop, Depends(workshop_of)]
Tenant = Annotated[Identifier, Query()]


async def company_of(workshop: Workshop, company_id: str, tenant_id: str) -> Company:
    """The tenant's company file. Raises a 404 problem."""
    company = await companies.get(workshop.runtime.pool, company_id, tenant_id=tenant_id)
    if company is None:
        raise not_found("company file", company_id)
    return company


def ledger_named(name: str) -> Ledger:
    """Raises a 422 problem for a ledger that this release doesn't have."""
    ledger = BY_NAME.get(name)
    if ledger is None:
        known = ", ".join(sorted(BY_NAME))
        cure = f"choose one of {known}"
        raise Problem(
            422,
            "LEDGER_UNKNOWN",
            f"there is no ledger {name!r}",
            cure=cure,
            errors=[FieldProblem(field="body.ledger", value=name, cure=cure)],
        )
    return ledger


async def locked_company(connection: Connection, company_id: str, tenant_id: str) -> Company:
    """The tenant's company file, locked for a change. Raises a 404 problem."""
    await connection.execute("SELECT FROM companies WHERE company_id = $1 FOR UPDATE", company_id)
    company = await companies.get(connection, company_id, tenant_id=tenant_id)
    if company is None:
        raise not_found("company file", company_id)
    return company


async def view_of(workshop: Workshop, company_id: str, tenant_id: str) -> CompanyView:
    """A company file as the gateway shows it."""
    company = await company_of(workshop, company_id, tenant_id)
    ledger = ledger_named(company.ledger)
    changed = company.changed(ledger)
    return CompanyView(
        company_id=company.company_id,
        ledger=company.ledger,
        name=company.name,
        external_id=company.external_id,
        status=company.status,
        reason=company.reason,
        home_currency=company.home_currency,
        country=company.country,
        capabilities=changed.capabilities,
        default_accounts=dict(ledger.default_accounts),
        closed_through=changed.closed_through,
        lane_paused=company.lane_paused,
        lane_holder=company.lane_holder,
        lists_read_at=company.lists_read_at,
        waiting=await companies.waiting(workshop.runtime.pool, company_id),
        details=company.details,
        can_notify=workshop.settings.sends_mail,
    )
