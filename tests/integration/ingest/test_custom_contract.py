"""What somebody meets who connects a store of their own: hints, the published document, and named refusals."""

import hashlib
import hmac
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import jsonschema
import orjson
import pytest
from tests.integration.ingest.conftest import SECRET, Ingest
from tests.vendor_data import published

from ingest.channels.custom.wire import CustomOrder
from sandbox.shops.life import Event
from sandbox.shops.signatures import Delivery, headers_of


def document(**changes: Any) -> dict[str, Any]:
    line = {"external_id": "l1", "sku": "A", "name": "Apple", "quantity": "1", "unit_price": "10.00"}
    body = {
        "external_id": "77",
        "order_number": "1077",
        "status": "paid",
        "created_at": "2026-03-01T10:00:00Z",
        "updated_at": "2026-03-01T10:00:00Z",
        "currency": "USD",
        "prices_include_tax": False,
        "lines": [line],
        "totals": {"grand_total": "10.00"},
        "payments": [{"external_id": "p1", "method": "card", "amount": "10.00", "paid_at": "2026-03-01T10:00:00Z"}],
    }
    return body | changes


async def send(ingest: Ingest, raw: bytes, number: int = 1) -> httpx.Response:
    event = Event("custom", "store.example", "orders", "77", datetime.now(UTC), f"push-{number}", {})
    headers = headers_of(Delivery(event, f"push-{number}"), raw, SECRET)
    return await ingest.http.post("/webhooks/con", content=raw, headers=headers)


async def push(ingest: Ingest, body: dict[str, Any], number: int) -> dict[str, Any]:
    answer = await send(ingest, orjson.dumps(body), number)
    assert answer.status_code == 202, answer.text
    (row,) = answer.json()["orders"]
    found: dict[str, Any] = row
    return found


async def test_other_content_under_a_known_time_is_taken_or_named(ingest: Ingest) -> None:
    """Of two pushes of one time the same one stays in whichever order they come, and the other's sender is told."""
    await ingest.connect("con", "custom", signing_secret=SECRET)
    one, other = document(note="first words"), document(note="second words")
    answers = [await push(ingest, one, 1), await push(ingest, other, 2), await push(ingest, one, 3)]
    assert answers[0]["outcome"] == "stored"
    told = [row for row in answers[1:] if row["problem"] is not None]
    (problem,) = [row["problem"] for row in told]
    assert problem["code"] == "SAME_UPDATED_AT"
    assert (problem["field"], problem["value"]) == ("updated_at", "2026-03-01T10:00:00+00:00")
    assert [row["outcome"] for row in told] == ["unchanged"]
    later = await push(ingest, document(note="third words", updated_at="2026-03-01T10:00:01Z"), 4)
    assert (later["outcome"], later["problem"]) == ("stored", None)
    assert (await push(ingest, document(note="third words", updated_at="2026-03-01T10:00:01Z"), 5))["problem"] is None


async def test_a_correction_under_the_time_of_a_refused_order_is_taken_or_named_too(ingest: Ingest) -> None:
    """Never answered with what was wrong with the other one."""
    await ingest.connect("con", "custom", signing_secret=SECRET)
    refused = await push(ingest, document(currency="ZZX", order_number="#1005"), 1)
    assert (refused["outcome"], refused["problem"]["code"], refused["number"]) == (
        "refused",
        "UNKNOWN_CURRENCY",
        "1005",
    )
    for number in range(2, 12):
        answer = await push(ingest, document(currency="ZZX", note=f"correction {number}"), number)
        if answer["outcome"] == "unchanged" or answer["problem"]["code"] == "SAME_UPDATED_AT":
            break
    assert answer["problem"]["code"] == "SAME_UPDATED_AT"


async def test_a_refused_push_names_every_field_with_its_value_and_the_cure(ingest: Ingest) -> None:
    await ingest.connect("con", "custom", signing_secret=SECRET)
    customer = {"external_id": "k1", "email": {"private": "jane@example.org"}}
    wrong = document(currency="dollars", totals={"grand_total": 10.25}, customer=customer, order_number="9" * 3000)
    answer = await send(ingest, orjson.dumps([document(), wrong]))
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_DOCUMENT")
    errors = {error["field"]: (error.get("value"), error["cure"]) for error in answer.json()["errors"]}
    assert errors == {
        "[1].currency": ("dollars", "give a currency of ISO 4217 in capitals, such as USD"),
        "[1].totals.grand_total": ("10.25", "give text: put it in double quotes"),
        "[1].customer.email": (None, "give text"),
        "[1].order_number": ("9" * 200, "give at most 100 characters"),
    }
    await ingest.until("SELECT count(*) FROM orders", wanted=0)


