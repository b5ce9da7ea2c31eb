"""Shopify's GraphQL Admin API: orders, one order, the shop; priced in points and throttled by them."""

from __future__ import annotations

from typing import Any, Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)
from starlette.requests import Request
from starlette.responses import Response

from sandbox.shops.listing import BadCursor, matching, pack_cursor, page_after, unpack_cursor
from sandbox.shops.shopify_cost import query_cost
from sandbox.shops.shopify_nodes import order_node, page_size
from sandbox.shops.shopify_schema import SCHEMA
from sandbox.shops.shopify_search import parse_query
from sandbox.shops.store import ShopStore
from sandbox.shops.web import Answer, Json, guarded, json_body, store_of

COST_MAX: Final = 1_000
SORTS: Final = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "processed_at"}


def refusal(request: Request) -> Response | None:
    """Check the token; points are counted once the query is known."""
    if request.headers.get("X-Shopify-Access-Token") == store_of(request).credentials.token:
        return None
    return Answer({"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, 401)


async def graphql(request: Request) -> Response:
    """POST graphql.json with {"query", "variables"}"""
    store, body = store_of(request), await json_body(request)
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        return Answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
    variables = body.get("variables") or {}
    try:
        document = parse(body["query"], max_tokens=5_000)
    except GraphQLError as error:
        return Answer({"errors": [error.formatted]})
    problems: list[Any] = validate(SCHEMA, document)
    if any(
        isinstance(node, OperationDefinitionNode) and node.operation.value != "query" for node in document.definitions
    ):
        problems = [GraphQLError("this stand-in answers queries only")]
    if problems or not isinstance(variables, dict):
        return Answer({"errors": [problem.formatted for problem in problems] or "variables must be an object"})
    return _priced(store, document, variables, body.get("operationName"))


def _priced(store: ShopStore, document: DocumentNode, variables: dict[str, Any], operation: str | None) -> Response:
    cost = query_cost(document, variables)
    if cost > COST_MAX:
        message = f"Query cost is {cost}, which exceeds the single query max cost limit ({COST_MAX})."
        return Answer({"errors": [_error(message, "MAX_COST_EXCEEDED")], **_cost(store, cost, None)})
    if not store.points.take(cost):
        store.counters["throttled"] += 1
        return Answer({"errors": [_error("Throttled", "THROTTLED")], **_cost(store, cost, None)})
    result = execute_sync(
        SCHEMA, document, root_value=_root(store), variable_values=variables, operation_name=operation
    )
    answer: Json = {"data": result.data, **_cost(store, cost, cost)}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return Answer(answer)


def _root(store: ShopStore) -> Json:
    life = store.life

    def orders(_info: GraphQLResolveInfo[Any], **args: Any) -> Json:
        return _orders(store, args)

    def order(_info: GraphQLResolveInfo[Any], id: str) -> Json | None:  # noqa: A002 - the argument's name is Shopify's
        tail = id.rsplit("/", 1)[-1]
        held = store.orders.get(int(tail)) if tail.isdigit() else None
        return order_node(held) if held else None

    return {
        "orders": orders,
        "order": order,
        "shop": {
            "id": f"gid://shopify/Shop/{life.base_id}",
            "name": life.shop.name,
            "email": "owner@example.com",
            "myshopifyDomain": life.host,
            "currencyCode": life.shop.currency.code,
            "ianaTimezone": life.shop.timezone,
            "taxesIncluded": life.shop.taxes_included,
        },
    }


def _orders(store: ShopStore, args: dict[str, Any]) -> Json:
    sort = SORTS.get(args.get("sortKey", "PROCESSED_AT"), "id")
    descending, limit = bool(args.get("reverse")), page_size(args)
    backwards = args.get("last") is not None
    cursor = args.get("before") if backwards else args.get("after")
    try:
        position = unpack_cursor(cursor) if cursor else None
    except BadCursor:
        position = ("", (None, 0), {})
    if position is not None and position[0] != sort:
        message = "Invalid cursor for current pagination sort."
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    rows = matching(store, sort, parse_query(args.get("query")), descending=descending)
    place = position[1] if position else None
    page = page_after(rows, sort, place, limit, descending=descending, backwards=backwards)
    cursors = [pack_cursor(sort, held) for held in page.rows]
    nodes = [order_node(held) for held in page.rows]
    return {
        "nodes": nodes,
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
        "pageInfo": {
            "hasNextPage": page.has_next,
            "hasPreviousPage": page.has_previous,
            "startCursor": cursors[0] if cursors else None,
            "endCursor": cursors[-1] if cursors else None,
        },
    }


def _cost(store: ShopStore, requested: int, actual: int | None) -> Json:
    status = {
        "maximumAvailable": store.points.size,
        "currentlyAvailable": int(store.points.available),
        "restoreRate": store.points.leak_per_s,
    }
    cost = {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status}
    return {"extensions": {"cost": cost}}


def _error(message: str, code: str) -> Json:
    return {"message": message, "extensions": {"code": code, "documentation": "https://shopify.dev/api/usage/limits"}}


ROUTES: Final = guarded("shopify", "/{shop}/admin/api/{version}", refusal, ("/graphql.json", graphql, ["POST"]))
