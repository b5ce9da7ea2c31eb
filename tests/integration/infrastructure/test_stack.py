"""The whole product as local processes: ready, revived after a crash, behind one address, and gone afterwards."""

import secrets
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest
import pytest_asyncio

from common.provisioning.rabbitmq import administration
from common.topology import SERVICES
from sandbox.infrastructure import Endpoints
from sandbox.stack import NotReady, Replica, Stack

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(infrastructure: Endpoints) -> AsyncIterator[Stack]:
    """Two mappers, no stand-ins, nobody who revives what dies."""
    name = f"test_{secrets.token_hex(3)}"
    async with Stack(name, replicas={"mapper": 2}, stand_ins={}).running(supervised=False) as running:
        yield running


async def status(url: str) -> int:
    """What a health check sees; 0 where nobody answers."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        try:
            return (await client.get(f"{url}/health/ready")).status_code
        except httpx.TransportError:
            return 0


async def test_every_service_is_ready_with_database_and_broker(stack: Stack) -> None:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        for service in SERVICES:
            answer = (await client.get(f"{stack.url_of(service)}/health/ready")).json()
            assert answer["checks"] == {"database": "ok", "broker": "ok"}, service


async def test_starting_again_changes_nothing(stack: Stack) -> None:
    before = {name: replica.process() for name, replica in stack.processes.items()}
    assert all(before.values())
    addresses = {name: replica.url for name, replica in stack.processes.items()}
    await stack.start()
    assert {name: replica.process() for name, replica in stack.processes.items()} == before
    assert {name: replica.url for name, replica in stack.processes.items()} == addresses


async def test_a_port_that_is_named_for_a_running_process_is_not_passed_over_in_silence(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = stack.processes["api-1"].url.rsplit(":", 1)[1]
    monkeypatch.setenv("TILLBOOK_API_PORT", port)
    assert stack.ports_set_aside() == []
    monkeypatch.setenv("TILLBOOK_API_PORT", "1")
    assert stack.ports_set_aside() == [
        f"api-1 runs and stays at port {port}; TILLBOOK_API_PORT=1 counts after `make down`"
    ]


async def test_one_address_passes_over_a_killed_replica(stack: Stack) -> None:
    """Also while it is away: every new connection finds the other one."""
    stack.kill("mapper-1")
    assert stack.processes["mapper-1"].process() is None
    assert await status(stack.url_of("mapper-1")) == 0
    assert [await status(stack.url_of("mapper")) for _ in range(4)] == [200] * 4
    assert stack.revive() == ["mapper-1"]
    await stack.processes["mapper-1"].wait_ready()
    assert await status(stack.url_of("mapper-1")) == 200


async def test_what_is_to_stay_down_is_not_revived(stack: Stack) -> None:
    stack.kill("mapper-2", stay_down=True)
    assert stack.revive() == []
    await stack.restart("mapper-2")
    assert await status(stack.url_of("mapper-2")) == 200


async def test_no_secret_is_in_a_command_line_or_a_log(stack: Stack) -> None:
    hidden = [
        *stack.secrets.database_passwords.values(),
        *stack.secrets.broker_passwords.values(),
        *stack.secrets.internal_keys.values(),
        *(key.removeprefix("1:") for key in stack.secrets.encryption_keys.values()),
        stack.operator_key,
    ]
    assert len(hidden) == 4 * len(SERVICES) + 1
    shown = []
    for replica in stack.processes.values():
        process = replica.process()
        assert process
        shown += [" ".join(process.cmdline()), replica.log.read_text()]
    assert not [secret for secret in hidden for text in shown if secret in text]


async def test_a_process_that_ends_at_once_is_told_with_its_log(stack: Stack) -> None:
    """Instead of waiting for the time-out."""
    broken = Replica(
        "broken", ("sh", "-c", "echo no such setting; exit 3"), {}, stack.processes["api-1"].port + 1, stack.folder
    )
    began = time.monotonic()
    broken.start()
    with pytest.raises(NotReady, match=r"broken ended; .* ends with: no such setting"):
        await broken.wait_ready()
    assert time.monotonic() - began < 30


async def test_a_destroyed_stack_leaves_nothing(infrastructure: Endpoints) -> None:
    """Neither database, roles, virtual host, users, nor files. Nothing has to run for it to be removed."""
    stack = Stack(f"test_{secrets.token_hex(3)}", stand_ins={})
    stack.books.mkdir(parents=True)
    await stack.place.make(stack.secrets)
    await stack.destroy()
    connection = await asyncpg.connect(infrastructure.postgres_url)
    try:
        left = await connection.fetch(
            "SELECT datname FROM pg_database WHERE datname = $1 UNION ALL"
            " SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)",
            stack.place.database,
        )
        assert left == []
    finally:
        await connection.close()
    async with administration(infrastructure.management_url) as client:
        listed = (await client.get("/api/vhosts")).json() + (await client.get("/api/users")).json()
    assert not [entry for entry in listed if entry["name"].startswith(stack.place.vhost)]
    assert not stack.folder.exists()
