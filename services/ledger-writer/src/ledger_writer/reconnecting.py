"""Tells the chosen people once when a company file's sign-in has ended.

The notice is a row that is written together with the status, so neither a crash nor an outage of the mail server loses
it; whoever sends it says so afterwards, so a crash between the two repeats it, with the same Message-ID.
"""

import asyncio
from typing import Final

import structlog
from aiosmtplib import SMTPException, SMTPRecipientsRefused

from common.runtime import Runtime
from common.telemetry import RECONNECT_NOTICES_WAITING
from ledger_writer import mail
from ledger_writer.ledgers import BY_NAME
from ledger_writer.settings import LedgerWriterSettings
from ledger_writer.store import companies, reconnects
from ledger_writer.store.reconnects import Notice

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 5.0
_SEND_S = 120.0
_HOLD_S = 2 * _SEND_S
_REST_MAX_S = 3600.0


async def tell(runtime: Runtime, settings: LedgerWriterSettings) -> None:
    """Send every notice that is due. What can't be sent now is put off, for longer each time."""
    await reconnects.forget_repaired(runtime.pool)
    while (notice := await reconnects.claim(runtime.pool, _HOLD_S)) is not None:
        waiting = await companies.waiting(runtime.pool, notice.company_id)
        told = await _send(notice, waiting, settings)
        if len(told) == len(notice.recipients):
            await reconnects.done(runtime.pool, notice)
            log.info("reconnect_notice_sent", company_id=notice.company_id, recipients=len(told))
        else:
            rest_s = min(settings.notice_retry_s * 2 ** min(notice.tries - 1, 20), _REST_MAX_S)
            await reconnects.put_off(runtime.pool, notice, told, rest_s)
    RECONNECT_NOTICES_WAITING.set(await reconnects.count(runtime.pool))


async def _send(notice: Notice, waiting: int, settings: LedgerWriterSettings) -> list[str]:
    """Who needs no mail any more: it was taken, or refused for good."""
    known = BY_NAME.get(notice.ledger)
    ledger = known.title if known is not None else notice.ledger
    told: list[str] = []
    try:
        async with asyncio.timeout(_SEND_S), mail.server(settings) as smtp:
            for recipient in notice.recipients:
                message = mail.reconnect_mail(notice, recipient, ledger=ledger, waiting=waiting, settings=settings)
                try:
                    await smtp.send_message(message)
                except SMTPRecipientsRefused as error:
                    code = error.recipients[0].code
                    log.warning("reconnect_notice_refused", company_id=notice.company_id, code=code)
                    if code < 500:
                        continue
                told.append(recipient)
    except (SMTPException, OSError) as error:
        log.warning("reconnect_notice_deferred", company_id=notice.company_id, error=type(error).__name__)
    return told
