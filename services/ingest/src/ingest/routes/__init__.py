"""Internal HTTP of ingest: one table of routers."""

from fastapi import APIRouter

from ingest.routes import connections, history

ROUTERS: tuple[APIRouter, ...] = (connections.routes, history.routes)