@pytest.mark.parametrize(
    ("raw", "value", "said"),
    [
        (b'{"external_id": "77"', None, "line 1, column 21 (byte 20): send it whole"),
        ('{"order_number":\n "ü", }'.encode(), None, "line 2, column 5 (byte 22): leave the comma out"),
        (b'{"note": "\xfc"}', None, "line 1, column 11 (byte 10): encode the body as UTF-8"),
        (b"[]", "0 orders", "1 to 100"),
        (b'"77"', "77", "an object"),
    ],
)
async def test_a_push_that_is_no_document_is_told_what_it_should_be(
    ingest: Ingest, raw: bytes, value: str | None, said: str
) -> None:
    await ingest.connect("con", "custom", signing_secret=SECRET)
    answer = await send(ingest, raw)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error.get("value")) == (400, "body", value)
    assert said in error["cure"]


@pytest.mark.parametrize("weak", ["s3cret", "a" * 40, "0123456789abcde"])
async def test_a_signing_secret_that_can_be_guessed_is_refused_with_the_cure(ingest: Ingest, weak: str) -> None:
    refused = await ingest.connect("con", "custom", signing_secret=weak)
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["code"] == "INVALID_CREDENTIALS"
    assert "openssl rand" in problem["detail"]
    assert problem["errors"][0]["field"] == "signing_secret"
    assert weak not in refused.text


async def test_each_way_a_signature_can_be_wrong_has_a_name_and_a_cure_of_its_own(ingest: Ingest) -> None:
    """Told without anything of the secret, or of the signature that would have been right."""
    await ingest.connect("con", "custom", signing_secret=SECRET)
    raw, now = orjson.dumps(document()), int(time.time())

    def signed(at: int, secret: str = SECRET) -> str:
        return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + raw, hashlib.sha256).hexdigest()}"

    tried = {
        "SIGNATURE_MISSING": ({}, "send the signature", None),
        "SIGNATURE_MALFORMED": ({"x-signature": "sha256=abc"}, "write it as t=<Unix seconds>,v1=", None),
        "SIGNATURE_OUTDATED": ({"x-signature": signed(now - 3600)}, "sign anew", f"t={now - 3600}"),
        "SIGNATURE_INVALID": ({"x-signature": signed(now, "another secret")}, "with the secret of this", None),
    }
    for code, (headers, cure, value) in tried.items():
        answer = await ingest.http.post("/webhooks/con", content=raw, headers=headers)
        problem = answer.json()
        (error,) = problem["errors"]
        assert (answer.status_code, problem["code"], error["field"]) == (401, code, "header.x-signature")
        assert problem["title"] == code.replace("_", " ").capitalize()
        assert cure in problem["cure"] == error["cure"]
        assert error.get("value") == value
        assert not any(kept in answer.text for kept in (SECRET, signed(now)[-64:], signed(now - 3600)[-64:]))
    ahead = await ingest.http.post("/webhooks/con", content=raw, headers={"x-signature": signed(now + 7200)})
    assert (ahead.json()["code"], "ahead of our clock" in ahead.json()["detail"]) == ("SIGNATURE_OUTDATED", True)
    # Whoever does not hold the secret is not told that a signature was genuine once.
    forged = await ingest.http.post("/webhooks/con", content=raw, headers={"x-signature": signed(now - 3600, "x" * 30)})
    assert forged.json()["code"] == "SIGNATURE_INVALID"
    assert (await ingest.http.post("/webhooks/con", content=raw, headers={"x-signature": signed(now)})).is_success


async def test_every_credential_has_a_hint(ingest: Ingest) -> None:
    channels = (await ingest.http.get("/internal/channels")).json()["channels"]
    assert {channel["name"] for channel in channels} >= {"custom", "shopify", "woocommerce"}
    without = [(channel["name"], each["name"]) for channel in channels for each in channel["credentials"]
               if not each["hint"]]  # fmt: skip
    assert without == []


