"""The public REST API, one module per theme."""

from fastapi import APIRouter

from api.routes import (
    companies,
    connections,
    dead_letters,
    documents,
    index,
    keys,
    ledger_lists,
    orders,
    overview,
    payouts,
    resend,
    rules,
    runs,
    settings,
    tasks,
    tenants,
)

ROUTERS: tuple[APIRouter, ...] = (
    index.routes,
    tenants.routes,
    keys.routes,
    connections.routes,
    companies.routes,
    ledger_lists.routes,
    settings.routes,
    overview.routes,
    orders.routes,
    documents.routes,
    payouts.routes,
    resend.routes,
    runs.routes,
    tasks.routes,
    rules.routes,
    dead_letters.routes,
)

__all__ = ["ROUTERS"]
