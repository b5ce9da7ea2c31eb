"""Whose is it? Names that are taken, numbers that are there, documents found again by their mark."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, operation

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import (
    ErrorClass,
    LedgerLink,
    Operation,
    OperationKind,
    Refused,
    Unanswered,
    Written,
)

NAME = "Paper Mill"


async def test_a_name_that_a_customer_has_is_that_customer(company: Company) -> None:
    async with company.session() as session:
        first = await company.written(session, operation(samples.customer(NAME)))
        other = samples.customer(" paper  MILL ").model_copy(update={"key": "7" * 32})
        second = await company.written(session, operation(other))
        assert second.action == "linked"
        assert second.link.ledger_id == first.link.ledger_id


async def test_a_name_that_a_vendor_has_gets_a_suffix_once(company: Company) -> None:
    async with company.session() as session:
        vendor = samples.customer(NAME).model_copy(update={"key": samples.VENDOR})
        await company.written(session, operation(vendor, DocumentKind.VENDOR))
        made = await company.written(session, operation(samples.customer(NAME)))
        assert made.link.name == "Paper Mill (C)"
        assert [notice.code for notice in made.notices] == ["NAME_SUFFIXED"]
        again = await company.written(session, operation(samples.customer(NAME), attempt="g2"))
        assert (again.action, again.link.ledger_id) == ("linked", made.link.ledger_id)


async def test_a_name_whose_suffix_is_taken_too_gets_the_next(company: Company) -> None:
    async with company.session() as session:
        for key, name in (("1", NAME), ("2", f"{NAME} (C)")):
            vendor = samples.customer(name).model_copy(update={"key": key * 32})
            await company.written(session, operation(vendor, DocumentKind.VENDOR))
        made = await company.written(session, operation(samples.customer(NAME)))
        assert made.link.name == "Paper Mill (C)-1"


async def test_an_item_of_that_name_is_linked_and_one_with_another_sku_is_not(company: Company) -> None:
    async with company.session() as session:
        await company.written(session, operation(samples.item("Mug", sku="A-1")))
        linked = await company.written(session, operation(samples.item("Mug"), attempt="g2"))
        assert linked.action == "linked"
        wanted = samples.item("Mug", sku="B-2", match_field="sku")
        refused = await company.write(session, operation(wanted, attempt="g3"))
        assert isinstance(refused, Refused)
        assert (refused.error_class, refused.reason.code) == (ErrorClass.CONFIG, "PRODUCT_NAME_TAKEN")


async def test_an_inactive_item_waits_for_a_person(company: Company) -> None:
    wanted = operation(samples.item("Mug"))
    async with company.session() as session:
        await company.written(session, wanted)
        await company.change(session, wanted, OperationKind.VOID)
        (found,) = (await session.find([wanted])).get(wanted.document_key, ()) or (None,)
        assert found is None or not found.active


async def test_a_number_that_is_there_with_our_mark_is_ours(company: Company) -> None:
    wanted = operation(document(DocumentKind.SALES_RECEIPT))
    async with company.session() as session:
        await company.people_and_goods(session)
        first = await company.written(session, wanted)
        again = await company.written(session, replace(wanted, idempotency_key="after a restore of our database"))
        assert (again.action, again.link.ledger_id) == ("linked", first.link.ledger_id)
        assert len(company.stored("SalesReceipt")) == 1


async def test_a_number_of_another_shop_is_a_collision(company: Company) -> None:
    wanted = document(DocumentKind.SALES_RECEIPT)
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, operation(wanted))
        other = wanted.model_copy(update={"key": "0a1b2c3d" * 4})
        refused = await company.write(session, operation(other))
        assert isinstance(refused, Refused)
        assert (refused.error_class, refused.reason.code) == (ErrorClass.LOOKUP, "NUMBER_COLLISION")
        found = await session.find([operation(other)])
        assert [one.mark for one in found[other.key]] == [wanted.mark]


async def test_every_document_is_found_again_by_what_it_carries(company: Company) -> None:
    numbered = [operation(document(DocumentKind.INVOICE, source_id=str(number))) for number in range(5)]
    payments = [operation(document(DocumentKind.PAYMENT, source_id=str(number))) for number in range(5)]
    unnumbered = [operation(document(DocumentKind.SALES_RECEIPT, source_id=str(9), number=None))]
    async with company.session() as session:
        await company.people_and_goods(session)
        absent = [operation(document(DocumentKind.INVOICE, source_id="none"))]
        wanted = [*numbered, *payments, *unnumbered]
        for one in wanted:
            await company.written(session, one)
        before = session._client.requests
        found = await session.find([*wanted, *absent])
        assert session._client.requests - before == 3
        assert {key: found[key][0].link.ledger_id for key in found} == {
            one.document_key: company.links[one.document_key].ledger_id for one in wanted
        }
        assert all(len(candidates) == 1 for candidates in found.values())
        assert found[wanted[0].document_key][0].customer == company.links[samples.CUSTOMER].ledger_id


async def test_a_voided_document_is_history(company: Company) -> None:
    wanted = operation(document(DocumentKind.INVOICE))
    async with company.session() as session:
        await company.people_and_goods(session)
        await company.written(session, wanted)
        await company.change(session, wanted, OperationKind.VOID)
        (found,) = (await session.find([wanted]))[wanted.document_key]
        assert not found.active


async def test_a_voided_document_that_is_wanted_again_is_restored_under_its_number(company: Company) -> None:
    wanted = document(DocumentKind.INVOICE)
    async with company.session() as session:
        await company.people_and_goods(session)
        first = await company.written(session, operation(wanted))
        await company.change(session, operation(wanted), OperationKind.VOID)
        again = await company.written(session, operation(wanted, attempt="g2"))
        assert (again.action, again.link.ledger_id, again.link.total) == (
            "restored",
            first.link.ledger_id,
            wanted.total,
        )
        (stored,) = company.stored("Invoice")
        assert (stored["PrivateNote"], stored["TotalAmt"]) == (wanted.memo, wanted.total)


async def test_a_look_up_starts_where_the_document_was(company: Company) -> None:
    wanted = operation(document(DocumentKind.INVOICE))
    async with company.session() as session:
        await company.people_and_goods(session)
        written = await company.written(session, wanted)
        link = LedgerLink(written.link.ledger_id)
        moved = document(DocumentKind.INVOICE, number="renumbered").model_copy(update={"key": "0a1b2c3d" * 4})
        found = await session.find([replace(operation(moved), former=link)])
        assert [one.link.ledger_id for one in found[moved.key]] == [written.link.ledger_id]


async def test_quotes_and_backslashes_in_names_find_their_customer(company: Company) -> None:
    async with company.session() as session:
        names = ("Amy's Bird Sanctuary", "Back\\slash & Sons", 'He said "hi" + 1', "Überall GmbH")
        wanted = [
            operation(samples.customer(name).model_copy(update={"key": str(number) * 32}))
            for number, name in enumerate(names)
        ]
        for one in wanted:
            await company.written(session, one)
        found = await session.find(wanted)
        assert {key: candidates[0].link.name for key, candidates in found.items()} == {
            one.document_key: name for one, name in zip(wanted, names, strict=True)
        }


async def test_facts_tell_what_changed_in_the_ledger(company: Company) -> None:
    wanted = operation(document(DocumentKind.INVOICE))
    async with company.session() as session:
        await company.people_and_goods(session)
        written = await company.written(session, wanted)
        untouched = await session.facts({wanted.document_key: written.link})
        assert not untouched.changed
        body = {"Id": written.link.ledger_id, "SyncToken": written.link.token, "sparse": True, "PrivateNote": "by hand"}
        await session._client.update("Invoice", body, "by hand")
        facts = await session.facts({wanted.document_key: written.link})
        assert facts.changed == {wanted.document_key: "1"}
        assert facts.open_balance == {wanted.document_key: Decimal("77.00")}


async def test_far_dates_do_not_widen_the_window(company: Company) -> None:
    near = document(DocumentKind.PAYMENT)
    far = document(DocumentKind.PAYMENT, source_id="2", date=near.date + timedelta(days=200))
    async with company.session() as session:
        await company.people_and_goods(session)
        for wanted in (near, far):
            written = await company.written(session, operation(wanted))
            assert isinstance(written, Written)
        found = await session.find([operation(near), operation(far)])
        assert {key: len(candidates) for key, candidates in found.items()} == {near.key: 1, far.key: 1}


async def test_an_invoice_by_hand_is_found_as_far_back_as_its_connection_looks(company: Company) -> None:
    by_hand = document(DocumentKind.INVOICE, number=None)
    numbered_by_ledger = [
        document(DocumentKind.INVOICE, source_id=source, number=None, memo_number="1001", **asked)
        for source, asked in (
            ("20 days later", {"date": by_hand.date + timedelta(days=20)}),
            (
                "20 days later, of a shop that looks further",
                {"date": by_hand.date + timedelta(days=20), "lookup_days": 30},
            ),
            ("7 days later", {"date": by_hand.date + timedelta(days=7)}),
            ("8 days later", {"date": by_hand.date + timedelta(days=8)}),
        )
    ]
    async with company.session() as session:
        await company.people_and_goods(session)
        link = (await company.written(session, operation(by_hand))).link
        body = {"Id": link.ledger_id, "SyncToken": link.token, "sparse": True, "PrivateNote": "1001"}
        await session._client.update("Invoice", body, "by hand")
        found = await session.find([operation(one) for one in numbered_by_ledger])
        assert [[one.link.ledger_id for one in found.get(wanted.key, ())] for wanted in numbered_by_ledger] == [
            [],
            [link.ledger_id],
            [link.ledger_id],
            [],
        ]


async def test_a_payment_by_hand_is_found_by_its_reference_and_by_no_part_of_it(company: Company) -> None:
    charge = "pi_3OqTXk2eZvKYlo2C1gQJ12345"
    by_hand = [
        document(DocumentKind.PAYMENT, source_id=source, reference=reference, date=date(2026, 5, 2))
        for source, reference in (("cheque", "ch_1"), ("whole", charge), ("cut", charge[:21]))
    ]
    async with company.session() as session:
        await company.people_and_goods(session)
        for one in by_hand:
            link = (await company.written(session, operation(one))).link
            whole = company.one("Payment", link.ledger_id)["PrivateNote"].partition("\n")[2]
            body = {"Id": link.ledger_id, "SyncToken": link.token, "sparse": True, "PrivateNote": f"by hand\n{whole}"}
            await session._client.update("Payment", body, one.key)
        wanted = [
            document(DocumentKind.PAYMENT, source_id=source, reference=reference)
            for source, reference in (("1", "CH_1"), ("2", charge), ("3", "ch_12"), ("4", f"{charge[:21]}XX"))
        ]
        found = await session.find([operation(one) for one in wanted])
        ids = [company.links[one.key].ledger_id for one in by_hand]
        assert [[one.link.ledger_id for one in found.get(each.key, ())] for each in wanted] == [
            [ids[0]],
            [ids[1]],
            [],
            [],
        ]


async def test_many_new_names_cost_one_request_for_thirty(company: Company) -> None:
    wanted = [
        operation(samples.customer(f"Customer {number}").model_copy(update={"key": f"{number:032x}"}))
        for number in range(65)
    ]
    async with company.session() as session:
        await company.written(session, operation(samples.item()))
        before = session._client.requests
        outcomes = dict([outcome async for outcome in session.write(wanted)])
        assert session._client.requests - before == 3
    assert len(outcomes) == 65
    names = {outcome.link.name for outcome in outcomes.values() if isinstance(outcome, Written)}
    assert names == {f"Customer {number}" for number in range(65)}


async def test_in_a_batch_each_name_has_its_own_outcome(company: Company) -> None:
    def named(number: int, name: str, **more: Any) -> Operation:
        return operation(samples.customer(name, **more).model_copy(update={"key": str(number) * 32}))

    async with company.session() as session:
        vendor = samples.customer("Paper Mill").model_copy(update={"key": samples.VENDOR})
        await company.written(session, operation(vendor, DocumentKind.VENDOR))
        there = await company.written(session, named(1, "Ada Fenn"))
        wanted = [
            named(2, "Bo Ng"),
            named(3, "Paper Mill"),
            named(4, "ada fenn"),
            named(5, "\t:"),
            operation(samples.item("Mug", item_type="unheard of")),
        ]
        outcomes = dict([outcome async for outcome in session.write(wanted)])
    made, suffixed, linked, nameless, unknown = (outcomes[one.document_key] for one in wanted)
    assert isinstance(made, Written)
    assert (made.action, made.link.name) == ("created", "Bo Ng")
    assert isinstance(suffixed, Written)
    assert suffixed.link.name == "Paper Mill (C)"
    assert isinstance(linked, Written)
    assert (linked.action, linked.link.ledger_id) == ("linked", there.link.ledger_id)
    assert isinstance(nameless, Refused)
    assert nameless.reason.code == "NAME_MISSING"
    assert isinstance(unknown, Refused)
    assert unknown.reason.code == "ITEM_TYPE_UNKNOWN"


async def test_a_batch_whose_answer_was_lost_makes_no_name_twice(company: Company) -> None:
    wanted = [
        operation(samples.customer(f"Customer {number}").model_copy(update={"key": f"{number:032x}"}))
        for number in range(5)
    ]
    async with company.session() as session:
        company.stand_in.fail(action="drop_after", operation="batch", realm=company.realm)
        lost = [outcome async for _, outcome in session.write(wanted)]
        assert all(isinstance(outcome, Unanswered) for outcome in lost)
        found = await session.find(wanted)
        assert set(found) == {one.document_key for one in wanted}
        again = [outcome async for _, outcome in session.write(wanted)]
        assert [outcome.action for outcome in again if isinstance(outcome, Written)] == ["linked"] * 5
    assert len(company.stored("Customer")) == 5


async def test_names_that_met_passing_trouble_inside_a_batch_are_made_by_the_same_attempt_again(
    company: Company,
) -> None:
    """An answer is kept under a batch's request id, faults of its items included: a repeat must not ask for that."""
    wanted = [
        operation(samples.customer(f"Customer {number}").model_copy(update={"key": f"{number:032x}"}))
        for number in range(2)
    ]
    async with company.session() as session:
        for _ in wanted:
            company.stand_in.fail(code="10000", entity="Customer", operation="create", realm=company.realm)
        refused = [outcome async for _, outcome in session.write(wanted)]
        assert [one.error_class for one in refused if isinstance(one, Refused)] == [ErrorClass.TRANSIENT] * 2
        again = [outcome async for _, outcome in session.write(wanted)]
        assert [outcome.action for outcome in again if isinstance(outcome, Written)] == ["created"] * 2
