"""What we ask of manifests beside their schemas. Each check returns what is wrong, in words."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from pydantic import TypeAdapter, ValidationError
from pydantic_settings import BaseSettings
from tests.unit.deploy.rendering import Document, containers, named, of_kind, workloads

import common.telemetry  # noqa: F401 - registers the metrics
import ingest.metrics  # noqa: F401 - as the other does
from api.settings import ApiSettings
from common.declare import DeclareSettings
from common.provisioning.__main__ import ProvisionSettings
from common.provisioning.postgres import schema_of
from common.topology import SERVICES, queues_of
from ingest.settings import IngestSettings
from ledger_writer.ledgers.quickbooks_online.settings import OnlineSettings
from ledger_writer.settings import LedgerWriterSettings
from mapper.settings import MapperSettings

READS: dict[str, tuple[type[BaseSettings], ...]] = {
    "ingest": (IngestSettings,),
    "mapper": (MapperSettings,),
    "ledger_writer": (LedgerWriterSettings, OnlineSettings),
    "api": (ApiSettings,),
    "common.provisioning": (ProvisionSettings,),
    "common.declare": (DeclareSettings,),
}
"""Module that a container runs → what it is configured by."""
LIBRARIES = {"PGSSLMODE", "PGSSLROOTCERT", "SSL_CERT_FILE"}
"""Variables that asyncpg and httpx read."""
FOREIGN_METRICS = {
    "up",
    "rabbitmq_detailed_queue_messages",
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
}
SCRAPED_LABELS = {"namespace", "service", "pod", "job", "instance"}
"""What Prometheus adds to each of our metrics."""
SELECTOR = re.compile(r'\b(\w+)\{((?:[^"}]|"[^"]*")*)\}')
"""A metric and what stands between its braces, which may hold braces in quotes."""
SPARE_CONNECTIONS = 20


def hardening(documents: list[Document]) -> list[str]:
    """Pods that are more than the restricted profile, or that could write where they should not."""
    wrong = []
    for name, template in workloads(documents):
        spec, pod = template["spec"], template["spec"].get("securityContext", {})
        wrong += [f"{name}: {field} is set" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
        if spec.get("automountServiceAccountToken") is not False:
            wrong.append(f"{name}: carries a token of the API server")
        if pod.get("runAsNonRoot") is not True or not pod.get("runAsUser"):
            wrong.append(f"{name}: may run as root")
        if pod.get("seccompProfile") != {"type": "RuntimeDefault"}:
            wrong.append(f"{name}: has no seccomp profile")
        for container in containers(template):
            own = container.get("securityContext", {})
            label = f"{name}/{container['name']}"
            if own.get("readOnlyRootFilesystem") is not True:
                wrong.append(f"{label}: can write to its image")
            if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
                wrong.append(f"{label}: can gain privileges")
            if own.get("capabilities") != {"drop": ["ALL"]}:
                wrong.append(f"{label}: keeps capabilities")
            limits = container.get("resources", {})
            if not limits.get("requests", {}).get("memory") or not limits.get("limits", {}).get("memory"):
                wrong.append(f"{label}: has no bound of memory")
    return wrong


def images(documents: list[Document]) -> list[str]:
    """Images that can be another thing tomorrow."""
    found = [
        (f"{name}/{container['name']}", container["image"])
        for name, template in workloads(documents)
        for container in containers(template)
    ]
    found += [("broker", document["spec"]["image"]) for document in of_kind(documents, "RabbitmqCluster")]
    found += [("postgres", document["spec"]["imageName"]) for document in of_kind(documents, "Cluster")]
    return [
        f"{place}: {image} names no version"
        for place, image in found
        if not re.search(r"@sha256:[0-9a-f]{64}$|:\d+\.\d+[\w.-]*$", image)
    ]


def probes(documents: list[Document]) -> list[str]:
    """Servers whose life and readiness nobody asks for, or that are killed before they have finished."""
    wrong = []
    for workload in of_kind(documents, "Deployment", "StatefulSet"):
        name, spec = workload["metadata"]["name"], workload["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        for probe, path in (("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")):
            if container.get(probe, {}).get("httpGet", {}).get("path") != path:
                wrong.append(f"{name}: {probe} does not ask {path}")
        wait_s = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if not wait_s:
            wrong.append(f"{name}: ends before the load balancer hears of it")
        grace_s = float(str(setting(documents, name, "shutdown_grace_s")))
        phases = 3  # requests, batches, other work
        needed_s = wait_s + phases * grace_s + 7  # and what is being published, and the pool
        if spec.get("terminationGracePeriodSeconds", 30) < needed_s:
            wrong.append(f"{name}: is killed after less than the {needed_s:g} s that it may take to stop")
    return wrong


def budgets(documents: list[Document]) -> list[str]:
    """Servers that a drained node could take all at once."""
    covered = [budget["spec"]["selector"]["matchLabels"] for budget in of_kind(documents, "PodDisruptionBudget")]
    return [
        f"{workload['metadata']['name']}: no disruption budget"
        for workload in of_kind(documents, "Deployment", "StatefulSet")
        if not any(labels.items() <= workload["spec"]["template"]["metadata"]["labels"].items() for labels in covered)
    ]


def environment(documents: list[Document]) -> list[str]:
    """Variables that nothing reads, that have values their setting refuses, or that are needed and not given."""
    wrong = []
    for name, template in workloads(documents):
        for container in containers(template):
            label, classes = f"{name}/{container['name']}", READS[container["args"][0]]
            try:
                given = variables(documents, container)
            except StopIteration:
                wrong.append(f"{label}: takes variables from what nobody makes")
                continue
            fields = {
                f"{cls.model_config['env_prefix']}{field}".upper(): info
                for cls in classes
                for field, info in cls.model_fields.items()
            }
            parts = {part for value in given.values() if value for part in re.findall(r"\$\((\w+)\)", value)}
            wrong += [
                f"{label}: nothing reads {extra}" for extra in sorted(set(given) - set(fields) - LIBRARIES - parts)
            ]
            wrong += [f"{label}: {part} is used and not set" for part in sorted(parts - set(given))]
            for variable, info in fields.items():
                value = given.get(variable)
                if variable not in given and info.is_required():
                    wrong.append(f"{label}: {variable} is required")
                elif value is not None and "$(" not in value:
                    wrong += refused(label, variable, info, value)
    return wrong


def refused(label: str, variable: str, info: Any, value: str) -> Iterator[str]:
    """What a setting says about a value that is written in a manifest."""
    try:
        TypeAdapter(Annotated[info.annotation, info]).validate_python(value)
    except ValidationError as error:
        yield f"{label}: {variable}={value}: {error.errors()[0]['msg']}"


def variables(documents: list[Document], container: Document) -> dict[str, str | None]:
    """A container's environment; None for what comes from a secret."""
    given: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        if "configMapRef" in source:
            given |= named(documents, "ConfigMap", source["configMapRef"]["name"])["data"]
        else:
            given |= dict.fromkeys(secret_data(documents, source["secretRef"]["name"]))
    return given | {entry["name"]: entry.get("value") for entry in container.get("env", [])}


