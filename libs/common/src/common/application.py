"""The FastAPI application around a service: health, metrics, problem details, internal authentication, serving."""

import asyncio
import gc
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import structlog
import uvicorn
import uvloop
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from common import problems
from common.broker import UNAVAILABLE
from common.logging import configure_logging
from common.problems import Problem
from common.runtime import Runtime, running
from common.settings import ServiceSettings
from common.telemetry import HTTP_REQUESTS, HTTP_SECONDS, configure_tracing, entry_span

REQUEST_BYTES_MAX = 8 * 1024 * 1024
_READY_TIMEOUT_S = 2.0
_COLLECTOR_THRESHOLDS = (100_000, 20, 20)
"""Orders leave few cycles behind: looking for them every few batches is often enough."""

log = structlog.get_logger(__name__)

Start = Callable[[FastAPI, Runtime], Awaitable[None]]


class BoundedBody:
    """Refuse request bodies above a limit before anything reads them into memory, declared or streamed."""

    def __init__(self, app: ASGIApp, bytes_max: int = REQUEST_BYTES_MAX) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not declared.isdigit() or int(declared) > self._bytes_max:
            await self._too_large().response()(scope, receive, send)
            return
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._bytes_max:
                # An HTTPException, because FastAPI turns anything else raised while it reads a body into a 400.
                raise HTTPException(413, f"the body is larger than {self._bytes_max} bytes")
            return message

        await self._app(scope, bounded, send)

    def _too_large(self) -> Problem:
        return Problem(413, "TOO_LARGE", f"the body is larger than {self._bytes_max} bytes", cure="send less at once")


class Measured:
    """Count and time every answer by route template, so that ids in paths don't become label values."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        carried = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
        traceparent = carried.decode("latin-1") if carried else None
        try:
            with entry_span(f"{scope['method']} request", traceparent):
                await self._app(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            HTTP_REQUESTS.labels(scope["method"], route, str(status)).inc()
            HTTP_SECONDS.labels(scope["method"], route).observe(time.perf_counter() - started)


def internal_caller(
    request: Request,
    caller: Annotated[str, Header(alias="x-tillbook-caller")] = "",
    authorization: Annotated[str, Header()] = "",
) -> str:
    """Dependency of internal routes: the calling service, proven by its own key. Raises a 401 problem."""
    settings: ServiceSettings = request.app.state.runtime.settings
    expected = settings.internal_callers.get(caller)
    presented = authorization.removeprefix("Bearer ")
    if expected is None or not hmac.compare_digest(presented.encode(), expected.get_secret_value().encode()):
        raise Problem(401, "UNAUTHORIZED", "internal routes need the calling service's name and key")
    return caller


InternalCaller = Annotated[str, Depends(internal_caller)]


def internal_headers(service: str, settings: ServiceSettings) -> dict[str, str]:
    """What a service presents when it calls another one."""
    return {"x-tillbook-caller": service, "authorization": f"Bearer {settings.internal_key.get_secret_value()}"}


def runtime_of(request: Request) -> Runtime:
    """Dependency: the running service behind a route."""
    runtime: Runtime = request.app.state.runtime
    return runtime


CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]

health_routes = APIRouter(tags=["health"])


@health_routes.get("/health/live", operation_id="health_live")
async def live() -> dict[str, str]:
    """The process turns its event loop. Nothing outside is asked: a lost database must not restart every pod."""
    return {"status": "live"}


@health_routes.get(
    "/health/ready",
    operation_id="health_ready",
    responses={503: {"model": dict[str, Any], "description": "Not now: `checks` says what is missing."}},
)
async def ready(request: Request, response: Response) -> dict[str, Any]:
    """Whether requests can be taken: the database answers. The broker is reported but not required, because
    accepting a webhook needs only Postgres and its outage must not empty the load balancer."""
    runtime = getattr(request.app.state, "runtime", None)
    checks: dict[str, str] = {}
    if runtime is None:
        checks["start"] = "starting"
    else:
        checks["database"] = await _check(runtime.pool.fetchval("SELECT 1"))
        checks["broker"] = await _check(runtime.broker.ping())
    is_ready = checks.get("database") == "ok"
    response.status_code = 200 if is_ready else 503
    return {"status": "ready" if is_ready else "not ready", "checks": checks}


async def _check(probe: Awaitable[Any]) -> str:
    try:
        async with asyncio.timeout(_READY_TIMEOUT_S):
            await probe
    except UNAVAILABLE as error:
        return type(error).__name__
    return "ok"


@health_routes.get("/metrics", operation_id="metrics", include_in_schema=False)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def create_application(
    service: str,
    settings: ServiceSettings,
    start: Start,
    routers: Sequence[APIRouter] = (),
    *,
    title: str | None = None,
    version: str = "0.1.0",
    description: str = "",
) -> FastAPI:
    """Build a service: `start` receives the open runtime and starts consumers and background work on it."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        configure_logging(service, style=settings.log_format, level=settings.log_level)
        if settings.otlp_endpoint:
            configure_tracing(service, settings.otlp_endpoint)
        async with running(service, settings) as runtime:
            app.state.runtime = runtime
            await start(app, runtime)
            log.info("service_started")
            yield
            log.info("service_stopping")

    app = FastAPI(title=title or f"tillbook {service}", version=version, description=description, lifespan=lifespan)
    app.add_middleware(BoundedBody)
    app.add_middleware(Measured)
    problems.install(app)
    app.include_router(health_routes)
    for router in routers:
        app.include_router(router)
    return app


def serve(app: ASGIApp, settings: ServiceSettings) -> None:
    """Run until SIGTERM. Keep-alive outlives the idle time of usual senders, which would else see resets."""
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.shutdown_grace_s),
        server_header=False,
        date_header=False,
    )
    # What start-up made stays for good: the collector need not walk through it after every few hundred orders.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)
    uvloop.run(uvicorn.Server(config).serve())
