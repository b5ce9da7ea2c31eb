"""What the other services say, as lists, one order, the overview, warnings and the timeline show it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.api import gateway as running
from tests.integration.api import owners as stand_in
from tests.integration.api.gateway import Gateway, Shop
from tests.integration.api.owners import Owners

from api.ids import order_id
from common.internal.ingest import Normalisation, OrderHistory, RawPart
from common.internal.ledger_writer import DocumentView
from common.internal.mapper import PlannedDocument, SetView
from common.messages.documents import Attempt, CompanyChanged, CompanyStatus, DocumentState
from common.messages.transactions import DocumentKind, Inputs, SetOutcome, WantedState


def overview(shop: Shop) -> dict[str, dict[str, Any]]:
    answer = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/overview")
    assert answer.status_code == 200, answer.text
    return {row["name"]: row for row in answer.json()["rows"]}


def orders(shop: Shop, **params: Any) -> list[dict[str, Any]]:
    answer = shop.tenant.http.get("/v1/orders", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_an_order_is_in_the_worst_column_of_its_documents(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(running.order_listed(shop, "1"))
    (order,) = running.eventually(lambda: orders(shop))
    assert order["column"] == "in_progress"
    gateway.publish(running.transactions_listed(shop, "1", documents=2))
    invoice = running.document_changed(shop, "1", kind=DocumentKind.INVOICE)
    gateway.publish(invoice)
    running.eventually(lambda: orders(shop)[0]["documents_in_ledger"] == 1)
    assert orders(shop)[0]["column"] == "in_progress"
    missing = running.document_changed(
        shop,
        "1",
        kind=DocumentKind.PAYMENT,
        state=DocumentState.ACTION_REQUIRED,
        reason=running.reason("CURRENCY_NOT_ENABLED"),
    )
    gateway.publish(missing)
    running.eventually(lambda: orders(shop)[0]["column"] == "warnings")
    assert orders(shop)[0]["reason"]["code"] == "CURRENCY_NOT_ENABLED"
    gateway.publish(missing.model_copy(update={"revision": 2, "state": DocumentState.SYNCED, "reason": None}))
    running.eventually(lambda: orders(shop)[0]["column"] == "in_ledger")
    assert orders(shop)[0]["reason"] is None


@pytest.mark.parametrize(("settings", "column"), [({"follow_changes": False}, "in_ledger"), ({}, "in_progress")])
def test_a_later_revision_is_in_progress_only_where_changes_are_followed(
    gateway: Gateway, shop: Shop, settings: dict[str, Any], column: str
) -> None:
    path = f"/v1/connections/{shop.connection_id}/settings"
    stored = shop.tenant.http.get(path)
    shop.tenant.http.put(path, json=stored.json() | settings, headers={"if-match": stored.headers["etag"]})
    gateway.publish(running.order_listed(shop, "1"))
    gateway.publish(running.transactions_listed(shop, "1"))
    gateway.publish(running.document_changed(shop, "1"))
    running.eventually(lambda: [row["column"] for row in orders(shop)] == ["in_ledger"])
    gateway.publish(running.order_listed(shop, "1", revision=2))
    running.eventually(lambda: orders(shop)[0]["revision"] == 2)
    assert orders(shop)[0]["column"] == column


def test_an_older_revision_never_overwrites_a_newer_one(gateway: Gateway, shop: Shop) -> None:
    synced = running.document_changed(shop, "1", revision=5)
    late = running.document_changed(shop, "1", revision=4, state=DocumentState.QUEUED)
    gateway.publish(synced)
    key = synced.document_key
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{key}").status_code == 200)
    gateway.publish(late, running.order_listed(shop, "marker"))
    running.eventually(lambda: orders(shop))
    assert shop.tenant.http.get(f"/v1/documents/{key}").json()["state"] == "synced"


def test_the_overview_counts_each_entity_once_with_totals_of_both_sides(gateway: Gateway, shop: Shop) -> None:
    waiting = running.reason("WAITING_FOR_PAYMENT")
    filtered = running.reason("STATUS_FILTER")
    gateway.publish(
        *(running.order_listed(shop, str(n)) for n in range(1, 6)),
        running.order_listed(shop, "6", currency="", total=None, problem=running.reason("UNKNOWN_CURRENCY")),
    )
    gateway.publish(
        running.transactions_listed(shop, "1"),
        running.transactions_listed(shop, "2"),
        running.transactions_listed(shop, "3", outcome=SetOutcome.FILTERED, documents=0, reason=filtered),
        running.transactions_listed(shop, "4", outcome=SetOutcome.HELD, documents=0, reason=waiting),
    )
    gateway.publish(
        running.document_changed(shop, "1", notices=(running.reason("TAX_DIFFERS"),)),
        running.document_changed(
            shop, "2", state=DocumentState.ACTION_REQUIRED, reason=running.reason("PRODUCT_MISSING")
        ),
    )
    running.eventually(lambda: overview(shop)["sales_receipts"]["warnings"] == 1 and len(orders(shop)) == 6)
    running.eventually(lambda: overview(shop)["orders"]["waiting"] == 1)
    row = overview(shop)["orders"]
    assert (row["source"], row["in_ledger"], row["warnings"], row["waiting"], row["in_progress"]) == (5, 1, 2, 1, 1)
    assert row["out_of_scope"] == 1
    assert row["totals"] == [
        {"currency": "USD", "source": "79.60", "ledger": "19.90"},
    ]
    receipts = overview(shop)["sales_receipts"]
    assert receipts["totals"] == [{"currency": "USD", "source": "39.80", "ledger": "19.90"}]
    assert receipts["notices"] == 1
    for each in overview(shop).values():
        columns = ("in_ledger", "warnings", "dismissed", "not_tried", "in_progress", "waiting")
        assert each["source"] == sum(each[column] for column in columns)


@pytest.mark.parametrize(("code", "column"), [("ACCOUNT_MISSING", "warnings"), ("WAITING_FOR_PAYMENT", "waiting")])
def test_a_held_order_is_not_in_the_ledger_though_its_documents_are(
    gateway: Gateway, shop: Shop, code: str, column: str
) -> None:
    gateway.publish(running.order_listed(shop, "1"), running.transactions_listed(shop, "1"))
    gateway.publish(running.document_changed(shop, "1"))
    running.eventually(lambda: [row["column"] for row in orders(shop)] == ["in_ledger"])
    held = {"outcome": SetOutcome.HELD, "documents": 0, "reason": running.reason(code)}
    gateway.publish(running.transactions_listed(shop, "1", revision=2, **held))
    running.eventually(lambda: [row["column"] for row in orders(shop)] == [column])
    assert orders(shop)[0]["reason"]["code"] == code
    assert overview(shop)["orders"][column] == 1
    warnings = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/warnings").json()
    wanted = [("ACCOUNT_MISSING", ["order"])] if column == "warnings" else []
    assert [(group["code"], group["kinds"]) for group in warnings["groups"]] == wanted
    body = {"company_id": shop.company_id, "order_ids": [orders(shop)[0]["order_id"]]}
    if column == "warnings":
        assert shop.tenant.http.post("/v1/dismissals", json=body).json()["orders"] == 1
        assert orders(shop)[0]["column"] == "dismissed"


def test_what_stands_in_the_ledger_counts_there_whatever_it_waits_for(gateway: Gateway, shop: Shop) -> None:
    held = {"state": DocumentState.ACTION_REQUIRED, "reason": running.reason("PRODUCT_MISSING")}
    told = [
        running.document_changed(shop, "1", amount=Decimal("25.00"), standing=Decimal("19.90"), **held),
        running.document_changed(shop, "2", **held),
        running.document_changed(shop, "3"),
        running.document_changed(shop, "4", state=DocumentState.VOIDED),
    ]
    filtered = {"outcome": SetOutcome.FILTERED, "documents": 0, "reason": running.reason("DO_NOT_IMPORT")}
    gateway.publish(*(running.order_listed(shop, one) for one in "1234"))
    gateway.publish(*(running.transactions_listed(shop, one, **(filtered if one == "3" else {})) for one in "1234"))
    gateway.publish(*told)
    running.eventually(lambda: overview(shop)["orders"]["warnings"] == 2)
    found = overview(shop)
    assert (found["sales_receipts"]["warnings"], found["sales_receipts"]["in_ledger"]) == (2, 2)
    totals = {"currency": "USD", "source": "64.80", "ledger": "39.80"}
    assert found["sales_receipts"]["totals"] == [totals], "one is held, the order of one is filtered, one is void"
    assert found["orders"]["out_of_scope"] == 1


def test_warnings_are_grouped_by_code_with_their_cure(gateway: Gateway, shop: Shop) -> None:
    unmapped = running.reason("PRODUCT_MISSING", "SKU A-1 is not in the ledger", "map it")
    invoice = running.document_changed(
        shop, "1", kind=DocumentKind.INVOICE, state=DocumentState.ACTION_REQUIRED, reason=unmapped
    )
    payment = running.document_changed(
        shop,
        "1",
        kind=DocumentKind.PAYMENT,
        state=DocumentState.BLOCKED,
        reason=running.reason("DEPENDENCY"),
        blocked_by=invoice.document_key,
    )
    other = running.document_changed(
        shop, "2", kind=DocumentKind.INVOICE, state=DocumentState.ACTION_REQUIRED, reason=unmapped
    )
    gateway.publish(invoice, payment, other, running.order_listed(shop, "3", problem=running.reason("UNKNOWN_STATUS")))
    path = f"/v1/companies/{shop.company_id}/warnings"
    running.eventually(lambda: shop.tenant.http.get(path).json()["total"] == 4)
    groups = {group["code"]: group for group in shop.tenant.http.get(path).json()["groups"]}
    assert groups["PRODUCT_MISSING"]["entities"] == 2
    assert groups["PRODUCT_MISSING"]["blocks"] == 1
    assert groups["PRODUCT_MISSING"]["cure"] == "map it"
    assert groups["UNKNOWN_STATUS"]["kinds"] == ["order"]
    found = overview(shop)
    assert found["invoices"]["warnings"] == 2
    assert found["invoices"]["totals"] == [{"currency": "USD", "source": "39.80", "ledger": "0.00"}]
    answer = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/overview").json()
    assert (answer["first_warning"], answer["warnings_below"]) == ("invoices", 1)


def test_a_missing_task_is_a_warning_of_its_own(gateway: Gateway, shop: Shop) -> None:
    http = shop.tenant.http
    (task,) = http.get("/v1/tasks").json()["items"]
    http.patch(f"/v1/tasks/{task['task_id']}", json={"active": False})
    path = f"/v1/companies/{shop.company_id}/warnings"
    (group,) = http.get(path).json()["groups"]
    assert (group["code"], group["entities"]) == ("TASK_MISSING", 1)
    assert "the orders of " in group["text"]
    assert "orders_to_ledger" in group["cure"]
    # Payouts are asked for by a task of their own, which saving the settings makes.
    gateway.owners.opens = {"Expenses:Fees": "Expenses"}
    company = http.get(f"/v1/companies/{shop.company_id}/settings")
    accounts = {**company.json()["accounts"], "BANK": "Assets:Undeposited", "FEES": "Expenses:Fees"}
    body, tag = {**company.json(), "accounts": accounts}, {"if-match": company.headers["etag"]}
    assert http.put(f"/v1/companies/{shop.company_id}/settings", json=body, headers=tag).status_code == 200
    at = f"/v1/connections/{shop.connection_id}/settings"
    read = http.get(at)
    on = {**read.json(), "payouts": {**read.json()["payouts"], "enabled": True}}
    assert http.put(at, json=on, headers={"if-match": read.headers["etag"]}).status_code == 200
    (payouts,) = (one for one in http.get("/v1/tasks").json()["items"] if one["kind"] == "payouts")
    http.delete(f"/v1/tasks/{payouts['task_id']}")
    (group,) = http.get(path).json()["groups"]
    assert group["entities"] == 2
    assert "the payouts of " in group["text"]
    assert group["cure"] == "make the task of kind orders_to_ledger and payouts, or activate it"


def test_lists_are_paged_by_cursor_without_gaps_or_repetition(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(
        *(running.order_listed(shop, str(n), received_at=running.MOMENT + timedelta(seconds=n // 3)) for n in range(25))
    )
    running.eventually(lambda: len(orders(shop, limit=100)) == 25)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = shop.tenant.http.get("/v1/orders", params=params).json()
        seen += [order["external_id"] for order in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 25
    assert seen == [order["external_id"] for order in orders(shop, limit=100)]
    wrong = shop.tenant.http.get("/v1/documents", params={"cursor": page["next_cursor"] or "AAAA"})
    assert wrong.status_code == 400
    assert wrong.json()["code"] == "CURSOR_INVALID"


def test_orders_that_nobody_wants_in_a_ledger_are_no_warnings(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(running.order_listed(shop, "t", problem=running.reason("TEST_ORDER")))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])
    (order,) = shop.tenant.http.get("/v1/orders").json()["items"]
    assert (order["column"], order["reason"]["code"]) == ("out_of_scope", "TEST_ORDER")


def test_orders_are_found_by_number_column_code_and_date(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(
        running.order_listed(shop, "1", number="1001"),
        running.order_listed(shop, "2", number="1002", problem=running.reason("UNKNOWN_CURRENCY")),
    )
    running.eventually(lambda: len(orders(shop)) == 2)
    assert [order["number"] for order in orders(shop, number="1001")] == ["1001"]
    assert [order["number"] for order in orders(shop, column="warnings")] == ["1002"]
    assert [order["number"] for order in orders(shop, code="UNKNOWN_CURRENCY")] == ["1002"]
    assert orders(shop, ordered_from="2026-11-21") == []
    assert len(orders(shop, ordered_to="2026-11-20", company_id=shop.company_id)) == 2


def written_at_the_second_try(shop: Shop) -> DocumentView:
    at = running.MOMENT
    refused = Attempt(
        at=at + timedelta(seconds=2),
        operation="create",
        outcome="refused",
        reason=running.reason("PRODUCT_MISSING"),
        duration_ms=12,
    )
    written = Attempt(at=at + timedelta(seconds=60), operation="create", outcome="written", ledger_id="77")
    return DocumentView(
        document_key="d1",
        company_id=shop.company_id,
        connection_id=shop.connection_id,
        source_kind="order",
        source_id="1",
        source_number="#1",
        source_revision=1,
        kind=DocumentKind.SALES_RECEIPT,
        state=DocumentState.SYNCED,
        number="#1",
        date=at.date(),
        amount=Decimal("19.90"),
        currency="USD",
        attempts=(refused, written),
    )


def tell_story(owners: Owners, shop: Shop) -> None:
    """Let every owner know its part of one order's story."""
    at = running.MOMENT
    owners.histories[shop.connection_id, "1"] = OrderHistory(
        connection_id=shop.connection_id,
        external_id="1",
        revision=1,
        order=None,
        problem=None,
        parts=(RawPart(part_id="p", topic="orders/create", via="webhook", size_bytes=900, received_at=at),),
        normalisations=(Normalisation(revision=1, at=at, status="paid/fulfilled/open", total="19.90", currency="USD"),),
    )
    planned = PlannedDocument(
        key="d1",
        kind=DocumentKind.SALES_RECEIPT,
        number="#1",
        memo_number="#1",
        date=at.date(),
        currency="USD",
        total=Decimal("19.90"),
        wanted=WantedState.PRESENT,
    )
    owners.sets.append(
        (
            shop.tenant.tenant_id,
            SetView(
                company_id=shop.company_id,
                connection_id=shop.connection_id,
                source_kind="order",
                source_id="1",
                source_number="#1",
                revision=1,
                mapped_at=at + timedelta(seconds=1),
                inputs=Inputs(source_revision=1, connection_revision=1, company_revision=2),
                outcome=SetOutcome.MAPPED,
                documents=(planned,),
            ),
        )
    )
    owners.document_tenants["d1"] = shop.tenant.tenant_id
    owners.documents["d1"] = written_at_the_second_try(shop)


