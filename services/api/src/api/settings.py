"""What the gateway is configured by."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from common.settings import ServiceSettings


class ApiSettings(ServiceSettings):
    """Environment variables start with `API_`."""

    model_config = SettingsConfigDict(env_prefix="API_", frozen=True, extra="ignore", hide_input_in_errors=True)

    operator_key: Annotated[SecretStr, Field(min_length=20)]
    """The first key there is: it creates tenants and further operator keys."""
    ingest_url: str
    mapper_url: str
    ledger_writer_url: str
    batch_states_max: Annotated[int, Field(ge=1, le=1000)] = 400
    """States a consumer takes into one transaction; more than elsewhere, as most are a row and nothing else."""
    linger_ms: Annotated[int, Field(ge=0, le=1000)] = 250
    """Longer than elsewhere: every state comes by here, and nobody sees a list a quarter of a second later."""
    public_url: str = "http://127.0.0.1:8000"
    """Address that browsers reach the gateway at; vendors redirect to it after a sign-in."""
    quickbooks_online_url: str = "https://qbo.intuit.com"
    """Where people open QuickBooks Online; links to documents lead there. Sandbox companies:
    https://sandbox.qbo.intuit.com"""

    request_bytes_max: Annotated[int, Field(ge=1024)] = 1024 * 1024
    file_bytes_max: Annotated[int, Field(ge=1024, le=8 * 1024 * 1024)] = 8 * 1024 * 1024
    """Of a table or a back-up."""
    internal_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    scheduler_interval_s: Annotated[float, Field(gt=0)] = 2.0
    progress_interval_s: Annotated[float, Field(gt=0)] = 1.0
    """How often a stream of server-sent events looks at its run."""
    stream_max_s: Annotated[float, Field(gt=0)] = 3600.0
    run_stale_after_s: Annotated[int, Field(ge=60)] = 6 * 3600
    """A run that ingest has not finished by then no longer keeps the task from starting another one."""
    idempotency_hours: Annotated[int, Field(ge=1, le=720)] = 48
    mirror_check_cron: str = "30 2 * * *"
    """When mirrors are compared with their owners, in UTC."""
    mirror_check_again_s: Annotated[float, Field(gt=0)] = 300.0
    """After how long a mirror that differs is looked at again: what is under way until then is no difference."""
    dead_letters_per_batch: Annotated[int, Field(ge=1, le=500)] = 50
