"""What a person does about a warning: resend, dismiss, link, connect."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from api.ids import order_id
from common.internal.ledger_writer import DocumentView
from common.messages.base import Reason, Severity
from common.messages.control import CustomerConnected, DocumentDismissed, ResendRequested
from common.messages.documents import Attempt, DocumentChanged, DocumentState
from common.messages.transactions import DocumentKind, SetOutcome


def warning(shop: Shop, external_id: str, **more: Any) -> DocumentChanged:
    values = {"state": DocumentState.ACTION_REQUIRED, "reason": running.reason("PRODUCT_MISSING")}
    return running.document_changed(shop, external_id, **(values | more))


def arrived(shop: Shop, *documents: DocumentChanged) -> None:
    paths = [f"/v1/documents/{document.document_key}" for document in documents]
    running.eventually(lambda: all(shop.tenant.http.get(path).status_code == 200 for path in paths))


def resend(shop: Shop, **body: Any) -> Any:
    return shop.tenant.http.post("/v1/resends", json={"company_id": shop.company_id} | body)


def resent(gateway: Gateway, run_id: str) -> list[ResendRequested]:
    return [state for state in gateway.sent(ResendRequested) if state.resend_id.startswith(run_id)]


def test_a_missing_account_is_one_warning_however_many_orders_lack_it(gateway: Gateway, shop: Shop) -> None:
    def lacking(role: str, name: str | None) -> Reason:
        text = f"there is no account for the role {role}"
        return Reason(code="ACCOUNT_MISSING", text=text, cure="choose one", field=f"accounts.{role}", value=name)

    till, fees = lacking("UF", "Till drawer"), lacking("FEES", None)
    documents = [warning(shop, str(n), reason=till) for n in range(50)]
    documents += [warning(shop, f"fee {n}", reason=fees) for n in range(3)]
    gateway.publish(
        *documents,
        running.order_listed(shop, "held"),
        running.transactions_listed(shop, "held", outcome=SetOutcome.HELD, documents=0, reason=till),
    )
    path = f"/v1/companies/{shop.company_id}/warnings"
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 54)
    (group,) = shop.tenant.http.get(path).json()["groups"]
    assert (group["code"], group["entities"]) == ("ACCOUNT_MISSING", 54)
    assert group["causes"] == [
        {"field": "accounts.UF", "value": "Till drawer", "text": till.text, "entities": 51},
        {"field": "accounts.FEES", "value": None, "text": fees.text, "entities": 3},
    ]


def test_the_most_frequent_causes_of_a_code_are_named_whether_documents_or_orders_have_it(
    gateway: Gateway, shop: Shop
) -> None:
    def lacking(sku: str | None) -> Reason:
        field = None if sku is None else "lines.sku"
        return Reason(code="PRODUCT_MISSING", text=f"no item {sku}", cure="map it", field=field, value=sku)

    early = running.MOMENT - timedelta(days=1)
    documents = [warning(shop, f"{n}", reason=lacking(f"{n:02}")) for n in range(21)]
    documents += [warning(shop, f"bare {n}", reason=lacking(None)) for n in range(3)]
    gateway.publish(*documents)
    gateway.publish(running.order_listed(shop, "held", received_at=early, problem=lacking("20")))
    path = f"/v1/companies/{shop.company_id}/warnings"
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 25)
    (group,) = shop.tenant.http.get(path).json()["groups"]
    assert (group["entities"], group["kinds"], group["blocks"]) == (25, ["order", "sales_receipt"], 0)
    assert (group["text"], group["cure"]) == ("no item 20", "map it"), "the oldest one's"
    assert group["first_seen_at"].startswith(early.date().isoformat())
    # What names nothing is no cause, and takes none of the twenty places.
    shown = [("20", 2), *((f"{n:02}", 1) for n in range(19))]
    assert [(one["value"], one["entities"]) for one in group["causes"]] == shown


def test_notices_of_what_is_in_the_ledger_are_counted_by_what_is_behind_them(gateway: Gateway, shop: Shop) -> None:
    def unknown(name: str) -> Reason:
        text = f"there is no class named {name}"
        return Reason(
            code="CLASS_UNKNOWN", text=text, cure="make it", field="ClassRef", value=name, severity=Severity.WARNING
        )

    web, shops = unknown("Web"), unknown("Shops")
    renamed = Reason(code="NAME_TRUNCATED", text="cut", severity=Severity.WARNING)
    gateway.publish(
        *(running.document_changed(shop, str(n), notices=(web, web)) for n in range(5)),
        running.document_changed(shop, "other", notices=(shops, renamed)),
        warning(shop, "not written", notices=(web,)),
    )
    path = f"/v1/companies/{shop.company_id}/notices"
    running.eventually(lambda: sum(one["entities"] for one in shop.tenant.http.get(path).json()["groups"]) == 7)
    first, second = shop.tenant.http.get(path).json()["groups"]
    assert (first["code"], first["entities"], first["cure"]) == ("CLASS_UNKNOWN", 6, "make it")
    assert [(one["value"], one["entities"]) for one in first["causes"]] == [("Web", 5), ("Shops", 1)]
    assert (second["code"], second["entities"], second["causes"]) == ("NAME_TRUNCATED", 1, [])


def test_resending_one_names_the_order_it_comes_from(gateway: Gateway, shop: Shop) -> None:
    document = warning(shop, "1")
    gateway.publish(document)
    arrived(shop, document)
    answer = resend(shop, document_keys=[document.document_key], refetch=True)
    assert answer.status_code == 202
    (state,) = resent(gateway, answer.json()["run_id"])
    assert state.document_keys == (document.document_key,)
    assert state.order_keys == (f"{shop.connection_id}/1",)
    assert (state.refetch, state.cascade) == (True, False)
    path = f"/v1/runs/{answer.json()['run_id']}"
    assert shop.tenant.http.get(path).json()["state"] == "working"
    gateway.publish(running.document_changed(shop, "1", revision=2))
    running.eventually(lambda: shop.tenant.http.get(path).json()["state"] == "finished")
    assert shop.tenant.http.get(path).json()["results"] == {"synced": 1}


def test_a_payment_is_refused_while_its_invoice_fails_and_cascade_sends_both(gateway: Gateway, shop: Shop) -> None:
    invoice = warning(shop, "1", kind=DocumentKind.INVOICE, number="INV-7")
    payment = warning(
        shop,
        "1",
        kind=DocumentKind.PAYMENT,
        state=DocumentState.BLOCKED,
        reason=running.reason("DEPENDENCY"),
        blocked_by=invoice.document_key,
    )
    gateway.publish(invoice, payment)
    arrived(shop, invoice, payment)
    refused = resend(shop, document_keys=[payment.document_key])
    assert refused.status_code == 409
    assert refused.json()["code"] == "DEPENDENCY_NOT_IN_LEDGER"
    assert "INV-7" in refused.json()["errors"][0]["cure"]
    cascaded = resend(shop, document_keys=[payment.document_key], cascade=True)
    assert cascaded.status_code == 202
    assert resent(gateway, cascaded.json()["run_id"])[0].cascade
    together = resend(shop, document_keys=[payment.document_key, invoice.document_key])
    assert together.status_code == 202


def test_all_of_a_code_are_resent_in_bounded_messages(gateway: Gateway, shop: Shop) -> None:
    many = [warning(shop, str(n), reason=running.reason("ITEM_INACTIVE")) for n in range(1205)]
    gateway.publish(*many[:600])
    gateway.publish(*many[600:], warning(shop, "other"))
    path = f"/v1/companies/{shop.company_id}/warnings"
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 1206)
    answer = resend(shop, code="ITEM_INACTIVE")
    assert answer.json()["items"] == 1205
    states = resent(gateway, answer.json()["run_id"])
    assert [len(state.document_keys) for state in states] == [1000, 205]
    assert len({key for state in states for key in state.document_keys}) == 1205


def test_orders_without_documents_are_resent_too(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(
        running.order_listed(shop, "1"),
        running.transactions_listed(
            shop, "1", outcome=SetOutcome.HELD, documents=0, reason=running.reason("TOTALS_MISMATCH")
        ),
    )
    path = f"/v1/companies/{shop.company_id}/warnings"
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 1)
    answer = resend(shop, all_warnings=True)
    assert answer.json()["items"] == 1
    assert resent(gateway, answer.json()["run_id"])[0].order_keys == (f"{shop.connection_id}/1",)
    assert resend(shop, code="NO_SUCH_CODE").status_code == 409
    assert resend(shop).status_code == 422
    assert resend(shop, code="X", all_warnings=True).status_code == 422


def test_a_resend_has_its_result_as_soon_as_whoever_it_is_up_to_has_said_it_again(gateway: Gateway, shop: Shop) -> None:
    """Nothing has changed, so no revision says so; the same once more does."""
    entries = [running.order_listed(shop, name, revision=2) for name in ("held", "written")]
    refusal = running.order_listed(shop, "refused", revision=2, problem=running.reason("UNKNOWN_CURRENCY"))
    held = {"outcome": SetOutcome.HELD, "documents": 0, "reason": running.reason("TOTALS_MISMATCH")}
    sets = [
        running.transactions_listed(shop, "held", source_revision=2, **held),
        running.transactions_listed(shop, "written", source_revision=2),
    ]
    document = warning(shop, "written", source_revision=2)
    gateway.publish(refusal, *entries, *sets, document)
    path = f"/v1/companies/{shop.company_id}/warnings"
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 3)
    # Ledger-writer tries at once what it has, maybe before mapper's new set of the order reaches it.
    second = [one.model_copy(update={"external_id": "mended"}) for one in entries[1:]]
    mended = [sets[1].model_copy(update={"source_id": "mended", "revision": revision}) for revision in (1, 2)]
    tried = [warning(shop, "mended", source_revision=2, revision=revision) for revision in (1, 2)]
    gateway.publish(*second, mended[0], tried[0])
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 4)
    names = ("refused", "held", "written", "mended")
    answer = resend(shop, order_ids=[order_id(f"{shop.connection_id}/{name}") for name in names])
    run = f"/v1/runs/{answer.json()['run_id']}"

    def results() -> dict[str, int]:
        found: dict[str, int] = shop.tenant.http.get(run).json()["results"]
        return found

    assert results() == {"in_progress": 4}
    gateway.publish(refusal)
    running.eventually(lambda: results() == {"in_progress": 3, "failed": 1})
    gateway.publish(*entries, *second)
    gateway.publish(refusal.model_copy(update={"external_id": "fence"}))
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 5)
    assert results() == {"in_progress": 3, "failed": 1}, "that ingest reads them as before is a part of the answer"
    gateway.publish(sets[0])
    running.eventually(lambda: results() == {"in_progress": 2, "failed": 2})
    gateway.publish(tried[1])
    gateway.publish(sets[1], document.model_copy(update={"revision": 2}))
    running.eventually(lambda: results() == {"in_progress": 1, "failed": 3})
    gateway.publish(running.order_listed(shop, "late"), mended[1])
    gateway.publish(sets[0].model_copy(update={"source_id": "late", "source_revision": 1}))
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 6)
    assert results() == {"in_progress": 1, "failed": 3}, "what its document said was about the set before"
    gateway.publish(running.document_changed(shop, "mended", source_revision=2, revision=3))
    running.eventually(lambda: results() == {"synced": 1, "failed": 3})
    items = shop.tenant.http.get(f"{run}/items").json()["items"]
    codes = {"UNKNOWN_CURRENCY", "TOTALS_MISMATCH", "PRODUCT_MISSING"}
    assert {item["reason"]["code"] for item in items if item["reason"]} == codes
    assert shop.tenant.http.get(run).json()["state"] == "finished"


def test_dismissing_hides_and_can_be_taken_back_with_rising_revisions(gateway: Gateway, shop: Shop) -> None:
    document = warning(shop, "1")
    gateway.publish(document)
    arrived(shop, document)
    body = {"company_id": shop.company_id, "document_keys": [document.document_key], "note": "known"}
    assert shop.tenant.http.post("/v1/dismissals", json=body).json() == {"documents": 1, "orders": 0}
    shop.tenant.http.post("/v1/dismissals", json=body | {"dismissed": False})
    states = [state for state in gateway.sent(DocumentDismissed) if state.document_key == document.document_key]
    assert states[-1].revision == 2
    assert states[-1].dismissed is False


def test_a_dismissed_order_comes_back_when_it_changes(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(running.order_listed(shop, "1", problem=running.reason("UNKNOWN_CURRENCY")))

    def column() -> str:
        items = shop.tenant.http.get("/v1/orders").json()["items"]
        return str(items[0]["column"]) if items else ""

    running.eventually(lambda: column() == "warnings")
    body = {"company_id": shop.company_id, "order_ids": [order_id(f"{shop.connection_id}/1")]}
    assert shop.tenant.http.post("/v1/dismissals", json=body).json()["orders"] == 1
    assert column() == "dismissed"
    row = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/overview").json()["rows"][0]
    assert (row["source"], row["dismissed"], row["warnings"]) == (1, 1, 0)
    gateway.publish(running.order_listed(shop, "1", revision=2, problem=running.reason("UNKNOWN_CURRENCY")))
    running.eventually(lambda: column() == "warnings")


def test_an_order_that_is_dismissed_takes_the_documents_that_make_it_a_warning_along(
    gateway: Gateway, shop: Shop
) -> None:
    document = warning(shop, "1")
    for each in ("1", "2"):
        gateway.publish(running.order_listed(shop, each), running.transactions_listed(shop, each))
    gateway.publish(document, running.document_changed(shop, "2"))

    def columns() -> dict[str, str]:
        items = shop.tenant.http.get("/v1/orders").json()["items"]
        return {item["number"]: item["column"] for item in items}

    def asked(external_id: str, *, dismissed: bool) -> Any:
        order = order_id(f"{shop.connection_id}/{external_id}")
        body = {"company_id": shop.company_id, "order_ids": [order], "dismissed": dismissed}
        return shop.tenant.http.post("/v1/dismissals", json=body).json()

    running.eventually(lambda: columns() == {"#1": "warnings", "#2": "in_ledger"})
    for dismissed in (True, False):
        assert asked("1", dismissed=dismissed) == {"documents": 1, "orders": 0}
        assert asked("2", dismissed=dismissed) == {"documents": 0, "orders": 0}, "it is no warning"
    states = [state for state in gateway.sent(DocumentDismissed) if state.document_key == document.document_key]
    assert [(state.revision, state.dismissed) for state in states] == [(1, True), (2, False)]
    assert asked("1", dismissed=False) == {"documents": 0, "orders": 0}, "nothing is hidden any more"


def test_links_by_hand_pass_through_and_are_audited(gateway: Gateway, shop: Shop) -> None:
    document = warning(shop, "1")
    gateway.publish(document)
    arrived(shop, document)
    gateway.owners.document_tenants[document.document_key] = shop.tenant.tenant_id
    gateway.owners.documents[document.document_key] = DocumentView(
        document_key=document.document_key,
        company_id=shop.company_id,
        connection_id=shop.connection_id,
        source_kind="order",
        source_id="1",
        source_number="#1",
        source_revision=1,
        kind=DocumentKind.SALES_RECEIPT,
        state=DocumentState.ACTION_REQUIRED,
        number="#1",
        date=None,
        amount=None,
        currency="USD",
    )
    path = f"/v1/documents/{document.document_key}/link"
    assert shop.tenant.http.put(path, json={"ledger_id": "77"}).json()["link"]["ledger_id"] == "77"
    assert shop.tenant.http.delete(path).json()["link"] is None
    actions = [entry["action"] for entry in shop.tenant.http.get("/v1/audit-log").json()["items"]]
    assert actions[:2] == ["document_unlinked", "document_linked"]


def test_connecting_a_customer_publishes_link_and_horizon(gateway: Gateway, shop: Shop) -> None:
    customer = warning(shop, "c", kind=DocumentKind.CUSTOMER, reason=running.reason("CUSTOMER_MISSING"))
    gateway.publish(customer)
    arrived(shop, customer)
    path = f"/v1/companies/{shop.company_id}/customers/{customer.document_key}/connect"
    body = {"connection_id": shop.connection_id, "link": "existing"}
    assert shop.tenant.http.post(path, json=body).status_code == 422
    answer = shop.tenant.http.post(path, json=body | {"ledger_id": "12", "horizon": "2026-06-01"})
    assert answer.status_code == 202, answer.text
    state = gateway.sent(CustomerConnected)[-1]
    assert (state.link, state.ledger_id, str(state.horizon), state.revision) == ("existing", "12", "2026-06-01", 1)
    assert (state.currency, customer.currency, state.display_name) == ("USD", "USD", "Customer 12")


def test_a_customer_is_not_connected_to_one_that_the_ledger_refuses(gateway: Gateway, shop: Shop) -> None:
    customer = warning(shop, "e", kind=DocumentKind.CUSTOMER, name="Ada", reason=running.reason("CUSTOMER_MISSING"))
    gateway.publish(customer)
    arrived(shop, customer)
    gateway.owners.refused_links.add("euro")
    before = len(gateway.sent(CustomerConnected))
    path = f"/v1/companies/{shop.company_id}/customers/{customer.document_key}/connect"
    body = {"connection_id": shop.connection_id, "link": "existing", "ledger_id": "euro"}
    refused = shop.tenant.http.post(path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "CURRENCY_DIFFERS")
    assert len(gateway.sent(CustomerConnected)) == before
    made = body | {"link": "create", "source_external_id": "c7"}
    for asked, name in ((made, "Ada (c7)"), (made | {"display_name": "Ada King (c7)"}, "Ada King (c7)")):
        assert shop.tenant.http.post(path, json=asked).status_code == 202
        assert gateway.sent(CustomerConnected)[-1].display_name == name
    guest = {"connection_id": shop.connection_id, "link": "create", "display_name": "Ada King"}
    assert shop.tenant.http.post(path, json=guest).status_code == 202
    assert gateway.sent(CustomerConnected)[-1].display_name == "Ada King"


def test_every_action_is_in_the_audit_log_of_its_tenant_only(gateway: Gateway, shop: Shop) -> None:
    entries = shop.tenant.http.get("/v1/audit-log").json()["items"]
    actions = {entry["action"] for entry in entries}
    assert {"connection_created", "company_paired", "company_settings_saved", "connection_settings_saved"} <= actions
    assert all(entry["actor"].startswith(("key_", "operator")) for entry in entries)
    other = gateway.tenant()
    assert {entry["action"] for entry in other.http.get("/v1/audit-log").json()["items"]} == {"api_key_created"}


def test_an_attempt_in_the_log_is_of_the_run_that_asked_for_it(gateway: Gateway, shop: Shop) -> None:
    """The run that fetched the order is that of the first attempt only."""
    fetched = shop.tenant.http.post("/v1/runs", json={"connection_id": shop.connection_id, "order_numbers": ["#9"]})
    fetch_run = fetched.json()["run_id"]
    document = running.document_changed(shop, "9", state=DocumentState.ACTION_REQUIRED, reason=running.reason("X_Y"))
    order = running.order_listed(shop, "9", run_id=fetch_run, received_at=datetime.now(UTC))
    gateway.publish(order, running.transactions_listed(shop, "9"), document)

    def log() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = shop.tenant.http.get("/v1/sync-log", params={"number": "#9"}).json()["items"]
        return items

    running.eventually(lambda: len(log()) == 2)
    first = Attempt(at=datetime.now(UTC), operation="create", outcome="refused")
    gateway.owners.document_tenants[document.document_key] = shop.tenant.tenant_id
    by_order = resend(shop, document_keys=[document.document_key]).json()["run_id"]
    second = Attempt(at=datetime.now(UTC), operation="create", outcome="created")
    gateway.owners.attempts[document.document_key] = (first, second)
    entries = [(entry["direction"], entry["action"], entry["run_id"], entry["trigger"]) for entry in log()]
    assert sorted(entries) == [
        ("from_channel", "received", fetch_run, "manual"),
        ("to_ledger", "created", by_order, "resend"),
        ("to_ledger", "failed", fetch_run, "manual"),
    ]
    gateway.owners.attempts[document.document_key] = (first, second, first)
    gateway.owners.said[document.document_key] = "intuit_tid 1-a: no"
    said = [entry["ledger_said"] for entry in log() if entry["direction"] == "to_ledger"]
    assert said == ["intuit_tid 1-a: no", "", ""]


def test_an_order_that_a_filter_keeps_out_is_skipped_in_the_log_and_none_of_its_errors(
    gateway: Gateway, shop: Shop
) -> None:
    kept_out = running.transactions_listed(
        shop, "7", outcome=SetOutcome.FILTERED, documents=0, reason=running.reason("DO_NOT_IMPORT")
    )
    let_in = running.transactions_listed(shop, "8", reason=running.reason("LET_THROUGH"))
    gateway.publish(running.order_listed(shop, "7"), kept_out, running.order_listed(shop, "8"), let_in)

    def log(**asked: str) -> dict[str, tuple[str, str]]:
        items = shop.tenant.http.get("/v1/sync-log", params=asked).json()["items"]
        return {one["number"]: (one["action"], one["code"]) for one in items if one["entity"] == "order"}

    wanted = {"#7": ("skipped", "DO_NOT_IMPORT"), "#8": ("received", "LET_THROUGH")}
    running.eventually(lambda: log() == wanted)
    assert log(tab="errors") == {}
