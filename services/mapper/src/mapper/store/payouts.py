"""Payouts as ingest sent them, and the references by which orders and payouts find each other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from common.bulk import Upsert
from common.database import Connection
from common.messages.orders import Direction, Order, Payout, PayoutLine
from common.messages.transactions import TransactionSet
from mapper.mapping.names import normal
from mapper.mapping.payout_matching import NEAR

LATE_CAPTURE = timedelta(days=37)
"""An order may be that much older than the charge that paid it: captured within thirty days, and a week."""

PAYOUTS = Upsert(
    "payouts",
    ("tenant_id", "connection_id", "external_id"),
    {
        "tenant_id": "text",
        "connection_id": "text",
        "external_id": "text",
        "revision": "bigint",
        "body": "text",
        "dirty_since": "timestamptz",
    },
    guard="t.revision < excluded.revision",
)
MEMBERS = Upsert(
    "payout_members",
    ("tenant_id", "connection_id", "reference", "payout_id"),
    {"tenant_id": "text", "connection_id": "text", "reference": "text", "payout_id": "text"},
    update=(),
)
REFERENCES = Upsert(
    "order_references",
    ("tenant_id", "connection_id", "reference", "external_id"),
    {"tenant_id": "text", "connection_id": "text", "reference": "text", "external_id": "text"},
    update=(),
)

MARK_MEMBERS = """
UPDATE payouts SET dirty_since = coalesce(dirty_since, now())
FROM payout_members m
WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.reference = ANY($3::text[])
  AND payouts.tenant_id = m.tenant_id AND payouts.connection_id = m.connection_id AND payouts.external_id = m.payout_id
"""
MARK_CONNECTION = """
UPDATE payouts SET dirty_since = coalesce(dirty_since, now()) WHERE tenant_id = $1 AND connection_id = $2
"""
MARK_COMPANY = """
UPDATE payouts SET dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id IN (
    SELECT scope_id FROM settings WHERE tenant_id = $1 AND scope = 'connection' AND company_id = $2)
"""
_DIRTY_TENANTS = "SELECT DISTINCT tenant_id FROM payouts WHERE dirty_since IS NOT NULL"
_CLAIM = """
SELECT body FROM payouts WHERE tenant_id = $1 AND dirty_since IS NOT NULL ORDER BY dirty_since LIMIT $2
FOR UPDATE SKIP LOCKED
"""
CLEAN = "UPDATE payouts SET dirty_since = NULL WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3"
ASK_FOR = """
UPDATE payouts SET asked_at = coalesce(asked_at, now()), dirty_since = coalesce(dirty_since, now())
WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3
"""
_ASKED = """
SELECT asked_at IS NOT NULL FROM payouts WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3
"""
_SETS = """
SELECT s.source_id, s.mode, s.body FROM sets s
WHERE s.tenant_id = $1 AND s.company_id = $2 AND s.connection_id = $3 AND s.source_kind = 'order'
  AND (s.source_id = ANY($4::text[]) OR s.source_id IN (
      SELECT external_id FROM order_references
      WHERE tenant_id = $1 AND connection_id = $3 AND reference = ANY($5::text[])))
ORDER BY s.source_id
"""
_ORDERS = """
SELECT o.body FROM orders o
WHERE o.tenant_id = $1 AND o.connection_id = $2
  AND (o.external_id = ANY($3::text[]) OR o.external_id IN (
      SELECT external_id FROM order_references
      WHERE tenant_id = $1 AND connection_id = $2 AND reference = ANY($4::text[])))
ORDER BY o.external_id
"""
_NEAR = """
SELECT s.body FROM orders o
JOIN sets s ON s.tenant_id = o.tenant_id AND s.company_id = $2 AND s.connection_id = o.connection_id
           AND s.source_kind = 'order' AND s.source_id = o.external_id
WHERE o.tenant_id = $1 AND o.connection_id = $3 AND o.ordered_on BETWEEN $4 AND $5
  AND (s.body::jsonb ->> 'source_total')::numeric = ANY($6::numeric[])
ORDER BY s.source_id LIMIT 1000
"""
_ELSEWHERE = """
SELECT s.body FROM sets s
WHERE s.tenant_id = $1 AND s.company_id = $2 AND s.connection_id = $3 AND s.source_kind = 'payout'
  AND s.source_id <> $4 AND s.source_id IN (
      SELECT payout_id FROM payout_members
      WHERE tenant_id = $1 AND connection_id = $3 AND reference = ANY($5::text[]))
