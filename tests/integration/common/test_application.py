"""The application around a service: health tells live from ready, errors are problem details, bodies are bounded."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, SecretStr

from common.application import InternalCaller, create_application, internal_headers
from common.errors import Rejected
from common.messages.base import Reason
from common.runtime import Runtime
from common.settings import ServiceSettings

router = APIRouter()


class Body(BaseModel):
    amount: int


@router.post("/echo")
async def echo(body: Body) -> Body:
    return body


@router.get("/internal/who")
async def who(caller: InternalCaller) -> str:
    return caller


@router.get("/bug")
async def bug() -> None:
    raise ZeroDivisionError("card 4111 1111 1111 1111")


@router.get("/refused")
async def refused() -> None:
    raise Rejected(
        Reason(code="TOTALS_MISMATCH", text="77.00 is not 76.00", cure="fix it", field="total", value="77.00")
    )


async def start(app: FastAPI, runtime: Runtime) -> None:
    await runtime.pool.execute("CREATE TABLE IF NOT EXISTS started (at timestamptz DEFAULT now())")


@pytest.fixture
async def client(settings: ServiceSettings) -> AsyncIterator[httpx.AsyncClient]:
    app = create_application("mapper", settings, start, [router])
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://mapper") as client:
            yield client


async def test_live_and_ready_are_told_apart(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "live"}
    ready = await client.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["checks"] == {"database": "ok", "broker": "ok"}
    assert "tillbook_outbox_unpublished" in (await client.get("/metrics")).text


async def test_a_wrong_field_is_named_with_its_value_and_cure(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", json={"amount": "many"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (problem,) = answer.json()["errors"]
    assert (problem["field"], problem["value"]) == ("body.amount", "many")
    assert "whole number" in problem["cure"]


async def test_a_rejection_shows_its_reason(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/refused")).json()
    assert (answer["code"], answer["cure"], answer["status"]) == ("TOTALS_MISMATCH", "fix it", 422)


async def test_a_bug_answers_without_its_details(client: httpx.AsyncClient) -> None:
    answer = await client.get("/bug")
    assert answer.status_code == 500
    assert "4111" not in answer.text
    assert answer.json()["code"] == "INTERNAL_ERROR"


async def test_a_body_above_the_bound_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/echo", content=b"x", headers={"content-length": str(9 * 1024 * 1024)})
    assert answer.status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 1024 * 1024

    streamed = await client.post("/echo", content=endless(), headers={"content-type": "application/json"})
    assert streamed.status_code == 413


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-tillbook-caller": "api"}, {"x-tillbook-caller": "ingest", "authorization": "Bearer key-of-api"}],
)
async def test_internal_routes_want_the_key_of_the_caller(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.get("/internal/who", headers=headers)).status_code == 401


async def test_internal_routes_know_who_calls(client: httpx.AsyncClient, settings: ServiceSettings) -> None:
    presented = internal_headers("api", settings.model_copy(update={"internal_key": SecretStr("key-of-api")}))
    assert (await client.get("/internal/who", headers=presented)).json() == "api"


async def test_unknown_paths_are_problems_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
