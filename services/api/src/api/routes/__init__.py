"""The public REST API, one module per theme."""

from fastapi import APIRouter

from api.routes import (
    backup,
    clearing,
    companies,
    connections,
    dead_letters,
    dismissals,
    documents,
    explain,
    index,
    keys,
    ledger_lists,
    mirrors,
    orders,
    overview,
    payouts,
    resend,
    rules,
    runs,
    settings,
    sheets,
    sync_log,
    tasks,
    tenants,
    usage,
)

ROUTERS: tuple[APIRouter, ...] = (
    index.routes,
    tenants.routes,
    mirrors.routes,
    keys.routes,
    connections.routes,
    companies.routes,
    ledger_lists.routes,
    settings.routes,
    overview.routes,
    orders.routes,
    sheets.routes,
    documents.routes,
    explain.routes,
    payouts.routes,
    clearing.routes,
    usage.routes,
    sync_log.routes,
    backup.routes,
    resend.routes,
    dismissals.routes,
    runs.routes,
    tasks.routes,
    rules.routes,
    dead_letters.routes,
)

__all__ = ["ROUTERS"]
