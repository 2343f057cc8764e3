"""`python -m tests.deploy.ship.rendered FILE.json…`: what an overlay comes to, which no schema knows.

Each file is a list of rendered documents.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]
#: Made by neither a manifest nor the company's store: certificates.
ISSUED = {"fiscal-broker-tls", "fiscal-worker-console-tls"}


def main(files: list[str]) -> None:
    """Raises ``AssertionError`` for what is not as it has to be."""
    for file in files:
        documents = json.loads(Path(file).read_text())
        names = {(one["kind"], one["metadata"]["name"]) for one in documents}
        for pod in _pods(documents):
            _mounts_what_is_there(pod, names)
            [container] = pod["containers"]
            assert "/" in container["image"], f"{file}: {container['image']} has no registry"
            reaches = "/etc/fiscal-worker-ca" in {mount["mountPath"] for mount in container["volumeMounts"]}
            assert reaches == (("RabbitmqCluster", "fiscal-broker") in names), f"{file}: {container['name']}"
        _links_are_the_overlays_own(documents)
        print(f"{file}: {len(documents)} documents fit together")


def _pods(documents: list[Document]) -> Iterator[Document]:
    for one in documents:
        if one["kind"] in ("Deployment", "CronJob"):
            made = one["spec"]["jobTemplate"] if one["kind"] == "CronJob" else one
            yield made["spec"]["template"]["spec"]


def _mounts_what_is_there(pod: Document, names: set[tuple[str, str]]) -> None:
    [container] = pod["containers"]
    maps = {source["configMapRef"]["name"] for source in container.get("envFrom", [])}
    maps |= {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    assert {("ConfigMap", name) for name in maps} <= names, maps
    secrets = {volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume} - ISSUED
    assert {("ExternalSecret", name) for name in secrets} <= names, secrets
    assert ("ServiceAccount", pod["serviceAccountName"]) in names


def _links_are_the_overlays_own(documents: list[Document]) -> None:
    """In each language, where the settings name a runbook."""
    own = {
        one["data"]["FISCAL_RUNBOOK_URL"]
        for one in documents
        if one["kind"] == "ConfigMap" and "FISCAL_RUNBOOK_URL" in one["data"]
    }
    [rules] = [one for one in documents if one["kind"] == "PrometheusRule"]
    told = [rule.get("annotations", {}) for group in rules["spec"]["groups"] for rule in group["rules"]]
    for runbook in own:
        for alert in filter(None, told):
            links = {key: link.partition("#")[0] for key, link in alert.items() if "#" in link}
            assert links == {
                "runbook_url": runbook,
                "runbook_url_uk": runbook.replace(".md", ".uk.md"),
                "runbook_url_ru": runbook.replace(".md", ".ru.md"),
            }


if __name__ == "__main__":
    main(sys.argv[1:])
