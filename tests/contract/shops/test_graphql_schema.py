"""The stand-in's GraphQL schema is a true part of the published one: same fields, same arguments, same types."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
)
from tests import vendor_data

from sandbox.shops import ShopLife
from sandbox.shops.admin import open_shop
from sandbox.shops.shopify_graphql import _root
from sandbox.shops.shopify_schema import SCHEMA, SDL

pytestmark = pytest.mark.vendor
START = date(2026, 3, 1)


def published() -> DocumentNode:
    return parse(vendor_data.published("shopify/admin-graphql-2026-10.orders-excerpt.graphql").read_text())


def fields(document: DocumentNode) -> dict[str, dict[str, tuple[str, dict[str, str]]]]:
    """Type name → field name → its type and the types of its arguments."""
    found = {}
    for node in document.definitions:
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            found[node.name.value] = {
                field.name.value: (
                    print_ast(field.type),
                    {argument.name.value: print_ast(argument.type) for argument in field.arguments or ()},
                )
                for field in node.fields or ()
            }
    return found


def enums(document: DocumentNode) -> dict[str, set[str]]:
    return {
        node.name.value: {value.name.value for value in node.values or ()}
        for node in document.definitions
        if isinstance(node, EnumTypeDefinitionNode)
    }


def test_every_field_has_the_published_type_and_arguments() -> None:
    theirs, ours = fields(published()), fields(parse(SDL))
    compared = 0
    for name in set(ours) & set(theirs):
        for field, (kind, arguments) in ours[name].items():
            assert field in theirs[name], f"{name}.{field} isn't published"
            their_kind, their_arguments = theirs[name][field]
            assert kind == their_kind, f"{name}.{field}"
            assert arguments.items() <= their_arguments.items(), f"{name}.{field}"
            compared += 1
    assert {"Order", "LineItem", "OrderTransaction", "Refund", "ShippingLine", "MoneyBag"} <= set(ours) & set(theirs)
    assert compared > 150


def test_every_enum_value_is_published() -> None:
    theirs, ours = enums(published()), enums(parse(SDL))
    assert {"OrderDisplayFinancialStatus", "OrderTransactionKind", "OrderSortKeys"} <= set(ours) & set(theirs)
    for name in set(ours) & set(theirs):
        assert ours[name] <= theirs[name], name


def whole(name: str, depth: int) -> str:
    """A selection of every field of a type, as deep as given."""
    from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type, is_leaf_type

    kind = SCHEMA.type_map[name]
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        parts = [f"... on {part.name} {whole(part.name, depth)}" for part in SCHEMA.get_possible_types(kind)]
        return "{ __typename " + " ".join(parts) + " }"
    assert isinstance(kind, GraphQLObjectType)
    rows = []
    for field_name, field in kind.fields.items():
        inner = get_named_type(field.type)
        arguments = "(first: 50)" if "first" in field.args else ""
        if is_leaf_type(inner):
            rows.append(field_name)
        elif depth > 0:
            rows.append(f"{field_name}{arguments} {whole(inner.name, depth - 1)}")
    return "{ __typename " + " ".join(rows) + " }"


@pytest.mark.parametrize("shop", ["us", "eu", "jp"])
def test_every_field_of_every_order_can_be_asked_for(shop: str) -> None:
    from graphql import graphql_sync

    store = open_shop({"kind": "shopify", "shop": shop, "orders": 60, "start_date": "2026-03-01"})
    store.advance()
    result = graphql_sync(SCHEMA, f"{{ orders(first: 100) {{ nodes {whole('Order', 6)} }} }}", root_value=_root(store))
    assert result.errors is None
    assert result.data is not None
    nodes: list[dict[str, Any]] = result.data["orders"]["nodes"]
    assert len(nodes) == 60
    assert any(node["refunds"] for node in nodes)
    assert len({s.order_id for s in ShopLife(1, "shopify", shop, START).snapshots(60)}) == 60
