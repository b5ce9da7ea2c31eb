"""Clearing accounts, missing payments and tables at the gateway: what it adds to the owners' answers."""

from decimal import Decimal

import pytest
from tests.integration.api import gateway as running
from tests.integration.api.gateway import Gateway, Shop

from api.ids import order_id
from common.internal.mapper_checks import MoneyPlace, PaymentState
from common.messages.documents import DocumentState
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
        ),
    )
    identifier = order_id(f"{shop.connection_id}/1")
    answer = shop.tenant.http.get(f"/v1/orders/{identifier}/missing-payments").json()
    assert (answer["missing"], answer["payments"][0]["reason"]["code"]) == (1, "PERIOD_CLOSED")


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
