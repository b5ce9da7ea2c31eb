"""Internal HTTP of ingest: one table of routers."""

from fastapi import APIRouter

from ingest.routes import connections, counts, history, payouts

# `connections` last: its switch takes any word behind a connection's id.
ROUTERS: tuple[APIRouter, ...] = (history.routes, payouts.routes, counts.routes, connections.routes)
