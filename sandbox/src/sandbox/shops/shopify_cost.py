"""What a GraphQL query costs.

One point per object; a connection two, and what is inside it as often as rows are asked for.
"""

from __future__ import annotations

from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

CONNECTION_COST: Final = 2
ROWS_UNSAID: Final = 10


def query_cost(document: DocumentNode, variables: dict[str, Any]) -> int:
    """The requested cost of a document that has been validated."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return sum(_inside(node.selection_set, fragments, variables) for node in operations)


def _inside(
    selections: SelectionSetNode | None, fragments: dict[str, FragmentDefinitionNode], variables: dict[str, Any]
) -> int:
    cost = 0
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            cost += _field(node, fragments, variables)
        elif isinstance(node, InlineFragmentNode):
            cost += _inside(node.selection_set, fragments, variables)
        elif isinstance(node, FragmentSpreadNode):
            cost += _inside(fragments[node.name.value].selection_set, fragments, variables)
    return cost


def _field(node: FieldNode, fragments: dict[str, FragmentDefinitionNode], variables: dict[str, Any]) -> int:
    if node.selection_set is None or node.name.value in ("pageInfo", "shopMoney", "presentmentMoney"):
        return 0
    inner = _inside(node.selection_set, fragments, variables)
    if node.name.value in ("nodes", "edges"):
        return inner + (1 if node.name.value == "nodes" else 0)
    rows = _rows(node, variables)
    return 1 + inner if rows is None else CONNECTION_COST + rows * inner


def _rows(node: FieldNode, variables: dict[str, Any]) -> int | None:
    """How many rows are asked for; None where the field isn't a list that can be cut."""
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
            if isinstance(argument.value, VariableNode):
                given = variables.get(argument.value.name.value)
                return given if isinstance(given, int) else ROWS_UNSAID
    return None
