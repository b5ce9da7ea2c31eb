"""People are told once when a sign-in has ended: real mail server, real ledger-writer, a ledger that refuses tokens."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr, ValidationError
from tests.integration.ledger_writer.conftest import COMPANY, TENANT, Desk
from tests.integration.quickbooks_adapter.conftest import ROLES, Company, OpenDesk
from tests.integration.quickbooks_adapter.test_lane import SETS, sign_in

import ledger_writer.main
from ledger_writer import mail
from ledger_writer.settings import LedgerWriterSettings
from sandbox.infrastructure.processes import HOST, free_port

BOOKS, OWNER, TYPO = "books@shop.example", "owner@shop.example", "nobody@shop.example"
LINK = "https://console.example/companies/{company_id}"


class Mailbox:
    """What a mail server took, and how it answers."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refusals: dict[str, list[str]] = {}
        """Recipient → answers, one for each time that mail for him is offered; taken after the last."""

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answers = self.refusals.get(address)
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert [message["To"]] == envelope.rcpt_tos
        self.mails.append(message)
        return "250 OK"

    def recipients(self) -> list[str]:
        return sorted(str(one["To"]) for one in self.mails)


class MailServer(Controller):
    """A real server in a thread of its own."""

    def __init__(self, mailbox: Mailbox, **more: Any) -> None:
        super().__init__(mailbox, hostname=HOST, port=free_port(), ready_timeout=30, **more)
        self.mailbox = mailbox

    def end(self) -> None:
        """Stop it; one that was never started has a loop to close all the same."""
        if self._thread is None:
            self.loop.close()
        else:
            self.stop()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """Not started."""
    server = MailServer(Mailbox())
    yield server
    server.end()


