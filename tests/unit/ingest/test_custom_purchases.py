"""What a custom store bought: pushed natively, or pulled in the older envelope and from `/purchaseorders`."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest
from tests.connectors.conftest import account, normalized

from common.messages.orders import Direction, FinancialStatus, FulfillmentStatus, Lifecycle, Order, direction_of
from ingest.channel import Glance
from ingest.channels import BY_NAME
from ingest.channels.custom.client import CustomClient
from ingest.channels.custom.webhook import order_part, parse
from ingest.errors import BodyUnreadable, NormalizationError
from ingest.parts import Part, Parts

D = Decimal
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)
SECRET = "4f9c0b7e21d86a53"
Json = dict[str, Any]
Answer = Callable[[httpx.Request], httpx.Response]


def row(**changes: Any) -> Json:
    """Purchase PO-7 as the older contract writes it: 4 × 10.00 with 5 % tax, freight 6.00."""
    return {
        "orderNumber": "PO-7",
        "orderStatus": "Ordered",
        "vendor": "Forge",
        "creationDate": "2026-03-02T10:00:00Z",
        "dueDate": "2026-04-01T00:00:00Z",
        "salesTerms": "NET 30",
        "currencyCode": "USD",
        "orderDetails": [
            {"id": 1, "sku": "HAMMER", "name": "Hammer", "quantity": 4, "priceExclTax": 10, "priceInclTax": 10.5}
        ],
        "shippingExclTax": 6,
        "shippingInclTax": 6,
        "shippingMethod": "Freight",
        "totalTax": 2,
        "total": 48,
    } | changes


def native(**changes: Any) -> Json:
    return {
        "external_id": "77",
        "direction": "purchase",
        "vendor_name": "Forge",
        "order_number": "PO-7",
        "status": "pending",
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T10:00:00Z",
        "currency": "USD",
        "prices_include_tax": False,
        "lines": [{"sku": "HAMMER", "name": "Hammer", "quantity": "4", "unit_price": "10.00"}],
        "totals": {"grand_total": "40.00"},
    } | changes


def store(routes: dict[str, Any]) -> Answer:
    """A store that answers these paths, and nothing at any other."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = routes.get(request.url.path)
        if callable(found):
            found = found(dict(request.url.params))
        return httpx.Response(404, json={}) if found is None else httpx.Response(200, json=found)

    return answer


def client(answer: Answer, contract: str = "compatible", **more: str) -> CustomClient:
    credentials = {"base_url": "https://shop.example", "pull_contract": contract, "signing_secret": SECRET} | more
    channel = BY_NAME["custom"]
    return CustomClient(channel.credentials.model_validate(credentials), httpx.MockTransport(answer))  # type: ignore[arg-type]


async def pulled(answer: Answer, contract: str = "compatible") -> list[Part]:
    shop = client(answer, contract)
    parts = [part async for page in shop.pages(START, END, by="modified") for found in page.orders for part in found]
    await shop.close()
    return parts


def read(part: Part) -> Order:
    return normalized(BY_NAME["custom"], [part], account())


async def test_a_purchase_of_the_older_envelope_becomes_an_order_that_says_so() -> None:
    (part,) = await pulled(store({"/orders": {"orders": [], "purchases": [row(), {"total": 1}]}}))
    assert (part.order_id, part.version) == ("purchase:PO-7", datetime(2026, 3, 2, 10, tzinfo=UTC))
    assert BY_NAME["custom"].glance(Parts.of(part.order_id, [part])) == Glance("PO-7", "USD", "48")
    order = read(part)
    assert (order.direction, order.vendor_name, order.external_id) == (Direction.PURCHASE, "Forge", "purchase:PO-7")
    assert direction_of(order.external_id) is Direction.PURCHASE
    assert (order.number, order.terms, order.due_on) == ("PO-7", "NET 30", date(2026, 4, 1))
    assert (order.financial_status, order.fulfillment_status) == (
        FinancialStatus.PENDING,
        FulfillmentStatus.UNFULFILLED,
    )
    assert [(line.sku, line.quantity, line.unit_price, line.amount) for line in order.lines] == [
        ("HAMMER", D(4), D(10), D("40.00"))
    ]
    assert [(line.title, line.amount) for line in order.shipping_lines] == [("Freight", D("6.00"))]
    assert (order.tax_total, order.total, order.tenders) == (D("2.00"), D("48.00"), ())


async def test_purchases_are_read_at_their_own_address_too_and_once() -> None:
    asked: list[Json] = []

    def bought(params: Json) -> Json:
        asked.append(params)
        return {"purchases": [row(), row(orderNumber="PO-8")]}

    sold = {"orders": [], "purchases": [row()]}
    parts = await pulled(store({"/orders": sold, "/purchaseorders": bought}))
    assert [part.order_id for part in parts] == ["purchase:PO-7", "purchase:PO-8"]
    assert asked == [{"date_modified_min": "2026-03-01T00:00:00Z", "date_modified_max": "2026-03-03T00:00:00Z"}]


@pytest.mark.parametrize(
    ("status", "fulfilled"),
    [("", False), ("Open", False), ("issued", False), ("received", True), ("Billed", True), ("closed", True)],
)
async def test_purchases_have_statuses_of_their_own(status: str, *, fulfilled: bool) -> None:
    (part,) = await pulled(store({"/orders": {"purchases": [row(orderStatus=status)]}}))
    order = read(part)
    assert (order.financial_status, order.lifecycle) == (FinancialStatus.PENDING, Lifecycle.OPEN)
    assert (order.fulfillment_status is FulfillmentStatus.FULFILLED) == fulfilled


