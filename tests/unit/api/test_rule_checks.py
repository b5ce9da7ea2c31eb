"""What a rule names must be in the ledger of one of its connections; what is not known yet is not refused."""

from typing import Any

import pytest

from api.rule_checks import Named, check_connections, check_rules, companies_of, limited_to, named_by
from api.settings_checks import Books
from common.messages.transactions import AccountRole
from mapper.rules.action_table import ACTIONS

POINTING = {"shop": "books", "market": "books", "abroad": "other"}
BOOKS = Books({"Till": "Bank", "Sales": "Income"}, names={"classes": frozenset({"web"}), "terms": frozenset()})
OTHER = Books({"Kasse": "Bank"}, names={"classes": frozenset({"netz"})})


def named(action: str, value: str, **more: Any) -> Named | None:
    return named_by("definition.value", {"action": action, "value": value, **more}, enabled=True)


def refusals(one: Named | None, ledgers: dict[str, Books]) -> list[tuple[str, str | None, str]]:
    assert one is not None
    return [(problem.field, problem.value, problem.cure) for problem in check_rules([one], POINTING, ledgers)]


def test_every_action_that_names_an_object_of_a_list_is_held_against_it() -> None:
    naming = {action.value for action in ACTIONS if named(action.value, "X") is not None}
    listed = {name for name in (action.value for action in ACTIONS) if name.endswith(("_account", "_class"))}
    assert naming == listed | {"map_class", "map_department", "map_terms"}


@pytest.mark.parametrize(
    ("action", "list_name", "role"),
    [
        ("map_ar_account", "accounts", AccountRole.RECEIVABLE),
        ("map_deposit_account", "accounts", AccountRole.CLEARING),
        ("map_bill_expense_account", "accounts", AccountRole.FEES),
        ("map_income_account", "accounts", AccountRole.INCOME),
        ("map_shipping_class", "classes", None),
        ("map_department", "departments", None),
        ("map_terms", "terms", None),
    ],
)
def test_an_action_says_which_list_and_which_role(action: str, list_name: str, role: AccountRole | None) -> None:
    found = named(action, "X", connections=["shop", 7])
    assert found == Named("definition.value", list_name, role, "X", frozenset({"shop"}))


@pytest.mark.parametrize(
    ("definition", "enabled"),
    [
        ({"action": "map_class", "value": "Web"}, False),
        ({"action": "map_class", "value": "{store_name}"}, True),
        ({"action": "map_class", "value": ""}, True),
        ({"action": "map_class", "copy_from": "store_name"}, True),
        ({"action": "map_class", "value": ["Web"]}, True),
        ({"action": "map_class", "value": "Web", "direction": "from_ledger"}, True),
        ({"action": "map_memo", "value": "Web"}, True),
        ({"action": {}, "value": "Web"}, True),
        ({}, True),
    ],
)
def test_what_is_not_known_before_an_order_comes_is_not_looked_for(definition: dict[str, Any], enabled: bool) -> None:
    assert named_by("value", definition, enabled=enabled) is None


def test_a_rule_is_for_the_company_files_of_its_connections() -> None:
    everywhere, abroad, gone = (
        named("map_class", "X"),
        named("map_class", "X", connections=["abroad"]),
        named("map_class", "X", connections=["gone"]),
    )
    assert everywhere is not None
    assert abroad is not None
    assert gone is not None
    assert companies_of(everywhere, POINTING) == {"books", "other"}
    assert companies_of(abroad, POINTING) == {"other"}
    assert companies_of(gone, POINTING) == frozenset()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, None),
        ({"connections": "all"}, None),
        ({"connections": []}, {}),
        ({"connections": ["shop", 7, "gone"]}, {0: "shop", 2: "gone"}),
    ],
)
def test_a_rule_is_for_all_connections_or_for_those_it_lists(given: dict[str, Any], found: dict[int, str]) -> None:
    assert limited_to(given) == found


def test_a_connection_that_is_none_is_named_by_its_place_in_the_list() -> None:
    given: dict[str, Any] = {"connections": ["shop", "gone", 7, "lost" * 100]}
    found = list(check_connections("definition", given, {"gone", "lost" * 100}))
    assert [(one.field, one.value) for one in found] == [
        ("definition.connections.1", "gone"),
        ("definition.connections.3", "lost" * 50),
    ]
    assert all("name one of your connections" in one.cure for one in found)
    assert list(check_connections("definition", {"connections": "all"}, {"all"})) == []


@pytest.mark.parametrize(
    ("action", "value", "says"),
    [
        ("map_deposit_account", "Till", ""),
        ("map_deposit_account", "TILL", "the ledger spells it 'Till'"),
        ("map_deposit_account", "Sales", "needs an asset or a liability"),
        ("map_deposit_account", "Nowhere", "no active account of this name"),
        ("map_class", "WEB", ""),
        ("map_class", "Shop", "the ledger has no active class of this name"),
        # Lists that the ledger does not keep hold nothing against anybody.
        ("map_terms", "NET 30", ""),
        ("map_department", "North", ""),
    ],
)
def test_what_the_ledger_of_a_rule_does_not_have_is_refused_with_its_cure(action: str, value: str, says: str) -> None:
    found = refusals(named(action, value, connections=["shop"]), {"books": BOOKS})
    assert [(field, text) for field, text, _ in found] == ([("body.definition.value", value)] if says else [])
    assert all(says in cure for _, _, cure in found)


def test_a_rule_for_several_ledgers_may_name_what_one_of_them_has() -> None:
    both = {"books": BOOKS, "other": OTHER}
    assert refusals(named("map_class", "Netz"), both) == []
    assert [value for _, value, _ in refusals(named("map_class", "Reseau"), both)] == ["Reseau"]
    assert [value for _, value, _ in refusals(named("map_class", "Netz", connections=["shop"]), both)] == ["Netz"]


def test_a_ledger_whose_lists_are_not_known_yet_refuses_nothing() -> None:
    assert refusals(named("map_class", "Nowhere"), {"books": BOOKS}) == []
    assert refusals(named("map_class", "Nowhere", connections=["gone"]), {"books": BOOKS}) == []
