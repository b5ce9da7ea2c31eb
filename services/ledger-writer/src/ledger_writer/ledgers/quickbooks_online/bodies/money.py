"""Documents that move money: payment, deposit, journal entry, and the purchase that pays a customer back."""

from decimal import Decimal
from typing import Final

from common.messages.base import Reason
from common.messages.transactions import Account, AccountRole, Document, DocumentLine, LineKind
from common.money import ZERO
from ledger_writer.ledgers.protocol import ErrorClass, LedgerLink, Operation
from ledger_writer.ledgers.quickbooks_online.bodies.base import (
    Body,
    Books,
    Content,
    customer_ref,
    dated,
    linked,
    listed,
    memo,
    numbered,
    ref,
    reference,
)
from ledger_writer.ledgers.quickbooks_online.names import CannotBuild, cannot

_PURCHASE_TYPES: Final = {"Cash": "Expense", "Check": "Check", "CreditCard": "CreditCardCredit"}

_DEPOSITABLE: Final = ("Payment", "SalesReceipt", "RefundReceipt", "JournalEntry")


def txn_type(link: LedgerLink) -> str:
    """How a written document is called in a link. Raises `CannotBuild` if its kind was not kept."""
    entity = link.details.get("entity", "")
    if entity == "Purchase":
        return _PURCHASE_TYPES.get(link.details.get("payment_type", ""), "Expense")
    if not entity:
        raise cannot(
            ErrorClass.DEPENDENCY,
            "LINK_INCOMPLETE",
            f"what kind of document {link.ledger_id} is in QuickBooks is not known",
            "Link it again.",
            "link",
        )
    return entity


def link_to(link: LedgerLink) -> Content:
    return {"TxnId": link.ledger_id, "TxnType": txn_type(link)}


def payment(operation: Operation, document: Document, books: Books) -> Body:
    """Money received from a customer. Without applications it stays unapplied, as the customer's credit."""
    applied = sum((amount for _, amount in operation.applications), ZERO)
    if applied > document.total:
        raise cannot(
            ErrorClass.DATA,
            "APPLIED_TOO_MUCH",
            f"{applied} would be applied of a payment of {document.total}",
            "Report this: applications are capped to the payment.",
            "applications",
        )
    number, whole_reference = reference(document)
    content: Content = {
        **dated(document, books),
        "CustomerRef": customer_ref(operation, document),
        "TotalAmt": document.total,
        "Line": [
            {"Amount": amount, "LinkedTxn": [link_to(linked(operation, key, "document"))]}
            for key, amount in operation.applications
        ],
        "PrivateNote": memo(document, whole_reference, document.note),
        **number,
    }
    if document.deposit_to is not None:
        content["DepositToAccountRef"] = ref(books.names.account(document.deposit_to, document.currency).ledger_id)
    if document.receivable is not None and document.receivable.name:
        receivable = books.names.account(document.receivable, document.currency)
        # Where the currency's own is not known yet, QuickBooks finds it by the customer.
        if receivable.currency in {"", document.currency}:
            content["ARAccountRef"] = ref(receivable.ledger_id)
    method, notices = listed(
        books.names, "payment_methods", document.payment_method, "PaymentMethodRef", "payment method"
    )
    return Body("Payment", content | method, notices)


def application(document: Document, customer: str, pairs: list[tuple[LedgerLink, Decimal]], books: Books) -> Body:
    """A payment of nothing that sets open documents off against each other (credit memo with invoice or refund)."""
    return Body(
        "Payment",
        {
            **dated(document, books),
            "CustomerRef": ref(customer),
            "TotalAmt": ZERO,
            "Line": [{"Amount": amount, "LinkedTxn": [link_to(link)]} for link, amount in pairs],
            "PrivateNote": memo(document),
        },
    )


def refund_payment(operation: Operation, document: Document, books: Books) -> Body:
    """Money back to a customer without touching income: a purchase on accounts receivable (domain reference, 11.6)."""
    if document.deposit_to is None:
        raise _account_wanted(AccountRole.BANK, "the account that the money leaves", "deposit_to")
    source = books.names.account(document.deposit_to, document.currency)
    receivable = document.receivable or Account(
        role=AccountRole.RECEIVABLE, name=books.account_names.get(AccountRole.RECEIVABLE, "")
    )
    customer = customer_ref(operation, document)
    return Body(
        "Purchase",
        {
            **dated(document, books),
            "PaymentType": "CreditCard" if source.type == "Credit Card" else "Cash",
            "AccountRef": ref(source.ledger_id),
            "EntityRef": {**customer, "type": "Customer"},
            "Line": [
                {
                    "Amount": document.total,
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "Description": document.memo_number[:4000],
                    "AccountBasedExpenseLineDetail": {
                        "AccountRef": ref(books.names.account(receivable, document.currency).ledger_id),
                        "CustomerRef": customer,
                    },
                }
            ],
            "PrivateNote": memo(document, document.reference, document.note),
        },
    )


