"""Limits, request ids, batches, webhooks and faults on demand: what a client has to survive."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree


@pytest.fixture(autouse=True)
def calm(stand_in: Any) -> Iterator[None]:
    """Every test starts and ends without limits and rules."""
    yield
    stand_in.control("PUT", "limits", {})
    stand_in.control("DELETE", "faults")


def numbered(company: Any, number: str) -> int:
    return int(company.query(f"select count(*) from SalesReceipt where DocNumber = '{number}'")["totalCount"])


def receipt(company: Any, number: str) -> dict[str, Any]:
    return dict(company.form(company.line(10), DocNumber=number))


def test_requests_beyond_the_limit_of_a_company_are_refused(stand_in: Any, company: Any) -> None:
    other = stand_in.company()
    stand_in.control("PUT", "limits", {"per_minute": 5})
    answers = [company.get("customer/1") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    error = answers[-1].json()["fault"]["error"][0]
    assert error["code"] == "3001"
    assert error["message"] == "message=ThrottleExceeded; errorCode=003001; statusCode=429"
    assert other.get("customer/1").status_code == 200
    assert stand_in.control("GET", "counters")[f"refused:{company.realm}"] == 2


def test_the_window_slides(stand_in: Any, company: Any) -> None:
    stand_in.control("PUT", "limits", {"per_second": 2})
    assert [company.get("customer/1").status_code for _ in range(3)] == [200, 200, 429]
    time.sleep(1.05)
    assert company.get("customer/1").status_code == 200


def test_a_refusal_may_come_as_xml(stand_in: Any, company: Any) -> None:
    stand_in.control("PUT", "limits", {"per_minute": 1, "as_xml": True})
    company.get("customer/1")
    refused = company.get("customer/1")
    assert refused.status_code == 429
    found = etree.fromstring(refused.content).find(".//{http://schema.intuit.com/finance/v3}Error")
    assert found is not None
    assert found.get("code") == "3001"


def test_published_limits_are_scaled(stand_in: Any) -> None:
    limits = stand_in.control("PUT", "limits", {"published": True, "scale": 20})
    assert (limits["per_minute"], limits["batches_per_minute"], limits["scale"]) == (500, 40, 20.0)


def test_batches_have_a_limit_of_their_own(stand_in: Any, company: Any) -> None:
    stand_in.control("PUT", "limits", {"batches_per_minute": 1})
    body = {"BatchItemRequest": [{"bId": "1", "Query": "select count(*) from Item"}]}
    assert [company.post("batch", body).status_code for _ in range(2)] == [200, 429]
    assert company.get("item/1").status_code == 200


def test_a_repeated_request_id_gives_the_first_answer_again(company: Any) -> None:
    first = company.post("salesreceipt", receipt(company, "R1"), requestid="same")
    second = company.post("salesreceipt", receipt(company, "R1"), requestid="same")
    assert first.content == second.content
    assert numbered(company, "R1") == 1
    assert company.fault("salesreceipt", receipt(company, "R2"), requestid="same") == "600"
    assert company.fault("salesreceipt", receipt(company, "R2"), requestid="x" * 51) == "2130"


def test_a_refused_request_does_not_use_up_its_id(company: Any) -> None:
    assert company.fault("customer", {"DisplayName": "Cool Cars"}, requestid="r9") == "6240"
    assert company.post("customer", {"DisplayName": "Warm Cars"}, requestid="r9").status_code == 200


@pytest.mark.parametrize(
    ("action", "written"), [("timeout_before", 0), ("timeout_after", 1), ("drop_before", 0), ("drop_after", 1)]
)
def test_a_lost_answer_leaves_the_document_written_or_not(
    stand_in: Any, company: Any, action: str, written: int
) -> None:
    rule = {"action": action, "entity": "SalesReceipt", "operation": "save", "realm": company.realm, "hold_s": 0.3}
    stand_in.control("POST", "faults", rule)
    with pytest.raises(httpx.TransportError):
        company.post("salesreceipt", receipt(company, "L1"), requestid="l1")
    assert numbered(company, "L1") == written
    assert company.post("salesreceipt", receipt(company, "L1"), requestid="l1").status_code == 200
    assert numbered(company, "L1") == 1


@pytest.mark.parametrize(
    ("code", "status"), [("5010", 400), ("6240", 400), ("6200", 400), ("610", 400), ("10000", 500), ("120", 403)]
)
def test_any_fault_can_be_had_at_the_nth_call(stand_in: Any, company: Any, code: str, status: int) -> None:
    stand_in.control(
        "POST", "faults", {"code": code, "entity": "Customer", "operation": "read", "after": 1, "times": 2}
    )
    answers = [company.get("customer/1") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert answers[1].json()["Fault"]["Error"][0]["code"] == code


def test_a_bare_status_with_html_can_be_had(stand_in: Any, company: Any) -> None:
    stand_in.control("POST", "faults", {"action": "status", "status": 503})
    answer = company.get("customer/1")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html")


def test_a_token_can_be_spoilt(stand_in: Any, company: Any) -> None:
    stand_in.control("POST", "faults", {"action": "expire_token"})
    assert [company.get("customer/1").status_code for _ in range(2)] == [401, 401]


def test_a_rule_that_makes_no_sense_is_refused(stand_in: Any) -> None:
    answer = stand_in.http.post(f"{stand_in.base}/_sandbox/faults", json={"action": "explode"})
    assert answer.status_code == 422
    assert "explode" in answer.json()["detail"]


def test_creates_and_updates_fail_apart_or_together(stand_in: Any, company: Any) -> None:
    def save(**more: Any) -> int:
        status: int = company.post("customer", {"DisplayName": "Named by a rule", **more}).status_code
        return status

    again = {"Id": "1", "SyncToken": "0", "sparse": True}
    for operation, answers in {"update": [400], "create": [400], "save": [400, 400]}.items():
        rule = {"code": "6000", "entity": "Customer", "operation": operation, "times": len(answers)}
        stand_in.control("POST", "faults", rule)
        if operation == "save":
            assert [save(), save(**again)] == answers
        elif operation == "create":
            assert [save(**again), save(DisplayName="Somebody else")] == [200, *answers]
        else:
            assert [save(DisplayName="Somebody new"), save(**again)] == [200, *answers]


def test_a_batch_item_can_be_made_to_fail_alone(stand_in: Any, company: Any) -> None:
    stand_in.control("POST", "faults", {"code": "6000", "entity": "Item", "operation": "create"})
    items = [
        {"bId": "a", "operation": "create", "Customer": {"DisplayName": "Alone"}},
        {"bId": "b", "operation": "create", "Item": {"Name": "Bad", "IncomeAccountRef": {"value": "1"}}},
    ]
    answered = company.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    assert [set(part) - {"bId"} for part in answered] == [{"Customer"}, {"Fault"}]


def test_a_batch_is_not_a_transaction_and_has_thirty_items_at_most(company: Any) -> None:
    items: list[dict[str, Any]] = [
        {"bId": "c", "operation": "create", "Customer": {"DisplayName": "Batch One"}},
        {"bId": "d", "operation": "create", "Customer": {"DisplayName": "batch one"}},
        {"bId": "u", "operation": "update", "Customer": {"Id": "2", "SyncToken": "0", "sparse": True, "Notes": "x"}},
        {"bId": "x", "operation": "fly", "Customer": {"DisplayName": "No"}},
        {"bId": "q", "Query": "select Id from Customer where DisplayName = 'Batch One'"},
        {"bId": "w", "Query": "select nonsense"},
    ]
    answered = {
        part["bId"]: part for part in company.post("batch", {"BatchItemRequest": items}).json()["BatchItemResponse"]
    }
    assert answered["c"]["Customer"]["DisplayName"] == "Batch One"
    assert answered["d"]["Fault"]["Error"][0]["code"] == "6240"
    assert answered["u"]["Customer"]["SyncToken"] == "1"
    assert answered["x"]["Fault"]["Error"][0]["code"] == "500"
    assert answered["q"]["QueryResponse"]["maxResults"] == 1
    assert answered["w"]["Fault"]["Error"][0]["code"] == "4000"
    assert company.fault("batch", {"BatchItemRequest": items * 6}) == "1040"


def test_a_batch_voids_with_options_data(company: Any) -> None:
    made = company.make("Payment", company.payment(5))
    payment = {"Id": made["Id"], "SyncToken": made["SyncToken"], "sparse": True}
    item = {"bId": "v", "operation": "update", "optionsData": "void", "Payment": payment}
    answered = company.post("batch", {"BatchItemRequest": [item]}).json()["BatchItemResponse"][0]
    assert answered["Payment"]["TotalAmt"] == 0


class Receiver:
    """Collects what the webhooks send; refuses the first ``refusals`` notices."""

    def __init__(self, refusals: int) -> None:
        received: list[tuple[bytes, str]] = []
        left = [refusals]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received.append((body, self.headers["intuit-signature"]))
                self.send_response(500 if left[0] > 0 else 200)
                left[0] -= 1
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Keep the test's output clean."""

        self.received = received
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def wait(self, count: int) -> list[tuple[bytes, str]]:
        for _ in range(100):
            if len(self.received) >= count:
                break
            time.sleep(0.05)
        return self.received

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize("style", ["legacy", "cloudevents"])
def test_webhooks_are_signed_and_sent_again_until_acknowledged(stand_in: Any, company: Any, style: str) -> None:
    receiver = Receiver(refusals=1)
    try:
        order = {"url": receiver.url, "verifier": "v3rify", "format": style, "speed": 100, "entities": ["Customer"]}
        stand_in.control("POST", "webhooks", order)
        made = company.make("Customer", {"DisplayName": f"Noticed {style}"})
        company.make("Item", {"Name": "Unwatched", "IncomeAccountRef": {"value": "1"}})
        notices = receiver.wait(2)
    finally:
        stand_in.control("DELETE", "webhooks")
        receiver.close()
    body, signature = notices[1]
    assert notices[0] == notices[1]
    assert base64.b64decode(signature) == hmac.new(b"v3rify", body, hashlib.sha256).digest()
    notice = json.loads(body)
    if style == "legacy":
        entity = notice["eventNotifications"][0]["dataChangeEvent"]["entities"][0]
        assert (entity["id"], entity["operation"], entity["name"]) == (made["Id"], "Create", "Customer")
        assert notice["eventNotifications"][0]["realmId"] == company.realm
    else:
        assert notice[0]["type"] == "qbo.customer.created.v1"
        assert (notice[0]["intuitentityid"], notice[0]["intuitaccountid"]) == (made["Id"], company.realm)


