"""Faults on demand: rules that make the n-th matching request fail in a chosen way."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass, field
from typing import Any

ACTIONS = (
    "fault",
    "status",
    "throttle",
    "timeout_before",
    "timeout_after",
    "drop_before",
    "drop_after",
    "expire_token",
    "delay",
)


@dataclass(slots=True)
class Rule:
    """When and how to fail.

    ``entity`` and ``operation`` ("create", "update", "delete", "void", "read", "query", "batch", "cdc", "report",
    "upload", "send"; "save" is a create or an update) may be "*". The rule skips ``after`` matches, then fires
    ``times`` times (None: for ever).
    ``action``: "fault" answers Fault ``code``; "status" a bare HTTP ``status``; "throttle" 429; "timeout_…" keeps the
    client waiting ``hold_s`` seconds and then cuts the connection, "drop_…" cuts it at once, before or after the work
    is done; "expire_token" answers 401 and spoils the token; "delay" answers late.
    """

    action: str = "fault"
    entity: str = "*"
    operation: str = "*"
    realm: str = "*"
    code: str = "6000"
    status: int = 500
    detail: str = ""
    message: str = ""
    type: str = ""
    hold_s: float = 130.0
    after: int = 0
    times: int | None = 1
    body: str = ""
    content_type: str = ""
    number: int = 0
    seen: int = 0
    fired: int = 0

    def matches(self, realm: str, entity: str, operations: frozenset[str]) -> bool:
        return (
            self.realm in ("*", realm)
            and self.entity.lower() in ("*", entity.lower())
            and (self.operation == "*" or self.operation in operations)
        )


def names_of(operation: str, body: bytes | None) -> frozenset[str]:
    """What rules may call a request. A POST without an operation creates or updates: an Id in its body tells which.

    ``body`` is None for an item of a batch, which says itself what it does.
    """
    if operation not in ("save", "create", "update"):
        return frozenset({operation, "report"} if operation == "reports" else {operation})
    if body is None:
        return frozenset({"save", operation})
    try:
        content = json.loads(body)
    except ValueError:
        has_id = b"<Id>" in body  # XML
    else:
        has_id = isinstance(content, dict) and bool(content.get("Id"))
    return frozenset({"save", "update" if has_id else "create"})


@dataclass(slots=True)
class Injection:
    """The rules in force, tried in the order in which they were added."""

    rules: list[Rule] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, body: dict[str, Any]) -> Rule:
        """Raises ``ValueError`` that names the field for a rule that makes no sense."""
        known = set(Rule.__dataclass_fields__) - {"number", "seen", "fired"}
        unknown = set(body) - known
        if unknown:
            raise ValueError(f"unknown field {min(unknown)!r}; known are {', '.join(sorted(known))}")
        rule = Rule(**body)
        if rule.action not in ACTIONS:
            raise ValueError(f"action {rule.action!r} is not one of {', '.join(ACTIONS)}")
        rule.number = next(self._numbers)
        self.rules.append(rule)
        return rule

    def pick(self, realm: str, entity: str, operation: str, body: bytes | None = None) -> Rule | None:
        """The first rule whose turn it is; counts the match."""
        operations = names_of(operation, body) if self.rules else frozenset()
        for rule in self.rules:
            if not rule.matches(realm, entity, operations):
                continue
            rule.seen += 1
            if rule.seen <= rule.after or (rule.times is not None and rule.fired >= rule.times):
                continue
            rule.fired += 1
            return rule
        return None

    def public(self) -> list[dict[str, Any]]:
        return [asdict(rule) for rule in self.rules]
