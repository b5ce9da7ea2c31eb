"""Internal HTTP of the mapper; the table of routes stands in `common.internal.mapper`."""

from fastapi import APIRouter

from mapper.routes import maps, payouts, preview, rules, sets

ROUTERS: tuple[APIRouter, ...] = (sets.router, preview.router, rules.router, maps.router, payouts.router)
