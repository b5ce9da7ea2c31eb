"""The manifests as a cluster gets them: overlays rendered by kubectl or kustomize, else the files as they lie.

Without either program no patch and no image name of an overlay is seen, but every file is still read and checked.
"""

import copy
import functools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
K8S = ROOT / "deploy" / "k8s"
PARTS = ("platform", "prepare", "services")
OVERLAYS = ("production", "small")

Document = dict[str, Any]


def render_command() -> list[str] | None:
    """The program that renders a kustomization, without the folder, or None."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


@functools.cache
def rendered(folder: Path) -> tuple[Document, ...]:
    """Every object that a kustomization makes."""
    command = render_command()
    if command is None:
        return tuple(load(folder))
    done = subprocess.run([*command, str(folder)], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def load(folder: Path) -> list[Document]:
    """All files that a kustomization leads to, and its ConfigMaps under their plain names; patches are not applied."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: list[Document] = []
    for name in [*kustomization.get("resources", []), *kustomization.get("components", [])]:
        path = folder / name
        found += load(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
    for generated in kustomization.get("configMapGenerator", []):
        if generated.get("behavior") == "merge":
            continue  # the base has a value for everything that an overlay merges
        data = dict(literal.split("=", 1) for literal in generated["literals"])
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generated["name"]}, "data": data})
    return found


def site(overlay: str) -> list[Document]:
    """Everything of one overlay, each object once: prepare and services share their ConfigMaps."""
    by_name = {
        (document["kind"], document["metadata"]["name"]): document
        for part in PARTS
        for document in rendered(K8S / "overlays" / overlay / part)
    }
    return copy.deepcopy(list(by_name.values()))


def of_kind(documents: list[Document], *kinds: str) -> Iterator[Document]:
    """The objects of some kinds."""
    return (document for document in documents if document["kind"] in kinds)


def named(documents: list[Document], kind: str, name: str) -> Document:
    """One object. Raises StopIteration where there is none."""
    return next(document for document in of_kind(documents, kind) if document["metadata"]["name"] == name)


def workloads(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """Our own pods: (name, pod template)."""
    for document in of_kind(documents, "Deployment", "StatefulSet", "Job"):
        yield document["metadata"]["name"], document["spec"]["template"]


def containers(template: Document) -> list[Document]:
    """A pod's containers, those that run first included."""
    spec = template["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]
