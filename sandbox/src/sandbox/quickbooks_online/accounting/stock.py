"""Cost of stock: layers per item, consumed first in first out or at the running average."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sandbox.quickbooks_online.accounting.ledger import ZERO, cents
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import touch
from sandbox.quickbooks_online.faults import Fault, business
from sandbox.quickbooks_online.table import Doc


@dataclass(frozen=True, slots=True)
class Layer:
    """Units of an item that came in together: what is left of them and what one cost."""

    source: str
    quantity: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """What one document took from (negative) or added to an item; ``value`` is the total cost, same sign."""

    item: str
    quantity: Decimal
    value: Decimal
    layers: tuple[Layer, ...]


def issue(company: Company, item: Doc, quantity: Decimal, day: str) -> Movement:
    """Take ``quantity`` out of stock for a sale; raises 6270 before the start date, 6000 below zero if forbidden."""
    _check_start(item, day)
    layers: tuple[Layer, ...] = company.layers.get(item["Id"], ())
    held = sum((layer.quantity for layer in layers), ZERO)
    if quantity > held and not company.settings.negative_stock:
        raise business(f"{item['Name']}: quantity on hand would be negative.", "Line.SalesItemLineDetail.Qty")
    cost = average(item, layers)
    left, taken, value, kept = quantity, [], ZERO, []
    for layer in layers:
        part = min(layer.quantity, left) if left > 0 else ZERO
        if part > 0:
            unit = layer.cost if company.settings.costing == "fifo" else cost
            taken.append(Layer(layer.source, part, layer.cost))
            value += part * unit
            left -= part
        if layer.quantity - part:
            kept.append(Layer(layer.source, layer.quantity - part, layer.cost))
    if left > 0:
        value += left * cost
        kept.append(Layer("short", -left, cost))
    if company.settings.costing != "fifo" and kept:
        kept = [Layer(layer.source, layer.quantity, cost) for layer in kept]
    company.set_entry(company.layers, item["Id"], tuple(kept))
    _carry(company, item["Id"])
    return Movement(item["Id"], -quantity, -cents(value), tuple(taken))


def receive(company: Company, item: Doc, quantity: Decimal, value: Decimal, source: str, day: str) -> Movement:
    """Add ``quantity`` worth ``value`` in total."""
    _check_start(item, day)
    layers: tuple[Layer, ...] = company.layers.get(item["Id"], ())
    unit = value / quantity if quantity else ZERO
    company.set_entry(company.layers, item["Id"], _merged((*layers, Layer(source, quantity, unit))))
    _carry(company, item["Id"])
    return Movement(item["Id"], quantity, cents(value), ())


def give_back(company: Company, movements: list[Movement]) -> None:
    """Undo the movements of a document that is changed, voided or deleted."""
    for movement in reversed(movements):
        layers: tuple[Layer, ...] = company.layers.get(movement.item, ())
        if movement.quantity < 0:
            unit = movement.value / movement.quantity
            layers = _merged((Layer("returned", -movement.quantity, unit), *layers))
        else:
            unit = movement.value / movement.quantity if movement.quantity else ZERO
            layers = _merged((*layers, Layer("withdrawn", -movement.quantity, unit)))
        company.set_entry(company.layers, movement.item, layers)
        _carry(company, movement.item)


def average(item: Doc, layers: tuple[Layer, ...]) -> Decimal:
    """Average unit cost of what is held; the purchase cost of the item when nothing is."""
    held = sum((layer.quantity for layer in layers), ZERO)
    if held > 0:
        return sum((layer.quantity * layer.cost for layer in layers), ZERO) / held
    cost = item.get("PurchaseCost")
    return cost if isinstance(cost, Decimal) else ZERO


def _merged(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Let negative layers use up positive ones, so that only one sign is left; value is preserved in the average."""
    short = sum((layer.quantity for layer in layers if layer.quantity < 0), ZERO)
    if not short:
        return layers
    held = sum((layer.quantity for layer in layers), ZERO)
    worth = sum((layer.quantity * layer.cost for layer in layers), ZERO)
    if not held:
        return ()
    return (Layer("merged", held, worth / held),)


def _check_start(item: Doc, day: str) -> None:
    if item.get("InvStartDate") and day < item["InvStartDate"]:
        raise Fault(
            "6270",
            f"Transaction date {day} is before the inventory start date {item['InvStartDate']} of {item['Name']}",
            "TxnDate",
        )


def _carry(company: Company, item_id: str) -> None:
    item = company.get("Item", item_id)
    if item is not None:
        held = sum((layer.quantity for layer in company.layers.get(item_id, ())), ZERO)
        touch(company, "Item", item, {"QtyOnHand": held}, token=False)
