"""Items, terms, payment methods, preferences and company facts of the seeded companies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

ITEMS = """
1|Services||Service|0|0|1||
2|Hours||Service|0|0|1||
3|Concrete|Concrete for fountain installation|Service|0|0|48||taxable
4|Design|Custom Design|Service|75|0|82||
5|Rock Fountain|Rock Fountain|Inventory|275|125|79|5|taxable
6|Gardening|Weekly Gardening Service|Service|0|0|45||
7|Installation|Installation of landscape design|Service|50|0|52||
8|Lighting|Garden Lighting|Service|0|0|48||taxable
9|Maintenance & Repair|Maintenance & Repair|Service|0|0|53||
10|Pest Control|Pest Control Services|Service|35|0|54||
11|Pump|Fountain Pump|Inventory|15|10|79|28|taxable
12|Refunds & Allowances|Income due to refunds or allowances|Service|0|0|83||
13|Rocks|Garden Rocks|Service|0|0|48||taxable
14|Sod|Sod|Service|0|0|49||taxable
15|Soil|2 cubic ft. bag|Service|10|6.5|49||taxable
16|Sprinkler Heads|Sprinkler Heads|Inventory|2|0.75|79|35|taxable
17|Sprinkler Pipes|Sprinkler Pipes|Inventory|4|2.5|79|35|taxable
18|Trimming|Tree and Shrub Trimming|Service|35|0|45||
"""

TERMS = {"1": ("Due on receipt", 0), "2": ("Net 15", 15), "3": ("Net 30", 30), "4": ("Net 60", 60)}

PAYMENT_METHODS = {
    "1": ("Cash", "NON_CREDIT_CARD"),
    "2": ("Check", "NON_CREDIT_CARD"),
    "3": ("Visa", "CREDIT_CARD"),
    "4": ("MasterCard", "CREDIT_CARD"),
    "5": ("Discover", "CREDIT_CARD"),
    "6": ("American Express", "CREDIT_CARD"),
    "7": ("Diners Club", "CREDIT_CARD"),
}


def item_bodies(start: str) -> list[tuple[str, dict[str, Any]]]:
    """(id, create body) for each item; ``start`` is the inventory start date."""
    found = []
    for text in ITEMS.strip().splitlines():
        identifier, name, about, kind, price, cost, income, held, flag = text.split("|")
        body: dict[str, Any] = {
            "Name": name,
            "Description": about or None,
            "Type": kind,
            "UnitPrice": Decimal(price),
            "PurchaseCost": Decimal(cost),
            "IncomeAccountRef": {"value": income},
            "Taxable": flag == "taxable",
        }
        if kind == "Inventory":
            body |= {
                "PurchaseDesc": about,
                "ExpenseAccountRef": {"value": "80"},
                "AssetAccountRef": {"value": "81"},
                "TrackQtyOnHand": True,
                "QtyOnHand": Decimal(held),
                "InvStartDate": start,
            }
        elif cost != "0":
            body |= {"PurchaseDesc": about, "ExpenseAccountRef": {"value": "66"}}
        found.append((identifier, body))
    return found


def _switch(name: str, value: bool) -> dict[str, Any]:
    return {"Name": name, "Type": "BooleanType", "BooleanValue": value}


def _named(name: str, value: str) -> dict[str, Any]:
    return {"Name": name, "Type": "StringType", "StringValue": value}


def _sales_forms(*, crew: bool) -> dict[str, Any]:
    fields = [
        {"CustomField": [_switch(f"SalesFormsPrefs.UseSalesCustom{n}", crew and n == 1) for n in (3, 2, 1)]},
        {"CustomField": [_named("SalesFormsPrefs.SalesCustomName1", "Crew #")]},
    ]
    return {
        "CustomField": fields,
        "CustomTxnNumbers": False,
        "AllowDeposit": False,
        "AllowDiscount": True,
        "DefaultDiscountAccount": "86",
        "AllowEstimates": True,
        "ETransactionEnabledStatus": "NotApplicable",
        "ETransactionAttachPDF": False,
        "ETransactionPaymentEnabled": False,
        "IPNSupportEnabled": False,
        "AllowServiceDate": False,
        "AllowShipping": True,
        "DefaultShippingAccount": "92",
        "DefaultTerms": {"value": "3"},
        "UsingPriceLevels": False,
        "DefaultCustomerMessage": "Thank you for your business and have a great day!",
    }


def _messages(name: str) -> dict[str, Any]:
    def mail(kind: str, text: str) -> dict[str, str]:
        return {"Subject": f"{kind} from {name}", "Message": f"{text}\n\nSincerely,\n{name}"}

    return {
        "InvoiceMessage": mail("Invoice", "Your invoice is attached."),
        "EstimateMessage": mail("Estimate", "Please review the estimate below."),
        "SalesReceiptMessage": mail("Sales Receipt", "Your sales receipt is attached."),
        "StatementMessage": mail("Statement", "Your statement is attached."),
    }


def _purchases() -> dict[str, Any]:
    fields = [
        {"CustomField": [_switch(f"PurchasePrefs.UsePurchaseCustom{n}", n < 3) for n in (3, 2, 1)]},
        {
            "CustomField": [
                _named("PurchasePrefs.PurchaseCustomName2", "Sales Rep"),
                _named("PurchasePrefs.PurchaseCustomName1", "Crew #"),
            ]
        },
    ]
    return {
        "TrackingByCustomer": True,
        "BillableExpenseTracking": True,
        "POCustomField": fields,
    }


def preferences(name: str, home: str, tax_model: str, *, multi_currency: bool, crew: bool) -> dict[str, Any]:
    """The Preferences object of a company."""

    other = {
        "SalesFormsPrefs.DefaultCustomerMessage": "Thank you for your business and have a great day!",
        "SalesFormsPrefs.DefaultItem": "1",
        "DTXCopyMemo": "true",
        "UncategorizedAssetAccountId": "32",
        "UncategorizedIncomeAccountId": "30",
        "UncategorizedExpenseAccountId": "31",
        "SFCEnabled": "true",
        "DataPartner": "false",
        "Vendor1099Enabled": "true",
        "TimeTrackingFeatureEnabled": "true",
    }
    return {
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": "January",
            "UseAccountNumbers": False,
            "TrackDepartments": True,
            "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True,
            "CustomerTerminology": "Customers",
        },
        "ProductAndServicesPrefs": {
            "ForSales": True,
            "ForPurchase": True,
            "QuantityWithPriceAndRate": True,
            "QuantityOnHand": True,
        },
        "SalesFormsPrefs": _sales_forms(crew=crew),
        "EmailMessagesPrefs": _messages(name),
        "VendorAndPurchasesPrefs": _purchases(),
        "TimeTrackingPrefs": {
            "UseServices": True,
            "BillCustomers": True,
            "ShowBillRateToAll": False,
            "WorkWeekStartDate": "Monday",
            "MarkTimeEntriesBillable": True,
        },
        "TaxPrefs": {
            "UsingSalesTax": True,
            "PartnerTaxEnabled": tax_model == "us_automated",
            **({"TaxGroupCodeRef": {"value": "2"}} if tax_model.startswith("us") else {}),
        },
        "CurrencyPrefs": {"MultiCurrencyEnabled": multi_currency, "HomeCurrency": {"value": home}},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {"NameValue": [{"Name": key, "Value": value} for key, value in other.items()]},
    }


def company_info(name: str, country: str, created: str) -> dict[str, Any]:
    """The CompanyInfo object of a company."""
    address = {
        "Id": "1",
        "Line1": "123 Sierra Way",
        "City": "San Pablo",
        "Country": {"US": "USA", "GB": "GBR", "CA": "CAN", "DE": "DEU", "AU": "AUS"}.get(country, country),
        "CountrySubDivisionCode": "CA",
        "PostalCode": "87999",
    }
    facts = {
        "NeoEnabled": "true",
        "IndustryType": "Landscaping Services",
        "IndustryCode": "561730",
        "SubscriptionStatus": "PAID",
        "OfferingSku": "QuickBooks Online Plus",
        "PayrollFeature": "false",
        "AccountantFeature": "false",
        "IsQbdtMigrated": "false",
    }
    return {
        "CompanyName": name,
        "LegalName": name,
        "CompanyAddr": dict(address),
        "CustomerCommunicationAddr": dict(address),
        "LegalAddr": dict(address),
        "CustomerCommunicationEmailAddr": {"Address": "noreply@cedarlane.example"},
        "PrimaryPhone": {"FreeFormNumber": "5555550100"},
        "CompanyStartDate": created[:10],
        "FiscalYearStartMonth": "January",
        "Country": country,
        "Email": {"Address": "noreply@cedarlane.example"},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "NameValue": [{"Name": key, "Value": value} for key, value in facts.items()],
    }
