"""`tenant.purged` → what each service has removed of a deleted tenant."""

from api.store import tenants
from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.control import TenantPurged


def handle_tenant_purged(state: TenantPurged, _: None, batch: Batch) -> None:
    """Keep the newest report of the service."""
    tenants.report(batch, state.tenant_id, state.service, state.revision, state.removed)


TENANT_PURGED = Handler(TenantPurged, load_nothing, handle_tenant_purged)
