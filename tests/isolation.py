"""A stranger's walk through every route of the OpenAPI document: another tenant's things do not exist for them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]

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
NAMED_IN_BODY = frozenset({"resend", "dismiss", "start_sync", "create_task", "dry_run_rules"})
"""Operations whose body says whose things are meant."""


@dataclass(frozen=True, slots=True)
class Prey:
    """What the stranger is after: the ids of one of everything, valid bodies full of them, and words in the data."""

    ids: Mapping[str, str]
    bodies: Mapping[str, Json]
    marks: Collection[str]


def operations(client: httpx.Client) -> Iterator[tuple[str, str, Json]]:
    """Method, path and description of every operation that asks for a key."""
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] not in WITHOUT_TENANT:
                yield method, path, operation


def walk(stranger: httpx.Client, prey: Prey) -> int:
    """Try every route with the prey's ids and the stranger's key. Returns how many there were."""
    walked = 0
    for method, path, operation in operations(stranger):
        name = operation["operationId"]
        named = {place["name"] for place in operation.get("parameters", []) if place["in"] == "query"}
        params = {key: value for key, value in prey.ids.items() if key in named} | ASKED.get(name, {})
        body = prey.bodies[name] if "requestBody" in operation else None
        url = path.format(**prey.ids)
        answer = stranger.request(method, url, json=body, params=params, headers={"if-match": '"1"'})
        walked += 1
        names_the_prey = any("{" + key + "}" in path for key in prey.ids if key not in SHARED_IDS)
        if name in OPERATOR_ONLY:
            assert answer.status_code == 403, (name, answer.status_code, answer.text)
        elif names_the_prey or name in NAMED_IN_BODY:
            assert answer.status_code in {403, 404}, (name, answer.status_code, answer.text)
        else:
            assert answer.status_code < 500, (name, answer.text)
        assert not [mark for mark in prey.marks if mark in answer.text], name
        if name not in SHARED and answer.status_code < 400:
            for key, value in prey.ids.items():
                assert key in SHARED_IDS or value not in answer.text, (name, key)
    return walked


def walk_without_a_key(nobody: httpx.Client, prey: Prey) -> int:
    """Every route wants a key, but for the listed ones. Returns how many do."""
    walked = 0
    for method, path, operation in operations(nobody):
        name = operation["operationId"]
        body = prey.bodies[name] if "requestBody" in operation else None
        answer = nobody.request(method, path.format(**prey.ids), json=body, params={"search": "a"})
        assert answer.status_code == 401, (name, answer.status_code)
        walked += 1
    return walked


def bodies_for(ids: Mapping[str, str], company: Json, connection: Json) -> dict[str, Json]:
    """A valid body for each operation that wants one, full of the prey's ids.

    `company`, `connection`: whole settings of the prey's.
    """
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
        "forget_links": {"confirm": ids["company_id"]},
        "save_connection_settings": connection,
        "save_company_settings": company,
        "link_document": {"ledger_id": "9"},
        "resend": {"company_id": ids["company_id"], "document_keys": [ids["document_key"]]},
        "dismiss": {"company_id": ids["company_id"], "document_keys": [ids["document_key"]]},
        "connect_customer": {"connection_id": ids["connection_id"], "link": "create"},
        "start_sync": {"connection_id": ids["connection_id"], "order_numbers": ["1"]},
        "create_task": {"connection_id": ids["connection_id"], "kind": "payouts", "interval_s": 3600},
        "change_task": {"active": False},
        "restore": {
            "backup": {
                "made_at": "2026-11-20T12:00:00Z",
                "company": company,
                "connections": [connection],
            }
        },
        "dry_run_rules": {"order_ids": [ids["order_id"]]},
        "import_rules": {},
        "upload_payout_file": {},
        "import_map": {},
        "create_rule": {"name": "x", "definition": {"action": "add_prefix", "value": "x"}},
        "save_rule": {"name": "x", "definition": {"action": "add_prefix", "value": "x"}},
        "save_map": {"rows": [{"source": "a", "target": "b"}]},
        "archive_dead_letters": {"queue": "x"},
        "replay_dead_letters": {"queue": "x"},
    }
