"""How the read model follows the other services: one handler per kind of state, one bulk statement per table."""

from typing import Any

from api.projections.companies import COMPANY_CHANGED
from api.projections.documents import DOCUMENT_CHANGED
from api.projections.orders import ORDER_LISTED
from api.projections.progress import TASK_PROGRESS
from api.projections.purges import TENANT_PURGED
from api.projections.rebuild import STATE_REQUESTED
from api.projections.transactions import TRANSACTIONS_LISTED
from common.handling import Handler

HANDLERS: tuple[Handler[Any, Any], ...] = (
    ORDER_LISTED,
    TRANSACTIONS_LISTED,
    DOCUMENT_CHANGED,
    COMPANY_CHANGED,
    TASK_PROGRESS,
    STATE_REQUESTED,
    TENANT_PURGED,
)

__all__ = ["HANDLERS"]
