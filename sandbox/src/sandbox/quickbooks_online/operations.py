"""Create, read, update, delete and void: the same path for single requests and batches."""

from __future__ import annotations

from typing import Any

from sandbox.quickbooks_online.accounting.ledger import ZERO
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.entities.accounts import with_balance
from sandbox.quickbooks_online.entities.kind import Kind, Write, check_open
from sandbox.quickbooks_online.entities.registry import KINDS
from sandbox.quickbooks_online.entities.sales import voided_lines
from sandbox.quickbooks_online.faults import LAPSED, Fault, missing, not_found, stale
from sandbox.quickbooks_online.schema import ENTITIES
from sandbox.quickbooks_online.table import Doc

_IDENTITY = ("Id", "SyncToken", "sparse", "MetaData", "domain", "status")


def check_writable(company: Company) -> None:
    """Raises 6190 when the subscription has lapsed: the company is read-only."""
    if company.settings.subscription != "active":
        raise Fault("6190", LAPSED)


def _kind(entity: str) -> Kind:
    kind = KINDS.get(entity)
    if kind is None:
        raise unsupported("create", entity)
    return kind


def unsupported(operation: str, entity: str) -> Fault:
    return Fault("500", f"Unsupported Operation : Operation {operation} is not supported for {entity}.")


def read(company: Company, entity: str, identifier: str) -> Doc:
    """The stored object; raises 610 for an unknown or deleted id."""
    if entity == "CompanyInfo":
        identifier = "1"
    doc = company.get(entity, identifier)
    if doc is None:
        raise not_found()
    return shown(company, entity, doc)


def shown(company: Company, entity: str, doc: Doc) -> Doc:
    """The object as an answer shows it; balances of accounts are taken from the ledger."""
    return with_balance(company, doc) if entity == "Account" else doc


def save(company: Company, entity: str, body: Doc, include: frozenset[str] = frozenset()) -> Doc:
    """Create (no Id) or update (Id and SyncToken) one object; returns it as it is stored."""
    check_writable(company)
    kind = _kind(entity)
    if entity in ("Preferences", "CompanyInfo"):
        body = {**body, "Id": "1"}
    elif entity == "ExchangeRate":
        body = _exchange_identity(company, body)
    if body.get("Id") not in (None, "", "0", 0):
        return update(company, entity, body, include)
    if not kind.creatable:
        raise unsupported("create", entity)
    values = ENTITIES[entity].clean(body)
    doc = {name: value for name, value in values.items() if value is not None and name not in _IDENTITY}
    write = Write(company, entity, doc, None, doc.copy(), include)
    kind.complete(write)
    identifier = company.next_id(entity)
    now = company.clock.stamp()
    doc["domain"] = "QBO"
    doc["sparse"] = False
    doc["Id"] = identifier
    doc["SyncToken"] = "0"
    doc["MetaData"] = {"CreateTime": now, "LastUpdatedTime": now}
    company.put(entity, doc)
    kind.settle(write)
    company.event(entity, identifier, "Create")
    return _current(company, entity, identifier)


def _exchange_identity(company: Company, body: Doc) -> Doc:
    code = body.get("SourceCurrencyCode")
    day = str(body.get("AsOfDate") or company.clock.today().isoformat())[:10]
    for doc in company.tables["ExchangeRate"].docs():
        if doc["SourceCurrencyCode"] == code and doc["AsOfDate"] == day:
            return {**body, "Id": doc["Id"], "SyncToken": body.get("SyncToken") or doc["SyncToken"]}
    return {name: value for name, value in body.items() if name not in ("Id", "SyncToken")}


def _current(company: Company, entity: str, identifier: str) -> Doc:
    doc = company.get(entity, identifier)
    if doc is None:
        raise not_found()
    return shown(company, entity, doc)


def _held(company: Company, entity: str, body: Doc) -> Doc:
    """The object that a body with Id and SyncToken addresses; raises 2020, 610, 5010."""
    identifier = body.get("Id")
    if identifier in (None, ""):
        raise missing("Id")
    if isinstance(identifier, (dict, list, bool)):
        raise Fault("2030", "Id must be a string", "Id")
    doc = company.get(entity, str(identifier))
    if doc is None:
        raise not_found()
    token = body.get("SyncToken")
    if token in (None, ""):
        raise missing("SyncToken")
    if str(token) != doc["SyncToken"]:
        raise stale()
    return doc