async def test_a_cancelled_purchase_and_one_of_an_unknown_status() -> None:
    (cancelled,) = await pulled(store({"/orders": {"purchases": [row(orderStatus="Cancelled")]}}))
    assert read(cancelled).lifecycle is Lifecycle.CANCELLED
    (unknown,) = await pulled(store({"/orders": {"purchases": [row(orderStatus="lost")]}}))
    with pytest.raises(NormalizationError) as caught:
        read(unknown)
    assert (caught.value.reason.code, caught.value.reason.field) == ("UNKNOWN_STATUS", "orderStatus")
    assert "received" in caught.value.reason.cure


async def test_what_was_paid_for_a_purchase_stands_on_itself() -> None:
    paid = row(orderStatus="paid", amountPaid=48, creditCardName="Amex", paidDate="2026-03-02T11:00:00Z")
    (part,) = await pulled(store({"/orders": {"purchases": [paid]}}))
    (tender,) = read(part).tenders
    assert (tender.method, tender.amount, tender.captured_at) == (
        "Amex",
        D("48.00"),
        datetime(2026, 3, 2, 11, tzinfo=UTC),
    )


async def test_a_purchase_whose_parts_do_not_add_up_is_refused_as_a_sale_is() -> None:
    (part,) = await pulled(store({"/orders": {"purchases": [row(total=58)]}}))
    with pytest.raises(NormalizationError) as caught:
        read(part)
    assert caught.value.reason.code == "TOTALS_MISMATCH"


async def test_a_purchase_and_an_order_of_one_number_are_two() -> None:
    sale = row(orderStatus="paid", vendor="")
    routes = {"/orders": {"orders": [sale], "purchases": []}, "/purchaseorders": {"purchases": [row()]}}
    sold, bought = await pulled(store(routes))
    assert (sold.order_id, bought.order_id) == ("PO-7", "purchase:PO-7")
    assert (read(sold).direction, read(bought).direction) == (Direction.SALE, Direction.PURCHASE)
    shop = client(store(routes))
    assert [part.order_id for part in await shop.fetch("PO-7")] == ["PO-7"]
    assert [part.order_id for part in await shop.fetch("purchase:PO-7")] == ["purchase:PO-7"]
    assert [part.order_id for part in await shop.find("PO-7")] == ["PO-7"]
    assert [part.order_id for part in await shop.find("purchase:PO-7")] == ["purchase:PO-7"]
    await shop.close()
    only_bought = client(store(routes | {"/orders": {"orders": []}}))
    assert [part.order_id for part in await only_bought.find("PO-7")] == ["purchase:PO-7"]
    assert await only_bought.fetch("PO-7") == ()
    await only_bought.close()


def test_a_purchase_is_pushed_as_an_order_is() -> None:
    both = orjson.dumps([native(), native(direction="sale", vendor_name="")])
    bought, sold = parse({}, both).parts
    assert (bought.order_id, sold.order_id) == ("purchase:77", "77")
    order = read(bought)
    assert (order.external_id, order.direction, order.vendor_name) == ("purchase:77", Direction.PURCHASE, "Forge")
    plain = read(sold)
    assert (plain.external_id, plain.direction, plain.vendor_name) == ("77", Direction.SALE, "")
    assert b"direction" not in plain.encoded(), "a sale carries nothing of it"


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"direction": "buy"}, "direction", "purchase"),
        ({"external_id": "purchase:77"}, "external_id", "direction"),
        ({"vendor_name": 7}, "vendor_name", ""),
    ],
)
def test_a_push_that_is_wrong_about_it_is_told_where(changes: Json, field: str, says: str) -> None:
    with pytest.raises(BodyUnreadable) as caught:
        parse({}, orjson.dumps(native(**changes)))
    (problem,) = caught.value.fields
    assert problem.field == field
    assert says in problem.cure


async def test_the_native_list_holds_purchases_and_one_is_fetched_by_its_id() -> None:
    asked: list[Json] = []
    listed = [native(), native(direction="sale", external_id="78", order_number="PO-7")]

    def one(params: Json) -> Json:
        asked.append(params)
        return native() if params else native(direction="sale")

    routes = {"/orders": {"orders": listed, "next_cursor": None}, "/orders/77": one, "/orders/78": listed[1]}
    assert [part.order_id for part in await pulled(store(routes), "native")] == ["purchase:77", "78"]
    shop = client(store(routes), "native")
    assert [part.order_id for part in await shop.fetch("purchase:77")] == ["purchase:77"]
    assert [part.order_id for part in await shop.fetch("77")] == ["77"]
    assert asked == [{"direction": "purchase"}, {}]
    assert await shop.fetch("purchase:78") == (), "the store answered with its order of that id"
    assert await shop.fetch("purchase:79") == ()
    assert [part.order_id for part in await shop.find("PO-7")] == ["78"]
    assert [part.order_id for part in await shop.find("purchase:PO-7")] == ["purchase:77"]
    await shop.close()


def test_a_document_without_a_direction_is_a_sale() -> None:
    document = native()
    del document["direction"]
    assert order_part(document, b"{}").order_id == "77"
