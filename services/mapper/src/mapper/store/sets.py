"""Transaction sets: the newest of every source entity, and the products that keep orders out."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import orjson

from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection
from common.messages.base import at_revision
from common.messages.orders import Order
from common.messages.transactions import LineKind, TransactionSet, TransactionsListed
from mapper.mapping.history import FIRST_TIME, History
from mapper.mapping.names import normal
from mapper.rules.engine import CompiledRules

SetKey = tuple[str, str, str, str, str]
"""(tenant id, company id, connection id, source kind, source id)"""

SETS = Upsert(
    "sets",
    ("tenant_id", "company_id", "connection_id", "source_kind", "source_id"),
    {
        "tenant_id": "text",
        "company_id": "text",
        "connection_id": "text",
        "source_kind": "text",
        "source_id": "text",
        "revision": "bigint",
        "content_hash": "text",
        "mapped": "boolean",
        "invoiced": "boolean",
        "cancellation": "text",
        "shipments": "text",
        "mode": "text",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
    assignments={"mapped_at": "now()"},
)

UNMATCHED = Upsert(
    "unmatched",
    ("tenant_id", "connection_id", "external_id", "product_key"),
    {
        "tenant_id": "text",
        "connection_id": "text",
        "external_id": "text",
        "product_key": "text",
        "company_id": "text",
        "sku": "text",
        "name": "text",
    },
    update=("company_id", "sku", "name"),
)

_INPUTS = b'"inputs":{'

_KNOWN = """
SELECT s.tenant_id, s.company_id, s.connection_id, s.source_kind, s.source_id, s.revision, s.content_hash, s.mapped,
       s.invoiced, s.cancellation, s.shipments, s.mode,
       EXISTS (SELECT FROM unmatched u WHERE u.tenant_id = s.tenant_id AND u.connection_id = s.connection_id
               AND u.external_id = s.source_id) AS has_unmatched,
       EXISTS (SELECT FROM summary_members m WHERE m.tenant_id = s.tenant_id AND m.connection_id = s.connection_id
               AND m.external_id = s.source_id) AS in_summary
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
     AS wanted (tenant_id, company_id, connection_id, source_kind, source_id)
