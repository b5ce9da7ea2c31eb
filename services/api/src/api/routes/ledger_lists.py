"""What the ledgers hold: reference lists, customers and balances, as ledger-writer knows them."""

from datetime import date

from fastapi import Query

from api.routes.base import Deps, router
from api.routes.companies import detail, note, own
from api.security import Reader, Writer
from api.views.base import PAGE_DEFAULT, Cursor, Limit
from api.views.pairing import CompanyDetail
from common.internal import ledger_writer
from common.internal.base import TenantRequest
from common.problems import not_found

routes = router("company files")


@routes.get("/companies/{company_id}/lists/{list_name}", operation_id="list_ledger_objects")
async def list_ledger_objects(
    company_id: str,
    list_name: str,
    caller: Reader,
    deps: Deps,
    search: str | None = Query(default=None, max_length=200),
    limit: Limit = PAGE_DEFAULT,
    cursor: Cursor = None,
) -> ledger_writer.CatalogPage:
    """Objects of a reference list: accounts, items, customers, tax_codes, payment_methods, terms, classes, …

    Empty where the ledger keeps no such list: Beancount keeps accounts alone, and an item there is whatever name a
    product is mapped to.
    """
    await own(deps, caller, company_id)
    _check_name(list_name)
    return await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}/lists/{list_name}",
        ledger_writer.CatalogPage,
        tenant_id=caller.tenant_id,
        search=search,
        limit=limit,
        cursor=cursor,
    )


@routes.post("/companies/{company_id}/lists/refresh", operation_id="refresh_lists")
async def refresh_lists(company_id: str, caller: Writer, deps: Deps) -> CompanyDetail:
    """Read the reference lists again now."""
    row = await own(deps, caller, company_id)
    view = await deps.services.ledger_writer.post(
        f"/internal/companies/{company_id}/lists/refresh",
        TenantRequest(tenant_id=caller.tenant_id),
        ledger_writer.CompanyView,
    )
    await note(deps.pool, caller, "lists_refreshed", company_id)
    return detail(row, view)


@routes.get("/companies/{company_id}/customers", operation_id="search_customers")
async def search_customers(
    company_id: str, caller: Reader, deps: Deps, search: str = Query(min_length=1, max_length=200)
) -> ledger_writer.CatalogPage:
    """Search the ledger's customers by name, email or company: by every word, in whatever order.

    What is found is a suggestion: none of them is linked by itself. `details.balance` is what the customer owes, in its
    currency, asked of the ledger now and left out where that does not answer at once.
    """
    await own(deps, caller, company_id)
    return await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}/customers",
        ledger_writer.CatalogPage,
        tenant_id=caller.tenant_id,
        search=search,
    )


@routes.get("/companies/{company_id}/trial-balance", operation_id="get_trial_balance")
async def get_trial_balance(
    company_id: str, caller: Reader, deps: Deps, as_of: date | None = None
) -> ledger_writer.TrialBalance:
    """Balances as the ledger itself reports them, asked for now and within the ledger's limits, as all that is written.

    503 where the limits left no request to spare or the ledger took too long; `Retry-After` says when to try again.
    """
    await own(deps, caller, company_id)
    return await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}/trial-balance",
        ledger_writer.TrialBalance,
        tenant_id=caller.tenant_id,
        as_of=as_of.isoformat() if as_of else None,
    )


def _check_name(list_name: str) -> None:
    if not list_name.replace("_", "").isalpha() or not list_name.isascii():
        raise not_found("list", list_name)
