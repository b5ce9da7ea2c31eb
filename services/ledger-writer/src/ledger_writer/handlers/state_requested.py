"""Somebody empties a mirror and wants to hear everything again: publish what this service owns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from common.batch import Batch
from common.database import Connection
from common.handling import Handler
from common.messages.base import State
from common.messages.control import StateRequested
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from ledger_writer.ledgers import BY_NAME
from ledger_writer.messages import to_document_changed
from ledger_writer.store import catalog, companies, requests

_PAGE = 1000


@dataclass(slots=True)
class Owned:
    """Request id → the states to publish."""

    states: dict[str, list[State]] = field(default_factory=dict)


async def load(connection: Connection, states: Sequence[StateRequested]) -> Owned:
    owned = Owned()
    for state in states:
        if state.entity == CompanyChanged.type:
            owned.states[state.key] = await _companies(connection, state.tenant_id)
        elif state.entity == DocumentChanged.type:
            owned.states[state.key] = await _documents(connection, state.tenant_id)
        elif state.entity == CatalogEntry.type:
            owned.states[state.key] = list(await catalog.all_of(connection, state.tenant_id))
    return owned


async def _companies(connection: Connection, tenant_id: str) -> list[State]:
    states: list[State] = []
    after = ""
    while stored := await companies.all_of(connection, tenant_id, after, _PAGE):
        states += [company.changed(BY_NAME[company.ledger]) for company in stored if company.ledger in BY_NAME]
        after = stored[-1].company_id
    return states


async def _documents(connection: Connection, tenant_id: str) -> list[State]:
    states: list[State] = []
    after = ""
    while rows := await requests.page(connection, after, _PAGE, tenant_id):
        states += [to_document_changed(row) for row in rows]
        after = rows[-1].document_key
    return states


def handle(state: StateRequested, loaded: Owned, batch: Batch) -> None:
    for one in loaded.states.get(state.key, ()):
        batch.publish(one)


HANDLER = Handler(StateRequested, load, handle)
