"""Write the documents that would drift if people kept them: contracts, AsyncAPI, topology, settings.

python scripts/generate_docs.py           write them
python scripts/generate_docs.py --check   exit 1 and name the files that are not current
"""

import argparse
import ast
import importlib
import inspect
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from common import topology
from common.messages import CONTRACTS
from common.messages.base import State
from common.settings import ServiceSettings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SERVICE_PACKAGES = ("ingest", "mapper", "ledger_writer", "api")


def contract_schemas() -> dict[str, str]:
    """One JSON Schema a contract: a changed contract shows as a changed file in review."""
    return {f"contracts/{contract.type}.json": _json(_schema(contract)) for contract in CONTRACTS}


def _schema(contract: type[State]) -> dict[str, Any]:
    schema = contract.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:tillbook:{contract.type}", **schema}


def asyncapi() -> dict[str, str]:
    """The broker's interface as AsyncAPI 3: channels are queues, messages are packs of the contracts."""
    channels = {
        queue.name: {
            "address": queue.name,
            "messages": {queue.contract.type: {"$ref": f"#/components/messages/{queue.contract.type}"}},
            "bindings": {"amqp": {"is": "queue", "queue": {"name": queue.name, "durable": True}}},
        }
        for queue in topology.QUEUES
    }
    messages = {
        contract.type: {
            "name": contract.type,
            "summary": (contract.__doc__ or "").strip().splitlines()[0],
            "contentType": "application/json",
            "payload": {
                "type": "object",
                "required": ["states"],
                "properties": {
                    "states": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": contract.packed_max,
                        "items": {
                            "type": "object",
                            "required": ["c", "s"],
                            "properties": {
                                "c": {"type": "string", "description": "correlation id"},
                                "t": {"type": ["string", "null"], "description": "W3C traceparent"},
                                "s": {"$ref": f"contracts/{contract.type}.json"},
                            },
                        },
                    }
                },
            },
        }
        for contract in CONTRACTS
    }
    document = {
        "asyncapi": "3.0.0",
        "info": {"title": "tillbook", "version": "1.0.0"},
        "channels": channels,
        "operations": {
            f"receive {queue.name}": {"action": "receive", "channel": {"$ref": f"#/channels/{_pointer(queue.name)}"}}
            for queue in topology.QUEUES
        },
        "components": {"messages": messages},
    }
    return {"asyncapi.json": _json(document)}


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def topology_page() -> dict[str, str]:
    """Queues by service, delays and dead letters, as one table."""
    lines = [
        "# Topology",
        "",
        "Generated from `libs/common/src/common/topology.py` by `make docs`. Declared once, before services start, by",
        "`python -m common.declare`.",
        "",
        f"Exchange `{topology.EXCHANGE}` (topic) routes by message type.",
        "",
        "| service | queue | routing key | states a message | prefetch |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {queue.service} | `{queue.name}` | `{queue.routing_key}` | {queue.contract.packed_max} | {queue.prefetch} |"
        for queue in topology.QUEUES
    ]
    lines += [
        "",
        f"Every queue is a quorum queue with a delivery limit of {topology.DELIVERY_LIMIT} and dead-letters, at least",
        f"once, to exchange `{topology.DEAD_EXCHANGE}` with its service as routing key.",
        "",
        "| delay | what it does |",
        "|---|---|",
    ]
    lines += [
        f"| `{delay.name}` | holds a message {delay.seconds} s, then returns it to the queue named by its routing key |"
        for delay in topology.DELAYS
    ]
    dead = ", ".join(f"`{topology.dead_queue(service)}`" for service in topology.SERVICES)
    limit = f"{topology.DEAD_DELIVERY_LIMIT:,}"
    lines += [
        "",
        f"Dead letters wait in {dead}",
        f"until api collects them: quorum queues with a delivery limit of {limit}.",
    ]
    lines += ["", "## Rights of each service's user", ""]
    lines += ["| user | configure | write | read |", "|---|---|---|---|"]
    for service in topology.SERVICES:
        rights = topology.permissions_of(service)
        cells = " | ".join(f"`{text}`".replace("|", "\\|") for text in (rights.configure, rights.write, rights.read))
        lines.append(f"| {service} | {cells} |")
    return {"topology.md": "\n".join(lines) + "\n"}


def settings_page() -> dict[str, str]:
    """Environment variables of every service, from the classes that read them."""
    lines = ["# Settings", "", "Generated from the services' settings classes by `make docs`.", ""]
    for package in SERVICE_PACKAGES:
        module = importlib.import_module(f"{package}.settings")
        settings: type[ServiceSettings] = getattr(module, f"{package.title().replace('_', '')}Settings")
        prefix = settings.model_config.get("env_prefix", "")
        lines += [f"## {package.replace('_', '-')}", "", "| variable | default | meaning |", "|---|---|---|"]
        documented = _field_docs(settings)
        for name, field in settings.model_fields.items():
            default = "required" if field.default is PydanticUndefined else _shown(field.default)
            lines.append(f"| `{prefix}{name.upper()}` | {default} | {documented.get(name, '')} |")
        lines.append("")
    return {"settings.md": "\n".join(lines)}


def _shown(default: Any) -> str:
    return "(secret)" if isinstance(default, SecretStr) else f"`{default!r}`" if default != "" else "empty"


def _field_docs(settings: type[ServiceSettings]) -> dict[str, str]:
    """Docstrings that stand under the fields, gathered through the class's bases."""
    docs: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        if not issubclass(base, ServiceSettings):
            continue
        body = ast.parse(inspect.getsource(base)).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for statement, following in pairwise(statements):
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                docs[statement.target.id] = " ".join(str(following.value.value).split())
    return docs


def openapi() -> dict[str, str]:
    """The REST API as frontends generate their clients from it."""
    return {"openapi.json": _json(importlib.import_module("api.openapi").document())}


def pushed_documents() -> dict[str, str]:
    """What custom stores push to us, as JSON Schema for those who write the other side."""
    channels = importlib.import_module("ingest.channels").CHANNELS
    contract = importlib.import_module("ingest.routes.connections").push_contract_of
    return {
        f"pushed/{channel.name}.order.v1.json": _json(contract(channel).document)
        for channel in channels
        if channel.pushed is not None
    }


def _json(document: object) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def generated() -> dict[str, str]:
    """Path below docs → content, for everything that is generated."""
    return {**contract_schemas(), **asyncapi(), **topology_page(), **settings_page(), **openapi(), **pushed_documents()}


def main() -> int:
    """Write, or check, every generated document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale: list[str] = []
    for name, content in generated().items():
        path = DOCS / name
        if path.exists() and path.read_text() == content:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    if check and stale:
        print("not current, run `make docs`: " + ", ".join(f"docs/{name}" for name in stale))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
