"""One shop, one connection of a tenant: orders are told apart per connection, so a second one would book all twice."""

from collections.abc import Mapping

from common.crypto import Cipher
from common.cures import FieldProblem
from common.database import Connection
from common.problems import Problem
from ingest.channel import Channel
from ingest.store import connections


async def refuse_second(
    connection: Connection,
    cipher: Cipher,
    channel: Channel,
    tenant_id: str,
    connection_id: str,
    given: Mapping[str, str],
) -> None:
    """Raise a 409 `Problem` where another connection of the tenant is to the shop that the credentials `given` name.

    Another tenant may connect the same shop: an agency hands it over. A connection that keeps its shop is let be.
    """
    named = channel.shop_name
    if named is None:
        return
    shop = named.compared(given[named.field])
    of_shop = [
        known
        for known in await connections.of_channel(connection, cipher, tenant_id, channel.name)
        if named.compared({**known.config, **known.secrets}.get(named.field, "")) == shop
    ]
    if not of_shop or any(known.connection_id == connection_id for known in of_shop):
        return
    first = of_shop[0]
    cure = "change that connection's credentials, or delete it first"
    wrong = FieldProblem(field=f"body.config.{named.field}", value=given[named.field], cure=cure)
    raise Problem(
        409,
        "SHOP_CONNECTED_ALREADY",
        f"the shop {shop!r} is connected already, by {first.name!r} ({first.connection_id}); a second connection would"
        " book each of its orders twice",
        cure=cure,
        errors=[wrong],
    )
