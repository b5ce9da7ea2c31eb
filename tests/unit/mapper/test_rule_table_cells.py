"""Every cell of a rule table: what is written, what is read back, and what a wrong one is answered with."""

import csv
import io

import pytest
from tests.unit.mapper.test_rules import rule

from common.internal.mapper_rules import Action, Comparison, Condition, Group
from mapper.rules.model import Rule
from mapper.rules.table import COLUMNS, ROWS_MAX, TableRefused, read_table, write_table

NOTHING_SAVED = "Correct the table and import it again; nothing was saved."
HEAD = "name,action,value"
LONG = "x" * 600


def refused(table: str) -> TableRefused:
    with pytest.raises(TableRefused) as refusal:
        read_table(table)
    reason = refusal.value.reason
    assert (reason.code, reason.cure) == ("RULE_TABLE_REFUSED", NOTHING_SAVED)
    return refusal.value


WRONG = [
    # table                                                  row  column                 value
    ("name,acton\nR,map_sku\n",                              1,   "acton",               "acton"),
    ("name\nR\n",                                            1,   "action",              ""),
    (f"{HEAD}\n,map_sku,X\n",                                2,   "name",                ""),
    (f"{HEAD}\nR,map_sku,X\n,map_sku,X\n",                   3,   "name",                ""),
    (f"{HEAD}\nR,map_sku,X\nR,map_sku\n",                    3,   "value",               ""),
    (f"{HEAD}\nR,map_sku,X\nR,map_memo,X\n",                 3,   "action",              "map_memo"),
    (f"{HEAD}\nR,map_everything,X\n",                        2,   "action",              "map_everything"),
    (f"{HEAD},enabled\nR,map_sku,X,maybe\n",                 2,   "enabled",             "maybe"),
    (f"{HEAD},stop\nR,map_sku,X,maybe\n",                    2,   "stop",                "maybe"),
    (f"{HEAD},clear\nR,map_sku,,maybe\n",                    2,   "clear",               "maybe"),
    (f"{HEAD},allow_total_change\nR,map_sku,X,maybe\n",      2,   "allow_total_change",  "maybe"),
    (f"{HEAD},direction\nR,map_sku,X,sideways\n",            2,   "direction",           "sideways"),
    (f"{HEAD},match\nR,map_sku,X,some\n",                    2,   "match",               "some"),
    (f"{HEAD},priority\nR,map_sku,X,soon\n",                 2,   "priority",            "soon"),
    (f"{HEAD},priority\nR,map_sku,X,-1\n",                   2,   "priority",            "-1"),
    (f"{HEAD},field,comparison\nR,map_sku,X,sku,like\n",     2,   "comparison",          "like"),
    (f"{HEAD},field\nR,map_sku,X,skuu\n",                    2,   "field",               "skuu"),
    (f"{HEAD},field\nR,map_sku,X,sku\n",                     2,   "source_value",        ""),
    (f"{HEAD},copy_from\nR,map_sku,,skuu\n",                 2,   "copy_from",           "skuu"),
    ("name,action\nR,map_sku\n",                             2,   "value",               ""),
    (f"{HEAD}\nR,map_due_date,soon\n",                       2,   "value",               "soon"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "row", "column", "value"), WRONG)
def test_a_wrong_cell_is_named_by_row_column_and_content(table: str, row: int, column: str, value: str) -> None:
    reason = refused(table).reason
    assert reason.text.startswith(f"Row {row}, column {column!r}: ")
    assert (reason.field, reason.value) == (column, value)


def test_a_cell_of_any_length_is_answered_with_its_beginning() -> None:
    reason = refused(f"name,action,{LONG}\nR,map_sku,X\n").reason
    assert (reason.field, reason.value) == (LONG[:500], LONG[:500])
    reason = refused(f"name,action,{'y' * 5000}\nR,map_sku,X\n").reason
    assert len(reason.text) == 4000


def test_what_is_wrong_with_all_conditions_together_has_no_value_to_show() -> None:
    rows = "".join(f"R,map_sku,X,sku,starts_with,{n}\n" for n in range(200))
    reason = refused(f"name,action,value,field,comparison,source_value\n{rows}").reason
    assert (reason.field, reason.value) == ("conditions", "")


