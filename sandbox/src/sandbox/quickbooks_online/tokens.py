"""OAuth 2 state: clients, codes, access and refresh tokens with rotation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from sandbox.quickbooks_online.clock import Clock

CODE_LIFE_S = 300
TOKENS_KEPT = 10_000


@dataclass(slots=True)
class Client:
    """An app of the developer portal. No ``redirect_uris`` means that any is accepted."""

    identifier: str
    secret: str
    redirect_uris: tuple[str, ...] = ()


@dataclass(slots=True)
class Grant:
    """One consent: realm, client, scopes, and the refresh token that is good now."""

    client: str
    realm: str
    scopes: tuple[str, ...]
    consented: float
    refresh: str = ""
    refresh_expires: float = 0.0
    rotated: float = 0.0
    revoked: bool = False
    access: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Code:
    grant: Grant
    redirect_uri: str
    expires: float
    challenge: str | None
    method: str


@dataclass(slots=True)
class TokenSettings:
    """Lifetimes in seconds; the refresh token's value changes once it is ``rotate_after_s`` old."""

    access_s: int = 3600
    refresh_s: int = 8726400
    hard_s: int = 157680000
    rotate_after_s: int = 86400


class Tokens:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.settings = TokenSettings()
        self.clients: dict[str, Client] = {}
        self.codes: dict[str, Code] = {}
        self.access: dict[str, tuple[Grant, float]] = {}
        self.refresh: dict[str, Grant] = {}
        self.refreshes = 0

    def now(self) -> float:
        return self.clock.utc().timestamp()

    def authorize(
        self, client: str, realm: str, scopes: tuple[str, ...], redirect_uri: str, challenge: str | None, method: str
    ) -> str:
        """A one-time code for a consent."""
        code = "XAB" + secrets.token_hex(20)
        grant = Grant(client, realm, scopes, self.now())
        self.codes[code] = Code(grant, redirect_uri, self.now() + CODE_LIFE_S, challenge, method)
        return code

    def issue(self, grant: Grant) -> str:
        """A new access token; the refresh token is renewed, and changes its value when it is old enough."""
        now = self.now()
        if len(self.access) > TOKENS_KEPT:
            self.access = {held: entry for held, entry in self.access.items() if entry[1] > now}
        access = "eyJlbmMi." + secrets.token_urlsafe(32)
        self.access[access] = (grant, now + self.settings.access_s)
        grant.access.add(access)
        if not grant.refresh or now - grant.rotated >= self.settings.rotate_after_s:
            if grant.refresh:
                self.refresh.pop(grant.refresh, None)
            grant.refresh = "RT1-" + secrets.token_urlsafe(24)
            grant.rotated = now
            self.refresh[grant.refresh] = grant
        grant.refresh_expires = now + self.settings.refresh_s
        return access

    def hard_left(self, grant: Grant) -> int:
        """Seconds until the chain of refresh tokens ends for good."""
        return max(0, int(grant.consented + self.settings.hard_s - self.now()))

    def usable(self, refresh: str, client: str) -> Grant | None:
        """The grant behind a refresh token, unless it is unknown, old, revoked or another client's."""
        grant = self.refresh.get(refresh)
        if grant is None or grant.revoked or grant.client != client:
            return None
        if self.now() >= min(grant.refresh_expires, grant.consented + self.settings.hard_s):
            return None
        return grant

    def check(self, access: str) -> Grant | None:
        """The grant of a live access token."""
        held = self.access.get(access)
        if held is None or held[0].revoked or self.now() >= held[1]:
            return None
        return held[0]

    def revoke(self, token: str) -> bool:
        """End the connection that an access or refresh token belongs to; False for an unknown one."""
        grant = self.refresh.get(token) or (self.access[token][0] if token in self.access else None)
        if grant is None:
            return False
        grant.revoked = True
        return True
