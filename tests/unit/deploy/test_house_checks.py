"""What schemas can't know: each check passes for every overlay, and each finds the accident it is there for."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.deploy import checks
from tests.unit.deploy.rendering import OVERLAYS, Document, named, site


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: str(check.__name__))
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_passes(overlay: str, check: Callable[[list[Document]], list[str]]) -> None:
    assert check(site(overlay)) == []


def mapper(documents: list[Document]) -> Any:
    return named(documents, "Deployment", "mapper")["spec"]["template"]["spec"]


def config(documents: list[Document], start: str) -> Any:
    return next(d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"].startswith(start))["data"]


def rules(documents: list[Document]) -> Any:
    return named(documents, "PrometheusRule", "tillbook")["spec"]["groups"][0]["rules"]


def secret(documents: list[Document], name: str) -> Any:
    return named(documents, "ExternalSecret", name)["spec"]["target"]["template"]["data"]


def scaled(documents: list[Document]) -> Any:
    return named(documents, "ScaledObject", "mapper")["spec"]


ACCIDENTS: list[tuple[Callable[[list[Document]], list[str]], Callable[[list[Document]], object], str]] = [
    (
        checks.hardening,
        lambda d: mapper(d)["containers"][0]["securityContext"].update(readOnlyRootFilesystem=False),
        "mapper/mapper: can write to its image",
    ),
    (
        checks.hardening,
        lambda d: mapper(d)["containers"][0]["securityContext"].pop("capabilities"),
        "mapper/mapper: keeps capabilities",
    ),
    (checks.hardening, lambda d: mapper(d)["securityContext"].pop("runAsNonRoot"), "mapper: may run as root"),
    (checks.hardening, lambda d: mapper(d).pop("automountServiceAccountToken"), "mapper: carries a token"),
    (checks.hardening, lambda d: mapper(d)["securityContext"].pop("seccompProfile"), "mapper: has no seccomp"),
    (checks.hardening, lambda d: mapper(d)["containers"][0].pop("resources"), "mapper/mapper: has no bound of memory"),
    (
        checks.hardening,
        lambda d: mapper(d)["containers"][0]["securityContext"].update(privileged=True),
        "mapper/mapper: can gain privileges",
    ),
    (
        checks.images,
        lambda d: mapper(d)["containers"][0].update(image="registry.example/tillbook/mapper:latest"),
        "mapper/mapper: registry.example/tillbook/mapper:latest names no version",
    ),
    (checks.images, lambda d: mapper(d)["containers"][0].update(image="tillbook/mapper"), "names no version"),
    (checks.probes, lambda d: mapper(d)["containers"][0].pop("readinessProbe"), "mapper: readinessProbe does not ask"),
    (checks.probes, lambda d: mapper(d).update(terminationGracePeriodSeconds=30), "mapper: is killed after less"),
    (checks.probes, lambda d: config(d, "mapper").update(MAPPER_SHUTDOWN_GRACE_S="40"), "mapper: is killed after less"),
    (checks.probes, lambda d: mapper(d)["containers"][0].pop("lifecycle"), "mapper: ends before the load balancer"),
    (
        checks.budgets,
        lambda d: d.remove(named(d, "PodDisruptionBudget", "mapper")),
        "mapper: no disruption budget",
    ),
    (checks.environment, lambda d: config(d, "api").pop("API_MAPPER_URL"), "api/api: API_MAPPER_URL is required"),
    (
        checks.environment,
        lambda d: config(d, "api").pop("API_MAPPER_URL"),
        "prepare/migrate-api: API_MAPPER_URL is required",
    ),
    (
        checks.environment,
        lambda d: config(d, "mapper").update(MAPPER_LINGER="5"),
        "mapper/mapper: nothing reads MAPPER_LINGER",
    ),
    (
        checks.environment,
        lambda d: config(d, "mapper").update(MAPPER_LINGER_MS="-1"),
        "mapper/mapper: MAPPER_LINGER_MS=-1: Input should be greater than or equal to 0",
    ),
    (
        checks.environment,
        lambda d: secret(d, "mapper").pop("MAPPER_ENCRYPTION_KEYS"),
        "mapper/mapper: MAPPER_ENCRYPTION_KEYS is required",
    ),
    (
        checks.environment,
        lambda d: d.remove(named(d, "ExternalSecret", "mapper")),
        "mapper/mapper: takes variables from what nobody makes",
    ),
    (
        checks.environment,
        lambda d: named(d, "Job", "prepare")["spec"]["template"]["spec"]["initContainers"][1]["env"].pop(0),
        "prepare/declare: BROKER_ADMIN_USER is used and not set",
    ),
    (
        checks.secrets,
        lambda d: secret(d, "mapper").update(MAPPER_DATABASE_URL=secret(d, "api")["API_DATABASE_URL"]),
        "mapper: MAPPER_DATABASE_URL is of another",
    ),
    (
        checks.secrets,
        lambda d: named(d, "ExternalSecret", "mapper")["spec"]["data"].pop(0),
        "mapper: database_password is not fetched",
    ),
    (checks.secrets, lambda d: secret(d, "mapper").pop("MAPPER_INTERNAL_KEY"), "mapper: internal_key is not used"),
    (
        checks.scaling,
        lambda d: scaled(d)["triggers"][0]["metadata"].update(queueName="mapper.orders"),
        "mapper: scales by mapper.orders, which is not its own",
    ),
    (checks.scaling, lambda d: scaled(d).update(maxReplicaCount=40), "postgres: 560 connections can be asked for"),
    (
        checks.alerts,
        lambda d: rules(d)[2].update(expr='tillbook_outbox_age_seconds{namespace="tillbook"} > 300'),
        "TillbookOutboxOld: there is no metric tillbook_outbox_age_seconds",
    ),
    (
        checks.alerts,
        lambda d: rules(d)[3].update(expr='tillbook_consumer_paused{queues="x"} == 1'),
        "TillbookConsumerPaused: tillbook_consumer_paused has no label queues",
    ),
    (checks.alerts, lambda d: rules(d)[0]["annotations"].pop("action"), "TillbookServiceMissing: does not say"),
]


@pytest.mark.parametrize(("check", "break_it", "finding"), ACCIDENTS, ids=[accident[2] for accident in ACCIDENTS])
def test_a_check_finds_its_accident(
    check: Callable[[list[Document]], list[str]], break_it: Callable[[list[Document]], object], finding: str
) -> None:
    documents = site("production")
    break_it(documents)
    assert any(finding in found for found in check(documents)), check(documents)
