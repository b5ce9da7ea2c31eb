"""What QuickBooks Online says when it refuses: two JSON shapes, XML, or something a gateway made up.

Reading is defensive on purpose: the body of a refusal may come from the API, from the gateway in front of it (which
answers in XML or HTML whatever was asked for), or be empty.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ledger_writer.ledgers.quickbooks_online.numbers import loads

_TEXT_MAX = 2000
_ERRORS_MAX = 20
_CODE_IN_MESSAGE = re.compile(r"errorCode=0*(\d+)")


@dataclass(frozen=True, slots=True)
class FaultError:
    """One error of a fault. `code` is text without leading zeros, empty where none was given."""

    code: str
    message: str = ""
    detail: str = ""
    element: str = ""

    @property
    def text(self) -> str:
        """Message and detail as one sentence, without saying the same thing twice."""
        if not self.detail or self.detail == self.message:
            return self.message
        return self.detail if self.detail.startswith(self.message) else f"{self.message}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal. `status` is the HTTP status (200 for a fault inside an accepted call)."""

    status: int
    errors: tuple[FaultError, ...] = ()
    kind: str = ""
    raw: str = ""
    tid: str = ""
    retry_after_s: float | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(error.code for error in self.errors)

    @property
    def throttled(self) -> bool:
        """429, or the 403 that older gateways sent for the same thing."""
        return self.status == 429 or "3001" in self.codes


def read_fault(status: int, body: bytes, *, tid: str = "", retry_after_s: float | None = None) -> Fault:
    """Read a refusal of any shape. An unreadable body gives a fault without errors; `raw` keeps what was said."""
    raw = body[:_TEXT_MAX].decode("utf-8", "replace")
    errors, kind = _read(body)
    return Fault(status=status, errors=errors, kind=kind, raw=raw, tid=tid, retry_after_s=retry_after_s)


def fault_inside(content: Any, *, status: int = 200, tid: str = "") -> Fault | None:
    """The fault inside an answer that was accepted, or None. `content` is one parsed answer or batch element."""
    found = _from_json(content)
    if found is None:
        return None
    errors, kind = found
    return Fault(status=status, errors=errors, kind=kind, raw=_shown(content), tid=tid)


def _read(body: bytes) -> tuple[tuple[FaultError, ...], str]:
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start in (b"{", b"["):
        try:
            return _from_json(loads(body)) or ((), "")
        except ValueError:
            return (), ""
    if start == b"<":
        return _from_xml(body)
    return (), ""


def _from_json(content: Any) -> tuple[tuple[FaultError, ...], str] | None:
    if not isinstance(content, dict):
        return None
    fault = content.get("Fault") or content.get("fault")
    if not isinstance(fault, dict):
        return None
    listed = fault.get("Error") or fault.get("error") or []
    errors = tuple(_one(error) for error in listed[:_ERRORS_MAX] if isinstance(error, dict))
    return errors, _text(fault, "type")


def _one(error: dict[str, Any]) -> FaultError:
    message = _text(error, "Message", "message")
    return FaultError(
        code=_code(_text(error, "code"), message),
        message=message,
        detail=_text(error, "Detail", "detail"),
        element=_text(error, "element"),
    )


def _from_xml(body: bytes) -> tuple[tuple[FaultError, ...], str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        return (), ""
    fault = root if _local(root) == "Fault" else next((node for node in root.iter() if _local(node) == "Fault"), None)
    if fault is None:
        return (), ""
    errors = [node for node in fault.iter() if _local(node) == "Error"][:_ERRORS_MAX]
    return tuple(_one_from_xml(node) for node in errors), fault.get("type", "")


def _one_from_xml(node: etree._Element) -> FaultError:
    parts = {_local(child): (child.text or "").strip()[:_TEXT_MAX] for child in node}
    message = parts.get("Message", "")
    return FaultError(
        code=_code(node.get("code", ""), message),
        message=message,
        detail=parts.get("Detail", ""),
        element=node.get("element", ""),
    )


def _local(node: etree._Element) -> str:
    # Comments and processing instructions have a function for a tag.
    return str(node.tag).rpartition("}")[2]


def _text(content: dict[str, Any], *names: str) -> str:
    for name in names:
        value = content.get(name)
        if value is not None:
            return str(value)[:_TEXT_MAX]
    return ""


def _code(code: str, message: str) -> str:
    """The code as listed (`3001`); gateways write it with zeros, or only inside the message."""
    code = code.strip()
    if not code:
        found = _CODE_IN_MESSAGE.search(message)
        code = found.group(1) if found else ""
    return code.lstrip("0") or code


def _shown(content: Any) -> str:
    return json.dumps(content, default=str)[:_TEXT_MAX]
