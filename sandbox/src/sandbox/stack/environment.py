"""The environment of each service: nothing of our own but what no program can do without."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.provisioning.postgres import schema_of
from common.topology import SERVICES
from sandbox.infrastructure.processes import HOST
from sandbox.stack.secrets import StackSecrets

QUICKBOOKS = "quickbooks-online"
"""The stand-in's name in `stack.STAND_INS`."""
OTHERS = tuple(service for service in SERVICES if service != "api")
FORWARDED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def inherited() -> dict[str, str]:
    """What every process gets of our own environment."""
    return {name: os.environ[name] for name in FORWARDED if name in os.environ}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the services of one stack are connected to. `urls`: service or stand-in → where the others reach it."""

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
        own = {f"{prefix}_{name}": value for name, value in values.items()}
        return {**inherited(), **own, **self.quickbooks(service)}

    def quickbooks(self, service: str) -> dict[str, str]:
        """Where the ledger-writer finds QuickBooks, if a stand-in of it runs, and the app it is there."""
        url = self.urls.get(QUICKBOOKS)
        if service != "ledger-writer" or url is None:
            return {}
        values = {
            "API_URL": url,
            "DISCOVERY_URL": f"{url}/.well-known/openid_sandbox_configuration",
            "CLIENT_ID": "sandbox-client",
            "CLIENT_SECRET": "sandbox-secret",
            # A crashed lane is taken over when its last request must have ended; the stand-in answers at once.
            "REQUEST_TIMEOUT_S": "15",
        }
        return {f"QUICKBOOKS_ONLINE_{name}": value for name, value in values.items()}

    def particular(self, service: str) -> dict[str, str]:
        """What only one service is told."""
        if service == "api":
            others = {f"{schema_of(other).upper()}_URL": url for other, url in self.urls.items() if other in OTHERS}
            return {**others, "OPERATOR_KEY": self.secrets.operator_key, "PUBLIC_URL": self.urls["api"]}
        if service == "ingest":
            # The sample shops are on this machine.
            return {"PUBLIC_URL": self.urls["ingest"], "ALLOW_PRIVATE_ADDRESSES": "true"}
        if service == "ledger-writer":
            return {"DATA_DIR": str(self.data)}
        return {}
