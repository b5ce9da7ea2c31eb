"""Objects of a ledger's reference lists: mirror what mapping matches against, and release the orders that waited."""

from collections.abc import Sequence
from typing import Final

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.documents import CatalogEntry
from mapper.mapping.catalog import match_keys
from mapper.store.companies import CATALOG, CompanyKey, next_catalog_revisions
from mapper.store.locks import change_configuration, share_configuration
from mapper.store.orders import MARK_UNMATCHED
from mapper.worker import Waker

MATCHED_LISTS: Final = frozenset({"items", "customers"})
"""The other lists are checked where settings are saved."""


def handler(waker: Waker) -> Handler[CatalogEntry, dict[CompanyKey, int]]:
    async def load(connection: Connection, states: Sequence[CatalogEntry]) -> dict[CompanyKey, int]:
        matched = [state for state in states if state.list_name in MATCHED_LISTS]
        if not matched:
            return {}
        # Only items release orders, so only they must wait for mappings under way; customers are made all the time.
        releasing = {state.tenant_id for state in matched if state.list_name == "items"}
        others = {state.tenant_id for state in matched} - releasing
        if releasing:
            await change_configuration(connection, releasing | others)
        else:
            await share_configuration(connection, others)
        return await next_catalog_revisions(connection, [(state.tenant_id, state.company_id) for state in matched])

    def handle(state: CatalogEntry, revisions: dict[CompanyKey, int], batch: Batch) -> None:
        if state.list_name not in MATCHED_LISTS:
            return
        batch.upsert(
            CATALOG,
            {
                "tenant_id": state.tenant_id,
                "company_id": state.company_id,
                "list_name": state.list_name,
                "ledger_id": state.ledger_id,
                "revision": state.revision,
                "catalog_revision": revisions[state.tenant_id, state.company_id],
                "body": batch.body.decode(),
            },
        )
        if state.list_name == "items":
            batch.execute(MARK_UNMATCHED, state.tenant_id, state.company_id, sorted(match_keys(state)))
            batch.after_commit(waker.wake)

    return Handler(CatalogEntry, load, handle)
