"""The files under k8s/ as they lie there, read without any tool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "k8s"
BASE = K8S / "base"
COMPONENTS = K8S / "components"
OVERLAYS = K8S / "overlays"
Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    """Every document of a file."""
    return [found for found in yaml.safe_load_all(path.read_text()) if found]


def kustomizations() -> Iterator[tuple[Path, Document]]:
    """Every kustomization with its folder."""
    for path in sorted(K8S.rglob("kustomization.yaml")):
        [found] = documents(path)
        yield path.parent, found


def one(kind: str, folder: Path = BASE) -> Document:
    """The only document of a kind below a folder."""
    [found] = [
        each
        for path in sorted(folder.rglob("*.yaml"))
        for each in documents(path)
        if each.get("kind") == kind
    ]
    return found


def named(kind: str) -> dict[str, Document]:
    """The documents of a kind, of the base and of all components, by name."""
    return {
        each["metadata"]["name"]: each
        for folder in (BASE, COMPONENTS)
        for path in sorted(folder.rglob("*.yaml"))
        for each in documents(path)
        if each.get("kind") == kind
    }


def pod_specs() -> dict[str, Document]:
    """Pod specification by name of what makes the pods."""
    jobs = {name: job["spec"]["jobTemplate"] for name, job in named("CronJob").items()}
    return {name: made["spec"]["template"] for name, made in (named("Deployment") | jobs).items()}


def settings_of(folder: Path = BASE / "worker") -> dict[str, str]:
    """FISCAL_* settings of the base, with those that a folder's kustomization lays over them."""
    lines = (BASE / "worker" / "settings.env").read_text().splitlines()
    [kustomization] = documents(folder / "kustomization.yaml")
    for generator in kustomization.get("configMapGenerator", []):
        lines += generator.get("literals", []) if generator["name"] == "fiscal-worker-settings" else []
    return dict(line.split("=", 1) for line in lines)
