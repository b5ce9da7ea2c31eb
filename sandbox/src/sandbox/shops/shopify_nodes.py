"""Turns an order's REST shape into the GraphQL one. Connections are functions: their arguments choose the rows."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from graphql import GraphQLError, GraphQLResolveInfo

from sandbox.shops.store import Held
from sandbox.shops.web import Json

PAGE_MAX: Final = 250


def order_node(held: Held) -> Json:
    """The order with everything below it."""
    body, transactions = held.snapshot.body, held.snapshot.transactions
    applications = [
        _application(row, index, body["currency"]) for index, row in enumerate(body["discount_applications"])
    ]
    lines = [_line(row, applications, body["currency"]) for row in body["line_items"]]
    shipping = [_shipping_line(row, applications) for row in body["shipping_lines"]]
    paid = [_transaction(row, transactions) for row in transactions]
    received = _sum(transactions, ("sale", "capture"))
    refunded = _sum(transactions, ("refund",))
    codes = [row["code"] for row in body["discount_codes"]]
    currency = body["currency"]
    return {
        **_plain(body),
        "id": body["admin_graphql_api_id"],
        "legacyResourceId": str(held.id),
        "tags": [tag for tag in body["tags"].split(", ") if tag],
        "edited": held.snapshot.edited,
        "closed": body["closed_at"] is not None,
        "fullyPaid": Decimal(body["total_outstanding"]) <= 0,
        "unpaid": received == 0 and Decimal(body["current_total_price"]) > 0,
        "createdAt": utc(body["created_at"]),
        "processedAt": utc(body["processed_at"]),
        "updatedAt": utc(body["updated_at"]),
        "closedAt": utc(body["closed_at"]),
        "cancelledAt": utc(body["cancelled_at"]),
        "cancelReason": body["cancel_reason"].upper() if body["cancel_reason"] else None,
        "displayFinancialStatus": body["financial_status"].upper(),
        "displayFulfillmentStatus": (body["fulfillment_status"] or "unfulfilled").upper(),
        "discountCode": codes[0] if codes else None,
        "discountCodes": codes,
        "customer": _customer(body["customer"]),
        "billingAddress": _address(body["billing_address"], held.id, "billing"),
        "shippingAddress": _address(body["shipping_address"], held.id, "shipping"),
        "totalTipReceivedSet": bag(body["total_tip_received"], currency),
        "totalOutstandingSet": bag(body["total_outstanding"], currency),
        "totalReceivedSet": bag(str(received), currency),
        "totalRefundedSet": bag(str(refunded), currency),
        "netPaymentSet": bag(str(received - refunded), currency),
        "taxLines": [_tax(row) for row in body["tax_lines"]],
        "lineItems": connection(lines),
        "shippingLine": shipping[0] if shipping else None,
        "shippingLines": connection(shipping),
        "discountApplications": connection(applications),
        "transactions": lambda _info, first=None, **_: paid[:first],
        "refunds": lambda _info, first=None: [_refund(row, body, lines, shipping) for row in body["refunds"]][:first],
    }


def connection(rows: list[Json]) -> Callable[..., Json]:
    """A resolver that pages through rows by position. Raises a GraphQLError without `first` or `last`."""

    def resolve(_info: GraphQLResolveInfo[Any], **args: Any) -> Json:
        chosen = rows[::-1] if args.get("reverse") else rows
        cursors = [urlsafe_b64encode(str(index).encode()).decode() for index in range(len(chosen))]
        start = cursors.index(args["after"]) + 1 if args.get("after") in cursors else 0
        end = cursors.index(args["before"]) if args.get("before") in cursors else len(chosen)
        size = page_size(args)
        start, end = (max(start, end - size), end) if args.get("last") is not None else (start, min(end, start + size))
        return {
            "nodes": chosen[start:end],
            "edges": [{"cursor": cursors[i], "node": chosen[i]} for i in range(start, end)],
            "pageInfo": {
                "hasNextPage": end < len(chosen),
                "hasPreviousPage": start > 0,
                "startCursor": cursors[start] if start < end else None,
                "endCursor": cursors[end - 1] if start < end else None,
            },
        }

    return resolve


def page_size(args: dict[str, Any]) -> int:
    """How many rows a connection is asked for. Raises a GraphQLError unless that is said, and within bounds."""
    size = args.get("first") if args.get("first") is not None else args.get("last")
    if not isinstance(size, int):
        message = "you must provide one of first or last"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    if not 0 < size <= PAGE_MAX:
        message = f"first or last is {size}; it must be from 1 to {PAGE_MAX}"
        raise GraphQLError(message, extensions={"code": "BAD_REQUEST"})
    return size


def bag(amount: str, currency: str) -> Json:
    """A money bag; GraphQL writes amounts without closing zeros but always with a decimal point."""
    text = format(Decimal(amount).normalize(), "f")
    money = {"amount": text if "." in text else f"{text}.0", "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def utc(text: str | None) -> str | None:
    """A time in UTC with a Z, as GraphQL writes it."""
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def camel(name: str) -> str:
    """`total_price_set` → `totalPriceSet`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _plain(row: Json) -> Json:
    """All single values and money bags under their GraphQL names."""
    fields: Json = {}
    for name, value in row.items():
        if name.endswith("_set") and isinstance(value, dict) and "currency_code" in value["shop_money"]:
            fields[camel(name)] = bag(value["shop_money"]["amount"], value["shop_money"]["currency_code"])
        elif not isinstance(value, dict):
            fields[camel(name)] = value
    fields["currencyCode"], fields["presentmentCurrencyCode"] = row.get("currency"), row.get("presentment_currency")
    return fields


