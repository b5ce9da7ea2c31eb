"""Running a statement: the narrowest index first, then the other conditions, order and page."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from sandbox.quickbooks_online import recurring
from sandbox.quickbooks_online.clock import instant
from sandbox.quickbooks_online.company import LIST_ENTITIES, Company
from sandbox.quickbooks_online.entities.accounts import with_balance
from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.query.statement import Condition, Statement, parse
from sandbox.quickbooks_online.schema import ENTITIES, json_name
from sandbox.quickbooks_online.table import Doc, Row, Table, comparable
from sandbox.quickbooks_online.wire import dump

Test = Callable[[Row], bool]

_HEADER = ("domain", "sparse", "Id", "SyncToken", "MetaData")


@lru_cache(maxsize=256)
def _remembered(text: str) -> Statement:
    return parse(text)


def _parsed(text: str) -> Statement:
    return _remembered(text) if len(text) < 2000 else parse(text)


def query(company: Company, text: str) -> bytes:
    """Answer a statement with the encoded ``QueryResponse`` object. Raises 4000, 4001, 4002."""
    statement = _parsed(text)
    table = company.tables[statement.entity]
    rows = select(company, table, statement)
    if statement.count:
        return b'{"totalCount":%d}' % len(rows)
    fixed: list[Row] = []
    if statement.entity == "TaxCode":
        rows, fixed = _without_fixed_codes(rows)
    found = fixed + page(rows, statement)
    if not found:
        return b"{}"
    encoded = b",".join(_encode(company, statement, row) for row in found)
    return b'{"%b":[%b],"startPosition":%d,"maxResults":%d}' % (
        json_name(statement.entity).encode(),
        encoded,
        statement.start,
        len(found),
    )


def _without_fixed_codes(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """TAX, NON and CustomSalesTax lead every answer and do not count as results: a known oddity of the ledger."""
    fixed = [row for row in rows if not row.doc["Id"].isdigit()]
    return [row for row in rows if row.doc["Id"].isdigit()], sorted(fixed, key=lambda row: _FIXED.index(row.doc["Id"]))


_FIXED = ("TAX", "NON", "CustomSalesTax")


def page(rows: list[Row], statement: Statement) -> list[Row]:
    """The part of ``rows`` that STARTPOSITION and MAXRESULTS ask for."""
    start = statement.start - 1
    return rows[start : start + statement.limit]


def _encode(company: Company, statement: Statement, row: Row) -> bytes:
    if statement.entity == recurring.ENTITY:
        return dump(recurring.shown(row.doc))
    if statement.entity == "Account":
        return dump(_projected(with_balance(company, row.doc), statement.props))
    if statement.props:
        return dump(_projected(row.doc, statement.props))
    return company.raw(row)


def _projected(doc: Doc, props: list[str]) -> Doc:
    if not props:
        return doc
    wanted = {prop.split(".")[0].lower() for prop in props}
    out = {name: value for name, value in doc.items() if name.lower() in wanted}
    for name in ("domain", "sparse", "Id", "SyncToken"):
        if name in doc and (name.lower() in wanted or name in ("domain", "sparse")):
            out[name] = doc[name] if name != "sparse" else True
    return out


def select(company: Company, table: Table, statement: Statement) -> list[Row]:
    """All rows that satisfy the conditions, in order; inactive list objects only when Active is tested."""
    conditions = list(statement.where)
    rows = _candidates(table, conditions)
    tests = [_test(statement.entity, condition) for condition in conditions]
    if statement.entity in LIST_ENTITIES and not any(condition.prop == "Active" for condition in statement.where):
        tests.append(lambda row: row.doc.get("Active") is not False)
    if statement.entity == "Account" and any(c.prop.startswith("CurrentBalance") for c in conditions):
        rows = [Row(with_balance(company, row.doc), row.order) for row in rows]
    for test in tests:
        rows = [row for row in rows if test(row)]
    return _ordered(table, rows, statement)


def _candidates(table: Table, conditions: list[Condition]) -> list[Row]:
    """The smallest set an index gives; the condition it satisfies in full is taken off the list."""
    best: tuple[int, Condition, list[str]] | None = None
    for condition in conditions:
        if condition.op not in ("=", "IN"):
            continue
        if condition.prop == "Id":
            ids = [value for value in dict.fromkeys(condition.values) if value in table.rows]
        elif condition.prop in table.indexes:
            ids = [found for value in dict.fromkeys(v.casefold() for v in condition.values)
                   for found in table.find(condition.prop, value)]  # fmt: skip
        else:
            continue
        if best is None or len(ids) < best[0]:
            best = (len(ids), condition, ids)
    if best is not None:
        conditions.remove(best[1])
        return [table.rows[identifier] for identifier in best[2]]
    for condition in conditions:
        if condition.prop == "MetaData.LastUpdatedTime" and condition.op in (">", ">="):
            moment = instant(condition.values[0])
            if moment is not None:
                return table.changed_since(moment)
    return list(table.rows.values())


def _ordered(table: Table, rows: list[Row], statement: Statement) -> list[Row]:
    if not statement.order:
        if table.named:
            rows.sort(key=lambda row: row.order)
        else:
            rows.sort(key=lambda row: row.order[1], reverse=True)
        return rows
    for prop, descending in reversed(statement.order):
        rows.sort(key=_sort_key(prop), reverse=descending)
    return rows


def _sort_key(prop: str) -> Callable[[Row], Any]:
    if prop == "Id":
        return lambda row: row.order[1]
    if prop == "MetaData.LastUpdatedTime":
        return lambda row: row.stamp
    if prop == "MetaData.CreateTime":
        return lambda row: row.created

    def key(row: Row) -> tuple[int, Any]:
        value = _value(row.doc, prop)
        if value is None:
            return (0, "")
        if isinstance(value, (Decimal, int)) and not isinstance(value, bool):
            return (1, value)
        return (2, comparable(value) or "")

    return key


def _value(doc: Doc, prop: str) -> Any:
    value: Any = doc
    for part in prop.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _test(entity: str, condition: Condition) -> Test:
    head = condition.prop.split(".")[0]
    test = _plain_test(entity, condition)
    if not ENTITIES[entity].fields[head].many:
        return test
    # Of a list, one part that fits is enough.
    return lambda row: any(test(Row({head: part}, row.order)) for part in row.doc.get(head) or ())


def _plain_test(entity: str, condition: Condition) -> Test:
    prop, op, values = condition.prop, condition.op, condition.values
    if prop in ("MetaData.LastUpdatedTime", "MetaData.CreateTime"):
        return _moment_test(prop, op, values)
    if op == "LIKE":
        pattern = re.compile(".*".join(re.escape(part) for part in values[0].casefold().split("%")) + r"\Z", re.DOTALL)
        return lambda row: pattern.match(comparable(_value(row.doc, prop)) or "") is not None
    field = ENTITIES[entity].fields[prop.split(".")[0]]
    if field.kind in ("m", "q", "pct", "i") and "." not in prop:
        return _number_test(prop, op, values)
    if op == "IN":
        wanted = {value.casefold() for value in values}
        return lambda row: comparable(_value(row.doc, prop)) in wanted
    target = values[0].casefold()
    compare = _COMPARE[op]
    if prop == "Id":
        key = (len(target), target)
        return lambda row: compare(row.order[1], key)

    def test(row: Row) -> bool:
        value = comparable(_value(row.doc, prop))
        return value is not None and compare(value, target)

    return test


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


def _moment_test(prop: str, op: str, values: tuple[str, ...]) -> Test:
    moments = [instant(value) for value in values]
    if any(moment is None for moment in moments) or op == "LIKE":
        raise Fault("4001", f"QueryValidationError: Invalid date-time {values[0]!r} for {prop}")
    attribute = "stamp" if prop.endswith("LastUpdatedTime") else "created"
    if op == "IN":
        return lambda row: getattr(row, attribute) in moments
    compare, moment = _COMPARE[op], moments[0]
    return lambda row: compare(getattr(row, attribute), moment)


def _number_test(prop: str, op: str, values: tuple[str, ...]) -> Test:
    try:
        numbers = [Decimal(value) for value in values]
    except InvalidOperation:
        raise Fault("4001", f"QueryValidationError: {values[0]!r} is not a number for {prop}") from None
    if op == "IN":
        return lambda row: _value(row.doc, prop) in numbers
    compare, number = _COMPARE[op], numbers[0]

    def test(row: Row) -> bool:
        value = _value(row.doc, prop)
        return value is not None and compare(value, number)

    return test
