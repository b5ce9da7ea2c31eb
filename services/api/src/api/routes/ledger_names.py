"""Names in a ledger's lists, as far as ledger-writer has read them."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace

from api.routes.base import Gateway
from api.routes.settings_gate import read_books
from api.settings_checks import Books, named_accounts, named_entries, named_items
from common.internal import ledger_writer
from common.messages.control import ConnectionSettings
from common.messages.documents import CatalogEntry
from common.problems import Problem


async def books_of(deps: Gateway, tenant_id: str, settings: ConnectionSettings) -> Books:
    """What the ledger says to everything that a connection's settings name. Raises as `read_books`."""
    company_id = settings.company_id
    accounts = [name for _, _, name in named_accounts(settings)]
    books = await read_books(deps, tenant_id, company_id, accounts) if accounts else Books()
    lists = [list_name for _, list_name, _ in named_entries(settings)]
    items = [name for _, name in named_items(settings)]
    if not (lists or items) or not await are_read(deps, tenant_id, company_id):
        return books
    names = {each: await read_names(deps, tenant_id, company_id, each) for each in lists}
    return replace(books, names=names, items=await _find_items(deps, tenant_id, company_id, items))


async def are_read(deps: Gateway, tenant_id: str, company_id: str) -> bool:
    """Whether the company file's lists were read at all."""
    view = await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}", ledger_writer.CompanyView, tenant_id=tenant_id
    )
    return view.lists_read_at is not None


async def read_names(deps: Gateway, tenant_id: str, company_id: str, list_name: str) -> frozenset[str]:
    """Names of a list's active entries, short and full, without their capitals; none where there is no such list."""
    found = [one async for one in _entries(deps, tenant_id, company_id, list_name) if one.active]
    return frozenset(name.casefold() for one in found for name in (one.name, one.full_name))


async def _find_items(deps: Gateway, tenant_id: str, company_id: str, names: Iterable[str]) -> dict[str, bool]:
    """Items by their names → whether one of the name is active; those that are not there are left out."""
    found: dict[str, bool] = {}
    for name in names:
        async for one in _entries(deps, tenant_id, company_id, "items", search=name):
            if name.casefold() in {one.name.casefold(), one.full_name.casefold()}:
                found[name] = found.get(name, False) or one.active
    return found


async def _entries(
    deps: Gateway, tenant_id: str, company_id: str, list_name: str, search: str | None = None
) -> AsyncIterator[CatalogEntry]:
    cursor: str | None = None
    while True:
        try:
            page = await deps.services.ledger_writer.get(
                f"/internal/companies/{company_id}/lists/{list_name}",
                ledger_writer.CatalogPage,
                tenant_id=tenant_id,
                search=search,
                limit=500,
                cursor=cursor,
            )
        except Problem as problem:
            if problem.status != 404:
                raise
            return
        for entry in page.items:
            yield entry
        cursor = page.next_cursor
        if cursor is None:
            return
