"""What stands in a notice that a sign-in has ended."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from pydantic import SecretStr

from ledger_writer.mail import reconnect_mail
from ledger_writer.settings import LedgerWriterSettings
from ledger_writer.store.reconnects import Notice

SINCE = datetime(2026, 11, 22, 18, 5, 30, tzinfo=UTC)
SETTINGS = LedgerWriterSettings(
    database_url=SecretStr("d"),
    broker_url=SecretStr("b"),
    encryption_keys=SecretStr("e"),
    internal_key=SecretStr("i"),
    internal_callers={},
    smtp_host="mail.example",
    smtp_from="Tillbook <tillbook@bookkeeper.example>",
)


def notice(since: datetime = SINCE, name: str = "Mug shop") -> Notice:
    return Notice("com_1", name, "quickbooks_online", since, 1, ("a@shop.example", "b@shop.example"))


def mail(told: Notice, to: str = "a@shop.example", *, waiting: int = 0, link: str = "") -> EmailMessage:
    settings = SETTINGS.model_copy(update={"notice_link": link})
    return reconnect_mail(told, to, ledger="QuickBooks Online", waiting=waiting, settings=settings)


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        (0, "no documents."),
        (1, "1 document."),
        (2, "2 documents."),
        (9_999, "9999 documents."),
        (10_000, "10000 documents or more."),
    ],
)
def test_it_says_how_much_waits(waiting: int, said: str) -> None:
    assert f"Waiting: {said} What comes meanwhile" in mail(notice(), waiting=waiting).get_content()


def test_it_leads_to_where_people_sign_in_as_far_as_that_is_known() -> None:
    text = mail(notice(), link="https://console.example/c/{company_id}/sign-in").get_content()
    assert "administrator of the company: https://console.example/c/com_1/sign-in\n" in text
    assert "administrator of the company file.\n" in mail(notice()).get_content()
    assert "Since: 2026-11-22 18:05 UTC\n" in text


def test_a_name_with_line_breaks_adds_no_header() -> None:
    message = mail(notice(name="Mug\r\nBcc: c@shop.example"))
    assert message["Subject"] == "Sign in to QuickBooks Online again for Mug Bcc: c@shop.example"
    assert message["Bcc"] is None


def test_the_same_notice_to_the_same_person_is_the_same_message_and_no_other_is() -> None:
    first, again = mail(notice()), mail(notice(), waiting=7)
    assert first["Message-ID"] == again["Message-ID"]
    others = [mail(notice(), "b@shop.example"), mail(notice(SINCE + timedelta(seconds=1)))]
    assert len({str(one["Message-ID"]) for one in (first, *others)}) == 3
