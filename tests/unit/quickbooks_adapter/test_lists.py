"""Entries of QuickBooks' lists as the mirror keeps them."""

from typing import Any

from ledger_writer.ledgers.quickbooks_online.lists import DETAIL_MAX, catalog_entry
from ledger_writer.ledgers.quickbooks_online.lookup import name_link


def members_of(*lines: dict[str, Any]) -> str | None:
    row = {"Id": "1", "Name": "Set", "Type": "Group", "ItemGroupDetail": {"ItemGroupLine": list(lines)}}
    return catalog_entry("t", "c", "items", "Item", row).details.get("members")


def test_a_bundle_names_its_members_with_their_quantities() -> None:
    assert members_of({"ItemRef": {"value": "11"}, "Qty": 2}, {"ItemRef": {"value": "12"}}) == "11 2,12 1"
    assert members_of({"ItemRef": {"value": "11"}, "Qty": "0.50"}) == "11 0.50"
    assert members_of() is None
    mug = {"Id": "2", "Name": "Mug", "Type": "NonInventory", "UnitPrice": 4}
    assert "members" not in catalog_entry("t", "c", "items", "Item", mug).details


def test_a_customers_link_keeps_the_tax_code_that_the_ledger_has_for_it() -> None:
    row = {"Id": "5", "DisplayName": "Ada", "SyncToken": "0", "DefaultTaxCodeRef": {"value": "12"}}
    assert name_link("Customer", row)[0].details == {"entity": "Customer", "tax_code": "12"}
    assert name_link("Customer", {**row, "DefaultTaxCodeRef": {}})[0].details == {"entity": "Customer"}


def test_a_bundle_of_more_members_than_fit_is_no_bundle_cut_short() -> None:
    many = [{"ItemRef": {"value": f"{number:06d}"}, "Qty": 1} for number in range(DETAIL_MAX // 9 + 1)]
    assert members_of(*many) is None
    assert members_of(*many[:-1]) is not None


def test_an_item_tells_what_buying_it_posts_to() -> None:
    mug = {"Id": "1", "SyncToken": "0", "Name": "Mug", "Type": "NonInventory"}
    bought = mug | {"ExpenseAccountRef": {"value": "66", "name": "Job Materials"}}
    assert catalog_entry("t", "c", "items", "Item", bought).details["expense_account"] == "Job Materials"
    assert "expense_account" not in catalog_entry("t", "c", "items", "Item", mug).details
