"""What goes wrong on the way, at every kind of write: the end state is that of a run without faults."""

import time
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, line, operation

from common.errors import UpstreamUnavailable
from common.messages.transactions import CustomerWanted, DocumentKind, ItemWanted, LineKind
from ledger_writer.ledgers.abilities import ClosesBooks
from ledger_writer.ledgers.protocol import (
    CompanyRefused,
    ErrorClass,
    NotSent,
    Operation,
    OperationKind,
    Outcome,
    Refused,
    Unanswered,
    Written,
)
from ledger_writer.ledgers.quickbooks_online.adapter import Session
from ledger_writer.ledgers.quickbooks_online.bodies import ENTITIES

JOURNAL = (
    line(LineKind.POSTING, "77.00", None, account=samples.RECEIVABLE),
    line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
)
FEE: dict[str, Any] = {
    "lines": (line(LineKind.FEE, "77.00", None, account=samples.FEES),),
    "customer_key": samples.VENDOR,
    "deposit_to": samples.CHECKING,
}
NEW_MONEY = (
    line(LineKind.POSTING, "-77.00", None, account=samples.INCOME),
    line(LineKind.POSTING, "77.00", None, account=samples.CHECKING),
)
WANTED: dict[str, Operation] = {
    "customer": operation(samples.customer("Bo Ng").model_copy(update={"key": "9" * 32})),
    "item": operation(samples.item("TOWEL-1").model_copy(update={"key": "8" * 32})),
    **{
        kind.value: operation(document(kind, **given))
        for kind, given in (
            (DocumentKind.ESTIMATE, {}),
            (DocumentKind.INVOICE, {}),
            (DocumentKind.SALES_RECEIPT, {}),
            (DocumentKind.CREDIT_MEMO, {}),
            (DocumentKind.REFUND_RECEIPT, {}),
            (DocumentKind.PAYMENT, {}),
            (DocumentKind.REFUND_PAYMENT, {"deposit_to": samples.CHECKING}),
            (DocumentKind.JOURNAL_ENTRY, {"lines": JOURNAL}),
            (DocumentKind.DEPOSIT, {"lines": NEW_MONEY, "deposit_to": samples.CHECKING}),
            (DocumentKind.EXPENSE, FEE),
            (DocumentKind.BILL, FEE),
        )
    },
}


async def write_through(company: Company, session: Session, wanted: Operation, tries: int = 5) -> Written:
    """What a lane does: look up what is not known, raise the generation after a definitive answer, try again."""
    generation = 0
    for _ in range(tries):
        attempt = replace(wanted, idempotency_key=f"{wanted.document_key}{generation}")
        outcome = await company.write(session, attempt)
        if isinstance(outcome, Written):
            return outcome
        if isinstance(outcome, NotSent):
            continue
        found = await session.find([replace(attempt, references={**attempt.references, **company.links})])
        candidates = found.get(wanted.document_key, ())
        named = isinstance(wanted.wanted, CustomerWanted | ItemWanted)
        ours = [one for one in candidates if named or one.mark == wanted.wanted.key[:8]]
        if len(ours) == 1:
            company.links[wanted.document_key] = ours[0].link
            return Written(link=ours[0].link, action="linked")
        assert not ours
        generation += 1
    pytest.fail(f"not written after {tries} tries: {outcome}")


@pytest.mark.parametrize(
    "trouble",
    [
        {"action": "drop_before"},
        {"action": "drop_after"},
        {"action": "timeout_before", "hold_s": 3},
        {"action": "timeout_after", "hold_s": 3},
        {"action": "status", "status": 502},
        {"action": "status", "status": 503},
        {"action": "fault", "code": "10000"},
        {"action": "fault", "code": "5010"},
        {"action": "throttle"},
        {"action": "throttle", "content_type": "application/xml"},
        {"action": "expire_token"},
    ],
    ids=lambda trouble: "-".join(str(value) for value in trouble.values()),
)
async def test_whatever_happens_every_document_is_there_once(company: Company, trouble: dict[str, Any]) -> None:
    async with company.session(request_timeout_s=0.4, connect_timeout_s=0.2, throttled_wait_s=0.05) as session:
        await company.people_and_goods(session)
        for wanted in WANTED.values():
            entity = ENTITIES[wanted.kind]
            before = len(company.stored(entity))
            company.stand_in.fail(entity=entity, operation="save", realm=company.realm, **trouble)
            await write_through(company, session, wanted)
            assert len(company.stored(entity)) == before + 1, wanted.kind
            company.stand_in.steer("DELETE", "/faults")


