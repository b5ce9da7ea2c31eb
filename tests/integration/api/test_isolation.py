"""Every route of the OpenAPI document, walked by a stranger: another tenant's things do not exist for them."""

import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop
from tests.isolation import Prey, bodies_for, walk, walk_without_a_key

from api.ids import order_id
from common.internal.ledger_writer import DocumentView
from common.messages.documents import DocumentState
from common.messages.fetching import FetchedOrder, FetchOutcome, TaskProgress
from common.messages.transactions import DocumentKind

MARK = "Marked-4711"
"""A word in the victim's data that no answer to the stranger may hold."""


class Victim:
    """A tenant with one of everything, and the ids a stranger might try."""

    def __init__(self, gateway: Gateway) -> None:
        self.shop = shop = gateway.shop()
        http = shop.tenant.http
        self.key_id = http.post("/v1/api-keys", json={"name": MARK, "scopes": ["read"]}).json()["key_id"]
        self.task_id = http.get("/v1/tasks").json()["items"][0]["task_id"]
        self.run_id = http.post("/v1/runs", json={"connection_id": shop.connection_id, "order_numbers": ["1"]}).json()[
            "run_id"
        ]
        rule = {"name": MARK, "definition": {"action": "remove_tax"}}
        self.rule_id = http.post("/v1/rules", json=rule).json()["rule_id"]
        document = running.document_changed(
            shop,
            "1",
            name=MARK,
            number=MARK,
            state=DocumentState.ACTION_REQUIRED,
            reason=running.reason("PRODUCT_MISSING", MARK),
        )
        customer = running.document_changed(shop, "c", kind=DocumentKind.CUSTOMER, name=MARK)
        self.document_key, self.customer_key = document.document_key, customer.document_key
        self.order_id = order_id(f"{shop.connection_id}/1")
        item = FetchedOrder(external_id="1", number=MARK, revision=1, outcome=FetchOutcome.STORED)
        progress = TaskProgress(
            tenant_id=shop.tenant.tenant_id,
            revision=1,
            run_id=self.run_id,
            connection_id=shop.connection_id,
            items=(item,),
            finished=True,
        )
        gateway.publish(
            running.order_listed(shop, "1", number=MARK),
            running.transactions_listed(shop, "1", source_number=MARK),
            document,
            customer,
            progress,
        )
        for key in (self.document_key, self.customer_key):
            gateway.owners.document_tenants[key] = shop.tenant.tenant_id
            gateway.owners.documents[key] = DocumentView(
                document_key=key,
                company_id=shop.company_id,
                connection_id=shop.connection_id,
                source_kind="order",
                source_id="1",
                source_number=MARK,
                source_revision=1,
                kind=DocumentKind.INVOICE,
                state=DocumentState.ACTION_REQUIRED,
                number=MARK,
                date=None,
                amount=None,
                currency="USD",
            )
        running.eventually(lambda: http.get(f"/v1/runs/{self.run_id}").json()["state"] == "finished")
        running.eventually(lambda: http.get(f"/v1/documents/{self.customer_key}").status_code == 200)

    def ids(self) -> dict[str, str]:
        """Value for each path parameter."""
        return {
            "tenant_id": self.shop.tenant.tenant_id,
            "key_id": self.key_id,
            "connection_id": self.shop.connection_id,
            "company_id": self.shop.company_id,
            "task_id": self.task_id,
            "run_id": self.run_id,
            "rule_id": self.rule_id,
            "document_key": self.document_key,
            "customer_key": self.customer_key,
            "order_id": self.order_id,
            "list_name": "accounts",
            "map_name": "products",
            "channel": "custom",
            "payout_id": "po_1",
            "dead_letter_id": "dl_1",
            "job_id": "rep_1",
        }

    def prey(self) -> Prey:
        company = running.company_settings(self.shop.company_id)
        connection = running.connection_settings(self.shop.connection_id, self.shop.company_id)
        return Prey(self.ids(), bodies_for(self.ids(), company, connection), {MARK})


@pytest.fixture(scope="module")
def victim(gateway: Gateway) -> Victim:
    """The tenant whose data the stranger is after."""
    return Victim(gateway)


def test_a_stranger_gets_nothing_from_any_route(gateway: Gateway, victim: Victim) -> None:
    stranger = gateway.shop()
    before = gateway.fetch("SELECT d::text FROM documents d WHERE tenant_id = $1", victim.shop.tenant.tenant_id)
    assert walk(stranger.tenant.http, victim.prey()) > 60
    after = gateway.fetch("SELECT d::text FROM documents d WHERE tenant_id = $1", victim.shop.tenant.tenant_id)
    assert after == before
    assert gateway.owners.connections[victim.shop.connection_id]["secrets"] == {"push_key": "s3cret"}
    assert victim.rule_id in gateway.owners.rules


def test_no_route_but_the_listed_ones_works_without_a_key(gateway: Gateway, victim: Victim) -> None:
    assert walk_without_a_key(gateway.client("not-a-key"), victim.prey()) > 60


def test_the_owner_does_see_it(victim: Victim) -> None:
    # Without this the walk could pass on a gateway that shows nobody anything.
    assert MARK in victim.shop.tenant.http.get("/v1/orders").text
    assert MARK in victim.shop.tenant.http.get(f"/v1/documents/{victim.document_key}").text
    assert MARK in victim.shop.tenant.http.get(f"/v1/runs/{victim.run_id}/items").text


def test_a_state_that_names_another_tenants_company_shows_up_nowhere(gateway: Gateway, victim: Victim) -> None:
    stranger = gateway.shop()
    assert isinstance(stranger, Shop)
    forged = running.transactions_listed(stranger, "9", company_id=victim.shop.company_id)
    gateway.publish(forged, running.order_listed(stranger, "9"))
    running.eventually(lambda: stranger.tenant.http.get("/v1/orders").json()["items"])
    overview = victim.shop.tenant.http.get(f"/v1/companies/{victim.shop.company_id}/overview").json()
    assert overview["rows"][0]["source"] == 1