JOIN sets s USING (tenant_id, company_id, connection_id, source_kind, source_id)
"""

_MAPPED = """
SELECT s.tenant_id, s.company_id, s.connection_id, s.source_kind, s.source_id,
       (s.body::jsonb #>> '{inputs,source_revision}')::bigint AS source_revision
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
     AS wanted (tenant_id, company_id, connection_id, source_kind, source_id)
JOIN sets s USING (tenant_id, company_id, connection_id, source_kind, source_id)
"""

_FORGET_UNMATCHED = """
DELETE FROM unmatched
WHERE tenant_id = $1 AND connection_id = $2 AND external_id = $3 AND NOT product_key = ANY($4::text[])
"""

_OF_SOURCE = """
SELECT body, mapped_at FROM sets
WHERE tenant_id = $1 AND connection_id = $2 AND source_kind = $3 AND source_id = $4
ORDER BY company_id
"""

_BODIES = """
SELECT s.body FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
     AS wanted (tenant_id, company_id, connection_id, source_kind, source_id)
JOIN sets s USING (tenant_id, company_id, connection_id, source_kind, source_id)
"""

_PAGE = """
SELECT tenant_id, company_id, connection_id, source_kind, source_id, body FROM sets
WHERE ($1 = '' OR tenant_id = $1)
  AND (tenant_id, company_id, connection_id, source_kind, source_id) > ($2, $3, $4, $5, $6)
ORDER BY tenant_id, company_id, connection_id, source_kind, source_id LIMIT $7
"""


@dataclass(frozen=True, slots=True)
class KnownSet:
    """What is stored about a set, short of its documents."""

    revision: int
    content_hash: str
    history: History
    has_unmatched: bool
    in_summary: bool = False
    """Whether the order is a member of summaries."""

    def renewed(self) -> "KnownSet":
        """The same without the mode its documents were made by."""
        return replace(self, history=replace(self.history, mode=""))


NOT_YET = KnownSet(0, "", FIRST_TIME, False)


async def mapped_revisions(connection: Connection, keys: Sequence[SetKey]) -> dict[SetKey, int]:
    """The source's revision that each of these sets was made from."""
    if not keys:
        return {}
    rows = await connection.fetch(_MAPPED, *(list(column) for column in zip(*keys, strict=True)))
    return {
        (row["tenant_id"], row["company_id"], row["connection_id"], row["source_kind"], row["source_id"]): row[
            "source_revision"
        ]
        for row in rows
    }


async def known_sets(connection: Connection, keys: Sequence[SetKey]) -> dict[SetKey, KnownSet]:
    """Revision, hash and history of these sets; those that do not exist yet are left out."""
    if not keys:
        return {}
    rows = await connection.fetch(_KNOWN, *(list(column) for column in zip(*keys, strict=True)))
    return {
        (row["tenant_id"], row["company_id"], row["connection_id"], row["source_kind"], row["source_id"]): KnownSet(
            row["revision"],
            row["content_hash"],
            History(
                row["mapped"], row["invoiced"], row["cancellation"], _read_shipments(row["shipments"]), row["mode"]
            ),
            row["has_unmatched"],
            row["in_summary"],
        )
        for row in rows
    }


def content_hash(body: bytes, source_revision: int) -> str:
    """Hash of what consumers act on: everything but the revision and the revisions of settings it was made from.

    `body` is the set's JSON at revision 0, cut rather than encoded a second time. A quote inside a text is escaped,
    so the first match is the field itself.
    """
    before, _, rest = body.partition(_INPUTS)
    return hashlib.sha256(b"%b%d%b" % (before, source_revision, rest.partition(b"}")[2])).hexdigest()[:32]


def write_set(
    result: TransactionSet,
    known: KnownSet,
    batch: Batch,
    *,
    backfill: bool,
    correlation_id: str,
    by_shipment: bool = False,
    again: bool = False,
) -> bool:
    """Store and publish a set whose content changed, with the next revision; says whether it did.

    `by_shipment`: the set's invoices follow shipments, so their quantities are kept for the next mapping. `again`: what
    did not change is published too, with the revision it has. The caller holds the lock of the source entity.
    """
    unnumbered = result.encoded()
    digest = content_hash(unnumbered, result.inputs.source_revision)
    changed = digest != known.content_hash
    if not changed and not again:
        return False
    revision = known.revision + 1 if changed else known.revision
    body = at_revision(unnumbered, revision)
    batch.publish(result, revision=revision, backfill=backfill, correlation_id=correlation_id, body=body)
    batch.publish(listed(result, revision), correlation_id=correlation_id)
    if not changed:
        return False
    history = known.history.after(result)
    batch.upsert(
        SETS,
        {
            "tenant_id": result.tenant_id,
            "company_id": result.company_id,
            "connection_id": result.connection_id,
            "source_kind": result.source_kind,
            "source_id": result.source_id,
            "revision": revision,
            "content_hash": digest,
            "mapped": history.mapped,
            "invoiced": history.invoiced,
            "cancellation": history.cancellation,
            "shipments": _write_shipments(history.shipments) if by_shipment else "",
            "mode": history.mode,
            "body": body.decode(),
        },
    )
    return True


def _write_shipments(shipments: Sequence[Mapping[str, Decimal]]) -> str:
    return orjson.dumps([{line: f"{quantity:f}" for line, quantity in one.items()} for one in shipments]).decode()


def _read_shipments(text: str) -> tuple[Mapping[str, Decimal], ...]:
    if not text:
        return ()
    return tuple({line: Decimal(quantity) for line, quantity in one.items()} for one in orjson.loads(text))


def listed(result: TransactionSet, revision: int) -> TransactionsListed:
    """The slim state for the read model."""
    return TransactionsListed(
        tenant_id=result.tenant_id,
        revision=revision,
        company_id=result.company_id,
        connection_id=result.connection_id,
        source_kind=result.source_kind,
        source_id=result.source_id,
        source_number=result.source_number,
        source_revision=result.inputs.source_revision,
        outcome=result.outcome,
        reason=result.reason,
        documents=len(result.documents),
        total=result.source_total,
        currency=result.currency,
        date=result.date,
        grouped=_grouped(result) if result.source_kind == "payout" else (),
    )


def _grouped(result: TransactionSet) -> tuple[str, ...]:
    lines = (line for document in result.documents for line in document.lines)
    return tuple(dict.fromkeys(line.document_key for line in lines if line.document_key is not None))


def write_unmatched(order: Order, rules: CompiledRules, result: TransactionSet, known: KnownSet, batch: Batch) -> None:
    """Keep the queue of unmatched products in step with what this order still lacks."""
    lacking = {
        line.source_line_id
        for document in result.documents
        if document.hold is not None
        for line in document.lines
        if line.kind is LineKind.PRODUCT and line.item_key is None
    }
    if not lacking and not known.has_unmatched:
        return
    # A product is looked for, and mapped, by the SKU that rules made of the channel's.
    lines = rules.apply(order)[0].lines if lacking else ()
    missing = {normal(one.sku or one.name): (one.sku, one.name) for one in lines if one.external_id in lacking}
    for key, (sku, name) in missing.items():
        batch.upsert(
            UNMATCHED,
            {
                "tenant_id": order.tenant_id,
                "connection_id": order.connection_id,
                "external_id": order.external_id,
                "product_key": key,
                "company_id": result.company_id,
                "sku": sku,
                "name": name,
            },
        )
    batch.execute(_FORGET_UNMATCHED, order.tenant_id, order.connection_id, order.external_id, list(missing))


async def sets_of_source(
    connection: Connection, tenant_id: str, connection_id: str, source_kind: str, source_id: str
) -> list[tuple[TransactionSet, Any]]:
    """Sets of one source entity in every company file, with the moment each was mapped."""
    rows = await connection.fetch(_OF_SOURCE, tenant_id, connection_id, source_kind, source_id)
    return [(TransactionSet.model_validate_json(row["body"]), row["mapped_at"]) for row in rows]


async def read_sets(connection: Connection, keys: Sequence[SetKey]) -> list[TransactionSet]:
    if not keys:
        return []
    rows = await connection.fetch(_BODIES, *(list(column) for column in zip(*keys, strict=True)))
    return [TransactionSet.model_validate_json(row["body"]) for row in rows]


async def page_of_sets(
    connection: Connection, tenant_id: str, after: Sequence[str], limit: int
) -> tuple[list[TransactionSet], list[str]]:
    """The next sets after a position (five texts), and the position behind them. Empty tenant: all tenants."""
    rows = await connection.fetch(_PAGE, tenant_id, *after, limit)
    if not rows:
        return [], list(after)
    last = rows[-1]
    position = [last[name] for name in ("tenant_id", "company_id", "connection_id", "source_kind", "source_id")]
    return [TransactionSet.model_validate_json(row["body"]) for row in rows], position