async def test_an_answer_that_was_lost_is_given_again_for_the_same_attempt(company: Company) -> None:
    wanted = WANTED["sales_receipt"]
    async with company.session(request_timeout_s=0.4, connect_timeout_s=0.2) as session:
        await company.people_and_goods(session)
        company.stand_in.fail(action="timeout_after", entity="SalesReceipt", operation="save", hold_s=2)
        lost = await company.write(session, wanted)
        assert isinstance(lost, Unanswered)
        again = await company.written(session, wanted)
        assert again.action == "created"
        assert len(company.stored("SalesReceipt")) == 1


@pytest.mark.parametrize("how", [OperationKind.UPDATE, OperationKind.VOID])
@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
async def test_a_change_whose_answer_was_lost_can_be_sent_again(
    company: Company, how: OperationKind, action: str
) -> None:
    wanted = WANTED["invoice"]
    sent = "void" if how is OperationKind.VOID else "save"
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, wanted)
        company.stand_in.fail(action=action, entity="Invoice", operation=sent, realm=company.realm)
        assert isinstance(await company.change(session, wanted, how), Unanswered)
        again = await company.change(session, wanted, how)
        assert isinstance(again, Written)
        stored = company.one("Invoice", again.link.ledger_id)
        assert stored["SyncToken"] == "1"
        assert stored["TotalAmt"] == (0 if how is OperationKind.VOID else Decimal("77.00"))


async def test_a_stale_token_is_read_again(company: Company) -> None:
    wanted = WANTED["invoice"]
    async with company.session() as session:
        await company.people_and_goods(session)
        written = await company.written(session, wanted)
        payment = document(DocumentKind.PAYMENT, "10.00")
        paid = operation(payment, applications=((wanted.document_key, Decimal("10.00")),))
        await company.written(session, paid)
        changed = await company.change(session, wanted, OperationKind.UPDATE)
        assert isinstance(changed, Written)
        assert int(changed.link.token) > int(written.link.token) + 1


async def test_a_document_that_keeps_changing_is_left_for_later(company: Company) -> None:
    wanted = WANTED["invoice"]
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, wanted)
        company.stand_in.fail(action="fault", code="5010", entity="Invoice", operation="save", times=None)
        outcome = await company.change(session, wanted, OperationKind.UPDATE)
        assert isinstance(outcome, Refused)
        assert outcome.error_class is ErrorClass.CONFLICT
        updates = company.stand_in.steer("GET", "/counters")["injected:fault"]
        assert updates >= 4


async def test_a_document_deleted_in_the_ledger_is_missed_and_its_void_is_fulfilled(company: Company) -> None:
    wanted = WANTED["refund_receipt"]
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, wanted)
        kept = dict(company.links)
        assert isinstance(await company.change(session, wanted, OperationKind.VOID), Written)
        company.links = kept
        updated = await company.change(session, replace(wanted), OperationKind.UPDATE)
        assert isinstance(updated, Refused)
        assert updated.reason.code == "LEDGER_DELETED"
        facts = await session.facts({wanted.document_key: kept[wanted.document_key]})
        assert facts.missing == {wanted.document_key}
        company.links = kept
        attempt = replace(wanted, idempotency_key="another attempt")
        again = await company.change(session, attempt, OperationKind.VOID)
        assert isinstance(again, Written)


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "status", "expire_token"])
async def test_what_is_applied_later_is_applied_once_though_trouble_passed(company: Company, action: str) -> None:
    invoice, memo = WANTED["invoice"], WANTED["credit_memo"]
    wanted = replace(memo, applications=((invoice.document_key, Decimal("77.00")),))
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, invoice)
        company.stand_in.fail(action=action, status=503, entity="Payment", operation="create", realm=company.realm)
        first = await company.write(session, wanted)
        if not isinstance(first, Written):
            assert isinstance(first, Unanswered)
            found = await session.find([wanted])
            company.links[wanted.document_key] = found[wanted.document_key][0].link
            again = await company.change(session, wanted, OperationKind.UPDATE)
            assert isinstance(again, Written)
            assert (again.notices, again.applied) == ((), None)
        assert len(company.stored("Payment")) == len(company.stored("CreditMemo")) == 1
        assert company.one("Invoice", company.links[invoice.document_key].ledger_id)["Balance"] == 0


