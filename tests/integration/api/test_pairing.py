"""Tenants, keys, connections, company files and settings, over HTTP and down to the rows."""

import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop, Tenant
from tests.integration.api.owners import NO_ACCOUNT, NOW

from common.messages.control import SettingsChanged, StateRequested, TenantDeleted, TenantPurged
from common.messages.documents import CompanyStatus


def test_the_walk_from_tenant_to_approved_company_publishes_full_settings(gateway: Gateway) -> None:
    shop = gateway.shop()
    states = [state for state in gateway.sent(SettingsChanged) if state.tenant_id == shop.tenant.tenant_id]
    connection = [state for state in states if state.scope == "connection"][-1]
    company = [state for state in states if state.scope == "company"][-1]
    assert connection.connection is not None
    assert connection.connection.company_id == shop.company_id
    assert connection.revision == 1
    assert company.company is not None
    assert company.company.approved_at is not None
    assert company.revision == 2


def test_credentials_reach_ingest_and_are_stored_nowhere_here(gateway: Gateway, shop: Shop) -> None:
    assert gateway.owners.connections[shop.connection_id]["secrets"] == {"push_key": "s3cret"}
    tables = gateway.fetch(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
    )
    for table in tables:
        rows = gateway.fetch(f"SELECT t::text AS row FROM {table['table_name']} t")
        assert not any("s3cret" in row["row"] for row in rows), table
    answer = shop.tenant.http.get(f"/v1/connections/{shop.connection_id}")
    assert answer.json()["secret_names"] == ["push_key"]
    assert "s3cret" not in answer.text


