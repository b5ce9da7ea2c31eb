"""Counts for the overview, and warnings by code."""

from datetime import datetime

from api.columns import Column
from api.overview import ORDERS_ROW, ROW_OF_KIND, Count
from api.store.order_state import ORDER_STATE, WARNS_ITSELF
from api.store.sql import Row, Where, rows_of
from common.messages.transactions import DocumentKind


async def counts(where: Where, tenant_id: str, company_id: str) -> list[Count]:
    """Entities of the company file per row, column and currency."""
    documents = await where.fetch(
        """
        SELECT kind, column_name, CASE WHEN amount IS NULL THEN '' ELSE currency END AS currency, count(*) AS entities,
            sum(CASE WHEN state = 'voided' THEN 0 ELSE coalesce(amount, 0) END) AS amount,
            sum(coalesce(standing, 0)) AS standing,
            count(*) FILTER (WHERE has_notices AND column_name = 'in_ledger') AS notices
        FROM documents WHERE tenant_id = $1 AND company_id = $2 GROUP BY 1, 2, 3
        """,
        tenant_id,
        company_id,
    )
    orders = await where.fetch(
        f"""
        SELECT column_name, currency, count(*) AS entities, sum(coalesce(total, 0)) AS amount,
            sum(CASE WHEN column_name = 'in_ledger' THEN coalesce(total, 0) ELSE 0 END) AS standing,
            count(*) FILTER (WHERE documents_with_notices > 0 AND column_name = 'in_ledger') AS notices
        FROM ({ORDER_STATE}) AS states WHERE tenant_id = $1 AND company_id = $2 GROUP BY column_name, currency
        """,
        tenant_id,
        company_id,
    )
    found = [(ROW_OF_KIND[DocumentKind(record["kind"])], record) for record in documents]
    found += [(ORDERS_ROW, record) for record in orders]
    return [
        Count(
            row=row,
            column=Column(record["column_name"]),
            currency=record["currency"],
            entities=record["entities"],
            amount=record["amount"],
            standing=record["standing"],
            notices=record["notices"],
        )
        for row, record in found
    ]


async def last_synchronisation(where: Where, tenant_id: str, company_id: str) -> datetime | None:
    """When something was last tried in the ledger."""
    moment: datetime | None = await where.fetchval(
        "SELECT max(last_attempt_at) FROM documents WHERE tenant_id = $1 AND company_id = $2", tenant_id, company_id
    )
    return moment


CAUSES_MAX = 20
_ROWS_MAX = 500 * (CAUSES_MAX + 1)
_BY_CODE_AND_CAUSE = f"""
SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY code, is_cause ORDER BY entities DESC, field, value) AS place FROM (
        SELECT code, field, value, grouping(field, value) = 0 AS is_cause, count(DISTINCT entity) AS entities,
            min(text) AS text, {{more}}
        FROM ({{reasons}}) AS reasons GROUP BY GROUPING SETS ((code), (code, field, value))
    ) AS grouped WHERE NOT is_cause OR field IS NOT NULL OR value IS NOT NULL
) AS placed WHERE place <= $3 ORDER BY is_cause, entities DESC, code, place LIMIT {_ROWS_MAX}
"""
"""Reasons by code, and by what is behind each code: in one pass, as there may be one of every order of years."""
_NAMED = "{0} ->> 'field' AS field, {0} ->> 'value' AS value, {0} ->> 'text' AS text"


async def warnings(where: Where, tenant_id: str, company_id: str) -> list[Row]:
    """What keeps documents, and orders without any (unreadable, mapped to nothing, stuck), out of the ledger.

    A row per code, then one per code and what is behind it (`is_cause`), most frequent first; `sample` is the oldest
    one's reason.
    """
    reasons = f"""
        SELECT d.document_key AS entity, d.kind, coalesce(d.reason_code, 'UNKNOWN') AS code,
            {_NAMED.format("d.reason")}, d.reason, b.blocks, d.first_seen_at, d.last_attempt_at, d.next_attempt_at
        FROM documents d CROSS JOIN LATERAL (
            SELECT count(*) AS blocks FROM documents x WHERE x.blocked_by = d.document_key
        ) AS b
        WHERE d.tenant_id = $1 AND d.company_id = $2 AND d.column_name = 'warnings'
        UNION ALL
        SELECT order_key, 'order', coalesce(reason ->> 'code', 'UNKNOWN'), {_NAMED.format("reason")}, reason, 0,
            received_at, NULL, NULL
        FROM ({ORDER_STATE}) AS states WHERE tenant_id = $1 AND company_id = $2 AND {WARNS_ITSELF}
    """
    more = """array_agg(DISTINCT kind ORDER BY kind) AS kinds, sum(blocks)::bigint AS blocks,
        (array_agg(reason ORDER BY first_seen_at))[1] AS sample, min(first_seen_at) AS first_seen_at,
        max(last_attempt_at) AS last_attempt_at, min(next_attempt_at) AS next_attempt_at"""
    query = _BY_CODE_AND_CAUSE.format(reasons=reasons, more=more)
    return rows_of(await where.fetch(query, tenant_id, company_id, CAUSES_MAX), "sample")