def deposit(operation: Operation, document: Document, books: Books) -> Body:
    """One transfer to the bank: a line for each document that it carries, and one for each fee or adjustment.

    Document lines are postings (debits positive) that sum to zero, the bank's side included; a deposit's own lines
    are what comes in (positive) or goes off (negative).
    """
    bank = document.deposit_to or _bank_side(document)
    lines: list[Content] = []
    notices: tuple[Reason, ...] = ()
    for line in document.lines:
        if line.kind is LineKind.POSTING and line.account == bank:
            continue
        lines.append(_deposit_line(operation, document, line, books))
    total = sum((line["Amount"] for line in lines), ZERO)
    if total != document.total:
        raise _unbalanced(f"the deposit's lines come to {total}, the deposit is {document.total}")
    content: Content = {
        **dated(document, books),
        "DepositToAccountRef": ref(books.names.account(bank, document.currency).ledger_id),
        "Line": lines,
        "PrivateNote": memo(document, document.reference, document.note),
    }
    if books.profile.departments:
        found, notices = listed(books.names, "departments", document.department, "DepartmentRef", "location")
        content |= found
    return Body("Deposit", content, notices)


def _bank_side(document: Document) -> Account:
    for line in document.lines:
        if line.kind is LineKind.POSTING and line.account.role is AccountRole.BANK:
            return line.account
    raise _account_wanted(AccountRole.BANK, "the account that the deposit goes to", "deposit_to")


def _deposit_line(operation: Operation, document: Document, line: DocumentLine, books: Books) -> Content:
    amount = -line.amount
    account = books.names.account(line.account, document.currency)
    if line.kind is LineKind.GROUPED_DOCUMENT:
        link = linked(operation, line.document_key or "", "document")
        # Only what waits in undeposited funds can be picked up; money on a clearing account is moved from it.
        if account.sub_type == "UndepositedFunds" and link.details.get("entity") in _DEPOSITABLE:
            return {"Amount": amount, "LinkedTxn": [{**link_to(link), "TxnLineId": "0"}]}
    detail: Content = {"AccountRef": ref(account.ledger_id)}
    if (payee := _fee_payee(operation, document, line)) is not None:
        detail["Entity"] = {**ref(payee.ledger_id), "type": _kind_of(payee).upper()}
    content: Content = {"Amount": amount, "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
    if line.description:
        content["Description"] = line.description
    return content


def _fee_payee(operation: Operation, document: Document, line: DocumentLine) -> LedgerLink | None:
    """Whom a payout's fee goes to, where settings name a vendor or customer."""
    if document.source_kind != "payout" or document.customer_key is None or line.account.role is not AccountRole.FEES:
        return None
    return linked(operation, document.customer_key, "customer")


def _kind_of(payee: LedgerLink) -> str:
    return payee.details.get("entity", "Vendor")


def journal_entry(operation: Operation, document: Document, books: Books) -> Body:
    """Postings as they are: positive amounts debit, negative ones credit, zero ones are left out."""
    total = sum((line.amount for line in document.lines), ZERO)
    if total != 0:
        raise _unbalanced(f"debits and credits differ by {total}")
    lines: list[Content] = []
    for line in document.lines:
        if line.amount == 0:
            continue
        account = books.names.account(line.account, document.currency)
        detail: Content = {
            "PostingType": "Debit" if line.amount > 0 else "Credit",
            "AccountRef": ref(account.ledger_id),
        }
        if account.type == "Accounts Receivable":
            detail["Entity"] = {"Type": "Customer", "EntityRef": customer_ref(operation, document)}
        elif account.type == "Accounts Payable":
            detail["Entity"] = {"Type": "Vendor", "EntityRef": customer_ref(operation, document)}
        elif (payee := _fee_payee(operation, document, line)) is not None:
            detail["Entity"] = {"Type": _kind_of(payee), "EntityRef": ref(payee.ledger_id)}
        content: Content = {
            "Amount": abs(line.amount),
            "DetailType": "JournalEntryLineDetail",
            "JournalEntryLineDetail": detail,
        }
        if line.description:
            content["Description"] = line.description
        lines.append(content)
    if len(lines) < 2:
        raise _unbalanced("a journal entry needs a debit and a credit")
    return Body(
        "JournalEntry",
        {
            **dated(document, books),
            **numbered(document),
            "Line": lines,
            "PrivateNote": memo(document, document.reference, document.note),
        },
    )


def _unbalanced(text: str) -> CannotBuild:
    return cannot(
        ErrorClass.DATA, "NOT_BALANCED", text, "Report this: the document does not add up to what it says.", "lines"
    )


def _account_wanted(role: AccountRole, what: str, field_name: str) -> CannotBuild:
    return cannot(
        ErrorClass.CONFIG,
        "ACCOUNT_MISSING",
        f"{what} is not set (role {role.value})",
        "Choose an account for the role in the company's settings.",
        field_name,
    )
