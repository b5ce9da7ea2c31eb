"""How a service is started as a local process: its command and its environment."""

import asyncio
import base64
import importlib.util
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

FORWARDED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
MIGRATION_PATIENCE_S = 120


def package_of(service: str) -> str:
    """The Python package of a service: `ledger-writer` → `ledger_writer`."""
    return service.replace("-", "_")


def prefixed(service: str, values: Mapping[str, str]) -> dict[str, str]:
    """The settings of a service under its prefix: `LEDGER_WRITER_DATABASE_URL`."""
    prefix = package_of(service).upper()
    return {f"{prefix}_{name}": value for name, value in values.items()}


def bare_environment() -> dict[str, str]:
    """What a service gets of our own environment: nothing that could configure it by accident."""
    return {name: os.environ[name] for name in FORWARDED if name in os.environ}


def has_migrations(service: str) -> bool:
    """Does the service have tables of its own?"""
    found = importlib.util.find_spec(package_of(service))
    return bool(found and found.origin and (Path(found.origin).parent / "migrations").is_dir())


async def migrate(service: str, database_url: str) -> None:
    """Bring a service's schema to its newest version. Raises RuntimeError with what the migration said."""
    if not has_migrations(service):
        return
    unused = {
        "DATABASE_URL": database_url,
        "BROKER_URL": "amqp://unused@127.0.0.1/unused",
        "ENCRYPTION_KEYS": encryption_keys(),
        "INTERNAL_KEY": "unused",
        "INTERNAL_CALLERS": json.dumps({}),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        package_of(service),
        "migrate",
        env={**bare_environment(), **prefixed(service, unused)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), MIGRATION_PATIENCE_S)
    if process.returncode != 0:
        message = f"the migrations of {service} failed:\n{output.decode(errors='replace')}"
        raise RuntimeError(message)


def encryption_keys() -> str:
    """A new key in the form the services' settings want."""
    return f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
