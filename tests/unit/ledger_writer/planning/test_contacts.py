"""Phone, email and addresses of customers that follow the orders (section 16.8)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from common.messages.orders import Address
from common.messages.transactions import CustomerWanted
from common.messages.transactions import DocumentKind as K
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.planning.contacts import followed, follows_orders
from ledger_writer.planning.content import content_hash, encode
from ledger_writer.planning.model import Desired, Effect, Settle, Write, Written
from ledger_writer.planning.plan import plan
from ledger_writer.planning.states import Event

FIRST, SECOND = datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 2, 7, 9, tzinfo=UTC)
HOME, WORK = Address(line1="1 Quay", city="Bath"), Address(line1="2 Hill", city="York")


def customer(at: datetime | None, **contact: Any) -> CustomerWanted:
    return CustomerWanted(key="c" * 32, display_name="Jane Roe", contact_at=at, **contact)


STORED = customer(FIRST, email="old@example.com", phone="1", billing_address=HOME, shipping_address=HOME)


@pytest.mark.parametrize("settled", [False, True])
def test_the_newest_order_says_what_the_contact_is_whichever_comes_first(settled: bool) -> None:
    newer = customer(SECOND, email="new@example.com", phone="2", billing_address=WORK, shipping_address=WORK)
    assert followed(STORED, newer, settled=settled) == newer
    assert followed(newer, STORED, settled=settled) == newer


def test_an_order_that_was_corrected_counts_as_what_it_says_now() -> None:
    corrected = customer(FIRST, email="new@example.com", phone="2", billing_address=WORK, shipping_address=WORK)
    assert followed(STORED, corrected, settled=True) == corrected


@pytest.mark.parametrize("empty", [None, Address()])
def test_what_an_order_leaves_empty_stays_as_it_was(empty: Address | None) -> None:
    newer = customer(SECOND, billing_address=empty, shipping_address=empty)
    assert followed(STORED, newer, settled=True) == STORED.model_copy(update={"contact_at": SECOND})
    assert followed(newer, STORED, settled=True) == STORED.model_copy(update={"contact_at": SECOND})


def test_each_part_of_the_contact_stands_for_itself() -> None:
    newer = customer(SECOND, phone="2", shipping_address=WORK)
    assert followed(STORED, newer, settled=True) == customer(
        SECOND, email="old@example.com", phone="2", billing_address=HOME, shipping_address=WORK
    )


def test_nothing_but_the_contact_changes_once_the_customer_is_settled() -> None:
    renamed = customer(SECOND, email="new@example.com", ledger_id="9", company="Roe Ltd").model_copy(
        update={"display_name": "Jane Doe"}
    )
    settled = followed(customer(FIRST), renamed, settled=True)
    assert settled == customer(SECOND, email="new@example.com")
    open_yet = followed(customer(FIRST, phone="1"), renamed, settled=False)
    assert open_yet == renamed.model_copy(update={"phone": "1"})


def test_a_contact_that_was_never_meant_to_follow_is_no_news() -> None:
    kept = STORED.model_copy(update={"contact_at": None})
    newer = customer(SECOND, phone="2")
    assert followed(kept, newer, settled=True) == customer(SECOND, phone="2")
    assert followed(kept, newer, settled=False) == newer


def test_which_order_a_contact_is_of_is_no_content_but_that_it_follows_orders_is() -> None:
    assert content_hash(customer(FIRST, phone="1")) == content_hash(customer(SECOND, phone="1"))
    assert content_hash(customer(FIRST, phone="1")) != content_hash(customer(FIRST, phone="2"))
    assert content_hash(customer(FIRST, phone="1")) != content_hash(customer(None, phone="1"))


def test_a_field_that_a_release_adds_leaves_customers_as_they_were_written() -> None:
    class Later(CustomerWanted):
        added: str = ""

    for wanted in (customer(None, phone="1"), customer(FIRST, phone="1")):
        assert content_hash(Later(**wanted.model_dump())) == content_hash(wanted)
    body, _ = encode(STORED)
    assert CustomerWanted.model_validate_json(body) == STORED


def test_only_customers_with_a_moment_follow_orders(make: Any) -> None:
    assert [follows_orders(one) for one in (STORED, customer(None), make.ITEM, make.document())] == [
        True,
        False,
        False,
        False,
    ]


LINK = LedgerLink("58", token="3")


def due(make: Any, wanted: CustomerWanted, before: CustomerWanted | None, **more: Any) -> Desired:
    stood = None if before is None else Written(content_hash(before), Effect.PRESENT, LINK)
    due_one: Desired = make.desired(wanted, kind=K.CUSTOMER, written=stood, **more)
    return due_one


def test_another_contact_is_one_update_of_the_customer_without_a_look_up(make: Any) -> None:
    terms = replace(make.TERMS, refreshes_contact=True)
    newer = customer(SECOND, phone="2")
    (step,) = plan([due(make, newer, STORED, generation=4)], {}, terms)
    assert isinstance(step, Write)
    assert step.lookup is False
    operation = step.operation
    assert (operation.operation, operation.wanted, operation.link) == (OperationKind.UPDATE, newer, LINK)
    assert operation.references == {}
    assert (operation.kind, operation.generation) == (K.CUSTOMER, 4)


def test_a_change_of_contact_without_an_answer_is_made_once_more(make: Any) -> None:
    terms = replace(make.TERMS, refreshes_contact=True)
    (step,) = plan([due(make, STORED, STORED, unanswered=True)], {}, terms)
    assert isinstance(step, Write)
    assert step.operation.operation is OperationKind.UPDATE


@pytest.mark.parametrize(
    ("wanted", "able"),
    [(STORED, True), (customer(SECOND, phone="2"), False), (customer(None, phone="2"), True)],
    ids=["the same contact", "a ledger without contacts", "a contact that follows no orders"],
)
def test_a_written_customer_is_left_alone(make: Any, wanted: CustomerWanted, able: bool) -> None:
    terms = replace(make.TERMS, refreshes_contact=able)
    assert plan([due(make, wanted, STORED)], {}, terms) == [Settle(wanted.key, Event.UNCHANGED)]


def test_no_contact_is_changed_before_the_preview_is_approved(make: Any) -> None:
    terms = replace(make.TERMS, refreshes_contact=True, approved=False)
    (step,) = plan([due(make, customer(SECOND, phone="2"), STORED)], {}, terms)
    assert isinstance(step, Settle)
    assert step.reason is not None
    assert (step.event, step.reason.code) == (Event.WAITS, "WAITING_FOR_APPROVAL")
