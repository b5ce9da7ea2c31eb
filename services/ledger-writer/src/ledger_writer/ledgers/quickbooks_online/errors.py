"""THE table: what each fault code of QuickBooks Online means, what cures it, and what the lane does about it.

Codes and classes follow the domain reference, section 24. A code decides; where one code says many things (6000), its
text decides. A code that is not listed is `data` and keeps the ledger's own words.
"""

import re
from dataclasses import dataclass
from typing import Final

from common.messages.base import Reason
from ledger_writer.ledgers.protocol import ErrorClass, Refused
from ledger_writer.ledgers.quickbooks_online.faults import Fault, FaultError


@dataclass(frozen=True, slots=True)
class Row:
    """One meaning: its class, our code for it, and the cure a bookkeeper reads."""

    error_class: ErrorClass
    code: str
    cure: str
    stops_company: bool = False


def _transient(code: str, cure: str = "Nothing to do: it is tried again.") -> Row:
    return Row(ErrorClass.TRANSIENT, code, cure)


def _data(code: str, cure: str) -> Row:
    return Row(ErrorClass.DATA, code, cure)


def _config(code: str, cure: str) -> Row:
    return Row(ErrorClass.CONFIG, code, cure)


CANNOT_LINK: Final = "CANNOT_LINK"
"""Code of a refusal to link one document to another."""
_RECONNECT = Row(ErrorClass.TOKEN, "NEEDS_RECONNECT", "Connect the company file again.", stops_company=True)
_NO_ACCESS = Row(
    ErrorClass.PERMISSION,
    "NO_ACCESS",
    "Connect the company file again as its primary or company administrator.",
    stops_company=True,
)
_PLAN = Row(
    ErrorClass.PERMISSION, "FEATURE_NOT_IN_PLAN", "Upgrade the QuickBooks plan, or change the setting that needs it."
)
_REPORT = _data("LEDGER_REFUSED", "Report this: the product sent something the ledger does not take.")
_REFERENCE = _config(
    "REFERENCE_INVALID", "Map the named account, item, tax code or method to one that is active, then refresh lists."
)
_VALUE = _data("VALUE_INVALID", "Correct the value in the order, or with a rule.")
_TAX = _config("TAX_CODE_INVALID", "Map the tax code again; with automatic sales tax use the tax method `override`.")
_MAPPING = _config("MAPPING_MISSING", "Set the account, item or customer that the text names.")
_LINKED = _data("HAS_DEPENDENCIES", "Remove what depends on it in QuickBooks first (payment, deposit, bank match).")

