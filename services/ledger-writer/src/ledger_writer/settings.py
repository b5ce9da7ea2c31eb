"""What the ledger-writer is configured by."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
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
    smtp_host: str = ""
    """Mail server that takes notices of ended sign-ins (setting `notify` of a company file); empty: none are sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_user: str = ""
    """Empty: without signing in."""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` from the first byte on, usually at port 465; `none` only without a user."""
    smtp_from: str = ""
    """Address that notices come from, needed where there is a mail server."""
    notice_link: str = ""
    """Address in a notice where people sign in again; `{company_id}` stands for the company file's id."""
    notice_retry_s: Annotated[float, Field(gt=0)] = 60.0
    """Rest after the first failure to send a notice; twice as long after each further one, an hour at most."""

    @property
    def sends_mail(self) -> bool:
        """Whether notices can be sent at all."""
        return bool(self.smtp_host)

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.smtp_host and "@" not in self.smtp_from:
            raise ValueError("smtp_from must be an address where smtp_host is set")
        if self.smtp_user and self.smtp_tls == "none":
            raise ValueError("smtp_tls must not be none where smtp_user is set: the password would be readable")
        if bool(self.smtp_user) != bool(self.smtp_password.get_secret_value()):
            raise ValueError("smtp_user and smtp_password belong together: set both or none")
        return self
