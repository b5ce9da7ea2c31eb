"""Mail that the service sends: what stands in it, and the way to the server. No secrets, and nothing of orders."""

import hashlib
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

import aiosmtplib

from ledger_writer.settings import LedgerWriterSettings
from ledger_writer.store.reconnects import Notice

_TIMEOUT_S = 20.0
_COUNTED_MAX = 10_000


def server(settings: LedgerWriterSettings) -> aiosmtplib.SMTP:
    """The mail server that the settings name, not connected yet; a context that signs in and out."""
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_user or None,
        password=settings.smtp_password.get_secret_value() or None,
        use_tls=settings.smtp_tls == "tls",
        start_tls=settings.smtp_tls == "starttls",
        timeout=_TIMEOUT_S,
    )


def reconnect_mail(
    notice: Notice, recipient: str, *, ledger: str, waiting: int, settings: LedgerWriterSettings
) -> EmailMessage:
    """Ask one person to sign in again. `ledger`: as people know it; `waiting`: documents, counted up to 10,000.

    The same notice to the same person has the same Message-ID: a mail that is sent twice is shown once.
    """
    name = " ".join(notice.name.split())
    where = settings.notice_link.replace("{company_id}", notice.company_id)
    key = f"{notice.company_id}\n{notice.since.isoformat()}\n{recipient}".encode()
    message = EmailMessage()
    message["From"] = settings.smtp_from
    message["To"] = recipient
    message["Date"] = format_datetime(notice.since)
    message["Message-ID"] = f"<reconnect.{hashlib.sha256(key).hexdigest()[:32]}@{_domain(settings.smtp_from)}>"
    message["Subject"] = f"Sign in to {ledger} again for {name}"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        f"{ledger} no longer accepts our sign-in for the company file {name!r} (status needs_reconnect).\n"
        "\n"
        f"Since: {notice.since:%Y-%m-%d %H:%M} UTC\n"
        f"Waiting: {_waiting(waiting)}. What comes meanwhile waits too, and is written once somebody has signed in.\n"
        "\n"
        f"Sign in again as an administrator of the company{f': {where}' if where else ' file.'}\n"
    )
    return message


def _waiting(documents: int) -> str:
    if documents >= _COUNTED_MAX:
        return f"{_COUNTED_MAX} documents or more"
    return "1 document" if documents == 1 else f"{documents or 'no'} documents"


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2]
