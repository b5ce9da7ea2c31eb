"""What holds for any order: planned work converges, and money is never applied twice."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from common.messages.documents import DocumentState as S
from common.messages.transactions import Application, Document, DocumentKind, WantedState
from ledger_writer.ledgers.protocol import LedgerLink, OperationKind
from ledger_writer.planning.content import content_hash
from ledger_writer.planning.model import Desired, Effect, Known, Settle, Write, Written
from ledger_writer.planning.plan import plan

D = Decimal
# Strategies are made once: made anew at every draw they cost more than what they draw.
cents = st.integers(min_value=0, max_value=50_000).map(lambda value: D(value) / 100)
tenders_of = st.lists(cents, max_size=4)
payments_of = st.dictionaries(st.integers(0, 3), st.integers(1, 4).map(D), min_size=1, max_size=3)
truth = st.booleans()
wanted_states = st.sampled_from([WantedState.PRESENT, WantedState.VOID])


class Books:
    """A ledger as simple as can be: carries out operations and remembers what stands."""

    def __init__(self, make: Any, *, edits_posted: bool, links_ahead: bool) -> None:
        self.terms = replace(make.TERMS, edits_posted=edits_posted, links_ahead=links_ahead)
        self.wanted: dict[str, Any] = {}
        self.removed: set[str] = set()
        self.written: dict[str, Written] = {}
        self.writes = 0

    def want(self, documents: list[Any]) -> None:
        self.removed = set(self.wanted) - {one.key for one in documents}
        self.wanted.update({one.key: one for one in documents})

    def open_balance(self, key: str) -> Decimal:
        standing = self.written[key]
        assert standing.document is not None
        return standing.document.total - self.applied_to(key)

    def applied_to(self, key: str) -> Decimal:
        live = [one for one in self.written.values() if one.effect is Effect.PRESENT]
        return sum((amount for one in live for target, amount in one.applications if target == key), D(0))

    def known(self) -> dict[str, Known]:
        result = {}
        for key, wanted in self.wanted.items():
            standing = self.written.get(key)
            there = standing is not None and standing.effect is not Effect.VOID
            result[key] = Known(
                key,
                wanted.kind,
                S.SYNCED if there else S.QUEUED,
                wanted.number,
                standing.link if there and standing else None,
                open_balance=self.open_balance(key) if there else None,
            )
        return result

    def plan(self) -> list[Any]:
        due = [
            Desired(
                key,
                one.kind,
                one,
                content_hash(one),
                S.QUEUED,
                self.written.get(key),
                removed=key in self.removed,
                generation=self.writes,
            )
            for key, one in self.wanted.items()
        ]
        return plan(due, self.known(), self.terms)

    @staticmethod
    def refusable(step: Write) -> set[str]:
        """What a ledger checks when this arrives: what money goes to, and a total that falls. A new invoice is never
        refused for what was applied to the one it replaces, which voiding it has taken off."""
        applied = {key for key, _ in step.operation.applications}
        return applied | ({step.operation.document_key} if step.operation.operation is OperationKind.UPDATE else set())

    def converge(self, data: st.DataObject | None = None) -> None:
        """Plan and carry out until nothing is left to do; refuses to go on for ever.

        With `data` what one plan writes arrives in any order, and at no moment is more applied than is owed.
        """
        for _ in range(12):
            steps = [step for step in self.plan() if isinstance(step, Write)]
            if not steps:
                return
            for step in data.draw(st.permutations(steps)) if data is not None else steps:
                self.carry_out(step)
                for key in self.refusable(step) if data is not None else ():
                    standing = self.written.get(key)
                    assert standing is None or standing.effect is not Effect.PRESENT or self.open_balance(key) >= 0, key
        raise AssertionError("planning does not come to rest")

    def carry_out(self, step: Write) -> None:
        operation = step.operation
        assert isinstance(operation.wanted, Document)
        self.writes += 1
        effect = {OperationKind.VOID: Effect.VOID, OperationKind.CLOSE: Effect.CLOSED}.get(operation.operation)
        applications = operation.applications if effect is None else ()
        self.written[operation.document_key] = Written(
            content_hash(operation.wanted),
            effect or Effect.PRESENT,
            LedgerLink(operation.document_key, total=operation.wanted.total),
            operation.wanted,
            applications,
        )


@st.composite
def orders(draw: st.DrawFn, make: Any, *, is_whole: bool = False) -> list[Any]:
    """An invoice with payments, perhaps with a refund that needs a payment; unless whole, perhaps void or missing."""
    invoice = make.document(DocumentKind.INVOICE, f"{draw(cents):.2f}")
    if not is_whole and draw(truth):
        invoice = invoice.model_copy(update={"wanted": draw(wanted_states)})
    tenders = draw(tenders_of)
    payments = [
        make.document(DocumentKind.PAYMENT, f"{tender:.2f}", ordinal=ordinal).model_copy(
            update={
                "applications": (Application(document_key=invoice.key, amount=tender.quantize(D("0.01"))),)
                if draw(truth)
                else ()
            }
        )
        for ordinal, tender in enumerate(tenders)
    ]
    refunds = []
    has_refund = bool(payments) and draw(truth)
    if has_refund:
        refund = make.document(DocumentKind.REFUND_RECEIPT, f"{draw(cents):.2f}", depends_on=(payments[0].key,))
        refunds.append(refund)
    kept = is_whole or draw(truth)
    return [*([invoice] if kept else []), *payments, *refunds]


@st.composite
def paid_orders(draw: st.DrawFn, make: Any) -> list[Any]:
    """An invoice paid to the cent in up to three ways out of four, so that the next version of it differs in some."""
    amounts = draw(payments_of)
    invoice = make.document(DocumentKind.INVOICE, f"{sum(amounts.values()):.2f}")
    payments = [
        make.document(DocumentKind.PAYMENT, f"{amount:.2f}", ordinal=ordinal, applies=[(invoice.key, f"{amount:.2f}")])
        for ordinal, amount in sorted(amounts.items())
    ]
    return [invoice, *payments]


class TestAnyHistory:
    """An order is wanted in one way, then in another, on a ledger of either kind."""

    @given(data=st.data(), edits_posted=st.booleans(), links_ahead=st.booleans())
    def test_planning_comes_to_rest_and_then_asks_for_nothing(
        self, make: Any, data: st.DataObject, edits_posted: bool, links_ahead: bool
    ) -> None:
        books = Books(make, edits_posted=edits_posted, links_ahead=links_ahead)
        for _ in range(data.draw(st.integers(1, 3))):
            books.want(data.draw(orders(make)))
            books.converge()
            assert all(isinstance(step, Settle) for step in books.plan())

    @given(data=st.data(), edits_posted=st.booleans(), links_ahead=st.booleans())
    def test_no_more_is_applied_than_was_paid_or_is_owed(
        self, make: Any, data: st.DataObject, edits_posted: bool, links_ahead: bool
    ) -> None:
        books = Books(make, edits_posted=edits_posted, links_ahead=links_ahead)
        books.want(data.draw(orders(make)))
        books.converge()
        for key, standing in books.written.items():
            assert standing.document is not None
            if standing.effect is Effect.PRESENT:
                assert sum((amount for _, amount in standing.applications), D(0)) <= standing.document.total
                assert books.open_balance(key) >= 0

    @given(data=st.data(), edits_posted=st.booleans())
    def test_whatever_of_a_plan_arrives_first_a_ledger_written_side_by_side_never_has_to_refuse(
        self, make: Any, data: st.DataObject, edits_posted: bool
    ) -> None:
        books = Books(make, edits_posted=edits_posted, links_ahead=False)
        any_order = st.one_of(orders(make), paid_orders(make))
        for _ in range(3):
            books.want(data.draw(any_order))
            books.converge(data)
            assert all(isinstance(step, Settle) for step in books.plan())

    @given(data=st.data(), edits_posted=st.booleans())
    def test_what_is_wanted_in_the_end_decides_not_how_it_came_to_be(
        self, make: Any, data: st.DataObject, edits_posted: bool
    ) -> None:
        first, last = data.draw(orders(make)), data.draw(orders(make, is_whole=True))
        with_history = Books(make, edits_posted=edits_posted, links_ahead=True)
        with_history.want(first)
        with_history.converge()
        with_history.want(last)
        with_history.converge()
        at_once = Books(make, edits_posted=edits_posted, links_ahead=True)
        at_once.want(last)
        at_once.converge()
        assert standing(with_history) == standing(at_once)


def standing(books: Books) -> dict[str, tuple[str, Decimal]]:
    """What stands in the books that moves accounts: key → content and total."""
    return {
        key: (one.content_hash, one.document.total)
        for key, one in books.written.items()
        if one.effect is Effect.PRESENT and one.document is not None
    }
