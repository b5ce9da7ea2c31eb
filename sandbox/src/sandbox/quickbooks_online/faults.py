"""Intuit's fault codes as exceptions: one table of messages, one class that renders the body."""

from __future__ import annotations

from typing import Any

MESSAGES: dict[str, str] = {
    "120": "Authorization Failure",
    "130": "Wrong Cluster",
    "140": "Company Locked",
    "150": "Company Is Under Maintenance",
    "500": "Unsupported Operation",
    "600": "Duplicate Request Id",
    "610": "Object Not Found",
    "620": "Transaction cannot be linked",
    "630": "Duplicate Object",
    "700": "Invalid Parent",
    "800": "Delete Not Allowed",
    "1040": "Batch Size Limit Exceeded",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String. The string contains unsupported characters",
    "2050": "String length is either shorter or longer than supported by specification",
    "2060": "Invalid Date",
    "2080": "Invalid Number",
    "2090": "Number is out of the supported range",
    "2120": "Invalid Type",
    "2130": "Invalid Request Id",
    "2140": "Invalid Amount",
    "2150": "Invalid Percent",
    "2160": "Invalid Quantity",
    "2170": "Invalid Enumeration",
    "2200": "Invalid URL",
    "2210": "Invalid Email Address format",
    "2220": "Invalid Currency",
    "2250": "Transaction Lines Missing",
    "2260": "Invalid Posting Type",
    "2290": "Negative Amount Not Allowed",
    "2300": "Total debits and credits must be equal",
    "2500": "Invalid Reference Id",
    "2600": "Conflicting Fields",
    "3001": "message=ThrottleExceeded; errorCode=003001; statusCode=429",
    "3100": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
    "3200": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "4002": "Query is too long",
    "5010": "Stale Object Error",
    "5020": "Permission Denied Error",
    "5030": "Feature Not Supported Error",
    "6000": "A business validation error has occurred while processing your request",
    "6030": "File Is Too Large",
    "6070": "Amount calculation incorrect in the request",
    "6080": "Name Is Missing",
    "6090": "Discount Line Invalid",
    "6100": "Invalid Line Tax Code",
    "6140": "Duplicate Document Number Error",
    "6180": "Too Many Levels",
    "6190": "Invalid Company Status",
    "6200": "Account Period Closed",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6220": "Cannot Delete With Balance",
    "6240": "Duplicate Name Exists Error",
    "6250": "Invalid Customer",
    "6270": "Transaction Date Precedes Inventory Start Date",
    "6420": "Email Address Required",
    "6430": "Invalid account type",
    "6440": "Line Needs Item Or Account",
    "6450": "Cannot Void Settled Payment",
    "6470": "Invalid Tax Detail",
    "6480": "Matched Transaction Cannot Be Changed",
    "6530": "Card Number Not Allowed",
    "6540": "Deposited Transaction cannot be changed",
    "10000": "An application error has occurred while processing your request",
    "10200": "Company Was Reset",
}

STALE = (
    "Stale Object Error : You and Another User were working on this at the same time. "
    "Another User finished before you did, so your work was not saved."
)
NOT_FOUND = (
    "Object Not Found : Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)
LAPSED = (
    "Subscription period has ended or canceled or there was a billing problem : You can't add data to QuickBooks "
    "Online because your trial or subscription period ended, you canceled your subscription, or there was a billing "
    "problem."
)


class Fault(Exception):
    """A refusal in Intuit's form.

    ``code`` is Intuit's number as text, ``detail`` the sentence, ``element`` the field path or None (left out).
    ``status`` is the HTTP status, ``kind`` the value of ``Fault.type``.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        element: str | None = None,
        *,
        status: int = 400,
        kind: str = "ValidationFault",
        message: str | None = None,
    ) -> None:
        self.code = code
        self.message = message or MESSAGES.get(code, "Validation Error")
        self.detail = detail or self.message
        self.element = element
        self.status = status
        self.kind = kind
        super().__init__(f"{code}: {self.detail}")

    def body(self) -> dict[str, Any]:
        """``{"Error":[{Message, Detail, code, element?}], "type"}`` as it stands inside ``Fault``."""
        error: dict[str, Any] = {"Message": self.message, "Detail": self.detail, "code": self.code}
        if self.element is not None:
            error["element"] = self.element
        return {"Error": [error], "type": self.kind}


def missing(name: str) -> Fault:
    return Fault("2020", f"Required parameter {name} is missing in the request", name)


def bad_reference(what: str, value: str, element: str) -> Fault:
    return Fault("2500", f"Invalid Reference Id : {what} element id {value} not found", element)


def business(text: str, element: str | None = None) -> Fault:
    return Fault("6000", f"Business Validation Error: {text}", element)


def not_found() -> Fault:
    return Fault("610", NOT_FOUND, "")


def stale() -> Fault:
    return Fault("5010", STALE, "")
