"""Internal HTTP of ingest: connections with their credentials, and the history of one order.

GET    /internal/channels                                             → ChannelList
GET    /internal/channels/{channel}/push                              → PushContract
POST   /internal/connections                    ConnectionCreate      → ConnectionView (201, again 200)
GET    /internal/connections/{connection_id}    ?tenant_id            → ConnectionView
PUT    /internal/connections/{connection_id}/credentials CredentialsUpdate → ConnectionView
POST   /internal/connections/{connection_id}/test    TenantRequest    → ConnectionTest
POST   /internal/connections/{connection_id}/disable TenantRequest    → ConnectionView
POST   /internal/connections/{connection_id}/enable  TenantRequest    → ConnectionView
DELETE /internal/connections/{connection_id}    ?tenant_id            → 204 (orders and raw parts go too)
GET    /internal/connections/{connection_id}/watermarks ?tenant_id    → WatermarkList
GET    /internal/connections/{connection_id}/privacy-requests ?tenant_id → PrivacyRequestList
GET    /internal/connections/{connection_id}/orders ?tenant_id&external_id → OrderHistory
GET    /internal/connections/{connection_id}/payouts ?tenant_id&limit&before_day&before_id → PayoutList
GET    /internal/connections/{connection_id}/payouts/{payout_id} ?tenant_id → PayoutHistory
POST   /internal/connections/{connection_id}/payout-files ?tenant_id&format&…  (the file)  → PayoutUpload
"""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime, Field, JsonValue

from common.internal.base import CredentialField, Secrets, Shape, TenantRequest
from common.messages.base import Amount, Identifier, Reason, ShortText
from common.messages.fetching import FetchOutcome
from common.messages.orders import Order, Payout


class ChannelDescription(Shape):
    """A channel that can be connected, with what a person has to fill in."""

    name: Identifier
    title: str
    credentials: tuple[CredentialField, ...]
    has_webhooks: bool
    has_polling: bool
    has_push_contract: bool = False
    """Whether documents are pushed in a shape of ours: `GET /v1/channels/{channel}/push` has it."""


class ChannelList(Shape):
    channels: tuple[ChannelDescription, ...]


class PushContract(Shape):
    """How documents of a channel that is written for us are pushed: `POST` to the connection's webhook address."""

    channel: Identifier
    headers: dict[str, str]
    """Header → what it holds."""
    documents_max: int
    """Documents in one request; one alone needs no list."""
    document: dict[str, JsonValue]
    """JSON Schema of one document."""
    method: str = "POST"
    path: str = ""
    """Below the public address of ingest; `{connection_id}` is the connection's. Its `webhook_path` says it whole."""
    example: dict[str, JsonValue] = Field(default_factory=dict)
    """One document as a store would send it."""


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
    fetches: bool = True
    """Whether the channel has orders and its credentials reach them; without, it lives by what is sent to it."""
    fetches_payouts: bool = True
    """Whether the channel tells of payouts and its credentials reach them; without, they come from elsewhere."""
    webhook_path: str = ""
    """Path of the webhook receiver on ingest's public address."""
    webhook_url: str = ""
    """The whole address to give to the channel; empty where ingest has not been told its public address."""
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


class PrivacyRequest(Shape):
    """What a channel asked on behalf of a customer or a whole shop, and what was done about it."""

    delivery_id: str
    """The channel's id. A request that names more than 1,000 orders stands here in parts: `id`, `id#2`, `id#3`, …"""
    kind: Identifier
    """customer_redact and shop_redact are carried out at once; data_request is yours to answer: what is held is the
    history of each order."""
    customer_id: str
    """The channel's id."""
    order_ids: tuple[str, ...]
    """The channel's ids; none where the whole shop is meant."""
    received_at: AwareDatetime
    finished_at: AwareDatetime | None
    """When it was carried out; never for a data_request."""
    removed: dict[str, int] | None
    """Rows emptied, by kind."""


class PrivacyRequestList(Shape):
    """The newest 500."""

    requests: tuple[PrivacyRequest, ...]


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


class PayoutSummary(Shape):
    """A payout as a list shows it. What could not be read of it is empty; `problem` says why it was not sent on."""

    connection_id: Identifier
    external_id: Identifier
    source_id: Identifier
    """The connection it came through: a processor's, or the same."""
    format: Identifier
    via: str
    """api, webhook or upload."""
    revision: int
    status: str
    paid_on: date | None
    currency: str
    net: Amount | None
    lines: int
    problem: Reason | None
    received_at: AwareDatetime
    run_id: str | None = None


class PayoutList(Shape):
    payouts: tuple[PayoutSummary, ...]


class PayoutHistory(Shape):
    """One payout as it was last sent on (None where it never was), and the raw parts it was read from."""

    summary: PayoutSummary
    payout: Payout | None
    parts: tuple[RawPart, ...]


class UploadedPayout(Shape):
    """What became of one payout of a file."""

    payout_id: str
    outcome: FetchOutcome
    revision: int
    problem: Reason | None = None


class PayoutUpload(Shape):
    payouts: tuple[UploadedPayout, ...]