def update(company: Company, entity: str, body: Doc, include: frozenset[str] = frozenset()) -> Doc:
    """Full update, or with ``sparse`` true only the fields sent. ``include`` with "void" voids."""
    check_writable(company)
    kind = _kind(entity)
    if "void" in include:
        return void(company, entity, body)
    previous = _held(company, entity, body)
    if not kind.updatable:
        raise unsupported("update", entity)
    spec = ENTITIES[entity]
    values = spec.clean(body)
    sent = {name: value for name, value in values.items() if name not in _IDENTITY}
    if body.get("sparse") in (True, "true"):
        doc = {**previous, **sent}
    else:
        kept = set(kind.kept)
        doc = {
            name: value
            for name, value in previous.items()
            if name in kept or name in _IDENTITY or not spec.fields[name].writable
        }
        doc.update(sent)
    doc = {name: value for name, value in doc.items() if value is not None}
    doc["Id"] = previous["Id"]
    write = Write(company, entity, _copied(doc), previous, sent, include)
    kind.complete(write)
    _store_update(company, entity, write.doc, previous)
    kind.settle(write)
    company.event(entity, previous["Id"], "Update")
    return _current(company, entity, previous["Id"])


def _copied(value: Any) -> Any:
    """A deep copy of JSON-like values, so that completing the new version cannot touch the stored one."""
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_copied(part) for part in value]
    return value


def _store_update(company: Company, entity: str, doc: Doc, previous: Doc) -> None:
    doc["domain"], doc["sparse"] = "QBO", False
    doc["SyncToken"] = str(int(previous["SyncToken"]) + 1)
    doc["MetaData"] = {**previous["MetaData"], "LastUpdatedTime": company.clock.stamp()}
    company.put(entity, doc)


def delete(company: Company, entity: str, body: Doc) -> Doc:
    """Delete a transaction for good; answers ``{"domain","status":"Deleted","Id"}``. Lists raise 500."""
    check_writable(company)
    kind = _kind(entity)
    if not kind.deletable:
        raise unsupported("delete", entity)
    doc = _held(company, entity, body)
    if "TxnDate" in doc and entity != "TimeActivity":
        check_open(company, doc["TxnDate"])
    kind.release(company, doc)
    company.remove(entity, doc["Id"])
    gone = {
        "domain": "QBO",
        "status": "Deleted",
        "Id": doc["Id"],
        "MetaData": {"LastUpdatedTime": company.clock.stamp()},
    }
    company.note_deletion(entity, gone)
    company.event(entity, doc["Id"], "Delete")
    return {"domain": "QBO", "status": "Deleted", "Id": doc["Id"]}


def void(company: Company, entity: str, body: Doc) -> Doc:
    """Keep the document and its number, take it out of the books: amounts zero, note "Voided"."""
    check_writable(company)
    kind = _kind(entity)
    if not kind.voidable:
        raise unsupported("void", entity)
    doc = _held(company, entity, body)
    check_open(company, doc["TxnDate"])
    kind.release(company, doc)
    current = _copied(company.get(entity, doc["Id"]))
    note = current.get("PrivateNote")
    current["PrivateNote"] = f"Voided - {note}" if note else "Voided"
    current["LinkedTxn"] = []
    for name in ("TotalAmt", "Balance", "RemainingCredit", "UnappliedAmt", "HomeTotalAmt", "HomeBalance", "Deposit"):
        if name in current:
            current[name] = ZERO
    if entity in ("Payment", "BillPayment"):
        current["Line"] = []
    else:
        current["Line"] = voided_lines(current)
        for line in current["Line"]:
            line.pop("LinkedTxn", None)
        current["TxnTaxDetail"] = {"TotalTax": ZERO}
    _store_update(company, entity, current, doc)
    company.event(entity, doc["Id"], "Void")
    return _current(company, entity, doc["Id"])
