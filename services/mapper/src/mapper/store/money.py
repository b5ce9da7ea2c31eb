"""Which payout a document's money came with, found by what payout lines call it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from common.database import Connection
from common.messages.transactions import Document, DocumentKind, TransactionSet
from mapper.mapping.names import normal

_MEMBERS = """
SELECT m.connection_id, m.reference, m.payout_id, (p.body::jsonb ->> 'paid_on')::date AS paid_on, s.body AS set_body
FROM unnest($2::text[], $3::text[]) AS wanted (connection_id, reference)
JOIN payout_members m ON m.tenant_id = $1 AND m.connection_id = wanted.connection_id
    AND m.reference = wanted.reference
JOIN payouts p ON p.tenant_id = m.tenant_id AND p.connection_id = m.connection_id AND p.external_id = m.payout_id
LEFT JOIN sets s ON s.tenant_id = m.tenant_id AND s.company_id = $4 AND s.connection_id = m.connection_id
    AND s.source_kind = 'payout' AND s.source_id = m.payout_id
"""


@dataclass(frozen=True, slots=True)
class PayoutOf:
    """A payout and what it has become; `result` is None where it was never mapped."""

    payout_id: str
    paid_on: date
    result: TransactionSet | None

    def deposit_of(self, document_key: str) -> Document | None:
        """The deposit that groups a document."""
        documents = self.result.documents if self.result else ()
        return next((one for one in documents if any(line.document_key == document_key for line in one.lines)), None)


async def payouts_of(
    connection: Connection, tenant_id: str, company_id: str, documents: Sequence[tuple[TransactionSet, Document]]
) -> dict[str, PayoutOf]:
    """Document key → its payout; documents that no payout speaks of are left out."""
    names = {one.key: (result.connection_id, _names(result, one)) for result, one in documents}
    pairs = sorted({(connection_id, name) for connection_id, those in names.values() for name in those})
    rows = await connection.fetch(
        _MEMBERS, tenant_id, [pair[0] for pair in pairs], [pair[1] for pair in pairs], company_id
    )
    results: dict[tuple[str, str], TransactionSet | None] = {}
    for row in rows:
        identity = (row["connection_id"], row["payout_id"])
        if identity not in results:
            results[identity] = TransactionSet.model_validate_json(row["set_body"]) if row["set_body"] else None
    by_name: dict[tuple[str, str], list[PayoutOf]] = {}
    for row in rows:
        payout = PayoutOf(row["payout_id"], row["paid_on"], results[row["connection_id"], row["payout_id"]])
        by_name.setdefault((row["connection_id"], row["reference"]), []).append(payout)
    found: dict[str, PayoutOf] = {}
    for key, (connection_id, those) in names.items():
        candidates = [payout for name in those for payout in by_name.get((connection_id, name), ())]
        if candidates:
            grouping = [payout for payout in candidates if payout.deposit_of(key) is not None]
            found[key] = (grouping or candidates)[0]
    return found


def _names(result: TransactionSet, document: Document) -> list[str]:
    """What a payout line may call the document, the surest first. The order's own names come last: of an order that
    was paid twice they fit both payments."""
    names = []
    if document.kind is not DocumentKind.SALES_RECEIPT:
        names.append(f"id:{document.source_id}")
    if document.reference:
        names += [f"reference:{normal(document.reference)}", f"id:{document.reference}"]
    return [*names, f"order:{result.source_id}", f"number:{normal(result.source_number)}"]
