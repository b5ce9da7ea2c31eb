"""A bug that comes true: a row the mapper can't read, as a faulty release or a slip by hand would leave it."""

from dataclasses import dataclass

import asyncpg
from tests.e2e.world import Connection, SampleShop, World, eventually, first_day

ORDERS = 3
SOUND = '"mode":"sales_receipts"'
POISON = '"mode":"no_such_mode"'


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A connection in trouble. `body` is what its settings said before."""

    world: World
    connection: Connection
    shop: SampleShop
    body: str

    @classmethod
    async def sown(cls, world: World) -> "Poisoned":
        """Set everything up, spoil the mapper's row, and send paid orders."""
        company = await world.company("beancount", first_day(40))
        shop = await world.open_shop("woocommerce", orders=ORDERS, scenarios=["plain_paid"])
        connection = await world.connect_shop(company, shop, mode="sales_receipts")
        body = await settings_body(world, connection)
        await write_settings(world, connection, body.replace(SOUND, POISON))
        # One state of each order: two would make one dead letter or two, by whether they met in a batch.
        last = {event.order_id: event for event in shop.life.events(ORDERS)}
        report = await world.send(connection, last.values())
        assert report.accepted == report.sent
        return cls(world, connection, shop, body)

    async def repaired(self) -> None:
        """Put the row right, as the release that mends the bug would."""
        await write_settings(self.world, self.connection, self.body)


async def settings_body(world: World, connection: Connection) -> str:
    """The mapper's copy of a connection's settings, once it is there."""
    query = "SELECT body FROM mapper.settings WHERE scope = 'connection' AND scope_id = $1"
    body: str | None = None

    async def is_there() -> bool:
        nonlocal body
        body = await database.fetchval(query, connection.connection_id)
        return body is not None

    database = await asyncpg.connect(world.stack.place.admin_database_url)
    try:
        await eventually(is_there, "the mapper has the settings", within_s=20)
    finally:
        await database.close()
    assert body is not None
    assert SOUND in body
    return body


async def write_settings(world: World, connection: Connection, body: str) -> None:
    """Overwrite the row, under a higher revision, for the mapper keeps in memory what it has read."""
    statement = "UPDATE mapper.settings SET body = $2, revision = revision + 1 WHERE scope_id = $1"
    database = await asyncpg.connect(world.stack.place.admin_database_url)
    try:
        changed = await database.execute(statement, connection.connection_id, body)
    finally:
        await database.close()
    assert changed == "UPDATE 1"
