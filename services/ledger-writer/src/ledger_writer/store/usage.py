"""What counts towards limits of use: documents that we wrote, each in the month in which it was first written."""

from datetime import date
from typing import Final

from common.database import Pool
from common.messages.transactions import DocumentKind

K = DocumentKind
NOT_COUNTED: Final = frozenset({K.CUSTOMER, K.VENDOR, K.ITEM, K.PAYMENT, K.REFUND_PAYMENT})
"""Lists of the ledger, and money that belongs to a document which is counted (domain reference, section 6)."""

WRITTEN = """
SELECT date_trunc('month', written_at AT TIME ZONE 'UTC')::date, kind, count(*) FROM documents
WHERE company_id = $1 AND NOT kind = ANY($4::text[])
  AND written_at >= $2::date::timestamp AT TIME ZONE 'UTC'
  AND written_at < ($3::date + interval '1 month') AT TIME ZONE 'UTC'
GROUP BY 1, 2 ORDER BY 1, 2
"""


async def by_month(pool: Pool, company_id: str, first: date, last: date) -> list[tuple[date, str, int]]:
    """(first day of the month, kind, documents) of what was written in the months that begin on these days, in UTC."""
    records = await pool.fetch(WRITTEN, company_id, first, last, sorted(NOT_COUNTED))
    return [(month, kind, count) for month, kind, count in records]