ORDER BY s.source_id
"""
_NAMED = """
SELECT reference, min(external_id) AS order_id FROM order_references
WHERE tenant_id = $1 AND connection_id = $2 AND reference = ANY($3::text[])
GROUP BY reference HAVING count(*) = 1
"""


@dataclass(frozen=True, slots=True)
class References:
    """What payout lines say about orders."""

    order_ids: list[str]
    others: list[str]


def references_of_payout(payout: Payout) -> References:
    order_ids = {line.order_external_id for line in payout.lines if line.order_external_id}
    others: set[str] = set()
    for line in payout.lines:
        if line.order_number:
            others.add(f"number:{normal(line.order_number)}")
        if line.tender_external_id:
            others.add(f"id:{line.tender_external_id}")
        if line.refund_external_id:
            others.add(f"id:{line.refund_external_id}")
        if line.reference:
            others.add(f"reference:{normal(line.reference)}")
    return References(sorted(order_ids), sorted(others))


def references_of_order(order: Order) -> list[str]:
    """Everything a payout line may call this order by, short of its own id; no payout speaks of what was bought."""
    if order.direction is Direction.PURCHASE:
        return []
    found = {f"number:{normal(order.number)}"}
    for tender in order.tenders:
        found.add(f"id:{tender.external_id}")
        if tender.reference:
            found.add(f"reference:{normal(tender.reference)}")
    for refund in order.refunds:
        found.add(f"id:{refund.external_id}")
        for transaction in refund.transactions:
            found.add(f"id:{transaction.external_id}")
            if transaction.reference:
                found.add(f"reference:{normal(transaction.reference)}")
    return sorted(found)


def amount_reference(amount: Decimal) -> str:
    """How a payout line that names no order is found by one that arrives later."""
    return f"amount:{amount.normalize():f}"


def _unnamed(payout: Payout) -> list[PayoutLine]:
    """Charges that could be any order's of their amount."""
    return [
        line
        for line in payout.lines
        if line.kind == "charge" and line.amount > 0 and not line.order_number and not line.order_external_id
    ]


def member_rows(payout: Payout) -> Iterable[dict[str, str]]:
    references = references_of_payout(payout)
    amounts = sorted({amount_reference(line.amount) for line in _unnamed(payout)})
    for reference in (*(f"order:{one}" for one in references.order_ids), *references.others, *amounts):
        yield {
            "tenant_id": payout.tenant_id,
            "connection_id": payout.connection_id,
            "reference": reference,
            "payout_id": payout.external_id,
        }


def reference_rows(order: Order) -> Iterable[dict[str, str]]:
    for reference in references_of_order(order):
        yield {
            "tenant_id": order.tenant_id,
            "connection_id": order.connection_id,
            "reference": reference,
            "external_id": order.external_id,
        }


async def tenants_with_dirty_payouts(connection: Connection) -> list[str]:
    return [row["tenant_id"] for row in await connection.fetch(_DIRTY_TENANTS)]


async def claim_payouts(connection: Connection, tenant_id: str, limit: int) -> list[Payout]:
    """Lock payouts that wait to be matched and that no other replica has locked."""
    return [Payout.model_validate_json(row["body"]) for row in await connection.fetch(_CLAIM, tenant_id, limit)]


async def sets_of_payout(
    connection: Connection, payout: Payout, company_id: str
) -> tuple[Sequence[TransactionSet], Mapping[str, str]]:
    """Sets of the orders that the payout's lines speak of, and order's external id → mode it was written by."""
    references = references_of_payout(payout)
    rows = await connection.fetch(
        _SETS, payout.tenant_id, company_id, payout.connection_id, references.order_ids, references.others
    )
    sets = [TransactionSet.model_validate_json(row["body"]) for row in rows]
    return sets, {row["source_id"]: row["mode"] for row in rows if row["mode"]}


async def orders_of_payout(connection: Connection, payout: Payout) -> Sequence[Order]:
    """Orders that the payout's lines speak of, as fetched."""
    references = references_of_payout(payout)
    rows = await connection.fetch(
        _ORDERS, payout.tenant_id, payout.connection_id, references.order_ids, references.others
    )
    return [Order.model_validate_json(row["body"]) for row in rows]