TABLE: Final[dict[str, Row]] = {
    # who may do what
    "100": _RECONNECT,
    "110": _RECONNECT,
    "3200": _RECONNECT,
    "3202": _RECONNECT,
    "120": _NO_ACCESS,
    "3100": _NO_ACCESS,
    "140": Row(
        ErrorClass.PERMISSION, "COMPANY_LOCKED", "Open the company in QuickBooks to see why, then resume writing.", True
    ),
    "5020": _PLAN,
    "5030": _PLAN,
    "6150": _PLAN,
    "6190": Row(
        ErrorClass.PERMISSION, "SUBSCRIPTION_ENDED", "Renew the QuickBooks subscription, then resume writing.", True
    ),
    # passing trouble
    "3001": _transient("THROTTLED"),
    "130": _transient("LEDGER_UNAVAILABLE"),
    "150": _transient("LEDGER_UNAVAILABLE"),
    "10000": _transient("LEDGER_UNAVAILABLE"),
    "1040": _transient("BATCH_TOO_LARGE"),
    "10100": _transient("RESULT_TOO_LARGE"),
    "5010": Row(ErrorClass.CONFLICT, "STALE", "Nothing to do: it is read again and tried again."),
    # perhaps it is there already
    "600": Row(ErrorClass.LOOKUP, "REQUEST_REPEATED", "Nothing to do: the document is looked up."),
    "630": Row(ErrorClass.LOOKUP, "DUPLICATE_OBJECT", "Link it to the existing one."),
    "6140": Row(ErrorClass.LOOKUP, "NUMBER_COLLISION", "Use a prefix or let QuickBooks assign numbers."),
    "6240": Row(ErrorClass.LOOKUP, "NAME_TAKEN", "Link the existing name, or rename it in QuickBooks."),
    # objects the document refers to
    "610": _config("OBJECT_NOT_FOUND", "Reactivate or map again the customer, item or account; resend if deleted."),
    "2030": _REFERENCE,
    "2500": _REFERENCE,
    "2020": _config("FIELD_MISSING", "Set the default account or item that the text names."),
    "2220": _config("CURRENCY_NOT_ENABLED", "Enable the currency in QuickBooks."),
    "6090": _config("DISCOUNT_ACCOUNT_MISSING", "Set the discount account, or allow discounts in QuickBooks."),
    "6100": _TAX,
    "6160": _TAX,
    "6170": _TAX,
    "6230": _TAX,
    "6470": _TAX,
    "6250": _config("CUSTOMER_INACTIVE", "Reactivate the customer, or connect it to another."),
    "6310": _MAPPING,
    "6430": _config("ACCOUNT_TYPE_WRONG", "Choose an account of the type that the text names."),
    "6440": _MAPPING,
    "6560": _config("CUSTOMER_MISSING", "Set the strategy for missing customers."),
    "10200": Row(ErrorClass.CONFIG, "COMPANY_RESET", "Connect the company file again and match everything anew.", True),
    # periods
    "6200": Row(ErrorClass.PERIOD, "PERIOD_CLOSED", "Open the period, post with today's date, or dismiss."),
    "6210": Row(
        ErrorClass.PERIOD, "PERIOD_CLOSED", "The period is closed with a password: open it, redate, or dismiss."
    ),
    # the document itself
    "500": _REPORT,
    "620": _data(CANNOT_LINK, "Check the application: the invoice may be closed or belong to another customer."),
    "700": _data("PARENT_INVALID", "Correct the hierarchy of the customer or item."),
    "900": _data("PARENT_INVALID", "Correct the hierarchy of the customer or item."),
    "6180": _data("PARENT_INVALID", "QuickBooks allows five levels."),
    "800": _LINKED,
    "6220": _LINKED,
    "6480": _LINKED,
    "6450": _data("PAYMENT_SETTLED", "A settled payment can't be voided: refund it."),
    "6540": _data("DEPOSITED", "Remove it from its deposit in QuickBooks first."),
    "2000": _REPORT,
    "2010": _REPORT,
    "2120": _REPORT,
    "2130": _REPORT,
    "2170": _REPORT,
    "2260": _REPORT,
    "2600": _REPORT,
    "2300": _data("NOT_BALANCED", "Report this: debits and credits differ."),
    "2250": _data("LINES_MISSING", "The document has no lines: check the order and the rules."),
    "2040": _data("TEXT_INVALID", "Remove the characters from the order, or with a rule."),
    "2050": _data("TEXT_TOO_LONG", "Shorten the value in the order, or with a rule."),
    "2060": _VALUE,
    "2070": _VALUE,
    "2080": _VALUE,
    "2090": _VALUE,
    "2100": _VALUE,
    "2110": _VALUE,
    "2140": _VALUE,
    "2150": _VALUE,
    "2160": _VALUE,
    "2200": _VALUE,
    "2290": _VALUE,
    "2210": _data("EMAIL_INVALID", "Correct or clear the e-mail address."),
    "6420": _data("EMAIL_INVALID", "The document is to be mailed and has no address: add one."),
    "6070": _data("AMOUNT_DIFFERS", "Report this: the line's amount is not its quantity times its price."),
    "6080": _data("NAME_MISSING", "The order has no customer name: use another customer strategy."),
    "6270": _data("BEFORE_INVENTORY_START", "Move the item's inventory start date to before the document."),
    "6530": _REPORT,
    "6030": _data("FILE_TOO_LARGE", "Attach a smaller file."),
    "3000": _config("CUSTOM_FIELD_INVALID", "Define the custom field in QuickBooks, or drop it from the rules."),
    "4000": _REPORT,
    "4001": _REPORT,
    "4002": _REPORT,
    "5000": _REPORT,
}

_UNKNOWN: Final = _data("LEDGER_REFUSED", "Read what QuickBooks says; correct it there or in the order, then resend.")

