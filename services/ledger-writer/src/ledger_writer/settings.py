"""What the ledger-writer is configured by."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import ServiceSettings


class LedgerWriterSettings(ServiceSettings):
    """Environment variables start with `LEDGER_WRITER_`."""

    model_config = SettingsConfigDict(
        env_prefix="LEDGER_WRITER_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    data_dir: Path = Path("data")
    """Where ledgers that are files keep them; on Kubernetes a volume of the one replica that owns file lanes."""
    lane_lease_s: Annotated[float, Field(gt=0)] = 10.0
    """How long a lane stays with a replica that stopped renewing. A ledger's request time-out is added to it."""
    lane_idle_s: Annotated[float, Field(gt=0)] = 10.0
    """How long an idle lane is kept open before another replica may have it."""
    lane_poll_s: Annotated[float, Field(gt=0)] = 1.0
    """How often due work is looked for when no notification came."""
    lanes_max: Annotated[int, Field(ge=1)] = 50
    """Company files that this replica writes to at once."""
    attempts_retention_days: Annotated[int, Field(ge=1)] = 90
    lists_refresh_hours: Annotated[float, Field(gt=0)] = 24.0
    """How old reference lists may get where the ledger can't tell what changed."""
    lists_follow_minutes: Annotated[float, Field(gt=0)] = 30.0
    """The same where it can."""
    ledger_check_hours: Annotated[float, Field(gt=0)] = 24.0
    """How often what was written is compared with what the ledger has."""
