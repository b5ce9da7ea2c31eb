"""The client: problems become sentences and exit statuses, pages are put together, posts carry a key."""

import json
from typing import Any

import httpx
import pytest

from cli.client import Api
from cli.problems import CommandFailed, Exit
from cli.profile import Profile

PROFILE = Profile("http://api.example/", "tb_1_2")


def answering(status: int, body: Any = None, content: bytes | None = None) -> Api:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json=body) if content is None else httpx.Response(status, content=content)

    return Api(PROFILE, httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("http_status", "exit_status"),
    [
        (400, Exit.REFUSED),
        (401, Exit.NOT_CONFIGURED),
        (403, Exit.REFUSED),
        (404, Exit.REFUSED),
        (422, Exit.REFUSED),
        (429, Exit.UNREACHABLE),
        (500, Exit.UNREACHABLE),
        (503, Exit.UNREACHABLE),
    ],
)
def test_each_status_has_its_exit_status(http_status: int, exit_status: Exit) -> None:
    with answering(http_status, {"detail": "so it is"}) as api, pytest.raises(CommandFailed) as caught:
        api.get("/v1/orders")
    assert caught.value.status is exit_status
    assert caught.value.text == "so it is"


def test_wrong_fields_are_told_one_by_one() -> None:
    problem = {"detail": "no", "cure": "mend", "errors": [{"field": "body.mode", "value": "x", "cure": "use y"}]}
    with answering(422, problem) as api, pytest.raises(CommandFailed) as caught:
        api.post("/v1/runs", {})
    assert caught.value.details == ("body.mode: use y",)
    assert caught.value.cure == "mend"


def test_an_answer_that_is_no_problem_is_still_told() -> None:
    with answering(502, content=b"<html>") as api, pytest.raises(CommandFailed, match="answered 502"):
        api.get("/v1/orders")


def test_an_api_that_is_not_there_is_unreachable() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with Api(PROFILE, httpx.MockTransport(refuse)) as api, pytest.raises(CommandFailed) as caught:
        api.get("/v1/orders")
    assert caught.value.status is Exit.UNREACHABLE
    assert "http://api.example" in caught.value.text


def test_pages_are_read_until_the_end_or_the_limit() -> None:
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        start = int(request.url.params.get("cursor", "0"))
        rows = [{"n": n} for n in range(start, min(start + int(request.url.params["limit"]), 450))]
        following = str(start + len(rows)) if start + len(rows) < 450 else None
        return httpx.Response(200, json={"items": rows, "next_cursor": following})

    with Api(PROFILE, httpx.MockTransport(answer)) as api:
        assert [row["n"] for row in api.pages("/v1/orders", rows_max=10_000, number=None)] == list(range(450))
        assert len(asked) == 3
        assert all("number" not in params for params in asked)
        assert len(list(api.pages("/v1/orders", rows_max=250))) == 250


def test_every_post_has_its_own_idempotency_key() -> None:
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        return httpx.Response(204)

    with Api(PROFILE, httpx.MockTransport(answer)) as api:
        api.post("/v1/runs", {})
        api.post("/v1/runs", {})
    assert len(set(keys)) == 2


def test_events_are_named_and_parsed() -> None:
    stream = b": ping\n\nevent: progress\ndata: " + json.dumps({"done": 1}).encode() + b"\n\nevent: end\ndata: {}\n\n"
    with answering(200, content=stream) as api:
        assert list(api.events("/v1/runs/1/events")) == [("progress", {"done": 1}), ("end", {})]
