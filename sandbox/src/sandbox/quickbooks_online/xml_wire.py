"""The XML form of requests and answers, which the API speaks unless JSON is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.schema import ENTITIES, Spec
from sandbox.quickbooks_online.wire import parse_json, plain

NAMESPACE = "http://schema.intuit.com/finance/v3"
_ATTRIBUTES = frozenset(
    ("domain", "sparse", "status", "bId", "startPosition", "maxResults", "totalCount", "type", "code", "element")
)
_WRAPPERS = frozenset({"QueryResponse", "BatchItemResponse", "CDCResponse", "AttachableResponse", "Fault", "Error"})


def wants_xml(headers: dict[bytes, bytes]) -> bool:
    """Whether the answer is to be XML: when the client accepts no JSON by name."""
    return b"json" not in headers.get(b"accept", b"").lower()


def sends_xml(headers: dict[bytes, bytes]) -> bool:
    return b"xml" in headers.get(b"content-type", b"").lower()


def answer_xml(body: bytes) -> bytes:
    """The XML of an encoded JSON answer."""
    document = parse_json(body)
    time = document.pop("time", None)
    stamp = f" time={quoteattr(str(time))}" if time else ""
    inner = "".join(_element(name, value) for name, value in document.items())
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f'{head}<IntuitResponse xmlns="{NAMESPACE}"{stamp}>{inner}</IntuitResponse>'.encode()


def _element(name: str, value: Any, spec: Spec | None = None) -> str:
    if isinstance(value, list):
        return "".join(_element(name, part, spec) for part in value)
    if not isinstance(value, dict):
        return f"<{name}>{_text(value)}</{name}>"
    if "value" in value and value.keys() <= {"value", "name", "type"}:
        extra = "".join(f" {key}={quoteattr(str(value[key]))}" for key in ("name", "type") if value.get(key))
        return f"<{name}{extra}>{_text(value['value'])}</{name}>"
    own = ENTITIES.get(name) if "Id" in value or "domain" in value else None
    shape = own or spec
    attributes = ""
    children = []
    for key in sorted(value, key=lambda part: shape.order.get(part, 999) if shape else 0):
        part = value[key]
        if key in _ATTRIBUTES and (own is not None or name in _WRAPPERS) and not isinstance(part, (dict, list)):
            attributes += f" {key}={quoteattr(_text(part))}"
        else:
            field = shape.fields.get(key) if shape else None
            children.append(_element(key, part, field.spec if field else None))
    return f"<{name}{attributes}>{''.join(children)}</{name}>"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    return escape(str(value))


def parse_xml(body: bytes) -> tuple[str, Any]:
    """(root name, JSON-like body) of an XML request; raises ``Fault`` 2010 for anything malformed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise Fault("2010", "Property Name:failed to parse the body; it is not well-formed XML") from None
    name = etree.QName(root).localname
    if name == "IntuitBatchRequest":
        return name, {"BatchItemRequest": [_batch_item(child) for child in root if isinstance(child.tag, str)]}
    return name, _object(root, ENTITIES.get(name))


def _batch_item(element: Any) -> dict[str, Any]:
    item: dict[str, Any] = dict(element.attrib)
    for child in element:
        name = etree.QName(child).localname
        item[name] = _object(child, ENTITIES[name]) if name in ENTITIES else (child.text or "")
    return item


def _object(element: Any, spec: Spec | None) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if element.get("sparse") is not None:
        out["sparse"] = element.get("sparse") == "true"
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child).localname
        field = spec.fields.get(name) if spec else None
        value = _value(child, field.kind if field else "any", field.spec if field else None)
        if field is not None and field.many:
            out.setdefault(name, []).append(value)
        elif name in out:
            held = out[name]
            out[name] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            out[name] = value
    return out


def _value(element: Any, kind: str, spec: Spec | None) -> Any:
    text = (element.text or "").strip()
    if kind == "ref":
        return {"value": text, **{key: element.get(key) for key in ("name", "type") if element.get(key)}}
    if spec is not None:
        return {"value": text} if list(spec.fields) == ["value"] and not len(element) else _object(element, spec)
    if len(element):
        return _object(element, None)
    if element.attrib and kind == "any":
        return {"value": text, **dict(element.attrib)}
    return element.text or ""
