"""What credit memos and purchases are applied to: they do not say so, the payments that set them off do.

Asked only for those that a look-up found, in bulk: their partners, then the payments that either side names.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from common.errors import Retryable
from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import Found, LedgerLink, Operation
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.lookup import listed, rows_of
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.wire import Transaction

APPLIED_LATER: Final = (DocumentKind.CREDIT_MEMO, DocumentKind.REFUND_PAYMENT)
"""Kinds that a request of its own sets off against others."""
_PAYMENT: Final = "Payment"

Stored = dict[tuple[str, str], Transaction]
"""Objects of the ledger by entity and id."""


async def complete(
    client: Client,
    settings: OnlineSettings,
    operations: Sequence[Operation],
    found: Mapping[str, Sequence[Found]],
) -> dict[str, Sequence[Found]]:
    """The candidates, with what those that are applied by others are applied to, among what their operations name.

    Raises what `Client` raises, and `Retryable` where an answer can't be read.
    """
    asked = {one.document_key: _targets(one) for one in operations if found.get(one.document_key)}
    asked = {key: targets for key, targets in asked.items() if targets}
    sides = [link for targets in asked.values() for link in targets]
    sides += [candidate.link for key in asked for candidate in found[key]]
    if not asked:
        return dict(found)
    stored = await _read(client, settings, ((link.details.get("entity", ""), link.ledger_id) for link in sides))
    named = {linked.txn_id for one in stored.values() for linked in one.linked if linked.txn_type == _PAYMENT}
    stored |= await _read(client, settings, ((_PAYMENT, one) for one in named if (_PAYMENT, one) not in stored))
    payments = [one for (entity, _), one in stored.items() if entity == _PAYMENT]
    completed: dict[str, Sequence[Found]] = dict(found)
    for key, targets in asked.items():
        ids = {link.ledger_id for link in targets}
        completed[key] = [replace(one, applied=_applied(one.link.ledger_id, ids, payments)) for one in found[key]]
    return completed


def _targets(operation: Operation) -> list[LedgerLink]:
    """Where the documents are that the operation's money is applied to, as far as that is known."""
    if operation.kind not in APPLIED_LATER:
        return []
    return [operation.references[key] for key in operation.targets if key in operation.references]


def _applied(source: str, targets: set[str], payments: Iterable[Transaction]) -> tuple[tuple[str, Decimal], ...]:
    """(ledger id, amount). A payment of nothing names both sides; one that is a target itself names the source."""
    applied: dict[str, Decimal] = defaultdict(Decimal)
    for payment in payments:
        lines: dict[str, Decimal] = defaultdict(Decimal)
        for line in payment.lines:
            for one in line.linked:
                lines[one.txn_id] += line.amount or Decimal(0)
        if source not in lines:
            continue
        if payment.id in targets:
            applied[payment.id] += lines[source]
        else:
            for target in targets & lines.keys():
                # What else settles the target in the same payment is not the source's.
                applied[target] += min(lines[target], lines[source])
    return tuple(sorted(applied.items()))


async def _read(client: Client, settings: OnlineSettings, wanted: Iterable[tuple[str, str]]) -> Stored:
    by_entity: dict[str, set[str]] = defaultdict(set)
    for entity, ledger_id in wanted:
        by_entity[entity].add(ledger_id)
    by_entity.pop("", None)
    stored: Stored = {}
    for entity, ids in sorted(by_entity.items()):
        ordered = sorted(ids)
        for start in range(0, len(ordered), settings.values_per_query):
            where = f"Id IN {listed(ordered[start : start + settings.values_per_query])}"
            rows: Sequence[Mapping[str, Any]] = await rows_of(client, entity, where, settings.page_size)
            try:
                read = [Transaction.model_validate(row) for row in rows]
            except ValidationError as error:
                raise Retryable(f"QuickBooks' list of {entity} can't be read") from error
            stored |= {(entity, one.id): one for one in read}
    return stored
