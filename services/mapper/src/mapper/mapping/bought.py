"""What the merchant bought: its purchase order, bill or expense (sections 5 and 6, purchase feeds).

The lines are at cost. Goods post to their item's account: stock to inventory, anything else to the item's own expense
account or that for the cost of goods. Freight and other charges are cost, too, and so is tax, except where tax on
purchases comes back (method `inclusive`): there it is set off on the tax account.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from common.messages.base import Reason
from common.messages.orders import OrderLine, Tender, TenderKind
from common.messages.transactions import (
    Account,
    AccountRole,
    Document,
    DocumentKind,
    DocumentLine,
    LineKind,
    WantedState,
)
from common.money import ZERO
from mapper.mapping.balance import settle
from mapper.mapping.case import Case
from mapper.mapping.forms import due_date
from mapper.mapping.history import History
from mapper.mapping.modes import ModeRow, Step
from mapper.mapping.notices import bill_kept_back, purchase_refund_left
from mapper.mapping.numbers import document_number
from mapper.mapping.products import STOCK_ITEM, resolve_item
from mapper.mapping.reasons import Held, mode_not_supported, seller_missing
from mapper.mapping.sales import unit_price
from mapper.mapping.tax import charged_taxes, tax_account

RECOVERABLE = "inclusive"
"""Tax method of countries where a business gets the tax on its purchases back."""
EXPENSE_ACCOUNT = "expense_account"
"""Detail of a catalog item: what buying it posts to."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """What stands on the form. `total` = Σ lines, in the purchase's currency."""

    lines: tuple[DocumentLine, ...]
    total: Decimal


def plan_purchase(case: Case, row: ModeRow, history: History) -> Reason | None:
    """Fill `case.documents` by the mode's row. Cancelled: nothing is left in the books, and nothing open.

    A rule `do_not_create_invoice` keeps the bill back as it does an invoice, e.g. until the goods are in; a bill that
    was written stays. The answer names that rule where nothing else is left to write.
    """
    facts = case.facts
    cell = row.cancelled if facts.cancelled else row.cell(facts.situation)
    if facts.returned > 0 and cell and not facts.cancelled:
        case.notices.append(purchase_refund_left(facts.returned, case.currency))
    orders: tuple[Document, ...] = ()
    if Step.PURCHASE_ORDERS in cell or Step.CLOSE_PURCHASE_ORDERS in cell:
        orders = (_purchase_order(case, closed=Step.CLOSE_PURCHASE_ORDERS in cell),)
        case.documents.extend(orders)
    stays = history.invoiced and case.configuration.company.approved_at is not None
    kept_back_by = None if stays else case.directives.no_invoice_by
    if Step.BILL in cell and kept_back_by is None:
        case.documents.append(_bill(case, orders))
    if Step.EXPENSE in cell:
        case.documents.append(_expense(case))
    for step, kind in ((Step.VOID_BILL, DocumentKind.BILL), (Step.VOID_EXPENSE, DocumentKind.EXPENSE)):
        if step in cell:
            order = case.order
            case.documents.append(
                case.void(kind, case.key(kind), "order", order.external_id, order.cancelled_on or order.ordered_on)
            )
    if Step.BILL in cell and kept_back_by is not None and not orders:
        return bill_kept_back(kept_back_by)
    return None


def _purchase_order(case: Case, *, closed: bool) -> Document:
    if not case.configuration.ledger.can("purchase_order"):
        raise Held(
            mode_not_supported(
                "purchase_orders", "the ledger has no purchase orders", "Choose bills or expenses for purchases."
            )
        )
    bought = _purchase(case, by_item=True)
    return Document(
        key=case.key(DocumentKind.PURCHASE_ORDER),
        kind=DocumentKind.PURCHASE_ORDER,
        wanted=WantedState.CLOSED if closed else WantedState.PRESENT,
        number=document_number(case, mirrored=True),
        total=bought.total,
        lines=bought.lines,
        **_header(case, needs_vendor=True),
    )


def _bill(case: Case, orders: tuple[Document, ...]) -> Document:
    """What is owed to the vendor: Dr inventory or expense / Cr payable. It closes the purchase order before it."""
    bought = _purchase(case, by_item=not case.directives.fee_account)
    keys = tuple(one.key for one in orders)
    return Document(
        key=case.key(DocumentKind.BILL),
        kind=DocumentKind.BILL,
        number=document_number(case),
        due_date=due_date(case),
        terms=case.order.terms,
        reference=case.order.reference_number,
        receivable=case.configuration.account(AccountRole.PAYABLE),
        closes=keys,
        depends_on=keys,
        total=bought.total,
        lines=bought.lines,
        **_header(case, needs_vendor=True),
    )


