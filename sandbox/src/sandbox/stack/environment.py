"""The environment of each service: nothing of our own but what no program can do without."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.provisioning.postgres import schema_of
from sandbox.infrastructure.processes import HOST
from sandbox.stack.secrets import StackSecrets

FORWARDED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def inherited() -> dict[str, str]:
    """What every process gets of our own environment."""
    return {name: os.environ[name] for name in FORWARDED if name in os.environ}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the services of one stack are connected to. `urls`: service → where the others reach it."""

    database_urls: Mapping[str, str]
    broker_urls: Mapping[str, str]
    urls: Mapping[str, str]
    secrets: StackSecrets
    data: Path
    extra: Mapping[str, Mapping[str, str]]

    def of(self, service: str, port: int) -> dict[str, str]:
        """The environment of one replica that serves on `port`."""
        values = {
            "DATABASE_URL": self.database_urls[service],
            "BROKER_URL": self.broker_urls[service],
            "ENCRYPTION_KEYS": self.secrets.encryption_keys[service],
            "INTERNAL_KEY": self.secrets.internal_keys[service],
            "INTERNAL_CALLERS": self.secrets.callers_of(service),
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(port),
            "LOG_FORMAT": "json",
            **self.particular(service),
            **self.extra.get(service, {}),
        }
        prefix = schema_of(service).upper()
        return {**inherited(), **{f"{prefix}_{name}": value for name, value in values.items()}}

    def particular(self, service: str) -> dict[str, str]:
        """What only one service is told."""
        if service == "api":
            others = {f"{schema_of(other).upper()}_URL": url for other, url in self.urls.items() if other != "api"}
            return {**others, "OPERATOR_KEY": self.secrets.operator_key, "PUBLIC_URL": self.urls["api"]}
        if service == "ingest":
            return {"PUBLIC_URL": self.urls["ingest"]}
        if service == "ledger-writer":
            return {"DATA_DIR": str(self.data)}
        return {}
