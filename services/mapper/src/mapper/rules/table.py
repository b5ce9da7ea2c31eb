"""Rules as a table: CSV out, and CSV in with every wrong cell named.

One row is one condition. Rows that share a rule's name are one rule: rows with the same field and one of the
comparisons of `ALTERNATIVES` give several source values, of which any is enough; others are further conditions.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from common.cells import UNQUOTED, guarded, unguarded
from common.errors import Rejected
from common.internal.mapper_rules import Comparison, Condition, Group
from common.messages.base import Reason
from mapper.rules.compiling import compile_rule
from mapper.rules.model import Rule

COLUMNS: Final = (
    "name",
    "enabled",
    "priority",
    "direction",
    "connections",
    "match",
    "field",
    "comparison",
    "source_value",
    "action",
    "value",
    "copy_from",
    "clear",
    "stop",
    "allow_total_change",
)
REQUIRED: Final = frozenset({"name", "action"})
_SHOWN: Final = tuple(name for name in Rule.model_fields if name != "rule_id")
ROWS_MAX: Final = 20_000
SEVERAL: Final = " | "
"""Separates the values of between, and connections."""
ALTERNATIVES: Final = frozenset(
    {Comparison.EQUALS, Comparison.IN_LIST, Comparison.CONTAINS, Comparison.STARTS_WITH, Comparison.ENDS_WITH}
)
"""Comparisons whose rows are several source values of one condition."""
IMPORTED: Final = {"matches": Comparison.CONTAINS.value, "is": Comparison.EQUALS.value, "map all": "map all"}
"""Names of comparisons in tables of other products."""


class TableRefused(Rejected):
    """A table that can't be read, with the row and column that is wrong."""


def _refused(row: int, column: str, value: str, problem: str) -> TableRefused:
    return TableRefused(
        Reason(
            code="RULE_TABLE_REFUSED",
            text=f"Row {row}, column {column!r}: {problem}"[:4000],
            cure="Correct the table and import it again; nothing was saved.",
            field=column[:500],
            value=value[:500],
        )
    )


def write_table(rules: Iterable[Rule]) -> str:
    """CSV of rules with a name each. Raises `TableRefused` for one that would not be read back just as it is."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for rule in rules:
        rows = [{column: guarded(text) for column, text in row.items()} for row in _rows(rule)]
        _check_reads_back(rule, rows)
        writer.writerows(rows)
    return out.getvalue()


def _check_reads_back(rule: Rule, rows: Iterable[Mapping[str, str]]) -> None:
    """Raises `TableRefused` where the rows say something else than the rule, such as for nested groups."""
    try:
        read = _drafted([(number, _cells(row)) for number, row in enumerate(rows, start=2)])
    except (ValidationError, TableRefused):
        read = None
    wrong = [name for name in _SHOWN if read is None or getattr(read, name) != getattr(rule, name)]
    if not wrong:
        return
    part = "conditions" if "conditions" in wrong else wrong[0]
    raise TableRefused(
        Reason(
            code="RULE_NOT_FOR_A_TABLE",
            text=f"The rule {rule.name!r} can't be a part of a table: rows can't say its {part} as they are"
            + (", in nested groups." if part == "conditions" else "."),
            cure="Take a back-up of the company file (it holds every rule), or read GET /v1/rules; or split the rule.",
            field=part,
            value=rule.name,
        )
    )


def _rows(rule: Rule) -> Iterable[dict[str, str]]:
    head = {
        "name": rule.name,
        "enabled": _yes(rule.enabled),
        "priority": str(rule.priority),
        "direction": rule.direction,
        "connections": "all" if rule.connections == "all" else SEVERAL.join(rule.connections),
        "match": rule.match,
        "field": "",
        "comparison": "",
        "source_value": "",
        "action": rule.action.value,
        "value": rule.value,
        "copy_from": rule.copy_from,
        "clear": _yes(rule.clear),
        "stop": _yes(rule.stop),
        "allow_total_change": _yes(rule.allow_total_change),
    }
    conditions = tuple(_flat(rule))
    if not conditions:
        yield head
    for condition in conditions:
        cell = {"field": condition.field, "comparison": condition.comparison.value}
        if condition.comparison is Comparison.IN_LIST:
            yield from (head | cell | {"source_value": value} for value in condition.values)
        else:
            text = SEVERAL.join(condition.values) if condition.values else condition.value
            yield head | cell | {"source_value": text}


def _flat(rule: Rule) -> Iterable[Condition]:
    for one in rule.conditions:
        if isinstance(one, Group):
            yield from (inner for inner in one.conditions if isinstance(inner, Condition))
        else:
            yield one


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def read_table(text: str) -> list[Rule]:
    """Rules of a CSV table, each compiled once so that it can be used. Raises `TableRefused`, saving nothing."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    header = [column.strip().lower() for column in reader.fieldnames or ()]
    unknown = [column for column in header if column not in COLUMNS]
    if unknown or not set(header) >= REQUIRED:
        wrong = unknown[0] if unknown else min(REQUIRED - set(header))
        problem = f"there is no such column; the columns are {', '.join(COLUMNS)}" if unknown else "it is missing"
        raise _refused(1, wrong, unknown[0] if unknown else "", problem)
    grouped: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, row in enumerate(reader, start=2):
        if number > ROWS_MAX:
            raise _refused(number, "name", "", f"a table may have {ROWS_MAX} rows; import it in parts")
        if more := row.get(None):
            raise _refused(number, str(len(header) + 1), more[0], UNQUOTED)
        cells = _cells(row)
        name = cells["name"]
        if not name:
            raise _refused(number, "name", "", "every row needs the name of its rule")
        grouped.setdefault(name, []).append((number, cells))
    return [_rule(rows) for rows in grouped.values()]


