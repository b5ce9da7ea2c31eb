"""Signing in, tokens that rotate, and a connection that is gone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.integration.quickbooks_adapter.conftest import CLIENT, Company, StandIn
from tests.unit.quickbooks_adapter import samples
from tests.unit.quickbooks_adapter.samples import operation

from common.errors import Rejected, UpstreamUnavailable
from ledger_writer.ledgers.protocol import ErrorClass, NotSent, Refused
from ledger_writer.ledgers.quickbooks_online import ledger
from ledger_writer.ledgers.quickbooks_online.oauth import IntuitOAuth
from ledger_writer.ledgers.quickbooks_online.tokens import Access, CompanySecrets, NeedsReconnect, from_secrets

REDIRECT = "https://books.example.com/oauth/callback"
EXPIRED = datetime.fromtimestamp(0, UTC).isoformat()


def consent(url: str, realm: str = "") -> dict[str, str]:
    """What the user's browser brings back from the consent page."""
    answer = httpx.get(url + (f"&realm_id={realm}" if realm else ""), follow_redirects=False, trust_env=False)
    assert answer.status_code in (302, 303, 307), answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: values[0] for name, values in query.items()}


async def test_a_company_is_paired_by_signing_in(stand_in: StandIn) -> None:
    oauth = IntuitOAuth(stand_in.settings())
    url = await oauth.authorization_url(state="s1", redirect_url=REDIRECT, verifier="v" * 50)
    back = consent(url)
    assert back["state"] == "s1"
    paired = await oauth.finish(code=back["code"], realm_id=back["realmId"], redirect_url=REDIRECT, verifier="v" * 50)
    assert paired.external_id == back["realmId"]
    assert paired.home_currency == "USD"
    assert paired.name
    assert {
        "access_token",
        "refresh_token",
        "expires_at",
        "refresh_expires_at",
        "hard_expires_at",
    } <= paired.secrets.keys()
    assert paired.preferences["uses_sales_tax"] == "true"
    with pytest.raises(Rejected, match="NEEDS_RECONNECT"):
        await oauth.finish(code=back["code"], realm_id=back["realmId"], redirect_url=REDIRECT, verifier="v" * 50)


async def test_tokens_of_one_company_open_no_other(stand_in: StandIn, company: Company) -> None:
    oauth = IntuitOAuth(stand_in.settings())
    back = consent(await oauth.authorization_url(state="s", redirect_url=REDIRECT, verifier="v" * 50))
    assert back["realmId"] != company.realm
    with pytest.raises(Rejected, match="NO_ACCESS"):
        await oauth.finish(code=back["code"], realm_id=company.realm, redirect_url=REDIRECT, verifier="v" * 50)


@pytest.mark.parametrize("realm", ["", "not-a-number", "1" * 31])
async def test_a_redirect_without_a_company_is_refused(stand_in: StandIn, realm: str) -> None:
    with pytest.raises(Rejected, match="COMPANY_UNKNOWN"):
        await IntuitOAuth(stand_in.settings()).finish(code="c", realm_id=realm, redirect_url=REDIRECT, verifier="")


async def test_an_expired_token_is_renewed_before_it_is_used_and_stored_first(company: Company) -> None:
    secrets = {**company.tokens(), "expires_at": EXPIRED}
    async with company.session(company.file(secrets=secrets)) as session:
        await company.written(session, operation(samples.customer()))
    assert company.kept["access_token"] != secrets["access_token"]
    assert from_secrets(company.kept).expires_at > datetime.now(UTC) + timedelta(minutes=50)


async def test_a_token_that_the_ledger_refuses_is_renewed_once(company: Company) -> None:
    async with company.session() as session:
        company.stand_in.fail(action="expire_token", entity="Customer", realm=company.realm)
        await company.written(session, operation(samples.customer()))
    assert company.kept["access_token"]


