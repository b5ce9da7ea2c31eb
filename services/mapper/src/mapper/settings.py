"""What the mapper is configured by."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from common.settings import ServiceSettings


class MapperSettings(ServiceSettings):
    """Environment variables start with `MAPPER_`."""

    model_config = SettingsConfigDict(env_prefix="MAPPER_", frozen=True, extra="ignore", hide_input_in_errors=True)

    remap_batch: Annotated[int, Field(ge=1, le=1000)] = 100
    """Orders that are mapped again in one transaction after settings, rules or maps changed."""
    remap_share: Annotated[int, Field(ge=1, le=1000)] = 50
    """Of these, how many one tenant may have while others wait too."""
    remap_poll_s: Annotated[float, Field(gt=0)] = 1.0
    """How often work is looked for that another replica left."""
    rules_max: Annotated[int, Field(ge=1)] = 5000
    """Rules a tenant may have (section 22.10)."""