def _line(row: Json, applications: list[Json], currency: str) -> Json:
    gross = Decimal(row["price"]) * row["quantity"]
    off = sum((Decimal(share["amount"]) for share in row["discount_allocations"]), Decimal(0))
    product_gid = f"gid://shopify/Product/{row['product_id']}"
    variant_gid = f"gid://shopify/ProductVariant/{row['variant_id']}"
    return {
        **_plain(row),
        "id": row["admin_graphql_api_id"],
        "sku": row["sku"] or None,
        "isGiftCard": row["gift_card"],
        "product": {"id": product_gid, "title": row["title"]},
        "variant": {"id": variant_gid, "title": row["variant_title"] or "Default Title", "sku": row["sku"] or None},
        "originalUnitPriceSet": bag(row["price"], currency),
        "originalTotalSet": bag(str(gross), currency),
        "discountedTotalSet": lambda _info, **args: bag(
            str(gross - off if args.get("withCodeDiscounts") else gross), currency
        ),
        "discountAllocations": _allocations(row, applications),
        "taxLines": lambda _info, first=None: [_tax(tax) for tax in row["tax_lines"]][:first],
    }


def _shipping_line(row: Json, applications: list[Json]) -> Json:
    fields = _plain(row)
    return {
        **fields,
        "id": f"gid://shopify/ShippingLine/{row['id']}",
        "originalPriceSet": fields["priceSet"],
        "discountAllocations": _allocations(row, applications),
        "taxLines": [_tax(tax) for tax in row["tax_lines"]],
    }


def _allocations(row: Json, applications: list[Json]) -> list[Json]:
    return [
        {
            "allocatedAmountSet": _plain(share)["amountSet"],
            "discountApplication": applications[share["discount_application_index"]],
        }
        for share in row["discount_allocations"]
    ]


def _application(row: Json, index: int, currency: str) -> Json:
    code = row["type"] == "discount_code"
    value: Json = {"__typename": "PricingPercentageValue", "percentage": float(row["value"])}
    if row["value_type"] == "fixed_amount":
        value = {"__typename": "MoneyV2", **bag(row["value"], currency)["shopMoney"]}
    return {
        "__typename": "DiscountCodeApplication" if code else "AutomaticDiscountApplication",
        "index": index,
        "code": row.get("code"),
        "title": row.get("title"),
        "value": value,
        **{camel(name): row[name].upper() for name in ("allocation_method", "target_selection", "target_type")},
    }


