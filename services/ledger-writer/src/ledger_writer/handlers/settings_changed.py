"""Settings of a company: the lane reopens with them, and what they held back is planned again."""

from collections.abc import Sequence

from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection
from common.handling import Handler
from common.messages.control import SettingsChanged
from ledger_writer.ledgers import BY_NAME
from ledger_writer.store import companies
from ledger_writer.store.companies import Company
from ledger_writer.store.lanes import NOTIFY
from ledger_writer.store.requests import REQUEUE

SETTINGS = Upsert(
    "company_settings",
    ("company_id",),
    {"company_id": "text", "tenant_id": "text", "revision": "bigint", "settings": "jsonb"},
    guard="t.revision < excluded.revision AND t.tenant_id = excluded.tenant_id",
)

_HELD_BY_SETTINGS = ("WAITING_FOR_APPROVAL", "PERIOD_CLOSED", "ACCOUNT_INVALID", "ACCOUNT_MISSING")
"""The last of an item that keeps stock: its accounts stand in the settings alone, so no set brings it again."""


async def load(connection: Connection, states: Sequence[SettingsChanged]) -> dict[str, Company]:
    ids = sorted({state.scope_id for state in states if state.scope == "company"})
    await connection.execute(NOTIFY, ids)
    stored = [await companies.get(connection, company_id) for company_id in ids]
    return {company.company_id: company for company in stored if company is not None}


def handle(state: SettingsChanged, loaded: dict[str, Company], batch: Batch) -> None:
    # A connection's settings are in the transaction sets that were mapped with them.
    if state.scope != "company":
        return
    company = loaded.get(state.scope_id)
    if company is not None and (company.settings_revision >= state.revision or company.tenant_id != state.tenant_id):
        return
    batch.upsert(
        SETTINGS,
        {
            "company_id": state.scope_id,
            "tenant_id": state.tenant_id,
            "revision": state.revision,
            "settings": state.company.model_dump_json() if state.company is not None and not state.deleted else None,
        },
    )
    batch.execute(REQUEUE, state.scope_id, list(_HELD_BY_SETTINGS))
    if company is not None and state.company is not None and company.ledger in BY_NAME:
        before = company.settings.closed_through if company.settings is not None else None
        if before != state.company.closed_through:
            batch.execute("UPDATE companies SET revision = revision + 1 WHERE company_id = $1", state.scope_id)
            changed = company.changed(BY_NAME[company.ledger])
            update = {"revision": company.revision + 1, "closed_through": state.company.closed_through}
            batch.publish(changed.model_copy(update=update))


HANDLER = Handler(SettingsChanged, load, handle)