async def test_an_application_that_is_refused_counts_as_not_made(company: Company) -> None:
    invoice, memo = WANTED["invoice"], WANTED["credit_memo"]
    wanted = replace(memo, applications=((invoice.document_key, Decimal("77.00")),))
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, invoice)
        company.stand_in.fail(action="fault", code="620", entity="Payment", operation="create", realm=company.realm)
        written = await company.written(session, wanted)
        assert ([notice.code for notice in written.notices], written.applied) == (["NOT_APPLIED"], ())


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "status", "throttle", "expire_token"])
async def test_a_file_hangs_on_its_document_once_though_trouble_passed(company: Company, action: str) -> None:
    async with company.session(throttled_wait_s=0.05) as session:
        await company.people_and_goods(session)
        written = await company.written(session, WANTED["deposit"])
        company.stand_in.fail(action=action, status=503, operation="upload", realm=company.realm)
        attached = await session.attach(written.link, file_name="o.csv", content_type="text/csv", file=b"order\n1\n")
        assert [file["Id"] for file in company.stored("Attachable")] == [attached]


@pytest.mark.parametrize("name", ["customer", "item", "invoice"])
async def test_a_request_id_that_was_used_costs_another_try_and_no_name(company: Company, name: str) -> None:
    wanted = WANTED[name]
    async with company.session() as session:
        await company.people_and_goods(session)
        before = {row.get("DisplayName") or row.get("Name") for row in company.stored(ENTITIES[wanted.kind])}
        outcome = await outcome_of(company, session, wanted, code="600", operation="create")
        assert isinstance(outcome, Refused)
        assert (outcome.error_class, outcome.reason.code) == (ErrorClass.CONFLICT, "REQUEST_REPEATED")
        assert {row.get("DisplayName") or row.get("Name") for row in company.stored(ENTITIES[wanted.kind])} == before
        await company.written(session, replace(wanted, idempotency_key="another attempt"))


async def test_throttling_is_waited_out_and_never_reported(company: Company) -> None:
    async with company.session(throttled_wait_s=0.3) as session:
        await company.people_and_goods(session)
        company.stand_in.fail(action="throttle", entity="SalesReceipt", realm=company.realm)
        started = time.monotonic()
        written = await company.written(session, WANTED["sales_receipt"])
        assert time.monotonic() - started >= 0.3
        assert written.notices == ()


async def test_a_company_that_keeps_refusing_for_its_limits_costs_nobody_an_attempt(company: Company) -> None:
    async with company.session(throttled_wait_s=0.01) as session:
        await company.people_and_goods(session)
        company.stand_in.fail(action="throttle", entity="SalesReceipt", realm=company.realm, times=None)
        outcome = await company.write(session, WANTED["sales_receipt"])
        assert isinstance(outcome, NotSent)


async def test_nothing_is_sent_once_the_lease_could_end(company: Company) -> None:
    allowed = True
    file = company.file(may_send=lambda: allowed)
    async with company.session(file) as session:
        await company.people_and_goods(session)
        before = company.stand_in.steer("GET", "/counters")["requests"]
        allowed = False
        outcome = await company.write(session, WANTED["sales_receipt"])
        assert isinstance(outcome, NotSent)
        assert company.stand_in.steer("GET", "/counters")["requests"] == before


async def outcome_of(company: Company, session: Session, wanted: Operation, **fault: Any) -> Outcome:
    company.stand_in.fail(action="fault", entity=ENTITIES[wanted.kind], realm=company.realm, **fault)
    return await company.write(session, wanted)