async def test_a_revoked_connection_stops_the_company_and_keeps_documents_queued(company: Company) -> None:
    file = company.file()
    oauth = IntuitOAuth(company.stand_in.settings())
    async with company.session(file) as session:
        await company.written(session, operation(samples.customer()))
        await oauth.revoke(file.secrets)
        refused = await company.write(session, operation(samples.item()))
        assert isinstance(refused, Refused)
        assert (refused.error_class, refused.reason.code) == (ErrorClass.TOKEN, "NEEDS_RECONNECT")
        assert refused.stops_company
        assert isinstance(await company.write(session, operation(samples.customer("Bo Ng"))), NotSent)
        with pytest.raises(Rejected, match="NEEDS_RECONNECT"):
            await session.find([operation(samples.customer("Bo Ng"))])
    await oauth.revoke(file.secrets)


async def test_a_wrong_secret_of_the_app_is_no_reason_to_reconnect(company: Company) -> None:
    oauth = IntuitOAuth(company.stand_in.settings(client_secret="wrong"))
    with pytest.raises(UpstreamUnavailable, match="app's settings"):
        await oauth.refresh(company.tokens()["refresh_token"])


async def test_an_unknown_refresh_token_needs_a_person(company: Company) -> None:
    with pytest.raises(NeedsReconnect, match="invalid_grant"):
        await IntuitOAuth(company.stand_in.settings()).refresh("RT1-unknown")


async def test_an_oauth_server_that_is_away_is_waited_for(company: Company) -> None:
    settings = company.stand_in.settings(discovery_url="http://127.0.0.1:9/nothing")
    with pytest.raises(UpstreamUnavailable):
        await IntuitOAuth(settings).discover()


class Vault:
    """Secrets of one company in one place, with one right to rotate them: what a lease row does for replicas."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.secrets = dict(secrets)
        self.rotations = 0
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Mapping[str, str]]:
        async with self._lock:
            yield dict(self.secrets)

    async def keep(self, secrets: Mapping[str, str]) -> None:
        assert self._lock.locked(), "stored without the right to rotate"
        self.rotations += 1
        self.secrets = dict(secrets)


async def test_two_replicas_refresh_once_between_them(company: Company) -> None:
    company.stand_in.steer("PUT", "/settings", {"tokens": {"rotate_after_s": 0}})
    try:
        vault = Vault({**company.tokens(), "expires_at": EXPIRED})
        oauth = IntuitOAuth(company.stand_in.settings())

        def replica() -> Access:
            file = company.file(secrets=vault.secrets, secrets_lease=vault.lease, keep_secrets=vault.keep)
            return Access(oauth, CompanySecrets(file))

        replicas = [replica() for _ in range(5)]
        tokens = await asyncio.gather(*(one.token() for one in replicas))
        assert len(set(tokens)) == 1
        assert vault.rotations == 1
        renewed = await asyncio.gather(*(one.renew(tokens[0]) for one in replicas))
        assert len(set(renewed)) == 1
        assert vault.rotations == 2
    finally:
        company.stand_in.steer("PUT", "/settings", {"tokens": {"rotate_after_s": 86400}})


async def test_tokens_that_nobody_keeps_are_never_refreshed_away(company: Company) -> None:
    secrets = {**company.tokens(), "expires_at": EXPIRED}
    file = company.file(secrets=secrets, keep_secrets=None)
    access = Access(IntuitOAuth(company.stand_in.settings()), CompanySecrets(file))
    with pytest.raises(NeedsReconnect, match="nobody keeps"):
        await access.token()


async def test_the_ledger_as_the_service_sees_it_pairs_opens_and_reports(stand_in: StandIn, company: Company) -> None:
    adapter: Any = ledger(stand_in.settings())
    assert adapter.name == "quickbooks_online"
    assert CLIENT[0] in await adapter.oauth.authorization_url(state="s", redirect_url=REDIRECT, verifier="v" * 50)
    async with adapter.open(company.file()) as session:
        await company.people_and_goods(session)
        pages = [page async for page in session.lists(adapter.list_names)]
    names = {entry.list_name for page in pages for entry in page}
    assert {"accounts", "items", "customers", "vendors", "tax_codes", "payment_methods", "terms"} <= names
    balances = await adapter.report(company.file(), None)
    assert sum(row.balance for row in balances) == 0
