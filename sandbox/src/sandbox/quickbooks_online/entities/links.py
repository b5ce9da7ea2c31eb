"""What documents do to each other: payments and estimates to invoices, deposits to receipts, all to customers."""

from __future__ import annotations

from decimal import Decimal

from sandbox.quickbooks_online.accounting import posting
from sandbox.quickbooks_online.accounting.control import control_account
from sandbox.quickbooks_online.accounting.currency import rate_of
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Write, touch
from sandbox.quickbooks_online.faults import Fault, bad_reference
from sandbox.quickbooks_online.table import Doc

_FIXED_ONCE_DEPOSITED = ("TotalAmt", "DepositToAccountRef", "CustomerRef", "CurrencyRef", "TxnDate")
_DEPOSITED = (
    "Deposited Transaction cannot be changed : This transaction has been deposited. If you want to change or delete "
    "it, edit the deposit it appears on and remove it first."
)


def _value(part: object) -> object:
    return part.get("value") if isinstance(part, dict) else part


def check_not_deposited(write: Write) -> None:
    """Raises 6540 when a deposited document would change its money."""
    previous = write.previous
    if previous is None or write.identifier not in write.company.deposited:
        return
    for name in _FIXED_ONCE_DEPOSITED:
        if _value(previous.get(name)) != _value(write.doc.get(name)):
            raise Fault("6540", _DEPOSITED, name)


def refuse_deposited(company: Company, doc: Doc) -> None:
    """Raises 6540 for deleting or voiding a document that sits in a deposit."""
    if doc["Id"] in company.deposited:
        raise Fault("6540", _DEPOSITED)


def carry_customer(company: Company, doc: Doc | None, previous: Doc | None) -> None:
    """Bring Balance of the customers on either version of a document in line with the receivable ledger."""
    touched = {
        version["CustomerRef"]["value"]
        for version in (doc, previous)
        if version is not None and version.get("CustomerRef") is not None
    }
    for identifier in touched:
        customer = company.get("Customer", identifier)
        if customer is not None:
            _carry_balance(company, customer)


def _carry_balance(company: Company, customer: Doc) -> None:
    code = customer["CurrencyRef"]["value"]
    balance = company.ledger.names.get((control_account(company, "ar", code), customer["Id"]), ZERO)
    change = balance - customer["Balance"]
    if not change:
        return
    touch(
        company,
        "Customer",
        customer,
        {"Balance": balance, "BalanceWithJobs": customer["BalanceWithJobs"] + change},
        token=False,
    )
    parent = customer.get("ParentRef")
    while parent is not None:
        above = company.get("Customer", parent["value"])
        if above is None:
            return
        touch(company, "Customer", above, {"BalanceWithJobs": above["BalanceWithJobs"] + change}, token=False)
        parent = above.get("ParentRef")


def carry_vendor(company: Company, doc: Doc | None, previous: Doc | None) -> None:
    """Bring Balance of the vendors on either version of a document in line with the payable ledger."""
    touched = {
        version["VendorRef"]["value"]
        for version in (doc, previous)
        if version is not None and version.get("VendorRef") is not None
    }
    for identifier in touched:
        vendor = company.get("Vendor", identifier)
        if vendor is None:
            continue
        account = control_account(company, "ap", vendor["CurrencyRef"]["value"])
        balance = -company.ledger.names.get((account, identifier), ZERO)
        if balance != vendor["Balance"]:
            touch(company, "Vendor", vendor, {"Balance": balance}, token=False)


def link_estimate(write: Write) -> None:
    """Complete LinkedTxn of a sales form: one estimate may be named, payments are the server's own entry.

    Raises 2500 for an unknown estimate, 620 for one of another customer.
    """
    company, doc = write.company, write.doc
    payments = [{"TxnId": payment, "TxnType": "Payment"} for payment in company.applied.get(str(doc.get("Id", "")), {})]
    sent = doc.get("LinkedTxn") or []
    if write.previous is not None and "LinkedTxn" not in write.sent:
        sent = write.previous.get("LinkedTxn", [])
    named = []
    for link in sent:
        kind = link.get("TxnType")
        if kind == "Estimate" and write.entity in ("Invoice", "SalesReceipt"):
            estimate = company.get("Estimate", str(link.get("TxnId")))
            if estimate is None:
                raise bad_reference("Estimates", str(link.get("TxnId")), "LinkedTxn.TxnId")
            if estimate["CustomerRef"]["value"] != (doc.get("CustomerRef") or {}).get("value"):
                raise Fault("620", "The estimate belongs to another customer", "LinkedTxn")
            named.append({"TxnId": estimate["Id"], "TxnType": "Estimate"})
        elif kind in ("StatementCharge", "Deposit", "Invoice"):
            named.append({"TxnId": str(link.get("TxnId")), "TxnType": kind})
    if len([link for link in named if link["TxnType"] == "Estimate"]) > 1:
        raise Fault("620", "A transaction can be linked to one estimate", "LinkedTxn")
    doc["LinkedTxn"] = payments + named
    estimates = [link for link in named if link["TxnType"] == "Estimate"]
    for line in doc["Line"]:
        line.pop("LinkedTxn", None)
        if estimates and "Id" in line and line["DetailType"] == "SalesItemLineDetail":
            line["LinkedTxn"] = [dict(link) for link in estimates]


def close_estimates(company: Company, entity: str, doc: Doc, previous: Doc | None) -> None:
    """An estimate that an invoice names is closed and points back at it."""
    before = {link["TxnId"] for link in (previous or {}).get("LinkedTxn", []) if link["TxnType"] == "Estimate"}
    for link in doc.get("LinkedTxn", []):
        if link["TxnType"] != "Estimate" or link["TxnId"] in before:
            continue
        estimate = company.get("Estimate", link["TxnId"])
        if estimate is not None:
            back = [*estimate.get("LinkedTxn", []), {"TxnId": doc["Id"], "TxnType": entity}]
            touch(company, "Estimate", estimate, {"TxnStatus": "Closed", "LinkedTxn": back}, token=True)