@pytest.mark.parametrize(
    ("code", "error_class", "reason"),
    [
        ("6190", ErrorClass.PERMISSION, "SUBSCRIPTION_ENDED"),
        ("140", ErrorClass.PERMISSION, "COMPANY_LOCKED"),
        ("6200", ErrorClass.PERIOD, "PERIOD_CLOSED"),
        ("2500", ErrorClass.CONFIG, "REFERENCE_INVALID"),
        ("6430", ErrorClass.CONFIG, "ACCOUNT_TYPE_WRONG"),
        ("2050", ErrorClass.DATA, "TEXT_TOO_LONG"),
        ("6540", ErrorClass.DATA, "DEPOSITED"),
        ("10000", ErrorClass.TRANSIENT, "LEDGER_UNAVAILABLE"),
    ],
)
async def test_a_refusal_is_told_with_its_class_and_cure(
    company: Company, code: str, error_class: ErrorClass, reason: str
) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        outcome = await outcome_of(company, session, WANTED["sales_receipt"], code=code, operation="save")
        assert isinstance(outcome, Refused)
        assert (outcome.error_class, outcome.reason.code) == (error_class, reason)
        assert outcome.reason.cure
        assert "secret" not in outcome.raw
        follows = await company.write(session, WANTED["invoice"])
        assert isinstance(follows, NotSent if outcome.stops_company else Written)


async def test_a_lapsed_subscription_stops_the_company_and_sends_nothing_more(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        company.stand_in.steer("PATCH", f"/companies/{company.realm}", {"subscription": "lapsed"})
        wanted = [
            replace(operation(document(DocumentKind.SALES_RECEIPT, source_id=str(number))), references=company.links)
            for number in range(40)
        ]
        outcomes = [outcome async for _, outcome in session.write(wanted)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
        assert all(outcome.stops_company for outcome in refused)
        assert 1 <= len(refused) <= 10
        assert len(outcomes) - len(refused) == sum(1 for outcome in outcomes if isinstance(outcome, NotSent))


async def test_a_session_tells_the_day_through_which_the_ledger_closed_its_books(company: Company) -> None:
    async with company.session() as session:
        assert isinstance(session, ClosesBooks)
        assert await session.closed_through() is None
        await company.close_books(session, "2026-06-30")
    async with company.session() as session:
        assert await session.closed_through() == date(2026, 6, 30)
        company.stand_in.fail(action="expire_token", entity="*", operation="*", realm=company.realm, times=None)
    async with company.session() as session:
        with pytest.raises(CompanyRefused):
            await session.closed_through()


async def test_a_closed_period_is_told_as_such(company: Company) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.close_books(session, "2026-06-30")
        outcome = await company.write(session, WANTED["sales_receipt"])
        assert isinstance(outcome, Refused)
        assert (outcome.error_class, outcome.reason.code) == (ErrorClass.PERIOD, "PERIOD_CLOSED")


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (
            '{"Fault":{"Error":[{"Message":"m","Detail":"d","code":"6200"}],"type":"ValidationFault"}}',
            "json",
            "refused",
        ),
        ("<html>welcome to the hotel network</html>", "html", "unanswered"),
        ('{"SalesReceipt":', "json", "unanswered"),
        ('{"Invoice":{"Id":"1"}}', "json", "unanswered"),
        ('{"SalesReceipt":{"SyncToken":"0"}}', "json", "unanswered"),
        ("[" * 5000, "json", "unanswered"),
    ],
)
async def test_an_accepted_answer_is_believed_only_if_it_holds_the_document(
    company: Company, body: str, content_type: str, expected: str
) -> None:
    async with company.session() as session:
        await company.people_and_goods(session)
        company.stand_in.fail(
            action="status",
            status=200,
            body=body,
            content_type=f"text/{content_type}",
            entity="SalesReceipt",
            realm=company.realm,
        )
        outcome = await company.write(session, WANTED["sales_receipt"])
    assert isinstance(outcome, Refused if expected == "refused" else Unanswered)


async def test_an_answer_larger_than_the_bound_is_not_read(company: Company) -> None:
    async with company.session(answer_bytes_max=20_000) as session:
        with pytest.raises(UpstreamUnavailable):
            _ = [page async for page in session.lists(["accounts"])]


async def test_a_ledger_that_is_not_there_costs_nobody_an_attempt(company: Company) -> None:
    async with company.session(api_url="http://127.0.0.1:9") as session:
        outcome = await company.write(session, WANTED["customer"])
        assert isinstance(outcome, NotSent)
        with pytest.raises(UpstreamUnavailable):
            await session.find([WANTED["customer"]])
