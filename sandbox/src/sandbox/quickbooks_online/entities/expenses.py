"""Money out and what is owed: Purchase, Bill, VendorCredit, PurchaseOrder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.quickbooks_online.accounting import stock
from sandbox.quickbooks_online.accounting.control import control_account
from sandbox.quickbooks_online.accounting.currency import rate_of, settle_currency
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.accounting.posting import Book, withdraw
from sandbox.quickbooks_online.accounting.tax import TaxedLine, check_line_code, is_us, payable_entries, tax_detail
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import links
from sandbox.quickbooks_online.entities.bill_payments import BillPaymentKind
from sandbox.quickbooks_online.entities.kind import Kind, Write, number_document, require, resolve_all, txn_day
from sandbox.quickbooks_online.entities.lines import line_amount, number_lines
from sandbox.quickbooks_online.entities.sales import due_date
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc

ACCOUNT_LINE = "AccountBasedExpenseLineDetail"
ITEM_LINE = "ItemBasedExpenseLineDetail"


def expense_lines(write: Write) -> list[TaxedLine]:
    """Check and complete the lines of a purchase document; returns what tax is worked out on."""
    company, doc = write.company, write.doc
    taxed: list[TaxedLine] = []
    if not doc.get("Line"):
        raise missing("Line")
    for line in doc["Line"]:
        if line.get("DetailType") in ("DescriptionOnly", "DescriptionLineDetail"):
            line.pop("Amount", None)
        else:
            taxed.append(_expense_line(company, write.entity, line))
    if not taxed:
        raise Fault("2250", "The transaction has no lines with an amount", "Line")
    number_lines(doc["Line"], write.previous)
    return taxed


def _expense_line(company: Company, entity: str, line: Doc) -> TaxedLine:
    kind = line.get("DetailType")
    if kind is None:
        raise missing("Line.DetailType")
    if kind not in (ACCOUNT_LINE, ITEM_LINE):
        raise Fault("2170", f"{kind} is not a line of a {entity}", "Line.DetailType")
    detail = line.get(kind)
    if detail is None:
        raise Fault("6440", f"The line has no {kind}", f"Line.{kind}")
    amount = line_amount(line, detail)
    if kind == ITEM_LINE:
        _expense_item(company, detail)
    elif detail.get("AccountRef") is None:
        raise Fault("6440", "The line needs an account", f"Line.{kind}.AccountRef")
    for name, other in (("AccountRef", "Account"), ("CustomerRef", "Customer"), ("ClassRef", "Class")):
        if detail.get(name):
            company.resolve(other, detail[name], f"Line.{kind}.{name}")
    detail.setdefault("BillableStatus", "NotBillable")
    code = detail.get("TaxCodeRef")
    check_line_code(company, code, f"Line.{kind}.TaxCodeRef")
    if is_us(company):
        detail.setdefault("TaxCodeRef", {"value": "NON"})
        return TaxedLine(amount, None)
    return TaxedLine(amount, code["value"] if code else None, detail.get("TaxInclusiveAmt"))


def _expense_item(company: Company, detail: Doc) -> None:
    if detail.get("ItemRef") is None:
        raise Fault("6440", "The line needs an item", f"Line.{ITEM_LINE}.ItemRef")
    item = company.resolve("Item", detail["ItemRef"], f"Line.{ITEM_LINE}.ItemRef")
    if item.get("ExpenseAccountRef") is None:
        raise business(f"{item['Name']} is not purchased: it has no expense account.", f"Line.{ITEM_LINE}.ItemRef")


@dataclass(frozen=True)
class ExpenseKind(Kind):
    """``sign`` +1 where we spend or owe, -1 for a vendor's credit, 0 for the purchase order, which posts nothing."""

    entity: str
    sign: int
    party: str | None
    deletable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate", "DueDate", "POStatus", "LinkedTxn", "DocNumber", "APAccountRef")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        if self.entity == "Purchase":
            require(doc, "PaymentType", "AccountRef")
        else:
            require(doc, "VendorRef")
        day = txn_day(write)
        settle_currency(company, doc, self._party(company, doc))
        taxed = expense_lines(write)
        self._accounts(company, doc)
        resolve_all(company, doc, {"SalesTermRef": "Term", "DepartmentRef": "Department"})
        detail = tax_detail(
            company,
            None if is_us(company) else doc.get("TxnTaxDetail"),
            taxed,
            ZERO,
            after_discount=False,
            calculation=doc.get("GlobalTaxCalculation"),
            state="",
            purchase=True,
        )
        total = sum((line.amount for line in taxed), ZERO) + detail["TotalTax"]
        if total < 0:
            raise business("Transaction amount must be 0 or greater.", "TotalAmt")
        doc["TotalAmt"] = total
        if not is_us(company):
            doc["TxnTaxDetail"] = detail
        else:
            doc.pop("TxnTaxDetail", None)
        self._balance(write, day)
        number_document(write, "order" if self.entity == "PurchaseOrder" else None)
        self._links(write)

    def _party(self, company: Company, doc: Doc) -> Doc | None:
        if self.entity != "Purchase":
            return company.resolve("Vendor", doc["VendorRef"], "VendorRef")
        reference = doc.get("EntityRef")
        if reference is None:
            return None
        for kind in (
            [reference["type"]] if reference.get("type") in company.tables else ["Vendor", "Customer", "Employee"]
        ):
            if company.get(kind, reference["value"]) is not None:
                reference["type"] = kind
                return company.resolve(kind, reference, "EntityRef")
        return company.resolve("Vendor", reference, "EntityRef")

    def _accounts(self, company: Company, doc: Doc) -> None:
        if self.entity == "Purchase":
            account = company.resolve("Account", doc["AccountRef"], "AccountRef")
            wanted = ("Credit Card",) if doc["PaymentType"] == "CreditCard" else ("Bank", "Other Current Asset")
            if account["AccountType"] not in wanted:
                raise Fault("6430", f"{account['Name']} cannot pay by {doc['PaymentType']}", "AccountRef")
            if doc.get("Credit") is True and doc["PaymentType"] != "CreditCard":
                raise Fault("2600", "Credit is for PaymentType CreditCard only", "Credit")
            return
        reference = doc.setdefault(
            "APAccountRef", {"value": control_account(company, "ap", doc["CurrencyRef"]["value"])}
        )
        account = company.resolve("Account", reference, "APAccountRef")
        if account["AccountType"] != "Accounts Payable":
            raise Fault("6430", f"{account['Name']} is not a payable account", "APAccountRef")

    def _balance(self, write: Write, day: date) -> None:
        doc = write.doc
        if self.entity in ("Bill", "VendorCredit"):
            used = sum(write.company.applied.get(str(doc.get("Id", "")), {}).values(), ZERO)
            if used > doc["TotalAmt"]:
                raise business("The total of the transaction cannot be less than what has been applied to it.", "Line")
            doc["Balance"] = doc["TotalAmt"] - used
        if self.entity == "Bill" and doc.get("DueDate") is None:
            term = write.company.get("Term", doc["SalesTermRef"]["value"]) if doc.get("SalesTermRef") else None
            doc["DueDate"] = due_date(day, term).isoformat()
        if self.entity == "PurchaseOrder":
            doc.setdefault("POStatus", "Open")
            doc.setdefault("EmailStatus", "NotSet")
            if "POStatus" in write.sent:
                doc["ManuallyClosed"] = doc["POStatus"] == "Closed"

    def _links(self, write: Write) -> None:
        company, doc = write.company, write.doc
        if self.entity == "PurchaseOrder":
            # The bills that name it are the server's own entry.
            doc["LinkedTxn"] = (write.previous or {}).get("LinkedTxn", [])
            return
        payments = [
            {"TxnId": source, "TxnType": "BillPaymentCheck"}
            for source in company.applied.get(str(doc.get("Id", "")), {})
        ]
        orders = []
        for link in doc.get("LinkedTxn") or []:
            if link.get("TxnType") == "PurchaseOrder":
                if company.get("PurchaseOrder", str(link.get("TxnId"))) is None:
                    raise Fault(
                        "2500", f"Invalid Reference Id : PurchaseOrder {link.get('TxnId')} not found", "LinkedTxn"
                    )
                orders.append({"TxnId": str(link["TxnId"]), "TxnType": "PurchaseOrder"})
        doc["LinkedTxn"] = payments + orders

    def settle(self, write: Write) -> None:
        company, doc = write.company, write.doc
        if self.sign:
            self._post(company, doc)
        links.close_purchase_orders(company, self.entity, doc, write.previous)
        links.carry_vendor(company, doc, write.previous)
        links.carry_customer(company, _receivable_party(doc), _receivable_party(write.previous))

    def _post(self, company: Company, doc: Doc) -> None:
        withdraw(company, doc["Id"])
        sign = -self.sign if doc.get("Credit") is True else self.sign
        book = Book(company, self.entity, doc)
        if self.entity == "Purchase":
            book.add(doc["AccountRef"]["value"], -sign * doc["TotalAmt"])
        else:
            book.add(doc["APAccountRef"]["value"], -sign * doc["TotalAmt"], doc["VendorRef"]["value"])
        if not is_us(company):
            for account, tax in payable_entries(company, doc["TxnTaxDetail"]):
                book.add(account, sign * tax)
        moves = []
        for line in doc["Line"]:
            if line["DetailType"] == ACCOUNT_LINE:
                detail = line[ACCOUNT_LINE]
                book.add(
                    detail["AccountRef"]["value"], sign * line["Amount"], self._name(doc), line.get("Description", "")
                )
            elif line["DetailType"] == ITEM_LINE:
                moves.extend(self._item(company, doc, line, sign, book))
        if moves:
            company.set_entry(company.movements, doc["Id"], moves)
        book.post()

    def _name(self, doc: Doc) -> str | None:
        reference = doc.get("EntityRef") or doc.get("VendorRef")
        return str(reference["value"]) if reference else None

    def _item(self, company: Company, doc: Doc, line: Doc, sign: int, book: Book) -> list[stock.Movement]:
        detail = line[ITEM_LINE]
        item = company.get("Item", detail["ItemRef"]["value"])
        if item is None:
            raise business("The item of a line is gone.", "Line")
        if item["Type"] != "Inventory":
            book.add(item["ExpenseAccountRef"]["value"], sign * line["Amount"], None, line.get("Description", ""))
            return []
        book.add(item["AssetAccountRef"]["value"], sign * line["Amount"], None, line.get("Description", ""))
        quantity = detail.get("Qty") or Decimal(1)
        value = cents(line["Amount"] * rate_of(doc))
        return [stock.receive(company, item, sign * quantity, sign * value, doc["Id"], doc["TxnDate"])]

    def release(self, company: Company, doc: Doc) -> None:
        for source in list(company.applied.get(doc["Id"], {})):
            if company.get("BillPayment", source) is not None:
                raise Fault("800", "The bill has payments; delete them first")
        withdraw(company, doc["Id"])
        links.unapply(company, self.entity, doc["Id"])
        links.reopen_purchase_orders(company, doc)
        links.carry_vendor(company, None, doc)
        links.carry_customer(company, None, _receivable_party(doc))


def _receivable_party(doc: Doc | None) -> Doc | None:
    """A purchase to a customer may touch the receivable ledger: seen as a document of that customer."""
    reference = (doc or {}).get("EntityRef")
    return {"CustomerRef": reference} if reference and reference.get("type") == "Customer" else None


EXPENSES: dict[str, Kind] = {
    "Purchase": ExpenseKind("Purchase", 1, None),
    "Bill": ExpenseKind("Bill", 1, "VendorRef"),
    "VendorCredit": ExpenseKind("VendorCredit", -1, "VendorRef"),
    "PurchaseOrder": ExpenseKind("PurchaseOrder", 0, "VendorRef"),
    "BillPayment": BillPaymentKind(),
}