def _expense(case: Case) -> Document:
    """What was paid at once: Dr expense / Cr bank. Whom it was paid to may be left open."""
    bought = _purchase(case, by_item=not case.directives.fee_account)
    paid = _largest(case.facts.tenders)
    method, identity = (paid.method, paid.external_id) if paid is not None else ("", "")
    ruled = case.directives.deposit_accounts.get(identity)
    configuration = case.configuration
    return Document(
        key=case.key(DocumentKind.EXPENSE),
        kind=DocumentKind.EXPENSE,
        number=document_number(case),
        deposit_to=configuration.named_deposit_account(ruled, method)
        if ruled
        else configuration.paying_account(method),
        payment_method=case.payment_method(method, identity),
        reference=(paid.reference if paid is not None else "") or case.order.reference_number,
        total=bought.total,
        lines=bought.lines,
        **_header(case),
    )


def _largest(tenders: Iterable[Tender]) -> Tender | None:
    """The payment that says what paid; the first of several equal ones."""
    money = [tender for tender in tenders if tender.kind is TenderKind.MONEY]
    return max(money, key=lambda tender: tender.amount, default=None)


def _header(case: Case, *, needs_vendor: bool = False) -> dict[str, Any]:
    """Call it after the lines: they may find a product that is missing."""
    name = (case.directives.customer_name or case.order.vendor_name).strip()
    header = case.sales_header() | {"customer_key": case.vendor(name, case.currency) if name else None}
    if needs_vendor and not name:
        header["hold"] = seller_missing()
    return header


def _purchase(case: Case, *, by_item: bool) -> Purchase:
    """Every line of the purchase, to the cent. Raises `Held` where they miss its total by more than rounding.

    Without items each line posts to the account that a rule names, whatever was bought.
    """
    order = case.order
    lines = [_product(case, line, by_item=by_item) for line in order.lines]
    for shipping in order.shipping_lines:
        _add(case, lines, LineKind.SHIPPING, shipping.amount, shipping.title or order.ship_method or "Shipping")
    for discount in order.discounts:
        _add(case, lines, LineKind.DISCOUNT, -discount.amount, discount.code or discount.title or "Discount")
    for surcharge in order.surcharges:
        _add(case, lines, LineKind.SURCHARGE, surcharge.amount, surcharge.title or "Surcharge")
    _add(case, lines, LineKind.SURCHARGE, order.tips, "Tip")
    for tax in charged_taxes(order):
        recovered = tax_account(case, tax) if case.connection.tax.method == RECOVERABLE else None
        _add(case, lines, LineKind.TAX, tax.amount, tax.title, recovered)
    total = settle(case, order.total, lines, (), "purchase", with_item=False)
    return Purchase(tuple(lines), total)


def _product(case: Case, line: OrderLine, *, by_item: bool) -> DocumentLine:
    key = resolve_item(case, line) if by_item else None
    return DocumentLine(
        kind=LineKind.PRODUCT,
        account=_account(case, key),
        amount=line.amount,
        description=line.description or line.name,
        item_key=key,
        quantity=line.quantity,
        unit_price=unit_price(line, line.amount, case.currency),
        tax_code=case.configuration.never_taxed_code(),
        class_name=line.class_name,
        site=line.site or case.connection.site,
        uom=line.uom,
        service_date=line.ship_date,
        source_line_id=line.external_id,
    )


def _account(case: Case, item_key: str | None = None) -> Account:
    """What a cost posts to: a rule's account; inventory for stock; the item's own; the cost of goods."""
    if case.directives.fee_account:
        return Account(role=AccountRole.COST_OF_GOODS, name=case.directives.fee_account)
    wanted = case.items.get(item_key or "")
    if wanted is None:
        return case.configuration.account(AccountRole.COST_OF_GOODS)
    found = case.catalog.items.by_id(wanted.ledger_id)
    if (wanted.item_type if found is None else found.item_type.casefold()) == STOCK_ITEM:
        return case.configuration.account(AccountRole.INVENTORY)
    own = found.details.get(EXPENSE_ACCOUNT) if found is not None else None
    if own:
        return Account(role=AccountRole.COST_OF_GOODS, name=own)
    return case.configuration.account(AccountRole.COST_OF_GOODS)


def _add(
    case: Case,
    lines: list[DocumentLine],
    kind: LineKind,
    amount: Decimal,
    description: str,
    account: Account | None = None,
) -> None:
    """A line that is no product and posts to its account itself; one of nothing is left out."""
    if amount == ZERO:
        return
    lines.append(
        DocumentLine(
            kind=kind,
            account=account or _account(case),
            amount=amount,
            description=description,
            tax_code=case.configuration.never_taxed_code(),
        )
    )
