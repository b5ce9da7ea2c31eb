"""What rules read, compare and change, and what is refused: each against its file."""

from dataclasses import asdict
from typing import Any

import pytest
from tests.golden.mapper.agreement import expectation, plain
from tests.golden.mapper.cases import rich, rich_refund
from tests.unit.mapper.samples import example_a, unpaid
from tests.unit.mapper.test_rules import compiled, rule

from common.errors import Rejected
from common.internal.mapper import MapEntry
from common.internal.mapper_rules import Action, Comparison, Condition
from common.messages.orders import Order
from mapper.mapping.map_table import read_map, write_map
from mapper.rules.comparisons import BadCondition, compile_condition
from mapper.rules.engine import Change
from mapper.rules.fields import FIELDS, Kind, Scope, UnknownField, field_named, text_of
from mapper.rules.table import read_table, write_table

SUBJECTS: dict[str, Order] = {
    "plain": example_a(),
    "rich": rich(refunds=(rich_refund(),), exchange_rate=None),
    "bare": unpaid(customer=None, billing_address=None, shipping_lines=(), ship_method="Van"),
}
VALUES: dict[Action, tuple[str, ...]] = {
    Action.MAP_TRANSACTION_TYPE: ("estimates",),
    Action.MAP_ORDER_DATE: ("2026-04-01", "{note}"),
    Action.MAP_DUE_DATE: ("2026-04-30", "+14"),
    Action.MAP_MERCHANT_FEE_PERCENT: ("2.9",),
    Action.MAP_MERCHANT_FEE_CENTS: ("0.30",),
    Action.SPLIT_SKU: ("M first", "M last", "M 2", "- 9"),
    Action.STRIP_SKU: ("ha", "MP", "zz"),
    Action.MULTIPLY_QUANTITY: ("12", "0.5"),
    Action.MAP_SHIPPING_AMOUNT: ("11.00", "{note}"),
    Action.ADD_SHIPPING_SURCHARGE: ("1.50", "10%", "{note}"),
    Action.MAP_CUSTOM_FIELD: (" origin = web ", "campaign=autumn"),
    Action.MAP_CURRENCY: (" cad ",),
    Action.ADD_TAG: ("new", "checked"),
}
CHANGES = [
    (action, value, subject)
    for action in Action
    for value in VALUES.get(action, ("Value of {number}",))
    for subject in SUBJECTS
]


def outcome(source: Order, *rules: Any) -> dict[str, Any]:
    """What rules made of an order: the trace, changed fields, and directives beyond their defaults."""
    trace: list[Change] = []
    result, directives = compiled(*rules).apply(source, trace)
    before, after = plain(source), plain(result)
    held = {name: value for name, value in asdict(directives).items() if value not in (None, "", False, {})}
    return {
        "changes": [asdict(one) for one in trace],
        "order": {name: value for name, value in after.items() if before.get(name) != value},
        "emptied": sorted(set(before) - set(after)),
        "directives": held,
    }


def cell(found: Any) -> Any:
    return found if isinstance(found, dict) else plain(found)


@pytest.mark.parametrize(("action", "value", "subject"), CHANGES)
def test_an_action_changes_what_its_file_says(action: Action, value: str, subject: str) -> None:
    name = f"{action.value}-{VALUES.get(action, (value,)).index(value)}-{subject}"
    found, expected = expectation(f"actions/{name}", outcome(SUBJECTS[subject], rule(action.value, value)))
    assert found == expected


def test_fields_are_cleared_and_copied() -> None:
    source = SUBJECTS["rich"]
    cleared = rule("map_memo", clear=True, name="a")
    copied = rule("map_department", copy_from="billing_city", name="b")
    of_line = rule("map_line_class", copy_from="sku", name="c")
    of_payment = rule("map_payment_method", copy_from="payment_reference", name="d")
    of_other_scope = rule("map_terms", copy_from="sku", name="e")
    stopping = rule("map_line_class", "Stopped", ("sku", "equals", "GIFT"), name="0", priority=1, stop=True)
    found, expected = expectation(
        "rules/cleared-and-copied",
        outcome(source, cleared, copied, of_line, of_payment, of_other_scope, stopping),
    )
    assert found == expected


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_field_reads_what_its_file_says(subject: str) -> None:
    source = SUBJECTS[subject]
    things = {Scope.ORDER: (source,), Scope.LINE: source.lines, Scope.PAYMENT: source.tenders}
    named = [*FIELDS.values(), field_named("custom.campaign"), field_named("line_custom.engraving")]
    read = {one.name: [text_of(one.read(thing)) for thing in things[one.scope]] for one in named}
    kinds = {one.name: f"{one.scope.value} {one.kind.value}" for one in named}
    found, expected = expectation(f"fields/{subject}", {"read": read, "kinds": kinds})
    assert found == expected


def test_an_unknown_field_names_near_ones() -> None:
    for name, hint in (("totl", "total"), ("custom.", "custom.<name>"), ("line_custom.", "custom.<name>")):
        with pytest.raises(UnknownField, match=hint):
            field_named(name)


WANTED = ("abc", "*", "10", "10.50", "2026-03-02", "")
LISTS: tuple[tuple[str, ...], ...] = ((), ("10",), ("5", "10"), ("2026-03-01", "2026-03-31"), ("abc", "xabcx", "10.0"))
TEXTS = ("", "abc", "xabcx", "abcx", "xabc", "ab", "5", "10", "10.5", "11", "2026-03-01", "2026-03-02", "2026-04-01")


