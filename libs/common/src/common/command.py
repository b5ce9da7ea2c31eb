"""What `python -m <service>` does, the same for every service: serve, migrate, republish."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import SecretStr
from starlette.types import ASGIApp

from common.application import serve
from common.database import connect
from common.migrations import upgrade
from common.outbox import mark_for_republish
from common.settings import ServiceSettings

Settings = TypeVar("Settings", bound=ServiceSettings)


def run(
    package: str, settings_type: type[Settings], create: Callable[[Settings], ASGIApp], arguments: Sequence[str]
) -> int:
    """Carry out the command line of a service. Returns the exit status."""
    match list(arguments):
        case []:
            settings = settings_type()
            serve(create(settings), settings)
        case ["migrate"]:
            upgrade(package, settings_type().database_url)
        case ["republish", text]:
            try:
                since = datetime.fromisoformat(text).astimezone()
            except ValueError:
                sys.stderr.write(f"{text!r} is no moment; write it like 2026-11-21T20:15:00+00:00\n")
                return 2
            count = asyncio.run(_republish(package, settings_type().database_url, since))
            sys.stdout.write(f"{count} entities will be published again by the running service\n")
        case _:
            sys.stderr.write(f"usage: python -m {package} [migrate | republish MOMENT]\n")
            return 2
    return 0


async def _republish(package: str, url: SecretStr, since: datetime) -> int:
    pool = await connect(url, connections_max=2, application=f"tillbook-{package}-republish")
    try:
        return await mark_for_republish(pool, since)
    finally:
        await pool.close()