async def notices(where: Where, tenant_id: str, company_id: str) -> list[Row]:
    """Notices of documents that are in the ledger: a row per code, then one per code and what is behind it."""
    reasons = f"""
        SELECT d.document_key AS entity, n ->> 'code' AS code, {_NAMED.format("n")}, n ->> 'cure' AS cure
        FROM documents AS d CROSS JOIN LATERAL jsonb_array_elements(d.notices) AS n
        WHERE d.tenant_id = $1 AND d.company_id = $2 AND d.has_notices AND d.column_name = '{Column.IN_LEDGER}'
    """
    query = _BY_CODE_AND_CAUSE.format(reasons=reasons, more="min(cure) AS cure")
    return rows_of(await where.fetch(query, tenant_id, company_id, CAUSES_MAX))


async def outcomes(where: Where, tenant_id: str, company_id: str) -> list[Row]:
    """What mapping made of the company file's orders, for the preview: per outcome, code and currency."""
    return rows_of(
        await where.fetch(
            """
            SELECT s.outcome, s.reason_code AS code, s.currency, count(*) AS orders,
                sum(s.documents)::bigint AS documents,
                coalesce(sum(s.total), 0) AS total, (array_agg(s.reason))[1] AS sample
            FROM sets s JOIN connections c ON c.connection_id = s.connection_id AND c.company_id = s.company_id
            WHERE s.tenant_id = $1 AND s.company_id = $2
            GROUP BY s.outcome, s.reason_code, s.currency ORDER BY s.outcome, orders DESC LIMIT 500
            """,
            tenant_id,
            company_id,
        ),
        "sample",
    )


_SALE_FORMS = [
    DocumentKind.SALES_ORDER.value,
    DocumentKind.ESTIMATE.value,
    DocumentKind.INVOICE.value,
    DocumentKind.SALES_RECEIPT.value,
]
"""Documents without which nothing else of an order is written."""

_WOULD_WRITE = """
WITH held AS (
    SELECT document_key, connection_id, source_kind, source_id, kind, reason FROM documents
    WHERE tenant_id = $1 AND company_id = $2 AND reason_code IS DISTINCT FROM 'WAITING_FOR_APPROVAL'
        AND (column_name IN ('warnings', 'waiting') OR reason_code = 'BEFORE_HORIZON')
), held_forms AS (
    SELECT DISTINCT ON (connection_id, source_kind, source_id) connection_id, source_kind, source_id, reason
    FROM held WHERE kind = ANY($3::text[]) AND reason->>'code' <> 'BEFORE_HORIZON'
    ORDER BY connection_id, source_kind, source_id, document_key
), each AS (
    SELECT s.set_key, s.outcome, s.reason_code AS code, s.currency, s.total, s.documents, d.document_key,
        coalesce(f.reason, h.reason) AS held_by
    FROM sets s JOIN connections c ON c.connection_id = s.connection_id AND c.company_id = s.company_id
    LEFT JOIN documents d ON d.company_id = s.company_id AND d.connection_id = s.connection_id
        AND d.source_kind = s.source_kind AND d.source_id = s.source_id
    LEFT JOIN held h ON h.document_key = d.document_key
    LEFT JOIN held_forms f ON f.connection_id = d.connection_id AND f.source_kind = d.source_kind
        AND f.source_id = d.source_id
    WHERE s.tenant_id = $1 AND s.company_id = $2 AND s.documents > 0
        AND (d.document_key IS NULL OR d.column_name IN ('not_tried', 'in_progress', 'warnings', 'waiting')
            OR d.reason_code = 'BEFORE_HORIZON')
), sets_of AS (
    SELECT set_key, outcome, code, currency, total, held_by->>'code' AS held_code, (array_agg(held_by))[1] AS held_by,
        CASE WHEN count(document_key) = 0 THEN max(documents) ELSE count(document_key) END AS documents
    FROM each GROUP BY set_key, outcome, code, currency, total, held_by->>'code'
)
SELECT outcome, code, currency, held_code, (array_agg(held_by))[1] AS sample, count(*) AS orders,
    sum(documents)::bigint AS documents, coalesce(sum(total), 0) AS total
FROM sets_of GROUP BY outcome, code, currency, held_code ORDER BY orders DESC, held_code LIMIT 1000
"""


async def would_write(where: Where, tenant_id: str, company_id: str) -> list[Row]:
    """What is not in the ledger yet, per outcome and by what holds it: `held_code` null would be written now.

    A document is held by its own reason, or by that of the sale's form, which everything else of the order needs: but
    for a form before the customer's horizon, which is out of scope, and whose later payments are written unapplied.
    Waiting for the approval holds nothing: that is what the preview is looked at for.
    """
    return rows_of(await where.fetch(_WOULD_WRITE, tenant_id, company_id, _SALE_FORMS), "sample")
