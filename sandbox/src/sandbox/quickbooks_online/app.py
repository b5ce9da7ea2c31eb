"""Puts the parts together: the API on its fast path, everything else on FastAPI."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from sandbox.quickbooks_online.admin import build_admin
from sandbox.quickbooks_online.api import Api
from sandbox.quickbooks_online.oauth import build_oauth
from sandbox.quickbooks_online.server import Server


class StandIn:
    """The ASGI application."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.api = Api(server)
        self.other = FastAPI(title="QuickBooks Online stand-in", docs_url=None, redoc_url=None, openapi_url=None)
        self.other.include_router(build_oauth(server))
        self.other.include_router(build_admin(server))

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v3/"):
            await self.api(scope, receive, send)
        else:
            await self.other(scope, receive, send)
