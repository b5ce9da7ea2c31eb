"""Internal HTTP of ingest: one table of routers."""

from fastapi import APIRouter

from ingest.routes import connections, history, payouts

ROUTERS: tuple[APIRouter, ...] = (connections.routes, history.routes, payouts.routes)
