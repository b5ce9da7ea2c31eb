"""Outbound HTTP: status codes become our errors in one place, answers are bounded, bodies are never quoted."""

import gzip

import httpx
import pytest

from common.errors import RateLimited, UpstreamRefused, UpstreamUnavailable
from common.http import ANSWER_BYTES_MAX, OutboundClient, raise_for_status, retry_after_s


def client(answer: httpx.Response | Exception, answer_bytes_max: int = ANSWER_BYTES_MAX) -> OutboundClient:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return OutboundClient(
        "shop", "https://shop.example", transport=httpx.MockTransport(respond), answer_bytes_max=answer_bytes_max
    )


@pytest.mark.parametrize("status", [408, 425, 500, 501, 502, 503, 504, 505, 508, 511, 520, 521, 525, 530, 599])
def test_what_may_pass_by_itself_is_retryable(status: int) -> None:
    with pytest.raises(UpstreamUnavailable):
        raise_for_status("shop", httpx.Response(status))


def test_a_request_to_slow_down_carries_its_wait() -> None:
    with pytest.raises(RateLimited) as raised:
        raise_for_status("shop", httpx.Response(429, headers={"retry-after": "2.5"}))
    assert raised.value.retry_after_s == 2.5


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "UPSTREAM_REFUSED"),
        (401, "UPSTREAM_UNAUTHORIZED"),
        (403, "UPSTREAM_FORBIDDEN"),
        (404, "UPSTREAM_NOT_FOUND"),
    ],
)
def test_a_refusal_is_final_and_does_not_quote_the_answer(status: int, code: str) -> None:
    with pytest.raises(UpstreamRefused) as raised:
        raise_for_status("shop", httpx.Response(status, text="token shpat_secret is wrong"))
    assert raised.value.reason.code == code
    assert "shpat_secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("header", "expected"), [("7", 7.0), ("-1", 0.0), ("999999999", 86_400.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_retry_after_is_bounded(header: str, expected: float | None) -> None:
    assert retry_after_s(httpx.Response(429, headers={"retry-after": header})) == expected


async def test_an_answer_above_the_bound_is_not_read_to_its_end() -> None:
    with pytest.raises(UpstreamUnavailable, match="more than 10 bytes"):
        await client(httpx.Response(200, content=b"x" * 11), answer_bytes_max=10).request("GET", "/orders")


async def test_a_compressed_answer_counts_at_its_real_size() -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    answer = httpx.Response(200, content=bomb, headers={"content-encoding": "gzip"})
    with pytest.raises(UpstreamUnavailable, match="more than"):
        await client(answer, answer_bytes_max=10_000).request("GET", "/orders")


async def test_a_compressed_answer_is_read_once() -> None:
    answer = httpx.Response(200, content=gzip.compress(b'{"ok":true}'), headers={"content-encoding": "gzip"})
    response = await client(answer).request("GET", "/orders")
    assert response.json() == {"ok": True}


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("no"), httpx.ReadTimeout("late"), httpx.RemoteProtocolError("cut")]
)
async def test_no_answer_is_unavailable(error: Exception) -> None:
    with pytest.raises(UpstreamUnavailable, match="did not answer"):
        await client(error).request("GET", "/orders")


async def test_redirects_are_answers_not_journeys() -> None:
    answer = httpx.Response(302, headers={"location": "https://elsewhere.example"})
    assert (await client(answer).request("GET", "/orders")).status_code == 302
