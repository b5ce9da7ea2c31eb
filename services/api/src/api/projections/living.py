"""Which tenants are gone: what was still on its way for one must not be stored again."""

from collections.abc import Sequence

from api.store import tenants
from common.database import Connection
from common.messages.base import State

Deleted = frozenset[str]


async def load_deleted(connection: Connection, states: Sequence[State]) -> Deleted:
    """Deleted tenants among those of the batch: one look-up by key, and nearly always empty."""
    return await tenants.deleted(connection, sorted({state.tenant_id for state in states}))