def test_a_connection_that_ingest_refuses_leaves_nothing_behind(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    refused = tenant.http.post("/v1/connections", json={"channel": "unknown", "name": "x"})
    assert refused.status_code == 422
    assert refused.json()["code"] == "UNKNOWN_CHANNEL"
    assert tenant.http.get("/v1/connections").json()["items"] == []


def test_a_connection_that_cannot_be_asked_gets_its_task_with_the_credentials_for_it(gateway: Gateway) -> None:
    shop = gateway.shop(settings=False, approve=False)
    http = shop.tenant.http
    made = {"channel": "custom", "name": "Webhooks alone", "config": {"fetches": "no"}, "secrets": {"push_key": "k"}}
    answer = http.post("/v1/connections", json=made)
    assert (answer.status_code, answer.json()["fetches"]) == (201, False)
    connection_id = answer.json()["connection_id"]
    gateway.save_company(shop.tenant, shop.company_id)
    gateway.save_connection(shop.tenant, connection_id, shop.company_id)
    assert http.get("/v1/tasks").json()["items"] == []
    assert http.get(f"/v1/companies/{shop.company_id}/warnings").json()["groups"] == [], "nothing is missing"
    with_payouts(gateway, shop.tenant, shop.company_id, connection_id)
    assert http.get("/v1/tasks").json()["items"] == [], "its payouts are uploaded"
    assert http.get(f"/v1/companies/{shop.company_id}/warnings").json()["groups"] == []
    days = {"date_from": "2026-11-01", "date_to": "2026-11-02"}
    for asked, cure in (
        ({"order_numbers": ["1"]}, "have the store send it again"),
        ({"what": "payouts"} | days, "upload the payout's file: POST /v1/connections/{id}/payout-files"),
    ):
        refused = http.post("/v1/runs", json={"connection_id": connection_id} | asked)
        assert (refused.status_code, refused.json()["code"]) == (409, "NO_API_ACCESS")
        (error,) = refused.json()["errors"]
        assert (error["field"], error["value"]) == ("body.connection_id", connection_id)
        assert error["cure"] == f"{cure}, or give the connection credentials to fetch with"
    assert http.get("/v1/runs").json()["items"] == []
    updated = http.put(f"/v1/connections/{connection_id}/credentials", json={"secrets": {"token": "t"}})
    assert (updated.status_code, updated.json()["fetches"]) == (200, True)
    assert [task["kind"] for task in http.get("/v1/tasks").json()["items"]] == ["orders_to_ledger", "payouts"]
    assert http.post("/v1/runs", json={"connection_id": connection_id, "order_numbers": ["1"]}).status_code == 202


ORDERS_ALONE = ({"fetches_payouts": "no"}, ["orders_to_ledger"], "payouts", "payout-files")
PAYOUTS_ALONE = ({"fetches": "no", "fetches_payouts": "yes"}, ["payouts"], "orders", "connection of the shop")


@pytest.mark.parametrize(("config", "kinds", "asked", "cure"), [ORDERS_ALONE, PAYOUTS_ALONE])
def test_a_connection_has_no_task_for_what_its_channel_does_not_have(
    gateway: Gateway, config: dict[str, str], kinds: list[str], asked: str, cure: str
) -> None:
    shop = gateway.shop(settings=False, approve=False)
    http = shop.tenant.http
    made = {"channel": "custom", "name": "Half", "config": config, "secrets": {"push_key": "k"}}
    answer = http.post("/v1/connections", json=made).json()
    assert (answer["fetches"], answer["fetches_payouts"]) == ("fetches" not in config, asked == "orders")
    connection_id = answer["connection_id"]
    gateway.save_company(shop.tenant, shop.company_id)
    gateway.save_connection(shop.tenant, connection_id, shop.company_id)
    # Switched on they may be: payouts are uploaded, or come from the processor's own connection.
    with_payouts(gateway, shop.tenant, shop.company_id, connection_id)
    assert [task["kind"] for task in http.get("/v1/tasks").json()["items"]] == kinds
    assert http.get(f"/v1/companies/{shop.company_id}/warnings").json()["groups"] == [], "nothing is missing"
    days = {"date_from": "2026-11-01", "date_to": "2026-11-02"}
    refused = http.post("/v1/runs", json={"connection_id": connection_id, "what": asked} | days)
    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_SUPPORTED")
    (error,) = refused.json()["errors"]
    assert (error["field"], error["value"]) == ("body.what", asked)
    assert cure in error["cure"]
    (other,) = {"orders", "payouts"} - {asked}
    assert http.post("/v1/runs", json={"connection_id": connection_id, "what": other} | days).status_code == 202
    for kind in ("payouts", "orders_to_ledger", "refunds"):
        answered = http.post("/v1/tasks", json={"connection_id": connection_id, "kind": kind, "interval_s": 7200})
        if (kind == "payouts") == (asked == "payouts"):
            assert (answered.status_code, answered.json()["code"]) == (422, "NOTHING_TO_FETCH")
            (error,) = answered.json()["errors"]
            assert (error["field"], error["value"], bool(error["cure"])) == ("body.kind", kind, True)
        else:
            assert answered.status_code == 201


def with_payouts(gateway: Gateway, tenant: Tenant, company_id: str, connection_id: str) -> None:
    """Switch a connection's payouts on, and give their accounts to its company file."""
    gateway.owners.opens = {"Expenses:Fees": "Expenses"}
    company, shop = f"/v1/companies/{company_id}/settings", f"/v1/connections/{connection_id}/settings"
    accounts = {"accounts": {"BANK": "Assets:Undeposited", "FEES": "Expenses:Fees"}}
    for path, more in ((company, accounts), (shop, {"payouts": {"enabled": True}})):
        read = tenant.http.get(path)
        body = read.json() | {name: read.json()[name] | values for name, values in more.items()}
        saved = tenant.http.put(path, json=body, headers={"if-match": read.headers["etag"]})
        assert saved.status_code == 200, saved.text


def test_a_back_up_changes_nothing_where_it_was_taken_and_fits_no_other_ledger(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}"
    backup = http.get(f"{path}/backup").json()
    assert backup["company"]["approved_at"]
    dry = http.post(f"{path}/restore", json={"backup": backup})
    assert dry.status_code == 200, dry.text
    changes = dry.json()["changes"]
    assert (changes["company"], changes["connections"]) == ([], {shop.connection_id: []})
    kept_in = backup["company"]["ledger"]
    refused = http.post(
        f"{path}/restore", json={"backup": backup | {"company": backup["company"] | {"ledger": "xero"}}}
    )
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error == {
        "field": "body.backup.company.ledger",
        "value": "xero",
        "cure": f"this company file is kept in {kept_in}",
    }


def test_a_restore_into_other_books_takes_their_connection_along_only_when_asked_by_name(
    gateway: Gateway, shop: Shop
) -> None:
    other, http, mine = gateway.shop(shop.tenant), shop.tenant.http, shop.connection_id
    backup = http.get(f"/v1/companies/{shop.company_id}/backup").json()
    path = f"/v1/companies/{other.company_id}/restore"

    def feeds() -> str:
        return str(http.get(f"/v1/connections/{mine}/settings").json()["company_id"])

    for dry_run in (True, False):
        refused = http.post(path, json={"backup": backup, "dry_run": dry_run})
        assert refused.status_code == 422, refused.text
        (error,) = refused.json()["errors"]
        assert (error["field"], error["value"]) == (f"body.connections.{mine}", mine)
        assert shop.company_id in error["cure"]
    assert feeds() == shop.company_id
    instead = http.post(path, json={"backup": backup, "connections": {mine: other.connection_id}})
    assert (instead.status_code, list(instead.json()["changes"]["connections"])) == (200, [other.connection_id])
    named = {"backup": backup, "connections": {mine: mine}, "dry_run": False}
    assert http.post(path, json=named).json()["changes"]["connections"] == {mine: ["company_id"]}
    assert feeds() == other.company_id


def test_settings_need_the_version_that_was_read(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/connections/{shop.connection_id}/settings"
    read = http.get(path)
    assert read.headers["etag"] == '"1"'
    assert http.put(path, json=read.json()).status_code == 428
    assert http.put(path, json=read.json(), headers={"if-match": '"7"'}).status_code == 412
    changed = {**read.json(), "time_zone": "Europe/Berlin"}
    saved = http.put(path, json=changed, headers={"if-match": read.headers["etag"]})
    assert saved.status_code == 200
    assert saved.headers["etag"] == '"2"'
    history = http.get(f"{path}/history").json()["items"]
    assert [version["revision"] for version in history] == [2, 1]
    assert [version["settings"]["time_zone"] for version in history] == ["Europe/Berlin", "UTC"]


def test_wrong_settings_name_field_value_and_cure(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/connections/{shop.connection_id}/settings"
    body = http.get(path).json()
    wrong = {**body, "time_zone": "Mars/Olympus", "mode": "bills", "numbers": {"policy": "next"}}
    answer = http.put(path, json=wrong, headers={"if-match": '"1"'})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert errors["body.time_zone"]["value"] == "Mars/Olympus"
    assert "this ledger has no bill" in errors["body.mode"]["cure"]
    assert "body.numbers.policy" in errors


def test_a_misspelt_setting_is_refused_and_named(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/connections/{shop.connection_id}/settings"
    body = http.get(path).json()
    answer = http.put(path, json={**body, "taxes": {}, "tax": {"methode": "none"}}, headers={"if-match": '"1"'})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"body.taxes", "body.tax.methode"}


def test_who_is_to_be_told_by_mail_is_refused_where_nothing_sends_any(gateway: Gateway, shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}/settings"
    read = http.get(path)
    tag = {"if-match": read.headers["etag"]}
    view = gateway.owners.companies[shop.company_id]["view"]
    view["can_notify"] = False
    refused = http.put(path, json={**read.json(), "notify": ["books@shop.example"]}, headers=tag)
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "body.notify"
    assert "LEDGER_WRITER_SMTP_HOST" in error["cure"]
    backup = http.get(f"/v1/companies/{shop.company_id}/backup").json()
    backup["company"]["notify"] = ["books@shop.example"]
    restored = http.post(f"/v1/companies/{shop.company_id}/restore", json={"backup": backup})
    assert [each["field"] for each in restored.json()["errors"]] == ["body.backup.company.notify"]
    view["can_notify"] = True
    wrong = http.put(path, json={**read.json(), "notify": ["books"]}, headers=tag)
    assert [each["field"] for each in wrong.json()["errors"]] == ["body.notify.0"]
    saved = http.put(path, json={**read.json(), "notify": ["books@shop.example"]}, headers=tag)
    assert saved.json()["notify"] == ["books@shop.example"]


def test_accounts_are_checked_against_the_ledger_on_save(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}/settings"
    read = http.get(path)
    body = read.json()
    body["accounts"]["TAX"] = "Liabilities:Nowhere"
    answer = http.put(path, json=body, headers={"if-match": read.headers["etag"]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], error["value"]) == ("body.accounts.TAX", "Liabilities:Nowhere")


def test_an_account_that_the_ledger_opens_on_first_use_may_be_named_where_its_type_fits(
    gateway: Gateway, shop: Shop
) -> None:
    gateway.owners.opens = {"Liabilities:Ust:19": "Liabilities", "Expenses:Ust": "Expenses"}
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}/settings"
    read = http.get(path)
    tag = {"if-match": read.headers["etag"]}
    wrong = {"TAX": "Expenses:Ust", "INC": "income:sales", "AR": "Assets:my debtors"}
    answer = http.put(path, json={**read.json(), "accounts": wrong}, headers=tag)
    assert answer.status_code == 422
    errors = {error["field"]: (error["value"], error["cure"]) for error in answer.json()["errors"]}
    assert errors.keys() == {"body.accounts.TAX", "body.accounts.INC", "body.accounts.AR"}
    assert "needs a liability" in errors["body.accounts.TAX"][1]
    assert "'Income:Sales'" in errors["body.accounts.INC"][1]
    assert errors["body.accounts.AR"] == ("Assets:my debtors", NO_ACCOUNT)
    accounts = {**read.json()["accounts"], "TAX": "Liabilities:Ust:19"}
    saved = http.put(path, json={**read.json(), "accounts": accounts}, headers=tag)
    assert (saved.status_code, saved.json().get("accounts")) == (200, accounts)


def test_accounts_that_a_connection_names_are_checked_against_the_ledger_on_save(gateway: Gateway, shop: Shop) -> None:
    gateway.owners.opens = {"Assets:Till": "Assets", "Income:Till": "Income"}
    http, path = shop.tenant.http, f"/v1/connections/{shop.connection_id}/settings"
    read = http.get(path)
    tag = {"if-match": read.headers["etag"]}
    named = {
        "deposit_account": "assets:undeposited",
        "deposit_accounts": {"cash": "Income:Till", "card": "Assets:Till"},
        "payouts": {
            "bank_account": "my bank",
            "bank_accounts": {"EUR": "Assets:Undeposited"},
            "accounts": {"loan": "a loan"},
        },
    }
    answer = http.put(path, json={**read.json(), **named}, headers=tag)
    assert answer.status_code == 422
    errors = {error["field"]: (error["value"], error["cure"]) for error in answer.json()["errors"]}
    assert errors.keys() == {
        "body.deposit_account",
        "body.deposit_accounts.cash",
        "body.payouts.bank_account",
        "body.payouts.accounts.loan",
    }
    assert "'Assets:Undeposited'" in errors["body.deposit_account"][1]
    assert "needs an asset or a liability" in errors["body.deposit_accounts.cash"][1]
    assert errors["body.payouts.bank_account"] == ("my bank", NO_ACCOUNT)
    off = http.put(path, json={**read.json(), **named, "enabled": False}, headers=tag)
    assert off.status_code == 200, "a connection can be switched off although its account is gone"
    tag = {"if-match": off.headers["etag"]}
    saved = http.put(path, json={**read.json(), "deposit_accounts": {"card": "Assets:Till"}}, headers=tag)
    assert (saved.status_code, saved.json().get("deposit_accounts")) == (200, {"card": "Assets:Till"})
    held = gateway.owners.companies[shop.company_id]["view"]
    held["lists_read_at"], held["status"], known = None, CompanyStatus.DISCONNECTED, held["status"]
    tag = {"if-match": saved.headers["etag"]}
    unread = http.put(path, json=saved.json(), headers=tag)
    assert (unread.status_code, unread.json()["code"]) == (409, "LISTS_NOT_READ")
    saved = http.put(path, json={**saved.json(), "deposit_accounts": {}, "deposit_account": ""}, headers=tag)
    assert saved.status_code == 200
    held["lists_read_at"], held["status"] = NOW, known

    backup = http.get(f"/v1/companies/{shop.company_id}/backup").json()
    backup["connections"][0]["deposit_account"] = "Assets:nowhere"
    refused = http.post(f"/v1/companies/{shop.company_id}/restore", json={"backup": backup})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert (error["field"], error["value"], error["cure"]) == (
        "body.backup.connections.0.deposit_account",
        "Assets:nowhere",
        NO_ACCOUNT,
    )


def test_start_date_and_closed_through_come_first(gateway: Gateway) -> None:
    shop = gateway.shop(settings=False)
    http = shop.tenant.http
    body = running.connection_settings(shop.connection_id, shop.company_id)
    path = f"/v1/connections/{shop.connection_id}/settings"
    early = http.put(path, json=body, headers={"if-match": '"0"'})
    assert early.status_code == 422
    assert "closed_through" in early.json()["errors"][0]["cure"]
    assert http.post(f"/v1/companies/{shop.company_id}/approve").status_code == 409
    gateway.save_company(shop.tenant, shop.company_id)
    missing = {name: value for name, value in body.items() if name != "start_date"}
    answer = http.put(path, json=missing, headers={"if-match": '"0"'})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.start_date"
    refused = http.post("/v1/runs", json={"connection_id": shop.connection_id, "order_numbers": ["1"]})
    assert refused.json()["code"] == "SETTINGS_NEEDED"


def test_approval_and_pause_have_routes_of_their_own(shop: Shop) -> None:
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}/settings"
    read = http.get(path)
    sneaky = {**read.json(), "approved_at": None, "paused": True}
    answer = http.put(path, json=sneaky, headers={"if-match": read.headers["etag"]})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"body.approved_at", "body.paused"}
    assert http.post(f"/v1/companies/{shop.company_id}/pause").json()["paused"] is True
    assert http.get(f"/v1/companies/{shop.company_id}").json()["paused"] is True
    assert http.post(f"/v1/companies/{shop.company_id}/resume").json()["paused"] is False


