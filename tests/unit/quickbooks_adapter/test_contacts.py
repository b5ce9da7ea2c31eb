"""Which parts of a customer's contact differ from what QuickBooks has."""

from typing import Any

import pytest
from tests.unit.quickbooks_adapter import samples

from ledger_writer.ledgers.quickbooks_online.bodies.names import customer_contact
from ledger_writer.ledgers.quickbooks_online.contacts import differing

ADDRESS = samples.address(name="", line2="")
WANTED = customer_contact(
    samples.customer(email="ada@example.com", phone="555", billing_address=ADDRESS, shipping_address=ADDRESS)
).content
STORED: dict[str, Any] = {
    "Id": "58",
    "DisplayName": "Somebody else",
    "PrimaryEmailAddr": {"Address": "ada@example.com"},
    "PrimaryPhone": {"FreeFormNumber": "555"},
    "BillAddr": {"Id": "7", "Lat": "1", "Long": "2", **WANTED["BillAddr"]},
    "ShipAddr": {"Id": "8", "Line2": "", **WANTED["ShipAddr"]},
}


def test_what_is_there_already_is_not_sent() -> None:
    assert differing(WANTED, STORED) == {}


@pytest.mark.parametrize("field", ["PrimaryEmailAddr", "PrimaryPhone", "BillAddr", "ShipAddr"])
def test_only_what_is_other_or_missing_is_sent(field: str) -> None:
    assert differing(WANTED, {name: part for name, part in STORED.items() if name != field}) == {field: WANTED[field]}
    other = {"Address": "x@example.com", "FreeFormNumber": "1", "Line1": "x"}
    assert differing(WANTED, STORED | {field: STORED[field] | other}) == {field: WANTED[field]}


def test_a_line_more_in_the_ledger_makes_another_address() -> None:
    assert differing(WANTED, STORED | {"BillAddr": {**STORED["BillAddr"], "Line3": "Rear"}}) == {
        "BillAddr": WANTED["BillAddr"]
    }


def test_any_of_several_addresses_in_one_field_is_the_customers() -> None:
    assert differing(WANTED, STORED | {"PrimaryEmailAddr": {"Address": "office@example.com, ADA@example.com"}}) == {}


def test_what_an_order_does_not_say_is_never_sent() -> None:
    assert differing({}, STORED) == {}
