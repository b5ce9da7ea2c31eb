"""Tokens of company files: encrypted before they touch the table, rotated by one holder at a time."""

import asyncio
import secrets as random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson

from common.crypto import Cipher
from common.database import Pool
from common.errors import UpstreamUnavailable
from common.resealing import Sealed

_LEASE_S = 60.0
"""Longer than a token request may take."""
_WAIT_S = 90.0
_POLL_S = 0.1


def _context(company_id: str) -> str:
    return f"companies/{company_id}"


SEALED = tuple(Sealed("companies", ("company_id",), column, _context) for column in ("secrets", "previous_secrets"))


def seal(cipher: Cipher, company_id: str, secrets: Mapping[str, str]) -> bytes | None:
    """Encrypt secrets for the company's row; None for none."""
    return cipher.encrypt(orjson.dumps(dict(secrets)), _context(company_id)) if secrets else None


def unseal(cipher: Cipher, company_id: str, sealed: bytes | None) -> dict[str, str]:
    """Decrypt a company's secrets. Raises `common.crypto.DecryptionFailed`."""
    if sealed is None:
        return {}
    opened: dict[str, str] = orjson.loads(cipher.decrypt(sealed, _context(company_id)))
    return opened


async def keep(pool: Pool, cipher: Cipher, company_id: str, secrets: Mapping[str, str]) -> None:
    """Store rotated secrets; the ones before stay until the next rotation."""
    await pool.execute(
        "UPDATE companies SET previous_secrets = secrets, secrets = $2, secrets_epoch = secrets_epoch + 1"
        " WHERE company_id = $1",
        company_id,
        seal(cipher, company_id, secrets),
    )


@asynccontextmanager
async def rotation(pool: Pool, cipher: Cipher, company_id: str) -> AsyncIterator[Mapping[str, str]]:
    """Hold the sole right to rotate, across replicas and with no transaction open; gives the secrets of that moment.

    Raises `UpstreamUnavailable` when somebody else holds it for too long.
    """
    holder = random.token_hex(8)
    sealed = await _acquire(pool, company_id, holder)
    try:
        yield unseal(cipher, company_id, sealed)
    finally:
        await pool.execute(
            "UPDATE companies SET secrets_holder = '', secrets_expires_at = NULL"
            " WHERE company_id = $1 AND secrets_holder = $2",
            company_id,
            holder,
        )


async def _acquire(pool: Pool, company_id: str, holder: str) -> bytes | None:
    try:
        async with asyncio.timeout(_WAIT_S):
            while True:
                record = await pool.fetchrow(
                    "UPDATE companies SET secrets_holder = $2,"
                    " secrets_expires_at = now() + make_interval(secs => $3) WHERE company_id = $1"
                    " AND (secrets_expires_at IS NULL OR secrets_expires_at < now()) RETURNING secrets",
                    company_id,
                    holder,
                    _LEASE_S,
                )
                if record is not None:
                    sealed: bytes | None = record["secrets"]
                    return sealed
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise UpstreamUnavailable("another replica has been refreshing the token for too long") from error
