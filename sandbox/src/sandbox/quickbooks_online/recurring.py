"""Recurring transactions: templates of other documents with a schedule; kept, never run."""

from __future__ import annotations

from typing import Any

from sandbox.quickbooks_online import operations
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.kind import Write
from sandbox.quickbooks_online.entities.registry import KINDS
from sandbox.quickbooks_online.entities.tax_lists import head
from sandbox.quickbooks_online.faults import Fault, missing, not_found, stale
from sandbox.quickbooks_online.schema import ENTITIES
from sandbox.quickbooks_online.table import Doc

ENTITY = "RecurringTransaction"
_KINDS = (
    "Bill Purchase CreditMemo Deposit Estimate Invoice JournalEntry RefundReceipt SalesReceipt Transfer VendorCredit "
    "PurchaseOrder"
)
TEMPLATES = frozenset(_KINDS.split())
_COMPUTED = ("DocNumber", "Balance", "HomeBalance")


def shown(doc: Doc) -> Doc:
    """The template as answers show it: under the name of its kind."""
    return {doc["Type"]: doc[doc["Type"]]}


def read(company: Company, identifier: str) -> Doc:
    """Raises 610 for an unknown id."""
    doc = company.get(ENTITY, identifier)
    if doc is None:
        raise not_found()
    return shown(doc)


def write(company: Company, operation: str, body: Doc) -> Doc:
    """Create, update or delete a template; the document in it obeys the rules of its kind."""
    operations.check_writable(company)
    kind = next((name for name in body if name in TEMPLATES and isinstance(body[name], dict)), None)
    if kind is None:
        raise missing("Invoice")
    sent = body[kind]
    previous = _held(company, sent) if sent.get("Id") not in (None, "", "0", 0) else None
    if operation == "delete":
        if previous is None:
            raise missing("Id")
        company.remove(ENTITY, previous["Id"])
        return {kind: {"domain": "QBO", "status": "Deleted", "Id": previous["Id"]}}
    if operation != "save":
        raise operations.unsupported(operation, ENTITY)
    return shown(_saved(company, kind, sent, previous))


def _held(company: Company, sent: Doc) -> Doc:
    doc = company.get(ENTITY, str(sent["Id"]))
    if doc is None:
        raise not_found()
    if str(sent.get("SyncToken")) != doc["SyncToken"]:
        raise stale()
    return doc


def _saved(company: Company, kind: str, sent: Doc, previous: Doc | None) -> Doc:
    schedule: Any = sent.get("RecurringInfo")
    if not isinstance(schedule, dict) or not schedule.get("Name"):
        raise missing("RecurringInfo.Name")
    values = ENTITIES[kind].clean(sent)
    identity = ("Id", "SyncToken", "sparse", "MetaData", "domain")
    doc = {name: value for name, value in values.items() if value is not None and name not in identity}
    for other in company.tables[ENTITY].docs():
        same = other["Name"].casefold() == schedule["Name"].casefold()
        if same and (previous is None or other["Id"] != previous["Id"]):
            raise Fault("6240", f"The name supplied already exists. : Id={other['Id']}", "RecurringInfo.Name")
    KINDS[kind].complete(Write(company, kind, doc))
    for name in _COMPUTED:
        doc.pop(name, None)
    base = head(company, ENTITY, previous["Id"] if previous else company.next_id(kind))
    if previous is not None:
        base["SyncToken"] = str(int(previous["SyncToken"]) + 1)
        base["MetaData"]["CreateTime"] = previous["MetaData"]["CreateTime"]
    inner = {**doc, **base, "RecurringInfo": schedule, "RecurDataRef": {"value": base["Id"]}}
    stored = {**base, "Type": kind, "Name": schedule["Name"], kind: inner}
    company.put(ENTITY, stored)
    return stored
