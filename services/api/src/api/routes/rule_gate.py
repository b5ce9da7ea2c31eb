"""What stands between a rule and its save: its connections must be there, and the ledgers must have the accounts,
classes and so on that it names."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import JsonValue

from api.routes.base import Gateway
from api.routes.ledger_names import are_read, read_names
from api.routes.settings_gate import read_books
from api.rule_checks import ACCOUNTS, Named, check_rules, companies_of, limited_to
from api.settings_checks import Books
from api.store import connections
from common.cures import FieldProblem
from common.internal import mapper

_PAGE = 500


async def unknown_connections(
    deps: Gateway, tenant_id: str, definitions: Iterable[Mapping[str, JsonValue]]
) -> set[str]:
    """Connections that rules are limited to and that the tenant does not have, never had or has no more."""
    named = {one for each in definitions for one in (limited_to(each) or {}).values()}
    return await connections.unknown(deps.pool, tenant_id, sorted(named)) if named else set()


async def stored_rules(deps: Gateway, tenant_id: str) -> list[mapper.RuleView]:
    """Every rule of a tenant, in the order they run."""
    rules: list[mapper.RuleView] = []
    cursor: str | None = None
    while True:
        page = await deps.services.mapper.get(
            "/internal/rules", mapper.RulePage, tenant_id=tenant_id, limit=_PAGE, cursor=cursor
        )
        rules += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rules


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
