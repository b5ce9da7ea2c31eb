"""Where the servers are, with the administrator's credentials."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Administrator URLs of both servers.

    `postgres_url`: postgresql://user:password@host:port/postgres
    `rabbitmq_url`: amqp://user:password@host:port/%2F
    `management_url`: http://user:password@host:port (RabbitMQ's management HTTP API)
    `prometheus_url`: the broker's metrics, where we started it ourselves, else empty
    """

    postgres_url: str
    rabbitmq_url: str
    management_url: str
    prometheus_url: str = ""

    def environment(self) -> dict[str, str]:
        """The variables that make another process use these servers."""
        return {
            "TILLBOOK_POSTGRES_URL": self.postgres_url,
            "TILLBOOK_RABBITMQ_URL": self.rabbitmq_url,
            "TILLBOOK_RABBITMQ_MANAGEMENT_URL": self.management_url,
        }

    def save(self, path: Path) -> None:
        """Write to a file only its owner can read: the URLs hold passwords."""
        write_private(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Endpoints":
        """Read what `save` wrote. Raises FileNotFoundError where nothing was saved."""
        return cls(**json.loads(path.read_text()))


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(path)


def url(scheme: str, *, user: str, password: str, host: str, port: int, path: str = "") -> str:
    """A URL with credentials, quoted."""
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}{path}"


def with_path(address: str, path: str) -> str:
    """The same URL with another path (database name, virtual host)."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path="/" + quote(path, safe="")))


def without_password(address: str) -> str:
    """The URL as it may be printed."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=f"{parts.hostname}:{parts.port}"))
