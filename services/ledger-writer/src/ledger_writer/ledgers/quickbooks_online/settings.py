"""Addresses, credentials of the app, and the published limits of QuickBooks Online. All of it can be set."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ACCOUNTING_SCOPE = "com.intuit.quickbooks.accounting"


class OnlineSettings(BaseSettings):
    """Read once from `QUICKBOOKS_ONLINE_*`. The defaults are production; a stand-in needs only the two addresses."""

    model_config = SettingsConfigDict(
        env_prefix="QUICKBOOKS_ONLINE_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    api_url: str = "https://quickbooks.api.intuit.com"
    """Sandbox companies: https://sandbox-quickbooks.api.intuit.com"""
    discovery_url: str = "https://developer.api.intuit.com/.well-known/openid_configuration"
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    redirect_uri: str = ""
    webhook_verifier: SecretStr = SecretStr("")
    """Signs the notices of this app and environment."""

    minor_version: Annotated[int, Field(ge=75)] = 75
    """Values below 75 have been ignored since August 2025."""
    connect_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    request_timeout_s: Annotated[float, Field(gt=0)] = 120.0
    """QuickBooks cuts a request off after this time."""
    answer_bytes_max: Annotated[int, Field(ge=1024)] = 32 * 1024 * 1024
    """A page of 1,000 documents with many lines stays below it."""

    limit_window_s: Annotated[float, Field(gt=0)] = 60.0
    requests_per_window: Annotated[int, Field(ge=1)] = 500
    requests_per_second: Annotated[int, Field(ge=1)] = 10
    concurrent_requests: Annotated[int, Field(ge=1)] = 10
    batches_per_window: Annotated[int, Field(ge=1)] = 40
    names_per_batch: Annotated[int, Field(ge=1, le=30)] = 30
    """New customers, vendors and items that share one request; 1 sends each by itself."""
    arrival_slack_s: Annotated[float, Field(ge=0)] = 0.18
    """A request counts when it arrives, some time between leaving and being answered. Windows keep clear of that much
    of it; a larger value makes the limit per second bind before the limit per minute."""
    throttled_wait_s: Annotated[float, Field(gt=0)] = 60.0
    """How long a refused company rests when the answer does not say."""
    throttled_tries_max: Annotated[int, Field(ge=1)] = 5

    page_size: Annotated[int, Field(ge=1, le=1000)] = 1000
    values_per_query: Annotated[int, Field(ge=1, le=1000)] = 100
    """Values in one `IN (…)`."""
    dated_lookup_days: Annotated[int, Field(ge=0, le=365)] = 1
    """Days around the document date in which a payment, deposit or refund of a payment is looked for. Other documents
    without a number say themselves how far."""
    conflict_tries_max: Annotated[int, Field(ge=1)] = 3
    lists_ttl_s: Annotated[float, Field(ge=0)] = 300.0
    """How long names of accounts, tax codes, terms and so on are trusted before they are read again."""
