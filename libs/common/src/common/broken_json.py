"""What is wrong with a body that is not JSON, where, and what to do there.

Nothing of the body itself is repeated: what stands beside the wrong place may be a password.
"""

import json
from dataclasses import dataclass

_COMMA = "after the last one stands no comma"
_CURES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("trailing comma",), f"leave the comma out: {_COMMA}"),
    (("Expecting property name", "a string key"), f"put the name in double quotes; {_COMMA}"),
    (("Expecting ',' delimiter", "expected ','"), "put a comma between the two, or close what was opened before"),
    (("Expecting ':' delimiter", "expected ':'"), "put a colon between the name and its value"),
    (
        ("Expecting value", "a JSON value"),
        f"write a value there: text stands in double quotes; {_COMMA}",
    ),
    (("Extra data", "content after document"), "send one value and nothing after it"),
    (("Unterminated string",), "close the text that begins there with a double quote"),
    (("control character",), r"write line breaks and tabs within a text as \n and \t"),
    (("escape",), r"write a backslash within a text as \\, and a quote as \""),
    (("depth",), "nest it less deeply"),
    (("byte order mark", "BOM"), "leave the byte order mark before it out"),
    (("surrogate",), r"write a character beyond \uffff as itself, or as both halves of its pair"),
    (("infinity",), "write numbers that a double can hold, or as text"),
)
_OTHERWISE = "send complete JSON in UTF-8"


@dataclass(frozen=True, slots=True)
class BrokenJson:
    """The parser's words with the place, and the cure there."""

    text: str
    place: str
    cure: str


def broken_json(error: ValueError, body: bytes = b"") -> BrokenJson:
    """Read an error of `json` or `orjson`; `body` where the error itself may not hold what was read.

    Line and column count characters from 1, the byte counts from 0.
    """
    if isinstance(error, json.JSONDecodeError) and (error.doc or not body):
        return _said(error.msg, error.doc[: error.pos], rest=error.doc[error.pos :])
    if not isinstance(error, UnicodeDecodeError):
        try:
            body.decode()
        except UnicodeDecodeError as found:
            error = found
        else:
            return _said(str(error), "", cure=_OTHERWISE)
    read = error.object[: error.start].decode(errors="replace")
    return _said("a byte that is no UTF-8", read, cure="encode the body as UTF-8")


def _said(why: str, read: str, *, rest: str = "", cure: str = "") -> BrokenJson:
    line = read.count("\n") + 1
    column = len(read) - (read.rfind("\n") + 1) + 1
    place = f"line {line}, column {column} (byte {len(read.encode(errors='surrogatepass'))})"
    return BrokenJson(f"the body is not JSON: {why} at {place}", place, cure or _cure(why, read, rest))


def _cure(why: str, read: str, rest: str) -> str:
    if not rest.strip():
        return "send it whole: it ends too early" if read.strip() else "send a body: this one is empty"
    return next((cure for words, cure in _CURES if any(word in why for word in words)), _OTHERWISE)
