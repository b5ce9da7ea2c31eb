"""Whom a company file's settings name to be told of an ended sign-in."""

from datetime import date

import pytest

from api.routes.settings_gate import check_notify
from common.messages.control import CompanySettings


def company(*notify: str) -> CompanySettings:
    return CompanySettings(
        company_id="f", name="Books", ledger="beancount", closed_through=date(2025, 12, 31), notify=notify
    )


def test_addresses_are_refused_where_nothing_sends_mail_with_the_setting_that_would() -> None:
    (problem,) = check_notify(company("books@shop.example", "a@b.example"), able=False)
    assert (problem.field, problem.value) == ("body.notify", "books@shop.example, a@b.example")
    assert "LEDGER_WRITER_SMTP_HOST" in problem.cure
    assert check_notify(company(), able=False) == []


def test_more_than_ten_are_refused() -> None:
    many = [f"p{number}@shop.example" for number in range(11)]
    assert check_notify(company(*many[:10]), able=True) == []
    (problem,) = check_notify(company(*many), able=True)
    assert (problem.field, problem.value) == ("body.notify", "11")


@pytest.mark.parametrize(
    "address", ["books@shop.example", "o'hara+books@mail.shop-2.example", "B_1@XN--BCHER-KVA.example", "a@b.co"]
)
def test_ordinary_addresses_are_taken(address: str) -> None:
    assert check_notify(company(address), able=True) == []


@pytest.mark.parametrize(
    "address",
    [
        "",
        "books",
        "books@shop",
        "books@",
        "@shop.example",
        "a@b@shop.example",
        "Books <books@shop.example>",
        "a@shop.example, b@shop.example",
        "books@shop.example\r\nBcc: c@shop.example",
        "books@shop.example\n",
        "books@bücher.example",
        "=?utf-8?q?books=0aBcc?=@shop.example",
        "a" * 65 + "@shop.example",
        "a@" + "b." * 130 + "example",
    ],
)
def test_what_mail_cannot_be_sent_to_is_named_with_its_place(address: str) -> None:
    (problem,) = check_notify(company("books@shop.example", address), able=True)
    assert (problem.field, problem.value) == ("body.notify.1", address)
    assert "books@shop.example" in problem.cure
