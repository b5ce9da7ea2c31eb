"""Intuit's OAuth 2 and OpenID endpoints: discovery, consent, tokens, revocation, user info, keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.tokens import Client, Grant

SCOPES = (
    "com.intuit.quickbooks.accounting",
    "com.intuit.quickbooks.payment",
    "openid",
    "profile",
    "email",
    "phone",
    "address",
)
_FORM_LIMIT = 20_000


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class IdTokens:
    """Signs id tokens with a key made for this run, when the first one is asked for."""

    def __init__(self) -> None:
        self.kid = secrets.token_hex(10)

    @cached_property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        key = {
            "kty": "RSA",
            "e": _b64(numbers.e.to_bytes(3, "big")),
            "use": "sig",
            "kid": self.kid,
            "alg": "RS256",
            "n": _b64(numbers.n.to_bytes(size, "big")),
        }
        return {"keys": [key]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A compact RS256 token, padded with blanks so that decoders that forget the padding still read it."""
        head = {"kid": self.kid, "typ": "JWT", "alg": "RS256"}
        parts = []
        for section in (head, claims):
            text = json.dumps(section)
            parts.append(_b64((text + " " * (-len(text) % 3)).encode()))
        signed = ".".join(parts).encode()
        signature = self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        return f"{signed.decode()}.{_b64(signature)}"


def build_oauth(server: Server) -> APIRouter:  # noqa: C901 - six small routes in one place
    """The router; addresses in the discovery document follow the host the client called."""
    router = APIRouter()
    id_tokens = IdTokens()

    def answer(status: int, body: dict[str, Any]) -> JSONResponse:
        headers = {"intuit_tid": server.trace_id(), "Cache-Control": "no-cache, no-store"}
        return JSONResponse(body, status, headers)

    @router.get("/.well-known/openid_configuration")
    @router.get("/.well-known/openid_sandbox_configuration")
    @router.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> JSONResponse:
        return answer(200, _discovery(str(request.base_url).rstrip("/")))

    @router.get("/op/v1/jwks")
    async def jwks() -> JSONResponse:
        return answer(200, id_tokens.jwks())

    @router.get("/connect/oauth2")
    async def authorize(request: Request) -> Response:
        return _authorize(server, dict(request.query_params))

    @router.post("/oauth2/v1/tokens/bearer")
    async def token(request: Request) -> JSONResponse:
        server.count("tokens")
        form = await _form(request)
        client = _client(server, request, form)
        if client is None:
            return answer(401, {"error": "invalid_client"})
        grant = _grant(server, client, form)
        if isinstance(grant, dict):
            server.count(f"token_error:{grant['error']}")
            return answer(400, grant)
        hard = request.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true"
        issuer = str(request.base_url).rstrip("/") + "/op/v1"
        return answer(200, _token_answer(server, id_tokens, grant, issuer, hard=hard))

    @router.post("/v2/oauth2/tokens/revoke")
    async def revoke(request: Request) -> Response:
        form = await _form(request)
        if _client(server, request, form) is None:
            return answer(401, {"error": "invalid_client"})
        if not server.tokens.revoke(str(form.get("token", ""))):
            return answer(400, {"error": "invalid_request", "error_description": "Token is missing or unknown"})
        return Response(status_code=200, headers={"intuit_tid": server.trace_id()})

    @router.get("/v1/openid_connect/userinfo")
    async def userinfo(request: Request) -> JSONResponse:
        grant = server.tokens.check(request.headers.get("authorization", "")[7:].strip())
        if grant is None:
            return answer(401, {"error": "invalid_token"})
        return answer(200, _user(grant))

    return router


def _discovery(base: str) -> dict[str, Any]:
    """The discovery document; every address lies under ``base``."""
    return {
        "issuer": f"{base}/op/v1",
        "authorization_endpoint": f"{base}/connect/oauth2",
        "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
        "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
        "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
        "jwks_uri": f"{base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
    }


