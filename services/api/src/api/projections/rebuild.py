"""`state.requested` → what api owns of a tenant is published again, so that mirrors elsewhere can be rebuilt."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from api.store import dismissals, settings
from api.store.sql import Row
from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.control import (
    CompanySettings,
    ConnectionSettings,
    DocumentDismissed,
    SettingsChanged,
    StateRequested,
)


@dataclass(frozen=True, slots=True)
class Owned:
    settings: list[Row]
    dismissals: list[Row]


async def load_owned(connection: Connection, states: Sequence[StateRequested]) -> Owned:
    """Only what is asked for is read; a tenant's settings and dismissals are few beside its orders."""

    def tenants(entity: str) -> list[str]:
        return sorted({state.tenant_id for state in states if state.entity == entity})

    return Owned(
        settings=await settings.snapshots(connection, tenants(SettingsChanged.type)),
        dismissals=await dismissals.current(connection, tenants(DocumentDismissed.type)),
    )


def snapshot(row: Row) -> SettingsChanged:
    """The full state of one set of settings. `row`: scope, scope_id, tenant_id, settings, settings_revision."""
    text = orjson.dumps(row["settings"])
    is_connection = row["scope"] == "connection"
    return SettingsChanged(
        tenant_id=row["tenant_id"],
        revision=row["settings_revision"],
        scope="connection" if is_connection else "company",
        scope_id=row["scope_id"],
        connection=ConnectionSettings.model_validate_json(text) if is_connection else None,
        company=None if is_connection else CompanySettings.model_validate_json(text),
    )


def handle_state_requested(state: StateRequested, owned: Owned, batch: Batch) -> None:
    """Publish current states with their current revisions; consumers that have them already ignore them."""
    if state.entity == SettingsChanged.type:
        for row in owned.settings:
            if row["tenant_id"] == state.tenant_id:
                batch.publish(snapshot(row))
    if state.entity == DocumentDismissed.type:
        for row in owned.dismissals:
            if row["tenant_id"] != state.tenant_id:
                continue
            batch.publish(
                DocumentDismissed(
                    tenant_id=row["tenant_id"],
                    revision=row["revision"],
                    company_id=row["company_id"],
                    document_key=row["subject"],
                    dismissed=row["dismissed"],
                    note=row["note"],
                )
            )


STATE_REQUESTED = Handler(StateRequested, load_owned, handle_state_requested)
