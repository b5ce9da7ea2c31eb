"""New customers, vendors and items by the batch: up to thirty in one request.

Only names are written so. They are unique in the ledger, so that a batch which is repeated, or which arrives late, can
make none of them twice; a request id protects nothing inside a batch for certain. Money documents go one by one.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import ErrorClass, Operation, OperationKind, Outcome, Unanswered
from ledger_writer.ledgers.quickbooks_online import taken
from ledger_writer.ledgers.quickbooks_online.bodies import Body, Books, build
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.errors import classify
from ledger_writer.ledgers.quickbooks_online.faults import fault_inside
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild
from ledger_writer.ledgers.quickbooks_online.outcomes import written_as
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.writing import outcome_of

_NAMES: Final = frozenset({DocumentKind.CUSTOMER, DocumentKind.VENDOR, DocumentKind.ITEM})

Outcomes = list[tuple[str, Outcome]]


def split(operations: Sequence[Operation], names_max: int) -> tuple[list[list[Operation]], list[Operation]]:
    """(batches of names, the rest). A name alone is cheaper as a single request."""
    names = [one for one in operations if one.kind in _NAMES and one.operation is OperationKind.CREATE]
    if min(len(names), names_max) < 2:
        return [], list(operations)
    batches = [names[start : start + names_max] for start in range(0, len(names), names_max)]
    batched = {one.document_key for one in names}
    return batches, [one for one in operations if one.document_key not in batched]


async def write_names(
    client: Client, settings: OnlineSettings, books: Books, operations: Sequence[Operation]
) -> Outcomes:
    """Create names with one request. Raises nothing that the ledger or the network can cause."""
    outcomes: Outcomes = []
    bodies: dict[str, tuple[Operation, Body]] = {}
    for number, operation in enumerate(operations):
        try:
            bodies[f"n{number}"] = operation, build(operation, books)
        except CannotBuild as error:
            outcomes.append((operation.document_key, error.refused))
    if not bodies:
        return outcomes
    items = [{"bId": name, "operation": "create", body.entity: body.content} for name, (_, body) in bodies.items()]
    # Never the id of an earlier batch, whose stored answer would repeat the passing trouble of its items for ever (or
    # be a fault of its own). What a lost answer made is found by name before this, and refused as taken at the latest.
    answers: Any = await outcome_of(client.batch(items, uuid4().hex))
    for name, (operation, body) in bodies.items():
        if isinstance(answers, dict):
            outcome = await outcome_of(_one(client, settings, books, operation, body, answers.get(name)))
        else:
            outcome = answers
        outcomes.append((operation.document_key, outcome))
    return outcomes


async def _one(
    client: Client, settings: OnlineSettings, books: Books, operation: Operation, body: Body, element: Any
) -> Outcome:
    fault = fault_inside(element)
    if fault is not None:
        refused = classify(fault)
        if refused.error_class is ErrorClass.LOOKUP:
            return await taken.settle(client, settings, books, operation, body, refused)
        return refused
    stored = element.get(body.entity) if isinstance(element, dict) else None
    if not isinstance(stored, dict):
        return Unanswered("QuickBooks' answer leaves this one out")
    return written_as(operation, body, stored, "created")
