"""Notices from QuickBooks: the signature over the raw bytes, both formats, nothing twice."""

import base64
import hashlib
import hmac
import json

import pytest
from pydantic import SecretStr

from ledger_writer.ledgers.quickbooks_online.webhook import BYTES_MAX, NotANotice, parse, verify

VERIFIER = SecretStr("5f2c-verifier")
OLD = {
    "eventNotifications": [
        {
            "realmId": "310687",
            "dataChangeEvent": {
                "entities": [
                    {"id": "1234", "operation": "Create", "name": "Account", "lastUpdated": "2025-09-10T21:31:25.000Z"},
                    {"id": "7", "operation": "Merge", "name": "Customer", "deletedId": "9", "lastUpdated": "x"},
                    {"id": "8", "operation": "Update", "name": "SomethingNew"},
                ]
            },
        }
    ]
}
EVENT = {
    "specversion": "1.0",
    "id": "88cd52aa-33b6-4351-9aa4-47572edbd068",
    "source": "intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=",
    "type": "qbo.salesreceipt.updated.v1",
    "datacontenttype": "application/json",
    "time": "2025-09-10T21:31:25.179851517Z",
    "intuitentityid": "1234",
    "intuitaccountid": "310687",
    "data": {},
}


def signature(body: bytes, token: str = VERIFIER.get_secret_value()) -> str:
    return base64.b64encode(hmac.new(token.encode(), body, hashlib.sha256).digest()).decode()


def test_a_signed_notice_is_ours_and_a_forged_one_is_not() -> None:
    body = json.dumps(OLD).encode()
    assert verify({"Intuit-Signature": signature(body)}, body, VERIFIER)
    assert not verify({"intuit-signature": signature(body)}, body + b" ", VERIFIER)
    assert not verify({"intuit-signature": signature(body, "another")}, body, VERIFIER)
    assert not verify({}, body, VERIFIER)
    assert not verify({"intuit-signature": signature(body, "")}, body, SecretStr(""))


def test_the_old_format_names_realm_entity_and_operation() -> None:
    created, merged = parse(json.dumps(OLD).encode())
    assert (created.realm_id, created.entity, created.ledger_id, created.operation) == (
        "310687",
        "Account",
        "1234",
        "created",
    )
    assert created.at is not None
    assert (merged.operation, merged.merged_id, merged.at) == ("merged", "9", None)


def test_the_new_format_is_an_array_of_events_and_repeats_are_told_once() -> None:
    (change,) = parse(json.dumps([EVENT, EVENT, {"type": "qbo.unknown.created.v1"}, 7]).encode())
    assert (change.realm_id, change.entity, change.operation) == ("310687", "SalesReceipt", "updated")
    assert change.event_id == EVENT["id"]
    assert change.at is not None
    assert change.at.year == 2025


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b'{"eventNotifications": 3}', b"7"])
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(NotANotice):
        parse(body)


def test_a_notice_of_unreasonable_size_is_not_read() -> None:
    with pytest.raises(NotANotice, match="at most"):
        parse(b"[" + b" " * BYTES_MAX + b"]")
