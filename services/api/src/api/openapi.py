"""The OpenAPI document that frontends generate their clients from."""

from functools import lru_cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.routes import ROUTERS
from common.application import health_routes
from common.problems import FieldProblem, ProblemDetails

API_VERSION = "0.1.0"

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
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION.strip(),
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
    )
    schemas = made["components"]["schemas"]
    for model in (ProblemDetails, FieldProblem):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    # FastAPI's own shape of a validation error never leaves this service.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in made["paths"].values():
        for operation in path.values():
            if operation["operationId"] in _UNKEYED:
                operation.pop("security", None)
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "If-Match":
                    # A missing one is answered with 428 rather than refused as unreadable: see the problem's cure.
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "maxLength": 100, "examples": ['"0"', '"7"']}
    return made
