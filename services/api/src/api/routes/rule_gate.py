"""What stands between a rule and its save: the ledgers must have the accounts, classes and so on that it names."""

from collections.abc import Iterable, Mapping

from api.routes.base import Gateway
from api.routes.settings_gate import read_books
from api.rule_checks import ACCOUNTS, Lists, Named, check_rules, companies_of
from api.store import connections
from common.cures import FieldProblem
from common.internal import ledger_writer
from common.problems import Problem


async def refused_names(
    deps: Gateway, tenant_id: str, named: Iterable[Named | None], moved: Mapping[str, str] | None = None
) -> list[FieldProblem]:
    """Names that no ledger has for which a rule is. `moved`: connection → company file that it is about to point at."""
    wanted = [one for one in named if one is not None]
    if not wanted:
        return []
    pointing = await connections.pointing(deps.pool, tenant_id) | dict(moved or {})
    lists: dict[str, Lists] = {}
    for company_id in sorted({company for one in wanted for company in companies_of(one, pointing)}):
        mine = [one for one in wanted if company_id in companies_of(one, pointing)]
        found = await _read(deps, tenant_id, company_id, mine)
        if found is not None:
            lists[company_id] = found
    return list(check_rules(wanted, pointing, lists))


async def _read(deps: Gateway, tenant_id: str, company_id: str, named: Iterable[Named]) -> Lists | None:
    """None where the ledger's lists were not read yet."""
    view = await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}", ledger_writer.CompanyView, tenant_id=tenant_id
    )
    if view.lists_read_at is None:
        return None
    by_list: dict[str, set[str]] = {}
    for one in named:
        by_list.setdefault(one.list_name, set()).add(one.name)
    accounts = by_list.pop(ACCOUNTS, None)
    names = {each: await read_names(deps, tenant_id, company_id, each) for each in sorted(by_list)}
    if accounts is None:
        return Lists(names=names)
    return Lists(await read_books(deps, tenant_id, company_id, accounts), names)


async def read_names(deps: Gateway, tenant_id: str, company_id: str, list_name: str) -> frozenset[str]:
    """Names of a list's active entries, short and full, without their capitals; none where there is no such list."""
    found: set[str] = set()
    cursor: str | None = None
    while True:
        try:
            page = await deps.services.ledger_writer.get(
                f"/internal/companies/{company_id}/lists/{list_name}",
                ledger_writer.CatalogPage,
                tenant_id=tenant_id,
                limit=500,
                cursor=cursor,
            )
        except Problem as problem:
            if problem.status != 404:
                raise
            return frozenset()
        found |= {name.casefold() for one in page.items if one.active for name in (one.name, one.full_name)}
        cursor = page.next_cursor
        if cursor is None:
            return frozenset(found)
