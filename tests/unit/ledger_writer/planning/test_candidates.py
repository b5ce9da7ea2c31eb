"""What a look-up found: ours, somebody else's, or a collision."""

from decimal import Decimal
from typing import Any

import pytest

from common.messages.transactions import DocumentKind as K
from common.messages.transactions import MissingPolicy
from ledger_writer.ledgers.protocol import Found, LedgerLink, Operation, OperationKind
from ledger_writer.planning.candidates import Absent, Same, Unclear, judge

CUSTOMER_ID = "L-customer"


def operation(make: Any, wanted: Any, kind: K = K.INVOICE) -> Operation:
    references = {make.CUSTOMER.key: LedgerLink(CUSTOMER_ID)}
    return Operation(wanted.key, kind, OperationKind.CREATE, wanted, "idempotency", references=references)


def candidate(ledger_id: str = "L9", *, total: str = "77.00", **more: Any) -> Found:
    values: dict[str, Any] = {"mark": None, "customer": CUSTOMER_ID}
    return Found(LedgerLink(ledger_id, total=Decimal(total)), **(values | more))


@pytest.fixture
def wanted(make: Any) -> Any:
    return make.document(customer_key=make.CUSTOMER.key)


def test_nothing_found_is_absent(make: Any, wanted: Any) -> None:
    assert judge(operation(make, wanted), [], frozenset()) == Absent(wanted)


def test_our_mark_is_linked_whatever_else_differs(make: Any, wanted: Any) -> None:
    ours = candidate(mark=wanted.mark, total="1.00", customer="another")
    others = [candidate("L1"), candidate("L2")]
    assert judge(operation(make, wanted), [*others, ours], frozenset()) == Same(ours.link)


@pytest.mark.parametrize("ours", [True, False])
def test_what_is_linked_tells_what_the_ledger_has_applied_of_it(make: Any, wanted: Any, ours: bool) -> None:
    there = candidate(mark=wanted.mark if ours else None, applied=(("L5", Decimal("7.00")),))
    assert judge(operation(make, wanted), [there], frozenset()) == Same(there.link, (("L5", Decimal("7.00")),))


def test_our_mark_twice_is_for_a_person(make: Any, wanted: Any) -> None:
    twice = [candidate("L1", mark=wanted.mark), candidate("L2", mark=wanted.mark)]
    verdict = judge(operation(make, wanted), twice, frozenset())
    assert isinstance(verdict, Unclear)
    assert verdict.reason.code == "NUMBER_COLLISION"


def test_another_mark_is_never_linked_and_no_obstacle(make: Any, wanted: Any) -> None:
    assert judge(operation(make, wanted), [candidate(mark="ffffffff")], frozenset()) == Absent(wanted)


def test_a_number_that_the_ledger_calls_taken_is_a_collision_unless_it_is_ours(make: Any, wanted: Any) -> None:
    asked = operation(make, wanted)
    for found in ([], [candidate(mark="ffffffff")]):
        verdict = judge(asked, found, frozenset(), duplicate=True)
        assert isinstance(verdict, Unclear)
        assert verdict.reason.code == "NUMBER_COLLISION"
    assert isinstance(judge(asked, [candidate(mark=wanted.mark)], frozenset(), duplicate=True), Same)


def test_a_single_unmarked_candidate_of_equal_customer_and_total_is_linked(make: Any, wanted: Any) -> None:
    assert judge(operation(make, wanted), [candidate()], frozenset()) == Same(candidate().link)


@pytest.mark.parametrize(
    "found",
    [
        [candidate(total="77.01")],
        [candidate(customer="another")],
        [candidate("L1"), candidate("L2")],
    ],
    ids=["another total", "another customer", "several"],
)
def test_any_other_unmarked_candidate_is_a_collision_with_a_cure(make: Any, wanted: Any, found: list[Found]) -> None:
    verdict = judge(operation(make, wanted), found, frozenset())
    assert isinstance(verdict, Unclear)
    assert (verdict.reason.code, verdict.reason.value) == ("NUMBER_COLLISION", "1001")
    assert "prefix" in verdict.reason.cure


@pytest.mark.parametrize("kind", [K.DEPOSIT, K.JOURNAL_ENTRY])
def test_the_payee_of_a_payouts_fees_is_not_whom_the_deposit_is_for(make: Any, wanted: Any, kind: K) -> None:
    found = candidate(customer="")
    assert judge(operation(make, wanted, kind), [found], frozenset()) == Same(found.link)
    assert isinstance(judge(operation(make, wanted, K.INVOICE), [found], frozenset()), Unclear)


@pytest.mark.parametrize("mark", ["ours", None])
def test_what_is_void_or_linked_to_another_document_is_no_candidate(make: Any, wanted: Any, mark: str | None) -> None:
    given = wanted.mark if mark else None
    asked = operation(make, wanted)
    assert judge(asked, [candidate(mark=given, active=False)], frozenset()) == Absent(wanted)
    assert judge(asked, [candidate("L9", mark=given)], frozenset({"L9"})) == Absent(wanted)


def named(name: str, ledger_id: str = "L9", **more: Any) -> Found:
    return Found(LedgerLink(ledger_id, name=name), None, **more)


def test_an_active_customer_of_the_name_is_linked(make: Any) -> None:
    found = [named("Jane Roe", kind_in_ledger="customer"), named("Jane Roe", "L8", active=False)]
    assert judge(operation(make, make.CUSTOMER, K.CUSTOMER), found, frozenset({"L9"})) == Same(found[0].link)


