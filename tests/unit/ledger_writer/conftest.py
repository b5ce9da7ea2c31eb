"""Builders of documents as the mapper would send them."""

import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from common.messages.documents import DocumentState
from common.messages.keys import document_key
from common.messages.transactions import (
    Account,
    AccountRole,
    Application,
    CustomerWanted,
    Document,
    DocumentKind,
    DocumentLine,
    ItemWanted,
    LineKind,
    MissingPolicy,
)
from ledger_writer.ledgers.protocol import LedgerLink
from ledger_writer.planning.content import content_hash
from ledger_writer.planning.model import Desired, Effect, Known, Terms, Written

INCOME = Account(role=AccountRole.INCOME, name="Income:Sales")
TERMS = Terms(edits_posted=True, approved=True, closed_through=date(2025, 12, 31))
CUSTOMER = CustomerWanted(key="c" * 32, display_name="Jane Roe")
ITEM = ItemWanted(key="i" * 32, name="Mug", missing=MissingPolicy.CREATE, income_account=INCOME)


def key_of(kind: DocumentKind, number: str = "1001", ordinal: int = 0) -> str:
    return document_key("ten", "com", "con", "order", number, kind, ordinal)


def document(kind: DocumentKind = DocumentKind.INVOICE, amount: str = "77.00", **more: Any) -> Document:
    """A document of one line; `applies` is a list of (key, amount)."""
    applies = more.pop("applies", ())
    ordinal = more.pop("ordinal", 0)
    has_lines = kind not in {DocumentKind.PAYMENT, DocumentKind.REFUND_PAYMENT}
    line = DocumentLine(kind=LineKind.PRODUCT, account=INCOME, amount=Decimal(amount))
    values: dict[str, Any] = {
        "key": key_of(kind, ordinal=ordinal),
        "kind": kind,
        "ordinal": ordinal,
        "source_kind": "order",
        "source_id": "1001",
        "number": "1001",
        "memo_number": "1001",
        "date": date(2026, 1, 5),
        "currency": "USD",
        "total": Decimal(amount),
        "lines": (line,) if has_lines else (),
        "applications": tuple(Application(document_key=key, amount=Decimal(value)) for key, value in applies),
    }
    return Document(**(values | more))


def desired(wanted: Any, *, kind: DocumentKind | None = None, **more: Any) -> Desired:
    """A due document as a lane hands it to planning."""
    values: dict[str, Any] = {
        "key": wanted.key,
        "kind": kind or wanted.kind,
        "wanted": wanted,
        "content_hash": content_hash(wanted),
        "state": DocumentState.QUEUED,
    }
    return Desired(**(values | more))


def written(
    wanted: Document,
    *,
    effect: Effect = Effect.PRESENT,
    applications: tuple[tuple[str, Decimal], ...] = (),
    **link: Any,
) -> Written:
    """A record of `wanted` having been written."""
    where = replace(LedgerLink("L1", total=wanted.total), **link)
    return Written(content_hash(wanted), effect, where, wanted, applications)


def known(
    key: str,
    kind: DocumentKind = DocumentKind.INVOICE,
    state: DocumentState = DocumentState.SYNCED,
    *,
    there: bool | None = None,
    **more: Any,
) -> Known:
    """Something that a due document refers to."""
    is_there = state is DocumentState.SYNCED if there is None else there
    values: dict[str, Any] = {"label": "1001", "link": LedgerLink(f"L-{key[:4]}") if is_there else None}
    return Known(key=key, kind=kind, state=state, **(values | more))


@pytest.fixture(scope="session")
def make() -> Any:
    """The builders of this module."""
    return sys.modules[__name__]
