"""A company file was paired or changed: store it; where that changes what can be planned, map its orders again."""

from collections.abc import Sequence

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.documents import CompanyChanged
from mapper.mapping.configuration import Ledger
from mapper.store import payouts
from mapper.store.companies import COMPANIES, CompanyKey, stored_companies
from mapper.store.locks import change_configuration
from mapper.store.orders import MARK_COMPANY
from mapper.worker import Waker

Stored = dict[CompanyKey, tuple[int, str]]


def handler(waker: Waker) -> Handler[CompanyChanged, Stored]:
    async def load(connection: Connection, states: Sequence[CompanyChanged]) -> Stored:
        await change_configuration(connection, (state.tenant_id for state in states))
        return await stored_companies(connection, [(state.tenant_id, state.company_id) for state in states])

    def handle(state: CompanyChanged, stored: Stored, batch: Batch) -> None:
        revision, body = stored.get((state.tenant_id, state.company_id), (-1, ""))
        if state.revision <= revision and body:
            return
        batch.upsert(
            COMPANIES,
            {
                "tenant_id": state.tenant_id,
                "company_id": state.company_id,
                "revision": state.revision,
                "body": batch.body.decode(),
            },
        )
        if not body or Ledger.of(CompanyChanged.model_validate_json(body)) != Ledger.of(state):
            batch.execute(MARK_COMPANY, state.tenant_id, state.company_id)
            batch.execute(payouts.MARK_COMPANY, state.tenant_id, state.company_id)
            batch.after_commit(waker.wake)

    return Handler(CompanyChanged, load, handle)
