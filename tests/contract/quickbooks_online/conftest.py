"""The stand-in as a process of its own on a free loopback port, and a small HTTP client for it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from quickbooks import QuickBooks
from tests.vendor_data import published

REDIRECT = "http://localhost:8000/callback"
ROOT = Path(__file__).resolve().parents[3]
MAIN_REALM, AUTOMATED_REALM, POUND_REALM = "9341450000000001", "9341450000000002", "9341450000000003"


class Company:
    """One company of the stand-in, spoken to as a client does."""

    def __init__(self, base: str, realm: str, http: httpx.Client) -> None:
        self.base = base
        self.realm = realm
        self.http = http
        pair = http.post(f"{base}/_sandbox/tokens", json={"realm_id": realm}).json()
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}", "Accept": "application/json"}

    def post(self, path: str, body: Any, **params: Any) -> httpx.Response:
        url = f"{self.base}/v3/company/{self.realm}/{path}"
        return self.http.post(url, json=body, params=params, headers=self.headers)

    def get(self, path: str, **params: Any) -> httpx.Response:
        return self.http.get(f"{self.base}/v3/company/{self.realm}/{path}", params=params, headers=self.headers)

    def make(self, entity: str, body: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Create or update; the object of the answer. Fails the test on a fault."""
        answer = self.post(entity.lower(), body, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()[entity]
        return found

    def read(self, entity: str, identifier: str) -> dict[str, Any]:
        answer = self.get(f"{entity.lower()}/{identifier}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()[entity]
        return found

    def query(self, text: str) -> dict[str, Any]:
        answer = self.get("query", query=text)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["QueryResponse"]
        return found

    def fault(self, path: str, body: Any, **params: Any) -> str:
        """The code of the fault that a write is refused with."""
        answer = self.post(path, body, **params)
        assert answer.status_code == 400, answer.text
        return str(answer.json()["Fault"]["Error"][0]["code"])

    def account(self, identifier: str) -> float:
        return float(self.read("Account", identifier)["CurrentBalance"])

    def trial_balance(self) -> dict[str, float]:
        """Account id → debit balance; asserts that both columns have the same total."""
        rows = self.get("reports/TrialBalance").json()["Rows"]["Row"]
        total = rows[-1]["Summary"]["ColData"]
        assert total[1]["value"] == total[2]["value"]
        found = {}
        for row in rows[:-1]:
            account, debit, credit = row["ColData"]
            found[account["id"]] = round(float(debit["value"] or 0) - float(credit["value"] or 0), 2)
        return found

    @staticmethod
    def line(amount: float, item: str = "1", code: str = "NON", **detail: Any) -> dict[str, Any]:
        """An item line of a sales form."""
        body = {"ItemRef": {"value": item}, "TaxCodeRef": {"value": code}, **detail}
        return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": body}

    @staticmethod
    def form(*lines: dict[str, Any], customer: str = "1", **fields: Any) -> dict[str, Any]:
        """A sales form of a customer."""
        return {"CustomerRef": {"value": customer}, "Line": list(lines), **fields}

    @staticmethod
    def payment(amount: float, *targets: tuple[str, str, float], customer: str = "1") -> dict[str, Any]:
        """A payment of ``amount`` with (entity, id, amount) applications."""
        lines = [{"Amount": part, "LinkedTxn": [{"TxnId": txn, "TxnType": kind}]} for kind, txn, part in targets]
        return {"CustomerRef": {"value": customer}, "TotalAmt": amount, "Line": lines}


class StandIn:
    """The running server and its control interface."""

    def __init__(self, base: str, http: httpx.Client) -> None:
        self.base = base
        self.http = http

    def company(self, realm: str = MAIN_REALM) -> Company:
        return Company(self.base, realm, self.http)

    def new_company(self, seed: str = "full", **settings: Any) -> Company:
        """A company of its own for one test."""
        answer = self.http.post(f"{self.base}/_sandbox/companies", json={"seed": seed, **settings})
        assert answer.status_code == 201, answer.text
        return self.company(answer.json()["realm_id"])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, f"{self.base}/_sandbox/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(*arguments: str) -> tuple[subprocess.Popen[bytes], str]:
    """Start a stand-in and wait until it answers; returns the process and its address."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "sandbox" / "src")}
    command = [sys.executable, "-m", "sandbox.quickbooks_online", "--port", str(port), *arguments]
    process = subprocess.Popen(command, env=environment)
    base = f"http://127.0.0.1:{port}"
    for _ in range(150):
        try:
            httpx.get(f"{base}/_sandbox/health", timeout=2)
            return process, base
        except httpx.TransportError:
            assert process.poll() is None, "the stand-in ended while starting"
            time.sleep(0.1)
    process.terminate()
    process.wait(10)
    raise AssertionError("the stand-in did not answer within 15 seconds")


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandIn]:
    process, base = start()
    try:
        with httpx.Client(timeout=20) as http:
            yield StandIn(base, http)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def vendor_data() -> Path:
    """The folder of public QuickBooks data; the test is skipped where it is not at hand."""
    return published("quickbooks/qbo")


@pytest.fixture
def starter() -> Any:
    """Starts a further stand-in with arguments of its own; the caller ends it."""
    return start


@pytest.fixture
def company(stand_in: StandIn) -> Company:
    """A fresh company with people, goods and history."""
    return stand_in.new_company()


@pytest.fixture
def auth(stand_in: Any, company: Any) -> Iterator[AuthClient]:
    """A client that has been through consent and holds tokens for the test's company."""
    client = AuthClient(
        "sandbox-client", "sandbox-secret", REDIRECT, f"{stand_in.base}/.well-known/openid_sandbox_configuration"
    )
    consent = client.get_authorization_url([Scopes.ACCOUNTING, Scopes.OPENID, Scopes.EMAIL], state_token="st")
    answer = httpx.get(f"{consent}&realmId={company.realm}")
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["st"]
    client.get_bearer_token(back["code"][0], realm_id=back["realmId"][0])
    yield client
    client.close()


@pytest.fixture
def qb(stand_in: Any, auth: AuthClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[QuickBooks]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{stand_in.base}/v3")
    assert os.environ["OAUTHLIB_INSECURE_TRANSPORT"] == "1"
    client = QuickBooks(
        auth_client=auth, refresh_token=auth.refresh_token, company_id=auth.realm_id, minorversion=75, use_decimal=True
    )
    yield client
    client.session.close()
