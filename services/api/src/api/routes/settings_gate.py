"""What stands between a PUT of settings and the save: version, identity, and what the ledger says to it."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson

from api.routes.base import Gateway
from api.settings_checks import Books, check_connection
from common.cures import FieldProblem
from common.internal import ledger_writer
from common.messages.control import CompanySettings, ConnectionSettings
from common.messages.documents import CompanyStatus
from common.messages.transactions import AccountRole
from common.problems import Problem

_LISTS_WAIT_S = 15.0
_LISTS_POLL_S = 0.5
_NAMES_AT_ONCE = 500
_NOTIFIED_MAX = 10
_ADDRESS_MAX = 254
_ADDRESS = re.compile(
    r"(?!.*=\?)[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}", re.IGNORECASE | re.ASCII
)
"""Never with `=?`: in a header that begins an encoded word, which may stand for line breaks and other addresses."""
_TAG = re.compile(r'"[0-9]{1,19}"')


async def read_books(deps: Gateway, tenant_id: str, company_id: str, named: Iterable[str]) -> Books:
    """Accounts of the ledger, and what it says to those that are `named`.

    A file that was just paired is given time to be read. Raises a 409 problem where its accounts can't be had although
    some are named; else answers without any.
    """
    wanted = set(named)
    waited_s = 0.0
    while True:
        view = await deps.services.ledger_writer.get(
            f"/internal/companies/{company_id}", ledger_writer.CompanyView, tenant_id=tenant_id
        )
        if view.lists_read_at is not None:
            break
        if waited_s >= _LISTS_WAIT_S or view.status is CompanyStatus.DISCONNECTED:
            if not wanted:
                return Books()
            raise Problem(
                409,
                "LISTS_NOT_READ",
                "the ledger's accounts have not been read yet",
                cure="finish the sign-in to the ledger, or try again in a minute",
                headers={"retry-after": "10"},
            )
        await asyncio.sleep(_LISTS_POLL_S)
        waited_s += _LISTS_POLL_S
    types: dict[str, str] = {}
    inactive: set[str] = set()
    cursor: str | None = None
    while True:
        page = await deps.services.ledger_writer.get(
            f"/internal/companies/{company_id}/lists/accounts",
            ledger_writer.CatalogPage,
            tenant_id=tenant_id,
            limit=500,
            cursor=cursor,
        )
        for entry in page.items:
            if entry.active:
                types |= dict.fromkeys((entry.name, entry.full_name), entry.object_type)
            else:
                inactive |= {entry.name.casefold(), entry.full_name.casefold()}
        cursor = page.next_cursor
        if cursor is None:
            break
    # A name that differs from a known one by its capitals alone is a slip, not one more account; what the ledger has
    # closed it does not open again.
    listed = {name.casefold() for name in types} | inactive
    unknown = sorted(name for name in wanted if name.casefold() not in listed)
    cures: dict[str, str] = {}
    for start in range(0, len(unknown), _NAMES_AT_ONCE):
        answer = await deps.services.ledger_writer.post(
            f"/internal/companies/{company_id}/accounts",
            ledger_writer.AccountsQuestion(tenant_id=tenant_id, names=tuple(unknown[start : start + _NAMES_AT_ONCE])),
            ledger_writer.AccountsAnswer,
        )
        types |= answer.types
        cures |= answer.cures
    return Books(types, cures, view.default_accounts)


def with_proposals(body: CompanySettings, books: Books) -> CompanySettings:
    """Fill roles that were left out with the accounts that the ledger proposes, as far as it has them."""
    known = {name.casefold() for name in books.accounts}
    proposed = {
        AccountRole(role): name
        for role, name in books.proposed.items()
        if role in set(AccountRole) and name.casefold() in known
    }
    return body.model_copy(update={"accounts": proposed | body.accounts})


def check_identity(body: ConnectionSettings, connection_id: str, channel: str) -> list[FieldProblem]:
    """Ids in the body must be those of the path, so that what was read can be sent back."""
    wrong = []
    if body.connection_id != connection_id:
        wrong.append(
            FieldProblem(field="body.connection_id", value=body.connection_id, cure=f"must be {connection_id}")
        )
    if body.channel != channel:
        wrong.append(FieldProblem(field="body.channel", value=body.channel, cure=f"must be {channel}"))
    return wrong


def check_target(body: ConnectionSettings, company: dict[str, Any] | None, books: Books) -> list[FieldProblem]:
    """The company file must be the tenant's, have settings, and be able to do what the connection asks."""
    if company is None:
        cure = "use the id of one of your company files"
        return [FieldProblem(field="body.company_id", value=body.company_id, cure=cure)]
    if company["settings"] is None:
        cure = "save the company file's settings first: its closed_through date is needed before anything is written"
        return [FieldProblem(field="body.company_id", value=body.company_id, cure=cure)]
    settings = company_settings(company["settings"])
    return check_connection(body, company["capabilities"], settings.accounts, books)


