"""Clearing accounts, missing payments and tables at the gateway: what it adds to the owners' answers."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from api.ids import order_id
from api.store import payouts
from common.internal.ingest import PayoutHistory, PayoutSummary
from common.internal.mapper_checks import MoneyPlace, PaymentState
from common.messages.control import TaskRequested
from common.messages.documents import DocumentState
from common.messages.orders import Payout, PayoutLine
from common.messages.transactions import DocumentKind, SetOutcome


def receipts(gateway: Gateway, shop: Shop, *external_ids: str) -> list[str]:
    """Sales receipts that are in the ledger, their money on the account of undeposited funds."""
    documents = [running.document_changed(shop, each) for each in external_ids]
    gateway.publish(*(running.order_listed(shop, each) for each in external_ids))
    gateway.publish(*documents)
    last = documents[-1].document_key
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{last}").status_code == 200)
    keys = [document.document_key for document in documents]
    gateway.owners.money = tuple(
        MoneyPlace(document_key=key, account="Assets:Undeposited", account_role="UF", payout_id="po_1") for key in keys
    )
    return keys


def left(shop: Shop) -> list[str]:
    report = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/clearing").json()
    return [item["order_number"] for item in report["items"]]


def test_money_leaves_the_report_when_its_deposit_is_in_the_ledger(gateway: Gateway, shop: Shop) -> None:
    keys = receipts(gateway, shop, "1", "2", "3")
    assert left(shop) == ["#1", "#2", "#3"]
    payout = {"source_kind": "payout", "source_id": "po_1", "source_number": "po_1"}
    grouped = running.transactions_listed(shop, "x", **payout, grouped=tuple(keys[:2]))
    deposit = running.document_changed(
        shop, "x", **payout, kind=DocumentKind.DEPOSIT, state=DocumentState.QUEUED, ledger_id="", last_attempt_at=None
    )
    gateway.publish(grouped, deposit)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{deposit.document_key}").status_code == 200)
    assert left(shop) == ["#1", "#2", "#3"], "a deposit that waits takes nothing out"
    gateway.publish(deposit.model_copy(update={"revision": 2, "state": DocumentState.SYNCED}))
    running.eventually(lambda: left(shop) == ["#3"])
    ages = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/clearing").json()["ages"]
    assert [(each["documents"], each["amount"]) for each in ages] == [(1, "19.90")]
    gateway.publish(grouped.model_copy(update={"revision": 2, "grouped": (keys[2],)}))
    running.eventually(lambda: left(shop) == ["#1", "#2"])


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"payout_id": None}, "payouts_off", "PAYOUTS_OFF"),
        (
            {"payout_outcome": SetOutcome.HELD, "payout_reason": running.reason("PAYOUT_INCOMPLETE")},
            "payout_incomplete",
            "PAYOUT_INCOMPLETE",
        ),
        (
            {"payout_outcome": SetOutcome.MAPPED, "deposit_key": "d", "deposit_hold": running.reason("NOT_AUTOMATIC")},
            "deposit_waiting",
            "NOT_AUTOMATIC",
        ),
    ],
)
def test_each_says_why_it_is_still_there(
    gateway: Gateway, shop: Shop, more: dict[str, object], status: str, code: str
) -> None:
    receipts(gateway, shop, "1")
    (place,) = gateway.owners.money
    gateway.owners.money = (place.model_copy(update=more),)
    (item,) = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/clearing").json()["items"]
    assert (item["status"], item["reason"]["code"], item["amount"]) == (status, code, "19.90")
    gateway.owners.money = (place.model_copy(update={"account_role": "BANK"}),)
    assert left(shop) == [], "money that went to the bank itself lies nowhere"


def test_a_summarys_money_is_listed_by_the_summarys_id_and_is_deposited_by_hand(gateway: Gateway, shop: Shop) -> None:
    of_day = {"source_kind": "summary", "source_id": "day-USD-1", "source_number": "day-USD-1", "number": "77"}
    document = running.document_changed(shop, "1", **of_day)
    gateway.owners.money = (
        MoneyPlace(document_key=document.document_key, account="Assets:Undeposited", account_role="UF"),
    )
    gateway.owners.money_kinds[document.document_key] = "summary"
    gateway.publish(document)
    running.eventually(lambda: left(shop) == ["day-USD-1"])
    report = shop.tenant.http.get(f"/v1/companies/{shop.company_id}/clearing").json()
    (item,) = report["items"]
    assert (item["number"], item["order_id"], item["amount"]) == ("77", None, report["ages"][0]["amount"])
    assert (item["status"], item["reason"]["code"]) == ("by_hand", "SUMMARY_NOT_DEPOSITED")


def test_refunds_count_against_what_lies_there(gateway: Gateway, shop: Shop) -> None:
    receipts(gateway, shop, "1")
    gateway.publish(running.document_changed(shop, "1", kind=DocumentKind.REFUND_RECEIPT, amount=Decimal("4.90")))
    path = f"/v1/companies/{shop.company_id}/clearing"
    running.eventually(lambda: shop.tenant.http.get(path).json()["ages"][0]["documents"] == 2)
    assert shop.tenant.http.get(path).json()["ages"][0]["amount"] == "15.00"


def test_a_payment_no_check_keeps_out_has_the_ledgers_own_reason(gateway: Gateway, shop: Shop) -> None:
    refused = running.document_changed(
        shop,
        "1",
        kind=DocumentKind.PAYMENT,
        state=DocumentState.ACTION_REQUIRED,
        reason=running.reason("PERIOD_CLOSED", "the period is closed"),
    )
    gateway.publish(running.order_listed(shop, "1"), running.transactions_listed(shop, "1"), refused)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{refused.document_key}").status_code == 200)
    gateway.owners.payments = (
        PaymentState(
            tender_id="t1",
            method="card",
            amount=Decimal("19.90"),
            currency="USD",
            captured_on=running.MOMENT.date(),
            document_keys=(refused.document_key,),
            in_ledger=False,
            notice=running.reason("PAYMENT_STATED", "the channel only says so"),
        ),
    )
    identifier = order_id(f"{shop.connection_id}/1")
    answer = shop.tenant.http.get(f"/v1/orders/{identifier}/missing-payments").json()
    assert (answer["missing"], answer["payments"][0]["reason"]["code"]) == (1, "PERIOD_CLOSED")
    assert answer["payments"][0]["notice"]["text"] == "the channel only says so"


def test_a_payment_whose_summary_is_in_the_ledger_is_not_missing(gateway: Gateway, shop: Shop) -> None:
    day = running.document_changed(shop, "2026-11-20", source_kind="summary", state=DocumentState.SYNCED)
    gateway.publish(running.order_listed(shop, "1"), running.transactions_listed(shop, "1"), day)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{day.document_key}").status_code == 200)
    gateway.owners.payments = (
        PaymentState(
            tender_id="t1",
            method="card",
            amount=Decimal("19.90"),
            currency="USD",
            captured_on=running.MOMENT.date(),
            document_keys=(day.document_key,),
            in_ledger=False,
            reason=running.reason("PAYMENT_IN_SUMMARY", "part of the summary"),
        ),
    )
    answer = shop.tenant.http.get(f"/v1/orders/{order_id(f'{shop.connection_id}/1')}/missing-payments").json()
    gateway.owners.payments = ()
    (payment,) = answer["payments"]
    assert (answer["missing"], payment["in_ledger"], payment["reason"]) == (0, True, None)
    assert payment["notice"]["code"] == "PAYMENT_IN_SUMMARY"


def test_payments_of_an_order_that_could_not_be_read_are_missing_for_its_own_reason(
    gateway: Gateway, shop: Shop
) -> None:
    gateway.publish(running.order_listed(shop, "1", problem=running.reason("TOTALS_MISMATCH", "60 is not 61", "mend")))
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])
    gateway.owners.payments = None
    refused = shop.tenant.http.get(f"/v1/orders/{order_id(f'{shop.connection_id}/1')}/missing-payments")
    gateway.owners.payments = ()
    said = refused.json()
    assert (refused.status_code, said["code"], said["detail"], said["cure"]) == (
        409,
        "TOTALS_MISMATCH",
        "60 is not 61",
        "mend",
    )


def test_mapper_is_told_what_the_ledger_said_of_the_orders_documents(gateway: Gateway, shop: Shop) -> None:
    taken = running.reason("PAYMENT_DUPLICATE_REFERENCE").model_copy(update={"value": "ch_1"})
    said = {DocumentKind.PAYMENT: taken, DocumentKind.INVOICE: running.reason("SO_NOT_FOUND", "not found")}
    waits = running.reason("DEPENDENCY_FAILED", "what it needs is not there")
    refused = [
        running.document_changed(shop, "1", kind=kind, state=DocumentState.ACTION_REQUIRED, reason=reason)
        for kind, reason in said.items()
    ]
    # Its key comes first, and it only waits for what was refused.
    refused.append(
        running.document_changed(shop, "1", kind=DocumentKind.ESTIMATE, state=DocumentState.BLOCKED, reason=waits)
    )
    gateway.publish(running.order_listed(shop, "1"), running.transactions_listed(shop, "1"), *refused)
    stands = running.document_changed(
        shop, "1", state=DocumentState.ACTION_REQUIRED, reason=waits, standing=Decimal("19.90")
    )
    gateway.publish(stands)
    paths = [f"/v1/documents/{one.document_key}" for one in (*refused, stands)]
    running.eventually(lambda: all(shop.tenant.http.get(path).status_code == 200 for path in paths))
    identifier = order_id(f"{shop.connection_id}/1")
    assert shop.tenant.http.get(f"/v1/orders/{identifier}/missing-payments").status_code == 200
    asked = [body for path, body in gateway.owners.seen if path.endswith("/missing-payments")][-1]
    assert (asked["references"], asked["refused"]["code"]) == (["ch_1"], "SO_NOT_FOUND")
    assert asked["written"] == [stands.document_key]


def test_a_table_guards_formulas_and_leaves_negative_amounts_alone(gateway: Gateway, shop: Shop) -> None:
    evil = running.document_changed(shop, "1", name='=HYPERLINK("http://x")', amount=Decimal("-3.00"))
    gateway.publish(evil)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{evil.document_key}").status_code == 200)
    table = shop.tenant.http.get("/v1/documents.csv", params={"date_from": "2026-11-20", "date_to": "2026-11-20"}).text
    assert "\"'=HYPERLINK(" in table
    assert ",-3.00," in table
    assert shop.tenant.http.get("/v1/documents.csv", params={"date_to": "2026-11-19"}).text.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "kind", "field"),
    [
        (b"name,action\nx,add_prefix\n", "application/json", "header.content-type"),
        (b"name,action\nx,\xff\n", "text/csv", "row 2"),
    ],
)
def test_what_is_no_table_is_refused_with_the_place(shop: Shop, content: bytes, kind: str, field: str) -> None:
    answer = shop.tenant.http.put("/v1/rules.csv", content=content, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["code"]) == (422, "NOT_A_TABLE")
    assert answer.json()["errors"][0]["field"] == field
    large = shop.tenant.http.put("/v1/rules.csv", content=b"x" * 9_000_000, headers={"content-type": "text/csv"})
    assert large.status_code == 413


def paid_out(shop: Shop, *numbers: str) -> PayoutHistory:
    """The payout `po_1` as ingest has it: one charge of each order."""
    lines = tuple(
        PayoutLine(
            external_id=f"l{number}",
            kind="charge",
            amount=Decimal("19.90"),
            fee=Decimal(0),
            order_number=number,
            occurred_on=date(2026, 11, 20),
        )
        for number in numbers
    )
    shared: dict[str, Any] = {
        "connection_id": shop.connection_id,
        "external_id": "po_1",
        "revision": 1,
        "status": "paid",
        "paid_on": date(2026, 11, 21),
        "currency": "USD",
        "net": sum((line.amount for line in lines), Decimal(0)),
    }
    payout = Payout(tenant_id=shop.tenant.tenant_id, processor="payout_csv", **shared, lines=lines)
    summary = PayoutSummary(
        source_id=shop.connection_id,
        format="payout_csv",
        via="upload",
        lines=len(lines),
        problem=None,
        received_at=running.MOMENT,
        **shared,
    )
    return PayoutHistory(summary=summary, payout=payout, parts=())


def test_a_payout_names_every_order_that_failed_with_its_own_reason(gateway: Gateway, shop: Shop) -> None:
    gateway.owners.payouts[shop.connection_id, "po_1"] = paid_out(shop, "#1", "#2", "#3")
    failed = {"state": DocumentState.ACTION_REQUIRED, "ledger_id": ""}
    documents = [
        running.document_changed(shop, "1"),
        running.document_changed(shop, "2", **failed, reason=running.reason("ITEM_INACTIVE", "The item is inactive.")),
        running.document_changed(shop, "3", **failed, reason=running.reason("PERIOD_CLOSED", "The period is closed.")),
    ]
    keys = tuple(document.document_key for document in documents)
    source = {"source_kind": "payout", "source_id": "po_1", "source_number": "po_1"}
    held = running.transactions_listed(
        shop, "x", **source, documents=0, outcome=SetOutcome.HELD,
        reason=running.reason("PAYOUT_INCOMPLETE", "Missing: #9."),
    )  # fmt: skip
    gateway.publish(*(running.order_listed(shop, number) for number in "123"))
    gateway.publish(*documents, held)
    path = f"/v1/connections/{shop.connection_id}/payouts"

    def detail() -> dict[str, Any]:
        found: dict[str, Any] = shop.tenant.http.get(f"{path}/po_1").json()
        return found

    running.eventually(lambda: len(detail()["unwritten"]) == 2 and detail()["payout"]["outcome"] == "held")
    assert detail()["payout"]["reason"]["text"] == (
        "Missing: #9. And these could not be written: "
        "#2 (sales receipt: The item is inactive), #3 (sales receipt: The period is closed)."
    )
    mapped = running.transactions_listed(shop, "x", **source, revision=2, grouped=keys)
    deposit = running.document_changed(
        shop, "x", **source, kind=DocumentKind.DEPOSIT, state=DocumentState.BLOCKED, ledger_id="", blocked_by=keys[1],
        reason=running.reason("DEPENDENCY_FAILED", "Needs sales receipt #2."),
    )  # fmt: skip
    gateway.publish(mapped, deposit)
    running.eventually(lambda: detail()["payout"]["document_key"] == deposit.document_key)
    text = (
        "These parts of the payout are not in the ledger: "
        "#2 (sales receipt: The item is inactive), #3 (sales receipt: The period is closed)."
    )
    assert detail()["payout"]["reason"]["text"] == text
    (row,) = shop.tenant.http.get(path).json()["items"]
    assert row["reason"]["text"] == text
    assert [part["order_number"] for part in detail()["unwritten"]] == ["#2", "#3"]
    gateway.publish(documents[1].model_copy(update={"revision": 2, "state": DocumentState.SYNCED, "reason": None}))
    running.eventually(lambda: [part["order_number"] for part in detail()["unwritten"]] == ["#3"])


def test_failed_documents_of_a_payout_are_found_without_reading_all_others_of_its_shop(
    gateway: Gateway, shop: Shop
) -> None:
    gateway.publish(running.order_listed(shop, "1"), running.document_changed(shop, "1"))
    path = {"company_id": shop.company_id}
    running.eventually(lambda: shop.tenant.http.get("/v1/documents", params=path).json()["items"])
    running.eventually(lambda: shop.tenant.http.get("/v1/orders").json()["items"])
    for table, key, of_order, number in (
        ("orders", "order_key", "external_id", "number"),
        ("documents", "document_key", "source_id", "source_number"),
    ):
        gateway.fetch(
            f"""
            INSERT INTO {table} SELECT (jsonb_populate_record(one,
                jsonb_build_object('{key}', one.{key} || n, '{of_order}', 'o' || n, '{number}', '#o' || n))).*
            FROM {table} one CROSS JOIN generate_series(1, 5000) n WHERE connection_id = $1
            """,
            shop.connection_id,
        )
        gateway.fetch(f"ANALYZE {table}")
    wanted = ["o7"], ["#o8"], ["sales_receipt"], ["in_ledger"]
    asked = shop.tenant.tenant_id, shop.connection_id, *wanted
    assert {row["source_number"] for row in gateway.fetch(payouts.FAILED, *asked)} == {"#o7", "#o8"}
    ((plan,),) = (row.values() for row in gateway.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {payouts.FAILED}", *asked))
    assert _rows_left_out(orjson.loads(plan)[0]["Plan"]) < 100


def _rows_left_out(node: dict[str, Any]) -> int:
    """Rows that a plan read and had no use for."""
    mine = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    return int(mine * node["Actual Loops"]) + sum(_rows_left_out(one) for one in node.get("Plans", ()))


def test_usage_is_listed_by_the_month_whether_or_not_anything_was_written(shop: Shop) -> None:
    path = f"/v1/companies/{shop.company_id}/usage"
    asked = shop.tenant.http.get(path, params={"from": "2025-12-31", "to": "2026-01-01"}).json()
    assert asked["company_id"] == shop.company_id
    assert asked["months"] == [
        {"month": "2025-12-01", "documents": 0, "kinds": {}},
        {"month": "2026-01-01", "documents": 3, "kinds": {"invoice": 2, "sales_order": 1}},
    ]
    year = shop.tenant.http.get(path).json()["months"]
    assert [one["documents"] for one in year] == [0] * 11 + [3]
    refused = shop.tenant.http.get(path, params={"from": "2026-02-01", "to": "2026-01-31"})
    assert (refused.status_code, refused.json()["code"]) == (422, "MONTHS_INVALID")
    assert refused.json()["errors"] == [
        {"field": "query.from", "value": "2026-02-01", "cure": "give a day that is not after `to`"}
    ]
    assert shop.tenant.http.get("/v1/companies/com_none/usage").status_code == 404


def test_the_missing_orders_of_a_payout_are_synced_in_one_call(gateway: Gateway, shop: Shop) -> None:
    path = f"/v1/connections/{shop.connection_id}/payouts/po_1"
    gateway.owners.payouts[shop.connection_id, "po_1"] = paid_out(shop, "1", "2", "3")
    gateway.publish(*(running.order_listed(shop, number) for number in "12"))
    document = running.document_changed(shop, "1")
    gateway.publish(document)
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{document.document_key}").status_code == 200)
    running.eventually(lambda: len(shop.tenant.http.get("/v1/orders").json()["items"]) == 2)

    def asked_by(answer: httpx.Response) -> TaskRequested:
        assert answer.status_code == 202, answer.text
        run_id = answer.json()["run_id"]
        found: TaskRequested = next(state for state in gateway.sent(TaskRequested) if state.run_id == run_id)
        return found

    by_number = asked_by(shop.tenant.http.post(f"{path}/sync-orders"))
    assert (by_number.order_numbers, by_number.window_start) == (("#2", "3"), None)
    gateway.owners.payouts[shop.connection_id, "po_1"] = paid_out(shop, "")
    by_day = asked_by(shop.tenant.http.post(f"{path}/sync-orders"))
    assert by_day.order_numbers == ()
    assert by_day.window_start is not None
    assert by_day.window_end is not None
    assert (by_day.window_end - by_day.window_start).days == 8
    gateway.owners.payouts[shop.connection_id, "po_1"] = paid_out(shop, "1")
    nothing = shop.tenant.http.post(f"{path}/sync-orders")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "NOTHING_MISSING")


def test_deposits_by_hand_are_for_connections_with_payouts(gateway: Gateway, shop: Shop) -> None:
    refused = shop.tenant.http.post(f"/v1/connections/{shop.connection_id}/payouts/po_1/deposit")
    assert (refused.status_code, refused.json()["code"]) == (409, "PAYOUTS_OFF")


def test_documents_of_quickbooks_lead_to_its_own_pages_and_those_of_a_journal_nowhere(
    gateway: Gateway, shop: Shop
) -> None:
    (key,) = receipts(gateway, shop, "1")
    gateway.publish(running.document_changed(shop, "1", revision=2, ledger_id="130"))
    running.eventually(lambda: shop.tenant.http.get(f"/v1/documents/{key}").json()["ledger_id"] == "130")

    def urls() -> set[str]:
        http = shop.tenant.http
        listed = http.get("/v1/documents").json()["items"]
        detail = http.get(f"/v1/orders/{listed[0]['order_id']}").json()
        logged = [one for one in http.get("/v1/sync-log").json()["items"] if one["document_key"] == key]
        report = http.get(f"/v1/companies/{shop.company_id}/clearing").json()
        table = csv.DictReader(io.StringIO(http.get("/v1/documents.csv").text))
        shown = [
            *listed,
            http.get(f"/v1/documents/{key}").json(),
            *detail["documents_found"],
            *logged,
            *report["items"],
        ]
        assert len(shown) == 5
        return {one["ledger_url"] for one in (*shown, *table)}

    assert urls() == {""}
    moved = "UPDATE companies SET ledger = 'quickbooks_online', external_id = '9341' WHERE company_id = $1 RETURNING 1"
    gateway.fetch(moved, shop.company_id)
    page = "salesreceipt%3FtxnId%3D130"
    assert urls() == {f"https://qbo.intuit.com/app/login?pagereq={page}&deeplinkcompanyid=9341"}
