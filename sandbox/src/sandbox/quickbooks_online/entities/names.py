"""Customer, Vendor and Employee: one name space, hierarchy of customers, deactivation."""

from __future__ import annotations

from decimal import Decimal

from sandbox.quickbooks_online.accounting.currency import enabled, home, reference
from sandbox.quickbooks_online.accounting.ledger import ZERO
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Kind, Write, resolve_all, touch
from sandbox.quickbooks_online.faults import Fault, bad_reference
from sandbox.quickbooks_online.table import Doc

DELETED = " (deleted)"
_NAME_TABLES = ("Customer", "Vendor", "Employee")
_FORBIDDEN = (":", "\t", "\n")


def display_name(doc: Doc) -> str:
    """The display name, put together from the parts when it was left out; raises 6080 without any."""
    name = doc.get("DisplayName")
    if name is None:
        parts = [doc.get(part) for part in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")]
        name = " ".join(str(part).strip() for part in parts if part)
    name = name.strip()
    if not name:
        raise Fault(
            "6080", "One of DisplayName, Title, GivenName, MiddleName, FamilyName or Suffix is required", "DisplayName"
        )
    return name


def check_name_free(company: Company, name: str, entity: str, identifier: str | None) -> None:
    """Raises 6240 when a customer, vendor or employee has the name already, case ignored.

    Jobs are unique under their parent only: recorded companies have a customer and another's job of one name.
    """
    for table in _NAME_TABLES:
        for other in company.tables[table].find("DisplayName", name):
            held = company.get(table, other) or {}
            if held.get("ParentRef") is None and (table != entity or other != identifier):
                raise Fault("6240", f"The name supplied already exists. : Id={other}")


def inactive_name(company: Company, name: str, taken: str, table: str) -> str:
    """``name`` with " (deleted)", or with a count behind it when that is taken too."""
    candidate, count = name + DELETED, 1
    while company.tables[table].find(taken, candidate):
        count += 1
        candidate = f"{name}{DELETED[:-1]}-{count})"
    return candidate


class NameKind(Kind):
    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.kept = ("Active", "CurrencyRef", "Taxable", "DefaultTaxCodeRef", "PreferredDeliveryMethod", "Job",
                     "BillWithParent", "ParentRef", "Vendor1099")  # fmt: skip

    def complete(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        self._name(write)
        doc.setdefault("Active", True)
        if previous is None or "PrintOnCheckName" not in write.sent:
            doc["PrintOnCheckName"] = (doc.get("CompanyName") or doc["DisplayName"])[:110]
        self._currency(company, doc, previous)
        if self.entity == "Customer":
            self._customer(write)
        elif self.entity == "Vendor":
            doc["Balance"] = previous["Balance"] if previous else ZERO
            doc.setdefault("Vendor1099", False)
            resolve_all(company, doc, {"TermRef": "Term"})
            _without_names(doc, "TermRef")
        self._activity(write)
        for address in ("BillAddr", "ShipAddr", "PrimaryAddr"):
            if doc.get(address):
                before = (previous or {}).get(address) or {}
                number = before.get("Id") or company.next_id("Address")
                doc[address] = {"Id": number, **doc[address]}

    def _name(self, write: Write) -> None:
        doc, previous = write.doc, write.previous
        name = display_name(doc)
        if any(character in name for character in _FORBIDDEN):
            raise Fault("2040", "DisplayName must not contain a colon, tab or newline", "DisplayName")
        doc["DisplayName"] = name
        renamed = previous is None or previous["DisplayName"].casefold() != name.casefold()
        if renamed and doc.get("ParentRef") is None:
            check_name_free(write.company, name, self.entity, previous["Id"] if previous else None)
        if self.entity != "Vendor":
            doc["FullyQualifiedName"] = name

    def _currency(self, company: Company, doc: Doc, previous: Doc | None) -> None:
        if self.entity == "Employee":
            return
        code = (doc.get("CurrencyRef") or {}).get("value") or home(company)
        if previous is not None and previous["CurrencyRef"]["value"] != code:
            raise Fault("6000", "Business Validation Error: The currency of a name cannot be changed.", "CurrencyRef")
        if not enabled(company, code):
            raise Fault("2220", f"Currency {code} is not enabled in this company", "CurrencyRef")
        doc["CurrencyRef"] = reference(code)

    def _customer(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        doc.setdefault(
            "Taxable",
            (previous is None and company.settings.tax_model == "us") or bool((previous or {}).get("Taxable")),
        )
        doc.setdefault("PreferredDeliveryMethod", "Print")
        doc.setdefault("BillWithParent", False)
        doc["Balance"] = previous["Balance"] if previous else ZERO
        doc["BalanceWithJobs"] = previous["BalanceWithJobs"] if previous else ZERO
        resolve_all(
            company,
            doc,
            {"SalesTermRef": "Term", "PaymentMethodRef": "PaymentMethod", "DefaultTaxCodeRef": "TaxCode"},
        )
        if (
            company.settings.tax_model == "us"
            and doc["Taxable"]
            and previous is None
            and "DefaultTaxCodeRef" not in doc
        ):
            doc["DefaultTaxCodeRef"] = {"value": company.special["default_tax_code"]}
        _without_names(doc, "DefaultTaxCodeRef", "SalesTermRef", "PaymentMethodRef")
        doc["Job"] = doc.get("ParentRef") is not None
        doc.pop("Level", None)
        if doc["Job"]:
            self._parent(company, doc)

    def _parent(self, company: Company, doc: Doc) -> None:
        parent = company.resolve("Customer", doc["ParentRef"], "ParentRef", named=False)
        if parent["Id"] == doc.get("Id"):
            raise Fault("700", "A customer cannot be its own parent", "ParentRef")
        level = int(parent.get("Level", 0)) + 1
        if level > 4:
            raise Fault("6180", "Customers can be nested five levels deep", "ParentRef")
        doc["ParentRef"] = {"value": parent["Id"]}
        doc["Level"] = level
        full = doc["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{doc['DisplayName']}"
        for other in company.tables["Customer"].find("FullyQualifiedName", full):
            if other != doc.get("Id"):
                raise Fault("6240", f"The name supplied already exists. : Id={other}")

    def _activity(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        was = previous is None or previous.get("Active") is not False
        if not doc["Active"] and was:
            if Decimal(doc.get("Balance") or 0):
                raise Fault("6220", "A name with an open balance cannot be made inactive", "Active")
            doc["DisplayName"] = inactive_name(company, doc["DisplayName"], "DisplayName", self.entity)
        elif doc["Active"] and not was:
            doc["DisplayName"] = plain_name(doc["DisplayName"])
            check_name_free(company, doc["DisplayName"], self.entity, doc["Id"])
        if self.entity != "Vendor" and "ParentRef" not in doc:
            doc["FullyQualifiedName"] = doc["DisplayName"]

    def settle(self, write: Write) -> None:
        previous, doc = write.previous, write.doc
        if self.entity != "Customer" or previous is None:
            return
        if previous["FullyQualifiedName"] == doc["FullyQualifiedName"]:
            return
        for child_id in write.company.tables["Customer"].find("ParentRef", doc["Id"]):
            child = write.company.get("Customer", child_id)
            if child is not None:
                full = f"{doc['FullyQualifiedName']}:{child['DisplayName']}"
                changed = touch(write.company, "Customer", child, {"FullyQualifiedName": full}, token=False)
                self.settle(Write(write.company, "Customer", changed, child))


def plain_name(name: str) -> str:
    """The name without its " (deleted)" or " (deleted-2)"."""
    head, mark, _ = name.rpartition(" (deleted")
    return head if mark else name


def _without_names(doc: Doc, *names: str) -> None:
    for name in names:
        if doc.get(name):
            if name == "DefaultTaxCodeRef" and not doc[name].get("value"):
                raise bad_reference("TaxCodes", "", name)
            doc[name] = {"value": doc[name]["value"]}
