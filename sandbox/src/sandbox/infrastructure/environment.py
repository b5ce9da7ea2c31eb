"""Servers named in the environment."""

import os
import socket
from urllib.parse import unquote, urlsplit

from sandbox.infrastructure.endpoints import Endpoints, url
from sandbox.infrastructure.problems import CannotProvision

MANAGEMENT_PORT = 15672


def named_servers() -> Endpoints | None:
    """The servers of TILLBOOK_POSTGRES_URL and TILLBOOK_RABBITMQ_URL, or None where neither is set.

    TILLBOOK_RABBITMQ_MANAGEMENT_URL defaults to the broker's host, port 15672, with the same credentials.
    Raises CannotProvision when only one is set or one doesn't answer.
    """
    postgres = os.environ.get("TILLBOOK_POSTGRES_URL", "")
    rabbitmq = os.environ.get("TILLBOOK_RABBITMQ_URL", "")
    if not postgres and not rabbitmq:
        return None
    if not postgres or not rabbitmq:
        missing = "TILLBOOK_RABBITMQ_URL" if postgres else "TILLBOOK_POSTGRES_URL"
        message = f"{missing} is not set although the other server is given; set both, or neither for private servers"
        raise CannotProvision(message)
    management = os.environ.get("TILLBOOK_RABBITMQ_MANAGEMENT_URL") or management_url(rabbitmq)
    expect_answer("TILLBOOK_POSTGRES_URL", postgres, 5432)
    expect_answer("TILLBOOK_RABBITMQ_URL", rabbitmq, 5672)
    expect_answer("TILLBOOK_RABBITMQ_MANAGEMENT_URL", management, MANAGEMENT_PORT)
    return Endpoints(postgres, rabbitmq, management)


def management_url(rabbitmq: str) -> str:
    """Where the management API of a broker usually is."""
    parts = urlsplit(rabbitmq)
    return url(
        "http",
        user=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        host=parts.hostname or "localhost",
        port=MANAGEMENT_PORT,
    )


def expect_answer(variable: str, address: str, default_port: int) -> None:
    """Raises CannotProvision unless somebody listens at the address."""
    parts = urlsplit(address)
    host, port = parts.hostname or "localhost", parts.port or default_port
    try:
        with socket.create_connection((host, port), timeout=5):
            return
    except OSError as error:
        message = f"nothing answers at {host}:{port} ({variable}: {error}); start that server, or unset the variable"
        raise CannotProvision(message) from error
