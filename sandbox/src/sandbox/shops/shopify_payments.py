"""Shopify's shapes of money that moved: transactions and refunds, and the financial status they come to."""

from __future__ import annotations

from sandbox.shops.shopify_parts import Json, Money, line_json
from sandbox.shops.state import Order, Refund, RefundLine, Transaction


def financial_status(order: Order, current_total: int) -> str:
    """Shopify's one word for how an order is paid. A refund outranks everything, a void only what was never taken."""
    if order.returned:
        return "refunded" if order.returned >= order.captured else "partially_refunded"
    if order.captured:
        return "paid" if order.captured >= current_total else "partially_paid"
    if order.cancelled_at:
        return "voided"
    if current_total == 0:
        return "paid"
    return "authorized" if order.money("authorization") else "pending"


def transaction_json(order: Order, row: Transaction, money: Money) -> Json:
    """One row of the transactions list, and the body of order_transactions/create."""
    at = row.at.astimezone(order.shop.zone).isoformat(timespec="seconds")
    unsettled = row.amount if row.kind == "authorization" else 0
    unsettled_money = {"amount": money.text(unsettled), "currency": money.code}
    return {
        "id": row.id,
        "order_id": order.id,
        "kind": row.kind,
        "gateway": row.gateway,
        "status": "success",
        "message": None,
        "created_at": at,
        "test": False,
        "authorization": f"auth-{row.id % 1_000_000}",
        "location_id": None,
        "user_id": None,
        "parent_id": row.parent_id,
        "processed_at": at,
        "device_id": 1,
        "error_code": None,
        "source_name": "web" if order.customer else "pos",
        "payment_details": {
            "credit_card_bin": None,
            "avs_result_code": None,
            "cvv_result_code": None,
            "credit_card_number": "•••• •••• •••• 4242" if row.card else "",
            "credit_card_company": row.card or "",
            "buyer_action_info": None,
            "credit_card_name": None,
            "credit_card_wallet": None,
            "credit_card_expiration_month": None,
            "credit_card_expiration_year": None,
            "payment_method_name": row.card or row.gateway,
        },
        "receipt": {"gift_card_last_characters": "7f3a"} if row.tender == "gift_card" else {},
        "amount": money.text(row.amount),
        "currency": money.code,
        "payment_id": f"#{order.number}.{row.id % 100}",
        "total_unsettled_set": {"presentment_money": unsettled_money, "shop_money": unsettled_money},
        "manual_payment_gateway": row.gateway in ("bank_transfer", "cash"),
        "amount_rounding": None,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{row.id}",
    }


def refund_json(order: Order, refund: Refund, money: Money) -> Json:
    """A refund. Money that no line stands for is an adjustment with the sign turned round, as Shopify writes it."""
    at = refund.at.astimezone(order.shop.zone).isoformat(timespec="seconds")
    rows = []
    for transaction in refund.transactions:
        row = transaction_json(order, transaction, money)
        del row["payment_details"]
        rows.append(row)
    return {
        "id": refund.id,
        "order_id": order.id,
        "created_at": at,
        "note": refund.note,
        "user_id": 548380009,
        "processed_at": at,
        "duties": [],
        "total_duties_set": money.bag(0),
        "return": None,
        "refund_shipping_lines": [],
        "restock": any(row.restock != "no_restock" for row in refund.lines),
        "admin_graphql_api_id": f"gid://shopify/Refund/{refund.id}",
        "order_adjustments": _adjustments(order, refund, money),
        "refund_line_items": [_refund_line(order, row, money) for row in refund.lines],
        "transactions": rows,
    }


def _refund_line(order: Order, row: RefundLine, money: Money) -> Json:
    line = line_json(row.line, money, completed=order.completed_at is not None)
    return {
        "id": row.id,
        "quantity": row.quantity,
        "line_item_id": row.line.id,
        "location_id": None if row.restock == "no_restock" else 655441491,
        "restock_type": row.restock,
        "subtotal": money.number(row.subtotal),
        "total_tax": money.number(row.tax),
        "subtotal_set": money.bag(row.subtotal),
        "total_tax_set": money.bag(row.tax),
        "line_item": line,
    }


def _adjustments(order: Order, refund: Refund, money: Money) -> list[Json]:
    """Refunded shipping, and the difference between what the lines come to and what was paid out.

    The amount of a shipping refund is without its tax; where prices contain tax that means less than was charged.
    """
    rows = []
    if refund.shipping:
        net = refund.shipping - (refund.shipping_tax if order.shop.taxes_included else 0)
        rows.append(("shipping_refund", "Shipping refund", net, refund.shipping_tax))
    if refund.extra:
        rows.append(("refund_discrepancy", "Refund discrepancy", refund.extra, 0))
    return [
        {
            "id": refund.id * 10 + index,
            "order_id": order.id,
            "refund_id": refund.id,
            "kind": kind,
            "reason": reason,
            "amount": money.text(-amount),
            "amount_set": money.bag(-amount),
            "tax_amount": money.text(-tax),
            "tax_amount_set": money.bag(-tax),
        }
        for index, (kind, reason, amount, tax) in enumerate(rows)
    ]
