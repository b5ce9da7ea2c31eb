"""What became of payouts, by the read model: the newest set of each, and its deposit's state."""

from collections.abc import Sequence
from typing import Any

from api.store.sql import Where, rows_of

_FATES = """
SELECT s.source_id, s.company_id, s.outcome, s.source_revision, s.reason, d.document_key, d.state, d.ledger_id,
       d.reason AS document_reason
FROM connections c
JOIN sets s ON s.connection_id = c.connection_id AND s.company_id = c.company_id AND s.tenant_id = c.tenant_id
LEFT JOIN LATERAL (
    SELECT document_key, state, ledger_id, reason FROM documents
    WHERE connection_id = s.connection_id AND company_id = s.company_id AND source_kind = 'payout'
      AND source_id = s.source_id ORDER BY (state = 'synced'), document_key LIMIT 1) AS d ON true
WHERE c.tenant_id = $1 AND c.connection_id = $2 AND s.source_kind = 'payout' AND s.source_id = ANY($3::text[])
"""


async def fates(where: Where, tenant_id: str, connection_id: str, payout_ids: Sequence[str]) -> dict[str, Any]:
    """Payout → its set in the connection's company file; of several documents the one that is furthest back."""
    rows = rows_of(await where.fetch(_FATES, tenant_id, connection_id, payout_ids), "reason", "document_reason")
    return {row["source_id"]: row for row in rows}
