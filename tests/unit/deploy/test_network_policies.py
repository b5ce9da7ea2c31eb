"""Every path the product needs is open, and those that an intruder would want are not."""

import pytest
from tests.unit.deploy.network import BROKER, POSTGRES, Peer, namespace, outside, permits, pod_of, services_of
from tests.unit.deploy.rendering import OVERLAYS, Document, of_kind, site

from common.topology import SERVICES

CHANNEL = outside("23.227.38.65")
METADATA_OF_THE_CLOUD = outside("169.254.169.254")
NEIGHBOUR = outside("10.0.0.7")
OTHERS = [service for service in SERVICES if service != "api"]


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest) -> list[Document]:
    return site(request.param)


def needed(documents: list[Document]) -> list[tuple[str, Peer, Peer, int]]:
    """Who has to reach whom."""
    pods = {name: pod_of(documents, name) for name in (*SERVICES, "prepare")}
    dns = Peer({"k8s-app": "kube-dns"}, "kube-system")
    return [
        *((f"{name} asks the DNS", pod, dns, 53) for name, pod in pods.items()),
        *((f"{name} stores", pod, POSTGRES, 5432) for name, pod in pods.items()),
        *((f"{name} publishes", pod, BROKER, 5671) for name, pod in pods.items()),
        ("users are made", pods["prepare"], BROKER, 15671),
        *((f"api calls {name}", pods["api"], pods[name], 8080) for name in OTHERS),
        ("webhooks arrive", namespace("ingress-nginx"), pods["ingest"], 8080),
        ("ledgers' webhooks arrive", namespace("ingress-nginx"), pods["ledger-writer"], 8080),
        ("requests arrive", namespace("ingress-nginx"), pods["api"], 8080),
        *((f"{name} is measured", namespace("monitoring"), pods[name], 8080) for name in SERVICES),
        ("the broker is measured", namespace("monitoring"), BROKER, 15691),
        ("the database is measured", namespace("monitoring"), POSTGRES, 9187),
        ("queues are counted", namespace("keda"), BROKER, 5671),
        ("broker nodes talk", BROKER, BROKER, 25672),
        ("the database replicates", POSTGRES, POSTGRES, 5432),
        ("the operator asks for the state", namespace("cnpg-system"), POSTGRES, 8000),
        ("backups are stored", POSTGRES, outside("52.216.1.1"), 443),
        ("orders are fetched", pods["ingest"], CHANNEL, 443),
        ("documents are written", pods["ledger-writer"], CHANNEL, 443),
    ]


def unwanted(documents: list[Document]) -> list[tuple[str, Peer, Peer, int]]:
    """What must not be possible."""
    pods = {name: pod_of(documents, name) for name in (*SERVICES, "prepare")}
    return [
        *((f"{name} calls api", pods[name], pods["api"], 8080) for name in OTHERS),
        ("mapper calls ledger-writer", pods["mapper"], pods["ledger-writer"], 8080),
        ("the way in leads to mapper", namespace("ingress-nginx"), pods["mapper"], 8080),
        *((f"another namespace calls {name}", namespace("default"), pods[name], 8080) for name in SERVICES),
        *((f"{name} administers the broker", pods[name], BROKER, 15671) for name in SERVICES),
        *((f"{name} calls out", pods[name], CHANNEL, 443) for name in ("mapper", "api", "prepare")),
        *(
            (f"{name} reads the cloud's metadata", pod, METADATA_OF_THE_CLOUD, port)
            for name, pod in pods.items()
            for port in (80, 443)
        ),
        *((f"{name} calls a neighbour", pods[name], NEIGHBOUR, 443) for name in SERVICES),
        ("another namespace reads the database", namespace("default"), POSTGRES, 5432),
        ("monitoring reads the database", namespace("monitoring"), POSTGRES, 5432),
        ("another namespace publishes", namespace("default"), BROKER, 5671),
    ]


def test_every_path_the_product_needs_is_open(documents: list[Document]) -> None:
    assert [
        what for what, source, target, port in needed(documents) if not permits(documents, source, target, port)
    ] == []


def test_no_other_path_is_open(documents: list[Document]) -> None:
    assert [
        what for what, source, target, port in unwanted(documents) if permits(documents, source, target, port)
    ] == []


def test_every_service_name_leads_to_its_own_pods(documents: list[Document]) -> None:
    assert {service: services_of(documents, service) for service in SERVICES} == {s: [s] for s in SERVICES}


@pytest.mark.parametrize(
    "policy", ["dns", "tillbook-broker", "tillbook-postgres", "prepare", "ingest", "mapper", "ledger-writer", "api"]
)
def test_every_policy_is_needed(policy: str) -> None:
    without = [d for d in site("production") if not (d["kind"] == "NetworkPolicy" and d["metadata"]["name"] == policy)]
    assert [what for what, source, target, port in needed(without) if not permits(without, source, target, port)]


def test_without_the_default_nothing_keeps_unknown_pods_apart() -> None:
    documents = site("production")
    stranger = Peer({"app.kubernetes.io/name": "debug"})
    another = Peer({"app.kubernetes.io/name": "shell"})
    assert not permits(documents, stranger, another, 8080)
    open_site = [d for d in documents if not (d["kind"] == "NetworkPolicy" and d["metadata"]["name"] == "default-deny")]
    assert permits([d for d in open_site if d["metadata"]["name"] != "dns"], stranger, another, 8080)


def test_every_policy_says_which_directions_it_is_about(documents: list[Document]) -> None:
    assert all(policy["spec"].get("policyTypes") for policy in of_kind(documents, "NetworkPolicy"))
