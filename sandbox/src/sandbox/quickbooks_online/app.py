"""Puts the parts together: the API on its fast path, everything else on FastAPI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from sandbox.quickbooks_online.admin import build_admin
from sandbox.quickbooks_online.api import Api
from sandbox.quickbooks_online.oauth import build_oauth
from sandbox.quickbooks_online.server import Server


class StandIn:
    """The ASGI application; ``at_end`` is called when the server shuts down."""

    def __init__(self, server: Server, at_end: Callable[[], None] | None = None) -> None:
        self.server = server
        self.at_end = at_end
        self.api = Api(server)
        self.other = FastAPI(title="QuickBooks Online stand-in", docs_url=None, redoc_url=None, openapi_url=None)
        self.other.include_router(build_oauth(server))
        self.other.include_router(build_admin(server))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v3/"):
            await self.api(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self.other(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        """A signal ends the process right after this, so state is saved here and nowhere later."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self.server.webhooks.clear()
                if self.at_end is not None:
                    self.at_end()
                await send({"type": "lifespan.shutdown.complete"})
                return
            await send({"type": "lifespan.startup.complete"})
