"""When the ledger says that a name, number or request is there already: whose is it?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from common.errors import Retryable
from common.messages.transactions import CustomerWanted, ItemWanted
from ledger_writer.ledgers.protocol import ErrorClass, Found, LedgerLink, Operation, Outcome, Refused, Written
from ledger_writer.ledgers.quickbooks_online import lookup
from ledger_writer.ledgers.quickbooks_online.bodies import Body, Books, build, changed
from ledger_writer.ledgers.quickbooks_online.client import Client, LedgerFault, NoAnswer
from ledger_writer.ledgers.quickbooks_online.errors import refusal
from ledger_writer.ledgers.quickbooks_online.names import fold
from ledger_writer.ledgers.quickbooks_online.outcomes import written_as
from ledger_writer.ledgers.quickbooks_online.requests import request_id
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings

_NAME_TAKEN: Final = "NAME_TAKEN"
_REPEATED: Final = "REQUEST_REPEATED"
_SUFFIXES: Final = (" (C)", " (C)-1", " (C)-2")


async def settle(
    client: Client, settings: OnlineSettings, books: Books, operation: Operation, body: Body, refused: Refused
) -> Outcome:
    """The outcome of a create that was refused as a duplicate. Raises what the client raises.

    A document is ours by its mark alone; a number without our mark stays a collision, which the lane judges.
    """
    wanted = operation.wanted
    if isinstance(wanted, CustomerWanted):
        return await _name_taken(client, settings, books, operation, body, refused)
    candidates = await _candidates(client, settings, operation)
    if isinstance(wanted, ItemWanted):
        return _item_taken(wanted, candidates, refused)
    ours = [found for found in candidates if lookup.is_ours(operation, found)]
    standing = [found for found in ours if found.active]
    if len(standing) == 1:
        return Written(link=standing[0].link, action="linked")
    if not standing and len(ours) == 1 and refused.reason.code != _REPEATED:
        return await _restored(client, operation, body, ours[0].link)
    return refused if standing else _not_there(refused)


async def _restored(client: Client, operation: Operation, body: Body, link: LedgerLink) -> Written:
    """A voided document of ours keeps its number for good: what is wanted under that number is written into it."""
    sent = request_id(operation.idempotency_key, f"t{link.token}")
    stored = await client.update(body.entity, changed(body, link, link.token), sent)
    return written_as(operation, body, stored, "restored")


async def _candidates(client: Client, settings: OnlineSettings, operation: Operation) -> Sequence[Found]:
    try:
        found = await lookup.find(client, [operation], settings)
    except NoAnswer as error:
        # The write was refused for good; only this look-up is open, and it may simply be repeated.
        raise Retryable(error.detail) from error
    return found.get(operation.document_key, ())


def _not_there(refused: Refused) -> Refused:
    """The id of the request was used, not the number or name: under a new id it is written."""
    return replace(refused, error_class=ErrorClass.CONFLICT) if refused.reason.code == _REPEATED else refused


async def _name_taken(
    client: Client, settings: OnlineSettings, books: Books, operation: Operation, body: Body, refused: Refused
) -> Outcome:
    """Domain reference, 16.5: same kind and active → link; inactive → a person decides; other kind → suffix."""
    name = str(body.content["DisplayName"])
    holders = await _holders(client, settings, body.entity, (name,))
    # A customer that got a suffix before is the one for this name now.
    holders = holders or await _holders(client, settings, body.entity, [f"{name}{suffix}" for suffix in _SUFFIXES])
    if holders:
        return _link_or_wait(body.entity, name, holders)
    if refused.reason.code != _NAME_TAKEN:
        return _not_there(refused)
    for number, suffix in enumerate(_SUFFIXES, start=1):
        again = build(operation, books, suffix=suffix)
        step = request_id(operation.idempotency_key, f"n{number}")
        try:
            stored = await client.create(again.entity, again.content, step)
        except LedgerFault as error:
            if "6240" not in error.fault.codes:
                raise
            continue
        return written_as(operation, again, stored, "created")
    return refused


async def _holders(client: Client, settings: OnlineSettings, entity: str, names: Sequence[str]) -> list[Found]:
    """Who of one kind carries one of the names, active or not, in the order of the names."""
    where = f"DisplayName IN {lookup.listed(names)} AND Active IN (true, false)"
    try:
        rows = await lookup.rows_of(client, entity, where, settings.page_size)
    except NoAnswer as error:
        raise Retryable(error.detail) from error
    order = {fold(name): place for place, name in enumerate(names)}
    found = [lookup.read_found(entity, row)[0] for row in rows]
    wanted = [holder for holder in found if fold(holder.link.name) in order]
    return sorted(wanted, key=lambda holder: order[fold(holder.link.name)])


def _link_or_wait(entity: str, name: str, holders: Sequence[Found]) -> Outcome:
    active = [holder for holder in holders if holder.active]
    if active:
        return Written(link=active[0].link, action="linked")
    what = entity.lower()
    return refusal(
        ErrorClass.CONFIG,
        f"{what.upper()}_INACTIVE",
        f"the {what} {name!r} is inactive in QuickBooks",
        f"Reactivate the {what}, or connect it to another.",
        field="display_name",
    )


def _item_taken(wanted: ItemWanted, candidates: Sequence[Found], refused: Refused) -> Outcome:
    """Matching by name: the item of that name is the one. Matching by SKU: another SKU's name is taken (17.3)."""
    active = [found for found in candidates if found.active]
    if candidates and not active:
        return refusal(
            ErrorClass.CONFIG,
            "PRODUCT_INACTIVE",
            f"the item {wanted.name!r} is inactive in QuickBooks",
            "Reactivate the item, or map the product to another.",
            field="name",
        )
    if len(active) == 1:
        return Written(link=active[0].link, action="linked")
    if refused.reason.code != _NAME_TAKEN:
        return _not_there(refused)
    return refusal(
        ErrorClass.CONFIG,
        "PRODUCT_NAME_TAKEN",
        f"QuickBooks has an item named {wanted.name!r} that is not the one with SKU {wanted.sku!r}",
        "Map the product to that item, or rename it in QuickBooks.",
        field="name",
    )
