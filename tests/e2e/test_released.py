"""The running services take in what every earlier release sent: nothing is parked or logged as an error."""

import asyncio
from collections import Counter

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from tests.contract.released.keep import HERE

from common.broker import Broker, Outgoing
from common.messages import BY_TYPE
from common.messages.control import TenantDeleted
from common.topology import EXCHANGE, QUEUES, SERVICES, Queue, routing_key
from sandbox.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def outcomes(product: Stack) -> Counter[tuple[str, str]]:
    """(queue, outcome) -> states so far."""
    counted: Counter[tuple[str, str]] = Counter()
    async with httpx.AsyncClient() as client:
        for service in SERVICES:
            text = (await client.get(f"{product.url_of(service)}/metrics")).text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name == "tillbook_states_handled_total":
                        counted[sample.labels["queue"], sample.labels["outcome"]] += int(sample.value)
    return counted


def consumers_of(type_name: str) -> list[Queue]:
    return [queue for queue in QUEUES if queue.contract.type == type_name and not queue.backfill]


async def taken_in(product: Stack, queues: list[Queue], before: Counter[tuple[str, str]]) -> None:
    """Wait until each queue's consumer has handled one more state."""
    async with asyncio.timeout(30):
        while True:
            now = await outcomes(product)
            if all(now[queue.name, "handled"] > before[queue.name, "handled"] for queue in queues):
                return
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "release", sorted(path.name for path in HERE.iterdir() if (path / "order.normalized.v1.json").exists())
)
async def test_the_services_take_in_what_an_earlier_release_sent(product: Stack, release: str) -> None:
    before = await outcomes(product)
    # The tenant's end comes last: what follows it would be refused, as it should.
    packs = sorted((HERE / release).glob("*.json"), key=lambda path: (path.stem == TenantDeleted.type, path.stem))
    broker = Broker(SecretStr(product.place.admin_broker_url), name="earlier-release")
    for path in packs:
        contract = BY_TYPE[path.stem]
        if queues := consumers_of(path.stem):
            body = path.read_bytes().rstrip(b"\n")
            await broker.publish([Outgoing(EXCHANGE, routing_key(contract, backfill=False), path.stem, body)])
            await taken_in(product, queues, before)
    await broker.close()
    after = await outcomes(product)
    assert {key: after[key] - before[key] for key in after if key[1] == "parked" and after[key] != before[key]} == {}
