"""Money in clearing accounts: receipts, payments and refunds in the ledger that no deposit there has taken out yet."""

from datetime import date

from api.store.sql import Row, Where, rows_of
from common.messages.transactions import DocumentKind

MONEY_IN = (DocumentKind.SALES_RECEIPT, DocumentKind.PAYMENT)
MONEY_OUT = (DocumentKind.REFUND_RECEIPT, DocumentKind.REFUND_PAYMENT)

_DEPOSITED = """
SELECT key FROM sets s
JOIN documents p ON p.company_id = s.company_id AND p.connection_id = s.connection_id AND p.source_kind = 'payout'
    AND p.source_id = s.source_id AND p.kind = 'deposit' AND p.state = 'synced'
CROSS JOIN LATERAL jsonb_array_elements_text(s.grouped) AS key
WHERE s.tenant_id = $1 AND s.company_id = $2 AND s.source_kind = 'payout' AND s.grouped IS NOT NULL
"""
_LEFT = f"""
SELECT d.document_key, d.company_id, d.connection_id, d.source_kind, d.source_id, d.source_number, d.kind, d.number,
    d.date, d.currency, d.amount * CASE WHEN d.kind = ANY($4::text[]) THEN -1 ELSE 1 END AS amount, d.ledger_id,
    d.ledger_url
FROM documents d
WHERE d.tenant_id = $1 AND d.company_id = $2 AND d.kind = ANY($3::text[] || $4::text[])
    AND d.state = 'synced' AND d.amount <> 0 AND d.date IS NOT NULL
    AND d.document_key NOT IN ({_DEPOSITED})
"""
_IN = [kind.value for kind in MONEY_IN]
_OUT = [kind.value for kind in MONEY_OUT]


async def page(
    where: Where, tenant_id: str, company_id: str, after: tuple[date, str] | None, limit: int, connection_id: str | None
) -> list[Row]:
    """Documents whose money was not deposited, oldest first; refunds negative."""
    day, key = after or (None, "")
    return rows_of(
        await where.fetch(
            f"""
            SELECT * FROM ({_LEFT}) AS left_over
            WHERE ($5::date IS NULL OR (date, document_key) > ($5, $6)) AND ($8::text IS NULL OR connection_id = $8)
            ORDER BY date, document_key LIMIT $7
            """,
            tenant_id,
            company_id,
            _IN,
            _OUT,
            day,
            key,
            limit,
            connection_id,
        )
    )


async def ages(where: Where, tenant_id: str, company_id: str, today: date) -> list[Row]:
    """What lies there per currency and age: `currency, bucket, documents, amount`."""
    return rows_of(
        await where.fetch(
            f"""
            SELECT currency, CASE WHEN $5::date - date <= 7 THEN '0-7 days' WHEN $5::date - date <= 30 THEN '8-30 days'
                ELSE 'over 30 days' END AS bucket, count(*) AS documents, sum(amount) AS amount
            FROM ({_LEFT}) AS left_over GROUP BY 1, 2 ORDER BY 1, 2
            """,
            tenant_id,
            company_id,
            _IN,
            _OUT,
            today,
        )
    )
