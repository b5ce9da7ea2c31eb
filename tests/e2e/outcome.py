"""What a sample shop's life came to in a ledger, in a form in which two runs can be compared."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from tests.e2e import expected
from tests.e2e.world import SETTLE_TIMEOUT_S, Connection, World

from sandbox.shops.expectation import Expectation


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run of the sample shop came to, as a bookkeeper sees it.

    Only documents that stand are counted: an order that was cancelled before its invoice was written has none, one
    whose invoice was there first has a voided one, and which it is depends on who was faster.
    """

    documents: Counter[tuple[str, ...]]
    accounts: dict[str, Decimal]
    not_in_ledger: dict[str, str]

    def kinds(self) -> dict[str, Counter[str]]:
        """Order → how many documents of each kind stand, payments left out."""
        found: dict[str, Counter[str]] = {}
        for (order, kind, *_), copies in self.documents.items():
            if kind != "payment":
                found.setdefault(order, Counter())[kind] += copies
        return found


async def ended(
    world: World, connection: Connection, story: Expectation, *, within_s: float = SETTLE_TIMEOUT_S
) -> Ended:
    """Poll what webhooks could not tell, wait, and read everything."""
    company = connection.company
    await world.poll(connection, within_s=within_s)
    await world.settled(company, orders=len(story.orders), within_s=within_s)
    documents: Counter[tuple[str, ...]] = Counter(
        (row["source_id"], row["kind"], row["amount"], row["date"])
        for row in await world.documents(company)
        if row["state"] == "synced"
    )
    orders = await world.orders(connection)
    assert set(orders) == set(story.orders)
    cancelled = {key for key, row in story.orders.items() if row.cancelled and not row.paid}
    others = {
        key: row["column"] for key, row in orders.items() if key not in cancelled and row["column"] != "in_ledger"
    }
    return Ended(documents, expected.by_role(await world.balances(company)), others)
