"""Mirrors compared with their owners: what differs and stays so is reported, what moves is not; and filled again."""

import json

import httpx
import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop
from tests.integration.api.test_command import tillbook

from common.internal.counts import EntityCount
from common.messages.base import State
from common.messages.control import DocumentDismissed, SettingsChanged, StateRequested
from common.messages.documents import CatalogEntry, CompanyChanged, DocumentChanged
from common.messages.fetching import OrderListed
from common.messages.orders import Order, Payout
from common.messages.transactions import TransactionSet, TransactionsListed

Answer = dict[str, object]


def held(contract: type[State], rows: int, revisions: int, *, company: str = "", connection: str = "") -> EntityCount:
    return EntityCount(
        entity=contract.type, company_id=company, connection_id=connection, rows=rows, revisions=revisions
    )


def in_order(gateway: Gateway, shop: Shop) -> None:
    """Two orders, one document, one set: in every mirror as at the owner."""
    tenant, company, connection = shop.tenant.tenant_id, shop.company_id, shop.connection_id
    gateway.publish(
        running.order_listed(shop, "1"),
        running.order_listed(shop, "2"),
        running.transactions_listed(shop, "1"),
        running.document_changed(shop, "1"),
    )
    running.eventually(lambda: shop.tenant.http.get("/v1/documents").json()["items"])
    running.eventually(lambda: len(shop.tenant.http.get("/v1/orders").json()["items"]) == 2)
    running.eventually(lambda: gateway.fetch("SELECT FROM sets WHERE tenant_id = $1", tenant))
    listed = held(TransactionsListed, 1, 1, company=company, connection=connection)
    mapped = held(TransactionSet, 1, 1, company=company, connection=connection)
    orders = held(Order, 2, 2, connection=connection)
    catalog = held(CatalogEntry, 5, 9, company=company)
    gateway.owners.held |= {
        ("ingest", tenant): (held(OrderListed, 2, 2, connection=connection), orders),
        ("mapper", tenant): (listed, mapped, orders, catalog, held(Order, 7, 7, connection="of a deleted connection")),
        ("ledger-writer", tenant): (
            mapped,
            held(DocumentChanged, 1, 1, company=company, connection=connection),
            held(DocumentChanged, 3, 3, company="of a deleted company file"),
            catalog,
        ),
    }


def begin(gateway: Gateway, shop: Shop) -> Answer:
    """The first look of a comparison. The second one would come five minutes later."""
    path = f"/v1/tenants/{shop.tenant.tenant_id}/mirrors"
    before = gateway.operator.post(f"{path}/check").json()["checked_at"]

    def looked() -> Answer | None:
        answer: Answer = gateway.operator.get(path).json()
        return answer if answer["going_on"] or answer["checked_at"] != before else None

    found: Answer = running.eventually(looked)
    return found


def end(gateway: Gateway, shop: Shop) -> Answer:
    """The second look, now."""
    tenant_id = shop.tenant.tenant_id
    gateway.fetch("UPDATE mirror_checks SET next_look_at = now() WHERE tenant_id = $1", tenant_id)
    path = f"/v1/tenants/{tenant_id}/mirrors"
    found: Answer = running.eventually(
        lambda: None if (seen := gateway.operator.get(path).json())["going_on"] else seen
    )
    return found


def compared(gateway: Gateway, shop: Shop) -> Answer:
    """The result of a whole comparison."""
    looked = begin(gateway, shop)
    return end(gateway, shop) if looked["going_on"] else looked


def differing(answer: Answer) -> list[tuple[object, ...]]:
    fields = ("mirror", "entity", "owner_rows", "mirror_rows", "owner_revisions", "mirror_revisions")
    found = answer["differences"]
    assert isinstance(found, list)
    return [tuple(one[name] for name in fields) for one in found]


