"""Settlements that are booked as a whole: one journal entry or summary receipt per payout and month (section 15).

Nothing is grouped; the lines themselves are the books. A settlement that crosses the end of a month gives one document
per month, and what was earned before the month of payment is carried forward.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from common.messages.control import TransactionMode
from common.messages.keys import document_key
from common.messages.orders import Payout, PayoutLine
from common.messages.transactions import (
    Account,
    AccountRole,
    CustomerWanted,
    Document,
    DocumentKind,
    DocumentLine,
    ItemWanted,
    LineKind,
)
from common.money import ZERO
from mapper.mapping.configuration import Configuration
from mapper.mapping.grouping import Grouping, summary_customer
from mapper.mapping.listing import listing_of
from mapper.mapping.payout_accounts import FAILED, money_account, settled_account
from mapper.mapping.payout_matching import Candidates
from mapper.mapping.payout_reasons import carried, not_automatic, not_paid
from mapper.mapping.reasons import Held
from mapper.mapping.settled_sales import SalesSource, SettledSales, settled_sales

TITLES: Final = {
    LineKind.PRODUCT: "Sales",
    LineKind.SHIPPING: "Shipping",
    LineKind.DISCOUNT: "Discounts",
    LineKind.TAX: "Sales tax",
    LineKind.REFUND_ADJUSTMENT: "Refund adjustments",
}
"""What a journal calls the lines of sales; the others by the name of their kind."""
PROCESSING_FEES: Final = "Processing fees"
FEE_KINDS: Final = frozenset({"fee", "dispute_fee"})


@dataclass(frozen=True, slots=True)
class Settled:
    """Documents of a settlement with what they need besides."""

    documents: tuple[Document, ...]
    customers: tuple[CustomerWanted, ...] = ()
    items: tuple[ItemWanted, ...] = ()
    vendors: tuple[CustomerWanted, ...] = ()


@dataclass(slots=True)
class _Month:
    """What happened in one month, as lines of a sales form: what the merchant earned is positive."""

    on: date
    lines: list[DocumentLine] = field(default_factory=list)

    @property
    def earned(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


def settle_payout(
    payout: Payout, configuration: Configuration, source: SalesSource, candidates: Candidates, mode: TransactionMode
) -> Settled:
    """One document per month of the settlement's lines, the last one with the money. Raises `Held`.

    The mode of summaries makes receipts. Where a part comes to less than nothing it can't, and nothing may be left out:
    then all parts are journal entries.
    """
    sales = settled_sales(payout, configuration, source, candidates)
    months = _months(payout, configuration, sales)
    is_positive = payout.net >= 0 and all(month.earned >= 0 for month in months[:-1])
    if mode is TransactionMode.SUMMARY_PAYOUT and is_positive and configuration.ledger.can("sales_receipt"):
        return _receipts(payout, configuration, sales, months)
    payee = fee_payee(payout, configuration)
    return with_payee(tuple(_journals(payout, configuration, sales, months, payee)), payee, configuration)


def fee_payee(payout: Payout, configuration: Configuration) -> CustomerWanted | None:
    """Whom the payout's fees go to, where settings say so and there are any."""
    name = configuration.connection.payouts.fee_payee.strip()
    has_fees = any(line.fee or line.kind in FEE_KINDS for line in payout.lines)
    if not name or not has_fees:
        return None
    is_vendor = configuration.connection.payouts.fee_payee_is == "vendor"
    return (configuration.vendor if is_vendor else configuration.customer)(name, payout.currency)


def with_payee(documents: tuple[Document, ...], payee: CustomerWanted | None, configuration: Configuration) -> Settled:
    """The documents with whom their fees go to, if to anybody."""
    if payee is None:
        return Settled(documents)
    if configuration.connection.payouts.fee_payee_is == "vendor":
        return Settled(documents, vendors=(payee,))
    return Settled(documents, customers=(payee,))


def _months(payout: Payout, configuration: Configuration, sales: SettledSales) -> list[_Month]:
    """Lines by month, up to the month of payment; what happened later still belongs to the payment."""
    last = payout.paid_on.replace(day=1)
    months: dict[date, _Month] = {}
    for line in payout.lines:
        first = min(line.occurred_on.replace(day=1), last)
        month = months.setdefault(first, _Month(line.occurred_on))
        month.on = max(month.on, line.occurred_on)
        month.lines.extend(_lines(line, payout, configuration, sales))
    months.setdefault(last, _Month(payout.paid_on)).on = payout.paid_on
    return [month for _, month in sorted(months.items())]


def _lines(
    line: PayoutLine, payout: Payout, configuration: Configuration, sales: SettledSales
) -> Iterable[DocumentLine]:
    """What one line of the payout stands for: the sale of its order, or the line itself; and its fee."""
    parts = sales.lines.get(line.external_id)
    if parts is not None:
        yield from parts
    elif line.amount:
        yield as_itself(line, payout, configuration)
    if line.fee:
        yield _line(configuration.account(AccountRole.FEES), -line.fee, PROCESSING_FEES)


def as_itself(line: PayoutLine, payout: Payout, configuration: Configuration) -> DocumentLine:
    """A payout's line by what it says it is, without its fee. Raises `Held` where no account is known for that."""
    title = line.description.strip() or line.kind.replace("_", " ").capitalize()
    return _line(settled_account(line, payout, configuration), line.amount, title)


