"""OAuth 2 with Intuit: discovery, consent, code exchange, refresh, revocation. Tokens are kept elsewhere (`tokens`)."""

import warnings
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import structlog
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.integrations.base_client.errors import OAuthError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from common.errors import Rejected, UpstreamUnavailable
from common.messages.base import Reason
from ledger_writer.ledgers.protocol import Paired
from ledger_writer.ledgers.quickbooks_online.pairing import read_company
from ledger_writer.ledgers.quickbooks_online.settings import ACCOUNTING_SCOPE, OnlineSettings
from ledger_writer.ledgers.quickbooks_online.tokens import NeedsReconnect, Tokens
from ledger_writer.ledgers.quickbooks_online.transport import bounded, trusted

with warnings.catch_warnings():
    # It asks for another HTTP library on import; the one that everything here uses is httpx.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

log = structlog.get_logger(__name__)

_HEADERS: Final = {
    "Accept": "application/json",
    "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
    # Consents end five years after they were given, and only this header makes Intuit say when.
    "x-include-refresh-token-hard-expires-in": "true",
}
_ANSWER_MAX: Final = 64 * 1024


class Discovery(BaseModel):
    """The addresses that Intuit publishes; they are never written down here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    code_challenge_methods_supported: tuple[str, ...] = ()

    @property
    def proof_key(self) -> bool:
        """Whether consent can be protected with PKCE."""
        return "S256" in self.code_challenge_methods_supported


class TokenAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    access_token: str = Field(min_length=1)
    refresh_token: str = Field(min_length=1)
    expires_in: int = Field(gt=0)
    refresh_expires_in: int | None = Field(None, alias="x_refresh_token_expires_in")
    hard_expires_in: int | None = Field(None, alias="x_refresh_token_hard_expires_in")


class IntuitOAuth:
    """The conversation with Intuit's OAuth endpoints for one app."""

    def __init__(self, settings: OnlineSettings) -> None:
        self._settings = settings
        self._discovery: Discovery | None = None

    async def discover(self) -> Discovery:
        """Read the discovery document once. Raises `UpstreamUnavailable` where it can't be had."""
        if self._discovery is None:
            async with self._http() as http:
                answer = await _answered(http.get(self._settings.discovery_url))
            try:
                self._discovery = Discovery.model_validate_json(answer.content.lstrip(b"\xef\xbb\xbf"))
            except ValidationError as error:
                raise UpstreamUnavailable("Intuit's discovery document can't be read") from error
        return self._discovery

    async def authorization_url(self, *, state: str, redirect_url: str, verifier: str) -> str:
        """Where to send the user. The verifier is used where Intuit offers PKCE. Raises `UpstreamUnavailable`."""
        found = await self.discover()
        async with self._oauth(found, redirect_url) as client:
            url, _ = client.create_authorization_url(
                found.authorization_endpoint, state=state, code_verifier=verifier if found.proof_key else None
            )
        return str(url)

    async def finish(self, *, code: str, realm_id: str, redirect_url: str, verifier: str) -> Paired:
        """The code for tokens, then read the company with them.

        The company id comes from the redirect: the token answer does not repeat it, so that reading the company is
        what proves that the tokens belong to it. Raises `Rejected` or `Retryable`.
        """
        if not realm_id.isdigit() or len(realm_id) > 30:
            raise Rejected(
                Reason(
                    code="COMPANY_UNKNOWN",
                    text="the answer of QuickBooks names no company",
                    cure="Start again and choose a company.",
                    field="realmId",
                    value=realm_id[:500],
                )
            )
        tokens = await self._exchange(code, redirect_url, verifier)
        return await read_company(self._settings, realm_id, tokens)

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens; the refresh token given dies with the answer.

        Raises `NeedsReconnect` (expired, revoked, used elsewhere) or `UpstreamUnavailable`.
        """
        found = await self.discover()
        async with self._oauth(found) as client:
            return _tokens(
                await _token_answer(
                    client.refresh_token(found.token_endpoint, refresh_token=refresh_token, headers=_HEADERS)
                )
            )

    async def revoke(self, secrets: Mapping[str, str]) -> None:
        """End the whole connection; either token does. Tokens that are dead already are fine. Raises `Retryable`."""
        token = secrets.get("refresh_token") or secrets.get("access_token")
        if not token:
            return
        found = await self.discover()
        basic = httpx.BasicAuth(self._settings.client_id, self._settings.client_secret.get_secret_value())
        async with self._http() as http:
            answer = await _answered(
                # Intuit wants JSON here, where the standard (and so the library) has a form.
                http.post(
                    found.revocation_endpoint, json={"token": token}, auth=basic, headers={"Accept": "application/json"}
                ),
                accept=(200, 400),
            )
        log.info("oauth_revoked", status=answer.status_code, tid=answer.headers.get("intuit_tid", ""))

    async def _exchange(self, code: str, redirect_url: str, verifier: str) -> Tokens:
        found = await self.discover()
        async with self._oauth(found, redirect_url) as client:
            try:
                answer = await _token_answer(
                    client.fetch_token(
                        found.token_endpoint,
                        grant_type="authorization_code",
                        code=code,
                        code_verifier=verifier if found.proof_key else None,
                        headers=_HEADERS,
                    )
                )
            except NeedsReconnect as error:
                raise Rejected(
                    Reason(
                        code="NEEDS_RECONNECT",
                        text=str(error),
                        cure="Codes work once and for minutes: connect the company file again.",
                    )
                ) from error
        return _tokens(answer)

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._timeout(), transport=_transport(), trust_env=False)

    def _oauth(self, found: Discovery, redirect_url: str = "") -> Any:
        client = AsyncOAuth2Client(
            client_id=self._settings.client_id,
            client_secret=self._settings.client_secret.get_secret_value(),
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 (the name of a method)
            scope=ACCOUNTING_SCOPE,
            redirect_uri=redirect_url or None,
            code_challenge_method="S256" if found.proof_key else None,
            timeout=self._timeout(),
            transport=_transport(),
            trust_env=False,
        )
        for answer in ("access_token_response", "refresh_token_response"):
            client.register_compliance_hook(answer, _raise_server_errors)
        return client

    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(30.0, connect=self._settings.connect_timeout_s)


def _transport() -> httpx.AsyncBaseTransport:
    return bounded(httpx.AsyncHTTPTransport(verify=trusted()), _ANSWER_MAX)


async def _answered(call: Awaitable[httpx.Response], accept: tuple[int, ...] = (200,)) -> httpx.Response:
    try:
        answer = await call
    except httpx.TransportError as error:
        raise UpstreamUnavailable(f"Intuit did not answer: {type(error).__name__}") from error
    if answer.status_code not in accept:
        raise UpstreamUnavailable(f"Intuit's OAuth server answered {answer.status_code}")
    return answer


async def _token_answer(call: Awaitable[Mapping[str, Any]]) -> Mapping[str, Any]:
    try:
        return await call
    except OAuthError as error:
        raise _refused(error.error or "", error.description or "") from error
    except httpx.HTTPStatusError as error:
        raise UpstreamUnavailable(f"Intuit's token endpoint answered {error.response.status_code}") from error
    except (httpx.TransportError, ValueError) as error:
        raise UpstreamUnavailable(f"Intuit's token endpoint did not answer: {type(error).__name__}") from error


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    try:
        read = TokenAnswer.model_validate(dict(answer))
    except ValidationError as error:
        raise UpstreamUnavailable("Intuit's token answer can't be read") from error
    now = datetime.now(UTC)

    def later(seconds: int | None) -> datetime | None:
        return None if seconds is None else now + timedelta(seconds=seconds)

    return Tokens(
        access_token=read.access_token,
        refresh_token=read.refresh_token,
        expires_at=now + timedelta(seconds=read.expires_in),
        refresh_expires_at=later(read.refresh_expires_in),
        hard_expires_at=later(read.hard_expires_in),
    )


def _raise_server_errors(answer: httpx.Response) -> httpx.Response:
    # A gateway's trouble must not be read as a refusal of the token.
    if answer.status_code >= 500 or answer.status_code == 429:
        answer.raise_for_status()
    return answer


def _refused(error: str, description: str) -> Exception:
    if error in ("invalid_grant", "access_denied"):
        return NeedsReconnect(f"Intuit refuses the tokens of this company ({error}: {description[:200]})")
    return UpstreamUnavailable(f"Intuit's token endpoint refused the call ({error[:50]}): check the app's settings")