@pytest.fixture
async def desk(open_desk: OpenDesk, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """A ledger-writer that sends mail to that server and has a short memory of failures."""
    monkeypatch.setattr(ledger_writer.main, "NOTICES_EVERY_S", 0.1)
    async with open_desk(throttled_wait_s=0.2, request_timeout_s=3.0) as made:
        await made.stop()
        made.settings = made.settings.model_copy(update=mail_settings(mail_server))
        await made.start()
        yield made


def mail_settings(server: MailServer, **more: Any) -> dict[str, Any]:
    return {
        "smtp_host": HOST,
        "smtp_port": server.port,
        "smtp_tls": "none",
        "smtp_from": "Tillbook <tillbook@bookkeeper.example>",
        "notice_link": LINK,
        "notice_retry_s": 0.1,
        **more,
    }


async def until(found: Callable[[], object], expected: object) -> None:
    """Wait until the mail server has taken what is expected."""
    try:
        async with asyncio.timeout(30):
            while found() != expected:
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{found()!r} is not {expected!r}") from None


async def configure(desk: Desk, **more: Any) -> None:
    await desk.configure(ledger="quickbooks_online", name="Garden shop", accounts=dict(ROLES), **more)


async def end_sign_in(desk: Desk, company: Company, number: int) -> None:
    """The ledger refuses every token from now on, and there is something to write."""
    company.stand_in.fail(action="expire_token", entity="*", operation="*", realm=company.realm, times=None)
    await desk.send(SETS[number])
    await desk.until("SELECT status FROM companies WHERE company_id = $1", "needs_reconnect", COMPANY, timeout_s=30)


async def repair(desk: Desk, company: Company) -> None:
    company.stand_in.steer("DELETE", "/faults")
    await sign_in(desk, company)


async def none_waits(desk: Desk) -> None:
    await desk.until("SELECT count(*) FROM reconnect_notices", 0, timeout_s=30)


async def test_an_ended_sign_in_is_told_once_to_each_and_again_when_it_ends_again(
    desk: Desk, company: Company, mail_server: MailServer
) -> None:
    mail_server.start()
    box = mail_server.mailbox
    await sign_in(desk, company)
    await configure(desk, notify=(BOOKS, OWNER, BOOKS))
    await end_sign_in(desk, company, 0)
    await until(box.recipients, [BOOKS, OWNER])
    await none_waits(desk)
    # company.changed comes again, and the service starts anew: neither is another outage.
    await configure(desk, notify=(BOOKS, OWNER), closed_through=date(2025, 11, 30))
    await desk.stop()
    await desk.start()
    await repair(desk, company)
    await desk.until("SELECT count(*) FROM documents WHERE state <> 'synced'", 0, timeout_s=60)
    await end_sign_in(desk, company, 2)
    await until(box.recipients, [BOOKS, BOOKS, OWNER, OWNER])
    await none_waits(desk)
    assert len({str(one["Message-ID"]) for one in box.mails}) == 4


async def test_the_mail_says_what_waits_and_where_to_sign_in_and_nothing_of_the_orders(
    desk: Desk, company: Company, mail_server: MailServer
) -> None:
    mail_server.start()
    await sign_in(desk, company)
    await configure(desk, notify=(BOOKS,))
    await end_sign_in(desk, company, 0)
    await until(mail_server.mailbox.recipients, [BOOKS])
    (message,) = mail_server.mailbox.mails
    name = await desk.pool.fetchval("SELECT name FROM companies")
    assert message["Subject"] == f"Sign in to QuickBooks Online again for {name}"
    assert message["From"] == "Tillbook <tillbook@bookkeeper.example>"
    assert str(message["Message-ID"]).endswith("@bookkeeper.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert f"Sign in again as an administrator of the company: {LINK.replace('{company_id}', COMPANY)}" in text
    since = await desk.pool.fetchval(
        "SELECT to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM companies"
    )
    assert f"Since: {since} UTC" in text
    assert "documents. What comes meanwhile waits too" in text
    for secret in (SETS[0].source_number, SETS[0].customers[0].display_name):
        assert secret not in message.as_string()


async def test_an_outage_of_the_mail_server_neither_loses_nor_repeats_a_notice(
    desk: Desk, company: Company, mail_server: MailServer
) -> None:
    await sign_in(desk, company)
    await configure(desk, notify=(BOOKS,))
    await end_sign_in(desk, company, 0)
    await desk.until("SELECT tries > 1 FROM reconnect_notices", True, timeout_s=30)
    await desk.stop()
    mail_server.start()
    await desk.start()
    await until(mail_server.mailbox.recipients, [BOOKS])
    await none_waits(desk)
    assert mail_server.mailbox.recipients() == [BOOKS]


async def test_nobody_is_told_of_what_was_repaired_before_a_mail_could_leave(
    desk: Desk, company: Company, mail_server: MailServer
) -> None:
    await sign_in(desk, company)
    await configure(desk, notify=(BOOKS,))
    await end_sign_in(desk, company, 0)
    await desk.until("SELECT tries > 0 FROM reconnect_notices", True, timeout_s=30)
    await repair(desk, company)
    await none_waits(desk)
    mail_server.start()
    await configure(desk, notify=(OWNER,))
    await end_sign_in(desk, company, 1)
    await until(mail_server.mailbox.recipients, [OWNER])


async def test_each_recipient_gets_it_once_though_others_are_put_off_or_refused(
    desk: Desk, company: Company, mail_server: MailServer
) -> None:
    mail_server.start()
    box = mail_server.mailbox
    box.refusals = {BOOKS: ["451 come again", "451 come again"], TYPO: ["550 nobody of that name"]}
    await sign_in(desk, company)
    await configure(desk, notify=(BOOKS, TYPO, OWNER))
    await end_sign_in(desk, company, 0)
    await until(box.recipients, [BOOKS, OWNER])
    await none_waits(desk)
    assert box.recipients() == [BOOKS, OWNER]
    assert box.refusals == {BOOKS: [], TYPO: []}


async def test_who_is_named_during_the_outage_is_told_as_well(
    desk: Desk, company: Company, mail_server: MailServer
) -> None:
    mail_server.start()
    await sign_in(desk, company)
    await configure(desk)
    await end_sign_in(desk, company, 0)
    assert await desk.pool.fetchval("SELECT tries FROM reconnect_notices") == 0
    await configure(desk, notify=(OWNER,))
    await until(mail_server.mailbox.recipients, [OWNER])
    await none_waits(desk)


async def test_the_gateway_is_told_whether_mail_can_be_sent(desk: Desk, company: Company) -> None:
    async def can_notify() -> bool:
        await sign_in(desk, company)
        answer = await desk.call("GET", f"/internal/companies/{COMPANY}?tenant_id={TENANT}")
        return bool(answer.json()["can_notify"])

    assert await can_notify()
    await desk.stop()
    await desk.start(smtp_host="")
    assert not await can_notify()


# ---------------------------------------------------------------------------------------------------- the way there


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "tillbook@bookkeeper.example", BOOKS, "Sign in"
    made.set_content("again")
    return made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this host, its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = tmp_path / "mail.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def strict_server(certificate: Path) -> Iterator[MailServer]:
    """A server that takes mail over TLS from who signs in, and from nobody else."""

    def knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        known = given == LoginPassword(b"tillbook", b"a password")
        return AuthResult(success=known, handled=known)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = MailServer(Mailbox(), tls_context=context, require_starttls=True, auth_required=True, authenticator=knows)
    server.start()
    yield server
    server.end()


def over_tls(settings: LedgerWriterSettings, server: MailServer, password: str) -> LedgerWriterSettings:
    user = {"smtp_user": "tillbook", "smtp_password": SecretStr(password)}
    return settings.model_copy(update=mail_settings(server, smtp_tls="starttls", **user))


async def test_mail_goes_over_tls_from_somebody_who_signs_in(
    desk_settings: LedgerWriterSettings,
    strict_server: MailServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        async with mail.server(over_tls(desk_settings, strict_server, "a password")):
            pytest.fail("an unknown authority was trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        async with mail.server(over_tls(desk_settings, strict_server, "another")):
            pytest.fail("a wrong password was taken")
    async with mail.server(over_tls(desk_settings, strict_server, "a password")) as smtp:
        await smtp.send_message(message())
    assert strict_server.mailbox.recipients() == [BOOKS]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_host": "mail.example"}, "smtp_from must be an address"),
        (
            {"smtp_host": "m", "smtp_from": "a@b.example", "smtp_user": "u", "smtp_password": "p", "smtp_tls": "none"},
            "smtp_tls must not be none",
        ),
        ({"smtp_host": "m", "smtp_from": "a@b.example", "smtp_user": "u"}, "smtp_user and smtp_password belong"),
    ],
)
def test_half_a_mail_server_is_refused_at_the_start(
    desk_settings: LedgerWriterSettings, given: dict[str, str], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        LedgerWriterSettings(**{**desk_settings.model_dump(), **given})
