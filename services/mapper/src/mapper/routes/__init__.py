"""Internal HTTP of the mapper; the table of routes stands in `common.internal.mapper`."""

from fastapi import APIRouter

from mapper.routes import counts, dry_runs, maps, payments, payouts, preview, restoring, rules, sets

ROUTERS: tuple[APIRouter, ...] = (
    sets.router,
    preview.router,
    dry_runs.router,
    rules.router,
    maps.router,
    payouts.router,
    payments.router,
    restoring.router,
    counts.router,
)