def test_the_timeline_tells_the_whole_story_and_names_what_is_away(gateway: Gateway, shop: Shop) -> None:
    gateway.publish(running.order_listed(shop, "1"))
    running.eventually(lambda: orders(shop))
    owners = gateway.owners
    tell_story(owners, shop)
    path = f"/v1/orders/{order_id(f'{shop.connection_id}/1')}/timeline"
    story = shop.tenant.http.get(path).json()
    assert [entry["stage"] for entry in story["entries"]] == [
        "raw",
        "normalized",
        "mapped",
        "planned",
        "written",
        "written",
    ]
    assert [entry["outcome"] for entry in story["entries"]][-2:] == ["refused", "written"]
    assert story["entries"][-2]["reason"]["code"] == "PRODUCT_MISSING"
    assert story["unavailable"] == []
    owners.away.add("mapper")
    try:
        partial = shop.tenant.http.get(path)
    finally:
        owners.away.clear()
    assert partial.status_code == 200
    assert {part["part"] for part in partial.json()["unavailable"]} == {"sets", "payouts"}
    assert partial.json()["sets"] is None
    assert [entry["stage"] for entry in partial.json()["entries"]] == ["raw", "normalized", "written", "written"]


def test_a_service_that_is_away_is_a_503_with_retry_after(gateway: Gateway, shop: Shop) -> None:
    gateway.owners.away.add("ledger-writer")
    try:
        answer = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/trial-balance")
        company = shop.tenant.http.get(f"/v1/companies/{shop.company_id}")
    finally:
        gateway.owners.away.clear()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert company.json()["available"] is False


