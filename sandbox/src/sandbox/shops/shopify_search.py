"""Shopify's search syntax as far as orders need it: `field:value` terms joined by spaces, AND and OR."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from graphql import GraphQLError

from sandbox.shops.listing import parse_time
from sandbox.shops.store import Held

TERM: Final = re.compile(r"""(-)?(?:(\w+):)(<=|>=|<|>)?(?:'([^']*)'|"([^"]*)"|(\S+))|(\bAND\b|\bOR\b)""")
QUERY_CHARS_MAX: Final = 10_000
Accept = Callable[[Held], bool]


def parse_query(query: str | None) -> Accept:
    """One test for a whole query. Raises a GraphQLError for what this server can't search by."""
    if not query or not query.strip():
        return lambda _held: True
    if len(query) > QUERY_CHARS_MAX or TERM.sub("", query).strip():
        message = f"query: {TERM.sub('', query).strip()[:60]!r} isn't understood; write field:value terms"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    groups: list[list[Accept]] = [[]]
    for negated, field, operator, single, double, bare, word in TERM.findall(query):
        if word == "OR":
            groups.append([])
        elif not word:
            test = _term(field, operator, single or double or bare)
            groups[-1].append(_negate(test) if negated else test)
    return lambda held: any(all(test(held) for test in group) for group in groups)


def _negate(test: Accept) -> Accept:
    return lambda held: not test(held)


def _term(field: str, operator: str, value: str) -> Accept:
    try:
        match field:
            case "updated_at":
                return _compare(operator, parse_time(value), lambda held: held.updated_at)
            case "created_at" | "processed_at":
                return _compare(operator, parse_time(value), lambda held: held.created_at)
            case "id":
                return _compare(operator, int(value.rsplit("/", 1)[-1]), lambda held: held.id)
    except ValueError:
        message = f"query: {field} can't be {value[:40]!r}"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"}) from None
    match field:
        case "name":
            return lambda held: bool(held.snapshot.body["name"].lstrip("#") == value.lstrip("#"))
        case "financial_status" | "fulfillment_status":
            return lambda held: (held.snapshot.body[field] or "unfulfilled") == value.lower()
        case "status":
            return lambda held: _in_status(held.snapshot.body, value.lower())
        case "test":
            return lambda held: held.snapshot.body["test"] is (value.lower() == "true")
    message = f"query: {field!r} can't be searched by; use updated_at, created_at, id, name or a status"
    raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def _compare(operator: str, wanted: Any, value: Callable[[Held], datetime | int]) -> Accept:
    match operator:
        case ">=":
            return lambda held: value(held) >= wanted
        case ">":
            return lambda held: value(held) > wanted
        case "<=":
            return lambda held: value(held) <= wanted
        case "<":
            return lambda held: value(held) < wanted
    return lambda held: value(held) == wanted


def _in_status(body: dict[str, Any], status: str) -> bool:
    ended = {"closed": body["closed_at"], "cancelled": body["cancelled_at"]}
    if status == "open":
        return not any(ended.values())
    return bool(ended.get(status, True))