def _line(account: Account, amount: Decimal, title: str) -> DocumentLine:
    return DocumentLine(kind=LineKind.POSTING, account=account, amount=amount, description=title)


def _receipts(payout: Payout, configuration: Configuration, sales: SettledSales, months: Sequence[_Month]) -> Settled:
    """One receipt a month. The last one comes to the payout's net, as the bank shows it; the others are carried."""
    if sales.product_hold is not None:
        raise Held(sales.product_hold)
    carry = configuration.account(AccountRole.CARRIED_FORWARD) if len(months) > 1 else None
    customer = summary_customer(payout.currency, configuration)
    items = dict(sales.items)
    documents: list[Document] = []
    carried_in = ZERO
    for ordinal, month in enumerate(months):
        is_last = ordinal == len(months) - 1
        lines = list(month.lines)
        if is_last and carry is not None and carried_in:
            lines.append(_line(carry, carried_in, "Carried forward"))
        grouping = Grouping()
        grouping.add(_with_item(line, configuration, items) for line in lines)
        carried_in += month.earned
        documents.append(
            Document(
                **_header(payout, configuration, sales, DocumentKind.SALES_RECEIPT, ordinal, month.on),
                total=payout.net if is_last else month.earned,
                customer_key=customer.key,
                lines=grouping.lines(),
                deposit_to=money_account(payout, configuration) if is_last or carry is None else carry,
            )
        )
    used = {line.item_key for document in documents for line in document.lines}
    return Settled(tuple(documents), (customer,), tuple(item for key, item in items.items() if key in used))


def _with_item(line: DocumentLine, configuration: Configuration, items: dict[str, ItemWanted]) -> DocumentLine:
    """Sales forms post through items: each kind of fee, reserve or adjustment has one of its own name."""
    if line.item_key is not None:
        return line
    products = configuration.connection.products
    named = {AccountRole.TAX: products.tax_item, AccountRole.SHIPPING_INCOME: products.shipping_item}
    name = named.get(line.account.role) or line.description
    item = configuration.service_item(line.kind, name, lambda: line.account, taxable=False)
    items[item.key] = item
    return line.model_copy(update={"item_key": item.key, "tax_code": configuration.never_taxed_code()})


def _journals(
    payout: Payout,
    configuration: Configuration,
    sales: SettledSales,
    months: Sequence[_Month],
    payee: CustomerWanted | None,
) -> Iterable[Document]:
    carried_in = ZERO
    for ordinal, month in enumerate(months):
        postings = postings_of(month.lines)
        if carried_in:
            postings.append(_line(configuration.account(AccountRole.CARRIED_FORWARD), -carried_in, "Carried forward"))
        if ordinal == len(months) - 1:
            postings.extend(_money(payout, configuration))
        else:
            carried_in += month.earned
            title = carried(f"{month.on:%Y-%m}")
            postings.append(_line(configuration.account(AccountRole.CARRIED_FORWARD), carried_in, title))
        yield Document(
            **_header(payout, configuration, sales, DocumentKind.JOURNAL_ENTRY, ordinal, month.on),
            total=sum((line.amount for line in postings if line.amount > 0), ZERO),
            customer_key=payee.key if payee is not None else None,
            lines=tuple(postings),
        )


def postings_of(lines: Sequence[DocumentLine]) -> list[DocumentLine]:
    """One posting per account and title of lines of sales forms; debits positive, so what was earned is negative."""
    sums: dict[tuple[Account, str], Decimal] = {}
    for line in lines:
        account = line.account
        title = line.description
        if line.kind is not LineKind.POSTING:
            account = account.model_copy(update={"qualifier": ""})
            title = TITLES.get(line.kind) or line.kind.value.replace("_", " ").capitalize()
        sums[account, title] = sums.get((account, title), ZERO) - line.amount
    return [_line(account, amount, title) for (account, title), amount in sums.items() if amount]


def _money(payout: Payout, configuration: Configuration) -> list[DocumentLine]:
    """What came to the bank or left it. Below zero: what is still owed, where nothing was taken from the bank."""
    is_owed = payout.status == FAILED or configuration.connection.payouts.negative == "carried"
    if payout.net < 0 and is_owed:
        return [_line(configuration.account(AccountRole.SHORTFALL), payout.net, "Payout shortfall")]
    account = money_account(payout, configuration)
    return [_line(account, payout.net, f"Payout {payout.external_id}")] if payout.net else []


def _header(
    payout: Payout, configuration: Configuration, sales: SettledSales, kind: DocumentKind, ordinal: int, on: date
) -> dict[str, Any]:
    company_id = configuration.connection.company_id
    return {
        "key": document_key(
            payout.tenant_id, company_id, payout.connection_id, "payout", payout.external_id, kind, ordinal
        ),
        "kind": kind,
        "ordinal": ordinal,
        "hold": None if configuration.connection.payouts.automatic else not_automatic(),
        "source_kind": "payout",
        "source_id": payout.external_id,
        "number": None,
        "memo_number": payout.external_id,
        "note": listing_of(sales.numbers).note,
        "notices": (*sales.notices, not_paid(payout.status)) if payout.status == FAILED else sales.notices,
        "date": on,
        "currency": payout.currency,
        "exchange_rate": payout.exchange_rate,
        "reference": payout.external_id,
        "class_name": configuration.connection.class_name,
        "department": configuration.connection.department,
    }