def _tax(row: Json) -> Json:
    return {**_plain(row), "ratePercentage": round(row["rate"] * 100, 6)}


def _transaction(row: Json, rows: list[Json]) -> Json:
    parent = next((other for other in rows if other["id"] == row["parent_id"]), None)
    return {
        "id": row["admin_graphql_api_id"],
        "kind": row["kind"].upper(),
        "status": row["status"].upper(),
        "gateway": row["gateway"],
        "formattedGateway": row["gateway"].replace("_", " ").title(),
        "amountSet": bag(row["amount"], row["currency"]),
        "createdAt": utc(row["created_at"]),
        "processedAt": utc(row["processed_at"]),
        "paymentId": row["payment_id"],
        "manualPaymentGateway": row["manual_payment_gateway"],
        "authorizationCode": row["authorization"],
        "test": row["test"],
        "parentTransaction": _transaction(parent, rows) if parent else None,
        "receiptJson": row["receipt"],
    }


def _refund(row: Json, body: Json, lines: list[Json], shipping: list[Json]) -> Json:
    """A refund. Refunded shipping has a list of its own here; what REST calls an adjustment is only the rest."""
    by_id = {line["id"]: line for line in lines}
    currency, at = body["currency"], utc(row["created_at"])
    money = sum((Decimal(paid["amount"]) for paid in row["transactions"]), Decimal(0))
    given_back = [
        {
            "id": f"gid://shopify/RefundShippingLine/{part['id']}",
            "shippingLine": shipping[0],
            "subtotalAmountSet": bag(part["amount"].lstrip("-"), currency),
            "taxAmountSet": bag(part["tax_amount"].lstrip("-"), currency),
        }
        for part in row["order_adjustments"]
        if part["kind"] == "shipping_refund"
    ]
    adjustments = [
        {**_plain(part), "id": f"gid://shopify/OrderAdjustment/{part['id']}", "reason": "REFUND_DISCREPANCY"}
        for part in row["order_adjustments"]
        if part["kind"] != "shipping_refund"
    ]
    returned = [
        {
            **_plain(part),
            "id": f"gid://shopify/RefundLineItem/{part['id']}",
            "restockType": part["restock_type"].upper(),
            "restocked": part["restock_type"] != "no_restock",
            "priceSet": bag(part["line_item"]["price"], currency),
            "lineItem": by_id[part["line_item"]["admin_graphql_api_id"]],
        }
        for part in row["refund_line_items"]
    ]
    return {
        "id": row["admin_graphql_api_id"],
        "legacyResourceId": str(row["id"]),
        "createdAt": at,
        "processedAt": at,
        "updatedAt": at,
        "note": row["note"],
        "totalRefundedSet": bag(str(money), currency),
        "refundLineItems": connection(returned),
        "refundShippingLines": connection(given_back),
        "orderAdjustments": connection(adjustments),
        "transactions": connection([_transaction(paid, row["transactions"]) for paid in row["transactions"]]),
    }


def _customer(row: Json | None) -> Json | None:
    if row is None:
        return None
    address = _address(row["default_address"], row["id"], "default")
    name = f"{row['first_name']} {row['last_name']}"
    gid = row["admin_graphql_api_id"]
    return {
        **_plain(row),
        "id": gid,
        "legacyResourceId": str(row["id"]),
        "displayName": name,
        "defaultAddress": address,
    }


def _address(row: Json | None, owner: int, role: str) -> Json | None:
    if row is None:
        return None
    return {**_plain(row), "id": f"gid://shopify/MailingAddress/{owner}?{role}", "countryCodeV2": row["country_code"]}


def _sum(rows: list[Json], kinds: tuple[str, ...]) -> Decimal:
    return sum((Decimal(row["amount"]) for row in rows if row["kind"] in kinds), Decimal(0))
