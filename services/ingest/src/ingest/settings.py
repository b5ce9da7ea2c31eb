"""What the ingest service is configured by: environment variables with the prefix INGEST_."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """See `ServiceSettings` for what every service has."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="ignore", hide_input_in_errors=True)

    public_url: str = ""
    """Address at which channels reach the webhook receiver; without it subscriptions are not registered."""
    allow_private_addresses: bool = False
    """Whether connections may be fetched from inside our own network: loopback, private and link-local addresses.

    For tests and for stores that are run beside the product. Off, nobody can make this service call its neighbours.
    """
    webhook_bytes_max: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] = 2 * 1024 * 1024
    webhook_group_max: Annotated[int, Field(ge=1, le=1000)] = 200
    webhook_linger_ms: Annotated[float, Field(ge=0, le=100)] = 3.0
    webhook_read_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    connection_cache_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    """How long a changed credential may still be the old one on another replica."""
    refetch_delay_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    """How long an incomplete order waits for the webhook that completes it before it is fetched."""
    refetch_attempts_max: Annotated[int, Field(ge=1, le=50)] = 8
    workers_max: Annotated[int, Field(ge=1, le=64)] = 4
    """Runs and refetches that this replica works on at once."""
    poll_interval_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """How often workers look for what another replica or the clock made due."""
    window_overlap_min: Annotated[int, Field(ge=0, le=1440)] = 60
    window_settle_min: Annotated[int, Field(ge=0, le=60)] = 2
    delivery_retention_days: Annotated[int, Field(ge=7, le=365)] = 30
