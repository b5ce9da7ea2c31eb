"""The one application that all sample shops of a process answer from."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.applications import Starlette

from sandbox.shops import (
    admin,
    custom_rest,
    shopify_graphql,
    shopify_payouts,
    shopify_rest,
    stripe_rest,
    woocommerce_rest,
)
from sandbox.shops.store import ShopStore


def make_app(shops: Iterable[ShopStore] = ()) -> Starlette:
    """Build the application; shops can also be opened later through the admin side."""
    routes = (
        *admin.ROUTES,
        *shopify_rest.ROUTES,
        *shopify_payouts.ROUTES,
        *stripe_rest.ROUTES,
        *shopify_graphql.ROUTES,
        *woocommerce_rest.ROUTES,
        *custom_rest.ROUTES,
    )
    app = Starlette(routes=list(routes))
    app.state.shops = {store.name: store for store in shops}
    return app
