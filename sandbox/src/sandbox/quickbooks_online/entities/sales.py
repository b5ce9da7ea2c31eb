"""Sales forms: Estimate, Invoice, SalesReceipt, CreditMemo, RefundReceipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.quickbooks_online.accounting import posting
from sandbox.quickbooks_online.accounting.currency import home, rate_of, settle_currency
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.accounting.tax import is_us, tax_detail
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import links
from sandbox.quickbooks_online.entities.kind import Kind, Write, number_document, require, resolve_all, txn_day
from sandbox.quickbooks_online.entities.lines import sales_lines
from sandbox.quickbooks_online.faults import Fault, bad_reference, business
from sandbox.quickbooks_online.table import Doc

MONEY_ACCOUNTS = ("Bank", "Other Current Asset")
_REFERENCES = {
    "SalesTermRef": "Term",
    "ClassRef": "Class",
    "DepartmentRef": "Department",
    "PaymentMethodRef": "PaymentMethod",
}


@dataclass(frozen=True)
class SalesForm(Kind):
    """One kind of sales form.

    ``sign`` is +1 where the customer owes or pays, -1 where we do, 0 for the estimate, which posts nothing.
    ``money`` says that money moves at once, through DepositToAccountRef. ``counter`` is its number sequence.
    """

    entity: str
    sign: int
    money: bool
    counter: str
    customer_required: bool = True
    deletable = True
    voidable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate", "DocNumber", "LinkedTxn", "TxnStatus", "EmailStatus", "Deposit")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        if self.customer_required:
            require(doc, "CustomerRef")
        require(doc, "Line")
        if not isinstance(doc["Line"], list) or not doc["Line"]:
            raise Fault("2020", "Required parameter Line is missing in the request", "Line")
        day = txn_day(write)
        customer = None
        if doc.get("CustomerRef") is not None:
            customer = company.resolve("Customer", doc["CustomerRef"], "CustomerRef")
        settle_currency(company, doc, customer)
        resolve_all(company, doc, _REFERENCES)
        self._totals(write)
        number_document(write, self.counter)
        self._addresses(write, customer)
        self._money(company, doc)
        self._terms(company, doc, day)
        self._states(write)
        _custom_fields(company, doc)
        links.check_not_deposited(write)

    def _totals(self, write: Write) -> None:
        company, doc = write.company, write.doc
        totals = sales_lines(write)
        sent_tax: Doc = doc.get("TxnTaxDetail") or {}
        if write.previous is not None and "Line" in write.sent and "TxnTaxDetail" not in write.sent:
            # New lines under an old tax: the code stays, the amount is worked out anew.
            sent_tax = {name: part for name, part in sent_tax.items() if name == "TxnTaxCodeRef"}
        state = (doc.get("ShipAddr") or doc.get("BillAddr") or {}).get("CountrySubDivisionCode", "")
        detail = tax_detail(
            company,
            sent_tax,
            totals.taxed,
            totals.discount,
            after_discount=doc.get("ApplyTaxAfterDiscount") is True,
            calculation=doc.get("GlobalTaxCalculation"),
            state=str(state),
        )
        total = totals.subtotal - totals.discount + detail["TotalTax"]
        if total < 0:
            raise business("Transaction amount must be 0 or greater.", "TotalAmt")
        doc["TxnTaxDetail"] = detail
        doc["TotalAmt"] = cents(total)
        if company.settings.multi_currency:
            doc["HomeTotalAmt"] = cents(doc["TotalAmt"] * rate_of(doc))
        if is_us(company):
            doc.setdefault("ApplyTaxAfterDiscount", False)
        self._balance(write)

    def _balance(self, write: Write) -> None:
        doc = write.doc
        if self.sign == 0:
            return
        if self.money:
            doc["Balance"] = ZERO
            return
        used = sum(write.company.applied.get(doc.get("Id", ""), {}).values(), ZERO)
        if used and write.previous and write.previous["CustomerRef"]["value"] != doc["CustomerRef"]["value"]:
            raise business("The customer of a transaction that has been paid or used cannot be changed.", "CustomerRef")
        deposit = doc.get("Deposit") or ZERO
        balance = doc["TotalAmt"] - used - deposit
        if balance < 0:
            raise business("The total of the transaction cannot be less than what has been applied to it.", "Line")
        doc["Balance"] = balance
        if self.entity == "CreditMemo":
            doc["RemainingCredit"] = balance
        if write.company.settings.multi_currency:
            doc["HomeBalance"] = cents(balance * rate_of(doc))

    def _addresses(self, write: Write, customer: Doc | None) -> None:
        doc = write.doc
        for name in ("BillAddr", "ShipAddr"):
            sent = doc.get(name)
            if sent is not None and "Id" not in sent:
                before = (write.previous or {}).get(name) or {}
                doc[name] = {"Id": before.get("Id") or write.company.next_id("Address"), **sent}
            elif sent is None and customer is not None and customer.get(name) is not None:
                doc[name] = dict(customer[name])
        address = (customer or {}).get("PrimaryEmailAddr")
        if doc.get("BillEmail") is None and address and doc.get("EmailStatus") == "NeedToSend":
            doc["BillEmail"] = {"Address": address["Address"]}

    def _money(self, company: Company, doc: Doc) -> None:
        reference = doc.get("DepositToAccountRef")
        if self.entity == "RefundReceipt" and reference is None:
            require(doc, "DepositToAccountRef")
        if self.money and reference is None:
            reference = doc["DepositToAccountRef"] = {"value": company.special["undeposited"]}
        if reference is not None:
            deposit_account(company, reference)
        if doc.get("Deposit"):
            if company.preferences.get("SalesFormsPrefs", {}).get("AllowDeposit") is not True:
                raise business("Deposits on invoices are not turned on in this company.", "Deposit")
            if reference is None:
                doc["DepositToAccountRef"] = {"value": company.special["undeposited"]}
                deposit_account(company, doc["DepositToAccountRef"])

    def _terms(self, company: Company, doc: Doc, day: date) -> None:
        if self.entity != "Invoice" or doc.get("DueDate") is not None:
            return
        reference = doc.get("SalesTermRef") or company.preferences["SalesFormsPrefs"].get("DefaultTerms")
        term = company.get("Term", reference["value"]) if reference else None
        doc["DueDate"] = due_date(day, term).isoformat()

    def _states(self, write: Write) -> None:
        doc = write.doc
        doc.setdefault("PrintStatus", "NeedToPrint" if self.entity != "RefundReceipt" else "NotSet")
        doc.setdefault("EmailStatus", "NotSet")
        if doc["EmailStatus"] == "NeedToSend" and doc.get("BillEmail") is None:
            raise Fault("6420", "BillEmail.Address is required when EmailStatus is NeedToSend", "BillEmail")
        if doc["EmailStatus"] == "NeedToSend":
            doc["DeliveryInfo"] = {"DeliveryType": "Email"}
        if self.entity == "RefundReceipt" and doc["PrintStatus"] == "PrintComplete" and not doc.get("PaymentRefNum"):
            require(doc, "PaymentRefNum")
        if self.entity == "Estimate":
            doc.setdefault("TxnStatus", "Pending")
            if doc["TxnStatus"] not in ("Pending", "Accepted", "Closed", "Rejected", "Converted"):
                raise Fault("2170", f"{doc['TxnStatus']} is not a status of an estimate", "TxnStatus")
        else:
            doc.pop("TxnStatus", None)
        if self.entity == "Invoice":
            for name in (
                "AllowIPNPayment",
                "AllowOnlinePayment",
                "AllowOnlineCreditCardPayment",
                "AllowOnlineACHPayment",
            ):
                doc.setdefault(name, False)
        links.link_estimate(write)

    def settle(self, write: Write) -> None:
        if self.sign:
            posting.post_sale(write.company, self.entity, write.doc, sign=self.sign, money=self.money)
            links.carry_customer(write.company, write.doc, write.previous)
        links.close_estimates(write.company, self.entity, write.doc, write.previous)

    def release(self, company: Company, doc: Doc) -> None:
        links.refuse_deposited(company, doc)
        links.unapply(company, self.entity, doc["Id"])
        posting.withdraw(company, doc["Id"])
        if self.sign:
            links.carry_customer(company, None, doc)
        links.reopen_estimates(company, doc)


def deposit_account(company: Company, reference: dict[str, str]) -> Doc:
    """The bank or current asset account money goes to or comes from; raises 2500, 6430 or 6000 (other currency)."""
    account = company.resolve("Account", reference, "DepositToAccountRef")
    if account["AccountType"] not in MONEY_ACCOUNTS:
        raise Fault("6430", f"{account['Name']} is not a bank or other current asset account", "DepositToAccountRef")
    return account


def check_account_currency(company: Company, account: Doc, doc: Doc) -> None:
    """A money account in a foreign currency takes documents of that currency only."""
    own = (account.get("CurrencyRef") or {}).get("value", home(company))
    if own != home(company) and own != doc["CurrencyRef"]["value"]:
        raise business(f"The currency of account {account['Name']} differs from that of the transaction.")


def due_date(day: date, term: Doc | None) -> date:
    """TxnDate plus the days of the term, or the day of the month that a date-driven term names."""
    if term is None:
        return day
    if term.get("DueDays") is not None:
        return day + timedelta(days=int(term["DueDays"]))
    due_day = int(term.get("DayOfMonthDue") or 1)
    month = day.month + (0 if day.day <= due_day - int(term.get("DueNextMonthDays") or 0) else 1)
    year, month = day.year + (month - 1) // 12, (month - 1) % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(due_day, last))


def _custom_fields(company: Company, doc: Doc) -> None:
    defined: dict[str, str] = {"1": company.special.get("custom_field_1", "")}
    fields = []
    sent = {field.get("DefinitionId"): field for field in doc.get("CustomField") or []}
    for identifier in sent:
        if identifier not in defined or not defined[identifier]:
            raise bad_reference("CustomFields", str(identifier), "CustomField.DefinitionId")
    for identifier, name in defined.items():
        if name:
            field = {"DefinitionId": identifier, "Name": name, "Type": "StringType"}
            value = sent.get(identifier, {}).get("StringValue")
            fields.append({**field, "StringValue": value} if value else field)
    doc["CustomField"] = fields


def voided_lines(doc: Doc) -> list[Doc]:
    """The lines of a voided form: same lines, amounts and quantities zero, prices gone."""
    lines = []
    for line in doc["Line"]:
        blank = {**line, "Amount": Decimal(0)} if "Amount" in line else dict(line)
        detail = blank.get("SalesItemLineDetail")
        if detail is not None:
            blank["SalesItemLineDetail"] = {
                name: value for name, value in detail.items() if name not in ("UnitPrice", "TaxInclusiveAmt")
            } | {"Qty": Decimal(0)}
        if "DiscountLineDetail" in blank:
            blank["DiscountLineDetail"] = {**blank["DiscountLineDetail"], "PercentBased": False}
            blank["DiscountLineDetail"].pop("DiscountPercent", None)
        if "GroupLineDetail" in blank:
            inner = blank["GroupLineDetail"]
            blank["GroupLineDetail"] = {**inner, "Line": voided_lines(inner)}
        lines.append(blank)
    return lines


SALES_FORMS = {
    "Estimate": SalesForm("Estimate", 0, False, "estimate"),
    "Invoice": SalesForm("Invoice", 1, False, "sales"),
    "SalesReceipt": SalesForm("SalesReceipt", 1, True, "sales", customer_required=False),
    "CreditMemo": SalesForm("CreditMemo", -1, False, "sales"),
    "RefundReceipt": SalesForm("RefundReceipt", -1, True, "sales", customer_required=False),
}
