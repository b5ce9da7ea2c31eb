"""Parsing of query statements: ``SELECT … FROM Entity [WHERE …] [ORDERBY …] [STARTPOSITION n] [MAXRESULTS n]``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sandbox.quickbooks_online.faults import Fault
from sandbox.quickbooks_online.schema import ENTITIES

LONGEST = 200_000
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<symbol><=|>=|!=|<>|[=<>(),*])|(?P<word>[^\s'=<>(),*]+))", re.DOTALL
)
_KEYWORDS = frozenset(
    "SELECT FROM WHERE AND IN LIKE ORDERBY ORDER BY ASC DESC STARTPOSITION MAXRESULTS COUNT OR NOT".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Condition:
    """``prop op values``; ``op`` is one of = < > <= >= != IN LIKE ; clients use
    ``!=`` though the manual leaves it out."""

    prop: str
    op: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Statement:
    """A parsed query. ``props`` is empty for ``*``; ``start`` is 1-based."""

    entity: str
    count: bool = False
    props: list[str] = field(default_factory=list)
    where: list[Condition] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    start: int = 1
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    quoted: bool

    def upper(self) -> str:
        return "" if self.quoted else self.text.upper()


def _syntax(detail: str) -> Fault:
    return Fault("4000", f"QueryParserError: {detail}")


def _invalid(detail: str) -> Fault:
    return Fault("4001", f"QueryValidationError: {detail}")


def _tokens(text: str) -> list[Token]:
    if len(text) > LONGEST:
        raise Fault("4002", f"The query has {len(text)} characters; at most {LONGEST} are supported")
    found: list[Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise _syntax(
                f'Encountered " <ILLEGAL> "{text[position : position + 20].strip()} "" at column {position + 1}.'
            )
        quoted = match.group("text")
        if quoted is not None:
            found.append(Token(re.sub(r"\\(.)|''", lambda m: m.group(1) or "'", quoted[1:-1]), True))
        else:
            found.append(Token(match.group("symbol") or match.group("word"), False))
        position = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position].upper() if self.position < len(self.tokens) else "<EOF>"

    def take(self) -> Token:
        if self.position >= len(self.tokens):
            raise _syntax('Encountered "<EOF>"')
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, keyword: str) -> None:
        if self.peek() != keyword:
            raise _syntax(f'Encountered " {self.found()} ". Was expecting: {keyword}')
        self.position += 1

    def accept(self, keyword: str) -> bool:
        if self.peek() == keyword:
            self.position += 1
            return True
        return False

    def found(self) -> str:
        return self.tokens[self.position].text[:60] if self.position < len(self.tokens) else "<EOF>"

    def name(self) -> str:
        token = self.take()
        if token.quoted or not re.fullmatch(r"[A-Za-z_][\w.]*", token.text) or token.upper() in _KEYWORDS:
            raise _syntax(f'Encountered " {token.text[:60]} ". Was expecting a property or entity name')
        return token.text


def parse(text: str) -> Statement:
    """Read a statement; raises 4000 for its syntax, 4001 for names and numbers that make no sense, 4002 if too long."""
    reader = _Reader(_tokens(text))
    reader.expect("SELECT")
    statement = Statement("")
    _projection(reader, statement)
    reader.expect("FROM")
    statement.entity = _entity(reader.name())
    if reader.accept("WHERE"):
        statement.where.append(_condition(reader, statement.entity))
        while reader.accept("AND"):
            statement.where.append(_condition(reader, statement.entity))
    if reader.peek() == "ORDERBY" or reader.peek() == "ORDER":
        if reader.take().upper() == "ORDER":
            reader.expect("BY")
        _ordering(reader, statement)
    _paging(reader, statement)
    if reader.position < len(reader.tokens):
        raise _syntax(f'Encountered " {reader.found()} ". Was expecting the end of the query')
    for prop in statement.props:
        check_property(statement.entity, prop)
    return statement


def _projection(reader: _Reader, statement: Statement) -> None:
    everything = False
    while True:
        if reader.accept("*"):
            everything = True
        elif reader.peek() == "COUNT":
            reader.take()
            reader.expect("(")
            reader.expect("*")
            reader.expect(")")
            statement.count = True
        else:
            statement.props.append(reader.name())
            if reader.peek() == "." or reader.accept("*"):
                statement.props[-1] = statement.props[-1].rstrip(".")
        if not reader.accept(","):
            break
    if everything:
        statement.props = []


def _entity(name: str) -> str:
    for entity in ENTITIES:
        if entity.lower() == name.lower() and entity != "TaxService":
            return entity
    raise _invalid(f"invalid context declaration: {name}")


def check_property(entity: str, prop: str) -> str:
    """The property path in its proper spelling; raises 4001 when the entity has no such property."""
    head, _, tail = prop.partition(".")
    for field_name, known in ENTITIES[entity].fields.items():
        if field_name.lower() != head.lower():
            continue
        if not tail:
            return field_name
        if field_name == "MetaData":
            for part in ("CreateTime", "LastUpdatedTime"):
                if tail.lower() == part.lower():
                    return f"MetaData.{part}"
        elif known.kind == "ref" and tail.lower() in ("value", "name"):
            return field_name if tail.lower() == "value" else f"{field_name}.name"
        elif known.spec is not None:
            first, _, last = tail.lower().partition(".")
            for inner, found in known.spec.fields.items():
                if inner.lower() == first:
                    is_part = found.kind == "ref" and last in ("name", "type")
                    return f"{field_name}.{inner}.{last}" if is_part else f"{field_name}.{inner}"
    raise _invalid(f"Property {prop} not found for Entity {entity}")


def _condition(reader: _Reader, entity: str) -> Condition:
    prop = check_property(entity, reader.name())
    operator = reader.take().upper()
    if operator == "IN":
        reader.expect("(")
        values = [_value(reader)]
        while reader.accept(","):
            values.append(_value(reader))
        reader.expect(")")
        return Condition(prop, "IN", tuple(values))
    if operator in ("=", "<", ">", "<=", ">=", "!=", "LIKE"):
        return Condition(prop, operator, (_value(reader),))
    found = operator or reader.tokens[reader.position - 1].text[:40]
    raise _syntax(f'Encountered " {found} ". Was expecting one of: "IN" "LIKE" "=" "<" ">" "<=" ">="')


def _value(reader: _Reader) -> str:
    token = reader.take()
    if token.quoted:
        return token.text
    if token.upper() in ("TRUE", "FALSE"):
        return token.text.lower()
    if re.fullmatch(r"-?\d+(\.\d+)?", token.text):
        return token.text
    raise _syntax(f'Encountered " {token.text[:60]} ". Was expecting a value in single quotes')


def _ordering(reader: _Reader, statement: Statement) -> None:
    while True:
        prop = check_property(statement.entity, reader.name())
        descending = False
        if reader.peek() in ("ASC", "DESC"):
            descending = reader.take().upper() == "DESC"
        statement.order.append((prop, descending))
        if not reader.accept(","):
            return


def _paging(reader: _Reader, statement: Statement) -> None:
    while reader.peek() in ("STARTPOSITION", "MAXRESULTS"):
        word = reader.take().upper()
        token = reader.take()
        if not re.fullmatch(r"-?\d{1,9}", token.text):
            raise _syntax(f'Encountered " {token.text[:60]} ". Was expecting a number')
        number = int(token.text)
        if word == "STARTPOSITION":
            if number < 1:
                raise _invalid(f"value {number} is too small. Min allowed value is 1")
            statement.start = number
        elif number < 1 and not statement.count:
            raise _invalid(f"value {number} is too small. Min allowed value is 1")
        elif number > 1000:
            raise _invalid(f"value {number} is too large. Max allowed value is 1000")
        else:
            statement.limit = number
