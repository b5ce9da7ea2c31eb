"""What Intuit's servers really answered, read by the adapter."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.quickbooks_adapter.schema import vendor_data

from ledger_writer.ledgers.quickbooks_online import lookup
from ledger_writer.ledgers.quickbooks_online.lists import ENTITIES, catalog_entry
from ledger_writer.ledgers.quickbooks_online.lookup import name_link, read_found, transaction_link
from ledger_writer.ledgers.quickbooks_online.numbers import loads
from ledger_writer.ledgers.quickbooks_online.oauth import Discovery, TokenAnswer
from ledger_writer.ledgers.quickbooks_online.profile import from_preferences

pytestmark = pytest.mark.vendor


def recorded(name: str) -> list[Any]:
    """The bodies of a recording, amounts exact."""
    content = loads((vendor_data() / "recorded" / name).read_bytes())
    if "interactions" not in content:
        return [content]
    return [interaction["response"]["body"] for interaction in content["interactions"]]


def test_the_discovery_document_is_read_and_offers_no_pkce() -> None:
    body = (vendor_data() / "oauth" / "discovery.json").read_bytes()
    found = Discovery.model_validate_json(body.lstrip(b"\xef\xbb\xbf"))
    assert found.token_endpoint == "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"
    assert found.revocation_endpoint == "https://developer.api.intuit.com/v2/oauth2/tokens/revoke"
    assert not found.proof_key


def test_a_token_answer_is_read() -> None:
    body = (vendor_data() / "oauth" / "success_token_response.json").read_bytes()
    read = TokenAnswer.model_validate_json(body.lstrip(b"\xef\xbb\xbf"))
    assert (read.expires_in, read.refresh_expires_in) == (3600, 15552000)


def test_a_created_invoice_becomes_a_link() -> None:
    (body,) = recorded("create_invoice.json")
    link, read = transaction_link("Invoice", body["Invoice"])
    assert (link.ledger_id, link.token, link.number, link.total) == ("266", "0", "1043", Decimal("100.0"))
    assert {name: link.details[name] for name in ("entity", "lines")} == {"entity": "Invoice", "lines": "1"}
    assert len(link.details) == 3
    assert link.details[lookup.CONTENT]
    assert read.balance == Decimal(100)


@pytest.mark.parametrize(
    ("name", "entity", "least"),
    [
        ("all_customers.json", "Customer", 20),
        ("all_vendors_by_5.json", "Vendor", 20),
        ("all_alt_select.json", "Customer", 1),
    ],
)
def test_people_are_read(name: str, entity: str, least: int) -> None:
    rows = [row for body in recorded(name) for row in body["QueryResponse"].get(entity, [])]
    assert len(rows) >= least
    for row in rows:
        link, read = name_link(entity, row)
        assert link.ledger_id == row["Id"]
        assert read.display_name
        found, tags = read_found(entity, row)
        assert ("Id", row["Id"]) in tags
        assert found.active is row.get("Active", True)
        entry = catalog_entry("t1", "co1", f"{entity.lower()}s", entity, row)
        assert entry.name == row["DisplayName"]


def test_items_are_read() -> None:
    (body,) = recorded("ex_query_items.json")
    rows = body["QueryResponse"]["Item"]
    entries = [catalog_entry("t1", "co1", "items", "Item", row) for row in rows]
    assert {entry.object_type for entry in entries} >= {"Service", "Inventory"}
    assert all(json.loads(entry.model_dump_json()) for entry in entries)


def test_the_change_feed_is_read_with_what_was_deleted() -> None:
    entities = {entity: name for name, entity in ENTITIES.items()}
    parts = [part for body in recorded("cdc_basic.json") for part in body["CDCResponse"][0]["QueryResponse"]]
    read = 0
    for part in parts:
        for entity, rows in part.items():
            if not isinstance(rows, list):
                continue
            for row in rows:
                read += 1
                if entity in entities:
                    catalog_entry("t1", "co1", entities[entity], entity, row)
                else:
                    transaction_link(entity, row)
    assert read


def test_the_preferences_of_a_real_company_make_its_profile() -> None:
    (body,) = recorded("ex_read_preferences.json")
    profile = from_preferences(body["Preferences"], {"CompanyName": "Craig's", "Country": "US"})
    assert profile.home_currency == "USD"
    assert profile.uses_sales_tax
    assert profile.allow_discount
    assert not profile.allow_shipping
    assert not profile.custom_numbers
    assert profile.custom_field_ids == {"crew #": "1"}
    assert profile.as_text()["multi_currency"] == "false"


def test_real_invoices_are_read_and_a_voided_one_is_history() -> None:
    content = loads((vendor_data() / "samples" / "sandbox_invoices.json").read_bytes())
    rows = content.get("QueryResponse", content).get("Invoice", content) if isinstance(content, dict) else content
    found = {row["DocNumber"]: read_found("Invoice", row)[0] for row in rows}
    assert len(found) > 10
    assert [number for number, one in found.items() if not one.active] == ["1036"]
