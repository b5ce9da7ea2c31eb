"""A body that is not JSON is told where and what to do, whichever parser has read it."""

import json

import orjson
import pytest

from common.broken_json import BrokenJson, broken_json


def told(body: bytes) -> list[BrokenJson]:
    """What is said when each of the two parsers has read the body."""
    found = []
    for read in (json.loads, orjson.loads):
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - each parser has a class of its own
            read(body)
        found.append(broken_json(refused.value, body))
    return found


@pytest.mark.parametrize(
    ("body", "places", "cure"),
    [
        (b'{"a": 1', ["line 1, column 8 (byte 7)"], "send it whole"),
        (b"", ["line 1, column 1 (byte 0)"], "this one is empty"),
        (b'{"a":\n  1 2}', ["line 2, column 5 (byte 10)"], "put a comma between the two"),
        ('{"ä": "ü", b}'.encode(), ["line 1, column 12 (byte 13)"], "name in double quotes"),
        (b'{"a" 1}', ["line 1, column 6 (byte 5)"], "put a colon"),
        (b'{"a": x}', ["line 1, column 7 (byte 6)"], "write a value there"),
        (b"{} {}", ["line 1, column 4 (byte 3)"], "nothing after it"),
        (b'{"a": "x\ny"}', ["line 1, column 9 (byte 8)"], r"within a text as \n"),
        (b'{"a": "\\x"}', ["line 1, column 8 (byte 7)", "line 1, column 9 (byte 8)"], "write a backslash"),
        ('{"ä":\n"'.encode() + b'\xff"}', ["line 2, column 2 (byte 8)"], "encode the body as UTF-8"),
    ],
)
def test_the_place_is_counted_in_lines_characters_and_bytes(body: bytes, places: list[str], cure: str) -> None:
    for found in told(body):
        assert found.place in places
        assert found.text.endswith(f" at {found.place}")
        assert cure in found.cure


@pytest.mark.parametrize(
    ("body", "cure"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "leave the byte order mark"),
        (b'{"a": "\\ud800"}', "both halves of its pair"),
        (b'{"a": 1e999}', "that a double can hold"),
    ],
)
def test_what_only_the_strict_parser_refuses_has_its_cure(body: bytes, cure: str) -> None:
    with pytest.raises(orjson.JSONDecodeError) as refused:
        orjson.loads(body)
    assert cure in broken_json(refused.value, body).cure


def test_nothing_of_the_body_is_repeated() -> None:
    for found in told(b'{"access_token": "shpat_hidden" "webhook_secret": "whsec_hidden"}'):
        assert "hidden" not in f"{found.text} {found.cure}"