def _cells(row: Mapping[str, str | None]) -> dict[str, str]:
    """Cells without the spaces around them, but for the value: a prefix may well end with one."""
    cells = {key.strip().lower(): value or "" for key, value in row.items()}
    return {
        column: unguarded(text if column == "value" and text.strip() else text.strip())
        for column, text in cells.items()
    }


def _rule(rows: Sequence[tuple[int, dict[str, str]]]) -> Rule:
    number, first = rows[0]
    for other, cells in rows[1:]:
        for column in ("action", "value", "match", "priority"):
            if cells.get(column, "") != first.get(column, ""):
                raise _refused(
                    other, column, cells.get(column, ""), "rows of one rule must agree; give it another name"
                )
    try:
        rule = _drafted(rows)
        compile_rule(rule)
    except ValidationError as error:
        problem = error.errors()[0]
        column = str(problem["loc"][0]) if problem["loc"] else "value"
        raise _refused(number, column, first.get(column, ""), str(problem["msg"])) from error
    except TableRefused:
        raise
    except Rejected as error:
        place = error.reason.field or "conditions"
        part = place.rpartition(".")[2]
        column = "source_value" if part in ("value", "values") and part != place else part
        wrong = error.reason.value or ""
        row = next((one for one, cells in rows if cells.get(column) == wrong), number)
        raise _refused(row, column, wrong, error.reason.text) from error
    except ValueError as error:
        raise _refused(number, "priority", first.get("priority", ""), "it must be a whole number") from error
    return rule


def _drafted(rows: Sequence[tuple[int, dict[str, str]]]) -> Rule:
    """The rule that rows of one name say, not compiled. Raises `TableRefused`, `ValidationError` or `ValueError`."""
    number, first = rows[0]
    connections = first.get("connections", "") or "all"
    return Rule.model_validate(
        {
            "name": first["name"],
            "enabled": _flag(number, "enabled", first, default=True),
            "priority": int(first.get("priority") or 100),
            "direction": first.get("direction") or "to_ledger",
            "connections": "all" if connections == "all" else tuple(connections.split(SEVERAL)),
            "match": first.get("match") or "all",
            "conditions": _conditions(rows),
            "action": first["action"],
            "value": first.get("value", ""),
            "copy_from": first.get("copy_from", ""),
            "clear": _flag(number, "clear", first, default=False),
            "stop": _flag(number, "stop", first, default=False),
            "allow_total_change": _flag(number, "allow_total_change", first, default=False),
        }
    )


def _flag(number: int, column: str, cells: dict[str, str], *, default: bool) -> bool:
    text = cells.get(column, "").lower()
    if text in ("", "yes", "true", "1", "no", "false", "0"):
        return default if not text else text in ("yes", "true", "1")
    raise _refused(number, column, text, "write yes or no")


def _conditions(rows: Sequence[tuple[int, dict[str, str]]]) -> tuple[Condition | Group, ...]:
    """Conditions in the order of their first rows; rows that only add a source value join the first one's."""
    found: list[tuple[str, Comparison, list[str]]] = []
    joined: dict[tuple[str, Comparison], list[str]] = {}
    for number, cells in rows:
        field, comparison = cells.get("field", ""), cells.get("comparison", "").lower() or "equals"
        comparison = IMPORTED.get(comparison, comparison)
        if not field or comparison == "map all":
            continue
        if comparison not in set(Comparison):
            raise _refused(number, "comparison", comparison, f"it is none of {', '.join(Comparison)}")
        kind, value = Comparison(comparison), cells.get("source_value", "")
        same = (field, Comparison.EQUALS if kind is Comparison.IN_LIST else kind)
        if same in joined:
            joined[same].append(value)
            continue
        values = [value]
        if kind in ALTERNATIVES:
            joined[same] = values
        found.append((field, kind, values))
    return tuple(_condition(field, kind, values) for field, kind, values in found)


def _condition(field: str, kind: Comparison, values: list[str]) -> Condition | Group:
    if kind is Comparison.BETWEEN:
        return Condition(field=field, comparison=kind, values=tuple(values[0].split(SEVERAL)))
    if kind is Comparison.EQUALS and "*" in values:
        return Condition(field=field, comparison=kind, value="*")
    if kind is Comparison.IN_LIST or (kind is Comparison.EQUALS and len(values) > 1):
        return Condition(field=field, comparison=Comparison.IN_LIST, values=tuple(values))
    conditions = tuple(Condition(field=field, comparison=kind, value=value) for value in values)
    return conditions[0] if len(conditions) == 1 else Group(match="any", conditions=conditions)