def test_mirrors_that_are_as_their_owners_do_not_differ(gateway: Gateway, shop: Shop) -> None:
    in_order(gateway, shop)
    answer = compared(gateway, shop)
    assert (answer["differences"], answer["under_way"], answer["going_on"]) == ([], 0, False)
    assert isinstance(answer["entities"], list)
    rows = {(one["mirror"], one["entity"]): (one["owner_rows"], one["mirror_rows"]) for one in answer["entities"]}
    assert len(rows) == 9
    assert rows["read_model", OrderListed.type] == (2, 2)
    assert rows["read_model", DocumentChanged.type] == (1, 1)
    assert rows["mapper", Order.type] == (2, 2)
    assert rows["mapper", CatalogEntry.type] == (5, 5)
    assert rows["ledger_writer", TransactionSet.type] == (1, 1)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM orders WHERE external_id = '2' AND tenant_id = $1", (2, 1, 2, 1)),
        ("UPDATE orders SET revision = 0 WHERE external_id = '2' AND tenant_id = $1", (2, 2, 2, 1)),
    ],
    ids=["a row is gone", "a row is stale"],
)
def test_a_read_model_that_differs_is_named_logged_and_measured(
    gateway: Gateway, shop: Shop, statement: str, expected: tuple[int, ...]
) -> None:
    in_order(gateway, shop)
    gateway.fetch(f"{statement} RETURNING 1", shop.tenant.tenant_id)
    answer = compared(gateway, shop)
    assert differing(answer) == [("read_model", OrderListed.type, *expected)]
    measured = f'tillbook_mirror_difference{{entity="{OrderListed.type}",mirror="read_model"}}'
    running.eventually(lambda: f"{measured} 1.0" in httpx.get(f"{gateway.url}/metrics").text)
    shown = tillbook(gateway, running.OPERATOR_KEY, "--json", "mirrors", shop.tenant.tenant_id)
    assert (shown.returncode, json.loads(shown.stdout)["differences"]) == (1, answer["differences"])
    gateway.publish(running.order_listed(shop, "2"))
    running.eventually(lambda: len(shop.tenant.http.get("/v1/orders").json()["items"]) == 2)
    running.eventually(lambda: compared(gateway, shop)["differences"] == [])
    running.eventually(lambda: f"{measured} 0.0" in httpx.get(f"{gateway.url}/metrics").text)
    assert tillbook(gateway, running.OPERATOR_KEY, "mirrors", shop.tenant.tenant_id).returncode == 0


def test_what_moves_between_the_looks_is_under_way_and_no_difference(gateway: Gateway, shop: Shop) -> None:
    in_order(gateway, shop)
    tenant = shop.tenant.tenant_id
    mirrored = gateway.owners.held["mapper", tenant]

    def mapper_lacks(orders: int) -> None:
        fewer = held(Order, 2 - orders, 2 - orders, connection=shop.connection_id)
        kept = tuple(one for one in mirrored if (one.entity, one.connection_id) != (Order.type, shop.connection_id))
        gateway.owners.held["mapper", tenant] = (*kept, fewer)

    def look(lacking: int) -> Answer:
        """Mapper has lacked two orders at the first look, and lacks so many at the second."""
        mapper_lacks(2)
        assert begin(gateway, shop)["going_on"]
        mapper_lacks(lacking)
        return end(gateway, shop)

    catching_up = look(1)
    assert (catching_up["differences"], catching_up["under_way"]) == ([], 1)
    assert differing(look(2)) == [("mapper", Order.type, 2, 0, 2, 0)]
    assert differing(look(0)) == []


def test_an_owner_that_is_away_leaves_the_last_result_as_it_is(gateway: Gateway, shop: Shop) -> None:
    in_order(gateway, shop)
    checked_at = compared(gateway, shop)["checked_at"]
    path = f"/v1/tenants/{shop.tenant.tenant_id}/mirrors"
    gateway.owners.away.add("mapper")
    try:
        gateway.operator.post(f"{path}/check")
        soon = "SELECT FROM mirror_checks WHERE tenant_id = $1 AND next_look_at > now() AND first_look IS NULL"
        running.eventually(lambda: gateway.fetch(soon, shop.tenant.tenant_id))
    finally:
        gateway.owners.away.clear()
    answer = gateway.operator.get(path).json()
    assert (answer["checked_at"], answer["differences"], answer["going_on"]) == (checked_at, [], False)


def test_every_tenant_is_compared_at_night_and_forgotten_with_its_tenant(gateway: Gateway) -> None:
    tenant_id = gateway.tenant().tenant_id
    path = f"/v1/tenants/{tenant_id}/mirrors"
    planned = running.eventually(lambda: gateway.operator.get(path).json()["next_look_at"])
    assert planned[11:16] == "02:30"
    assert gateway.operator.delete(f"/v1/tenants/{tenant_id}").status_code == 200
    assert gateway.operator.get(path).status_code == 404
    assert gateway.fetch("SELECT FROM mirror_checks WHERE tenant_id = $1", tenant_id) == []


@pytest.mark.parametrize(
    ("mirror", "wanted"),
    [
        ("mapper", {SettingsChanged, Order, Payout, CompanyChanged, CatalogEntry}),
        ("ledger_writer", {SettingsChanged, DocumentDismissed, TransactionSet}),
    ],
)
def test_a_rebuild_of_another_mirror_asks_its_owners_and_empties_nothing(
    gateway: Gateway, shop: Shop, mirror: str, wanted: set[type[State]]
) -> None:
    in_order(gateway, shop)
    done = tillbook(gateway, running.OPERATOR_KEY, "--json", "rebuild", shop.tenant.tenant_id, "--mirror", mirror)
    assert (done.returncode, json.loads(done.stdout)["removed"]) == (0, {}), done.stderr
    asked = [state for state in gateway.sent(StateRequested) if state.tenant_id == shop.tenant.tenant_id]
    assert {state.entity for state in asked} == {contract.type for contract in wanted}
    assert len(shop.tenant.http.get("/v1/orders").json()["items"]) == 2
    assert tillbook(gateway, shop.tenant.key, "rebuild", shop.tenant.tenant_id).returncode == 3
