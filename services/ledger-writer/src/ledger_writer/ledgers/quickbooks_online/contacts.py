"""Phone, email and addresses of customers that follow the orders (domain reference, section 16.8).

What they are in QuickBooks is asked for by a hundred customers at once, and only what differs is sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from common.messages.transactions import DocumentKind
from ledger_writer.ledgers.protocol import Operation, OperationKind
from ledger_writer.ledgers.quickbooks_online import lookup
from ledger_writer.ledgers.quickbooks_online.bodies.base import Content
from ledger_writer.ledgers.quickbooks_online.client import Client
from ledger_writer.ledgers.quickbooks_online.names import fold
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings

_EMAIL: Final = "PrimaryEmailAddr"
_SAID: Final = frozenset(
    {
        "FreeFormNumber",
        *(f"Line{number}" for number in range(1, 6)),
        "City",
        "CountrySubDivisionCode",
        "PostalCode",
        "Country",
    }
)
"""What we say of a phone or an address; QuickBooks adds ids and coordinates of its own."""


async def stored_customers(
    client: Client, settings: OnlineSettings, operations: Sequence[Operation]
) -> dict[str, Mapping[str, Any]]:
    """Id → customer as it stands, of those whose contact is to be changed. Raises what `Client` raises."""
    ids = sorted(
        {
            one.link.ledger_id
            for one in operations
            if one.kind is DocumentKind.CUSTOMER and one.operation is OperationKind.UPDATE and one.link is not None
        }
    )
    found: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(ids), settings.values_per_query):
        part = lookup.listed(ids[start : start + settings.values_per_query])
        rows = await lookup.rows_of(client, "Customer", f"Id IN {part}", settings.page_size)
        found |= {str(row.get("Id")): row for row in rows}
    return found


def differing(wanted: Content, stored: Mapping[str, Any]) -> Content:
    """The parts of a contact that the ledger's customer does not have so."""
    return {name: part for name, part in wanted.items() if not _has(stored.get(name) or {}, name, part)}


def _has(stored: Mapping[str, Any], name: str, part: Mapping[str, str]) -> bool:
    if name == _EMAIL:
        # Several addresses in one field are separated by commas, and any of them is the customer's.
        return fold(part["Address"]) in {fold(one) for one in str(stored.get("Address") or "").split(",")}
    return {field: text for field, text in stored.items() if field in _SAID and text} == part
