"""Every object is what its API accepts, misspelt fields included, which a cluster would drop without a word."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.unit.deploy.rendering import OVERLAYS, ROOT, Document, named, of_kind, site

CRDS = Path(os.environ.get("TILLBOOK_CRD_SCHEMAS", ROOT.parent / "shared" / "schemas" / "crds"))
BUILT_IN = ("v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1")
OLDEST = "1.30"
"""The first release that knows `preStop.sleep` without a switch."""


def custom(documents: list[Document]) -> list[Document]:
    """Objects whose kinds the operators bring."""
    return [document for document in documents if document["apiVersion"] not in BUILT_IN]


def strict(schema: Any) -> Any:
    """The schema, with every object closed that lists its fields."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(part) for key, part in schema.items()}
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not is_open:
        closed["additionalProperties"] = False
    return closed


def schema_of(document: Document) -> Any:
    """The schema of a custom kind. Fails the test where there is none, for then nothing would be checked."""
    group, version = document["apiVersion"].split("/")
    path = CRDS / group / f"{document['kind'].lower()}_{version}.json"
    if not CRDS.is_dir():
        pytest.skip(f"no schemas of custom resources at {CRDS}; set TILLBOOK_CRD_SCHEMAS")
    assert path.is_file(), f"{path.relative_to(CRDS)} is missing: {document['kind']} can't be checked"
    return strict(json.loads(path.read_text()))


def problems(document: Document) -> list[str]:
    """What a custom resource's schema says about it."""
    return [
        f"{document['kind']}/{document['metadata']['name']} {error.json_path}: {error.message[:200]}"
        for error in jsonschema.Draft202012Validator(schema_of(document)).iter_errors(document)
    ]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_custom_resources_are_what_their_operators_accept(overlay: str) -> None:
    documents = custom(site(overlay))
    assert {document["kind"] for document in documents} >= {"Cluster", "RabbitmqCluster", "ExternalSecret"}
    assert [problem for document in documents for problem in problems(document)] == []


@pytest.mark.parametrize("version", [OLDEST, "latest"])
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_built_in_kinds_are_what_kubernetes_accepts(overlay: str, version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    chosen = kubernetes_validate.latest_version() if version == "latest" else version
    documents = [document for document in site(overlay) if document["apiVersion"] in BUILT_IN]
    checked = [kubernetes_validate.validate(document, chosen, strict=True) for document in documents]
    assert len(checked) > 20


def test_a_misspelt_field_of_a_custom_resource_is_found() -> None:
    broken = copy.deepcopy(named(site("production"), "RabbitmqCluster", "tillbook-broker"))
    broken["spec"]["replica"] = broken["spec"].pop("replicas")
    assert any("'replica' was unexpected" in problem for problem in problems(broken))


def test_a_wrong_type_in_a_custom_resource_is_found() -> None:
    broken = copy.deepcopy(named(site("production"), "Cluster", "tillbook-postgres"))
    broken["spec"]["instances"] = "three"
    assert any("$.spec.instances" in problem for problem in problems(broken))


def test_a_misspelt_field_of_a_built_in_kind_is_found() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    broken = copy.deepcopy(next(of_kind(site("production"), "Deployment")))
    broken["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(broken, OLDEST, strict=True)
