"""Orders of the read model."""

from datetime import date, datetime

from api.store.order_state import ALONE_A_WARNING, ORDER_STATE, WARNS_ITSELF
from api.store.sql import Conditions, Row, Where, row_of, rows_of

_SHOWN = """order_key, tenant_id, connection_id, external_id, revision, channel, number, status, ordered_on, currency,
    total, received_at, run_id, company_id, column_name, reason, outcome, documents_wanted, documents_in_ledger,
    parked_at"""


async def page(
    where: Where,
    tenant_id: str,
    *,
    connection_id: str | None,
    company_id: str | None,
    number: str | None,
    column: str | None,
    code: str | None,
    ordered_from: date | None,
    ordered_to: date | None,
    run_id: str | None,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Row]:
    """Orders that match, last received first."""
    wanted = Conditions()
    wanted.add("tenant_id = {}", tenant_id)
    wanted.given("connection_id = {}", connection_id)
    wanted.given("company_id = {}", company_id)
    wanted.given("number = {}", number)
    wanted.given("column_name = {}", column)
    wanted.given("reason ->> 'code' = {}", code)
    wanted.given("ordered_on >= {}", ordered_from)
    wanted.given("ordered_on <= {}", ordered_to)
    wanted.given("order_key IN (SELECT i.order_key FROM run_items i WHERE i.run_id = {})", run_id)
    if before is not None:
        wanted.add("(received_at, order_key) < ({}, {})", *before)
    return rows_of(
        await where.fetch(
            f"SELECT {_SHOWN} FROM ({ORDER_STATE}) AS states WHERE {wanted.text}"
            f" ORDER BY received_at DESC, order_key DESC LIMIT {wanted.parameter(limit)}",
            *wanted.values,
        ),
        "reason",
    )


async def one(where: Where, tenant_id: str, order_key: str) -> Row | None:
    record = await where.fetchrow(
        f"SELECT {_SHOWN} FROM ({ORDER_STATE}) AS states WHERE tenant_id = $1 AND order_key = $2", tenant_id, order_key
    )
    return row_of(record, "reason")


async def known(where: Where, tenant_id: str, order_keys: list[str]) -> list[Row]:
    """Which of these orders the tenant has, with their revisions."""
    return rows_of(
        await where.fetch(
            "SELECT order_key, revision, number FROM orders WHERE tenant_id = $1 AND order_key = ANY($2::text[])",
            tenant_id,
            order_keys,
        )
    )


async def to_dismiss(where: Where, tenant_id: str, order_keys: list[str]) -> list[Row]:
    """Which of these orders are warnings by themselves, hidden ones with them: their documents have their own say."""
    return rows_of(
        await where.fetch(
            f"SELECT order_key, revision FROM ({ORDER_STATE}) AS states"
            f" WHERE tenant_id = $1 AND order_key = ANY($2::text[]) AND {ALONE_A_WARNING}",
            tenant_id,
            order_keys,
        )
    )


async def dismissed(where: Where, tenant_id: str, order_keys: list[str]) -> list[Row]:
    """Which of these orders are hidden."""
    return rows_of(
        await where.fetch(
            """
            SELECT o.order_key, o.revision FROM orders o
            JOIN dismissals x ON x.subject = o.order_key AND x.is_order AND x.dismissed
            WHERE o.tenant_id = $1 AND o.order_key = ANY($2::text[])
            """,
            tenant_id,
            order_keys,
        )
    )


async def with_code(where: Where, tenant_id: str, company_id: str, code: str | None, limit: int) -> list[Row]:
    """Orders that are warnings by themselves: unreadable, mapped to no document, or stuck. None: of any code."""
    wanted = Conditions()
    wanted.add("tenant_id = {}", tenant_id)
    wanted.add("company_id = {}", company_id)
    wanted.add(WARNS_ITSELF)
    wanted.given("reason ->> 'code' = {}", code)
    return rows_of(
        await where.fetch(
            f"SELECT order_key, revision, number FROM ({ORDER_STATE}) AS states WHERE {wanted.text}"
            f" ORDER BY order_key LIMIT {wanted.parameter(limit)}",
            *wanted.values,
        )
    )


async def to_preview(where: Where, tenant_id: str, company_id: str, after: str, limit: int) -> list[Row]:
    """Orders of all connections that point at the company file, by key."""
    return rows_of(
        await where.fetch(
            """
            SELECT o.order_key, o.number, o.revision FROM orders o
            JOIN connections c ON c.connection_id = o.connection_id AND c.tenant_id = o.tenant_id
            WHERE o.tenant_id = $1 AND c.company_id = $2 AND o.order_key > $3 AND o.problem_code IS NULL
            ORDER BY o.order_key LIMIT $4
            """,
            tenant_id,
            company_id,
            after,
            limit,
        )
    )
