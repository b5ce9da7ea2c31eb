"""The topology is data, so its rules are checked rather than remembered."""

import re

import pytest

from common import topology
from common.messages import BY_TYPE, CONTRACTS


def test_every_contract_has_a_consumer() -> None:
    assert frozenset() == topology.UNCONSUMED


def test_every_queue_dead_letters_to_its_own_service_and_limits_deliveries() -> None:
    for queue in topology.QUEUES:
        assert queue.arguments["x-dead-letter-exchange"] == topology.DEAD_EXCHANGE
        assert queue.arguments["x-dead-letter-routing-key"] == queue.service
        assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
        assert queue.arguments["x-overflow"] == "reject-publish"
        assert queue.arguments["x-delivery-limit"] == topology.DELIVERY_LIMIT


def test_a_dead_letter_is_not_dropped_for_having_been_delivered_often() -> None:
    # RabbitMQ 4.x drops after 20 deliveries where a queue says nothing, and there is no queue behind this one.
    assert topology.DEAD_QUEUE_ARGUMENTS["x-delivery-limit"] == topology.DEAD_DELIVERY_LIMIT
    assert topology.DEAD_DELIVERY_LIMIT >= 1_000_000
    assert "x-dead-letter-exchange" not in topology.DEAD_QUEUE_ARGUMENTS


def test_names_follow_one_pattern_and_are_unique() -> None:
    names = [queue.name for queue in topology.QUEUES]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"(ingest|mapper|ledger-writer|api)\.[a-z]+-[a-z]+(\.backfill)?", name) for name in names)
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\.v\d+", contract.type) for contract in CONTRACTS)
    assert len(BY_TYPE) == len(CONTRACTS)


def test_bulk_work_has_queues_of_its_own_beside_the_live_ones() -> None:
    backfill = {queue.name for queue in topology.QUEUES if queue.backfill}
    assert backfill == {"mapper.order-normalized.backfill", "ledger-writer.transactions-mapped.backfill"}


def test_a_delay_returns_to_the_queue_named_by_the_routing_key() -> None:
    for delay in topology.DELAYS:
        assert delay.arguments["x-dead-letter-exchange"] == ""
        assert delay.arguments["x-message-ttl"] == delay.seconds * 1000


@pytest.mark.parametrize(
    ("wanted", "name"), [(1, "delay.10s"), (59, "delay.10s"), (60, "delay.60s"), (9999, "delay.600s")]
)
def test_the_longest_fitting_delay_is_taken(wanted: float, name: str) -> None:
    assert topology.delay_for(wanted).name == name


@pytest.mark.parametrize("service", topology.SERVICES)
def test_permissions_reach_own_queues_and_nothing_else(service: str) -> None:
    permissions = topology.permissions_of(service)
    readable = {queue.name for queue in topology.QUEUES if re.search(permissions.read, queue.name)}
    assert readable == {queue.name for queue in topology.queues_of(service)}
    assert re.search(permissions.write, topology.EXCHANGE)
    assert all(re.search(permissions.write, delay.name) for delay in topology.DELAYS)
    assert bool(re.search(permissions.write, "amq.default")) is (service == "api")
    assert not re.search(permissions.configure, "anything")
    dead = {s for s in topology.SERVICES if re.search(permissions.read, topology.dead_queue(s))}
    assert dead == (set(topology.SERVICES) if service == "api" else {service})
