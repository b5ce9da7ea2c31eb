"""Connections and company files."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr

from api.bodies import Body
from api.views.base import View
from common.internal.ingest import ConnectionState
from common.messages.base import Identifier, Reason, ShortText
from common.messages.control import CompanySettings, ConnectionSettings
from common.messages.documents import CompanyStatus
from common.money import UnknownCurrency, exponent

Config = Annotated[dict[Identifier, ShortText], Field(max_length=30)]
SecretValues = Annotated[
    dict[Identifier, Annotated[SecretStr, Field(min_length=1, max_length=16_384)]], Field(max_length=30)
]
"""Handed to the service that encrypts them; never stored or shown here."""


class ConnectionCreate(Body):
    channel: Identifier = Field(examples=["shopify"], description="A name from `GET /v1/channels`.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(examples=["Example shop"])
    config: Config = Field(default_factory=dict, examples=[{"shop_domain": "example.myshopify.com"}])
    secrets: SecretValues = Field(default_factory=dict, examples=[{"webhook_secret": "…", "access_token": "…"}])


class CredentialsUpdate(Body):
    """Names that are left out keep their value."""

    config: Config = Field(default_factory=dict)
    secrets: SecretValues = Field(default_factory=dict)


class Connection(View):
    connection_id: str
    channel: str
    name: str
    created_at: datetime
    ready: bool
    """False where ingest never confirmed it (a request that was cut off): delete it or send the request again."""
    fetches: bool
    """Whether the channel has orders and its credentials reach them. Without, it lives by webhooks or pushes, and has
    no task for orders."""
    fetches_payouts: bool
    """Whether the channel tells of payouts and its credentials reach them. Without, payouts are uploaded as files, or
    come from the connection of the processor; there is no task for them."""
    company_id: str | None
    has_settings: bool


class ConnectionDetail(Connection):
    state: ConnectionState | None
    """Null where ingest does not answer right now."""
    reason: Reason | None = None
    config: dict[str, str] = Field(default_factory=dict)
    secret_names: list[str] = Field(default_factory=list)
    webhook_path: str = ""
    """Path of the webhook receiver."""
    webhook_url: str = Field(default="", examples=["https://hooks.tillbook.example/webhooks/con_1f0c"])
    """The whole address to give to the channel; empty where the receiver has not been told its public address."""


def _of_iso_4217(code: str) -> str:
    if code:
        try:
            exponent(code)
        except UnknownCurrency as error:
            raise ValueError("use a currency of ISO 4217, such as USD") from error
    return code


class CompanyCreate(Body):
    ledger: Identifier = Field(examples=["beancount"], description="A name from `GET /v1/ledgers`.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(examples=["Example Shop books"])
    home_currency: Annotated[str, AfterValidator(_of_iso_4217)] = Field(
        default="", pattern=r"^([A-Z]{3})?$", examples=["USD"]
    )
    settings: Config = Field(default_factory=dict, description="What the ledger needs besides secrets.")
    secrets: SecretValues = Field(default_factory=dict)


class Company(View):
    company_id: str
    ledger: str
    name: str
    created_at: datetime
    ready: bool
    status: CompanyStatus
    reason: Reason | None
    home_currency: str
    country: str
    external_id: str
    capabilities: list[str]
    lane_paused: bool
    paused: bool
    approved_at: AwareDatetime | None
    has_settings: bool


class CompanyDetail(Company):
    available: bool = True
    """False where ledger-writer does not answer right now; what is below is then unknown."""
    default_accounts: dict[str, str] = Field(default_factory=dict)
    closed_through: date | None = None
    lane_holder: str = ""
    lists_read_at: datetime | None = None
    waiting: int = 0
    details: dict[str, str] = Field(default_factory=dict)


class OAuthBegun(View):
    authorization_url: str
    """Send the browser there; the vendor sends it back to the gateway."""


class DisconnectRequest(Body):
    forget_links: bool = False
    """True forgets where documents are, as `POST …/links/forget` does: they are looked up after the next sign-in."""
    confirm: str = ""
    """The company's id, needed with `forget_links`."""


class ForgetLinksRequest(Body):
    confirm: str = ""
    """The company's id."""


class LinksForgotten(View):
    """What was given up, and what happens next."""

    company_id: str
    documents: int
    """Documents, customers and items that are looked for again."""
    kept: int
    """Documents, customers and items in the ledger that keep their link."""
    next: str


class ConnectionSettingsVersion(View):
    revision: int
    changed_by: str
    changed_at: datetime
    settings: ConnectionSettings


class CompanySettingsVersion(View):
    revision: int
    changed_by: str
    changed_at: datetime
    settings: CompanySettings


class CustomerConnect(Body):
    """How a source customer relates to the ledger, and from which date its documents are in scope."""

    connection_id: Identifier
    link: Literal["existing", "create", "ignore", "none"]
    ledger_id: Identifier | None = None
    display_name: ShortText = ""
    source_external_id: Identifier | None = None
    horizon: date | None = None


class PreviewPart(View):
    """Some of the orders of one outcome, and how many documents of them."""

    orders: int
    documents: int


class PreviewWritten(PreviewPart):
    """What would be written now. An order of which only some documents are held counts here with its total."""

    total: str


class PreviewHeld(PreviewPart):
    """What one reason keeps out of the ledger until it is mended."""

    code: str
    text: str
    cure: str


class PreviewOutcome(View):
    """How many orders mapping gave one outcome, and why; of their documents, what would be written and what is held."""

    outcome: str
    code: str | None
    text: str
    currency: str
    orders: int
    documents: int
    total: str
    """Of all these orders, whether their documents would be written or not."""
    would_write: PreviewWritten
    held: list[PreviewHeld]
