"""`python -m common.provisioning`: roles, schemas, virtual host and users, from PROVISION_* variables.

Secrets come from the environment, never from the command line, and are never printed.
"""

import asyncio
import sys

import structlog
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from common.provisioning.postgres import provision_database
from common.provisioning.rabbitmq import provision_broker
from common.topology import SERVICES

log = structlog.get_logger(__name__)


class ProvisionSettings(BaseSettings):
    """What the administrator gives."""

    model_config = SettingsConfigDict(env_prefix="PROVISION_", frozen=True, hide_input_in_errors=True)

    database_admin_url: SecretStr
    """postgresql://administrator:password@host:port/postgres"""
    broker_url: SecretStr
    """amqp(s)://host:port of the broker"""
    broker_management_url: SecretStr
    """http(s)://administrator:password@host:port"""
    database: str = "tillbook"
    vhost: str = "tillbook"
    database_passwords: dict[str, SecretStr]
    """{"ingest": "...", ...}: one for each service"""
    broker_passwords: dict[str, SecretStr]
    """{"ingest": "...", ...}: one for each service"""
    timeout_s: float = Field(default=120, gt=0)

    @field_validator("database_passwords", "broker_passwords")
    @classmethod
    def names_every_service(cls, value: dict[str, SecretStr]) -> dict[str, SecretStr]:
        """A service left out would get a random password that nobody knows."""
        if set(value) != set(SERVICES):
            message = f"must have exactly one password for each of {', '.join(SERVICES)}"
            raise ValueError(message)
        return value


async def provision(settings: ProvisionSettings) -> None:
    """Bring database and broker into the state the services need."""
    async with asyncio.timeout(settings.timeout_s):
        await provision_database(
            settings.database_admin_url.get_secret_value(),
            settings.database,
            passwords={service: secret.get_secret_value() for service, secret in settings.database_passwords.items()},
        )
        log.info("database_provisioned", database=settings.database)
        await provision_broker(
            settings.broker_management_url.get_secret_value(),
            settings.broker_url.get_secret_value(),
            settings.vhost,
            passwords={service: secret.get_secret_value() for service, secret in settings.broker_passwords.items()},
        )
        log.info("broker_provisioned", vhost=settings.vhost)


def main() -> int:
    """Run once. Returns the exit status."""
    try:
        settings = ProvisionSettings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            print(f"PROVISION_{'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    asyncio.run(provision(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
