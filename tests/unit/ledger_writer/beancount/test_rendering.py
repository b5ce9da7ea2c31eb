"""Journal text that Beancount reads, whatever stands in an order."""

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties import percent_of_the_examples

from common.messages.transactions import DocumentKind, DocumentLine, LineKind
from ledger_writer.ledgers.beancount.accounts import Chart
from ledger_writer.ledgers.beancount.rendering import Books, balances, render
from ledger_writer.ledgers.protocol import LedgerLink, Operation, OperationKind

BOOKS = Books("USD", Chart({}))
K = DocumentKind
OPENED = "1970-01-01 open Assets:UndepositedFunds\n1970-01-01 open Income:Sales\n"


def judged(path: Path) -> None:
    """Have Beancount itself read the file."""
    program = Path(sys.executable).with_name("bean-check")
    result = subprocess.run([program, "--no-cache", path], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_receipt_reads_as_a_bookkeeper_expects(make: Any, op: Any) -> None:
    line = make.document().lines[0].model_copy(update={"description": 'Mug "blue"'})
    wanted = make.document(K.SALES_RECEIPT, lines=(line,), customer_key=make.CUSTOMER.key, reference="ch_1")
    (entry,) = render(op(wanted, references={make.CUSTOMER.key: LedgerLink("c", name="Jane Roe")}), BOOKS)
    assert entry.file == "2026-01"
    assert entry.text == (
        f'\n2026-01-05 * "Jane Roe" "Sales receipt 1001 [tb:{wanted.mark}]" ^order-1001\n'
        f'  document-key: "{wanted.key}"\n'
        f'  posting-key: "{wanted.key}:g0"\n'
        '  kind: "sales_receipt"\n'
        '  number: "1001"\n'
        '  reference: "ch_1"\n'
        "  Assets:UndepositedFunds  77.00 USD\n"
        "  Income:Sales  -77.00 USD\n"
        '    line: "Mug \\"blue\\""\n'
    )


def test_documents_of_an_order_are_linked_by_its_number_whatever_a_rule_wrote_as_memo(make: Any, op: Any) -> None:
    wanted = make.document(number=None, memo_number="Spring fair", order_number="1001")
    (entry,) = render(op(wanted), BOOKS)
    assert entry.text.splitlines()[1].endswith(f'Spring fair [tb:{wanted.mark}]" ^order-1001')
    assert wanted.shown_number == "1001"


def test_a_customer_says_of_what_type_it_is(make: Any) -> None:
    wanted = make.CUSTOMER.model_copy(update={"customer_type": 'Trade "A"'})
    (entry,) = render(Operation(wanted.key, K.CUSTOMER, OperationKind.CREATE, wanted, "i"), BOOKS)
    assert entry.text.endswith('  type: "Trade \\"A\\""\n')
    (plain,) = render(Operation(wanted.key, K.CUSTOMER, OperationKind.CREATE, make.CUSTOMER, "i"), BOOKS)
    assert "type:" not in plain.text


def test_a_change_is_a_reversal_on_the_old_date_and_a_new_entry(make: Any, op: Any) -> None:
    before, after = make.document(), make.document(amount="80.00", date=date(2026, 2, 1))
    reversal, entry = render(
        op(after, OperationKind.UPDATE, previous=before, link=LedgerLink("k"), generation=1), BOOKS
    )
    assert (reversal.file, entry.file) == ("2026-01", "2026-02")
    assert f'reverses: "{after.key}:g0"' in reversal.text
    assert f'posting-key: "{after.key}:g1:reversal"' in reversal.text
    assert "Assets:Receivable  -77.00 USD" in reversal.text
    assert f'posting-key: "{after.key}:g1"' in entry.text
    assert "Assets:Receivable  80.00 USD" in entry.text


def test_a_void_is_a_reversal_of_the_generation_that_stands(make: Any, op: Any) -> None:
    wanted = make.document()
    link = LedgerLink("k", details={"generation": "4"})
    (reversal,) = render(op(wanted, OperationKind.VOID, previous=wanted, link=link, generation=7), BOOKS)
    assert f'reverses: "{wanted.key}:g4"' in reversal.text
    assert f'posting-key: "{wanted.key}:g7:reversal"' in reversal.text


@pytest.mark.parametrize(
    ("kind", "operation", "name"),
    [
        (K.SALES_ORDER, OperationKind.CREATE, "sales-order"),
        (K.SALES_ORDER, OperationKind.UPDATE, "sales-order-changed"),
        (K.SALES_ORDER, OperationKind.CLOSE, "sales-order-closed"),
        (K.ESTIMATE, OperationKind.VOID, "estimate-void"),
        (K.PURCHASE_ORDER, OperationKind.CREATE, "purchase-order"),
    ],
)
def test_what_does_not_post_is_a_custom_directive(
    make: Any, op: Any, kind: DocumentKind, operation: OperationKind, name: str
) -> None:
    wanted = make.document(kind)
    link = None if operation is OperationKind.CREATE else LedgerLink("k")
    previous = None if operation is OperationKind.CREATE else wanted
    (entry,) = render(op(wanted, operation, link=link, previous=previous), BOOKS)
    assert entry.text.startswith(f'\n2026-01-05 custom "{name}" "1001" 77.00 USD\n')
    assert entry.accounts == ()


def test_a_summary_names_all_its_orders(make: Any, op: Any, tmp_path: Path) -> None:
    numbers = tuple(f"#{number:07d}" for number in range(20_000))
    many = {"source_kind": "summary", "note": "#0000000 … and more", "orders": numbers, "orders_left_out": 3}
    named = ", ".join(numbers)
    for kind in (K.SALES_RECEIPT, K.SALES_ORDER):
        (entry,) = render(op(make.document(kind, **many)), BOOKS)
        assert f'\n  orders: "{named} … and 3 more"\n' in entry.text
        (tmp_path / f"{kind}.beancount").write_text(entry.text, encoding="utf-8")
    few = make.document(source_kind="summary", note='7, "8"\n2026-01-05 open Income:Forged, 9')
    reversal, entry = render(op(few, OperationKind.UPDATE, previous=few, link=LedgerLink("k"), generation=1), BOOKS)
    assert '\n  orders: "7, \\"8\\" 2026-01-05 open Income:Forged, 9"\n' in entry.text
    assert "orders:" not in reversal.text
    beside = make.document(K.JOURNAL_ENTRY, lines=(), total=Decimal(0), depends_on=("s" * 32,), **many)
    (costs,) = render(op(beside), BOOKS)
    assert "orders:" not in costs.text
    (order,) = render(op(make.document(note="7, 8")), BOOKS)
    assert "orders:" not in order.text
    books = tmp_path / "main.beancount"
    books.write_text(f'{OPENED}include "sales_*.beancount"\n', encoding="utf-8")
    judged(books)


TEXT = st.text(max_size=60)


@percent_of_the_examples(6)
@given(texts=st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT), min_size=60, max_size=60))
def test_no_text_of_an_order_breaks_the_journal(
    make: Any, tmp_path_factory: Any, texts: list[tuple[str, str, str, str]]
) -> None:
    rendered = []
    for index, (name, number, note, reference) in enumerate(texts):
        line = DocumentLine(kind=LineKind.PRODUCT, account=make.INCOME, amount=Decimal("1.00"), description=note)
        wanted = make.document(
            K.SALES_RECEIPT,
            "1.00",
            key=f"{index:032x}",
            number=number or None,
            memo_number=number,
            reference=reference,
            customer_key="c" * 32,
            lines=(line,),
        )
        operation = Operation(
            wanted.key, wanted.kind, OperationKind.CREATE, wanted, "", references={"c" * 32: LedgerLink("c", name=name)}
        )
        rendered += [entry.text for entry in render(operation, BOOKS)]
    path: Path = tmp_path_factory.mktemp("books") / "all.beancount"
    path.write_text(OPENED + "".join(rendered), encoding="utf-8")
    judged(path)
    totals: dict[tuple[str, str], Decimal] = {}
    balances(path.read_text(encoding="utf-8"), None, totals)
    assert totals["Income:Sales", "USD"] == -len(texts)