def test_a_cell_that_only_ends_like_a_formula_is_written_as_it_is() -> None:
    table = write_table([rule("map_sku", "X=1")])
    assert ",X=1," in table


def test_a_table_is_bounded_in_rows() -> None:
    rows = "R,map_sku,X\n" * ROWS_MAX
    reason = refused(f"{HEAD}\n{rows}").reason
    assert reason.text == f"Row {ROWS_MAX + 1}, column 'name': a table may have {ROWS_MAX} rows; import it in parts"
    assert (reason.field, reason.value) == ("name", "")


def test_a_table_has_one_line_for_a_rule_with_every_column_in_order() -> None:
    given = rule(
        "map_shipping_amount",
        "5",
        ("total", "more_than", "50"),
        name="freight",
        priority=7,
        enabled=False,
        stop=True,
        allow_total_change=True,
        connections=["shop-1", "shop-2"],
    )
    text = write_table([given])
    assert text == (
        ",".join(COLUMNS)
        + "\nfreight,no,7,to_ledger,shop-1 | shop-2,all,total,more_than,50,map_shipping_amount,5,,no,yes,yes\n"
    )
    assert read_table(text) == [given]


def test_a_rule_without_a_condition_is_one_row_with_empty_cells() -> None:
    text = write_table([rule("map_memo", "M", name="memo")])
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["field"], row["comparison"], row["source_value"], row["allow_total_change"]) == ("", "", "", "no")


