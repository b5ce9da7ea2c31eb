"""What a person typed reaches the API as one segment of a path, whatever is in it."""

from typing import Any

import httpx
import pytest

from cli.client import Api
from cli.commands.orders import find
from cli.paths import segment
from cli.problems import CommandFailed
from cli.profile import Profile


@pytest.mark.parametrize("number", ["#2001", "?x", "a/b", "..", ".", "50%", "é 1", "1001"])
def test_any_number_is_asked_for_as_it_is(number: str) -> None:
    asked: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/orders":
            assert request.url.params["number"] == number
            return httpx.Response(200, json={"items": [], "next_cursor": None})
        asked.append(request.url.raw_path)
        return httpx.Response(404, json={"detail": "no"})

    api = Api(Profile("http://api.example", "tb_1_2"), httpx.MockTransport(answer))
    with api, pytest.raises(CommandFailed, match="there is no order"):
        find(api, number)
    assert asked == [b"/v1/orders/" + segment(number).encode()]
    assert segment(number).isascii()
    assert not set("#?/") & set(segment(number))


def test_no_text_is_no_id() -> None:
    with pytest.raises(CommandFailed, match="empty"):
        segment("")


def test_what_is_found_by_its_number_is_not_asked_for_by_id() -> None:
    order: dict[str, Any] = {"order_id": "con_1/7"}
    page = {"items": [order], "next_cursor": None}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=page))
    with Api(Profile("http://api.example", "tb_1_2"), transport) as api:
        assert find(api, "#7") == [order]
