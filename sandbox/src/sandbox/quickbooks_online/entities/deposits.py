"""Bank deposits: receipts out of Undeposited Funds, new money, fees as negative lines, cash back."""

from __future__ import annotations

from decimal import Decimal

from sandbox.quickbooks_online.accounting.currency import settle_currency
from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.accounting.posting import Book, withdraw
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Kind, Write, require, touch, txn_day
from sandbox.quickbooks_online.entities.lines import number_lines
from sandbox.quickbooks_online.entities.sales import deposit_account
from sandbox.quickbooks_online.faults import Fault, business, missing
from sandbox.quickbooks_online.table import Doc

LINKABLE = ("Payment", "SalesReceipt", "RefundReceipt")


class DepositKind(Kind):
    deletable = True
    kept = ("CurrencyRef", "ExchangeRate", "TxnDate")

    def complete(self, write: Write) -> None:
        company, doc = write.company, write.doc
        require(doc, "DepositToAccountRef", "Line")
        if not doc["Line"]:
            raise Fault("2250", "A deposit needs at least one line", "Line")
        txn_day(write)
        settle_currency(company, doc, None)
        deposit_account(company, doc["DepositToAccountRef"])
        total = ZERO
        seen: set[str] = set()
        for line in doc["Line"]:
            if line.get("LinkedTxn"):
                total += self._linked(write, line, seen)
            else:
                total += self._new_money(company, line)
        number_lines(doc["Line"], write.previous)
        cash = doc.get("CashBack")
        if cash is not None:
            if cash.get("AccountRef") is None or cash.get("Amount") is None:
                raise missing("CashBack.AccountRef")
            company.resolve("Account", cash["AccountRef"], "CashBack.AccountRef")
            if cash["Amount"] < 0:
                raise Fault("2290", "CashBack.Amount cannot be negative", "CashBack.Amount")
            total -= cents(cash["Amount"])
        if total < 0:
            raise business("The total of a deposit must be 0 or greater.", "TotalAmt")
        doc["TotalAmt"] = total
        doc.pop("LinkedTxn", None)

    def _linked(self, write: Write, line: Doc, seen: set[str]) -> Decimal:
        company, doc = write.company, write.doc
        if len(line["LinkedTxn"]) != 1:
            raise Fault("620", "A deposit line links exactly one transaction", "Line.LinkedTxn")
        link = line["LinkedTxn"][0]
        entity, identifier = str(link.get("TxnType")), str(link.get("TxnId"))
        if entity not in LINKABLE:
            raise Fault("620", f"{entity} cannot be deposited", "Line.LinkedTxn.TxnType")
        target = company.get(entity, identifier)
        if target is None:
            raise Fault("610", f"Object Not Found : {entity} {identifier} does not exist", "Line.LinkedTxn")
        held_by = company.deposited.get(identifier)
        if (held_by is not None and held_by != doc.get("Id")) or identifier in seen:
            raise Fault("620", f"{entity} {identifier} has been deposited already", "Line.LinkedTxn")
        if target["DepositToAccountRef"]["value"] != company.special["undeposited"]:
            raise Fault("620", f"{entity} {identifier} is not waiting in Undeposited Funds", "Line.LinkedTxn")
        seen.add(identifier)
        amount: Decimal = target["TotalAmt"] * (-1 if entity == "RefundReceipt" else 1)
        if line.get("Amount") is not None and abs(cents(line["Amount"])) != abs(amount):
            raise business(f"The amount of the line differs from that of {entity} {identifier}.", "Line.Amount")
        line["Amount"] = amount
        line["LinkedTxn"] = [{"TxnId": identifier, "TxnType": entity, "TxnLineId": str(link.get("TxnLineId") or "0")}]
        line["DetailType"] = "DepositLineDetail"
        line.setdefault("DepositLineDetail", {})
        return amount

    def _new_money(self, company: Company, line: Doc) -> Decimal:
        detail = line.get("DepositLineDetail") or {}
        if line.get("DetailType") not in (None, "DepositLineDetail"):
            raise Fault("2170", f"{line['DetailType']} is not a line of a deposit", "Line.DetailType")
        if line.get("Amount") is None:
            raise missing("Line.Amount")
        if detail.get("AccountRef") is None:
            raise Fault("6440", "A deposit line needs an account", "Line.DepositLineDetail.AccountRef")
        company.resolve("Account", detail["AccountRef"], "Line.DepositLineDetail.AccountRef")
        if detail.get("PaymentMethodRef"):
            company.resolve("PaymentMethod", detail["PaymentMethodRef"], "Line.DepositLineDetail.PaymentMethodRef")
        line["DetailType"] = "DepositLineDetail"
        line["DepositLineDetail"] = detail
        line["Amount"] = cents(line["Amount"])
        return Decimal(line["Amount"])

    def settle(self, write: Write) -> None:
        company, doc = write.company, write.doc
        now = _links(doc)
        for identifier, entity in _links(write.previous or {}).items():
            if identifier not in now:
                _release(company, entity, identifier, doc["Id"])
        for identifier, entity in now.items():
            if company.deposited.get(identifier) == doc["Id"]:
                continue
            company.set_entry(company.deposited, identifier, doc["Id"])
            target = company.get(entity, identifier)
            if target is not None:
                links = [*target.get("LinkedTxn", []), {"TxnId": doc["Id"], "TxnType": "Deposit"}]
                touch(company, entity, target, {"LinkedTxn": links}, token=True)
        self._post(company, doc)

    def _post(self, company: Company, doc: Doc) -> None:
        withdraw(company, doc["Id"])
        book = Book(company, "Deposit", doc)
        book.add(doc["DepositToAccountRef"]["value"], doc["TotalAmt"])
        cash = doc.get("CashBack")
        if cash:
            book.add(cash["AccountRef"]["value"], cents(cash["Amount"]))
        for line in doc["Line"]:
            detail = line["DepositLineDetail"]
            if line.get("LinkedTxn"):
                book.add(company.special["undeposited"], -line["Amount"])
            else:
                book.add(detail["AccountRef"]["value"], -line["Amount"], _name(detail), line.get("Description", ""))
        book.post()

    def release(self, company: Company, doc: Doc) -> None:
        for identifier, entity in _links(doc).items():
            _release(company, entity, identifier, doc["Id"])
        withdraw(company, doc["Id"])


def _name(detail: Doc) -> str | None:
    entity = detail.get("Entity")
    return str(entity["value"]) if isinstance(entity, dict) and entity.get("value") else None


def _links(doc: Doc) -> dict[str, str]:
    return {
        line["LinkedTxn"][0]["TxnId"]: line["LinkedTxn"][0]["TxnType"]
        for line in doc.get("Line", [])
        if line.get("LinkedTxn")
    }


def _release(company: Company, entity: str, identifier: str, deposit: str) -> None:
    company.set_entry(company.deposited, identifier, None)
    target = company.get(entity, identifier)
    if target is not None:
        links = [link for link in target.get("LinkedTxn", []) if link["TxnId"] != deposit]
        touch(company, entity, target, {"LinkedTxn": links}, token=True)
