"""A person said how a source customer relates to the ledger: store it, and map that customer's orders again."""

from collections.abc import Sequence

from common.batch import Batch
from common.bulk import Upsert
from common.database import Connection
from common.handling import Handler
from common.messages.control import CustomerConnected
from mapper.store.companies import LINKS_CHANGED
from mapper.store.locks import change_configuration
from mapper.store.orders import MARK_CUSTOMER
from mapper.worker import Waker

CUSTOMER_LINKS = Upsert(
    "customer_links",
    ("tenant_id", "company_id", "customer_key"),
    {
        "tenant_id": "text",
        "company_id": "text",
        "customer_key": "text",
        "connection_id": "text",
        "source_external_id": "text",
        "revision": "bigint",
        "body": "text",
    },
    guard="t.revision < excluded.revision",
)


def handler(waker: Waker) -> Handler[CustomerConnected, None]:
    async def load(connection: Connection, states: Sequence[CustomerConnected]) -> None:
        await change_configuration(connection, (state.tenant_id for state in states))

    def handle(state: CustomerConnected, _: None, batch: Batch) -> None:
        batch.upsert(
            CUSTOMER_LINKS,
            {
                "tenant_id": state.tenant_id,
                "company_id": state.company_id,
                "customer_key": state.customer_key,
                "connection_id": state.connection_id,
                "source_external_id": state.source_external_id,
                "revision": state.revision,
                "body": batch.body.decode(),
            },
        )
        batch.execute(LINKS_CHANGED, state.tenant_id, state.company_id)
        if state.source_external_id is not None:
            batch.execute(MARK_CUSTOMER, state.tenant_id, state.connection_id, state.source_external_id)
            batch.after_commit(waker.wake)

    return Handler(CustomerConnected, load, handle)
