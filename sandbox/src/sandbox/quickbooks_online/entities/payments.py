"""Customer payments: money in, applied to invoices, credits used, the rest unapplied."""

from __future__ import annotations

from decimal import Decimal

from sandbox.quickbooks_online.accounting import posting
from sandbox.quickbooks_online.accounting.currency import home, settle_currency
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import links
from sandbox.quickbooks_online.entities.kind import Kind, Write, require, resolve_all, txn_day
from sandbox.quickbooks_online.entities.sales import check_account_currency, deposit_account
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc

APPLICABLE = frozenset({"Invoice", "CreditMemo", "JournalEntry", "Expense", "Check", "CreditCardCredit", "Deposit"})


class PaymentKind(Kind):
    deletable = True
    voidable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate", "DepositToAccountRef", "ProcessPayment")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "CustomerRef", "TotalAmt")
        if doc["TotalAmt"] < 0:
            raise Fault("2290", "TotalAmt of a payment cannot be negative", "TotalAmt")
        card = doc.get("CreditCardPayment") or {}
        if isinstance(card, dict) and (card.get("CreditChargeInfo") or {}).get("Number"):
            raise Fault("6530", "Card numbers must not be sent", "CreditCardPayment")
        doc["TotalAmt"] = cents(doc["TotalAmt"])
        txn_day(write)
        customer = company.resolve("Customer", doc["CustomerRef"], "CustomerRef")
        settle_currency(company, doc, customer)
        resolve_all(company, doc, {"PaymentMethodRef": "PaymentMethod"})
        reference = doc.setdefault("DepositToAccountRef", {"value": company.special["undeposited"]})
        check_account_currency(company, deposit_account(company, reference), doc)
        reference.pop("name", None)
        if doc.get("ARAccountRef") is not None:
            account = company.resolve("Account", doc["ARAccountRef"], "ARAccountRef")
            if account["AccountType"] != "Accounts Receivable":
                raise Fault("6430", f"{account['Name']} is not a receivable account", "ARAccountRef")
            if (account.get("CurrencyRef") or {}).get("value", home(company)) != doc["CurrencyRef"]["value"]:
                raise business(f"The currency of the A/R account {account['Name']} differs from the transaction's.")
        self._apply(write)
        doc.setdefault("ProcessPayment", False)
        links.check_not_deposited(write)
        deposit = company.deposited.get(str(doc.get("Id", "")))
        doc["LinkedTxn"] = [{"TxnId": deposit, "TxnType": "Deposit"}] if deposit else []

    def _apply(self, write: Write) -> None:
        company, doc = write.company, write.doc
        lines = []
        left: Decimal = doc["TotalAmt"]
        seen: set[str] = set()
        for line in doc.get("Line") or []:
            kept = self._line(company, doc, line)
            target = kept["LinkedTxn"][0]["TxnId"]
            if target in seen:
                raise Fault("620", "A transaction can be linked once in a payment", "Line.LinkedTxn")
            seen.add(target)
            left -= links.signed(kept)
            lines.append(kept)
        if left < 0:
            raise business("The amount applied to the transactions is more than the payment.", "Line")
        doc["Line"] = lines
        doc["UnappliedAmt"] = left

    def _line(self, company: Company, doc: Doc, line: Doc) -> Doc:
        linked = line.get("LinkedTxn") or []
        if len(linked) != 1:
            raise Fault("620", "A payment line links exactly one transaction", "Line.LinkedTxn")
        if line.get("Amount") is None:
            raise missing("Line.Amount")
        amount = cents(line["Amount"])
        if amount < 0:
            raise Fault("2290", "The amount of a payment line cannot be negative", "Line.Amount")
        link = {"TxnId": str(linked[0].get("TxnId")), "TxnType": str(linked[0].get("TxnType"))}
        if link["TxnType"] not in APPLICABLE:
            raise Fault("620", f"{link['TxnType']} cannot be linked to a payment", "Line.LinkedTxn.TxnType")
        entity = links.entity_of(link["TxnType"])
        target = company.get(entity, link["TxnId"])
        if target is None:
            raise Fault("610", f"Object Not Found : {link['TxnType']} {link['TxnId']} does not exist", "Line.LinkedTxn")
        if entity in ("Invoice", "CreditMemo"):
            self._check_target(company, doc, target, amount)
        elif entity == "Purchase" and (target.get("EntityRef") or {}).get("value") != doc["CustomerRef"]["value"]:
            raise Fault("620", "The expense was not paid to this customer", "Line.LinkedTxn")
        return {"Amount": amount, "LinkedTxn": [link]}

    def _check_target(self, company: Company, doc: Doc, target: Doc, amount: Decimal) -> None:
        if target["CustomerRef"]["value"] != doc["CustomerRef"]["value"]:
            raise Fault("620", "The transaction belongs to another customer", "Line.LinkedTxn")
        if target["CurrencyRef"]["value"] != doc["CurrencyRef"]["value"]:
            raise business("The transaction is in another currency than the payment.", "Line.LinkedTxn")
        own = company.applied.get(target["Id"], {}).get(str(doc.get("Id", "")), ZERO)
        if amount > links.open_balance(company, target) + own:
            raise business("The payment is more than the open balance of the transaction.", "Line.Amount")

    def settle(self, write: Write) -> None:
        company, doc, previous = write.company, write.doc, write.previous
        now = {line["LinkedTxn"][0]["TxnId"] for line in doc["Line"]}
        for line in (previous or {}).get("Line", []):
            link = line["LinkedTxn"][0]
            if link["TxnId"] not in now:
                links.apply_to(company, link["TxnType"], link["TxnId"], doc["Id"], None)
        for line in doc["Line"]:
            link = line["LinkedTxn"][0]
            links.apply_to(company, link["TxnType"], link["TxnId"], doc["Id"], line["Amount"])
        posting.post_payment(company, doc, links.allocations(company, doc))
        links.carry_customer(company, doc, previous)

    def release(self, company: Company, doc: Doc) -> None:
        links.refuse_deposited(company, doc)
        for line in doc.get("Line", []):
            link = line["LinkedTxn"][0]
            links.apply_to(company, link["TxnType"], link["TxnId"], doc["Id"], None)
        posting.withdraw(company, doc["Id"])
        links.carry_customer(company, None, doc)
