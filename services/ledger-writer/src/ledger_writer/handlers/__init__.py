"""One module per kind of state this service takes in. None of them calls a ledger: that is the lanes' work."""

from typing import Any

from common.handling import Handler
from ledger_writer.handlers import (
    customer_connected,
    document_dismissed,
    resend_requested,
    settings_changed,
    state_requested,
    tenant_deleted,
    transactions_mapped,
)

HANDLERS: tuple[Handler[Any, Any], ...] = (
    transactions_mapped.HANDLER,
    settings_changed.HANDLER,
    customer_connected.HANDLER,
    resend_requested.HANDLER,
    document_dismissed.HANDLER,
    state_requested.HANDLER,
    tenant_deleted.FORGETTING.handler(),
)
