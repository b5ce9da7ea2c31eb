"""Builds and runs the service; the only file with side effects at start."""

from fastapi import FastAPI

from common.application import create_application
from common.runtime import Runtime
from ingest.receiver import Receiver
from ingest.routes import ROUTERS
from ingest.service import Service
from ingest.settings import IngestSettings


def create(settings: IngestSettings) -> tuple[Receiver, FastAPI]:
    """The ASGI application to serve, and the FastAPI one inside it (for its lifespan and its document)."""

    async def start(app: FastAPI, runtime: Runtime) -> None:
        service = Service.build(runtime, settings)
        app.state.service = service
        service.start(receiver)

    app = create_application("ingest", settings, start, ROUTERS, description="Takes orders from sales channels.")
    receiver = Receiver(app, bytes_max=settings.webhook_bytes_max, read_timeout_s=settings.webhook_read_timeout_s)
    return receiver, app


def create_receiver(settings: IngestSettings) -> Receiver:
    """What is served."""
    receiver, _ = create(settings)
    return receiver
