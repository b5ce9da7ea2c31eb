"""What every service is configured by: one frozen object, read once at start from prefixed environment variables.

Secrets have no default and are `SecretStr`, so that they can't appear in a log line or a traceback.
"""

import base64
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Base of each service's settings; the subclass sets `env_prefix` (INGEST_, MAPPER_, LEDGER_WRITER_, API_)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr
    """postgresql://role:password@host:port/database; the role owns one schema of the same name."""
    broker_url: SecretStr
    """amqp(s)://user:password@host:port/vhost"""
    encryption_keys: SecretStr
    """`2:<base64 of 32 bytes>,1:<…>`: the first encrypts, all decrypt."""
    internal_key: SecretStr
    """What this service presents to the others."""
    internal_callers: dict[str, SecretStr]
    """Calling service → the key it must present."""

    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 0
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otlp_endpoint: str = ""
    """OTLP/HTTP collector; empty switches tracing export off."""

    database_connections_max: Annotated[int, Field(ge=2, le=200)] = 10
    batch_states_max: Annotated[int, Field(ge=1, le=1000)] = 200
    """States a consumer takes into one transaction."""
    linger_ms: Annotated[int, Field(ge=0, le=1000)] = 20
    """How long a consumer waits for more deliveries before it starts a batch."""
    outbox_retention_days: Annotated[int, Field(ge=0, le=90)] = 3
    sweep_interval_s: Annotated[float, Field(gt=0)] = 5.0
    shutdown_grace_s: Annotated[float, Field(gt=0)] = 20.0


def decode_keys(text: SecretStr) -> dict[int, bytes]:
    """Parse `1:<base64>,2:<base64>` into versioned 32-byte keys. Raises `ValueError` without showing the text."""
    keys: dict[int, bytes] = {}
    for part in text.get_secret_value().split(","):
        version, separator, encoded = part.strip().partition(":")
        if not separator or not version.isdigit():
            raise ValueError("encryption keys must look like 1:<base64>,2:<base64>")
        key = base64.b64decode(encoded, validate=True)
        if len(key) != 32:
            raise ValueError(f"encryption key {version} must be 32 bytes after base64 decoding, not {len(key)}")
        if int(version) in keys:
            raise ValueError(f"encryption key {version} is there twice")
        keys[int(version)] = key
    return keys