@pytest.mark.parametrize("begins", ["=", "+", "@", "\t"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded_and_comes_back(begins: str) -> None:
    for value in (f"{begins}A1", f"'{begins}A1"):
        given = rule("map_memo", value, name="memo") if begins != "\t" else rule("map_memo", f"{value}x", name="memo")
        text = write_table([given])
        (row,) = csv.DictReader(io.StringIO(text))
        assert row["value"] == f"'{given.value}"
        assert read_table(text) == [given]


@pytest.mark.parametrize("value", ["X", "'quoted'", "A=B", "-5", "XA", "''X"])
def test_a_harmless_cell_stays_as_it_is(value: str) -> None:
    given = rule("map_memo", value, name="memo")
    (row,) = csv.DictReader(io.StringIO(write_table([given])))
    assert row["value"] == value
    assert read_table(write_table([given])) == [given]


def nested(*groups: Group) -> Rule:
    return Rule(name="nested", action=Action.MAP_SKU, value="X", conditions=groups)


def is_(field: str, comparison: Comparison, value: str) -> Condition:
    return Condition(field=field, comparison=comparison, value=value)


C = Comparison
UNSHOWN = [
    nested(Group(match="all", conditions=(is_("sku", C.CONTAINS, "A"), is_("sku", C.CONTAINS, "B")))),
    nested(Group(match="any", conditions=(is_("sku", C.CONTAINS, "A"),))),
    nested(Group(match="any", conditions=(is_("sku", C.CONTAINS, "A"), is_("name", C.CONTAINS, "B")))),
    nested(Group(match="any", conditions=(is_("sku", C.EQUALS, "A"), is_("sku", C.EQUALS, "B")))),
    nested(
        Group(match="any", conditions=(Group(conditions=(is_("sku", C.CONTAINS, "A"),)), is_("sku", C.CONTAINS, "B")))
    ),
    nested(Group(match="any", conditions=(Group(conditions=()), Group(conditions=())))),
    Rule(
        name="nested",
        action=Action.MAP_SKU,
        value="X",
        conditions=(is_("sku", C.EQUALS, "A"), Condition(field="sku", comparison=C.IN_LIST, values=("B", "C"))),
    ),
]


@pytest.mark.parametrize("given", UNSHOWN)
def test_what_a_table_cannot_show_is_refused_when_it_is_written(given: Rule) -> None:
    with pytest.raises(TableRefused) as refusal:
        write_table([given])
    reason = refusal.value.reason
    assert reason.text == (
        "The rule 'nested' can't be a part of a table: rows can't say its conditions as they are, in nested groups."
    )
    assert (reason.code, reason.field, reason.value) == ("RULE_NOT_FOR_A_TABLE", "conditions", "nested")
    assert reason.cure == (
        "Take a back-up of the company file (it holds every rule), or read GET /v1/rules; or split the rule."
    )


@pytest.mark.parametrize("value", ["AZ ", " AZ", " '=AZ"])
def test_spaces_around_a_value_come_back(value: str) -> None:
    given = rule("add_prefix", value, name="prefix")
    assert read_table(write_table([given])) == [given]


def test_spaces_around_a_name_are_no_part_of_it() -> None:
    assert rule("add_prefix", "AZ", name=" prefix ").name == "prefix"


def test_another_part_that_a_table_would_change_is_named() -> None:
    with pytest.raises(TableRefused) as refusal:
        write_table([rule("map_memo", "", name="R", copy_from=" number")])
    reason = refusal.value.reason
    assert (reason.field, reason.value) == ("copy_from", "R")
    assert reason.text == "The rule 'R' can't be a part of a table: rows can't say its copy_from as they are."


def test_values_that_rows_would_lose_or_swap_are_refused() -> None:
    both = Condition(field="sku", comparison=C.EQUALS, value="A", values=("B",))
    with pytest.raises(TableRefused, match="its conditions"):
        write_table([Rule(name="R", action=Action.MAP_SKU, value="X", conditions=(both,))])


def test_columns_that_are_left_out_have_the_defaults_of_a_rule() -> None:
    (found,) = read_table("Name , ACTION,clear,extra\nR,map_sku,yes\n".replace(",extra", ""))
    assert found == Rule(name="R", action=Action.MAP_SKU, clear=True)


def test_every_column_is_read() -> None:
    head = "name,enabled,priority,direction,connections,match,field,comparison,source_value,action,value"
    (found,) = read_table(f"{head}\nR,no,3,from_ledger,shop-1 | shop-2,any,sku,IS_NOT,A,map_sku,X\n")
    assert found == Rule(
        name="R",
        enabled=False,
        priority=3,
        direction="from_ledger",
        connections=("shop-1", "shop-2"),
        match="any",
        conditions=(is_("sku", C.IS_NOT, "A"),),
        action=Action.MAP_SKU,
        value="X",
    )


READ = [
    (["sku,equals,A", "sku,equals,*"], (is_("sku", C.EQUALS, "*"),)),
    (["sku,equals,*"], (is_("sku", C.EQUALS, "*"),)),
    (["sku,,A"], (is_("sku", C.EQUALS, "A"),)),
    (["sku,is,A"], (is_("sku", C.EQUALS, "A"),)),
    (["sku,matches,A"], (is_("sku", C.CONTAINS, "A"),)),
    (["sku,map all,A"], ()),
    ([",equals,A"], ()),
    (["sku,is_empty,"], (is_("sku", C.IS_EMPTY, ""),)),
    (["sku,contains,*"], (is_("sku", C.CONTAINS, "*"),)),
    (["sku,in_list,A"], (Condition(field="sku", comparison=C.IN_LIST, values=("A",)),)),
    (["sku,in_list,A", "sku,equals,B"], (Condition(field="sku", comparison=C.IN_LIST, values=("A", "B")),)),
    (["sku,equals,A", "sku,in_list,B"], (Condition(field="sku", comparison=C.IN_LIST, values=("A", "B")),)),
    (["total,between,1 | 2"], (Condition(field="total", comparison=C.BETWEEN, values=("1", "2")),)),
    (["sku,is_not,A", "sku,is_not,B"], (is_("sku", C.IS_NOT, "A"), is_("sku", C.IS_NOT, "B"))),
    (
        ["sku,contains,A", "sku,contains,B"],
        (Group(match="any", conditions=(is_("sku", C.CONTAINS, "A"), is_("sku", C.CONTAINS, "B"))),),
    ),
]


@pytest.mark.parametrize(("rows", "wanted"), READ)
def test_rows_become_conditions(rows: list[str], wanted: tuple[Condition | Group, ...]) -> None:
    lines = "".join(f"R,map_class,X,{row}\n" for row in rows)
    (found,) = read_table(f"name,action,value,field,comparison,source_value\n{lines}")
    assert found.conditions == wanted


def test_a_comparison_without_a_value_needs_no_column_for_it() -> None:
    (found,) = read_table("name,action,value,field,comparison\nR,map_class,X,sku,is_empty\n")
    assert found.conditions == (is_("sku", C.IS_EMPTY, ""),)
    (bare,) = read_table("name,action\nR,mark_as_paid\n")
    assert (bare.value, bare.conditions, bare.connections) == ("", (), "all")
