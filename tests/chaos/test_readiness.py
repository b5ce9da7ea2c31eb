"""Broker and database are killed below running services: nothing has to be restarted by hand."""

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from common.topology import SERVICES
from sandbox.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos, pytest.mark.slow]

WELL = {"database": "ok", "broker": "ok"}


async def checks(stack: Stack, service: str) -> tuple[int, Mapping[str, str]]:
    """The status and the details of a service's readiness."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        answer = await client.get(f"{stack.url_of(service)}/health/ready")
        return answer.status_code, answer.json()["checks"]


async def expect_all_well(stack: Stack, *, within_s: float) -> None:
    """Every service reports database and broker as `ok` before the time is over."""
    async with asyncio.timeout(within_s):
        while [await checks(stack, service) for service in SERVICES] != [(200, WELL)] * len(SERVICES):
            await asyncio.sleep(0.2)


async def test_services_outlive_a_killed_broker_and_a_killed_database(fragile: Stack) -> None:
    """Without the broker they stay ready, because accepting needs only Postgres; without Postgres they are not."""
    await expect_all_well(fragile, within_s=60)
    pids = {service: fragile.processes[f"{service}-1"].process() for service in SERVICES}

    await asyncio.to_thread(fragile.infrastructure.crash, rabbitmq=True)
    for service in SERVICES:
        status, found = await checks(fragile, service)
        assert (status, found["database"]) == (200, "ok")
        assert found["broker"] != "ok"
    await asyncio.to_thread(fragile.infrastructure.up)
    await expect_all_well(fragile, within_s=60)

    await asyncio.to_thread(fragile.infrastructure.crash, postgres=True)
    for service in SERVICES:
        status, found = await checks(fragile, service)
        assert status == 503
        assert found["database"] != "ok"
    await asyncio.to_thread(fragile.infrastructure.up)
    await expect_all_well(fragile, within_s=60)

    assert {service: fragile.processes[f"{service}-1"].process() for service in SERVICES} == pids
