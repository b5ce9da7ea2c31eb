"""``POST /batch``: up to 30 independent items, each with its own outcome."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.quickbooks_online import resources
from sandbox.quickbooks_online.company import Company
from sandbox.quickbooks_online.faults import Fault, missing
from sandbox.quickbooks_online.query.run import query
from sandbox.quickbooks_online.schema import ENTITIES
from sandbox.quickbooks_online.server import Server
from sandbox.quickbooks_online.wire import dump

LARGEST = 30
_OPERATIONS = ("create", "update", "delete", "void")


def run_batch(server: Server, company: Company, body: Any, params: dict[str, str]) -> bytes:
    """The encoded answer; only a batch that is malformed as a whole raises (1040, 2010, 2020, 2130)."""
    if not isinstance(body, dict) or not isinstance(body.get("BatchItemRequest"), list):
        raise missing("BatchItemRequest")
    items = body["BatchItemRequest"]
    if len(items) > LARGEST:
        raise Fault("1040", f"The batch has {len(items)} items; at most {LARGEST} are allowed", "BatchItemRequest")
    request_id = params.get("requestid")
    answers = []
    for item in items:
        if not isinstance(item, dict):
            raise Fault("2010", "Property Name:BatchItemRequest must hold objects", "BatchItemRequest")
        identifier = str(item.get("bId", ""))
        if request_id and len(identifier) > 10:
            raise Fault("2130", f"bId {identifier[:40]} is longer than 10 characters", "bId")
        server.count("batch_items")
        try:
            answer = _item(server, company, item)
        except Fault as fault:
            server.count(f"fault:{fault.code}")
            answer = {"Fault": fault.body()}
        answers.append({**answer, "bId": identifier})
    return dump({"BatchItemResponse": answers, "time": company.clock.envelope()})


def _item(server: Server, company: Company, item: dict[str, Any]) -> dict[str, Any]:
    if "Query" in item:
        return {"QueryResponse": orjson.Fragment(query(company, str(item["Query"])))}
    entity = next((name for name in item if name in ENTITIES), None)
    if entity is None or not isinstance(item[entity], dict):
        raise Fault("2010", f"Property Name:no entity among {', '.join(sorted(map(str, item)))[:100]}")
    operation = str(item.get("operation", ""))
    if operation not in _OPERATIONS:
        raise Fault("500", f"Unsupported Operation : Operation {operation or '(none)'} is not supported in a batch")
    include = frozenset(part.strip().lower() for part in str(item.get("optionsData") or "").split(",") if part.strip())
    if "void" in include:
        operation = "void"
    rule = server.injection.pick(company.realm, entity, operation)
    if rule is not None and rule.action == "fault":
        raise resources.injected_fault(rule)
    if operation == "update" and not item[entity].get("Id"):
        raise missing("Id")
    server.count(f"batch:{entity}:{operation}")
    return {entity: resources.perform(company, entity, operation, item[entity], include)}
