"""The OpenAPI document that frontends generate their clients from."""

import json
import re
from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.idempotency import REPLAYED_HEADER
from api.routes import ROUTERS
from api.routes.base import PROBLEMS
from common.application import health_routes
from common.cures import FieldProblem
from common.problems import ProblemDetails

API_VERSION = "0.1.0"

Schema = dict[str, Any]

DESCRIPTION = """
From the till to the books: orders of sales channels become accounting documents, once and to the cent.

Send `Authorization: Bearer tb_…` with every request. Lists are paged by cursor: pass `next_cursor` back as `cursor`.
Amounts are decimal text beside a currency. Every error is an RFC 9457 problem; `errors` names each wrong field with
its value and the cure. A POST that makes something takes an `Idempotency-Key`: repeating it makes nothing twice.
"""

_TAGS: tuple[tuple[str, str], ...] = (
    ("index", "Where everything begins."),
    ("tenants", "Customers of the product. For operators, but for `GET /v1/tenant`."),
    ("api keys", "Keys with scopes, shown once, and the audit log."),
    ("connections", "Accounts of sales channels."),
    ("company files", "Where the books are kept."),
    ("settings", "Whole snapshots, versioned: read the ETag, send it back as If-Match."),
    ("overview", "Where everything stands, what keeps things out of the ledger, preview and approval."),
    ("orders", "Orders and their whole story."),
    ("documents", "Documents, customers and items in the ledgers."),
    ("resend", "Try again, dismiss, connect customers."),
    ("runs", "Manual syncs and the progress of everything that was started."),
    ("tasks", "What comes round by itself."),
    ("rules and maps", "How orders are changed and matched before they are mapped."),
    ("payouts", "Payouts of processors, what they became, and files of payouts."),
    ("tables", "The same as CSV, out and in."),
    ("explanations", "Why a payment is missing, what an order would become, what a rule would do."),
    ("books", "What lies in clearing accounts, what was done and when, back-up and restore."),
    ("dead letters", "Messages that could not be handled. For operators."),
    ("health", "For whoever runs the service."),
)

_REPLAYED = {
    "description": "`true` where the key has been seen: this is the first answer once more, and nothing was made.",
    "schema": {"type": "string", "enum": ["true"]},
}
_UNKEYED = frozenset({"health_live", "health_ready", "finish_sign_in", "get_index"})


def describe(app: FastAPI) -> None:
    """Make the application answer with the document below."""
    app.openapi = document  # type: ignore[method-assign]


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The document, complete with tags, problems, and which routes need no key. It needs no running service."""
    app = FastAPI(title="tillbook", version=API_VERSION)
    for router in (health_routes, *ROUTERS):
        app.include_router(router)
    made = _with_one_shape_each(
        get_openapi(
            title=app.title,
            version=app.version,
            description=DESCRIPTION.strip(),
            routes=app.routes,
            tags=[{"name": name, "description": text} for name, text in _TAGS],
        )
    )
    schemas = made["components"]["schemas"]
    for model in (ProblemDetails, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    # An error answer leaves out what it has not; see `Problem.response`.
    problem = schemas[ProblemDetails.__name__]
    problem["properties"] = {name: _without_null(shape) for name, shape in problem["properties"].items()}
    # FastAPI's own shape of a validation error never leaves this service.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    made["components"]["responses"] = {_shared(status): answer for status, answer in PROBLEMS.items()}
    operations = [operation for path in made["paths"].values() for operation in path.values()]
    for operation in operations:
        _complete(operation)
    _require_what_is_always_sent(schemas, operations)
    return _with_plain_names(made)


def _with_one_shape_each(made: Schema) -> Schema:
    """A shape that holds itself is made twice, with all that refer to it: for requests, and the same for answers."""
    schemas = made["components"]["schemas"]
    for name in [name for name in schemas if name.endswith("-Output")]:
        sent, answered = (_joined(schemas[one]) for one in (name.replace("-Output", "-Input"), name))
        if sent != answered:
            raise ValueError(f"{name} differs from what is sent: give the two names of their own")
    return _joined(made)


def _joined(shape: Schema) -> Schema:
    joined: Schema = json.loads(re.sub(r'\b(\w+)-(?:Input|Output)"', r'\1"', json.dumps(shape)))
    return joined


def _complete(operation: dict[str, Any]) -> None:
    """Say what FastAPI can't know of an operation, in the words that generators of clients understand."""
    if operation["operationId"] in _UNKEYED:
        operation.pop("security", None)
    parameters = {parameter["name"]: parameter for parameter in operation.get("parameters", ())}
    for parameter in parameters.values():
        parameter["schema"] = _without_null(parameter["schema"])
    if "If-Match" in parameters:
        # A missing one is answered with 428 rather than refused as unreadable: see the problem's cure.
        schema = {"type": "string", "maxLength": 100, "examples": ['"0"', '"7"']}
        parameters["If-Match"] |= {"required": True, "schema": schema}
    answers = operation["responses"]
    for status, answer in answers.items():
        if "Idempotency-Key" in parameters and status.startswith("2"):
            answer.setdefault("headers", {})[REPLAYED_HEADER.title()] = _REPLAYED
        if answer == PROBLEMS.get(int(status)):
            answers[status] = {"$ref": f"#/components/responses/{_shared(status)}"}


def _require_what_is_always_sent(schemas: Schema, operations: list[Schema]) -> None:
    """An answer has all of its fields, those with a default too. Only problems and what clients send may lack some."""
    partial = {ProblemDetails.__name__, FieldProblem.__name__}
    partial |= _reached(
        schemas, [operation.get(part) for operation in operations for part in ("requestBody", "parameters")]
    )
    for name in _reached(schemas, [operation["responses"] for operation in operations]) - partial:
        if "properties" in schemas[name]:
            schemas[name]["required"] = list(schemas[name]["properties"])


def _reached(schemas: Schema, begin: object) -> set[str]:
    """Names of the schemas that something refers to, directly or through others."""
    found: set[str] = set()
    ahead = [begin]
    while ahead:
        names = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(ahead.pop()))) - found
        found |= names
        ahead += [schemas[name] for name in names]
    return found


def _without_null(schema: Schema) -> Schema:
    """The shape of what is left out rather than null, such as a parameter: no address and no header can say null."""
    shapes: list[Schema] = [shape for shape in schema.get("anyOf", ()) if shape != {"type": "null"}]
    if len(shapes) != 1:
        return schema
    (shape,) = shapes
    others = {k: v for k, v in schema.items() if k != "anyOf" and (k, v) != ("default", None)}
    return shape if "$ref" in shape else others | shape


def _shared(status: int | str) -> str:
    return f"Problem{status}"


def _with_plain_names(made: dict[str, Any]) -> dict[str, Any]:
    """`Page_Task_`, titled `Page[Task]`, becomes `TaskPage`: generators make types of these names."""
    plain: dict[str, Any] = json.loads(re.sub(r'\bPage[_[](\w+)[]_]"', r'\1Page"', json.dumps(made)))
    return plain
