"""What a rule names, in the ledger and of the connections, and whether it is there. Pure.

A value with a template, or one that is copied from another field, is known only when an order has it.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from api.settings_checks import Books, check_account, check_entry
from common.cures import FieldProblem
from common.messages.transactions import AccountRole

ACCOUNTS = "accounts"
_NAMING: Mapping[str, tuple[str, AccountRole | None]] = {
    "map_ar_account": (ACCOUNTS, AccountRole.RECEIVABLE),
    "map_deposit_account": (ACCOUNTS, AccountRole.CLEARING),
    "map_bill_expense_account": (ACCOUNTS, AccountRole.FEES),
    "map_income_account": (ACCOUNTS, AccountRole.INCOME),
    **dict.fromkeys(("map_class", "map_line_class", "map_shipping_class", "map_discount_class"), ("classes", None)),
    "map_department": ("departments", None),
    "map_terms": ("terms", None),
}
"""Action → list of the ledger that its value must be in, and the role that an account must fit."""


@dataclass(frozen=True, slots=True)
class Named:
    """An object of the ledger that a rule names outright."""

    place: str
    """Field of the rule, as problems name it."""
    list_name: str
    role: AccountRole | None
    name: str
    connections: frozenset[str] | None
    """Those the rule is limited to; None: it is for all of them."""


def named_by(place: str, definition: Mapping[str, JsonValue], *, enabled: bool) -> Named | None:
    """What the rule names. None where that is nothing, or not known before an order comes, or the rule is off."""
    action, value = definition.get("action"), definition.get("value")
    if not enabled or not isinstance(action, str) or not isinstance(value, str) or not value or "{" in value:
        return None
    if action not in _NAMING or definition.get("direction", "to_ledger") != "to_ledger":
        return None
    list_name, role = _NAMING[action]
    limited = limited_to(definition)
    return Named(place, list_name, role, value, None if limited is None else frozenset(limited.values()))


def limited_to(definition: Mapping[str, JsonValue]) -> dict[int, str] | None:
    """Connections that a rule is limited to, by their places in its list; None: it is for all of them."""
    given = definition.get("connections")
    if not isinstance(given, list):
        return None
    return {number: one for number, one in enumerate(given) if isinstance(one, str)}


def check_connections(
    place: str, definition: Mapping[str, JsonValue], unknown: Container[str]
) -> Iterator[FieldProblem]:
    """Connections of a rule that are none. `place`: its definition, as problems name it."""
    for number, one in (limited_to(definition) or {}).items():
        if one in unknown:
            cure = "name one of your connections (GET /v1/connections lists them), or take it out"
            yield FieldProblem(field=f"{place}.connections.{number}", value=one[:200], cure=cure)


def companies_of(named: Named, pointing: Mapping[str, str]) -> frozenset[str]:
    """Company files that the rule is for. `pointing`: connection → company file."""
    return frozenset(
        company
        for connection, company in pointing.items()
        if named.connections is None or connection in named.connections
    )


def check_rules(
    named: Iterable[Named], pointing: Mapping[str, str], ledgers: Mapping[str, Books]
) -> Iterator[FieldProblem]:
    """What is in none of the ledgers that a rule is for; a condition may confine the rule to one of them.

    `ledgers`: company file → what its ledger has; of one that was not read yet nothing is known, so it may have it.
    """
    for one in named:
        files = companies_of(one, pointing)
        if not files or not files <= ledgers.keys():
            continue
        found = [list(_problems(one, ledgers[company])) for company in sorted(files)]
        if all(found):
            yield found[0][0]


def _problems(named: Named, books: Books) -> Iterator[FieldProblem]:
    if named.list_name == ACCOUNTS:
        return check_account(named.place, named.role, named.name, books)
    return check_entry(named.place, named.list_name, named.name, books)
