"""What orders become, in every mode and under every setting that decides about them."""

import pytest
from tests.golden.mapper.agreement import expectation
from tests.golden.mapper.cases import CASES, ORDERS, Case, file_of
from tests.unit.mapper.samples import configuration, mapped

from common.messages.transactions import TransactionSet
from mapper.mapping.postings import trial_balance


def result_of(case: Case) -> TransactionSet:
    settings = configuration(case.mode, books=case.books, file=file_of(case), **case.settings)
    return mapped(ORDERS[case.order], settings, case.catalog, case.history)


@pytest.mark.parametrize("name", CASES)
def test_an_order_becomes_what_its_file_says(name: str) -> None:
    result = result_of(CASES[name])
    balance = trial_balance([one for one in result.documents if one.hold is None])
    assert sum(balance.values()) == 0, "whatever the file says, debits are credits"
    found, expected = expectation(f"orders/{name}", result)
    assert found == expected