def test_a_chosen_customer_wins_over_others_of_the_name(make: Any) -> None:
    chosen = make.CUSTOMER.model_copy(update={"ledger_id": "L8"})
    found = [named("Jane Roe", "L9"), named("Jane Roe", "L8")]
    assert judge(operation(make, chosen, K.CUSTOMER), found, frozenset()) == Same(found[1].link)


@pytest.mark.parametrize(
    ("found", "missing", "code"),
    [
        ([named("Jane Roe", "L1"), named("Jane Roe", "L2")], MissingPolicy.CREATE, "CUSTOMER_AMBIGUOUS"),
        ([named("Jane Roe", active=False)], MissingPolicy.CREATE, "CUSTOMER_INACTIVE"),
        ([], MissingPolicy.STOP, "CUSTOMER_MISSING"),
    ],
)
def test_a_customer_that_cannot_be_told_waits(make: Any, found: list[Found], missing: MissingPolicy, code: str) -> None:
    wanted = make.CUSTOMER.model_copy(update={"missing": missing})
    verdict = judge(operation(make, wanted, K.CUSTOMER), found, frozenset())
    assert isinstance(verdict, Unclear)
    assert verdict.reason.code == code
    assert verdict.reason.cure


@pytest.mark.parametrize(
    ("found", "missing", "code"),
    [
        (
            [named("Jane Roe", "L1", kind_in_ledger="vendor"), named("Jane Roe", "L2", kind_in_ledger="vendor")],
            "create",
            "VENDOR_AMBIGUOUS",
        ),
        ([named("Jane Roe", active=False, kind_in_ledger="vendor")], "create", "VENDOR_INACTIVE"),
        ([named("Jane Roe", kind_in_ledger="customer")], "stop", "VENDOR_MISSING"),
    ],
)
def test_a_vendor_is_told_like_a_customer(make: Any, found: list[Found], missing: str, code: str) -> None:
    wanted = make.CUSTOMER.model_copy(update={"missing": MissingPolicy(missing)})
    verdict = judge(operation(make, wanted, K.VENDOR), found, frozenset())
    assert isinstance(verdict, Unclear)
    assert verdict.reason.code == code
    assert "endor" in verdict.reason.text
    assert verdict.reason.field == "vendor"
    assert verdict.reason.cure
    known = named("Jane Roe", "L7", kind_in_ledger="vendor")
    assert judge(operation(make, make.CUSTOMER, K.VENDOR), [known], frozenset()) == Same(known.link)


@pytest.mark.parametrize(("number", "named"), [("P-1001", "P-1001"), (None, "1001")])
def test_an_order_form_of_another_memo_is_named_by_the_number_it_has_there(
    make: Any, number: str | None, named: str
) -> None:
    wanted = make.document(K.SALES_ORDER, number=number)
    found = candidate(memo_number="x" * 4000)
    verdict = judge(operation(make, wanted, K.SALES_ORDER), [found], frozenset())
    assert isinstance(verdict, Unclear)
    assert (verdict.reason.code, verdict.reason.value) == ("SO_NOT_FOUND", "x" * 500)
    assert verdict.reason.text.startswith(f"Sales order {named} can't be told from the one in the ledger:")
    assert len(verdict.reason.text) == 4000, "a memo may be as long as a reason's whole text"


def test_a_name_taken_by_a_vendor_gets_the_first_free_suffix(make: Any) -> None:
    vendor = named("JANE ROE", kind_in_ledger="vendor")
    verdict = judge(operation(make, make.CUSTOMER, K.CUSTOMER), [vendor], frozenset())
    assert isinstance(verdict, Absent)
    assert verdict.wanted == make.CUSTOMER.model_copy(update={"display_name": "Jane Roe (C)"})
    employee = named("Jane Roe (c)", "L7", kind_in_ledger="employee")
    verdict = judge(operation(make, make.CUSTOMER, K.CUSTOMER), [vendor, employee], frozenset())
    assert isinstance(verdict, Absent)
    assert verdict.wanted == make.CUSTOMER.model_copy(update={"display_name": "Jane Roe-1"})


@pytest.mark.parametrize(
    ("found", "missing", "code"),
    [
        ([named("Mug", "L1"), named("Mug", "L2")], MissingPolicy.CREATE, "PRODUCT_AMBIGUOUS"),
        ([named("Mug", active=False)], MissingPolicy.CREATE, "PRODUCT_INACTIVE"),
        ([], MissingPolicy.STOP, "PRODUCT_MISSING"),
    ],
)
def test_an_item_that_cannot_be_told_waits(make: Any, found: list[Found], missing: MissingPolicy, code: str) -> None:
    wanted = make.ITEM.model_copy(update={"missing": missing})
    verdict = judge(operation(make, wanted, K.ITEM), found, frozenset())
    assert isinstance(verdict, Unclear)
    assert (verdict.reason.code, verdict.reason.value) == (code, "Mug")


def test_an_item_is_linked_by_name_or_choice_and_else_created(make: Any) -> None:
    found = [named("Mug", "L1"), named("Mug", "L2", active=False)]
    assert judge(operation(make, make.ITEM, K.ITEM), found, frozenset()) == Same(found[0].link)
    chosen = make.ITEM.model_copy(update={"ledger_id": "L3"})
    found = [named("Mug", "L1"), named("Mug", "L3")]
    assert judge(operation(make, chosen, K.ITEM), found, frozenset()) == Same(found[1].link)
    assert judge(operation(make, make.ITEM, K.ITEM), [], frozenset()) == Absent(make.ITEM)
