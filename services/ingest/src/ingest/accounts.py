"""Connections as the hot path needs them: channel, opened credentials and account, kept for a few seconds."""

import asyncio
import time
import typing
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from pydantic import SecretStr, ValidationError

from common.crypto import Cipher
from common.cures import cure_of
from common.database import Pool
from common.errors import Rejected
from common.messages.base import Reason
from ingest.channel import Account, Channel, ChannelClient, Credentials
from ingest.channels import BY_NAME
from ingest.outside import Outside
from ingest.store import connections
from ingest.store.connections import ReadingSettings, StoredConnection

log = structlog.get_logger(__name__)

_KEPT_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection ready for work."""

    stored: StoredConnection
    channel: Channel
    credentials: Credentials
    account: Account
    allow_private: bool = False
    """Whether the store may be inside our own network."""

    def client(self) -> ChannelClient:
        """A client of the channel's API, which reaches nothing inside our network; the caller closes it."""
        return self.channel.connect(self.credentials, Outside(allow_private=self.allow_private))


class Accounts:
    """Looks connections up, and remembers what it found, or that there was nothing, for `keep_s`."""

    def __init__(self, pool: Pool, cipher: Cipher, keep_s: float, *, allow_private: bool = False) -> None:
        self._pool = pool
        self._allow_private = allow_private
        self._cipher = cipher
        self._keep_s = keep_s
        self._kept: dict[str, tuple[float, Opened | None]] = {}
        self._looking: dict[str, asyncio.Lock] = {}

    async def get(self, connection_id: str) -> Opened | None:
        """The connection, None where there is none. Raises one of `database.LOST`."""
        kept = self._kept.get(connection_id)
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        # One look-up for all who ask at once: a burst of webhooks must not become a burst of queries.
        async with self._looking.setdefault(connection_id, asyncio.Lock()):
            kept = self._kept.get(connection_id)
            if kept is not None and kept[0] > time.monotonic():
                return kept[1]
            return await self._look_up(connection_id)

    async def _look_up(self, connection_id: str) -> Opened | None:
        stored = await connections.find(self._pool, self._cipher, connection_id)
        opened = None if stored is None else open_connection(stored, allow_private=self._allow_private)
        if len(self._kept) >= _KEPT_MAX:
            # Made-up ids in webhook paths must not fill the memory.
            self._kept.clear()
            self._looking.clear()
        self._kept[connection_id] = (time.monotonic() + self._keep_s, opened)
        return opened

    async def of_shop(self, channel: Channel, shop: str) -> tuple[list[Opened], int]:
        """Every tenant's connections to a shop, and how many more there are that can't be opened.

        One whose shop was forgotten is neither: it has no secret to verify with, and nobody is left in it to forget.
        Raises one of `database.LOST`.
        """
        named = channel.shop_name
        if named is None:
            return [], 0
        found, closed, after = [], 0, ""
        while page := await connections.of_shop(self._pool, channel.name, named.field, named.compared(shop), after):
            for connection_id in page:
                try:
                    opened = await self.get(connection_id)
                except Rejected as error:
                    stored = await connections.find(self._pool, self._cipher, connection_id)
                    if stored is not None and stored.secrets:
                        log.warning("connection_not_opened", connection_id=connection_id, code=error.reason.code)
                        closed += 1
                    continue
                if opened is not None:
                    found.append(opened)
            after = page[-1]
        return found, closed

    def forget(self, connection_id: str) -> None:
        """Look the connection up again next time."""
        self._kept.pop(connection_id, None)


def open_connection(stored: StoredConnection, *, allow_private: bool = False) -> Opened:
    """Put a stored connection together. Raises `Rejected` where this release lacks its channel."""
    channel = BY_NAME.get(stored.channel)
    if channel is None:
        raise Rejected(
            Reason(
                code="UNKNOWN_CHANNEL",
                text=f"this release has no channel {stored.channel!r}",
                cure="deploy the release that has it",
                field="channel",
                value=stored.channel,
            )
        )
    credentials = read_credentials(channel, stored.config, stored.secrets)
    account = Account(
        tenant_id=stored.tenant_id,
        connection_id=stored.connection_id,
        zone=zone_of(stored.time_zone),
        store_currency=stored.store_currency,
        rounding_tolerance=stored.rounding_tolerance,
        fetches=credentials.fetches and stored.state != "needs_credentials",
    )
    return Opened(stored, channel, credentials, account, allow_private)


def read_by(opened: Opened, settings: ReadingSettings | None) -> Opened:
    """The connection with the settings in force, where they are not those it was opened with."""
    if settings is None or settings.revision == opened.stored.settings_revision:
        return opened
    account = replace(
        opened.account,
        zone=zone_of(settings.time_zone),
        store_currency=settings.store_currency,
        rounding_tolerance=settings.rounding_tolerance,
    )
    return replace(opened, account=account)


def is_secret(annotation: Any) -> bool:
    """Whether a field of a channel's credentials may never be shown."""
    return annotation is SecretStr or SecretStr in typing.get_args(annotation)


def read_credentials(channel: Channel, config: dict[str, str], secrets: dict[str, str]) -> Credentials:
    """Validate what a person filled in. Raises `Rejected` naming the field; its value is never shown.

    What is secret must come among the secrets: `config` is stored and shown in clear.
    """
    for name, field in channel.credentials.model_fields.items():
        if name in config and is_secret(field.annotation):
            text = f"{name} is a secret, and config is not kept as one"
            raise Rejected(Reason(code="INVALID_CREDENTIALS", text=text, cure="send it in secrets", field=name))
    try:
        return channel.credentials.model_validate({**config, **secrets})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        if first["type"] == "extra_forbidden":
            text = f"{channel.title} has no credential {place[:100]!r}"
            cure = f"use {', '.join(channel.credentials.model_fields)}"
        else:
            text = f"{place or 'credentials'}: {str(first['msg']).removeprefix('Value error, ')}"
            cure = f"fill in {place} as its hint in GET /v1/channels says" if place else cure_of(first)
        raise Rejected(
            Reason(code="INVALID_CREDENTIALS", text=text, cure=cure, field=place[:500] or "credentials")
        ) from error


def zone_of(name: str) -> ZoneInfo:
    """The time zone; UTC for a name that this machine's database lacks (settings refuse such names)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
