"""What the network policies let through, by the rules of Kubernetes: both ends of a path must allow it."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.unit.deploy.rendering import Document, named, of_kind, workloads

OURS = "tillbook"


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod, or an address outside the cluster."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: str = OURS
    address: str = ""


BROKER = Peer({"app.kubernetes.io/name": "tillbook-broker"})
"""As the cluster operator labels its pods: with the name of the cluster."""
POSTGRES = Peer({"cnpg.io/cluster": "tillbook-postgres"})
"""As CloudNativePG labels its pods."""


def pod_of(documents: list[Document], name: str) -> Peer:
    """A pod of ours, with the labels of its template."""
    return Peer(next(template["metadata"]["labels"] for found, template in workloads(documents) if found == name))


def namespace(name: str) -> Peer:
    """Some pod of another namespace."""
    return Peer({}, name)


def outside(address: str) -> Peer:
    """Somebody who is no pod."""
    return Peer({}, "", address)


def permits(documents: list[Document], source: Peer, target: Peer, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection comes through."""
    policies = list(of_kind(documents, "NetworkPolicy"))
    return one_way(policies, source, target, port, protocol, "Egress", "egress", "to") and one_way(
        policies, target, source, port, protocol, "Ingress", "ingress", "from"
    )


def one_way(
    policies: Iterable[Document], pod: Peer, other: Peer, port: int, protocol: str, kind: str, rules: str, side: str
) -> bool:
    """Whether the policies of one end let the other in or out. A pod that no policy selects is open."""
    if pod.namespace != OURS:
        return True
    specs = [p["spec"] for p in policies if kind in p["spec"]["policyTypes"] and selects(p["spec"]["podSelector"], pod)]
    return not specs or any(
        (side not in rule or any(is_peer(entry, other) for entry in rule[side])) and has_port(rule, port, protocol)
        for spec in specs
        for rule in spec.get(rules, [])
    )


def has_port(rule: dict[str, Any], port: int, protocol: str) -> bool:
    """A rule without ports is for all of them."""
    return "ports" not in rule or any(e["port"] == port and e.get("protocol", "TCP") == protocol for e in rule["ports"])


def is_peer(entry: dict[str, Any], other: Peer) -> bool:
    """Whether a rule's peer is this one."""
    if "ipBlock" in entry:
        if not other.address:
            return False  # pods are never reached by the blocks we write: the cluster's own networks are excepted
        address = ipaddress.ip_address(other.address)
        block = entry["ipBlock"]
        excepted = any(address in ipaddress.ip_network(network) for network in block.get("except", []))
        return address in ipaddress.ip_network(block["cidr"]) and not excepted
    if other.address:
        return False
    home = Peer({"kubernetes.io/metadata.name": other.namespace})
    is_there = selects(entry["namespaceSelector"], home) if "namespaceSelector" in entry else other.namespace == OURS
    return is_there and selects(entry.get("podSelector", {}), other)


def selects(selector: dict[str, Any], pod: Peer) -> bool:
    """Label selectors with `matchLabels` and the operator In, which is all that we use."""
    if not selector.get("matchLabels", {}).items() <= pod.labels.items():
        return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", f"{expression['operator']} is not understood here"
        if pod.labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def services_of(documents: list[Document], service: str) -> list[str]:
    """Pods that a Service sends to."""
    selector = named(documents, "Service", service)["spec"]["selector"]
    return [
        name
        for name, template in workloads(documents)
        if selects({"matchLabels": selector}, Peer(template["metadata"]["labels"]))
    ]
