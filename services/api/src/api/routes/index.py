"""The front page: where a person or a program that knows only the address finds everything else."""

from fastapi import APIRouter, Request

from api.routes.base import ALWAYS
from api.views.base import View

routes = APIRouter(tags=["index"], responses=ALWAYS)


class Index(View):
    name: str
    version: str
    links: dict[str, str]
    """What there is → its path on this address."""


@routes.get("/", operation_id="get_index")
async def get_index(request: Request) -> Index:
    """Links to the document of this API and to its beginnings. Needs no key."""
    app = request.app
    links = {
        "openapi": app.openapi_url,
        "documentation": app.docs_url,
        "health": "/health/ready",
        "tenant": "/v1/tenant",
        "channels": "/v1/channels",
        "ledgers": "/v1/ledgers",
        "companies": "/v1/companies",
        "connections": "/v1/connections",
        "orders": "/v1/orders",
        "documents": "/v1/documents",
        "runs": "/v1/runs",
    }
    return Index(name=app.title, version=app.version, links={name: path for name, path in links.items() if path})