def test_company_changed_follows_status_and_never_brings_back_a_deleted_file(gateway: Gateway, shop: Shop) -> None:
    def changed(revision: int, status: CompanyStatus, company_id: str) -> CompanyChanged:
        return CompanyChanged(
            tenant_id=shop.tenant.tenant_id,
            revision=revision,
            company_id=company_id,
            ledger="beancount",
            name="Books",
            external_id="books",
            status=status,
            home_currency="USD",
            capabilities=stand_in.ABILITIES,
        )

    def status() -> str:
        return str(shop.tenant.http.get("/v1/companies").json()["items"][0]["status"])

    gateway.publish(changed(3, CompanyStatus.NEEDS_RECONNECT, shop.company_id))
    running.eventually(lambda: status() == "needs_reconnect")
    gateway.publish(
        changed(2, CompanyStatus.CONNECTED, shop.company_id), changed(1, CompanyStatus.CONNECTED, "com_gone")
    )
    gateway.publish(changed(4, CompanyStatus.READ_ONLY, shop.company_id))
    running.eventually(lambda: status() == "read_only")
    assert len(shop.tenant.http.get("/v1/companies").json()["items"]) == 1


def test_preview_shows_outcomes_and_documents_and_writes_nothing(gateway: Gateway) -> None:
    shop = gateway.shop(approve=False)
    gateway.publish(
        running.order_listed(shop, "1"),
        running.transactions_listed(shop, "1"),
        running.order_listed(shop, "2"),
        running.transactions_listed(
            shop, "2", outcome=SetOutcome.HELD, documents=0, reason=running.reason("TOTALS_MISMATCH")
        ),
    )
    path = f"/v1/companies/{shop.company_id}/preview"
    running.eventually(lambda: len(shop.tenant.http.get(path).json()["outcomes"]) == 2)
    preview = shop.tenant.http.get(path).json()
    assert preview["approved_at"] is None
    assert {each["outcome"]: each["orders"] for each in preview["outcomes"]} == {"held": 1, "mapped": 1}
    assert len(preview["orders"]) == 2
    approved = shop.tenant.http.post(f"/v1/companies/{shop.company_id}/approve").json()["approved_at"]
    again = shop.tenant.http.post(f"/v1/companies/{shop.company_id}/approve").json()["approved_at"]
    assert approved == again is not None


