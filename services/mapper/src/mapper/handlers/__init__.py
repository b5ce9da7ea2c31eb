"""One file per message the mapper takes in. `handlers(…)` is the table a reader opens first."""

from typing import Any

from common.handling import Handler
from mapper.handlers import (
    catalog_changed,
    company_changed,
    customer_connected,
    order_normalized,
    payout_normalized,
    product_normalized,
    resend_requested,
    settings_changed,
    state_requested,
    tenant_deleted,
)
from mapper.store.configurations import Configurations
from mapper.worker import Waker


def handlers(configurations: Configurations, waker: Waker) -> list[Handler[Any, Any]]:
    """Every handler of this service."""
    return [
        order_normalized.handler(configurations),
        payout_normalized.handler(waker),
        product_normalized.handler(),
        settings_changed.handler(waker),
        catalog_changed.handler(waker),
        company_changed.handler(waker),
        customer_connected.handler(waker),
        resend_requested.handler(waker),
        state_requested.handler(waker),
        tenant_deleted.FORGETTING.handler(),
    ]
