"""Where an object of a ledger is shown by the ledger itself. Pure.

Only ledgers with pages of their own have any: a journal of plain text has none.
"""

from collections.abc import Mapping
from urllib.parse import quote

_QUICKBOOKS_PAGES: Mapping[str, str] = {
    "customer": "customerdetail?nameId",
    "vendor": "vendordetail?nameId",
    "estimate": "estimate?txnId",
    "purchase_order": "purchaseorder?txnId",
    "invoice": "invoice?txnId",
    "sales_receipt": "salesreceipt?txnId",
    "bill": "bill?txnId",
    "credit_memo": "creditmemo?txnId",
    "payment": "recvpayment?txnId",
    "refund_receipt": "refundreceipt?txnId",
    "refund_payment": "expense?txnId",
    "expense": "expense?txnId",
    "journal_entry": "journal?txnId",
    "deposit": "deposit?txnId",
}
"""Kind of document → page of QuickBooks Online, and the parameter that takes the id. Items have none."""


def url_of(ledger: str, external_id: str, kind: str, ledger_id: str, quickbooks_url: str) -> str:
    """Page of an object; empty where there is none. `external_id`: the company as the ledger names it.

    By way of the sign-in, which chooses the company: else the page is looked for in whichever was open last.
    """
    page = _QUICKBOOKS_PAGES.get(kind) if ledger == "quickbooks_online" else None
    if page is None or not ledger_id or not external_id:
        return ""
    wanted = quote(f"{page}={ledger_id}", safe="")
    return f"{quickbooks_url.rstrip('/')}/app/login?pagereq={wanted}&deeplinkcompanyid={quote(external_id, safe='')}"
