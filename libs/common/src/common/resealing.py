"""Encrypt again what an older key encrypted, so that the old key can be taken away while the services run.

Keys change in three steps, a rolling restart each: the new key is added behind the old one (every replica can read
it), it is moved to the front (it encrypts from now on), and when `old_keys_unused` was logged the old one goes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from common.crypto import Cipher
from common.database import Pool

log = structlog.get_logger(__name__)

_ROWS: Final = 200
RESEAL_EVERY_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """One encrypted column: `context` tells from a row's key what its ciphertext is bound to."""

    table: str
    key: tuple[str, ...]
    """Columns of the primary key, all of type text."""
    column: str
    context: Callable[..., str]
    """Called with the key's values, in the key's order."""


async def reseal(pool: Pool, cipher: Cipher, columns: Sequence[Sealed]) -> dict[str, int]:
    """Go through every column once. Returns the number of values encrypted anew, by `table.column`.

    A value that somebody changes meanwhile is left to them: they encrypt with the current key. Raises
    `common.crypto.DecryptionFailed` where a key is missing that something was encrypted with.
    """
    return {f"{one.table}.{one.column}": await _reseal_column(pool, cipher, one) for one in columns}


async def reseal_outdated(pool: Pool, cipher: Cipher, columns: Sequence[Sealed]) -> None:
    """Look for values under old keys, where there are old keys, and say in the log whether any were left."""
    if not cipher.has_old_keys:
        return
    done = await reseal(pool, cipher, columns)
    if any(done.values()):
        log.info("secrets_encrypted_anew", **{name: count for name, count in done.items() if count})
    else:
        log.info("old_keys_unused", version=cipher.current)


async def _reseal_column(pool: Pool, cipher: Cipher, column: Sealed) -> int:
    names = ", ".join(column.key)
    numbers = range(1, len(column.key) + 1)
    stale = (
        f"SELECT {names}, {column.column} AS sealed FROM {column.table}"  # noqa: S608 - names of our own tables
        f" WHERE ({names}) > ({', '.join(f'${n}' for n in numbers)})"
        f" AND substring({column.column} FROM 1 FOR 2) <> ${len(column.key) + 1}"
        f" ORDER BY {names} LIMIT {_ROWS}"
    )
    update = (
        f"UPDATE {column.table} SET {column.column} = ${len(column.key) + 1} WHERE "  # noqa: S608
        + " AND ".join(f"{name} = ${n}" for n, name in enumerate(column.key, 1))
        + f" AND {column.column} = ${len(column.key) + 2}"
    )
    version = cipher.current.to_bytes(2, "big")
    behind: Sequence[Any] = ("",) * len(column.key)
    count = 0
    while rows := await pool.fetch(stale, *behind, version):
        changes = []
        for row in rows:
            key = tuple(row[name] for name in column.key)
            context = column.context(*key)
            changes.append((*key, cipher.encrypt(cipher.decrypt(row["sealed"], context), context), row["sealed"]))
        await pool.executemany(update, changes)
        count += len(rows)
        behind = changes[-1][: len(column.key)]
    return count
