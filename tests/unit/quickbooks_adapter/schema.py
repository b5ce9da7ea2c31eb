"""JSON bodies as the ordered XML of Intuit's published schema, so that the schema can judge them.

The schema's sequences fix the order of elements; JSON has none. The converter reads the order from the schema itself
and refuses a field that the schema does not know, which JSON alone would let pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from lxml import etree
from tests.vendor_data import published

XS = "{http://www.w3.org/2001/XMLSchema}"
NAMESPACE = "http://schema.intuit.com/finance/v3"
_FILES = ("IntuitBaseTypes.xsd", "IntuitNamesTypes.xsd", "Finance.xsd", "SalesTax.xsd", "Report.xsd")


class NotInSchema(AssertionError):
    """A field that the entity does not have."""


class _Complaint(Protocol):
    """An entry of a schema's log, which the type stubs leave empty."""

    message: str


def complaints(schema: etree.XMLSchema) -> list[str]:
    """What the schema found wrong with what it judged last."""
    return [entry.message for entry in cast("Iterable[_Complaint]", schema.error_log)]


def vendor_data() -> Path:
    """The folder of the vendors' published data, or a skip that says what to set."""
    return published("quickbooks/qbo")


@dataclass
class _Type:
    simple: bool = False
    base: str = ""
    attributes: set[str] = field(default_factory=set)
    elements: list[tuple[str, str]] = field(default_factory=list)


class Schema:
    """Intuit's schema: converts a body and validates it."""

    def __init__(self, folder: Path) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        self._schema = etree.XMLSchema(etree.parse(str(folder / "IntuitRestServiceDef.xsd"), parser))
        self._types: dict[str, _Type] = {}
        self._roots: dict[str, str] = {}
        self._groups: dict[str, etree._Element] = {}
        trees = [etree.parse(str(folder / name), parser).getroot() for name in (*_FILES, "IntuitRestServiceDef.xsd")]
        for tree in trees:
            for node in tree:
                name = node.get("name", "") if isinstance(node.tag, str) else ""
                if node.tag == f"{XS}group":
                    self._groups[name] = node
                elif node.tag == f"{XS}element":
                    self._roots[name] = node.get("type", "")
        for tree in trees:
            for node in tree.iterchildren(f"{XS}complexType"):
                self._types[node.get("name", "")] = self._read(node)

    def _read(self, node: etree._Element) -> _Type:
        content = node.find(f"{XS}simpleContent")
        extension = node.find(f".//{XS}extension")
        read = _Type(simple=content is not None)
        body = node if extension is None else extension
        if extension is not None and content is None:
            read.base = extension.get("base", "")
        read.attributes = {found.get("name", "") for found in body.iterchildren(f"{XS}attribute")}
        read.elements = list(self._elements(body))
        return read

    def _elements(self, node: etree._Element) -> Iterator[tuple[str, str]]:
        for child in node:
            if child.tag == f"{XS}element":
                name = child.get("name", "") or child.get("ref", "")
                yield name, child.get("type", "") or self._roots.get(name, "")
            elif child.tag in (f"{XS}sequence", f"{XS}choice"):
                yield from self._elements(child)
            elif child.tag == f"{XS}group":
                yield from self._elements(self._groups[child.get("ref", "")])

    def _fields(self, name: str) -> tuple[set[str], list[tuple[str, str]], bool]:
        found = self._types.get(name)
        if found is None:
            return set(), [], True
        attributes, elements, _ = self._fields(found.base) if found.base else (set(), [], False)
        return attributes | found.attributes, [*elements, *found.elements], found.simple

    def to_xml(self, entity: str, content: Mapping[str, Any]) -> etree._Element:
        """Raises `NotInSchema` for a field that the schema does not have."""
        return self._element(entity, self._roots[entity], content, entity)

    def _element(self, tag: str, type_name: str, content: Any, path: str) -> etree._Element:
        element = etree.Element(f"{{{NAMESPACE}}}{tag}")
        if not isinstance(content, Mapping):
            element.text = _text(content)
            return element
        attributes, elements, simple = self._fields(type_name)
        rest = dict(content)
        if simple:
            element.text = _text(rest.pop("value", ""))
        for name in sorted(attributes & rest.keys()):
            element.set(name, _text(rest.pop(name)))
        for name, child_type in elements:
            if name not in rest:
                continue
            value = rest.pop(name)
            for one in value if isinstance(value, list) else [value]:
                element.append(self._element(name, child_type, one, f"{path}.{name}"))
        if rest:
            raise NotInSchema(f"{path} has no {', '.join(sorted(rest))}")
        return element

    def problems(self, entity: str, content: Mapping[str, Any]) -> list[str]:
        """What the schema says against a body; empty where it has nothing to say."""
        try:
            document = self.to_xml(entity, content)
        except NotInSchema as error:
            return [str(error)]
        if self._schema.validate(etree.ElementTree(document)):
            return []
        return complaints(self._schema)


@cache
def schema() -> Schema:
    """The schema, read once. Skips the test where the vendor data is absent."""
    return Schema(vendor_data() / "xsd")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)
