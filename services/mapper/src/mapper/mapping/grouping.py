"""Lines of many orders as those of one document: by item and price, tax on one line, for one customer (section 15)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from common.messages.keys import shared_key
from common.messages.transactions import CustomerWanted, DocumentKind, DocumentLine, LineKind
from mapper.mapping.configuration import Configuration
from mapper.mapping.names import normal


@dataclass(slots=True)
class _Group:
    line: DocumentLine
    amount: Decimal
    quantity: Decimal | None


class Grouping:
    """Collects lines in the order in which their groups first appear."""

    def __init__(self) -> None:
        self._groups: dict[tuple[object, ...], _Group] = {}

    def add(self, lines: Iterable[DocumentLine]) -> None:
        """Sum lines of one item and price; tax of every rate on one line."""
        for line in map(_of_one_agency, lines):
            by_price = line.unit_price if line.kind is LineKind.PRODUCT else None
            identity = (line.kind, line.item_key, line.account, by_price, line.tax_code, line.class_name)
            held = self._groups.get(identity)
            if held is None:
                self._groups[identity] = _Group(line, line.amount, line.quantity)
                continue
            held.amount += line.amount
            held.quantity = (
                held.quantity + line.quantity if held.quantity is not None and line.quantity is not None else None
            )

    def lines(self) -> tuple[DocumentLine, ...]:
        """One line a group; groups that came out at nothing are left out."""
        return tuple(_line(group) for group in self._groups.values() if group.amount or group.quantity)


def _of_one_agency(line: DocumentLine) -> DocumentLine:
    """Orders of several places meet here: an agency of its own for each would be as many lines of tax."""
    if line.kind is not LineKind.TAX or not line.account.qualifier:
        return line
    return line.model_copy(update={"account": line.account.model_copy(update={"qualifier": ""})})


def _line(group: _Group) -> DocumentLine:
    priced = group.line.kind is LineKind.PRODUCT
    return group.line.model_copy(
        update={
            "amount": group.amount,
            "quantity": group.quantity if priced else None,
            "unit_price": group.line.unit_price if priced else None,
            "tax_amount": None,
            "source_line_id": "",
            "service_date": None,
        }
    )


def negated(line: DocumentLine) -> DocumentLine:
    quantity = -line.quantity if line.quantity is not None else None
    return line.model_copy(update={"amount": -line.amount, "quantity": quantity})


def with_tax_lines(configuration: Configuration) -> Configuration:
    """Several rates meet in one document, so tax is a line (section 12.9)."""
    tax = configuration.connection.tax.model_copy(update={"method": "tax_line"})
    return replace(configuration, connection=configuration.connection.model_copy(update={"tax": tax}))


def summary_customer(currency: str, configuration: Configuration) -> CustomerWanted:
    """The one customer of a channel's summaries; one for each currency."""
    name = f"{configuration.connection.channel.replace('_', ' ').title()} summary"
    if currency != configuration.ledger.home_currency:
        name = f"{name} ({currency})"
    company_id = configuration.connection.company_id
    return CustomerWanted(
        key=shared_key(company_id, DocumentKind.CUSTOMER, f"name:{normal(name)}"),
        display_name=name,
        currency=currency,
    )
