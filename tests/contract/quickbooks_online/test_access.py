"""OAuth on the wire: consent, PKCE, rotation, expiry, revocation, and the refusals of the API itself."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

BASIC = httpx.BasicAuth("sandbox-client", "sandbox-secret")
REDIRECT = "http://127.0.0.1:9999/back"
SCOPE = "com.intuit.quickbooks.accounting"


def consent(stand_in: Any, **params: str) -> dict[str, str]:
    asked = {"client_id": "sandbox-client", "response_type": "code", "scope": SCOPE, "redirect_uri": REDIRECT}
    answer = stand_in.http.get(f"{stand_in.base}/connect/oauth2", params={**asked, "state": "s1", **params})
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def token(stand_in: Any, auth: Any = BASIC, **form: str) -> httpx.Response:
    url = f"{stand_in.base}/oauth2/v1/tokens/bearer"
    answer: httpx.Response = stand_in.http.post(url, data=form, auth=auth)
    assert answer.headers["intuit_tid"]
    return answer


def exchanged(stand_in: Any, **params: str) -> dict[str, Any]:
    back = consent(stand_in, **params)
    answer = token(stand_in, grant_type="authorization_code", code=back["code"], redirect_uri=REDIRECT)
    found: dict[str, Any] = answer.json()
    return {**found, "realm": back["realmId"]}


def test_the_discovery_document_names_working_addresses(stand_in: Any) -> None:
    found = stand_in.http.get(f"{stand_in.base}/.well-known/openid_configuration").json()
    assert found["token_endpoint"] == f"{stand_in.base}/oauth2/v1/tokens/bearer"
    assert stand_in.http.get(found["jwks_uri"]).json()["keys"][0]["alg"] == "RS256"


def test_consent_hands_out_a_code_that_works_once(stand_in: Any) -> None:
    back = consent(stand_in)
    assert (back["state"], back["realmId"]) == ("s1", "9341450000000001")
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": REDIRECT}
    first = token(stand_in, **form)
    assert first.json()["token_type"] == "bearer"
    assert first.json()["expires_in"] == 3600
    assert first.json()["x_refresh_token_expires_in"] > 8_000_000
    assert token(stand_in, **form).json()["error"] == "invalid_grant"


def test_a_refused_consent_says_so(stand_in: Any) -> None:
    stand_in.control("PUT", "settings", {"server": {"consent": "deny"}})
    try:
        assert consent(stand_in) == {"error": "access_denied", "state": "s1"}
    finally:
        stand_in.control("PUT", "settings", {"server": {"consent": "allow"}})
    assert consent(stand_in, scope="everything")["error"] == "invalid_scope"


def test_a_code_bound_to_a_challenge_needs_its_verifier(stand_in: Any) -> None:
    verifier = "v" * 50
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    asked = {"code_challenge": challenge, "code_challenge_method": "S256"}
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
    wrong = token(stand_in, **form, code=consent(stand_in, **asked)["code"], code_verifier="w" * 50)
    assert wrong.json()["error"] == "invalid_grant"
    right = token(stand_in, **form, code=consent(stand_in, **asked)["code"], code_verifier=verifier)
    assert right.status_code == 200


@pytest.mark.parametrize("auth", [None, httpx.BasicAuth("sandbox-client", "wrong"), httpx.BasicAuth("nobody", "x")])
def test_a_client_that_cannot_prove_itself_is_refused(stand_in: Any, auth: Any) -> None:
    answer = token(stand_in, auth, grant_type="refresh_token", refresh_token="x")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_credentials_may_come_in_the_form(stand_in: Any) -> None:
    pair = exchanged(stand_in)
    form = {"client_id": "sandbox-client", "client_secret": "sandbox-secret", "grant_type": "refresh_token"}
    assert token(stand_in, None, **form, refresh_token=pair["refresh_token"]).status_code == 200


def test_the_refresh_token_rotates_and_the_old_value_dies(stand_in: Any) -> None:
    pair = exchanged(stand_in)
    form = {"grant_type": "refresh_token"}
    same = token(stand_in, **form, refresh_token=pair["refresh_token"]).json()
    assert same["refresh_token"] == pair["refresh_token"]
    stand_in.control("PUT", "settings", {"tokens": {"rotate_after_s": 0}})
    try:
        turned = token(stand_in, **form, refresh_token=pair["refresh_token"]).json()
    finally:
        stand_in.control("PUT", "settings", {"tokens": {"rotate_after_s": 86400}})
    assert turned["refresh_token"] != pair["refresh_token"]
    old = token(stand_in, **form, refresh_token=pair["refresh_token"])
    assert old.json() == {"error": "invalid_grant", "error_description": "Incorrect or invalid refresh token"}


def test_the_end_of_the_chain_is_told_on_request(stand_in: Any) -> None:
    pair = exchanged(stand_in)
    answer = stand_in.http.post(
        f"{stand_in.base}/oauth2/v1/tokens/bearer",
        data={"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]},
        auth=BASIC,
        headers={"x-include-refresh-token-hard-expires-in": "true"},
    )
    assert 157_000_000 < answer.json()["x_refresh_token_hard_expires_in"] <= 157_680_000


def test_tokens_expire_with_the_clock(stand_in: Any) -> None:
    pair = exchanged(stand_in)
    url = f"{stand_in.base}/v3/company/{pair['realm']}/customer/1"
    headers = {"Authorization": f"Bearer {pair['access_token']}", "Accept": "application/json"}
    assert stand_in.http.get(url, headers=headers).status_code == 200
    stand_in.control("PUT", "settings", {"clock_offset_s": 3601})
    try:
        assert stand_in.http.get(url, headers=headers).status_code == 401
        stand_in.control("PUT", "settings", {"clock_offset_s": 101 * 86400})
        late = token(stand_in, grant_type="refresh_token", refresh_token=pair["refresh_token"])
        assert late.json()["error"] == "invalid_grant"
    finally:
        stand_in.control("PUT", "settings", {"clock_offset_s": 0})


def test_a_token_opens_its_own_company_only(stand_in: Any) -> None:
    pair = exchanged(stand_in, realmId="9341450000000002")
    headers = {"Authorization": f"Bearer {pair['access_token']}", "Accept": "application/json"}
    other = stand_in.http.get(f"{stand_in.base}/v3/company/9341450000000001/customer/1", headers=headers)
    assert other.status_code == 403
    assert other.json()["fault"]["error"][0]["code"] == "3100"


def test_revoking_either_token_ends_the_connection(stand_in: Any) -> None:
    pair = exchanged(stand_in)
    url = f"{stand_in.base}/v2/oauth2/tokens/revoke"
    assert stand_in.http.post(url, json={"token": pair["access_token"]}, auth=BASIC).status_code == 200
    again = token(stand_in, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    headers = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (
        stand_in.http.get(f"{stand_in.base}/v3/company/{pair['realm']}/customer/1", headers=headers).status_code == 401
    )
