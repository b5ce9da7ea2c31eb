"""The buying side of an order: merchant fees as an expense or bill, and purchase orders to the products' vendors."""

from decimal import Decimal

from common.messages.orders import TenderKind
from common.messages.transactions import (
    Account,
    AccountRole,
    Document,
    DocumentKind,
    DocumentLine,
    LineKind,
    WantedState,
)
from common.money import ZERO, quantize
from mapper.mapping.case import Case
from mapper.mapping.numbers import document_number
from mapper.mapping.products import resolve_item
from mapper.mapping.reasons import Held, mode_not_supported, vendor_missing
from mapper.mapping.sales import fee_on_order

FEE_KINDS = {"expense": DocumentKind.EXPENSE, "bill": DocumentKind.BILL}


def plan_fee(case: Case, sale: Document) -> None:
    """The merchant fee of a paid order as a document of its own: Dr fees / Cr bank, or payable for a bill."""
    kind = FEE_KINDS.get(case.connection.fees.on_order)
    money = [tender for tender in case.facts.tenders if tender.kind is TenderKind.MONEY]
    if kind is None or not money:
        return
    fee = fee_on_order(case)
    if fee <= 0:
        return
    bank = AccountRole.BANK if kind is DocumentKind.EXPENSE else AccountRole.PAYABLE
    title = case.directives.fee_item or case.connection.products.fee_item
    payee = case.connection.fees.payee.strip()
    line = DocumentLine(kind=LineKind.FEE, account=_fee_account(case), amount=fee, description=title)
    case.documents.append(
        Document(
            key=case.key(kind, "order", "fee"),
            kind=kind,
            source_kind="order",
            source_id=case.order.external_id,
            number=None,
            **case.numbers_of_order(),
            note=payee,
            customer_key=case.vendor(payee, case.currency) if payee else None,
            hold=vendor_missing() if kind is DocumentKind.BILL and not payee else None,
            date=max(tender.captured_on for tender in money),
            currency=case.currency,
            exchange_rate=case.order.exchange_rate,
            total=fee,
            lines=(line,),
            deposit_to=case.configuration.account(bank) if kind is DocumentKind.EXPENSE else None,
            receivable=case.configuration.account(bank) if kind is DocumentKind.BILL else None,
            depends_on=(sale.key,),
        )
    )


def _fee_account(case: Case) -> Account:
    if case.directives.fee_account:
        return Account(role=AccountRole.FEES, name=case.directives.fee_account)
    return case.configuration.account(AccountRole.FEES)


def plan_purchase_orders(case: Case, order_form: Document, *, closed: bool) -> None:
    """One purchase order per preferred vendor of the lines, at purchase cost; lines without either need none.

    Costs are in the ledger's own currency, whatever the shop sells in.
    """
    if not case.configuration.ledger.can("purchase_order"):
        raise Held(
            mode_not_supported(
                case.connection.mode.value, "the ledger has no purchase orders", "Choose a mode without them."
            )
        )
    home = case.configuration.ledger.home_currency
    by_vendor: dict[str, list[DocumentLine]] = {}
    for line in case.order.lines:
        item = case.catalog.active_item(case.connection.products.match_field, line.sku)
        if item is None or not item.preferred_vendor or item.purchase_cost is None:
            continue
        by_vendor.setdefault(item.preferred_vendor, []).append(
            DocumentLine(
                kind=LineKind.PRODUCT,
                account=case.configuration.account(AccountRole.COST_OF_GOODS),
                amount=quantize(line.quantity * item.purchase_cost, home),
                description=line.description or line.name,
                item_key=resolve_item(case, line),
                quantity=line.quantity,
                unit_price=item.purchase_cost,
                source_line_id=line.external_id,
            )
        )
    for position, vendor in enumerate(sorted(by_vendor)):
        lines = tuple(by_vendor[vendor])
        total: Decimal = sum((line.amount for line in lines), ZERO)
        case.documents.append(
            Document(
                key=case.key(DocumentKind.PURCHASE_ORDER, "order", f"vendor/{vendor}"),
                kind=DocumentKind.PURCHASE_ORDER,
                wanted=WantedState.CLOSED if closed else WantedState.PRESENT,
                **(
                    case.sales_header()
                    | {
                        "customer_key": case.vendor(vendor, home),
                        "note": vendor,
                        "custom_fields": {"vendor": vendor},
                    }
                    | {"currency": home, "exchange_rate": None}
                ),
                number=document_number(case, mirrored=True, repeat=position),
                total=total,
                lines=lines,
                depends_on=(order_form.key,),
            )
        )
