"""Documents, customers and items of the read model."""

from dataclasses import dataclass
from datetime import date, datetime

from api.store.sql import Conditions, Row, Where, like, row_of, rows_of

_SHOWN = """document_key, tenant_id, company_id, connection_id, source_kind, source_id, source_number, source_revision,
    revision, kind, state, column_name, reason, notices, blocked_by, number, name, date, amount, currency, standing,
    ledger_id, ledger_url, attempts, first_seen_at, last_attempt_at, next_attempt_at"""
_JSON = ("reason", "notices")


@dataclass(frozen=True, slots=True)
class Filter:
    """What an export is narrowed to; None: not at all."""

    company_id: str | None = None
    connection_id: str | None = None
    kinds: list[str] | None = None
    state: str | None = None
    column: str | None = None
    code: str | None = None
    date_from: date | None = None
    date_to: date | None = None

    def conditions(self, tenant_id: str) -> Conditions:
        wanted = Conditions()
        wanted.add("tenant_id = {}", tenant_id)
        wanted.given("company_id = {}", self.company_id)
        wanted.given("connection_id = {}", self.connection_id)
        wanted.given("kind = ANY({}::text[])", self.kinds)
        wanted.given("state = {}", self.state)
        wanted.given("column_name = {}", self.column)
        wanted.given("reason_code = {}", self.code)
        wanted.given("date >= {}", self.date_from)
        wanted.given("date <= {}", self.date_to)
        return wanted


async def count(where: Where, tenant_id: str, wanted: Filter, most: int) -> int:
    """How many documents match, counted no further than `most`."""
    conditions = wanted.conditions(tenant_id)
    limit = conditions.parameter(most)
    found: int = await where.fetchval(
        f"SELECT count(*) FROM (SELECT FROM documents WHERE {conditions.text} LIMIT {limit}) AS counted",
        *conditions.values,
    )
    return found


async def matching(
    where: Where, tenant_id: str, wanted: Filter, before: tuple[datetime, str] | None, limit: int
) -> list[Row]:
    """Documents that match, last seen first."""
    conditions = wanted.conditions(tenant_id)
    if before is not None:
        conditions.add("(first_seen_at, document_key) < ({}, {})", *before)
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM documents WHERE {conditions.text}"
            f" ORDER BY first_seen_at DESC, document_key DESC LIMIT {conditions.parameter(limit)}",
            *conditions.values,
        ),
        *_JSON,
    )


async def page(
    where: Where,
    tenant_id: str,
    *,
    company_id: str | None,
    connection_id: str | None,
    kinds: list[str] | None,
    state: str | None,
    column: str | None,
    code: str | None,
    number: str | None,
    order: tuple[str, str] | None,
    search: str | None,
    notices: bool | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Row]:
    """Documents that match, last seen first. `order` is (connection id, external id)."""
    wanted = Conditions()
    wanted.add("tenant_id = {}", tenant_id)
    wanted.given("company_id = {}", company_id)
    wanted.given("connection_id = {}", connection_id)
    wanted.given("kind = ANY({}::text[])", kinds)
    wanted.given("state = {}", state)
    wanted.given("column_name = {}", column)
    wanted.given("reason_code = {}", code)
    wanted.given("{} IN (number, source_number)", number)
    wanted.given("has_notices = {}", notices)
    if order is not None:
        wanted.add("connection_id = {} AND source_kind = 'order' AND source_id = {}", *order)
    if search is not None:
        wanted.add("name ILIKE {0} OR number ILIKE {0} OR source_number ILIKE {0}", like(search))
    if before is not None:
        wanted.add("(first_seen_at, document_key) < ({}, {})", *before)
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM documents WHERE {wanted.text}"
            f" ORDER BY first_seen_at DESC, document_key DESC LIMIT {wanted.parameter(limit)}",
            *wanted.values,
        ),
        *_JSON,
    )


async def of_order(where: Where, tenant_id: str, company_id: str, connection_id: str, external_id: str) -> list[Row]:
    """Documents that one order has become in a company file."""
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM documents WHERE tenant_id = $1 AND company_id = $2 AND connection_id = $3"
            " AND source_kind = 'order' AND source_id = $4 ORDER BY document_key LIMIT 1000",
            tenant_id,
            company_id,
            connection_id,
            external_id,
        ),
        *_JSON,
    )


async def one(where: Where, tenant_id: str, document_key: str) -> Row | None:
    record = await where.fetchrow(
        f"SELECT {_SHOWN}, (SELECT count(*) FROM documents b WHERE b.blocked_by = d.document_key) AS blocks"
        " FROM documents d WHERE tenant_id = $1 AND document_key = $2",
        tenant_id,
        document_key,
    )
    return row_of(record, *_JSON)


async def some(where: Where, tenant_id: str, document_keys: list[str]) -> list[Row]:
    """Those of these documents that the tenant has."""
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM documents WHERE tenant_id = $1 AND document_key = ANY($2::text[])",
            tenant_id,
            document_keys,
        ),
        *_JSON,
    )


async def known(where: Where, tenant_id: str, company_id: str, document_keys: list[str]) -> list[Row]:
    """Which of these documents the company file has, with what a resend must look at."""
    return rows_of(
        await where.fetch(
            """
            SELECT d.document_key, d.revision, d.number, d.source_number, d.name, d.kind, d.column_name,
                d.connection_id, d.source_kind, d.source_id, b.document_key AS dependency, b.kind AS dependency_kind,
                b.number AS dependency_number, b.name AS dependency_name, b.column_name AS dependency_column
            FROM documents d LEFT JOIN documents b ON b.document_key = d.blocked_by AND b.tenant_id = d.tenant_id
            WHERE d.tenant_id = $1 AND d.company_id = $2 AND d.document_key = ANY($3::text[])
            """,
            tenant_id,
            company_id,
            document_keys,
        )
    )


async def of_warnings(
    where: Where, tenant_id: str, company_id: str, order_keys: list[str], *, dismissed: bool
) -> list[str]:
    """Keys of these orders' documents that were dismissed or, unless only `dismissed` ones are meant, are warnings."""
    records = await where.fetch(
        """
        SELECT d.document_key FROM orders o
        JOIN documents d ON d.tenant_id = o.tenant_id AND d.connection_id = o.connection_id
            AND d.source_kind = 'order' AND d.source_id = o.external_id
        LEFT JOIN dismissals x ON x.subject = d.document_key AND NOT x.is_order
        WHERE o.tenant_id = $1 AND d.company_id = $2 AND o.order_key = ANY($3::text[])
          AND d.column_name IN ('warnings', 'dismissed')
          AND (coalesce(x.dismissed, false) OR (d.column_name = 'warnings' AND NOT $4))
        """,
        tenant_id,
        company_id,
        order_keys,
        dismissed,
    )
    return [record["document_key"] for record in records]


async def with_code(where: Where, tenant_id: str, company_id: str, code: str | None, limit: int) -> list[str]:
    """Keys of the documents that are warnings with this code (None: with any), oldest first."""
    records = await where.fetch(
        """
        SELECT document_key FROM documents
        WHERE tenant_id = $1 AND company_id = $2 AND column_name = 'warnings'
          AND ($3::text IS NULL OR reason_code = $3)
        ORDER BY first_seen_at, document_key LIMIT $4
        """,
        tenant_id,
        company_id,
        code,
        limit,
    )
    return [record["document_key"] for record in records]
