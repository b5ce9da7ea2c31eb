"""Keys and passwords of a stack: drawn once and kept, because data encrypted yesterday has to be read today."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from common.topology import SERVICES
from sandbox.infrastructure.endpoints import write_private


@dataclass(frozen=True, slots=True)
class StackSecrets:
    """Each mapping has a value for every service."""

    database_passwords: dict[str, str]
    broker_passwords: dict[str, str]
    encryption_keys: dict[str, str]
    internal_keys: dict[str, str]
    operator_key: str

    @classmethod
    def kept_in(cls, file: Path) -> "StackSecrets":
        """Read the file, or draw new secrets and write it for its owner only."""
        if file.exists():
            return cls(**json.loads(file.read_text()))
        drawn = cls(
            database_passwords={service: secrets.token_urlsafe(24) for service in SERVICES},
            broker_passwords={service: secrets.token_urlsafe(24) for service in SERVICES},
            encryption_keys={service: encryption_key() for service in SERVICES},
            internal_keys={service: secrets.token_urlsafe(32) for service in SERVICES},
            operator_key=f"operator_{secrets.token_urlsafe(32)}",
        )
        write_private(file, json.dumps(asdict(drawn), indent=2))
        return drawn

    def callers_of(self, service: str) -> str:
        """INTERNAL_CALLERS of a service: what every other service presents to it."""
        return json.dumps({caller: key for caller, key in self.internal_keys.items() if caller != service})


def encryption_key() -> str:
    """One key in the form the services' settings want."""
    return f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
