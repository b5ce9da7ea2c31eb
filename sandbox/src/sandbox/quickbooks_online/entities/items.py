"""Items: services, non-inventory and inventory goods, bundles and categories."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sandbox.quickbooks_online.accounting.ledger import ZERO, Entry, Posting, cents
from sandbox.quickbooks_online.accounting.stock import Layer
from sandbox.quickbooks_online.accounting.tax import is_us
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Kind, Write, require
from sandbox.quickbooks_online.entities.names import inactive_name, plain_name
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc

_CREATABLE = ("Inventory", "Service", "NonInventory", "Group", "Category", "Bundle")
_INCOME = ("Income", "Other Income")


class ItemKind(Kind):
    kept = ("Active", "Type", "TrackQtyOnHand", "InvStartDate", "Taxable", "QtyOnHand", "UnitPrice", "PurchaseCost")

    def complete(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        require(doc, "Name")
        doc["Name"] = doc["Name"].strip()
        if not doc["Name"] or any(character in doc["Name"] for character in ":\t\n"):
            raise Fault("2040", "Name of an item must not be empty or contain a colon, tab or newline", "Name")
        doc.setdefault("Type", previous["Type"] if previous else "Service")
        if doc["Type"] not in _CREATABLE:
            raise Fault("2170", f"An item of type {doc['Type']} cannot be created", "Type")
        doc["Type"] = "Group" if doc["Type"] == "Bundle" else doc["Type"]
        doc.setdefault("Active", True)
        self._parent(company, doc)
        self._unique(company, doc, previous)
        self._activity(write)
        if doc["Type"] == "Category":
            return
        doc.setdefault("UnitPrice", ZERO)
        doc.setdefault("PurchaseCost", ZERO)
        if is_us(company):
            doc.setdefault("Taxable", False)
        else:
            doc.setdefault("SalesTaxIncluded", False)
        self._accounts(company, doc)
        self._stock(write)

    def _parent(self, company: Company, doc: Doc) -> None:
        doc.pop("Level", None)
        if doc.get("ParentRef") is None:
            doc.pop("SubItem", None)
            doc["FullyQualifiedName"] = doc["Name"]
            return
        parent = company.resolve("Item", doc["ParentRef"], "ParentRef")
        level = int(parent.get("Level", 0)) + 1
        if level > 4:
            raise Fault("6180", "Items can be nested five levels deep", "ParentRef")
        doc["SubItem"], doc["Level"] = True, level
        doc["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{doc['Name']}"

    def _unique(self, company: Company, doc: Doc, previous: Doc | None) -> None:
        if previous is not None and previous["FullyQualifiedName"].casefold() == doc["FullyQualifiedName"].casefold():
            return
        for other in company.tables["Item"].find("FullyQualifiedName", doc["FullyQualifiedName"]):
            if previous is None or other != previous["Id"]:
                raise Fault("6240", f"The name supplied already exists. : Id={other}")

    def _activity(self, write: Write) -> None:
        doc, previous = write.doc, write.previous
        was = previous is None or previous.get("Active") is not False
        if not doc["Active"] and was:
            doc["Name"] = inactive_name(write.company, doc["Name"], "Name", "Item")
        elif doc["Active"] and not was:
            doc["Name"] = plain_name(doc["Name"])
        else:
            return
        head = doc["FullyQualifiedName"].rpartition(":")
        doc["FullyQualifiedName"] = f"{head[0]}:{doc['Name']}" if head[1] else doc["Name"]

    def _accounts(self, company: Company, doc: Doc) -> None:
        kind = doc["Type"]
        if (
            kind in ("Service", "NonInventory")
            and doc.get("IncomeAccountRef") is None
            and doc.get("ExpenseAccountRef") is None
        ):
            raise missing("IncomeAccountRef")
        if kind == "Inventory":
            require(doc, "IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef")
        checks = (
            ("IncomeAccountRef", _INCOME),
            ("ExpenseAccountRef", ("Cost of Goods Sold",) if kind == "Inventory" else ()),
            ("AssetAccountRef", ("Other Current Asset",)),
        )
        for name, types in checks:
            reference = doc.get(name)
            if reference is None:
                continue
            account = company.resolve("Account", reference, name)
            if (
                types
                and account["AccountType"] not in types
                and not (name == "IncomeAccountRef" and kind != "Inventory")
            ):
                raise Fault(
                    "6430", f"{account['Name']} ({account['AccountType']}) cannot be the {name} of this item", name
                )
            if kind == "Inventory" and name == "AssetAccountRef" and account["AccountSubType"] != "Inventory":
                raise Fault("6430", f"{account['Name']} is not an inventory asset account", name)
            if (
                kind == "Inventory"
                and name == "IncomeAccountRef"
                and account["AccountSubType"] != "SalesOfProductIncome"
            ):
                raise Fault("6430", f"{account['Name']} is not an account for sales of products", name)

    def _stock(self, write: Write) -> None:
        doc, previous = write.doc, write.previous
        if doc["Type"] != "Inventory":
            if doc.get("TrackQtyOnHand") is True:
                raise business("Only an inventory item tracks quantity on hand.", "TrackQtyOnHand")
            doc["TrackQtyOnHand"] = False
            doc.pop("QtyOnHand", None)
            return
        if doc.get("TrackQtyOnHand") is not True:
            raise business("An inventory item needs TrackQtyOnHand true; it cannot be switched off.", "TrackQtyOnHand")
        if previous is None:
            require(doc, "QtyOnHand", "InvStartDate")
        if doc["QtyOnHand"] < 0:
            raise Fault("2160", "QtyOnHand cannot be negative", "QtyOnHand")

    def settle(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        if doc["Type"] != "Inventory":
            return
        before = previous.get("QtyOnHand", ZERO) if previous and previous["Type"] == "Inventory" else ZERO
        change = Decimal(doc["QtyOnHand"]) - before
        if change:
            adjust_stock(company, doc, change)


def adjust_stock(company: Company, item: Doc, change: Decimal) -> None:
    """Opening stock, or a quantity written by hand: asset against opening balance equity at the purchase cost."""
    layers = company.layers.get(item["Id"], ())
    held = sum((layer.quantity for layer in layers), ZERO)
    worth = sum((layer.quantity * layer.cost for layer in layers), ZERO)
    unit = worth / held if held > 0 else Decimal(item.get("PurchaseCost") or 0)
    value = cents(change * unit)
    quantity = held + change
    kept = (Layer("adjusted", quantity, (worth + value) / quantity),) if quantity else ()
    company.set_entry(company.layers, item["Id"], kept)
    if value:
        txn = company.next_id("Invoice")
        day = date.fromisoformat(item.get("InvStartDate") or company.clock.today().isoformat())
        entries = (
            Entry(item["AssetAccountRef"]["value"], value, ZERO),
            Entry(company.special["opening_balance"], -value, ZERO),
        )
        company.post(txn, Posting(txn, "InventoryAdjustment", day, "START", entries))
