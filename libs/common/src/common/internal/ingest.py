"""Internal HTTP of ingest: connections with their credentials, and the history of one order.

GET    /internal/channels                                             → ChannelList
POST   /internal/connections                    ConnectionCreate      → ConnectionView (201, again 200)
GET    /internal/connections/{connection_id}    ?tenant_id            → ConnectionView
PUT    /internal/connections/{connection_id}/credentials CredentialsUpdate → ConnectionView
POST   /internal/connections/{connection_id}/test    TenantRequest    → ConnectionTest
POST   /internal/connections/{connection_id}/disable TenantRequest    → ConnectionView
POST   /internal/connections/{connection_id}/enable  TenantRequest    → ConnectionView
DELETE /internal/connections/{connection_id}    ?tenant_id            → 204 (orders and raw parts go too)
GET    /internal/connections/{connection_id}/watermarks ?tenant_id    → WatermarkList
GET    /internal/connections/{connection_id}/orders ?tenant_id&external_id → OrderHistory
"""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from common.internal.base import CredentialField, Secrets, Shape, TenantRequest
from common.messages.base import Identifier, Reason, ShortText
from common.messages.orders import Order


class ChannelDescription(Shape):
    """A channel that can be connected, with what a person has to fill in."""

    name: Identifier
    title: str
    credentials: tuple[CredentialField, ...]
    has_webhooks: bool
    has_polling: bool


class ChannelList(Shape):
    channels: tuple[ChannelDescription, ...]


class ConnectionState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    NEEDS_CREDENTIALS = "needs_credentials"
    """The channel refused the stored credentials."""


class ConnectionCreate(TenantRequest):
    """`config` holds what is not secret (shop domain, base URL); names are those the channel's description lists."""

    connection_id: Identifier
    channel: Identifier
    name: ShortText
    config: dict[Identifier, ShortText] = Field(default_factory=dict, max_length=30)
    secrets: Secrets = Field(default_factory=dict)


class CredentialsUpdate(TenantRequest):
    """Names that are left out keep their value."""

    config: dict[Identifier, ShortText] = Field(default_factory=dict, max_length=30)
    secrets: Secrets = Field(default_factory=dict)


class ConnectionView(Shape):
    """A connection without its secrets."""

    connection_id: Identifier
    channel: Identifier
    name: ShortText
    state: ConnectionState
    config: dict[str, str]
    secret_names: tuple[str, ...]
    webhook_path: str = ""
    """Path of the webhook receiver on ingest's public address."""
    reason: Reason | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class ConnectionTest(Shape):
    """Whether the channel answers to the stored credentials."""

    ok: bool
    reason: Reason | None = None
    shop_name: str = ""
    shop_currency: str = ""
    shop_time_zone: str = ""


class Watermark(Shape):
    """Up to where a task has fetched and stored everything."""

    kind: Identifier
    value: AwareDatetime
    updated_at: AwareDatetime


class WatermarkList(Shape):
    watermarks: tuple[Watermark, ...]


class RawPart(Shape):
    """One stored payload of an order, without its content."""

    part_id: str
    topic: str
    """What the channel called it: order, transaction, refund, `orders/updated`, …"""
    via: str
    """webhook, poll, push or upload."""
    size_bytes: int
    received_at: AwareDatetime
    channel_time: AwareDatetime | None = None
    run_id: str | None = None
    ignored: bool = False
    """True for an older or equal payload that changed nothing."""


class Normalisation(Shape):
    """One revision of the order: when its canonical content changed."""

    revision: int
    at: AwareDatetime
    status: str
    total: str | None
    currency: str


class OrderHistory(Shape):
    """What ingest knows of one order. `order` is None where it could not be read; `problem` says why."""

    connection_id: Identifier
    external_id: Identifier
    revision: int
    order: Order | None
    problem: Reason | None
    parts: tuple[RawPart, ...]
    normalisations: tuple[Normalisation, ...]