async def test_a_connection_says_the_whole_address_of_its_webhooks(ingest: Ingest) -> None:
    made = (await ingest.connect("con", "custom", signing_secret=SECRET)).json()
    assert made["webhook_url"] == "http://127.0.0.1:1" + made["webhook_path"] == "http://127.0.0.1:1/webhooks/con"


async def test_the_answer_names_the_fields_that_the_contract_does_not_have(ingest: Ingest) -> None:
    """A misspelt reduction is money left out; the store's own data has a place."""
    await ingest.connect("con", "custom", signing_secret=SECRET)
    odd = document(external_id="78", tax_remited="1.00", custom_fields={"gift wrap": "red"})
    odd["lines"][0] |= {"discout": "5.00"}
    odd["totals"] |= {"paid": 10.0, "x" * 3000: {"private": "jane@example.org"}}
    answer = await send(ingest, orjson.dumps([document(), odd]))
    assert (answer.status_code, [row["outcome"] for row in answer.json()["orders"]]) == (202, ["stored", "stored"])
    long = f"[1].totals.{'x' * 200}"[:200]
    assert answer.json()["ignored_fields"] == ["[1].tax_remited", "[1].lines[0].discout", long]
    many = document() | {f"own {number}": number for number in range(60)}
    assert len((await send(ingest, orjson.dumps(many), 2)).json()["ignored_fields"]) == 50
    assert (await send(ingest, orjson.dumps(document()), 3)).json()["ignored_fields"] == []
    contract = (await ingest.http.get("/internal/channels/custom/push")).json()
    assert not list(jsonschema.Draft202012Validator(contract["document"]).iter_errors(odd))


async def test_the_contracts_own_samples_are_taken_whole(ingest: Ingest) -> None:
    await ingest.connect("con", "custom", signing_secret=SECRET)
    samples = sorted(published("custom-store/fixtures").glob("*.json"))
    for number, sample in enumerate(samples):
        answer = (await send(ingest, sample.read_bytes(), number)).json()
        assert (answer["orders"][0]["outcome"], answer["orders"][0]["problem"]) == ("stored", None), sample.name
        assert answer["ignored_fields"] == [], sample.name
    assert samples


async def test_the_published_document_is_the_one_that_is_read(ingest: Ingest) -> None:
    contract = (await ingest.http.get("/internal/channels/custom/push")).json()
    assert "x-signature" in contract["headers"]
    validator = jsonschema.Draft202012Validator(contract["document"])
    assert list(validator.iter_errors(document())) == []
    wrong = document(currency="dollars", totals={"grand_total": 10.0})
    assert {error.json_path for error in validator.iter_errors(wrong)} == {"$.currency", "$.totals.grand_total"}
    assert CustomOrder.model_validate(document()).order_number == "1077"
    assert (await ingest.http.get("/internal/channels/shopify/push")).status_code == 404


async def test_the_published_example_is_taken_as_it_stands(ingest: Ingest) -> None:
    await ingest.connect("con", "custom", signing_secret=SECRET)
    contract = (await ingest.http.get("/internal/channels/custom/push")).json()
    assert (contract["method"], contract["path"]) == ("POST", "/webhooks/{connection_id}")
    example = contract["example"]
    assert list(jsonschema.Draft202012Validator(contract["document"]).iter_errors(example)) == []
    row = await push(ingest, example, 1)
    assert (row["outcome"], row["problem"]) == ("stored", None)


async def test_an_unknown_credential_or_channel_is_told_with_the_names_there_are(ingest: Ingest) -> None:
    refused = (await ingest.connect("con", "custom", signing_secret=SECRET, foo="bar")).json()
    assert "no credential 'foo'" in refused["detail"]
    assert "signing_secret" in refused["cure"]
    assert refused["errors"][0]["field"] == "foo"
    unknown = (await ingest.connect("con", "nope")).json()
    assert unknown["code"] == "UNKNOWN_CHANNEL"
    assert unknown["errors"][0]["value"] == "nope"
    assert "custom" in unknown["cure"]
