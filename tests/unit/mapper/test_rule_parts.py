"""Which part of a rule is wrong, with its value, its place in a table and the cure."""

from typing import Any

import pytest
from pydantic import ValidationError

from mapper.rules.compiling import RuleRefused, compile_rule
from mapper.rules.model import Rule
from mapper.rules.table import TableRefused, read_table, write_table
from mapper.store.rules import definition_of

HEAD = "name,action,value,field,comparison,source_value\n"


def rule(**more: Any) -> Rule:
    whole = {"rule_id": "r", "name": "N", "priority": 1, "enabled": True, "action": "add_tag", "value": "t"} | more
    return Rule.model_validate(whole)


@pytest.mark.parametrize(
    ("condition", "wrong"),
    [
        (
            {"field": "total", "comparison": "between", "values": ["1", "x"]},
            ("conditions.0.values", "1, x", "'x' is not a number"),
        ),
        (
            {"field": "sku", "comparison": "in_list", "values": []},
            ("conditions.0.values", "", "in_list needs at least one entry in values"),
        ),
        (
            {"field": "line_number_x", "comparison": "equals", "value": "x"},
            (
                "conditions.0.field",
                "line_number_x",
                (
                    "there is no field 'line_number_x'; did you mean tracking_number, po_number, number?"
                    " Custom fields are written custom.<name>."
                ),
            ),
        ),
    ],
)
def test_a_wrong_condition_is_named_by_its_part(condition: dict[str, Any], wrong: tuple[str, str, str]) -> None:
    with pytest.raises(RuleRefused) as refused:
        compile_rule(rule(conditions=[condition]))
    said = refused.value.reason
    assert (said.field, said.value, said.cure) == wrong


@pytest.mark.parametrize(
    ("rows", "row", "column", "value"),
    [
        ("A,add_tag,x,total,between,1\n", 2, "source_value", "1"),
        ("A,add_tag,,,,\n", 2, "value", ""),
        ("A,add_tag,x,sku,regex,a\nA,add_tag,x,sku,regex,(\n", 3, "source_value", "("),
        ("A,add_tag,x,sku,equals,b\nA,add_tag,x,nope,equals,b\n", 3, "field", "nope"),
    ],
)
def test_a_table_is_refused_at_the_cell_that_is_wrong(rows: str, row: int, column: str, value: str) -> None:
    with pytest.raises(TableRefused) as refused:
        read_table(HEAD + rows)
    said = refused.value.reason
    assert (said.field, said.value) == (column, value)
    assert said.text.startswith(f"Row {row}, column {column!r}: ")


def test_nested_groups_are_named_before_anything_else_that_rows_cannot_say() -> None:
    inner = {"match": "any", "conditions": [{"field": "sku", "comparison": "equals", "value": "a"}]}
    with pytest.raises(TableRefused) as refused:
        write_table([rule(connections=["a | b"], conditions=[inner])])
    said = refused.value.reason
    assert (said.code, said.field, said.value) == ("RULE_NOT_FOR_A_TABLE", "conditions", "N")
    assert said.text.endswith("its conditions as they are, in nested groups.")


def test_three_names_at_most_are_suggested() -> None:
    with pytest.raises(RuleRefused) as refused:
        compile_rule(rule(conditions=[{"field": "payment_total", "comparison": "equals", "value": "x"}]))
    assert "did you mean total, payment_method, payment_date? Custom" in refused.value.reason.cure


def test_a_group_without_conditions_is_stored_as_the_group_it_is() -> None:
    empty = {"match": "any", "conditions": []}
    assert definition_of(rule(conditions=[empty]))["conditions"] == [empty]
    with pytest.raises(ValidationError) as refused:
        rule(conditions=[{"match": "any"}])
    assert {error["loc"][2] for error in refused.value.errors()} == {"Condition"}


@pytest.mark.parametrize("given", [5, "sku", None, ["sku"]])
def test_what_is_no_condition_is_refused_by_its_place(given: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        rule(conditions=[given])
    assert refused.value.errors()[0]["loc"][:2] == ("conditions", 0)
