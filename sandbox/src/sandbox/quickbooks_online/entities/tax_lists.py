"""Tax agencies, rates and codes, and the tax service that makes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.quickbooks_online.accounting.control import open_account
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Kind, Write, require
from sandbox.quickbooks_online.faults import Fault, bad_reference, missing
from sandbox.quickbooks_online.table import Doc


class TaxAgencyKind(Kind):
    kept = ("TaxTrackedOnSales", "TaxTrackedOnPurchases")
    updatable = False

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "DisplayName")
        for other in company.tables["TaxAgency"].find("DisplayName", doc["DisplayName"]):
            if write.previous is None or other != write.previous["Id"]:
                raise Fault("6240", f"The name supplied already exists. : Id={other}")
        doc.setdefault("TaxTrackedOnSales", True)
        doc.setdefault("TaxTrackedOnPurchases", False)

    def settle(self, write: Write) -> None:
        if write.previous is None:
            agency_account(write.company, write.doc)


def agency_account(company: Company, agency: Doc) -> str:
    """Open the liability account of a tax agency."""
    name = f"{agency['DisplayName']} Payable"[:100]
    taken = company.tables["Account"].find("FullyQualifiedName", name)
    account = taken[0] if taken else open_account(company, name, "Other Current Liability", "SalesTaxPayable")
    company.set_entry(company.special, f"payable:{agency['Id']}", account)
    return account


class ReadOnlyKind(Kind):
    creatable = False
    updatable = False


def head(company: Company, entity: str, identifier: str | None = None) -> Doc:
    """The fields every stored object has."""
    now = company.clock.stamp()
    chosen = identifier or company.next_id(entity)
    company.reserve_id(entity, chosen)
    return {
        "domain": "QBO",
        "sparse": False,
        "Id": chosen,
        "SyncToken": "0",
        "MetaData": {"CreateTime": now, "LastUpdatedTime": now},
    }


def make_rate(company: Company, name: str, value: Decimal, agency: str | None, *, identifier: str | None = None) -> str:
    """Add a TaxRate; ``value`` in percent, ``agency`` defaults to the company's first one. Returns its id."""
    first = agency or next((row.doc["Id"] for row in company.tables["TaxAgency"].rows.values()), "1")
    doc = head(company, "TaxRate", identifier)
    started = doc["MetaData"]["CreateTime"]
    company.put(
        "TaxRate",
        {
            "Name": name,
            "Description": name,
            "Active": True,
            "RateValue": value,
            "AgencyRef": {"value": first},
            "SpecialTaxType": "NONE",
            "EffectiveTaxRate": [{"RateValue": value, "EffectiveDate": started}],
            "DisplayType": "ReadOnly",
            **doc,
        },
    )
    return str(doc["Id"])


def make_code(
    company: Company,
    name: str,
    rates: list[tuple[str, Decimal, str | None]],
    *,
    identifier: str | None = None,
    existing: list[tuple[str, str]] | None = None,
) -> str:
    """Add a TaxCode over new rates (name, percent, agency) or existing ones (rate id, "Sales"|"Purchase")."""
    listed: dict[str, list[Doc]] = {"Sales": [], "Purchase": []}
    chosen = [(make_rate(company, *rate), "Sales") for rate in rates] + (existing or [])
    for order, (rate_id, side) in enumerate(chosen):
        rate = company.get("TaxRate", rate_id) or {}
        listed["Purchase" if side == "Purchase" else "Sales"].append(
            {
                "TaxRateRef": {"value": rate_id, "name": rate.get("Name", "")},
                "TaxTypeApplicable": "TaxOnAmount",
                "TaxOrder": order,
            }
        )
    doc = head(company, "TaxCode", identifier)
    company.put(
        "TaxCode",
        {
            "Name": name,
            "Description": name,
            "Active": True,
            "Hidden": False,
            "Taxable": True,
            "TaxGroup": True,
            "SalesTaxRateList": {"TaxRateDetail": listed["Sales"]},
            "PurchaseTaxRateList": {"TaxRateDetail": listed["Purchase"]},
            **doc,
        },
    )
    return str(doc["Id"])


def tax_service(company: Company, body: Doc) -> dict[str, Any]:
    """``POST /taxservice/taxcode``: make a code with its rates; the answer has no envelope.

    Raises 2020 for missing parts, 2150 for a rate outside 0 to 100, 6240 for a taken name, 2500 for unknown ids.
    """
    require(body, "TaxCode")
    if company.tables["TaxCode"].find("Name", body["TaxCode"]):
        raise Fault("6240", f"The name supplied already exists. : {body['TaxCode']}", "TaxCode")
    details = body.get("TaxRateDetails") or []
    if not details:
        raise missing("TaxRateDetails")
    chosen: list[tuple[str, str]] = []
    answered: list[Doc] = []
    for detail in details:
        side = detail.get("TaxApplicableOn", "Sales")
        rate_id = detail.get("TaxRateId")
        if rate_id is not None:
            if company.get("TaxRate", rate_id) is None:
                raise bad_reference("TaxRates", rate_id, "TaxRateDetails.TaxRateId")
        else:
            require(detail, "TaxRateName", "RateValue", "TaxAgencyId")
            if company.get("TaxAgency", detail["TaxAgencyId"]) is None:
                raise bad_reference("TaxAgencies", detail["TaxAgencyId"], "TaxRateDetails.TaxAgencyId")
            if company.tables["TaxRate"].find("Name", detail["TaxRateName"]):
                raise Fault("6240", f"The name supplied already exists. : {detail['TaxRateName']}", "TaxRateName")
            rate_id = make_rate(company, detail["TaxRateName"], detail["RateValue"], detail["TaxAgencyId"])
        chosen.append((rate_id, side))
        answered.append({**detail, "TaxRateId": rate_id, "TaxApplicableOn": side})
    code = make_code(company, body["TaxCode"], [], existing=chosen)
    return {"TaxCode": body["TaxCode"], "TaxCodeId": code, "TaxRateDetails": answered}
