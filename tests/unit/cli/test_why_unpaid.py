"""What `tillbook orders why-unpaid` says in plain words."""

from functools import partial
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli import context
from cli.client import Api
from cli.main import typer_app

PAYMENT: dict[str, Any] = {
    "tender_id": "t1", "method": "card", "amount": "77.00", "currency": "USD", "captured_on": "2026-03-02",
    "in_ledger": True, "reason": None, "notice": None,
}  # fmt: skip
STATED = {"code": "PAYMENT_STATED", "text": "The order is paid and names no payment.", "cure": "Send the payments."}


@pytest.mark.parametrize(
    ("payments", "says", "never"),
    [
        ([], ["Payments: the channel names none"], ["captured"]),
        ([PAYMENT], ["card", "77.00"], ["names no payment"]),
        (
            [{**PAYMENT, "tender_id": "stated-as-paid", "notice": STATED}],
            ["stated-as-paid", "The order is paid and names no payment. Send the payments."],
            ["names none"],
        ),
    ],
)
def test_a_payment_that_is_only_stated_says_so(
    monkeypatch: pytest.MonkeyPatch, payments: list[dict[str, Any]], says: list[str], never: list[str]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/missing-payments"):
            return httpx.Response(200, json={"order_id": "o", "company_id": "c", "missing": 0, "payments": payments})
        return httpx.Response(200, json={"items": [{"order_id": "o"}], "next_cursor": None})

    monkeypatch.setenv("TILLBOOK_URL", "http://api.example")
    monkeypatch.setenv("TILLBOOK_API_KEY", "tb_1_2")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(context, "Api", partial(Api, transport=httpx.MockTransport(answer)))
    shown = CliRunner().invoke(typer_app, ["orders", "why-unpaid", "1001"])
    assert shown.exit_code == 0, shown.output
    assert [text for text in says if text not in shown.output] == []
    assert [text for text in never if text in shown.output] == []
