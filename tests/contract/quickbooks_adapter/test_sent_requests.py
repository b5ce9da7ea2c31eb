"""Every request that leaves the adapter, caught on the wire and judged by Intuit's schema and rules."""

from collections import Counter
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter import check, samples
from tests.unit.quickbooks_adapter.samples import document, line, operation
from tests.unit.quickbooks_adapter.schema import schema

from common.messages.transactions import DocumentKind, LineKind
from ledger_writer.ledgers.protocol import Operation, OperationKind, Written
from ledger_writer.ledgers.quickbooks_online.adapter import Session
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES
from ledger_writer.ledgers.quickbooks_online.numbers import loads

pytestmark = pytest.mark.vendor

NAMES = {entity.lower(): entity for entity in ENTITIES.values()}


class Wire:
    """Every write that a session sends."""

    def __init__(self, session: Session) -> None:
        self.requests: list[httpx.Request] = []
        session._client._http.event_hooks["request"].append(self._caught)

    async def _caught(self, request: httpx.Request) -> None:
        self.requests.append(request)

    def bodies(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(entity, operation, body) of every write, batches opened."""
        found: list[tuple[str, str, dict[str, Any]]] = []
        for request in self.requests:
            name = request.url.path.rpartition("/")[2]
            if request.method != "POST" or name == "query":
                continue
            content = loads(request.content)
            if name == "batch":
                for item in content["BatchItemRequest"]:
                    entity = next(key for key in item if key not in ("bId", "operation"))
                    found.append((entity, item["operation"], item[entity]))
                continue
            how = request.url.params.get("include") or request.url.params.get("operation") or "save"
            found.append((NAMES[name], how, content))
        return found


async def a_bit_of_everything(company: Company, session: Session) -> list[Operation]:
    """Every kind of document, written once; returns what may be changed afterwards."""
    invoice = document(DocumentKind.INVOICE, billing_address=samples.address(), email="ada@example.com")
    other = document(DocumentKind.INVOICE, source_id="1002")
    estimate = document(DocumentKind.ESTIMATE, source_id="1003")
    payment = document(DocumentKind.PAYMENT, "30.00", payment_method="Visa", reference="ch_1")
    loose = document(DocumentKind.PAYMENT, "20.00", source_id="1005")
    credit = document(
        DocumentKind.CREDIT_MEMO, "10.00", source_id="1002", lines=(line(amount="10.00", taxable=False),), taxes=()
    )
    receipt = document(DocumentKind.SALES_RECEIPT)
    refund = document(DocumentKind.REFUND_RECEIPT, source_id="1006")
    back = document(DocumentKind.REFUND_PAYMENT, "20.00", source_id="1005", deposit_to=samples.CHECKING)
    deposit = document(
        DocumentKind.DEPOSIT,
        "74.47",
        deposit_to=samples.CHECKING,
        lines=(
            line(LineKind.GROUPED_DOCUMENT, "-77.00", None, account=samples.FUNDS, document_key=receipt.key),
            line(LineKind.POSTING, "2.53", None, account=samples.FEES),
            line(LineKind.POSTING, "74.47", None, account=samples.CHECKING),
        ),
    )
    journal = document(
        DocumentKind.JOURNAL_ENTRY,
        lines=(
            line(LineKind.POSTING, "5.00", None, account=samples.RECEIVABLE),
            line(LineKind.POSTING, "-5.00", None, account=samples.INCOME),
        ),
    )
    bought: dict[str, Any] = {"lines": (line(amount="20.00", quantity="2", unit_price="10.00"),)}
    bought["customer_key"] = samples.VENDOR
    order = document(DocumentKind.PURCHASE_ORDER, "20.00", **bought)
    bill = document(DocumentKind.BILL, "20.00", **bought)
    expense = document(DocumentKind.EXPENSE, "20.00", deposit_to=samples.CHECKING, **bought)
    changeable = [
        operation(invoice),
        operation(other),
        operation(estimate),
        operation(payment, applications=((invoice.key, Decimal("30.00")),)),
        operation(loose),
        operation(refund),
        operation(order),
        operation(bill),
        operation(expense),
        operation(journal),
    ]
    for one in changeable:
        await company.written(session, one)
    for one in (
        operation(receipt),
        operation(deposit),
        operation(credit, applications=((other.key, Decimal("10.00")),)),
        operation(back, applications=((loose.key, Decimal("20.00")),)),
    ):
        written = await company.written(session, one)
        assert written.notices == (), one.kind
    return changeable


async def test_everything_on_the_wire_is_what_intuit_publishes(company: Company) -> None:
    async with company.session() as session:
        wire = Wire(session)
        await company.people_and_goods(session)
        many = [
            operation(samples.customer(f"Customer {number}").model_copy(update={"key": f"{number:032x}"}))
            for number in range(3)
        ]
        assert all(isinstance(outcome, Written) for _, outcome in [one async for one in session.write(many)])
        for one in await a_bit_of_everything(company, session):
            await company.change(session, one, OperationKind.UPDATE)
            await company.change(session, one, OperationKind.VOID)
    kinds: Counter[tuple[str, str]] = Counter()
    for entity, how, body in wire.bodies():
        kinds[entity, how] += 1
        assert schema().problems(entity, body) == [], (entity, how)
        if how in ("save", "create"):
            assert check.problems(entity, body, update="Id" in body) == [], (entity, how)
        else:
            assert {"Id", "SyncToken"} <= body.keys()
    assert {entity for entity, _ in kinds} == set(NAMES.values())
    assert kinds["Invoice", "void"] == 2
    assert kinds["Customer", "create"] == 3
    print("\n".join(f"{entity:15}{how:8}{count:4}" for (entity, how), count in sorted(kinds.items())))


async def test_every_write_is_marked_as_one_attempt_and_asks_for_json(company: Company) -> None:
    async with company.session() as session:
        wire = Wire(session)
        await company.people_and_goods(session)
        await a_bit_of_everything(company, session)
    identities = []
    for request in wire.requests:
        assert request.headers["accept"] == "application/json"
        assert request.url.params["minorversion"] == "75"
        assert request.headers["authorization"].startswith("Bearer ")
        name = request.url.path.rpartition("/")[2]
        if request.method == "POST" and name != "query":
            identities.append(request.url.params["requestid"])
            assert len(identities[-1]) <= (36 if name == "batch" else 50)
    assert len(identities) == len(set(identities))