def test_a_preview_tells_what_would_be_written_from_what_is_held(gateway: Gateway) -> None:
    shop = gateway.shop(approve=False)
    waits = {"state": DocumentState.BLOCKED, "reason": running.reason("WAITING_FOR_APPROVAL")}
    held = {"state": DocumentState.ACTION_REQUIRED, "reason": running.reason("PRODUCT_MISSING", "no item X", "map X")}
    unmapped = {"state": DocumentState.ACTION_REQUIRED, "reason": running.reason("ACCOUNT_MISSING", "no account")}
    before = {"state": DocumentState.SKIPPED, "reason": running.reason("BEFORE_HORIZON", "too old")}
    invoice, payment = {"kind": DocumentKind.INVOICE}, {"kind": DocumentKind.PAYMENT}
    documents = [
        running.document_changed(shop, "1", **invoice, **held),
        running.document_changed(shop, "1", **payment, **waits),
        running.document_changed(shop, "2", **invoice, **waits),
        running.document_changed(shop, "2", **payment, **unmapped),
        # What is paid after the horizon is written for an invoice before it, unapplied.
        running.document_changed(shop, "3", **invoice, **before),
        running.document_changed(shop, "3", **payment, **waits),
    ]
    sets = [running.transactions_listed(shop, one, documents=2) for one in ("1", "2", "3")]
    gateway.publish(*(running.order_listed(shop, one) for one in ("1", "2", "3")))
    gateway.publish(*sets)
    gateway.publish(*documents)
    path = f"/v1/companies/{shop.company_id}/preview"

    def mapped() -> dict[str, Any]:
        return next(iter(shop.tenant.http.get(path).json()["outcomes"]), {"orders": 0, "held": []})

    running.eventually(lambda: (mapped()["orders"], len(mapped()["held"])) == (3, 3))
    running.eventually(lambda: len(shop.tenant.http.get("/v1/documents").json()["items"]) == 6)
    shown = mapped()
    assert (shown["orders"], shown["documents"], shown["total"]) == (3, 6, "59.70")
    assert shown["would_write"] == {"orders": 2, "documents": 2, "total": "39.80"}
    assert sorted(shown["held"], key=lambda one: str(one["code"])) == [
        {"code": "ACCOUNT_MISSING", "text": "no account", "cure": "mend it", "orders": 1, "documents": 1},
        {"code": "BEFORE_HORIZON", "text": "too old", "cure": "mend it", "orders": 1, "documents": 1},
        {"code": "PRODUCT_MISSING", "text": "no item X", "cure": "map X", "orders": 1, "documents": 2},
    ]


def test_an_order_names_the_cause_and_not_what_follows_from_it(gateway: Gateway, shop: Shop) -> None:
    invoice = running.document_changed(
        shop,
        "1",
        kind=DocumentKind.INVOICE,
        document_key="z-invoice",
        state=DocumentState.ACTION_REQUIRED,
        reason=running.reason("PRODUCT_MISSING"),
    )
    payment = running.document_changed(
        shop,
        "1",
        kind=DocumentKind.PAYMENT,
        document_key="a-payment",
        state=DocumentState.BLOCKED,
        reason=running.reason("DEPENDENCY_FAILED"),
        blocked_by="z-invoice",
    )
    gateway.publish(running.order_listed(shop, "1"), running.transactions_listed(shop, "1", documents=2))
    gateway.publish(payment, invoice)
    running.eventually(lambda: len(shop.tenant.http.get("/v1/documents").json()["items"]) == 2)
    running.eventually(lambda: orders(shop)[0]["column"] == "warnings")
    assert orders(shop)[0]["reason"]["code"] == "PRODUCT_MISSING"