def _authorize(server: Server, params: dict[str, str]) -> Response:
    """Consent without a screen: back to the app with code, state and realmId, or with an error."""
    client = server.tokens.clients.get(params.get("client_id", ""))
    redirect = params.get("redirect_uri", "")
    if client is None or not redirect or (client.redirect_uris and redirect not in client.redirect_uris):
        return JSONResponse(
            {"error": "invalid_request", "error_description": "client_id or redirect_uri is unknown"}, 400
        )
    state = params.get("state", "")
    scopes = tuple(params.get("scope", "").split())
    realm = params.get("realmId") or params.get("realm_id") or next(iter(server.companies), "")
    problem = ""
    if params.get("response_type") != "code":
        problem = "unsupported_response_type"
    elif not scopes or any(scope not in SCOPES and not scope.startswith("com.intuit.") for scope in scopes):
        problem = "invalid_scope"
    elif server.settings.consent != "allow" or realm not in server.companies:
        problem = "access_denied"
    joint = "&" if "?" in redirect else "?"
    if problem:
        return RedirectResponse(redirect + joint + urlencode({"error": problem, "state": state}), 302)
    method = params.get("code_challenge_method", "plain")
    code = server.tokens.authorize(client.identifier, realm, scopes, redirect, params.get("code_challenge"), method)
    server.count("authorizations")
    return RedirectResponse(redirect + joint + urlencode({"code": code, "state": state, "realmId": realm}), 302)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form or JSON body of bounded size; an unreadable body is an empty one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_LIMIT:
            return {}
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            parsed = json.loads(body or b"{}")
        except ValueError:
            return {}
        return {str(name): str(value) for name, value in parsed.items()} if isinstance(parsed, dict) else {}
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def _client(server: Server, request: Request, form: dict[str, str]) -> Client | None:
    """The client that authenticates itself by Basic header or by form fields."""
    header = request.headers.get("authorization", "")
    if header.lower().startswith("basic "):
        try:
            identifier, _, secret = base64.b64decode(header[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
    else:
        identifier, secret = form.get("client_id", ""), form.get("client_secret", "")
    client = server.tokens.clients.get(identifier)
    if client is None or not secrets.compare_digest(client.secret.encode(), secret.encode()):
        return None
    return client


def _grant(server: Server, client: Client, form: dict[str, str]) -> Grant | dict[str, str]:
    """The consent behind the code or refresh token, or the error body."""
    kind = form.get("grant_type")
    if kind == "refresh_token":
        if not form.get("refresh_token"):
            return {"error": "invalid_request", "error_description": "refresh_token is missing"}
        server.tokens.refreshes += 1
        grant = server.tokens.usable(form["refresh_token"], client.identifier)
        return grant or {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}
    if kind != "authorization_code":
        return {"error": "unsupported_grant_type"}
    code = server.tokens.codes.pop(form.get("code", ""), None)
    if code is None or code.grant.client != client.identifier or code.expires < server.tokens.now():
        return {"error": "invalid_grant", "error_description": "The authorization code is invalid or expired"}
    if code.redirect_uri != form.get("redirect_uri"):
        return {"error": "invalid_grant", "error_description": "redirect_uri does not match"}
    if code.challenge is not None and not _proves(code.challenge, code.method, form.get("code_verifier", "")):
        return {"error": "invalid_grant", "error_description": "code_verifier does not match"}
    return code.grant


def _proves(challenge: str, method: str, verifier: str) -> bool:
    if method == "S256":
        return secrets.compare_digest(challenge, _b64(hashlib.sha256(verifier.encode()).digest()))
    return secrets.compare_digest(challenge, verifier)


def _token_answer(server: Server, id_tokens: IdTokens, grant: Grant, issuer: str, *, hard: bool) -> dict[str, Any]:
    access = server.tokens.issue(grant)
    body: dict[str, Any] = {
        "token_type": "bearer",
        "access_token": access,
        "expires_in": server.tokens.settings.access_s,
        "refresh_token": grant.refresh,
        "x_refresh_token_expires_in": server.tokens.settings.refresh_s,
    }
    if hard:
        body["x_refresh_token_hard_expires_in"] = server.tokens.hard_left(grant)
    if "openid" in grant.scopes:
        now = int(server.tokens.now())
        claims = {"sub": _user(grant)["sub"], "aud": [grant.client], "realmid": grant.realm, "iss": issuer, "iat": now}
        body["id_token"] = id_tokens.sign({**claims, "auth_time": now, "exp": now + server.tokens.settings.access_s})
    return body


def _user(grant: Grant) -> dict[str, Any]:
    user: dict[str, Any] = {"sub": hashlib.sha256(grant.realm.encode()).hexdigest()[:32]}
    if "email" in grant.scopes:
        user |= {"email": "owner@cedarlane.example", "emailVerified": True}
    if "profile" in grant.scopes:
        user |= {"givenName": "Robin", "familyName": "Owner"}
    if "phone" in grant.scopes:
        user |= {"phoneNumber": "+1 5555550100", "phoneNumberVerified": False}
    if "address" in grant.scopes:
        user["address"] = {
            "streetAddress": "123 Sierra Way",
            "locality": "San Pablo",
            "region": "CA",
            "postalCode": "87999",
            "country": "US",
        }
    return user
