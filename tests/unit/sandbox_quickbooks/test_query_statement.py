"""Parsing of query statements."""

import pytest

from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.query.statement import Condition, parse


def test_every_clause_is_read() -> None:
    found = parse(
        "SELECT Id, DocNumber FROM invoice WHERE docnumber IN ('1', 'b\\'c') AND TotalAmt >= 5 "
        "ORDERBY TxnDate DESC, Id STARTPOSITION 11 MAXRESULTS 20"
    )
    assert found.entity == "Invoice"
    assert found.props == ["Id", "DocNumber"]
    assert found.where == [Condition("DocNumber", "IN", ("1", "b'c")), Condition("TotalAmt", ">=", ("5",))]
    assert found.order == [("TxnDate", True), ("Id", False)]
    assert (found.start, found.limit) == (11, 20)


def test_star_with_named_extras_means_everything() -> None:
    assert parse("select *, Sku from Item").props == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("select * from Item where Name = 'a' or Name = 'b'", "4000"),
        ("select * from Item where Name = 'a", "4000"),
        ("select * from Item limit 5", "4000"),
        ("select * from Widget", "4001"),
        ("select * from Item where Size = 'x'", "4001"),
        ("select * from Item maxresults 0", "4001"),
        ("select * from Item where Name = '" + "x" * 200_001 + "'", "4002"),
    ],
)
def test_a_mistake_has_a_code(text: str, code: str) -> None:
    with pytest.raises(Fault) as refused:
        parse(text)
    assert refused.value.code == code