def check_switches(body: CompanySettings, company_id: str, before: dict[str, Any] | None) -> list[FieldProblem]:
    """What has routes of its own is not changed by a save."""
    wrong = []
    if body.company_id != company_id:
        wrong.append(FieldProblem(field="body.company_id", value=body.company_id, cure=f"must be {company_id}"))
    stored = company_settings(before) if before else None
    if body.paused != (stored.paused if stored else False):
        cure = "leave it out, and use the pause and resume routes of the company file"
        wrong.append(FieldProblem(field="body.paused", value=str(body.paused), cure=cure))
    if body.approved_at != (stored.approved_at if stored else None):
        cure = "leave it out, and use the approve route of the company file"
        value = body.approved_at.isoformat() if body.approved_at else "null"
        wrong.append(FieldProblem(field="body.approved_at", value=value, cure=cure))
    return wrong


async def can_notify(deps: Gateway, tenant_id: str, company_id: str, settings: CompanySettings) -> bool:
    """Whether mail can be sent at all; ledger-writer is not asked where nobody is to be told."""
    if not settings.notify:
        return False
    view = await deps.services.ledger_writer.get(
        f"/internal/companies/{company_id}", ledger_writer.CompanyView, tenant_id=tenant_id
    )
    return view.can_notify


def check_notify(settings: CompanySettings, *, able: bool) -> list[FieldProblem]:
    """Who is told of an ended sign-in must have an address that takes mail. `able`: there is a server to send it."""
    wanted = settings.notify
    if wanted and not able:
        cure = "leave it out, or have LEDGER_WRITER_SMTP_HOST and LEDGER_WRITER_SMTP_FROM set: nothing sends mail here"
        return [FieldProblem(field="body.notify", value=", ".join(wanted)[:200], cure=cure)]
    if len(wanted) > _NOTIFIED_MAX:
        cure = f"name at most {_NOTIFIED_MAX} addresses; one of them may be a list of your own"
        return [FieldProblem(field="body.notify", value=str(len(wanted)), cure=cure)]
    cure = "write one e-mail address, such as books@shop.example; a domain in its ASCII form"
    return [
        FieldProblem(field=f"body.notify.{place}", value=address, cure=cure)
        for place, address in enumerate(wanted)
        if len(address) > _ADDRESS_MAX or not _ADDRESS.fullmatch(address)
    ]


def refuse(wrong: list[FieldProblem]) -> None:
    """Raises a 422 problem that names every wrong field."""
    if wrong:
        raise Problem(422, "SETTINGS_INVALID", f"{len(wrong)} setting(s) can't be saved like this", errors=wrong)


def check_version(if_match: str | None, revision: int) -> None:
    """Raises a 428 problem without If-Match, and 412 where the settings were changed meanwhile."""
    if if_match is None:
        cure = 'send If-Match with its ETag, "0" if none'
        raise Problem(
            428,
            "PRECONDITION_REQUIRED",
            "say which version you have read",
            cure=cure,
            errors=[FieldProblem(field="header.if-match", value=None, cure=cure)],
        )
    if if_match.strip() == "*":
        raise Problem(
            412,
            "VERSION_NOT_NAMED",
            "If-Match: * would overwrite whatever somebody else has saved meanwhile",
            cure=f"read the settings and send the ETag of that answer; they are at {etag(revision)} now",
            headers={"etag": etag(revision)},
        )
    # A proxy that compresses answers makes tags weak; the version is the same.
    tag = if_match.strip().removeprefix("W/")
    if not _TAG.fullmatch(tag):
        cure = f"send the ETag as it was answered, in double quotes; it is {etag(revision)} now"
        raise Problem(
            412,
            "VERSION_NOT_NAMED",
            "If-Match is not an ETag of these settings",
            cure=cure,
            headers={"etag": etag(revision)},
            errors=[FieldProblem(field="header.if-match", value=if_match[:200], cure=cure)],
        )
    if tag != etag(revision):
        raise Problem(
            412,
            "CHANGED_MEANWHILE",
            f"the settings are at version {revision} now",
            cure="read them again and repeat the change",
            headers={"etag": etag(revision)},
        )


def etag(revision: int) -> str:
    """The version as an entity tag."""
    return f'"{revision}"'


def none_yet(what: str, identity: str) -> Problem:
    """A 404 problem with the tag that the first save needs."""
    return Problem(
        404,
        "NOT_FOUND",
        f"the {what} {identity[:128]!r} has no settings yet",
        cure=f"save the first with PUT and If-Match: {etag(0)}",
        headers={"etag": etag(0)},
    )


def connection_settings(stored: dict[str, Any]) -> ConnectionSettings:
    """Stored settings as the contract reads them."""
    return ConnectionSettings.model_validate_json(_text(stored))


def company_settings(stored: dict[str, Any]) -> CompanySettings:
    """Stored settings as the contract reads them."""
    return CompanySettings.model_validate_json(_text(stored))


def _text(stored: dict[str, Any]) -> bytes:
    return orjson.dumps(stored)


def payouts_off() -> Problem:
    """What asks for payouts where a connection's settings make nothing of them."""
    return Problem(
        409,
        "PAYOUTS_OFF",
        "payouts of the connection are switched off",
        cure="switch payouts.enabled on in its settings",
    )
