"""Small lists and the two single objects of a company."""

from __future__ import annotations

from datetime import date

from sandbox.quickbooks_online.accounting.currency import NAMES, home
from sandbox.quickbooks_online.entities.kind import Kind, Write, require, resolve_all
from sandbox.quickbooks_online.entities.names import inactive_name, plain_name
from sandbox.quickbooks_online.faults import Fault, missing
from sandbox.quickbooks_online.table import Doc


class NamedKind(Kind):
    """A flat list with unique names: terms and payment methods."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.kept = ("Active", "Type")

    def complete(self, write: Write) -> None:
        doc, previous = write.doc, write.previous
        require(doc, "Name")
        doc.setdefault("Active", True)
        for other in write.company.tables[self.entity].find("Name", doc["Name"]):
            if previous is None or other != previous["Id"]:
                raise Fault("6240", f"The name supplied already exists. : Id={other}")
        was = previous is None or previous.get("Active") is not False
        if was and not doc["Active"]:
            doc["Name"] = inactive_name(write.company, doc["Name"], "Name", self.entity)
        elif doc["Active"] and not was:
            doc["Name"] = plain_name(doc["Name"])
        if self.entity == "Term":
            _term(doc)
        else:
            doc.setdefault("Type", "NON_CREDIT_CARD")


def _term(doc: Doc) -> None:
    days, day_of_month = doc.get("DueDays"), doc.get("DayOfMonthDue")
    if days is None and day_of_month is None:
        raise missing("DueDays")
    if days is not None and not 0 <= days <= 999:
        raise Fault("2090", "DueDays must lie between 0 and 999", "DueDays")
    if day_of_month is not None and days is None and not 1 <= day_of_month <= 31:
        raise Fault("2090", "DayOfMonthDue must lie between 1 and 31", "DayOfMonthDue")
    doc["Type"] = "STANDARD" if days is not None else "DATE_DRIVEN"
    if days is not None:
        for name in ("DayOfMonthDue", "DueNextMonthDays", "DiscountDayOfMonth"):
            doc.pop(name, None)


class TreeKind(Kind):
    """Class and Department: names unique under their parent, five levels deep."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.flag = f"Sub{entity}"
        self.kept = ("Active",)

    def complete(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        require(doc, "Name")
        if ":" in doc["Name"]:
            raise Fault("2040", "Name must not contain a colon", "Name")
        doc.setdefault("Active", True)
        was = previous is None or previous.get("Active") is not False
        if was and not doc["Active"]:
            doc["Name"] = inactive_name(company, doc["Name"], "Name", self.entity)
        elif doc["Active"] and not was:
            doc["Name"] = plain_name(doc["Name"])
        doc[self.flag] = doc.get("ParentRef") is not None
        doc["FullyQualifiedName"] = doc["Name"]
        if doc.get("ParentRef"):
            parent = company.resolve(self.entity, doc["ParentRef"], "ParentRef")
            if parent["FullyQualifiedName"].count(":") >= 4:
                raise Fault("6180", f"A {self.entity} can be nested five levels deep", "ParentRef")
            doc["FullyQualifiedName"] = f"{parent['FullyQualifiedName']}:{doc['Name']}"
        for other in company.tables[self.entity].find("FullyQualifiedName", doc["FullyQualifiedName"]):
            if previous is None or other != previous["Id"]:
                raise Fault("6240", f"The name supplied already exists. : Id={other}")


class CompanyCurrencyKind(Kind):
    deletable = True
    kept = ("Active",)

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        if not company.settings.multi_currency:
            raise Fault("5030", "Multicurrency is not enabled in this company")
        require(doc, "Code")
        if doc["Code"] not in NAMES:
            raise Fault("2220", f"{doc['Code']} is not a currency", "Code")
        for other in company.tables["CompanyCurrency"].find("Code", doc["Code"]):
            if write.previous is None or other != write.previous["Id"]:
                raise Fault("6240", f"The currency is already enabled. : Id={other}", "Code")
        doc.setdefault("Name", NAMES[doc["Code"]])
        doc.setdefault("Active", True)


class ExchangeRateKind(Kind):
    """Rates have no id of their own on the wire: source currency and date name them."""

    kept = ("TargetCurrencyCode",)

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "SourceCurrencyCode", "Rate")
        if doc["Rate"] <= 0:
            raise Fault("2090", "Rate must be above zero", "Rate")
        if doc["SourceCurrencyCode"] not in NAMES:
            raise Fault("2220", f"{doc['SourceCurrencyCode']} is not a currency", "SourceCurrencyCode")
        doc.setdefault("AsOfDate", company.clock.today().isoformat())
        doc["TargetCurrencyCode"] = home(company)


class CompanyInfoKind(Kind):
    creatable = False
    kept = (
        "CompanyStartDate",
        "FiscalYearStartMonth",
        "Country",
        "Email",
        "WebAddr",
        "NameValue",
        "SupportedLanguages",
    )

    def complete(self, write: Write) -> None:
        require(write.doc, "CompanyName", "CompanyAddr")


class PreferencesKind(Kind):
    creatable = False

    def complete(self, write: Write) -> None:
        doc, previous = write.doc, write.previous or {}
        for section, sent in write.sent.items():
            if section.endswith("Prefs") and isinstance(sent, dict):
                doc[section] = {**(previous.get(section) or {}), **sent}
        for section, before in previous.items():
            if section.endswith("Prefs"):
                doc.setdefault(section, before)
        currency = (previous.get("CurrencyPrefs") or {}).get("MultiCurrencyEnabled")
        wanted = doc["CurrencyPrefs"].get("MultiCurrencyEnabled")
        if currency is True and wanted is False:
            raise Fault("6000", "Business Validation Error: Multicurrency cannot be turned off.", "CurrencyPrefs")
        closed = doc["AccountingInfoPrefs"].get("BookCloseDate")
        if closed:
            try:
                date.fromisoformat(str(closed))
            except ValueError:
                raise Fault("2060", "Invalid date format for BookCloseDate: use YYYY-MM-DD", "BookCloseDate") from None

    def settle(self, write: Write) -> None:
        if write.doc["CurrencyPrefs"].get("MultiCurrencyEnabled") is True:
            write.company.settings.multi_currency = True


class TimeActivityKind(Kind):
    deletable = True
    kept = ("TxnDate", "BillableStatus")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "NameOf")
        if doc["NameOf"] in ("Employee", "Vendor"):
            require(doc, f"{doc['NameOf']}Ref")
        resolve_all(
            company,
            doc,
            {"EmployeeRef": "Employee", "VendorRef": "Vendor", "CustomerRef": "Customer", "ItemRef": "Item"},
        )
        if doc.get("Hours") is None and doc.get("Minutes") is None and doc.get("StartTime") is None:
            raise missing("Hours")
        doc.setdefault("TxnDate", company.clock.today().isoformat())
        doc.setdefault("BillableStatus", "NotBillable")


class AttachableKind(Kind):
    deletable = True
    kept = ("FileAccessUri", "TempDownloadUri", "Size", "ContentType", "FileName")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        if doc.get("FileName") is None and doc.get("Note") is None:
            raise missing("Note")
        for reference in doc.get("AttachableRef") or []:
            target = reference.get("EntityRef")
            if target is None:
                continue
            table = company.tables.get(str(target.get("type", "")))
            if table is None:
                raise Fault("2170", f"{target.get('type')!r} is not an entity", "AttachableRef.EntityRef.type")
            if table.get(target["value"]) is None:
                raise Fault(
                    "2500", f"Invalid Reference Id : {target['type']} {target['value']} not found", "AttachableRef"
                )
            target.pop("name", None)
