"""`company.changed` → what ledger-writer says of a company file, beside what its owner set here."""

import orjson

from api.projections.reasons import reason_json
from common.batch import Batch
from common.handling import Handler, load_nothing
from common.messages.documents import CompanyChanged

# An update, not an upsert: a late state must not bring back a company file that was deleted here.
_UPDATE = """
UPDATE companies SET ledger_revision = $3, status = $4, reason = $5::jsonb, external_id = $6, home_currency = $7,
    country = $8, capabilities = $9::jsonb, lane_paused = $10, assigns_numbers = $11
WHERE company_id = $1 AND tenant_id = $2 AND ledger_revision <= $3
"""


def handle_company_changed(state: CompanyChanged, _: None, batch: Batch) -> None:
    """Follow status, capabilities and lane of the company file."""
    batch.execute(
        _UPDATE,
        state.company_id,
        state.tenant_id,
        state.revision,
        state.status.value,
        reason_json(state.reason),
        state.external_id,
        state.home_currency,
        state.country,
        orjson.dumps(state.capabilities).decode(),
        state.lane_paused,
        state.assigns_numbers,
    )


COMPANY_CHANGED = Handler(CompanyChanged, load_nothing, handle_company_changed)
