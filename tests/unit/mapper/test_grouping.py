"""Lines of many orders on one document: by item and price, and money by where it lies (section 15)."""

from typing import Any

from tests.unit.mapper.samples import D

from common.messages.transactions import Account, AccountRole, DocumentLine, LineKind
from mapper.mapping.grouping import Grouping


def of(kind: LineKind, role: AccountRole, qualifier: str, amount: str, **more: Any) -> DocumentLine:
    account = Account(role=role, name=f"Account {role.value}", qualifier=qualifier)
    return DocumentLine(kind=kind, account=account, amount=D(amount), description="", **more)


def grouped(*lines: DocumentLine) -> list[tuple[str, str]]:
    grouping = Grouping()
    grouping.add(lines)
    return [(one.account.qualifier, str(one.amount)) for one in grouping.lines()]


def test_tax_of_several_agencies_is_one_line() -> None:
    tax = (LineKind.TAX, AccountRole.TAX)
    assert grouped(of(*tax, "City", "1.00"), of(*tax, "", "2.00"), of(*tax, "State", "4.00")) == [("", "7.00")]


def test_money_of_several_methods_stays_apart() -> None:
    money = (LineKind.POSTING, AccountRole.CLEARING)
    found = grouped(of(*money, "Visa", "1.00"), of(*money, "PayPal", "2.00"), of(*money, "Visa", "4.00"))
    assert found == [("Visa", "5.00"), ("PayPal", "2.00")]
