"""Journal entries and transfers between accounts."""

from __future__ import annotations

from decimal import Decimal

from sandbox.quickbooks_online.accounting.currency import settle_currency
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.accounting.posting import Book, withdraw
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities import links
from sandbox.quickbooks_online.entities.kind import Kind, Write, number_document, require, txn_day
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc

_CONTROL = {"Accounts Receivable": "Customer", "Accounts Payable": "Vendor"}


class JournalKind(Kind):
    deletable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate", "Adjustment")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "Line")
        txn_day(write)
        settle_currency(company, doc, None)
        sums = {"Debit": ZERO, "Credit": ZERO}
        kept: list[Doc] = []
        for line in doc["Line"]:
            if line.get("DetailType") in ("DescriptionOnly", "DescriptionLineDetail"):
                line.pop("Amount", None)
                kept.append(line)
                continue
            side, amount = self._line(company, line)
            sums[side] += amount
            kept.append(line)
        if not sums["Debit"] and not sums["Credit"] and len(kept) < 2:
            raise Fault("2250", "A journal entry needs at least one debit and one credit line", "Line")
        if sums["Debit"] != sums["Credit"]:
            raise Fault("2300", f"Debits of {sums['Debit']} and credits of {sums['Credit']} differ", "Line")
        _ids_from_zero(kept, write.previous)
        doc["Line"] = kept
        doc["TotalAmt"] = sums["Debit"]
        doc.setdefault("Adjustment", False)
        doc["TxnTaxDetail"] = doc.get("TxnTaxDetail") or {}
        number_document(write, "journal" if "allowautodocnum" in write.include else None)

    def _line(self, company: Company, line: Doc) -> tuple[str, Decimal]:
        detail = line.get("JournalEntryLineDetail")
        if line.get("DetailType") not in (None, "JournalEntryLineDetail"):
            raise Fault("2170", f"{line['DetailType']} is not a line of a journal entry", "Line.DetailType")
        line["DetailType"] = "JournalEntryLineDetail"
        if detail is None:
            raise missing("Line.JournalEntryLineDetail")
        if line.get("Amount") is None:
            raise missing("Line.Amount")
        if line["Amount"] < 0:
            raise Fault("2290", "Amounts of a journal entry are positive; PostingType says the side", "Line.Amount")
        side = detail.get("PostingType")
        if side is None:
            raise Fault("2260", "PostingType must be Debit or Credit", "Line.JournalEntryLineDetail.PostingType")
        if detail.get("AccountRef") is None:
            raise missing("Line.JournalEntryLineDetail.AccountRef")
        account = company.resolve("Account", detail["AccountRef"], "Line.JournalEntryLineDetail.AccountRef")
        self._name(company, account, detail)
        line["Amount"] = cents(line["Amount"])
        return side, line["Amount"]

    def _name(self, company: Company, account: Doc, detail: Doc) -> None:
        named = detail.get("Entity") or {}
        needed = _CONTROL.get(account["AccountType"])
        if needed is not None and (named.get("Type") != needed or named.get("EntityRef") is None):
            raise business(
                f"When you use {account['AccountType']}, you must choose a {needed.lower()} in the Name field.",
                "Line.JournalEntryLineDetail.Entity",
            )
        if named.get("EntityRef") is not None:
            kind = str(named.get("Type") or "Customer")
            if kind in company.tables:
                company.resolve(kind, named["EntityRef"], "Line.JournalEntryLineDetail.Entity")

    def settle(self, write: Write) -> None:
        company, doc = write.company, write.doc
        withdraw(company, doc["Id"])
        book = Book(company, "JournalEntry", doc)
        for line in doc["Line"]:
            detail = line.get("JournalEntryLineDetail")
            if detail is None:
                continue
            sign = 1 if detail["PostingType"] == "Debit" else -1
            book.add(detail["AccountRef"]["value"], sign * line["Amount"], _entity(detail), line.get("Description", ""))
        book.post()
        _carry(company, doc, write.previous)

    def release(self, company: Company, doc: Doc) -> None:
        links.unapply(company, "JournalEntry", doc["Id"])
        withdraw(company, doc["Id"])
        _carry(company, None, doc)


def _ids_from_zero(lines: list[Doc], previous: Doc | None) -> None:
    """Lines of journal entries count from "0" (recorded); known ids stay."""
    before = {line["Id"] for line in (previous or {}).get("Line", [])}
    highest = max((int(identifier) for identifier in before if identifier.isdigit()), default=-1)
    used: set[str] = set()
    for line in lines:
        if line.get("Id") not in before or line["Id"] in used:
            highest += 1
            line["Id"] = str(highest)
        used.add(line["Id"])
        line.pop("LineNum", None)


def _entity(detail: Doc) -> str | None:
    reference = (detail.get("Entity") or {}).get("EntityRef")
    return str(reference["value"]) if reference else None


def _carry(company: Company, doc: Doc | None, previous: Doc | None) -> None:
    """Balances of the customers and vendors on receivable and payable lines."""
    for version in (doc, previous):
        for line in (version or {}).get("Line", []):
            detail = line.get("JournalEntryLineDetail") or {}
            name = _entity(detail)
            if name is not None:
                links.carry_customer(company, {"CustomerRef": {"value": name}}, None)
                links.carry_vendor(company, {"VendorRef": {"value": name}}, None)


class TransferKind(Kind):
    """Money from one account to another; a card payment is one whose target is a credit card."""

    deletable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate")

    def __init__(self, entity: str, source: str, target: str) -> None:
        self.entity = entity
        self.source = source
        self.target = target

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, self.source, self.target, "Amount")
        if doc["Amount"] <= 0:
            raise Fault("2290", "Amount of a transfer must be above zero", "Amount")
        txn_day(write)
        settle_currency(company, doc, None)
        for name in (self.source, self.target):
            company.resolve("Account", doc[name], name)
        if doc[self.source]["value"] == doc[self.target]["value"]:
            raise business("A transfer needs two different accounts.", self.target)
        if self.entity == "CreditCardPayment":
            account = company.resolve("Account", doc[self.target], self.target)
            if account["AccountType"] != "Credit Card":
                raise Fault("6430", f"{account['Name']} is not a credit card account", self.target)
        doc["Amount"] = cents(doc["Amount"])

    def settle(self, write: Write) -> None:
        withdraw(write.company, write.identifier)
        book = Book(write.company, self.entity, write.doc)
        book.add(write.doc[self.target]["value"], write.doc["Amount"])
        book.add(write.doc[self.source]["value"], -write.doc["Amount"])
        book.post()

    def release(self, company: Company, doc: Doc) -> None:
        withdraw(company, doc["Id"])
