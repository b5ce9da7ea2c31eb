"""The in-memory table keeps its indexes in step with its objects."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.quickbooks_online.clock import instant
from sandbox.quickbooks_online.table import Table


def doc(identifier: str, name: str, second: int = 0) -> dict[str, Any]:
    stamp = f"2026-01-01T00:00:{second:02d}-08:00"
    return {"Id": identifier, "Name": name, "MetaData": {"CreateTime": stamp, "LastUpdatedTime": stamp}}


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove"]), st.integers(1, 12), st.sampled_from("abcABC"), st.integers(0, 59)),
    max_size=60,
)


@given(STEPS)
def test_indexes_agree_with_a_plain_dictionary(steps: list[tuple[str, int, str, int]]) -> None:
    table = Table("Item", ["Name"], "Name")
    plain: dict[str, dict[str, Any]] = {}
    for action, number, name, second in steps:
        identifier = str(number)
        if action == "put":
            plain[identifier] = doc(identifier, name, second)
            table.put(plain[identifier])
        else:
            plain.pop(identifier, None)
            table.remove(identifier)
    assert {identifier: row.doc for identifier, row in table.rows.items()} == plain
    assert [identifier for _, identifier in table.ids] == sorted(plain, key=int)
    assert [order[0] for order in table.by_name] == sorted(held["Name"] for held in plain.values())
    for name in "abc":
        expected = {identifier for identifier, held in plain.items() if held["Name"].lower() == name}
        assert set(table.find("Name", name.upper())) == expected
    since = instant("2026-01-01T00:00:30-08:00") or 0
    changed = {row.doc["Id"] for row in table.changed_since(since)}
    assert changed == {identifier for identifier, row in table.rows.items() if row.stamp >= since}
