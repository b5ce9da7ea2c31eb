"""From documents to balanced postings."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sandbox.quickbooks_online.accounting import stock
from sandbox.quickbooks_online.accounting.control import control_account, gain_or_loss
from sandbox.quickbooks_online.accounting.currency import home, rate_of
from sandbox.quickbooks_online.accounting.ledger import ZERO, Entry, Posting, cents
from sandbox.quickbooks_online.accounting.tax import payable_entries
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.lines import GRATUITY, SHIPPING, item_lines
from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.table import Doc

ONE = Decimal(1)


class Book:
    """Collects the entries of one document in its currency and turns them into a posting in home currency."""

    def __init__(self, company: Company, entity: str, doc: Doc) -> None:
        self.company = company
        self.entity = entity
        self.doc = doc
        self.rate = rate_of(doc)
        self.entries: list[Entry] = []

    def add(
        self,
        account: str,
        foreign: Decimal,
        name: str | None = None,
        memo: str = "",
        home_amount: Decimal | None = None,
    ) -> None:
        """Debit ``foreign`` (negative: credit) to ``account``; ``home_amount`` where it is not foreign times rate."""
        if foreign or home_amount:
            amount = cents(foreign * self.rate) if home_amount is None else home_amount
            self.entries.append(Entry(account, amount, foreign, name, memo))

    def post(self, difference_to: str | None = None) -> None:
        """Write the posting; a difference from converting line by line goes to ``difference_to`` or the last line."""
        difference = sum((entry.amount for entry in self.entries), ZERO)
        if difference and difference_to is not None:
            self.entries.append(Entry(difference_to, -difference, ZERO))
        elif difference:
            if self.rate == ONE:
                raise Fault("10000", f"{self.entity} does not balance: {difference}", status=500, kind="SystemFault")
            last = self.entries.pop()
            self.entries.append(Entry(last.account, last.amount - difference, last.foreign, last.name, last.memo))
        day = date.fromisoformat(self.doc["TxnDate"])
        number = str(self.doc.get("DocNumber") or self.doc.get("PaymentRefNum") or "")
        txn = self.doc["Id"]
        self.company.post(txn, Posting(txn, self.entity, day, number, tuple(self.entries)) if self.entries else None)


def withdraw(company: Company, txn: str) -> None:
    """Take a transaction out of the books: its posting and its stock movements."""
    company.post(txn, None)
    moves = company.movements.get(txn)
    if moves:
        stock.give_back(company, moves)
        company.set_entry(company.movements, txn, None)


def receivable(company: Company, doc: Doc) -> str:
    """Id of the receivable account of a document."""
    own = doc.get("ARAccountRef")
    if own is not None:
        return str(own["value"])
    return control_account(company, "ar", doc["CurrencyRef"]["value"])


def income_account(company: Company, detail: Doc) -> str:
    """Where an item line books its income: the line's own account, the item's, or the one for shipping and tips."""
    if detail.get("ItemAccountRef"):
        return str(detail["ItemAccountRef"]["value"])
    value = detail["ItemRef"]["value"]
    if value == SHIPPING:
        return company.special["shipping_income"]
    if value == GRATUITY:
        return company.special["gratuity"]
    item = company.get("Item", value) or {}
    return str((item.get("IncomeAccountRef") or {"value": company.special["services"]})["value"])


def post_sale(company: Company, entity: str, doc: Doc, *, sign: int, money: bool) -> None:
    """Post a sales form: ``sign`` +1 for invoices and receipts, -1 for credits and refunds."""
    withdraw(company, doc["Id"])
    book = Book(company, entity, doc)
    customer = (doc.get("CustomerRef") or {}).get("value")
    total: Decimal = doc["TotalAmt"]
    if money:
        book.add(doc["DepositToAccountRef"]["value"], sign * total)
    else:
        deposit = doc.get("Deposit") or ZERO
        if deposit:
            book.add(doc["DepositToAccountRef"]["value"], deposit)
        book.add(receivable(company, doc), sign * (total - deposit), customer)
    for account, tax in payable_entries(company, doc["TxnTaxDetail"]):
        book.add(account, -sign * tax)
    booked = ZERO
    subtotal = ZERO
    for line in doc["Line"]:
        kind = line["DetailType"]
        if kind == "DiscountLineDetail":
            book.add(line["DiscountLineDetail"]["DiscountAccountRef"]["value"], sign * line["Amount"])
        elif kind == "SubTotalLineDetail":
            subtotal = line["Amount"]
    for line in item_lines(doc):
        booked += line["Amount"]
        book.add(
            income_account(company, line["SalesItemLineDetail"]),
            -sign * line["Amount"],
            None,
            line.get("Description", ""),
        )
    if subtotal != booked:
        book.add(company.special["services"], -sign * (subtotal - booked))
    _cost_of_sales(company, doc, sign, book)
    book.post()


def _cost_of_sales(company: Company, doc: Doc, sign: int, book: Book) -> None:
    moves = []
    for line in item_lines(doc):
        detail = line["SalesItemLineDetail"]
        item = company.get("Item", detail["ItemRef"]["value"])
        if item is None or item["Type"] != "Inventory" or item.get("AssetAccountRef") is None:
            continue
        quantity = detail.get("Qty")
        quantity = ONE if quantity is None else quantity
        if not quantity:
            continue
        if sign * quantity > 0:
            move = stock.issue(company, item, abs(quantity), doc["TxnDate"])
        else:
            layers = company.layers.get(item["Id"], ())
            value = cents(abs(quantity) * stock.average(item, layers))
            move = stock.receive(company, item, abs(quantity), value, doc["Id"], doc["TxnDate"])
        moves.append(move)
        expense = (item.get("ExpenseAccountRef") or {"value": company.special["cogs"]})["value"]
        book.entries.insert(0, Entry(item["AssetAccountRef"]["value"], move.value, ZERO))
        book.entries.insert(0, Entry(expense, -move.value, ZERO))
    if moves:
        company.set_entry(company.movements, doc["Id"], moves)


def post_payment(company: Company, doc: Doc, allocations: list[tuple[Doc, Decimal]]) -> None:
    """Post a customer payment: money in, receivable down at the rate of what it pays, the rest is gain or loss.

    ``allocations`` holds each linked document with the amount applied to it, credits negative.
    """
    book = Book(company, "Payment", doc)
    account = receivable(company, doc)
    customer = doc["CustomerRef"]["value"]
    total: Decimal = doc["TotalAmt"]
    book.add(doc["DepositToAccountRef"]["value"], total)
    rest = total
    for target, amount in allocations:
        book.add(account, -amount, customer, "", -cents(amount * rate_of(target)))
        rest -= amount
    book.add(account, -rest, customer)
    foreign = doc["CurrencyRef"]["value"] != home(company)
    book.post(gain_or_loss(company) if foreign else None)
