"""Payments of bills by cheque or card."""

from __future__ import annotations

from decimal import Decimal

from sandbox.quickbooks_online.accounting.control import control_account, gain_or_loss
from sandbox.quickbooks_online.accounting.currency import rate_of, settle_currency
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.accounting.posting import Book, withdraw
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import links
from sandbox.quickbooks_online.entities.kind import Kind, Write, number_document, require, txn_day
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc


class BillPaymentKind(Kind):
    deletable = True
    voidable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate", "APAccountRef")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "VendorRef", "PayType", "TotalAmt", "Line")
        txn_day(write)
        settle_currency(company, doc, company.resolve("Vendor", doc["VendorRef"], "VendorRef"))
        doc.setdefault("APAccountRef", {"value": control_account(company, "ap", doc["CurrencyRef"]["value"])})
        company.resolve("Account", doc["APAccountRef"], "APAccountRef")
        company.resolve("Account", self._source(doc), "CheckPayment.BankAccountRef")
        doc["TotalAmt"] = cents(doc["TotalAmt"])
        left = doc["TotalAmt"]
        for line in doc["Line"]:
            left -= self._line(company, doc, line)
        if left != 0:
            raise business("The amounts of the lines must add up to TotalAmt.", "TotalAmt")
        number_document(write, None)

    def _source(self, doc: Doc) -> dict[str, str]:
        part, name = (
            ("CheckPayment", "BankAccountRef") if doc["PayType"] == "Check" else ("CreditCardPayment", "CCAccountRef")
        )
        payment = doc.get(part)
        if not isinstance(payment, dict) or not isinstance(payment.get(name), dict) or not payment[name].get("value"):
            raise missing(f"{part}.{name}")
        reference: dict[str, str] = payment[name]
        return reference

    def _line(self, company: Company, doc: Doc, line: Doc) -> Decimal:
        linked = line.get("LinkedTxn") or []
        if len(linked) != 1 or line.get("Amount") is None:
            raise Fault("620", "A line of a bill payment links one transaction and has an amount", "Line.LinkedTxn")
        entity, identifier = str(linked[0].get("TxnType")), str(linked[0].get("TxnId"))
        if entity not in ("Bill", "VendorCredit"):
            raise Fault("620", f"{entity} cannot be linked to a bill payment", "Line.LinkedTxn.TxnType")
        target = company.get(entity, identifier)
        if target is None:
            raise Fault("610", f"Object Not Found : {entity} {identifier} does not exist", "Line.LinkedTxn")
        if target["VendorRef"]["value"] != doc["VendorRef"]["value"]:
            raise Fault("620", "The transaction belongs to another vendor", "Line.LinkedTxn")
        amount = cents(line["Amount"])
        own = company.applied.get(identifier, {}).get(str(doc.get("Id", "")), ZERO)
        if amount > links.open_balance(company, target) + own:
            raise business("The payment is more than the open balance of the transaction.", "Line.Amount")
        line.clear()
        line.update({"Amount": amount, "LinkedTxn": [{"TxnId": identifier, "TxnType": entity}]})
        return -amount if entity == "VendorCredit" else amount

    def settle(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        now = {line["LinkedTxn"][0]["TxnId"] for line in doc["Line"]}
        for line in (previous or {}).get("Line", []):
            link = line["LinkedTxn"][0]
            if link["TxnId"] not in now:
                links.apply_to(company, link["TxnType"], link["TxnId"], doc["Id"], None, self._shown(doc))
        withdraw(company, doc["Id"])
        book = Book(company, "BillPayment", doc)
        book.add(self._source(doc)["value"], -doc["TotalAmt"])
        for line in doc["Line"]:
            link = line["LinkedTxn"][0]
            links.apply_to(company, link["TxnType"], link["TxnId"], doc["Id"], line["Amount"], self._shown(doc))
            target = company.get(link["TxnType"], link["TxnId"]) or doc
            amount = -line["Amount"] if link["TxnType"] == "VendorCredit" else line["Amount"]
            book.add(
                doc["APAccountRef"]["value"], amount, doc["VendorRef"]["value"], "", cents(amount * rate_of(target))
            )
        book.post(gain_or_loss(company) if company.settings.multi_currency else None)
        links.carry_vendor(company, doc, previous)

    def _shown(self, doc: Doc) -> str:
        return "BillPaymentCheck" if doc["PayType"] == "Check" else "BillPaymentCreditCard"

    def release(self, company: Company, doc: Doc) -> None:
        for line in doc.get("Line", []):
            link = line["LinkedTxn"][0]
            links.apply_to(company, link["TxnType"], link["TxnId"], doc["Id"], None)
        withdraw(company, doc["Id"])
        links.carry_vendor(company, None, doc)
