"""Builds the service: settings, handlers, worker, routes. Nothing has an effect before the application starts."""

from functools import partial

from fastapi import FastAPI

from common.application import create_application
from common.forgetting import AGAIN_EVERY_S
from common.runtime import Runtime
from mapper.handlers import handlers
from mapper.handlers.tenant_deleted import FORGETTING
from mapper.routes import ROUTERS
from mapper.settings import MapperSettings
from mapper.store.configurations import Configurations
from mapper.worker import Waker, Worker


def create(settings: MapperSettings) -> FastAPI:
    """The application around the mapper."""

    async def start(app: FastAPI, runtime: Runtime) -> None:
        configurations = Configurations()
        waker = Waker()
        app.state.configurations = configurations
        app.state.waker = waker
        runtime.start_forever("remap", Worker(runtime, configurations, waker, settings).run)
        runtime.start_consumers(handlers(configurations, waker))
        runtime.start_every("forgetting", AGAIN_EVERY_S, partial(FORGETTING.look_again, runtime), rest_first=True)

    return create_application(
        "mapper",
        settings,
        start,
        ROUTERS,
        title="tillbook mapper",
        description="Decides which accounting documents an order becomes",
    )
