"""What became of payouts, by the read model: the newest set of each, and its deposit's state."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from api.store.sql import Where
from common.messages.base import Reason

_FATES = """
SELECT s.source_id, s.outcome, s.reason, d.document_key, d.state, d.ledger_id,
       d.reason AS document_reason
FROM connections c
JOIN sets s ON s.connection_id = c.connection_id AND s.company_id = c.company_id AND s.tenant_id = c.tenant_id
LEFT JOIN LATERAL (
    SELECT document_key, state, ledger_id, reason FROM documents
    WHERE connection_id = s.connection_id AND company_id = s.company_id AND source_kind = 'payout'
      AND source_id = s.source_id ORDER BY (state = 'synced'), document_key LIMIT 1) AS d ON true
WHERE c.tenant_id = $1 AND c.connection_id = $2 AND s.source_kind = 'payout' AND s.source_id = ANY($3::text[])
"""


@dataclass(frozen=True, slots=True)
class Fate:
    """The set of a payout, and of its documents the one that is furthest back."""

    outcome: str
    reason: Reason | None
    document_key: str | None
    document_state: str | None
    ledger_id: str


async def fates(where: Where, tenant_id: str, connection_id: str, payout_ids: Sequence[str]) -> dict[str, Fate]:
    """Payout → what became of it in the connection's company file; those not mapped yet are left out."""
    rows = await where.fetch(_FATES, tenant_id, connection_id, payout_ids)
    return {row["source_id"]: _fate(row) for row in rows}


def _fate(row: asyncpg.Record) -> Fate:
    said = row["reason"] or row["document_reason"]
    reason = None if said is None else Reason.model_validate_json(said)
    return Fate(row["outcome"], reason, row["document_key"], row["state"], row["ledger_id"] or "")
