"""Every route of the OpenAPI document, walked by a stranger: another tenant's things do not exist for them."""

from typing import Any

import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from api.ids import order_id
from common.internal.ledger_writer import DocumentView
from common.messages.documents import DocumentState
from common.messages.fetching import FetchedOrder, FetchOutcome, TaskProgress
from common.messages.transactions import DocumentKind

MARK = "Marked-4711"
"""A word in the victim's data that no answer to the stranger may hold."""

OPERATOR_ONLY = frozenset(
    {
        "create_tenant",
        "list_tenants",
        "get_tenant",
        "delete_tenant",
        "get_tenant_purge",
        "create_tenant_api_key",
        "rebuild_tenant",
        "get_tenant_mirrors",
        "check_tenant_mirrors",
        "list_operator_api_keys",
        "create_operator_api_key",
        "revoke_operator_api_key",
        "list_operator_audit_log",
        "list_dead_letters",
        "list_dead_letter_groups",
        "get_dead_letter",
        "archive_dead_letters",
        "replay_dead_letters",
        "get_replay",
    }
)
WITHOUT_TENANT = frozenset({"health_live", "health_ready", "finish_sign_in", "get_index"})
SHARED = frozenset({"list_channels", "list_ledgers", "get_push_contract"})
"""What is the same for everybody."""
ASKED = {"search_customers": {"search": "a"}, "upload_payout_file": {"format": "payout_csv"}}
"""Query parameters that a route can't do without."""
SHARED_IDS = frozenset({"list_name", "map_name", "channel"})


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
        self.rule_id = http.post("/v1/rules", json={"name": MARK, "definition": {}}).json()["rule_id"]
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
                kind="invoice",
                state="action_required",
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

    def bodies(self) -> dict[str, dict[str, Any]]:
        """A valid body for each operation that wants one, full of the victim's ids."""
        shop = self.shop
        return {
            "create_tenant": {"name": "x"},
            "create_tenant_api_key": {"name": "x", "scopes": ["read"]},
            "create_api_key": {"name": "x", "scopes": ["read"]},
            "create_operator_api_key": {"name": "x", "scopes": ["operator"]},
            "rotate_api_key": {"grace_s": 0},
            "create_connection": {"channel": "custom", "name": "x"},
            "update_credentials": {"secrets": {"push_key": "stolen"}},
            "create_company": {"ledger": "beancount", "name": "x"},
            "disconnect_company": {},
            "save_connection_settings": running.connection_settings(shop.connection_id, shop.company_id),
            "save_company_settings": running.company_settings(shop.company_id),
            "link_document": {"ledger_id": "9"},
            "resend": {"company_id": shop.company_id, "document_keys": [self.document_key]},
            "dismiss": {"company_id": shop.company_id, "document_keys": [self.document_key]},
            "connect_customer": {"connection_id": shop.connection_id, "link": "create"},
            "start_sync": {"connection_id": shop.connection_id, "order_numbers": ["1"]},
            "create_task": {"connection_id": shop.connection_id, "kind": "payouts", "interval_s": 3600},
            "change_task": {"active": False},
            "restore": {
                "backup": {
                    "made_at": "2026-11-20T12:00:00Z",
                    "company": running.company_settings(shop.company_id),
                    "connections": [running.connection_settings(shop.connection_id, shop.company_id)],
                }
            },
            "dry_run_rules": {"order_ids": [self.order_id]},
            "import_rules": {},
            "upload_payout_file": {},
            "import_map": {},
            "create_rule": {"name": "x", "definition": {}},
            "save_rule": {"name": "x", "definition": {}},
            "save_map": {"rows": [{"source": "a", "target": "b"}]},
            "archive_dead_letters": {"queue": "x"},
            "replay_dead_letters": {"queue": "x"},
        }


@pytest.fixture(scope="module")
def victim(gateway: Gateway) -> Victim:
    """The tenant whose data the stranger is after."""
    return Victim(gateway)


def operations(gateway: Gateway) -> list[tuple[str, str, dict[str, Any]]]:
    document = gateway.operator.get("/openapi.json").json()
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_a_stranger_gets_nothing_from_any_route(gateway: Gateway, victim: Victim) -> None:
    stranger = gateway.shop()
    before = gateway.fetch("SELECT d::text FROM documents d WHERE tenant_id = $1", victim.shop.tenant.tenant_id)
    walked = 0
    for method, path, operation in operations(gateway):
        name = operation["operationId"]
        if name in WITHOUT_TENANT:
            continue
        url = path.format(**victim.ids())
        named = [place["name"] for place in operation.get("parameters", []) if place["in"] == "query"]
        params = {key: value for key, value in victim.ids().items() if key in named}
        body = victim.bodies()[name] if "requestBody" in operation else None
        extra = ASKED.get(name, {})
        answer = stranger.tenant.http.request(
            method, url, json=body, params=params | extra, headers={"if-match": '"1"'}
        )
        walked += 1
        names_the_victim = any("{" + key + "}" in path for key in victim.ids() if key not in SHARED_IDS) or name in {
            "resend",
            "dismiss",
            "start_sync",
            "create_task",
            "dry_run_rules",
        }
        if name in OPERATOR_ONLY:
            assert answer.status_code == 403, (name, answer.status_code, answer.text)
        elif names_the_victim:
            assert answer.status_code in {403, 404}, (name, answer.status_code, answer.text)
        else:
            assert answer.status_code < 500, (name, answer.text)
        assert MARK not in answer.text, name
        if name not in SHARED and answer.status_code < 400:
            for key, value in victim.ids().items():
                assert key in SHARED_IDS or value not in answer.text, (name, key)
    assert walked > 60
    after = gateway.fetch("SELECT d::text FROM documents d WHERE tenant_id = $1", victim.shop.tenant.tenant_id)
    assert after == before
    assert gateway.owners.connections[victim.shop.connection_id]["secrets"] == {"push_key": "s3cret"}
    assert victim.rule_id in gateway.owners.rules


def test_no_route_but_the_listed_ones_works_without_a_key(gateway: Gateway, victim: Victim) -> None:
    nobody = gateway.client("not-a-key")
    for method, path, operation in operations(gateway):
        name = operation["operationId"]
        if name in WITHOUT_TENANT:
            continue
        body = victim.bodies()[name] if "requestBody" in operation else None
        answer = nobody.request(method, path.format(**victim.ids()), json=body, params={"search": "a"})
        assert answer.status_code == 401, (name, answer.status_code)


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
