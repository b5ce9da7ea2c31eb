"""QuickBooks Online through the Accounting API v3. `LEDGER` is what the rest of the service sees of it."""

from ledger_writer.ledgers.protocol import Capability, Ledger
from ledger_writer.ledgers.quickbooks_online.adapter import OpenOnline
from ledger_writer.ledgers.quickbooks_online.lists import ENTITIES
from ledger_writer.ledgers.quickbooks_online.oauth import IntuitOAuth
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.ledgers.quickbooks_online.webhook import reader

__all__ = ["LEDGER", "ledger"]


def ledger(settings: OnlineSettings) -> Ledger:
    """The adapter for one app and one set of addresses."""
    oauth = IntuitOAuth(settings)
    opened = OpenOnline(settings, oauth)
    return Ledger(
        name="quickbooks_online",
        title="QuickBooks Online",
        capabilities=frozenset(
            {
                Capability.INVOICE,
                Capability.SALES_RECEIPT,
                Capability.ESTIMATE,
                Capability.CREDIT_MEMO,
                Capability.REFUND_RECEIPT,
                Capability.REFUND_PAYMENT,
                Capability.DEPOSIT,
                Capability.JOURNAL_ENTRY,
                Capability.BILL,
                Capability.EXPENSE,
                Capability.PURCHASE_ORDER,
                Capability.MULTI_CURRENCY,
                Capability.NEXT_NUMBER,
                Capability.LINE_TAX_CODES,
                Capability.CREATES_ITEMS,
                Capability.EDITS_POSTED,
                Capability.REFRESHES_CONTACT,
            }
        ),
        default_accounts={
            "AR": "Accounts Receivable (A/R)",
            "UF": "Undeposited Funds",
            "BANK": "Checking",
            "INC": "Sales of Product Income",
            "SHIP": "Shipping Income",
            "DISC": "Discounts given",
            "REFC": "Refunds and Returns",
            "TAX": "Sales Tax Payable",
            "GIFT": "Gift Cards Outstanding",
            "TIPS": "Tips Received",
            "FEES": "Merchant Fees",
            "CHB": "Chargebacks",
            "RND": "Rounding",
            "INV": "Inventory Asset",
            "COGS": "Cost of Goods Sold",
            "AP": "Accounts Payable (A/P)",
        },
        open=opened,
        request_timeout_s=settings.request_timeout_s,
        list_names=tuple(ENTITIES),
        look_at=opened.look_at,
        customer_balances=opened.customer_balances,
        report=opened.report,
        oauth=oauth,
        follows_changes=True,
        read_notices=reader(settings.webhook_verifier),
    )


LEDGER = ledger(OnlineSettings())
