"""The frame that every entity's rules fill in, and the checks they share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.faults import Fault, missing
from sandbox.quickbooks_online.table import Doc


@dataclass(slots=True)
class Write:
    """One create, update or void on its way: ``doc`` becomes the stored object, ``previous`` is what stood there."""

    company: Company
    entity: str
    doc: Doc
    previous: Doc | None = None
    sent: Doc = field(default_factory=dict)
    include: frozenset[str] = frozenset()
    voiding: bool = False

    @property
    def identifier(self) -> str:
        return str(self.doc["Id"])


class Kind:
    """Rules of one entity; the defaults suit a plain list object."""

    deletable = False
    voidable = False
    creatable = True
    updatable = True
    kept: tuple[str, ...] = ("Active", "CurrencyRef")
    """Fields that a full update leaves alone when they are not sent: the server has its own default for them."""

    def complete(self, write: Write) -> None:
        """Check ``write.doc`` and fill in what the server sets. Raises ``Fault``."""

    def settle(self, write: Write) -> None:
        """After the object is stored: post it, link it, carry balances."""

    def release(self, company: Company, doc: Doc) -> None:
        """Before the object is deleted or voided: take back what ``settle`` did. Raises ``Fault`` if not allowed."""


def require(doc: Doc, *names: str) -> None:
    """Raises 2020 for the first of ``names`` that is missing from the document."""
    for name in names:
        if doc.get(name) is None:
            raise missing(name)


def txn_day(write: Write) -> date:
    """The document's date, today when it was left out; raises 6200 or 6210 inside a closed period."""
    doc = write.doc
    if doc.get("TxnDate") is None:
        doc["TxnDate"] = write.company.clock.today().isoformat()
    check_open(write.company, doc["TxnDate"])
    if write.previous is not None and write.previous.get("TxnDate") != doc["TxnDate"]:
        check_open(write.company, write.previous["TxnDate"])
    return date.fromisoformat(doc["TxnDate"])


def check_open(company: Company, day: str) -> None:
    closed = company.close_date()
    if closed is not None and day <= closed.isoformat():
        raise Fault(
            "6210" if company.settings.close_password else "6200",
            "Account Period Closed, Cannot Update Through Services API : The account period has closed and the account "
            f"books cannot be updated through the QBO Services API. Books are closed through {closed.isoformat()}.",
            "TxnDate",
        )


def resolve_all(company: Company, doc: Doc, references: dict[str, str]) -> None:
    """Check each reference field of ``doc`` against the entity it points to; raises 2500."""
    for name, entity in references.items():
        reference = doc.get(name)
        if reference is not None:
            company.resolve(entity, reference, name)


def number_document(write: Write, counter: str | None) -> None:
    """Give the document a number, or check that the one it brings is free among its own kind.

    ``counter`` names the sequence that counts up (None: such documents keep an empty number). Raises 6140.
    """
    company, doc, previous = write.company, write.doc, write.previous
    number = doc.get("DocNumber")
    custom = company.preferences.get("SalesFormsPrefs", {}).get("CustomTxnNumbers") is True
    if number is None:
        if counter is not None and not custom and (previous is None or previous.get("DocNumber") is None):
            value = company.doc_numbers.get(counter, 1000) + 1
            company.set_entry(company.doc_numbers, counter, value)
            doc["DocNumber"] = str(value)
        return
    if previous is not None and previous.get("DocNumber") == number:
        return
    if company.settings.warn_duplicate_numbers and "allowduplicatedocnum" not in write.include:
        for other in company.tables[write.entity].find("DocNumber", number):
            if previous is None or other != previous["Id"]:
                raise Fault(
                    "6140",
                    "Duplicate Document Number Error : You must specify a different number. This number has already "
                    f"been used. DocNumber={number} is assigned to TxnType={write.entity} with TxnId={other}",
                    "DocNumber",
                )
    counts = counter is not None and number.isdigit() and len(number) <= 12
    if counts and int(number) > company.doc_numbers.get(str(counter), 1000):
        company.set_entry(company.doc_numbers, str(counter), int(number))


def touch(company: Company, entity: str, doc: Doc, changes: dict[str, Any], *, token: bool) -> Doc:
    """Store a change that another document caused: the time moves, the SyncToken only when ``token`` is set."""
    changed = {**doc, **changes}
    changed["MetaData"] = {**doc["MetaData"], "LastUpdatedTime": company.clock.stamp()}
    if token:
        changed["SyncToken"] = str(int(doc["SyncToken"]) + 1)
    company.put(entity, changed)
    return changed