def test_a_check_is_asked_for_where_others_write_to_the_ledger_too(gateway: Gateway, shop: Shop) -> None:
    http = shop.tenant.http
    refused = http.post(f"/v1/companies/{shop.company_id}/check")
    assert (refused.status_code, refused.json()["code"]) == (409, "NO_CHECK")
    paired = http.post("/v1/companies", json={"ledger": "quickbooks_online", "name": "Books", "home_currency": "USD"})
    company_id = paired.json()["company_id"]
    asked = http.post(f"/v1/companies/{company_id}/check")
    assert (asked.status_code, asked.json()["company_id"]) == (202, company_id)
    assert gateway.owners.checked == [company_id]
    stranger = gateway.shop().tenant.http
    assert stranger.post(f"/v1/companies/{company_id}/check").status_code == 404
    assert gateway.owners.checked == [company_id]
    noted = gateway.fetch("SELECT subject FROM audit_log WHERE action = 'company_check_asked'")
    assert [row["subject"] for row in noted] == [company_id]


def test_keys_are_shown_once_scoped_rotated_and_revoked(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    made = tenant.http.post("/v1/api-keys", json={"name": "reader", "scopes": ["read"]}).json()
    reader = gateway.client(made["key"])
    assert reader.get("/v1/tenant").status_code == 200
    assert reader.get("/v1/api-keys").status_code == 403
    assert reader.post("/v1/connections", json={"channel": "custom", "name": "x"}).status_code == 403
    assert made["key"] not in tenant.http.get("/v1/api-keys").text
    assert made["key"].rsplit("_", 1)[1] not in str(gateway.fetch("SELECT k::text FROM api_keys k"))
    rotated = tenant.http.post(f"/v1/api-keys/{made['key_id']}/rotate", json={"grace_s": 0}).json()
    assert reader.get("/v1/tenant").status_code == 401
    successor = gateway.client(rotated["key"])
    assert successor.get("/v1/tenant").status_code == 200
    assert tenant.http.delete(f"/v1/api-keys/{rotated['key_id']}").status_code == 204
    assert successor.get("/v1/tenant").status_code == 401


def test_books_are_kept_in_a_currency_of_iso_4217(gateway: Gateway) -> None:
    body = {"ledger": "beancount", "name": "Books", "home_currency": "ZZZ"}
    refused = gateway.tenant().http.post("/v1/companies", json=body)
    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"], error["value"]) == (422, "body.home_currency", "ZZZ")
    assert "ISO 4217" in error["cure"]


def test_a_tenant_key_never_gets_the_operator_scope(gateway: Gateway) -> None:
    tenant = gateway.tenant()
    refused = tenant.http.post("/v1/api-keys", json={"name": "x", "scopes": ["operator"]})
    assert refused.status_code == 422
    assert tenant.http.get("/v1/dead-letters").status_code == 403
    assert gateway.operator.get("/v1/orders").status_code == 403


def test_deleting_a_tenant_removes_its_rows_and_tells_the_others(gateway: Gateway) -> None:
    shop = gateway.shop()
    gateway.publish(running.order_listed(shop, "1"))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])
    removed = gateway.operator.delete(f"/v1/tenants/{shop.tenant.tenant_id}").json()["removed"]
    assert removed["orders"] == 1
    assert removed["connections"] == 1
    assert shop.tenant.http.get("/v1/orders").status_code == 401
    assert [state.tenant_id for state in gateway.sent(TenantDeleted)][-1] == shop.tenant.tenant_id
    path = f"/v1/tenants/{shop.tenant.tenant_id}/purge"
    first = gateway.operator.get(path).json()
    assert (first["complete"], [one["service"] for one in first["services"]]) == (False, ["api"])
    others = ("ingest", "mapper", "ledger-writer")
    for service in others:
        gateway.publish(
            TenantPurged(tenant_id=shop.tenant.tenant_id, revision=1, service=service, removed={"orders": 1})
        )
    running.eventually(lambda: gateway.operator.get(path).json()["complete"])
    assert gateway.operator.get(f"/v1/tenants/{gateway.tenant().tenant_id}/purge").status_code == 404
    # What was still on its way must not bring the tenant back.
    gateway.publish(running.order_listed(shop, "2"))
    other = gateway.shop()
    gateway.publish(running.order_listed(other, "3"))
    running.eventually(lambda: other.tenant.http.get("/v1/orders").json()["items"])
    assert gateway.fetch("SELECT 1 FROM orders WHERE tenant_id = $1", shop.tenant.tenant_id) == []


