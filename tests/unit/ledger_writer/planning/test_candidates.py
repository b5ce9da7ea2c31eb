"""What a look-up found: ours, somebody else's, or a collision."""

from decimal import Decimal
from typing import Any

import pytest

from common.messages.base import Reason
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


@pytest.fixture
def paying(make: Any) -> Any:
    return make.document(K.PAYMENT, customer_key=make.CUSTOMER.key, number=None, memo_number="1001", reference="ch_1")


def judged_payment(make: Any, paying: Any, *found: Found) -> Any:
    return judge(operation(make, paying, K.PAYMENT), found, frozenset())


def test_a_payment_of_the_same_customer_reference_and_amount_is_the_payment(make: Any, paying: Any) -> None:
    other_memo = candidate("L1", memo_number="by hand", reference="CH_1", applied=(("L5", Decimal("7.00")),))
    assert judged_payment(make, paying, other_memo) == Same(other_memo.link, (("L5", Decimal("7.00")),))
    # Of several with the reference the one of the same amount is it, whatever others say about the order.
    other_amount = candidate("L2", total="7.00", reference="ch_1")
    by_memo = candidate("L3", memo_number="1001", total="7.00")
    assert judged_payment(make, paying, by_memo, other_amount, other_memo) == Same(other_memo.link, other_memo.applied)


def test_another_customers_payment_of_the_same_reference_says_nothing(make: Any, paying: Any) -> None:
    cheque = candidate("L1", customer="another", reference="ch_1", memo_number="2002")
    assert judged_payment(make, paying, cheque) == Absent(paying)
    refused = judge(operation(make, paying, K.PAYMENT), [cheque], frozenset(), duplicate=True)
    assert isinstance(refused, Unclear)
    assert refused.reason.text == "Payment 1001 was not written: the ledger says that its number is taken."
    by_memo = candidate("L2", memo_number="1001")
    assert judged_payment(make, paying, cheque, by_memo) == Same(by_memo.link)
    same_order = candidate("L1", customer="another", reference="ch_1", memo_number="1001")
    assert judged_payment(make, paying, same_order).reason.code == "NUMBER_COLLISION"


def test_a_payment_without_a_reference_is_not_told_by_it(make: Any, paying: Any) -> None:
    nameless = paying.model_copy(update={"reference": ""})
    by_memo = candidate("L1", memo_number="1001", reference="")
    other_amount = candidate("L2", memo_number="1001", total="7.00")
    assert judged_payment(make, nameless, by_memo) == Same(by_memo.link)
    assert judged_payment(make, nameless, other_amount).reason.code == "NUMBER_COLLISION"


@pytest.mark.parametrize(
    ("totals", "why"),
    [
        (["7.00"], "a payment of its customer in the ledger has the reference 'ch_1' and another amount"),
        (["7.00", "8.00"], "a payment of its customer in the ledger has the reference 'ch_1' and another amount"),
        (["77.00", "77.00"], "2 of its customer's payments in the ledger have the reference 'ch_1' and its amount"),
    ],
)
def test_a_reference_that_is_taken_is_told_with_its_cure(make: Any, paying: Any, totals: list[str], why: str) -> None:
    taken = [candidate(f"L{number}", total=total, reference="ch_1") for number, total in enumerate(totals)]
    reason = judged_payment(make, paying, *taken).reason
    assert (reason.code, reason.field, reason.value) == ("PAYMENT_DUPLICATE_REFERENCE", "reference", "ch_1")
    assert reason.text == f"Payment 1001 was not written: {why}."
    assert (
        reason.cure == "Link that payment by hand if it is the same, or change its reference in the ledger, and resend."
    )


def test_of_several_payments_of_an_order_the_one_of_customer_and_amount_is_it(make: Any, paying: Any) -> None:
    rest = candidate("L1", total="47.00", memo_number="1001")
    strangers = candidate("L2", customer="another", memo_number="1001")
    same = candidate("L3", memo_number="1001")
    assert judged_payment(make, paying, rest, strangers, same) == Same(same.link)
    unclear = judged_payment(make, paying, rest, strangers)
    assert (unclear.reason.code, unclear.reason.field, unclear.reason.value) == ("NUMBER_COLLISION", "number", "1001")
    assert unclear.reason.text == "Payment 1001 was not written: 2 documents in the ledger have its number."
    alone = judged_payment(make, paying, rest).reason
    assert alone.text == "Payment 1001 was not written: one with its number has another customer or total."


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


@pytest.mark.parametrize("kind", [K.CUSTOMER, K.VENDOR])
def test_a_partner_of_another_currency_is_never_taken_for_ours(make: Any, kind: K) -> None:
    wanted = make.CUSTOMER.model_copy(update={"currency": "USD"})
    euro = named("Jane Roe", "L1", currency="EUR")
    verdict = judge(operation(make, wanted, kind), [euro], frozenset())
    assert isinstance(verdict, Unclear)
    word = kind.value
    assert verdict.reason == Reason(
        code=f"{word.upper()}_CURRENCY_DIFFERS",
        text=f"{word.capitalize()} 'Jane Roe' is kept in EUR in the ledger, and its documents are in USD.",
        cure=f"Connect the {word} to one that is kept in USD, or rename that one and resend.",
        field=word,
        value="Jane Roe",
    )
    for fitting in (named("Jane Roe", "L2", currency="USD"), named("Jane Roe", "L2")):
        assert judge(operation(make, wanted, kind), [euro, fitting], frozenset()) == Same(fitting.link)
    assert judge(operation(make, make.CUSTOMER, kind), [euro], frozenset()) == Same(euro.link)
    chosen = wanted.model_copy(update={"ledger_id": "L1"})
    assert judge(operation(make, chosen, kind), [euro], frozenset()) == Same(euro.link)


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
