"""Builds the gateway: settings, application, consumers, scheduler, dead letters. The only file with side effects."""

import asyncio
import functools

import asyncpg
from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.clients import Services
from api.dead_letters.collecting import collect
from api.dead_letters.letters import SEALED
from api.dead_letters.replaying import replay_waiting
from api.mirror_checks import look
from api.openapi import describe
from api.projections import HANDLERS
from api.routes import ROUTERS
from api.scheduler import start_waiting
from api.settings import ApiSettings
from api.store import idempotency, tenants
from common.application import BoundedBody, create_application
from common.crypto import Cipher
from common.forgetting import AGAIN_EVERY_S
from common.problems import Problem
from common.resealing import RESEAL_EVERY_S, reseal_outdated
from common.runtime import Runtime
from common.topology import SERVICES

SERVICE = "api"
_FORGET_KEYS_EVERY_S = 600.0
_FILES = (".csv", "/restore")
"""Ends of the paths that take files."""
UNSTORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""NUL in a text: valid JSON, and nothing that Postgres takes."""


async def start(app: FastAPI, runtime: Runtime) -> None:
    """Start what runs beside the routes."""
    settings: ApiSettings = app.state.settings
    cipher: Cipher = app.state.cipher
    runtime.spawn(_close_at_the_end(app.state.services), name="internal clients")
    runtime.start_consumers(HANDLERS)
    often_s = settings.scheduler_interval_s
    runtime.start_every("scheduler", often_s, functools.partial(start_waiting, runtime, settings.run_stale_after_s))
    forget_keys = functools.partial(idempotency.forget, runtime.pool, settings.idempotency_hours)
    runtime.start_every("idempotency keys", _FORGET_KEYS_EVERY_S, forget_keys)
    runtime.start_every("resealing", RESEAL_EVERY_S, functools.partial(reseal_outdated, runtime.pool, cipher, SEALED))
    checks = functools.partial(
        look,
        runtime,
        app.state.services,
        cron=settings.mirror_check_cron,
        again_after_s=settings.mirror_check_again_s,
    )
    runtime.start_every("mirror checks", often_s, checks)
    runtime.start_every("forgetting", AGAIN_EVERY_S, functools.partial(_forget_again, runtime), rest_first=True)
    for service in SERVICES:
        runtime.start_forever(f"dead letters of {service}", functools.partial(collect, runtime, cipher, service))
    replaying = functools.partial(replay_waiting, runtime, cipher, settings.dead_letters_per_batch)
    runtime.start_every("replays", often_s, replaying)


async def _forget_again(runtime: Runtime) -> None:
    async with runtime.transaction() as (connection, _):
        await tenants.purge_again(connection)


async def _unstorable(_: Request, __: Exception) -> Response:
    return Problem(
        400, "TEXT_INVALID", "a text holds a character that can't be stored", cure="remove the NUL character"
    ).response()


async def _close_at_the_end(services: Services) -> None:
    """The runtime cancels what it runs when it stops: that is when the clients' sockets can go."""
    try:
        await asyncio.Event().wait()
    finally:
        await services.close()


class BoundedByPath:
    """A file (a table, a back-up) may be larger than other bodies."""

    def __init__(self, app: ASGIApp, *, usual: int, files: int) -> None:
        self._usual = BoundedBody(app, usual)
        self._files = BoundedBody(app, files)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_file = scope["type"] == "http" and scope["path"].endswith(_FILES)
        await (self._files if is_file else self._usual)(scope, receive, send)


def build(settings: ApiSettings) -> FastAPI:
    """The application, ready to be served."""
    app = create_application(SERVICE, settings, start, ROUTERS, title="tillbook", description="")
    app.state.settings = settings
    app.state.cipher = Cipher.of(settings.encryption_keys)
    app.state.services = Services.of(settings)
    app.add_middleware(BoundedByPath, usual=settings.request_bytes_max, files=settings.file_bytes_max)
    for unstorable in UNSTORABLE:
        app.add_exception_handler(unstorable, _unstorable)
    describe(app)
    return app
