"""What stands between a rule and its save: the ledgers must have the accounts, classes and so on that it names."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from api.routes.base import Gateway
from api.routes.ledger_names import are_read, read_names
from api.routes.settings_gate import read_books
from api.rule_checks import ACCOUNTS, Named, check_rules, companies_of
from api.settings_checks import Books
from api.store import connections
from common.cures import FieldProblem


async def refused_names(
    deps: Gateway, tenant_id: str, named: Iterable[Named | None], moved: Mapping[str, str] | None = None
) -> list[FieldProblem]:
    """Names that no ledger has for which a rule is. `moved`: connection → company file that it is about to point at."""
    wanted = [one for one in named if one is not None]
    if not wanted:
        return []
    pointing = await connections.pointing(deps.pool, tenant_id) | dict(moved or {})
    ledgers: dict[str, Books] = {}
    for company_id in sorted({company for one in wanted for company in companies_of(one, pointing)}):
        mine = [one for one in wanted if company_id in companies_of(one, pointing)]
        found = await _read(deps, tenant_id, company_id, mine)
        if found is not None:
            ledgers[company_id] = found
    return list(check_rules(wanted, pointing, ledgers))


async def _read(deps: Gateway, tenant_id: str, company_id: str, named: Iterable[Named]) -> Books | None:
    """None where the ledger's lists were not read yet."""
    by_list: dict[str, set[str]] = {}
    for one in named:
        by_list.setdefault(one.list_name, set()).add(one.name)
    if not await are_read(deps, tenant_id, company_id):
        return None
    accounts = by_list.pop(ACCOUNTS, None)
    books = Books() if accounts is None else await read_books(deps, tenant_id, company_id, accounts)
    return replace(books, names={each: await read_names(deps, tenant_id, company_id, each) for each in by_list})