def secret_data(documents: list[Document], name: str) -> dict[str, str]:
    """Variable → template of a secret that External Secrets makes. Raises StopIteration where none makes it."""
    for document in of_kind(documents, "ExternalSecret"):
        if document["spec"]["target"]["name"] == name:
            data: dict[str, str] = document["spec"]["target"]["template"]["data"]
            return data
    raise StopIteration


def secrets(documents: list[Document]) -> list[str]:
    """Addresses that are not of this service's own role and user, and templates of values that are not fetched."""
    wrong = []
    for service in SERVICES:
        prefix, data = schema_of(service).upper(), secret_data(documents, service)
        expected = {
            f"{prefix}_DATABASE_URL": f"postgresql://{schema_of(service)}:",
            f"{prefix}_BROKER_URL": f"amqps://{service}:",
        }
        wrong += [f"{service}: {k} is of another" for k, start in expected.items() if not data[k].startswith(start)]
    for document in of_kind(documents, "ExternalSecret"):
        spec = document["spec"]
        fetched = {entry["secretKey"] for entry in spec["data"]}
        templates = " ".join(spec["target"]["template"]["data"].values())
        used = set(re.findall(r"[\s{]\.(\w+)", templates))
        wrong += [f"{document['metadata']['name']}: {key} is not fetched" for key in sorted(used - fetched)]
        wrong += [f"{document['metadata']['name']}: {key} is not used" for key in sorted(fetched - used)]
    return wrong


def setting(documents: list[Document], service: str, field: str) -> object:
    """What a service's setting is in this overlay."""
    (cls, *_) = READS[schema_of(service)]
    template = next(template for name, template in workloads(documents) if name == service)
    given = variables(documents, template["spec"]["containers"][0])
    return given.get(f"{cls.model_config['env_prefix']}{field}".upper(), cls.model_fields[field].default)


def scaling(documents: list[Document]) -> list[str]:
    """Autoscalers that look at queues nobody has, and more connections than Postgres gives."""
    wrong, most = [], dict.fromkeys(SERVICES, 1)
    for document in of_kind(documents, "ScaledObject"):
        service = document["spec"]["scaleTargetRef"]["name"]
        most[service] = document["spec"]["maxReplicaCount"]
        own = {queue.name for queue in queues_of(service)}
        asked = {t["metadata"]["queueName"] for t in document["spec"]["triggers"] if t["type"] == "rabbitmq"}
        wrong += [f"{service}: scales by {queue}, which is not its own" for queue in sorted(asked - own)]
    needed = SPARE_CONNECTIONS
    for workload in of_kind(documents, "Deployment", "StatefulSet"):
        service = workload["metadata"]["name"]
        surge = workload["kind"] == "Deployment"
        needed += (most[service] + surge) * int(str(setting(documents, service, "database_connections_max")))
    parameters = named(documents, "Cluster", "tillbook-postgres")["spec"]["postgresql"]["parameters"]
    if needed > int(parameters["max_connections"]):
        wrong.append(f"postgres: {needed} connections can be asked for, {parameters['max_connections']} are given")
    return wrong


def alerts(documents: list[Document]) -> list[str]:
    """Alerts on metrics or labels that do not exist, and such as say nothing to whom they wake."""
    wrong = []
    collectors = REGISTRY._names_to_collectors
    for document in of_kind(documents, "PrometheusRule"):
        for rule in (rule for group in document["spec"]["groups"] for rule in group["rules"]):
            name, expression = rule["alert"], rule["expr"]
            if {"summary", "action"} - set(rule.get("annotations", {})):
                wrong.append(f"{name}: does not say what it means and what to do")
            for metric, selector in SELECTOR.findall(expression):
                if metric in FOREIGN_METRICS:
                    continue
                collector = collectors.get(metric)
                if not isinstance(collector, MetricWrapperBase):
                    wrong.append(f"{name}: there is no metric {metric}")
                    continue
                known = set(collector._labelnames) | SCRAPED_LABELS
                used = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", selector))
                wrong += [f"{name}: {metric} has no label {label}" for label in sorted(used - known)]
    return wrong


CHECKS = (hardening, images, probes, budgets, environment, secrets, scaling, alerts)
