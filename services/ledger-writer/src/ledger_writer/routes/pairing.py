"""Pairing company files, by credentials or by signing in at the ledger, and disconnecting them."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Path, Response

from common.application import InternalCaller
from common.batch import Batch
from common.database import Connection
from common.errors import Retryable
from common.internal.base import TenantRequest
from common.internal.ledger_writer import (
    CompanyView,
    Disconnect,
    LedgerDescription,
    LedgerList,
    LinksForgotten,
    OAuthCallback,
    OAuthStart,
    OAuthStarted,
    PairRequest,
)
from common.messages.base import Identifier
from common.messages.documents import CompanyStatus
from common.problems import Problem
from ledger_writer.lanes.lane import Workshop
from ledger_writer.ledgers import LEDGERS
from ledger_writer.ledgers.protocol import Ledger, Paired, PairingRequest
from ledger_writer.routes.shared import (
    CurrentWorkshop,
    Tenant,
    company_of,
    ledger_named,
    locked_company,
    view_of,
)
from ledger_writer.store import companies, requests
from ledger_writer.store import secrets as company_secrets
from ledger_writer.store.companies import Company
from ledger_writer.store.lanes import NOTIFY

log = structlog.get_logger(__name__)
router = APIRouter(tags=["pairing"])
CompanyId = Annotated[Identifier, Path()]

_SIGN_IN_MINUTES = 15


@router.get("/internal/ledgers", operation_id="list_ledgers")
async def list_ledgers(_: InternalCaller) -> LedgerList:
    """Every ledger this release can write to."""
    return LedgerList(
        ledgers=tuple(
            LedgerDescription(
                name=ledger.name,
                title=ledger.title,
                capabilities=tuple(sorted(capability.value for capability in ledger.capabilities)),
                default_accounts=dict(ledger.default_accounts),
                credentials=ledger.credentials,
                uses_oauth=ledger.oauth is not None,
            )
            for ledger in LEDGERS
        )
    )


@router.post("/internal/companies", operation_id="pair_company", status_code=201)
async def pair_company(
    _: InternalCaller, workshop: CurrentWorkshop, request: PairRequest, response: Response
) -> CompanyView:
    """Pair a company file; again with the same id reconnects it, with its links."""
    ledger = ledger_named(request.ledger)
    async with workshop.runtime.transaction() as (connection, _batch):
        is_new = await companies.create(
            connection,
            company_id=request.company_id,
            tenant_id=request.tenant_id,
            ledger=ledger.name,
            name=request.name,
        )
    company = await company_of(workshop, request.company_id, request.tenant_id)
    if company.ledger != ledger.name:
        raise Problem(409, "LEDGER_DIFFERS", f"this company file is paired with {company.ledger}")
    if ledger.pair is not None:
        pairing = PairingRequest(
            tenant_id=request.tenant_id,
            company_id=request.company_id,
            name=request.name,
            home_currency=request.home_currency or company.home_currency,
            settings=request.settings,
            secrets={name: secret.get_secret_value() for name, secret in request.secrets.items()},
            data_dir=workshop.settings.data_dir,
            # Connected once before: what is found there is what we wrote.
            is_known=bool(company.external_id),
        )
        paired = await ledger.pair(pairing)
        async with workshop.runtime.transaction() as (connection, batch):
            await _connect(workshop, connection, batch, company, ledger, paired)
    if not is_new:
        response.status_code = 200
    return await view_of(workshop, request.company_id, request.tenant_id)


@router.post("/internal/companies/{company_id}/oauth", operation_id="start_oauth")
async def start_oauth(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: OAuthStart
) -> OAuthStarted:
    """Where to send the person who signs in; the state is good for a quarter of an hour and for one use."""
    company = await company_of(workshop, company_id, request.tenant_id)
    ledger = ledger_named(company.ledger)
    if ledger.oauth is None:
        raise Problem(409, "NO_OAUTH", f"{ledger.title} is not paired by signing in", cure="Use the pair request.")
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    async with workshop.runtime.transaction() as (connection, _batch):
        await locked_company(connection, company_id, request.tenant_id)
        expires = datetime.now(UTC) + timedelta(minutes=_SIGN_IN_MINUTES)
        values = {"oauth_state": state, "oauth_verifier": verifier, "oauth_expires_at": expires}
        await companies.change(connection, company_id, values)
    url = await ledger.oauth.authorization_url(state=state, redirect_url=request.redirect_url, verifier=verifier)
    return OAuthStarted(authorization_url=url, state=state)


@router.post("/internal/oauth/callback", operation_id="finish_oauth")
async def finish_oauth(_: InternalCaller, workshop: CurrentWorkshop, callback: OAuthCallback) -> CompanyView:
    """What came back from the sign-in. The state is used up whatever the outcome."""
    async with workshop.runtime.transaction() as (connection, _batch):
        company = await companies.by_oauth_state(connection, callback.state)
        if company is not None:
            await companies.change(connection, company.company_id, {"oauth_state": "", "oauth_verifier": ""})
    if company is None:
        raise Problem(404, "STATE_UNKNOWN", "this sign-in is unknown, used or too old", cure="Start again.")
    if callback.error or not callback.code:
        raise Problem(422, "SIGN_IN_REFUSED", f"the ledger answered {callback.error or 'without a code'!r}")
    ledger = ledger_named(company.ledger)
    if ledger.oauth is None:
        raise Problem(409, "NO_OAUTH", f"{ledger.title} is not paired by signing in")
    paired = await ledger.oauth.finish(
        code=callback.code,
        realm_id=callback.realm_id,
        redirect_url=callback.redirect_url,
        verifier=company.oauth_verifier,
    )
    async with workshop.runtime.transaction() as (connection, batch):
        await _connect(workshop, connection, batch, company, ledger, paired)
    return await view_of(workshop, company.company_id, company.tenant_id)


async def _connect(
    workshop: Workshop, connection: Connection, batch: Batch, company: Company, ledger: Ledger, paired: Paired
) -> None:
    """Store what the ledger said. Another company of the ledger starts with an empty link set."""
    if company.external_id and company.external_id != paired.external_id:
        await requests.start_anew(connection, company.company_id)
        log.warning("company_replaced", company_id=company.company_id)
    await companies.change(
        connection,
        company.company_id,
        {
            "name": paired.name,
            "external_id": paired.external_id,
            "status": CompanyStatus.CONNECTED.value,
            "reason": None,
            "home_currency": paired.home_currency,
            "country": paired.country,
            "multi_currency": paired.multi_currency,
            "custom_numbers": paired.custom_numbers,
            "preferences": paired.preferences,
            "details": paired.details,
            "secrets": company_secrets.seal(workshop.cipher, company.company_id, paired.secrets),
            "lists_wanted": bool(ledger.list_names),
            # What happened in the ledger while it was not connected.
            "check_wanted": ledger.follows_changes and company.external_id == paired.external_id,
        },
    )
    await connection.execute(NOTIFY, [company.company_id])
    stored = await companies.get(connection, company.company_id)
    if stored is not None:
        batch.publish(stored.changed(ledger))


@router.post("/internal/companies/{company_id}/disconnect", operation_id="disconnect_company")
async def disconnect_company(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: Disconnect
) -> CompanyView:
    """Drop the tokens; documents stay due and links stay, unless they are to be forgotten."""
    company = await company_of(workshop, company_id, request.tenant_id)
    ledger = ledger_named(company.ledger)
    if ledger.oauth is not None and company.secrets is not None:
        try:
            await ledger.oauth.revoke(company_secrets.unseal(workshop.cipher, company_id, company.secrets))
        except Retryable as error:
            # Tokens that can't be revoked now run out by themselves; the person wants them gone here at least.
            log.warning("token_not_revoked", company_id=company_id, detail=error.text)
    async with workshop.runtime.transaction() as (connection, batch):
        await locked_company(connection, company_id, request.tenant_id)
        values = {"status": CompanyStatus.DISCONNECTED.value, "secrets": None, "previous_secrets": None, "reason": None}
        await companies.change(connection, company_id, values)
        if request.forget_links:
            await requests.forget_links(connection, company_id)
        stored = await companies.get(connection, company_id)
        if stored is not None:
            batch.publish(stored.changed(ledger))
    return await view_of(workshop, company_id, request.tenant_id)


@router.post("/internal/companies/{company_id}/links/forget", operation_id="forget_links")
async def forget_links(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, request: TenantRequest
) -> LinksForgotten:
    """Give up the links of what is written as it is wanted: found, it is linked again; not found, it is written."""
    async with workshop.runtime.transaction() as (connection, _batch):
        await locked_company(connection, company_id, request.tenant_id)
        documents, kept = await requests.forget_links(connection, company_id)
        await connection.execute(NOTIFY, [company_id])
    log.info("links_forgotten", company_id=company_id, documents=documents, kept=kept)
    return LinksForgotten(documents=documents, kept=kept)


@router.delete("/internal/companies/{company_id}", operation_id="delete_company", status_code=204)
async def delete_company(
    _: InternalCaller, workshop: CurrentWorkshop, company_id: CompanyId, tenant_id: Tenant
) -> None:
    """Remove the company file here, its links and documents too. What is in the ledger stays there."""
    async with workshop.runtime.transaction() as (connection, _batch):
        await locked_company(connection, company_id, tenant_id)
        await companies.delete(connection, company_id)