def test_change_feeds_list_deletions(company: Any) -> None:
    made = company.make("Invoice", company.form(company.line(5)))
    company.make("Invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")
    since = made["MetaData"]["LastUpdatedTime"]
    answer = company.get("cdc", entities="invoice,Term", changedSince=since).json()["CDCResponse"][0]["QueryResponse"]
    assert answer[0]["Invoice"][0]["status"] == "Deleted"
    assert answer[1] == {}
    assert company.get("cdc", entities="TaxCode", changedSince=since).status_code == 400
    assert company.get("cdc", entities="Invoice", changedSince="recently").status_code == 400


def test_a_snapshot_brings_a_company_back_exactly(stand_in: Any, company: Any) -> None:
    company.make("Invoice", company.form(company.line(30, "11", Qty=2, UnitPrice=15)))
    url = f"{stand_in.base}/_sandbox/companies/{company.realm}/snapshot"
    kept = stand_in.http.get(url).content
    balances = company.trial_balance()
    company.make("Invoice", company.form(company.line(99)))
    assert company.trial_balance() != balances
    assert stand_in.http.put(url, content=kept).status_code == 200
    assert company.trial_balance() == balances
    assert stand_in.http.get(url).content == kept


def test_state_survives_a_restart(starter: Any, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    process, base = starter("--state", str(path))
    realm = "9341450000000001"
    try:
        pair = httpx.post(f"{base}/_sandbox/tokens", json={"realm_id": realm}).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}", "Accept": "application/json"}
        made = httpx.post(f"{base}/v3/company/{realm}/customer", json={"DisplayName": "Lasting"}, headers=headers)
        assert made.status_code == 200
    finally:
        process.terminate()
        process.wait(15)
    process, base = starter("--state", str(path))
    try:
        url = f"{base}/v3/company/{realm}/customer/{made.json()['Customer']['Id']}"
        assert httpx.get(url, headers=headers).json()["Customer"]["DisplayName"] == "Lasting"
        httpx.post(f"{base}/_sandbox/reset")
        fresh = httpx.post(f"{base}/_sandbox/tokens", json={"realm_id": realm}).json()["access_token"]
        assert httpx.get(url, headers={**headers, "Authorization": f"Bearer {fresh}"}).status_code == 400
    finally:
        process.terminate()
        process.wait(15)
