"""Why, what if and where, asked of the running mapper."""

import pytest
from tests.integration.mapper.conftest import Service
from tests.unit.mapper.samples import connection, example_a
from tests.unit.mapper.test_payouts import CHARGES, REFUND, SALES, payout
from tests.unit.mapper.test_summaries import O1

from common.messages.transactions import DocumentKind, SetOutcome

MONEY = {DocumentKind.SALES_RECEIPT, DocumentKind.REFUND_RECEIPT}


async def test_money_knows_its_account_its_payout_and_its_deposit(mapper: Service) -> None:
    await mapper.configure(connection("sales_receipts", payouts={"enabled": True}))
    await mapper.send(*SALES)
    asked = []
    for sale in SALES:
        result = await mapper.set_of(sale.external_id)
        asked += [
            {"document_key": one.key, "connection_id": "shop-1", "source_id": sale.external_id}
            for one in result.documents
            if one.kind in MONEY
        ]
    question = {"tenant_id": "tenant", "company_id": "books-1", "documents": asked}
    async with mapper.http() as client:
        early = (await client.post("/internal/money", json=question)).json()["places"]
        assert {(place["account_role"], place["payout_id"], place["deposit_key"]) for place in early} == {
            ("UF", None, None)
        }
        await mapper.send(payout("209.91", *CHARGES, REFUND))
        deposited = await mapper.set_of("po_1")
        while deposited.outcome is not SetOutcome.MAPPED:
            deposited = await mapper.set_of("po_1", revision=deposited.revision + 1)
        late = (await client.post("/internal/money", json=question)).json()["places"]
        assert len(late) == len(early) == len(asked)
        assert {(place["payout_id"], place["deposit_key"]) for place in late} == {("po_1", deposited.documents[0].key)}
        strange = (await client.post("/internal/money", json={**question, "tenant_id": "other"})).json()
        assert strange == {"places": []}


async def test_the_money_of_a_days_summary_has_its_account_too(mapper: Service) -> None:
    await mapper.configure(connection("summary_sales_receipt"))
    await mapper.send(O1)
    await mapper.set_of(O1.external_id)
    await mapper.settle()
    (summary,) = (one for one in mapper.sets.values() if one.source_kind == "summary")
    (receipt,) = summary.documents
    document = {"document_key": receipt.key, "connection_id": "shop-1", "source_id": summary.source_id}
    question = {"tenant_id": "tenant", "company_id": "books-1", "documents": [{**document, "source_kind": "summary"}]}
    async with mapper.http() as client:
        (place,) = (await client.post("/internal/money", json=question)).json()["places"]
    assert (place["document_key"], place["account_role"]) == (receipt.key, "UF")


async def test_a_payment_of_a_summarised_order_names_the_summary(mapper: Service) -> None:
    await mapper.configure(connection("summary_sales_receipt"))
    await mapper.send(O1)
    await mapper.set_of(O1.external_id)
    await mapper.settle()
    (summary,) = (one for one in mapper.sets.values() if one.source_kind == "summary")
    key = summary.documents[0].key
    question = {"tenant_id": "tenant", "company_id": "books-1", "order_key": f"shop-1/{O1.external_id}"}
    async with mapper.http() as client:
        for written in ([], [key]):
            answer = await client.post("/internal/missing-payments", json={**question, "written": written})
            (payment,) = answer.json()["payments"]
            assert (payment["document_keys"], payment["in_ledger"]) == ([key], bool(written))
            assert (payment["reason"] or {}).get("code") == (None if written else "PAYMENT_IN_SUMMARY")


async def test_a_payment_is_missing_until_its_invoice_is_written(mapper: Service) -> None:
    await mapper.configure(connection("invoices_payments_if_paid"))
    sale = example_a()
    await mapper.send(sale)
    result = await mapper.set_of(sale.external_id)
    question = {"tenant_id": "tenant", "company_id": "books-1", "order_key": sale.key}
    refused = {"code": "PERIOD_CLOSED", "text": "The period is closed.", "severity": "error"}
    async with mapper.http() as client:

        async def reasons(**more: object) -> list[tuple[bool, str | None]]:
            answer = await client.post("/internal/missing-payments", json={**question, **more})
            assert answer.status_code == 200, answer.text
            payments = answer.json()["payments"]
            assert [one["notice"] for one in payments] == [None]
            return [(one["in_ledger"], one["reason"] and one["reason"]["code"]) for one in payments]

        assert await reasons() == [(False, "PAYMENT_INVOICE_MISSING")]
        assert await reasons(refused=refused) == [(False, "PAYMENT_INVOICE_MISSING")]
        invoice = [one.key for one in result.documents if one.kind is DocumentKind.INVOICE]
        assert await reasons(written=invoice) == [(False, None)]
        assert await reasons(written=invoice, references=["ch_t1"]) == [(False, "PAYMENT_DUPLICATE_REFERENCE")]
        assert await reasons(written=[one.key for one in result.documents]) == [(True, None)]
        stranger = await client.post("/internal/missing-payments", json={**question, "tenant_id": "other"})
        assert stranger.status_code == 404