def test_a_rebuild_empties_the_read_model_of_one_tenant_and_asks_the_owners(gateway: Gateway) -> None:
    shop, other = gateway.shop(), gateway.shop()
    gateway.publish(
        running.order_listed(shop, "1"), running.order_listed(other, "1"), running.document_changed(shop, "1")
    )
    running.eventually(lambda: all(one.tenant.http.get("/v1/orders").json()["items"] for one in (shop, other)))
    running.eventually(lambda: shop.tenant.http.get("/v1/documents").json()["items"])
    answer = gateway.operator.post(f"/v1/tenants/{shop.tenant.tenant_id}/rebuild")
    assert answer.status_code == 202
    assert answer.json()["removed"] == {"orders": 1, "sets": 0, "documents": 1}
    assert shop.tenant.http.get("/v1/orders").json()["items"] == []
    assert len(other.tenant.http.get("/v1/orders").json()["items"]) == 1
    asked = [state for state in gateway.sent(StateRequested) if state.tenant_id == shop.tenant.tenant_id]
    assert {state.entity for state in asked} == {
        "order.listed.v1",
        "transactions.listed.v1",
        "documents.changed.v1",
        "company.changed.v1",
    }
    gateway.publish(running.order_listed(shop, "1"))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])


def test_settings_are_published_again_when_a_mirror_asks(gateway: Gateway) -> None:
    shop, other = gateway.shop(), gateway.shop()

    def snapshots(tenant_id: str) -> int:
        return len([state for state in gateway.sent(SettingsChanged) if state.tenant_id == tenant_id])

    def are_forgotten() -> bool:
        sent = "DELETE FROM outbox WHERE type = $1 AND published_at IS NOT NULL RETURNING 1"
        gateway.fetch(sent, SettingsChanged.type)
        return snapshots(shop.tenant.tenant_id) == snapshots(other.tenant.tenant_id) == 0

    running.eventually(are_forgotten)
    gateway.publish(
        StateRequested(tenant_id=shop.tenant.tenant_id, revision=1, request_id="r1", entity=SettingsChanged.type)
    )
    running.eventually(lambda: snapshots(shop.tenant.tenant_id) == 2)
    assert snapshots(other.tenant.tenant_id) == 0


def test_forgetting_the_links_of_a_company_file_is_confirmed_repeatable_and_audited(
    gateway: Gateway, shop: Shop
) -> None:
    http, path = shop.tenant.http, f"/v1/companies/{shop.company_id}/links/forget"
    refused = http.post(path, json={})
    assert (refused.status_code, refused.json()["code"]) == (422, "CONFIRMATION_NEEDED")
    assert refused.json()["errors"][0]["field"] == "body.confirm"
    once = {"idempotency-key": "forget-1"}
    answers = [http.post(path, json={"confirm": shop.company_id}, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["documents"], answers[0].json()["kept"]) == (3, 2)
    assert "looked up" in answers[0].json()["next"]
    stranger = gateway.tenant().http.post(path, json={"confirm": shop.company_id})
    assert stranger.status_code == 404
    noted = gateway.fetch("SELECT details FROM audit_log WHERE action = 'links_forgotten'")
    assert [row["details"] for row in noted] == ['{"kept": 2, "documents": 3}']
    asked = [seen for seen, _ in gateway.owners.seen if seen.endswith("/links/forget")]
    assert len(asked) == 1