def verdicts(condition: Condition, kind: Kind) -> Any:
    try:
        test = compile_condition(condition, kind)
    except BadCondition as error:
        return str(error)
    return [text for text in TEXTS if test(text)]


@pytest.mark.parametrize("comparison", [one for one in Comparison if one.value != "cel"])
@pytest.mark.parametrize("kind", list(Kind))
def test_a_comparison_lets_through_what_its_file_says(comparison: Comparison, kind: Kind) -> None:
    found, expected = expectation(
        f"comparisons/{comparison.value}-{kind.value}",
        {
            "value": {one: verdicts(Condition(field="f", comparison=comparison, value=one), kind) for one in WANTED},
            "values": {
                " | ".join(one): verdicts(Condition(field="f", comparison=comparison, values=one), kind)
                for one in LISTS
            },
        },
    )
    assert found == expected


HEAD = "name,priority,connections,match,field,comparison,source_value,action,value,copy_from,clear,stop,enabled"
TABLES = {
    "empty": "",
    "no-action": "name\nA\n",
    "unknown-column": "name,action,colour\nA,map_memo,red\n",
    "no-name": "name,action,value\n,map_memo,x\n",
    "wrong-action": "name,action,value\nA,paint,x\n",
    "wrong-priority": f"{HEAD}\nA,soon,,,,,,map_memo,x,,,,\n",
    "wrong-flag": f"{HEAD}\nA,,,,,,,map_memo,x,,maybe,,\n",
    "wrong-comparison": f"{HEAD}\nA,,,,sku,near,x,map_memo,x,,,,\n",
    "wrong-field": f"{HEAD}\nA,,,,skew,is,x,map_memo,x,,,,\n",
    "wrong-value": f"{HEAD}\nA,,,,,,,map_order_date,soon,,,,\n",
    "two-values": f"{HEAD}\nA,,,,,,,map_memo,x,number,,,\n",
    "disagreeing": f"{HEAD}\nA,1,,,sku,is,x,map_memo,x,,,,\nA,2,,,sku,is,y,map_memo,x,,,,\n",
    "usual": (
        f"\ufeff{HEAD}\nA,5,shop-1 | shop-2,any,sku,matches,x,map_memo,'=x,,,yes,1\n"
        "A,5,,any,sku,is,x,map_memo,'=x,,,,\nA,5,,any,sku,is,y,map_memo,'=x,,,,\n"
        "B,,all,,,,,map_memo,,,true,0,no\nC,,,,total,between,1 | 9,map_memo,z,,,,false\n"
        "D,,,,sku,map all,,map_memo,z,,,,\nE,,,,sku,in_list,q,map_memo,,number,,,\n"
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_rules_is_read_or_refused_as_its_file_says(name: str) -> None:
    result: Any
    try:
        rules = read_table(TABLES[name])
        result = {"rules": rules, "written": write_table(rules).splitlines()}
        assert read_table(write_table(rules)) == rules
    except Rejected as error:
        result = error.reason
    found, expected = expectation(f"tables/{name}", result)
    assert found == expected


def test_nested_groups_have_no_table() -> None:
    nested = rule("map_memo", "x").model_validate(
        {"name": "N", "action": "map_memo", "value": "x", "conditions": [{"match": "any", "conditions": []}]}
    )
    with pytest.raises(Rejected) as refused:
        write_table([nested])
    assert refused.value.reason.code == "RULE_NOT_FOR_A_TABLE"
    assert refused.value.reason.field == "conditions"
    assert refused.value.reason.value == "N"


MAPS = {
    "empty": "",
    "no-rows": "connection_id,source,target\n",
    "unknown-column": "connection_id,source,goal\n",
    "column-twice": "connection_id,source,target,target\n",
    "no-source": "connection_id,source,target\nshop,,X\n",
    "no-connection": "connection_id,source,target\n,A,X\n",
    "long-connection": f"connection_id,source,target\n{'s' * 129},A,X\n",
    "longest": f"connection_id,source,target\n{'s' * 128},{'a' * 500},{'x' * 500}\n",
    "long-source": f"connection_id,source,target\nshop,{'a' * 501},X\n",
    "long-target": f"connection_id,source,target\nshop,A,{'x' * 501}\n",
    "twice": "connection_id,source,target\nshop,A,X\n*,A,X\nshop,a,Y\n",
    "usual": "\ufeff Connection_ID ,SOURCE,target\nshop,A,'=X\n*,'+B,\nshop, 'C ,'@D\n",
}


@pytest.mark.parametrize("name", MAPS)
def test_a_map_is_read_or_refused_as_its_file_says(name: str) -> None:
    result: Any
    try:
        entries = read_map(MAPS[name])
        result = {"entries": entries, "written": write_map(entries).splitlines()}
        assert read_map(write_map(entries)) == entries
    except Rejected as error:
        result = error.reason
    found, expected = expectation(f"maps/{name}", result)
    assert found == expected


def test_a_cell_that_a_spreadsheet_would_run_is_guarded() -> None:
    entries = [MapEntry(connection_id="*", source=text, target="-1") for text in ("=a", "+a", "@a", "-a")]
    lines = write_map(entries).splitlines()
    assert lines == ["connection_id,source,target", "*,'=a,-1", "*,'+a,-1", "*,'@a,-1", "*,'-a,-1"]
