"""Answers of requests that carried an idempotency key."""

from api.store.sql import Row, Where, row_of

_LOCK_S = 60
"""How long a request may take before its repetition may try itself; longer than every time-out inside."""


async def reserve(where: Where, owner: str, key: str, route: str, body_hash: bytes) -> bool:
    """Whether this request is the one to do the work: the first, or the first after one that died."""
    record = await where.fetchrow(
        """
        INSERT INTO idempotency AS t (owner, idempotency_key, route, body_hash, locked_until)
        VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
        ON CONFLICT (owner, idempotency_key, route) DO UPDATE SET locked_until = excluded.locked_until
        WHERE t.status IS NULL AND t.locked_until < now() AND t.body_hash = excluded.body_hash
        RETURNING true AS reserved
        """,
        owner,
        key,
        route,
        body_hash,
        _LOCK_S,
    )
    return record is not None


async def find(where: Where, owner: str, key: str, route: str) -> Row | None:
    return row_of(
        await where.fetchrow(
            "SELECT body_hash, status, answer FROM idempotency"
            " WHERE owner = $1 AND idempotency_key = $2 AND route = $3",
            owner,
            key,
            route,
        )
    )


async def finish(where: Where, owner: str, key: str, route: str, status: int, answer: bytes) -> None:
    await where.execute(
        "UPDATE idempotency SET status = $4, answer = $5 WHERE owner = $1 AND idempotency_key = $2 AND route = $3",
        owner,
        key,
        route,
        status,
        answer,
    )


async def release(where: Where, owner: str, key: str, route: str) -> None:
    """Forget a request that failed: it may be sent again with the same key."""
    await where.execute(
        "DELETE FROM idempotency WHERE owner = $1 AND idempotency_key = $2 AND route = $3 AND status IS NULL",
        owner,
        key,
        route,
    )


async def forget(where: Where, hours: int) -> None:
    await where.execute("DELETE FROM idempotency WHERE created_at < now() - make_interval(hours => $1)", hours)
