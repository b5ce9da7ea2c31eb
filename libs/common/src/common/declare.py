"""`python -m common.declare`: declare exchanges and queues, as an administrator, before any service starts."""

import asyncio

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.broker import declare


class DeclareSettings(BaseSettings):
    """TOPOLOGY_BROKER_URL: amqp URL of a user that may configure the virtual host."""

    model_config = SettingsConfigDict(env_prefix="TOPOLOGY_", frozen=True)

    broker_url: SecretStr


if __name__ == "__main__":
    asyncio.run(declare(DeclareSettings().broker_url))