@pytest.mark.parametrize("mode", ["sales_receipts", "invoices_payments_if_paid"])
async def test_a_payment_that_stands_in_the_ledger_is_not_missing_once_its_order_is_left_out(
    mapper: Service, mode: str
) -> None:
    await mapper.configure(connection(mode))
    sale = example_a()
    await mapper.send(sale)
    written = [one.key for one in (await mapper.set_of(sale.external_id)).documents]
    rule = {"tenant_id": "tenant", "name": "out", "definition": {"action": "do_not_import"}}
    question = {"tenant_id": "tenant", "company_id": "books-1", "order_key": sale.key}
    async with mapper.http() as client:
        assert (await client.post("/internal/rules", json=rule)).status_code == 201
        assert (await mapper.set_of(sale.external_id, revision=2)).outcome is SetOutcome.FILTERED
        for keys, there in ((written, True), ([], False)):
            answer = await client.post("/internal/missing-payments", json={**question, "written": keys})
            (payment,) = answer.json()["payments"]
            assert (payment["in_ledger"], payment["reason"] is None) == (there, there)
            assert set(payment["document_keys"]) == (set(written[-1:]) if there else set())


async def test_a_payment_that_the_channel_only_states_is_one_with_a_notice(mapper: Service) -> None:
    await mapper.configure(connection("invoices_payments_if_paid"))
    sale = example_a(tenders=())
    await mapper.send(sale)
    result = await mapper.set_of(sale.external_id)
    question = {"tenant_id": "tenant", "company_id": "books-1", "order_key": sale.key}
    async with mapper.http() as client:
        for written, reason in ((False, "PAYMENT_INVOICE_MISSING"), (True, None)):
            keys = [one.key for one in result.documents] if written else []
            answer = await client.post("/internal/missing-payments", json={**question, "written": keys})
            (payment,) = answer.json()["payments"]
            assert (payment["tender_id"], payment["amount"]) == ("stated-as-paid", "77.00")
            assert payment["in_ledger"] == written
            assert (payment["reason"] and payment["reason"]["code"]) == reason
            said = payment["notice"]
            assert (said["code"], said["field"], said["value"]) == ("PAYMENT_STATED", "financial_status", "paid")


async def test_drafts_run_beside_saved_rules_and_stand_in_for_them(mapper: Service) -> None:
    await mapper.configure(connection("invoices_only"))
    sale = example_a()
    await mapper.send(sale)
    await mapper.set_of(sale.external_id)
    saved = {"tenant_id": "tenant", "name": "prefix", "definition": {"action": "add_prefix", "value": "AZ"}}
    question = {"tenant_id": "tenant", "order_keys": [sale.key, "shop-1/none"]}
    async with mapper.http() as client:
        rule_id = (await client.post("/internal/rules", json=saved)).json()["rule_id"]
        await mapper.set_of(sale.external_id, revision=2)

        async def run(*drafts: dict[str, object], **more: object) -> list[tuple[str, bool, list[str]]]:
            answer = await client.post("/internal/rules/dry-run", json={**question, "drafts": drafts, **more})
            assert answer.json()["missing"] == ["shop-1/none"]
            (order,) = answer.json()["orders"]
            return [(one["name"], one["matched"], [each["after"] for each in one["changes"]]) for one in order["rules"]]

        assert await run() == [("prefix", True, ["AZ"])]
        definition: dict[str, object] = {"action": "add_prefix", "value": "EB"}
        stand_in: dict[str, object] = {"rule_id": rule_id, "name": "prefix", "definition": definition}
        assert await run(stand_in) == [("prefix", True, ["EB"])]
        never: dict[str, object] = {"name": "never", "definition": {**definition, "connections": ["another"]}}
        assert await run(never, only_drafts=True) == [("never", False, [])]
        broken = {"name": "x", "definition": {"action": "add_prefixx", "value": "A"}}
        refused = await client.post("/internal/rules/dry-run", json={**question, "drafts": [broken]})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "drafts.0.definition.action")
    assert mapper.sets[sale.external_id].revision == 2, "nothing is saved by trying"


async def test_a_restore_saves_all_or_nothing(mapper: Service) -> None:
    await mapper.configure(connection("invoices_only"))
    fine = {"name": "prefix", "definition": {"action": "add_prefix", "value": "AZ"}}
    wrong = {"name": "odd", "definition": {"action": "map_sku", "value": "X",
             "conditions": [{"field": "skuu", "comparison": "equals", "value": "1"}]}}  # fmt: skip
    entries = [{"connection_id": "*", "source": "A", "target": "Apples"}]
    body = {"tenant_id": "tenant", "rules": [fine, wrong], "entries": entries, "dry_run": False}
    async with mapper.http() as client:
        refused = (await client.post("/internal/restore", json=body)).json()
        assert [problem["field"] for problem in refused["problems"]] == ["rules.1.definition.conditions.0.field"]
        assert (await client.get("/internal/rules", params={"tenant_id": "tenant"})).json()["items"] == []
        dry = (await client.post("/internal/restore", json={**body, "rules": [fine], "dry_run": True})).json()
        done = (await client.post("/internal/restore", json={**body, "rules": [fine]})).json()
        assert dry == done
        assert (done["rules_created"], done["entries_saved"]) == (1, 1)
        again = (await client.post("/internal/restore", json={**body, "rules": [fine]})).json()
        assert (again["rules_unchanged"], again["entries_unchanged"]) == (1, 1)
        twice = (await client.post("/internal/restore", json={**body, "rules": [fine, fine]})).json()
        assert [problem["field"] for problem in twice["problems"]] == ["rules.1.name"]
