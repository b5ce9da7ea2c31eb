"""Exchanges recorded against Intuit's sandbox, replayed: same status, same fault, same keys.

What differs on purpose is listed in ``CHANGED``, each with the reason.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

pytestmark = pytest.mark.vendor

CHANGED: dict[str, str] = {
    "Lat": "no longer returned since 15 September 2025",
    "Long": "no longer returned since 15 September 2025",
    "DefaultTaxCodeRef": "in 2020 a read showed it and a query did not; both do now",
    "FirstMonthOfFiscalYear": "preference added after the recording of 2017",
    "UseAccountNumbers": "preference added after the recording of 2017",
    "PartnerTaxEnabled": "came with automated sales tax in November 2017",
    "DefaultShippingAccount": "only where shipping is switched on, as it is in the seed",
}

RECORDED = (
    "all_customers",
    "all_vendors_by_5",
    "all_alt_select",
    "cdc_basic",
    "create_invoice",
    "delete_invoice",
    "update_customer",
    "get_id",
    "error_400",
    "error_400_json",
    "error_401",
    "error_validation",
)


def keys(value: Any, prefix: str = "") -> set[str]:
    """Every key path of a body, lists taken as their elements."""
    if isinstance(value, list):
        return {path for part in value for path in keys(part, prefix)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, part in value.items():
        found.add(f"{prefix}{name}")
        found |= keys(part, f"{prefix}{name}.")
    return found


def leftover(recorded: set[str], answered: set[str]) -> set[str]:
    """Paths in one set only that no listed change explains."""
    return {path for path in recorded ^ answered if not set(path.split(".")) & set(CHANGED)}


def load(folder: Path, name: str) -> list[dict[str, Any]]:
    return list(json.loads((folder / "recorded" / f"{name}.json").read_text(encoding="utf-8"))["interactions"])


def replay(company: Any, request: dict[str, Any]) -> Any:
    """Send a recorded request to a company of the stand-in."""
    parts = urlsplit(request["url"])
    path = parts.path.split("/v3/", 1)[1].removeprefix("company/-COMPANY_ID-/")
    url = f"{company.base}/v3/company/{company.realm}/{path}"
    headers = company.headers
    return company.http.request(
        request["method"], url, params=dict(parse_qsl(parts.query)), json=request["body"], headers=headers
    )


def prepare(company: Any, name: str) -> None:
    """Bring the seeded company into the state that a recording starts from."""
    if name == "delete_invoice":
        company.make("Invoice", company.form(company.line(100)))
    if name == "error_401":
        company.access = "expired"


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_exchange_is_answered_alike(vendor_data: Path, company: Any, name: str) -> None:
    prepare(company, name)
    for exchange in load(vendor_data, name):
        answer = replay(company, exchange["request"])
        recorded = exchange["response"]
        assert answer.status_code == recorded["status"], answer.text
        body = answer.json()
        assert leftover(keys(recorded["body"]), keys(body)) == set()
        for fault in ("Fault", "fault"):
            if fault in recorded["body"]:
                listed = recorded["body"][fault].get("Error") or recorded["body"][fault]["error"]
                answered = body[fault].get("Error") or body[fault]["error"]
                assert [part["code"] for part in answered] == [part["code"] for part in listed]
                assert body[fault]["type"] == recorded["body"][fault]["type"]


@pytest.mark.parametrize(("file", "path"), [("ex_read_item", "item/11"), ("ex_read_preferences", "preferences")])
def test_a_recorded_object_has_the_same_shape(vendor_data: Path, company: Any, file: str, path: str) -> None:
    recorded = json.loads((vendor_data / "recorded" / f"{file}.json").read_text(encoding="utf-8"))
    answer = company.get(path)
    assert answer.status_code == 200
    assert leftover(keys(recorded), keys(answer.json())) == set()


def test_a_recorded_update_of_an_item_has_the_same_shape_and_values(vendor_data: Path, company: Any) -> None:
    recorded = json.loads((vendor_data / "recorded" / "ex_update_item.json").read_text(encoding="utf-8"))
    wanted, held = recorded["Item"], company.read("Item", "5")
    changes = {"Description": wanted["Description"], "SyncToken": held["SyncToken"], "Id": "5", "sparse": True}
    answer = company.post("item", changes)
    assert answer.status_code == 200
    assert leftover(keys(recorded), keys(answer.json())) == set()
    made = answer.json()["Item"]
    assert made["SyncToken"] == str(int(held["SyncToken"]) + 1)
    same = ("Name", "Description", "Type", "UnitPrice", "PurchaseCost", "IncomeAccountRef", "sparse", "domain")
    assert {name: made[name] for name in same} == {name: wanted[name] for name in same}


def test_a_recorded_page_of_items_has_the_same_ids_in_the_same_order(vendor_data: Path, company: Any) -> None:
    recorded = json.loads((vendor_data / "recorded" / "ex_query_items.json").read_text(encoding="utf-8"))
    expected = [item["Id"] for item in recorded["QueryResponse"]["Item"] if item["Name"] != "Garden Supplies"]
    answered = company.query("SELECT * FROM Item")
    assert [item["Id"] for item in answered["Item"]] == expected
    assert leftover(keys(recorded["QueryResponse"]), keys(answered)) == set()


@pytest.mark.parametrize("file", ["ex_read_item_error", "ex_update_preferences_error"])
def test_a_recorded_fault_is_repeated_word_for_word(vendor_data: Path, company: Any, file: str) -> None:
    recorded = json.loads((vendor_data / "recorded" / f"{file}.json").read_text(encoding="utf-8"))
    if file == "ex_read_item_error":
        answer = company.get("item/4711")
    else:
        answer = company.post("preferences", {"SyncToken": "99", "sparse": True})
    assert answer.status_code == 400
    assert answer.json()["Fault"] == recorded["Fault"]


def test_the_401_challenge_is_the_recorded_one(vendor_data: Path, company: Any) -> None:
    recorded = load(vendor_data, "error_401")[0]["response"]["headers"]
    company.access = "expired"
    assert company.get("customer/1").headers["www-authenticate"] == recorded["Www-Authenticate"]