TEXTS: Final[dict[str, tuple[tuple[re.Pattern[str], Row], ...]]] = {
    "6000": tuple(
        (re.compile(pattern, re.IGNORECASE), row)
        for pattern, row in (
            (
                r"(receivable|payable|a/r|a/p|deposit|account).{0,80}currency|currency.{0,80}(receivable|payable|account)",
                _config("ACCOUNT_CURRENCY", "Map an A/R, A/P or deposit account in the document's currency."),
            ),
            (
                r"currency.{0,80}customer|customer.{0,80}currency",
                _config("CUSTOMER_CURRENCY", "The customer has another currency: use a customer per currency."),
            ),
            (r"gst|hst|\bvat\b|tax (rate|code)", _TAX),
            (
                r"quantity on hand|insufficient quantity|negative quantity",
                _data("QUANTITY_NEGATIVE", "Receive stock in QuickBooks, or use a non-inventory item."),
            ),
            (
                r"payment.{0,80}(exceed|more than|greater)|(exceed|more than|greater).{0,80}(balance|amount due)",
                _data("PAYMENT_EXCEEDS_BALANCE", "Somebody has paid part of it already: check the invoice."),
            ),
            (
                r"deposited|linked to a deposit",
                _data("DEPOSITED", "Remove it from its deposit in QuickBooks first."),
            ),
            (
                r"period (is )?closed|closing date|books are closed|closed the books",
                Row(ErrorClass.PERIOD, "PERIOD_CLOSED", "Open the period, post with today's date, or dismiss."),
            ),
            (r"amount.{0,40}(missing|required)", _VALUE),
            (
                r"duplicate document number",
                Row(ErrorClass.LOOKUP, "NUMBER_COLLISION", "Use a prefix or let QuickBooks assign numbers."),
            ),
        )
    ),
    # An older list prints 6210 for duplicate numbers; the text tells which of the two is meant.
    "6210": (
        (
            re.compile(r"duplicate document number", re.IGNORECASE),
            Row(ErrorClass.LOOKUP, "NUMBER_COLLISION", "Use a prefix or let QuickBooks assign numbers."),
        ),
    ),
}

STATUSES: Final[dict[int, Row]] = {
    401: _RECONNECT,
    403: _NO_ACCESS,
    404: _REPORT,
    408: _transient("LEDGER_UNAVAILABLE"),
    413: _data("FILE_TOO_LARGE", "The document is too large for QuickBooks: split it."),
    429: _transient("THROTTLED"),
}

_FIRST_PERSON: Final = (
    ErrorClass.TOKEN,
    ErrorClass.PERMISSION,
    ErrorClass.PERIOD,
    ErrorClass.CONFIG,
    ErrorClass.DATA,
    ErrorClass.LOOKUP,
    ErrorClass.CONFLICT,
    ErrorClass.TRANSIENT,
)
"""Of several errors the one that needs a person most: retrying can't cure the others while it stands."""


def row_of(error: FaultError) -> Row:
    """The meaning of one error, by its code and then its text."""
    for pattern, row in TEXTS.get(error.code, ()):
        if pattern.search(f"{error.message} {error.detail}"):
            return row
    if error.code == "6000":
        return _data("BUSINESS_RULE", "Read what QuickBooks says; correct it there or in the order, then resend.")
    return TABLE.get(error.code, _UNKNOWN)


def classify(fault: Fault) -> Refused:
    """What a refusal means for the lane. A throttled answer is transient whatever its body says."""
    if fault.throttled:
        return _refused(STATUSES[429], fault.errors[0] if fault.errors else None, fault)
    rows = [(row_of(error), error) for error in fault.errors]
    if not rows:
        fallback = _transient("LEDGER_UNAVAILABLE") if fault.status >= 500 else _UNKNOWN
        return _refused(STATUSES.get(fault.status, fallback), None, fault)
    row, error = min(rows, key=lambda pair: _FIRST_PERSON.index(pair[0].error_class))
    return _refused(row, error, fault)


def refusal(error_class: ErrorClass, code: str, text: str, cure: str, *, field: str | None = None) -> Refused:
    """A refusal of our own, in the same form as the ledger's."""
    return Refused(error_class=error_class, reason=Reason(code=code, text=text, cure=cure, field=field))


def reconnect(text: str) -> Refused:
    """The connection is gone: documents stay queued, the company waits for a person."""
    reason = Reason(code=_RECONNECT.code, text=text, cure=_RECONNECT.cure)
    return Refused(error_class=_RECONNECT.error_class, reason=reason, stops_company=True)


def _refused(row: Row, error: FaultError | None, fault: Fault) -> Refused:
    if error is None:
        text = f"QuickBooks answered {fault.status} without saying why"
    else:
        text = f"QuickBooks refused it ({error.code or fault.status}): {error.text}"
    return Refused(
        error_class=row.error_class,
        reason=Reason(
            code=row.code,
            text=text[:4000],
            cure=row.cure,
            field=(error.element[:500] or None) if error else None,
        ),
        raw=f"intuit_tid {fault.tid}: {fault.raw}" if fault.tid else fault.raw,
        retry_after_s=fault.retry_after_s,
        stops_company=row.stops_company,
    )
