"""What goods cost, by the ledger's own layers: the worked sale and refund of sections 5 and 11."""

from decimal import Decimal
from typing import Any

from tests.integration.quickbooks_adapter.conftest import Company
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import document, line, operation

from common.messages.transactions import DocumentKind, DocumentTax, LineKind

UF, INCOME, COGS, STOCK = "4", "79", "80", "81"
D = Decimal
HAMMER, NAILS, UNSTOCKED = "1" * 32, "2" * 32, "3" * 32


async def goods(company: Company, session: Any) -> None:
    """A customer, 10 hammers that cost 10.00 each, 10 boxes of nails that cost 8.50 each, and an item without stock."""
    await company.people_and_goods(session)
    for key, name, cost in ((HAMMER, "HAMMER", "10.00"), (NAILS, "NAILS", "8.50")):
        await session._client.create("Item", stocked(name, cost), f"stock {name}")
        await company.written(session, operation(samples.item(name).model_copy(update={"key": key})))
    loose = samples.item("Returned without restock").model_copy(update={"key": UNSTOCKED})
    await company.written(session, operation(loose))


def stocked(name: str, cost: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Inventory",
        "PurchaseCost": D(cost),
        "TrackQtyOnHand": True,
        "QtyOnHand": D(10),
        "InvStartDate": "2026-01-01",
        "IncomeAccountRef": {"value": INCOME},
        "ExpenseAccountRef": {"value": COGS},
        "AssetAccountRef": {"value": STOCK},
    }


SOLD = (
    line(amount="50.00", item=HAMMER, quantity="2", unit_price="25.00", taxable=True),
    line(amount="19.99", item=NAILS, quantity="1", unit_price="19.99", taxable=True),
    *samples.example_lines()[2:],
)


def refund(item: str) -> Any:
    back = (
        line(amount="25.00", item=item, quantity="1", taxable=True),
        line(LineKind.DISCOUNT, "-1.79", samples.DISCOUNT, account=samples.DISCOUNTS, taxable=True),
    )
    tax = DocumentTax(title="California", account=samples.TAXES, amount=D("1.45"))
    return document(DocumentKind.REFUND_RECEIPT, "24.66", lines=back, taxes=(tax,))


async def moved_by(company: Company, session: Any, wanted: Any) -> dict[str, Decimal]:
    before = company.balances()
    await company.written(session, operation(wanted))
    after = company.balances()
    return {name: after.get(name, D(0)) - before.get(name, D(0)) for name in (COGS, STOCK, UF)}


async def test_the_worked_sale_costs_28_50_and_a_restocked_refund_gives_10_00_of_it_back(company: Company) -> None:
    async with company.session() as session:
        await goods(company, session)
        sale = document(DocumentKind.SALES_RECEIPT, lines=SOLD)
        assert await moved_by(company, session, sale) == {COGS: D("28.50"), STOCK: D("-28.50"), UF: D("77.00")}
        returned = await moved_by(company, session, refund(HAMMER))
        assert returned == {COGS: D("-10.00"), STOCK: D("10.00"), UF: D("-24.66")}


async def test_goods_that_are_not_restocked_keep_what_they_cost(company: Company) -> None:
    async with company.session() as session:
        await goods(company, session)
        await company.written(session, operation(document(DocumentKind.SALES_RECEIPT, lines=SOLD)))
        assert await moved_by(company, session, refund(UNSTOCKED)) == {COGS: D(0), STOCK: D(0), UF: D("-24.66")}


async def test_a_code_without_tax_and_tax_without_goods_are_taken_as_they_are(company: Company) -> None:
    """A tax of nothing may name its code; tax that goes back alone is a line, since no line bears it."""
    alone = DocumentTax(title="Tax", account=samples.TAXES, amount=D("0.00"), tax_code="California")
    untaxed = document(DocumentKind.SALES_RECEIPT, "20.00", lines=(line(amount="20.00"),), taxes=(alone,))
    back = (line(LineKind.TAX, "4.06", tax_code="NON"),)
    only_tax = document(DocumentKind.REFUND_RECEIPT, "4.06", lines=back, taxes=())
    async with company.session() as session:
        await company.people_and_goods(session)
        written = await company.written(session, operation(untaxed))
        assert (written.link.total, written.notices) == (D("20.00"), ())
        assert company.one("SalesReceipt", written.link.ledger_id)["TxnTaxDetail"]["TxnTaxCodeRef"] == {"value": "2"}
        returned = await company.written(session, operation(only_tax))
        assert (returned.link.total, returned.notices) == (D("4.06"), ())
