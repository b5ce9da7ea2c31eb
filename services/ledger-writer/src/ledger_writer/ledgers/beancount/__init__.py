"""Beancount: books as plain text, the ledger that needs no account anywhere."""

from ledger_writer.ledgers.beancount.accounts import DEFAULT_ACCOUNTS, account_type
from ledger_writer.ledgers.beancount.adapter import look_at, open_company, pair, report
from ledger_writer.ledgers.protocol import Capability, Ledger

LEDGER = Ledger(
    name="beancount",
    title="Beancount (plain text)",
    capabilities=frozenset(
        {
            Capability.INVOICE,
            Capability.SALES_RECEIPT,
            Capability.SALES_ORDER,
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
            Capability.CREATES_ITEMS,
            Capability.ITEMS_ARE_NAMES,
            Capability.DEPOSIT_TO_LIABILITY,
            Capability.DEPOSITS_ACROSS_CURRENCIES,
            Capability.EDITS_POSTED,
        }
    ),
    default_accounts={role.value: name for role, name in DEFAULT_ACCOUNTS.items()},
    open=open_company,
    batch_size=500,
    request_timeout_s=10.0,
    links_ahead=True,
    list_names=("accounts",),
    account_type=account_type,
    look_at=look_at,
    report=report,
    pair=pair,
)
