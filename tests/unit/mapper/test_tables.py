"""Rules and maps as CSV: what goes out comes back, and a wrong cell is named."""

import pytest
from tests.unit.mapper.test_rules import rule

from common.errors import Rejected
from common.internal.mapper import MapEntry
from common.internal.mapper_rules import Comparison, Condition
from mapper.mapping.map_table import read_map, write_map
from mapper.rules.model import Rule
from mapper.rules.table import read_table, write_table


def test_rules_survive_a_round_trip_through_a_table() -> None:
    rules = [
        rule("map_sku", "=X", ("sku", "equals", "A"), name="one", priority=7, stop=True),
        rule("do_not_import", "", ("store_name", "contains", "Outlet"), ("total", "more_than", "5"), match="any"),
        rule("map_memo", "", copy_from="reference_number", name="copy", connections=["shop-1", "shop-2"]),
        Rule.model_validate(
            {
                "name": "several",
                "action": "map_class",
                "value": "Retail",
                "conditions": [
                    {"field": "store_name", "comparison": "in_list", "values": ["A", "B"]},
                    {"field": "total", "comparison": "between", "values": ["1", "2"]},
                ],
            }
        ),
    ]
    assert read_table(write_table(rules)) == rules


def test_rows_of_one_name_are_one_rule_with_several_source_values() -> None:
    table = "name,field,comparison,source_value,action,value\nR,sku,equals,A,map_sku,X\nR,sku,equals,B,map_sku,X\n"
    (found,) = read_table(table)
    assert found.conditions == (Condition(field="sku", comparison=Comparison.IN_LIST, values=("A", "B")),)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("name,acton\nR,map_sku\n", "Row 1, column 'acton': there is no such column"),
        ("name\nR\n", "Row 1, column 'action': it is missing"),
        ("name,action,value\n,map_sku,X\n", "Row 2, column 'name'"),
        ("name,action,value\nR,map_sku,\n", "say `clear`"),
        ("name,action,value\nR,map_everything,X\n", "Row 2, column 'action'"),
        ("name,action,value,field,source_value\nR,map_sku,X,skuu,1\n", "no field 'skuu'"),
        ("name,action,value,priority\nR,map_sku,X,soon\n", "Row 2, column 'priority'"),
        ("name,action,value,stop\nR,map_sku,X,maybe\n", "write yes or no"),
        ("name,action,value\nR,map_sku,X\nR,map_sku,Y\n", "Row 3, column 'value': rows of one rule must agree"),
    ],
)
def test_a_wrong_rule_table_names_row_and_column(table: str, says: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_table(table)
    assert says in refusal.value.reason.text


def test_maps_survive_a_round_trip_and_cells_stay_text() -> None:
    entries = [
        MapEntry(connection_id="*", source="SKU-1", target="Hammer"),
        MapEntry(connection_id="shop-1", source="=1+1", target="@SUM"),
        MapEntry(connection_id="shop-1", source="id:77", target=""),
    ]
    table = write_map(entries)
    assert table == "connection_id,source,target\n*,SKU-1,Hammer\nshop-1,'=1+1,'@SUM\nshop-1,id:77,\n"
    assert read_map(table) == entries


@pytest.mark.parametrize("begins", ["=", "+", "@", "\t"])
def test_a_map_cell_that_a_spreadsheet_would_run_is_guarded_and_comes_back(begins: str) -> None:
    entries = [MapEntry(connection_id="*", source=f"{begins}A", target="X=1")]
    table = write_map(entries)
    assert f"*,'{begins}A,X=1\n" in table
    assert read_map(table) == entries


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("connection,source,target\na,b,c\n", "Row 1, column 'connection'"),
        ("connection_id,source\na,b\n", "Row 1, column 'target'"),
        ("connection_id,source,target\n,b,c\n", "Row 2, column 'connection_id'"),
        ("connection_id,source,target\na,b,c\na,B,d\n", "it stands in row 2 already"),
        ("connection_id,source,target\n", "the table has no rows"),
    ],
)
def test_a_wrong_map_names_row_and_column(table: str, says: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_map(table)
    assert says in refusal.value.reason.text


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("connection_id,source\na,b\n", "target", ""),
        ("connection_id,source,goal\na,b,c\n", "goal", "goal"),
    ],
)
def test_a_column_of_a_map_that_is_missing_has_no_value(table: str, field: str, value: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_map(table)
    assert (refusal.value.reason.field, refusal.value.reason.value) == (field, value)


@pytest.mark.parametrize(("table", "field", "value"), [("name\nR\n", "action", ""), ("name,acton\n", "acton", "acton")])
def test_a_column_of_a_rule_table_that_is_missing_has_no_value(table: str, field: str, value: str) -> None:
    with pytest.raises(Rejected) as refusal:
        read_table(table)
    assert (refusal.value.reason.field, refusal.value.reason.value) == (field, value)
