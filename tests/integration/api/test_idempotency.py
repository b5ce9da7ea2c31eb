"""Idempotency-Key: once, whatever is repeated."""

import threading

import pytest
from tests.integration.api.gateway import Gateway, Shop, random_name

from common.messages.control import TaskRequested


def test_a_repeated_post_makes_one_thing_and_gives_the_first_answer(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    headers = {"idempotency-key": random_name()}
    body = {"channel": "custom", "name": "Shop"}
    first = tenant.http.post("/v1/connections", json=body, headers=headers)
    again = tenant.http.post("/v1/connections", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert len(tenant.http.get("/v1/connections").json()["items"]) == 1


def test_the_same_key_with_another_body_is_refused(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    headers = {"idempotency-key": random_name()}
    tenant.http.post("/v1/connections", json={"channel": "custom", "name": "a"}, headers=headers)
    other = tenant.http.post("/v1/connections", json={"channel": "custom", "name": "b"}, headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_keys_of_two_tenants_do_not_meet(gateway: Gateway) -> None:
    headers = {"idempotency-key": random_name()}
    answers = [
        gateway.tenant().http.post("/v1/connections", json={"channel": "custom", "name": "a"}, headers=headers).json()
        for _ in range(2)
    ]
    assert answers[0]["connection_id"] != answers[1]["connection_id"]


def test_a_request_that_failed_may_be_sent_again_with_its_key(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    headers = {"idempotency-key": random_name()}
    body = {"channel": "custom", "name": "Shop"}
    gateway.owners.away.add("ingest")
    try:
        assert tenant.http.post("/v1/connections", json=body, headers=headers).status_code == 503
    finally:
        gateway.owners.away.clear()
    assert tenant.http.post("/v1/connections", json=body, headers=headers).status_code == 201
    assert len(tenant.http.get("/v1/connections").json()["items"]) == 1


def test_the_answer_that_shows_a_key_is_stored_sealed_and_given_again(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    headers = {"idempotency-key": random_name()}
    body = {"name": "x", "scopes": ["read"]}
    first = tenant.http.post("/v1/api-keys", json=body, headers=headers).json()
    again = tenant.http.post("/v1/api-keys", json=body, headers=headers).json()
    assert again["key"] == first["key"]
    secret = first["key"].rsplit("_", 1)[1]
    stored = gateway.fetch("SELECT answer FROM idempotency WHERE owner = $1", tenant.tenant_id)
    assert stored
    assert all(secret.encode() not in row["answer"] for row in stored)


def test_two_at_once_do_the_work_once(gateway: Gateway, shop: Shop) -> None:
    headers = {"idempotency-key": random_name()}
    body = {"connection_id": shop.connection_id, "order_numbers": ["1"]}
    answers: list[tuple[int, str]] = []

    def send() -> None:
        answer = gateway.client(shop.tenant.key).post("/v1/runs", json=body, headers=headers)
        answers.append((answer.status_code, answer.text))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} <= {202, 409}
    assert 202 in {status for status, _ in answers}
    manual = [
        state
        for state in gateway.sent(TaskRequested)
        if state.connection_id == shop.connection_id and state.order_numbers == ("1",)
    ]
    assert len(manual) == 1


def test_after_a_crash_in_between_the_repetition_makes_the_same_run(gateway: Gateway, shop: Shop) -> None:
    headers = {"idempotency-key": random_name()}
    body = {"connection_id": shop.connection_id, "order_numbers": ["7"]}
    first = shop.tenant.http.post("/v1/runs", json=body, headers=headers).json()
    forget_answer(gateway, headers)
    again = shop.tenant.http.post("/v1/runs", json=body, headers=headers)
    assert again.status_code == 202
    assert again.json()["run_id"] == first["run_id"]
    runs = shop.tenant.http.get("/v1/runs", params={"trigger": "manual"}).json()["items"]
    assert len(runs) == 1


MAKING: dict[str, tuple[str, dict[str, object]]] = {
    "/v1/companies": ("company_id", {"ledger": "beancount", "name": "Other books", "home_currency": "USD"}),
    "/v1/connections": ("connection_id", {"channel": "custom", "name": "Other shop"}),
    "/v1/api-keys": ("key_id", {"name": "reads", "scopes": ["read"]}),
    "/v1/tasks": ("task_id", {"kind": "refunds", "interval_s": 7200}),
    "/v1/rules": ("rule_id", {"name": "No tips", "definition": {"action": "remove_tax"}}),
}
"""Route → what its answer calls the thing it makes, and a body."""


@pytest.mark.parametrize("path", MAKING)
def test_after_a_crash_in_between_the_repetition_makes_no_second_thing(gateway: Gateway, shop: Shop, path: str) -> None:
    http, headers = shop.tenant.http, {"idempotency-key": random_name()}
    name, body = MAKING[path]
    if path == "/v1/tasks":
        body = body | {"connection_id": shop.connection_id}
    before = len(http.get(path).json()["items"])
    first = http.post(path, json=body, headers=headers)
    forget_answer(gateway, headers)
    again = http.post(path, json=body, headers=headers)
    assert {first.status_code, again.status_code} <= {200, 201}, again.text
    assert again.json()[name] == first.json()[name]
    assert len(http.get(path).json()["items"]) == before + 1


@pytest.mark.parametrize("path", ["/v1/tenants", "/v1/operator/api-keys"])
def test_after_a_crash_in_between_an_operators_repetition_makes_no_second_thing(gateway: Gateway, path: str) -> None:
    headers = {"idempotency-key": random_name()}
    name = random_name()
    body = {"name": name} if path == "/v1/tenants" else {"name": name, "scopes": ["operator"]}
    first = gateway.operator.post(path, json=body, headers=headers)
    forget_answer(gateway, headers)
    again = gateway.operator.post(path, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201), again.text
    identity = "tenant_id" if path == "/v1/tenants" else "key_id"
    assert again.json()[identity] == first.json()[identity]
    table = path.rpartition("/")[2].replace("-", "_")
    assert len(gateway.fetch(f"SELECT 1 FROM {table} WHERE name = $1", name)) == 1


def forget_answer(gateway: Gateway, headers: dict[str, str]) -> None:
    """As if the process had died after the commit and before the answer was stored."""
    forgotten = gateway.fetch(
        "UPDATE idempotency SET status = NULL, answer = NULL, locked_until = now() - interval '1 s'"
        " WHERE idempotency_key = $1 RETURNING 1",
        headers["idempotency-key"],
    )
    assert len(forgotten) == 1


def test_a_key_that_is_no_key_is_refused(gateway: Gateway) -> None:
    answer = gateway.tenant().http.post(
        "/v1/connections", json={"channel": "custom", "name": "a"}, headers={"idempotency-key": "x" * 201}
    )
    assert answer.status_code in {400, 422}


def test_bodies_are_bounded_and_must_be_json(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    large = tenant.http.post("/v1/connections", content=b"x" * (1024 * 1024 + 1))
    assert large.status_code == 413
    assert large.headers["content-type"] == "application/problem+json"
    broken = tenant.http.post("/v1/connections", content=b"{", headers={"content-type": "application/json"})
    assert broken.status_code == 422
    assert broken.json()["code"] == "JSON_BROKEN"
    missing = tenant.http.get("/v1/nothing")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


def test_settings_must_be_a_json_object(shop: Shop) -> None:
    path = f"/v1/connections/{shop.connection_id}/settings"
    for content in (b"plain", b"[1]", b'{"start_date": 1e999}', b'{"name": "\xff"}'):
        for kind in ("application/json", "text/plain"):
            headers = {"content-type": kind, "if-match": '"1"'}
            answer = shop.tenant.http.put(path, content=content, headers=headers)
            assert answer.status_code in {400, 422}, (content, kind, answer.text)


def test_nul_in_a_text_is_the_callers_mistake(shop: Shop) -> None:
    http = shop.tenant.http
    assert http.get("/v1/orders", params={"number": "a\x00b"}).status_code == 400
    assert http.get("/v1/orders/AAAA").status_code == 404
    assert http.post("/v1/connections", json={"channel": "custom", "name": "a\x00b"}).status_code == 400
    path = f"/v1/connections/{shop.connection_id}/settings"
    body = http.get(path).json() | {"class_name": "a\x00b"}
    assert http.put(path, json=body, headers={"if-match": '"1"'}).json()["code"] == "TEXT_INVALID"