async def sets_near_payout(connection: Connection, payout: Payout, company_id: str) -> Sequence[TransactionSet]:
    """Sets of orders of the amounts and about the days of charges that name no order; at most 1,000."""
    lines = _unnamed(payout)
    if not lines:
        return []
    days = [line.occurred_on for line in lines]
    rows = await connection.fetch(
        _NEAR,
        payout.tenant_id,
        company_id,
        payout.connection_id,
        min(days) - LATE_CAPTURE,
        max(days) + NEAR,
        sorted({line.amount for line in lines}),
    )
    return [TransactionSet.model_validate_json(row["body"]) for row in rows]


async def deposited_elsewhere(
    connection: Connection, payout: Payout, company_id: str, orders: Iterable[Order]
) -> dict[str, str]:
    """Document key → the other payout whose deposit groups it, of the documents of these orders."""
    names = {name for order in orders for name in (f"order:{order.external_id}", *references_of_order(order))}
    names.update(amount_reference(line.amount) for line in payout.lines if line.kind == "charge")
    if not names:
        return {}
    rows = await connection.fetch(
        _ELSEWHERE, payout.tenant_id, company_id, payout.connection_id, payout.external_id, sorted(names)
    )
    others = (TransactionSet.model_validate_json(row["body"]) for row in rows)
    return {key: other.source_id for other in others for key in grouped_documents(other)}


def grouped_documents(result: TransactionSet) -> list[str]:
    """Keys of the documents that a payout's deposit moves to the bank."""
    lines = (line for document in result.documents for line in document.lines)
    return [line.document_key for line in lines if line.document_key is not None]


async def orders_by_tender(connection: Connection, payout: Payout) -> dict[str, str]:
    """Tender's external id, as the payout's lines give it → the one order that it paid."""
    names = {f"id:{line.tender_external_id}": line.tender_external_id for line in payout.lines}
    rows = await connection.fetch(_NAMED, payout.tenant_id, payout.connection_id, sorted(names))
    return {names[row["reference"]]: row["order_id"] for row in rows}


async def is_asked_for(connection: Connection, payout: Payout) -> bool:
    """Whether somebody asked for this payout's deposit, where they are not made by themselves."""
    return bool(await connection.fetchval(_ASKED, payout.tenant_id, payout.connection_id, payout.external_id))


async def payout_of(connection: Connection, tenant_id: str, connection_id: str, external_id: str) -> Payout | None:
    """One payout; None where mapper has not received it."""
    body = await connection.fetchval(
        "SELECT body FROM payouts WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3",
        tenant_id,
        connection_id,
        external_id,
    )
    return None if body is None else Payout.model_validate_json(body)


_OF_ORDER = """
SELECT DISTINCT p.external_id, p.body FROM payout_members m
JOIN payouts p ON p.tenant_id = m.tenant_id AND p.connection_id = m.connection_id AND p.external_id = m.payout_id
WHERE m.tenant_id = $1 AND m.connection_id = $2 AND m.reference = ANY($3::text[])
ORDER BY p.external_id DESC LIMIT 50
"""


async def payouts_of_order(
    connection: Connection, tenant_id: str, connection_id: str, external_id: str
) -> list[tuple[Payout, list[PayoutLine]]]:
    """Payouts that speak of an order, each with the lines that do; at most 50."""
    body = await connection.fetchval(
        "SELECT body FROM orders WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3",
        tenant_id,
        connection_id,
        external_id,
    )
    if body is None:
        return []
    names = {f"order:{external_id}", *references_of_order(Order.model_validate_json(body))}
    rows = await connection.fetch(_OF_ORDER, tenant_id, connection_id, sorted(names))
    payouts = [Payout.model_validate_json(row["body"]) for row in rows]
    return [(payout, [line for line in payout.lines if names & _names_of(line)]) for payout in payouts]


def _names_of(line: PayoutLine) -> set[str]:
    """What a line calls its order by, as references are written."""
    found = {
        f"order:{line.order_external_id}": line.order_external_id,
        f"number:{normal(line.order_number)}": line.order_number,
        f"id:{line.tender_external_id}": line.tender_external_id,
        f"id:{line.refund_external_id}": line.refund_external_id,
        f"reference:{normal(line.reference)}": line.reference,
    }
    return {name for name, value in found.items() if value}
