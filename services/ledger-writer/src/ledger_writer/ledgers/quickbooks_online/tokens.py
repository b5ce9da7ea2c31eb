"""The access token of one company: kept, refreshed by one process at a time, rotated only after it was stored.

Every refresh answers with a new refresh token and the old one dies. So the new one is stored before the access token
that came with it is used, and two refreshes at once would cost the connection. Where tokens live and who may refresh
them is the caller's; `TokenStore` is all that is known of it here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from weakref import WeakKeyDictionary

import structlog

from ledger_writer.ledgers.protocol import CompanyFile

log = structlog.get_logger(__name__)

_EARLY: Final = timedelta(minutes=5)
"""Refresh so long before an access token expires, so that none expires on the way."""


class NeedsReconnect(Exception):
    """The connection to the company is gone until a person signs in again. Never retried."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one consent is worth now. Times are UTC; the last two are None where Intuit does not say."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    refresh_expires_at: datetime | None = None
    hard_expires_at: datetime | None = None

    def as_secrets(self) -> dict[str, str]:
        """The form in which a company file keeps them."""
        times = {
            "expires_at": self.expires_at,
            "refresh_expires_at": self.refresh_expires_at,
            "hard_expires_at": self.hard_expires_at,
        }
        return {
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            **{name: at.isoformat() for name, at in times.items() if at is not None},
        }


def from_secrets(secrets: Mapping[str, str]) -> Tokens:
    """Read what `as_secrets` wrote. Raises `NeedsReconnect` where no tokens are kept."""
    if not secrets.get("refresh_token"):
        raise NeedsReconnect("no tokens are kept for this company")

    def at(name: str) -> datetime | None:
        kept = secrets.get(name)
        return datetime.fromisoformat(kept) if kept else None

    return Tokens(
        access_token=secrets.get("access_token", ""),
        refresh_token=secrets["refresh_token"],
        # Without a time the token counts as expired: one refresh tells.
        expires_at=at("expires_at") or datetime.fromtimestamp(0, UTC),
        refresh_expires_at=at("refresh_expires_at"),
        hard_expires_at=at("hard_expires_at"),
    )


class TokenStore(Protocol):
    """Where tokens live. A lease row with an epoch stands behind it where several replicas run."""

    async def read(self) -> Tokens:
        """The tokens as stored now. Raises `NeedsReconnect` where there are none."""
        ...

    def exclusive(self) -> AbstractAsyncContextManager[Tokens]:
        """Hold the right to refresh; gives the tokens as stored at that moment. Raises `Retryable` if it is taken."""
        ...

    async def save(self, tokens: Tokens) -> None:
        """Store them durably before returning. Only while `exclusive` is held; raises where the right was lost."""
        ...


class Refreshes(Protocol):
    async def refresh(self, refresh_token: str) -> Tokens: ...


class Access:
    """An access token that is good for the next minutes, whatever happened to the last one."""

    def __init__(self, oauth: Refreshes, store: TokenStore) -> None:
        self._oauth = oauth
        self._store = store
        self._tokens: Tokens | None = None

    async def token(self) -> str:
        """Raises `NeedsReconnect`, or `Retryable` where Intuit's server does not answer."""
        if self._tokens is None:
            self._tokens = await self._store.read()
        if self._tokens.expires_at - datetime.now(UTC) > _EARLY:
            return self._tokens.access_token
        return await self.renew(self._tokens.access_token)

    async def renew(self, refused: str) -> str:
        """Another token than `refused`. Whoever holds the store refreshes; the others take what was stored."""
        async with self._store.exclusive() as current:
            if current.access_token != refused:
                self._tokens = current
                return current.access_token
            fresh = await self._oauth.refresh(current.refresh_token)
            # Stored first: should we die now, the old refresh token is dead and this one is all there is.
            await self._store.save(fresh)
            self._tokens = fresh
        log.info("oauth_refreshed", expires_at=fresh.expires_at.isoformat())
        return fresh.access_token


_locks: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]]" = WeakKeyDictionary()


class CompanySecrets:
    """Tokens kept by the lane: read from the company file, rotated through its `keep_secrets`.

    Single-flight within this process always; across replicas where the company file brings a `secrets_lease`.
    """

    def __init__(self, company: CompanyFile) -> None:
        self._company = company
        self._tokens: Tokens | None = None

    async def read(self) -> Tokens:
        return self._tokens or from_secrets(self._company.secrets)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[Tokens]:
        locks = _locks.setdefault(asyncio.get_running_loop(), {})
        async with locks.setdefault(self._company.company_id, asyncio.Lock()):
            lease: Callable[[], AbstractAsyncContextManager[Mapping[str, str]]] | None = self._company.secrets_lease
            if lease is None:
                yield await self.read()
                return
            async with lease() as stored:
                yield from_secrets(stored)

    async def save(self, tokens: Tokens) -> None:
        keep: Callable[[Mapping[str, str]], Awaitable[None]] | None = self._company.keep_secrets
        if keep is None:
            raise NeedsReconnect("nobody keeps the tokens of this company, so they can't be refreshed")
        await keep(tokens.as_secrets())
        self._tokens = tokens