def reopen_estimates(company: Company, doc: Doc) -> None:
    """The invoice is gone: its estimate is pending again."""
    for link in doc.get("LinkedTxn", []):
        if link["TxnType"] == "Estimate":
            estimate = company.get("Estimate", link["TxnId"])
            if estimate is not None:
                back = [other for other in estimate.get("LinkedTxn", []) if other["TxnId"] != doc["Id"]]
                touch(company, "Estimate", estimate, {"TxnStatus": "Accepted", "LinkedTxn": back}, token=True)


def close_purchase_orders(company: Company, entity: str, doc: Doc, previous: Doc | None) -> None:
    """A purchase order that a bill names is closed and points back at it."""
    before = {link["TxnId"] for link in (previous or {}).get("LinkedTxn", []) if link["TxnType"] == "PurchaseOrder"}
    for link in doc.get("LinkedTxn", []):
        order = company.get("PurchaseOrder", link["TxnId"]) if link["TxnType"] == "PurchaseOrder" else None
        if order is not None and link["TxnId"] not in before:
            back = [*order.get("LinkedTxn", []), {"TxnId": doc["Id"], "TxnType": entity}]
            touch(company, "PurchaseOrder", order, {"POStatus": "Closed", "LinkedTxn": back}, token=True)


def reopen_purchase_orders(company: Company, doc: Doc) -> None:
    """The bill is gone: its purchase order is open again, unless somebody closed it by hand."""
    for link in doc.get("LinkedTxn", []):
        order = company.get("PurchaseOrder", link["TxnId"]) if link["TxnType"] == "PurchaseOrder" else None
        if order is not None:
            back = [other for other in order.get("LinkedTxn", []) if other["TxnId"] != doc["Id"]]
            status = "Closed" if order.get("ManuallyClosed") else "Open"
            touch(company, "PurchaseOrder", order, {"POStatus": status, "LinkedTxn": back}, token=True)


def open_balance(company: Company, doc: Doc) -> Decimal:
    """What is still open of a linked document, applications by everybody counted."""
    used = sum(company.applied.get(doc["Id"], {}).values(), ZERO)
    return Decimal(doc["TotalAmt"]) - used - (doc.get("Deposit") or ZERO)


def apply_to(
    company: Company, entity: str, target: str, source: str, amount: Decimal | None, kind: str = "Payment"
) -> None:
    """Record that ``source`` uses ``amount`` of document ``target`` (None: no longer) and show it there."""
    entity = entity_of(entity)
    uses = dict(company.applied.get(target, {}))
    if uses.get(source) == amount:
        return
    if amount is None:
        uses.pop(source, None)
    else:
        uses[source] = amount
    company.set_entry(company.applied, target, uses or None)
    doc = company.get(entity, target)
    if doc is None:
        return
    links = [link for link in doc.get("LinkedTxn", []) if link["TxnId"] != source]
    if amount is not None:
        links.append({"TxnId": source, "TxnType": kind})
    changes: Doc = {"LinkedTxn": links}
    if "Balance" in doc:
        changes["Balance"] = open_balance(company, doc)
        if "HomeBalance" in doc:
            changes["HomeBalance"] = cents(changes["Balance"] * rate_of(doc))
        if entity == "CreditMemo":
            changes["RemainingCredit"] = changes["Balance"]
    touch(company, entity, doc, changes, token=True)


def unapply(company: Company, entity: str, target: str) -> None:
    """The document goes away: payments that used it become unapplied by that much."""
    for source in list(company.applied.get(target, {})):
        payment = company.get("Payment", source)
        if payment is not None:
            _drop_application(company, payment, target)
        apply_to(company, entity, target, source, None)


def _drop_application(company: Company, payment: Doc, target: str) -> None:
    lines = [line for line in payment.get("Line", []) if line["LinkedTxn"][0]["TxnId"] != target]
    unapplied = payment["TotalAmt"] - sum((signed(line) for line in lines), ZERO)
    if unapplied < 0:
        for line in lines:
            link = line["LinkedTxn"][0]
            apply_to(company, link["TxnType"], link["TxnId"], payment["Id"], None)
        lines, unapplied = [], payment["TotalAmt"]
    changed = touch(company, "Payment", payment, {"Line": lines, "UnappliedAmt": unapplied}, token=True)
    posting.post_payment(company, changed, allocations(company, changed))


def signed(line: Doc) -> Decimal:
    """What a payment line uses of the payment's money: positive on invoices, negative on credits."""
    amount = Decimal(line["Amount"])
    return -amount if line["LinkedTxn"][0]["TxnType"] in CREDITS else amount


CREDITS = frozenset({"CreditMemo", "Deposit"})
_PURCHASES = frozenset({"Expense", "Check", "CreditCardCredit"})


def entity_of(kind: str) -> str:
    """The entity behind the TxnType of a link: cheques, expenses and card credits are all purchases."""
    return "Purchase" if kind in _PURCHASES else kind


def allocations(company: Company, payment: Doc) -> list[tuple[Doc, Decimal]]:
    """Each linked document of a payment with the amount applied to it, credits negative."""
    found = []
    for line in payment.get("Line", []):
        link = line["LinkedTxn"][0]
        target = company.get(entity_of(link["TxnType"]), link["TxnId"])
        if target is not None:
            found.append((target, signed(line)))
    return found
