"""Manifests and code agree: what neither rendering nor a schema can show."""

from __future__ import annotations

import inspect
import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.integrations_watch import load as load_integrations
from config.setting_lines import variable
from config.settings import RUNBOOK_URL, Settings, load
from tests.deploy.manifests import (
    BASE,
    COMPONENTS,
    K8S,
    OVERLAYS,
    ROOT,
    documents,
    kustomizations,
    named,
    one,
    pod_specs,
    settings_of,
)
from tests.deploy.prometheus_rule import MANIFEST, manifest
from worker import __version__
from worker.cli.console import console
from worker.console.application import Console
from worker.console.sign_in import Access
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, Topology

KNOWN = {variable(name) for name in Settings.model_fields}
#: Settings that are a Secret's.
SECRET = {
    variable(name)
    for name in ("rabbitmq_url", "archive_check_token", "integrations_token", "journal_url", "console_token")
} | {"FISCAL_CONSOLE_READ_TOKEN"}
#: Seconds that the worker may take from SIGTERM to its end.
GRACE = 25
#: Live tokens that Checkbox keeps for a cashier; each process has one.
TOKENS = 10
#: Of these, for `dead-letters watch` and for what a person or the night's reconciliation asks.
TOKENS_OF_COMMANDS = 2
#: The policies in the words of docs/security.md, beside that of all pods.
WAYS = {
    "fiscal-worker-checkbox": "Checkbox",
    "fiscal-worker-journal": "database",
    "fiscal-worker-scrape": "scrape",
    "fiscal-worker-console": "ingress",
}
PARTS = ["main", "online"]
#: Folders whose settings are laid over the base's.
WITH_SETTINGS = [
    BASE / "worker",
    OVERLAYS / "staging",
    OVERLAYS / "production",
    *(OVERLAYS / "split-by-integration" / part for part in PARTS),
]
INTEGRATIONS = [
    OVERLAYS / "staging" / "integrations.yaml",
    OVERLAYS / "production" / "site" / "integrations.yaml",
]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(K8S)) for path in paths]


def container(template: dict[str, Any]) -> dict[str, Any]:
    [found] = template["spec"]["containers"]
    return dict(found)


def mounted(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Volume by the path where it is mounted."""
    volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
    return {mount["mountPath"]: volumes[mount["name"]] for mount in container(template)["volumeMounts"]}


def secrets_of(template: dict[str, Any]) -> set[str]:
    return {volume["secret"]["secretName"] for volume in mounted(template).values() if "secret" in volume}


def matches(selector: dict[str, Any], template: dict[str, Any]) -> bool:
    labels = template["metadata"]["labels"]
    listed = [labels[one["key"]] in one["values"] for one in selector.get("matchExpressions", [])]
    return bool(selector["matchLabels"].items() <= labels.items() and all(listed))


def test_every_setting_that_is_named_exists() -> None:
    """A variable that the worker does not know would only be a warning in its log."""
    files = [*K8S.rglob("*.yaml"), *K8S.rglob("*.env"), ROOT / "compose.yaml", ROOT / "Dockerfile"]
    named = {name for path in files for name in re.findall(r"\bFISCAL_[A-Z_]+", path.read_text())}
    assert {"FISCAL_SECRETS_DIR", "FISCAL_RABBITMQ_URL", "FISCAL_BINDINGS"} <= named <= KNOWN


@pytest.mark.parametrize("folder", WITH_SETTINGS, ids=names(WITH_SETTINGS))
def test_the_settings_are_accepted(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the broker's address as a file beside them the worker starts; as Kubernetes lays it, by links."""
    settings = settings_of(folder)
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "FISCAL_RABBITMQ_URL").write_text("amqps://me:secret@broker.example:5671/fiscal\n")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "FISCAL_RABBITMQ_URL").symlink_to("..data/FISCAL_RABBITMQ_URL")
    for name, value in {**settings, "FISCAL_SECRETS_DIR": str(tmp_path)}.items():
        assert name not in SECRET
        monkeypatch.setenv(name, value)
    assert load().rabbitmq_urls == ("amqps://me:secret@broker.example:5671/fiscal",)


def test_pods_are_given_more_time_to_end_than_the_worker_takes() -> None:
    """SIGKILL never comes before the worker's own end; Compose gives the time too."""
    for template in pod_specs().values():
        assert template["spec"]["terminationGracePeriodSeconds"] > GRACE
    [compose] = documents(ROOT / "compose.yaml")
    for name in ("worker", "journal", "watch", "console"):
        assert int(compose["services"][name]["stop_grace_period"].removesuffix("s")) > GRACE


def test_ports_and_pages_are_those_of_the_worker() -> None:
    """Probes, scrape and policy name the port that the settings open, and pages that it has."""
    worker = container(pod_specs()["fiscal-worker"])
    [port] = worker["ports"]
    assert str(port["containerPort"]) == settings_of()["FISCAL_METRICS_PORT"]
    probes = [worker[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    [scrape] = one("PodMonitor")["spec"]["podMetricsEndpoints"]
    [ingress] = named("NetworkPolicy")["fiscal-worker-scrape"]["spec"]["ingress"]
    assert {*(probe["port"] for probe in probes), scrape["port"], ingress["ports"][0]["port"]} == {
        port["name"]
    }
    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    served = str(Settings.model_fields["metrics_port"].description)
    assert all(f"`{path}`" in served for path in (*(probe["path"] for probe in probes), scrape["path"]))


def test_the_way_to_the_console_leads_to_its_port_and_its_page() -> None:
    """Ingress, Service, policy and probes; one process alone knows who is signed in."""
    pod = container(pod_specs()["fiscal-worker-console"])
    [port] = pod["ports"]
    assert port["containerPort"] == inspect.signature(console).parameters["port"].default
    pages = {route.path for route in Console(Access("token"), None).application().routes}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert pod[probe]["httpGet"]["port"] == port["name"]
        assert pod[probe]["httpGet"]["path"] in pages
    service = named("Service")["fiscal-worker-console"]
    [served] = service["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    assert matches({"matchLabels": service["spec"]["selector"]}, pod_specs()["fiscal-worker-console"])
    ingress = named("Ingress")["fiscal-worker-console"]["spec"]
    [rule] = ingress["rules"]
    [path] = rule["http"]["paths"]
    assert path["backend"]["service"] == {
        "name": service["metadata"]["name"],
        "port": {"name": served["name"]},
    }
    assert ingress["tls"][0]["hosts"] == [rule["host"]]
    [way] = named("NetworkPolicy")["fiscal-worker-console"]["spec"]["ingress"]
    assert [allowed["port"] for allowed in way["ports"]] == [port["name"]]
    made = named("Deployment")["fiscal-worker-console"]["spec"]
    assert (made["replicas"], made["strategy"]) == (1, {"type": "Recreate"})


def test_selectors_find_the_pods_that_they_mean() -> None:
    """Each Deployment its own pods, scrape and disruption budget the worker's alone."""
    selectors = [(name, made["spec"]["selector"]) for name, made in named("Deployment").items()]
    selectors += [
        ("fiscal-worker", one(kind)["spec"]["selector"]) for kind in ("PodMonitor", "PodDisruptionBudget")
    ]
    for name, selector in selectors:
        assert [pod for pod, template in pod_specs().items() if matches(selector, template)] == [name]


def test_pods_have_the_secrets_and_the_ways_that_the_document_gives() -> None:
    """The table of docs/security.md is what the manifests mount and what the policies allow."""
    text = (ROOT / "docs" / "security.md").read_text()
    rows = re.findall(r"^\| `(fiscal-worker[a-z-]*)` \|(.*)\|(.*)\|(.*)\|(.*)\|$", text, re.MULTILINE)
    told = {
        pod: ({*re.findall(r"`([a-z-]+)`", secrets)}, {*re.findall(r"\w+", f"{ways_out} {way_in}")})
        for pod, secrets, _, ways_out, way_in in rows
    }
    policies = named("NetworkPolicy")
    of_all = policies.pop("fiscal-worker")["spec"]
    policies.pop("fiscal-broker")
    assert all(matches(of_all["podSelector"], template) for template in pod_specs().values())
    assert "ingress" not in of_all
    assert told == {
        pod: (
            secrets_of(template),
            {WAYS[name] for name, each in policies.items() if matches(each["spec"]["podSelector"], template)},
        )
        for pod, template in pod_specs().items()
    }


@pytest.mark.parametrize("name", pod_specs())
def test_pods_are_restricted(name: str) -> None:
    """User 10001, no capabilities, read-only root, no token of the cluster, no CPU limit, memory bounded."""
    template = pod_specs()[name]
    pod, worker = template["spec"], container(template)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert worker["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert worker["resources"]["limits"].keys() == {"memory"}
    tmp = mounted(template)["/tmp"]["emptyDir"]  # noqa: S108 - in the container
    [limit, size, request] = [
        int(text.removesuffix("Mi"))
        for text in (
            worker["resources"]["limits"]["memory"],
            tmp["sizeLimit"],
            worker["resources"]["requests"]["memory"],
        )
    ]
    assert tmp["medium"] == "Memory"
    assert request + size <= limit


def test_secrets_come_as_files_from_where_the_worker_reads_them() -> None:
    """No Secret is a variable; each mounted one is brought by a component, with names that are settings."""
    assert not {"secretRef", "secretKeyRef"} & set(re.findall(r"\w+", str(pod_specs())))
    brought = {name: each["spec"] for name, each in named("ExternalSecret").items()}
    assert brought.keys() == set().union(*map(secrets_of, pod_specs().values()))
    for name, each in brought.items():
        assert each["target"]["name"] == name
        keys = {entry["secretKey"] for entry in each.get("data", [])}
        assert keys <= SECRET
        assert ("FISCAL_RABBITMQ_URL" in keys) == (name != "fiscal-worker-cashiers")
    for template in pod_specs().values():
        pod = container(template)
        assert all("subPath" not in mount for mount in pod["volumeMounts"])
        given = {one["name"]: one["value"] for one in pod.get("env", [])}
        folder = {**(settings_of() if "envFrom" in pod else {}), **given}["FISCAL_SECRETS_DIR"]
        assert folder in mounted(template)


@pytest.mark.parametrize("path", INTEGRATIONS, ids=names(INTEGRATIONS))
def test_integrations_are_valid_and_hold_no_secret(path: Path, tmp_path: Path) -> None:
    """Every secret is a file in the mounted Secret; with the files there, the worker takes the file."""
    folder, volume = next(
        (where, volume)
        for where, volume in mounted(pod_specs()["fiscal-worker"]).items()
        if volume.get("secret", {}).get("secretName") == "fiscal-worker-cashiers"
    )
    text = path.read_text()
    secrets = re.findall(r"\b(?:login|password|pin_code|license_key): ([^,}\s]+)", text)
    assert secrets
    assert all(secret.startswith(f"file:{folder}/") for secret in secrets), volume
    for secret in secrets:
        (tmp_path / secret.rpartition("/")[2]).write_text("1234\n")
    file = tmp_path / "integrations.yaml"
    file.write_text(text.replace(f"file:{folder}/", f"file:{tmp_path}/"))
    assert load_integrations(file, "https://api.checkbox.ua", {}).integrations.in_force


def test_the_integrations_file_is_where_the_setting_says() -> None:
    """In a mounted folder whose ConfigMap keeps its name, so that a change reaches the running worker."""
    path = Path(settings_of()["FISCAL_INTEGRATIONS_FILE"])
    name = mounted(pod_specs()["fiscal-worker"])[str(path.parent)]["configMap"]["name"]
    generators = [
        generator
        for _, found in kustomizations()
        for generator in found.get("configMapGenerator", [])
        if generator["name"] == name
    ]
    assert len(generators) == len(INTEGRATIONS)
    for generator in generators:
        assert generator["files"] == [path.name]
        assert generator["options"]["disableNameSuffixHash"] is True


def test_rules_and_dashboards_are_the_very_files() -> None:
    """`python -m tests.deploy.prometheus_rule` writes the rules; every dashboard is in the ConfigMap."""
    assert MANIFEST.read_text() == manifest()
    [kustomization] = documents(K8S / "dashboards" / "kustomization.yaml")
    [generator] = kustomization["configMapGenerator"]
    assert generator["files"] == sorted(path.name for path in (K8S / "dashboards").glob("*.json"))


def test_images_have_the_version_of_the_code() -> None:
    """Nothing is deployed as `latest`."""
    images = [
        image for _, found in kustomizations() for image in found.get("images", []) if "newTag" in image
    ]
    assert {image["name"] for image in images} == {
        container(template)["image"] for template in pod_specs().values()
    }
    assert {image["newTag"] for image in images} == {__version__}
    assert not [
        path for path in K8S.rglob("*.yaml") if re.search(r"image:.*(:latest|[^:]latest)$", path.read_text())
    ]


def test_autoscaling_stays_within_the_tokens_of_a_cashier() -> None:
    """Each process signs in for itself: an eleventh would sign the first one out."""
    scaled = one("ScaledObject", COMPONENTS / "keda")["spec"]
    processes = int(settings_of()["FISCAL_PROCESSES"])
    deployment = one("Deployment")["spec"]
    surge = deployment["strategy"]["rollingUpdate"]["maxSurge"]
    assert (scaled["maxReplicaCount"] + surge) * processes + TOKENS_OF_COMMANDS <= TOKENS
    assert scaled["triggers"][0]["metadata"]["queueName"] == Topology().queue
    assert scaled["minReplicaCount"] == deployment["replicas"]


def test_the_autoscaler_reaches_the_broker() -> None:
    """KEDA asks for the queue's length from its own namespace."""
    ways = named("NetworkPolicy")["fiscal-broker"]["spec"]["ingress"]
    [amqps] = [way for way in ways if {"port": 5671, "protocol": "TCP"} in way.get("ports", [])]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}} in amqps["from"]


def test_the_split_leaves_no_integration_out_and_none_twice() -> None:
    """Each integration of production is bound to exactly one of the queues, and the queues are different."""
    [found] = documents(INTEGRATIONS[1])
    settings = [settings_of(OVERLAYS / "split-by-integration" / part) for part in PARTS]
    bound = [key for each in settings for key in each["FISCAL_BINDINGS"].split(";")]
    assert sorted(bound) == sorted(
        f"order.ready_to_fiscalize.{each['id']}.#" for each in found["integrations"]
    )
    assert len({each["FISCAL_QUEUE"] for each in settings}) == len(PARTS)


def test_the_brokers_permissions_cover_every_name() -> None:
    """The patterns of docs/security.md let a worker declare its queues, split or not, and no others."""
    text = (ROOT / "docs" / "security.md").read_text()
    [configure] = re.findall(r"set_permissions --vhost fiscal fiscal-worker '([^']*)'", text)
    queues = [
        Topology().queue,
        *(settings_of(OVERLAYS / "split-by-integration" / p)["FISCAL_QUEUE"] for p in PARTS),
    ]
    for queue in queues:
        assert all(
            re.search(configure, name) for name in (*Topology(queue=queue).consumed, f"{queue}.bindings")
        )
    assert all(re.search(configure, name) for name in (DEAD_LETTERS, EVENTS_QUEUE))
    assert not any(
        re.search(configure, name) for name in ("orders", "bimp.other", "fiscalizer", "my.fiscalize")
    )


@pytest.mark.parametrize("name", pod_specs())
def test_pods_run_commands_that_exist(name: str) -> None:
    """With options that they have; the template of a replay never runs by itself."""
    words = container(pod_specs()[name])["args"]
    command = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    done = subprocess.run(
        [sys.executable, "-m", "worker", *command, "--help"], capture_output=True, text=True, check=True
    )
    options = [word for word in words if word.startswith("-")]
    assert all(option.partition("=")[0] in done.stdout for option in options)
    suspended = [job for job, each in named("CronJob").items() if each["spec"].get("suspend")]
    assert suspended == ["fiscal-worker-replay"]


def test_an_overlay_puts_its_runbook_into_the_alerts() -> None:
    """Each link of an alert has what stands before the name of its file replaced; `ship/check` renders it."""
    folder = OVERLAYS / "production"
    [found] = documents(folder / "kustomization.yaml")
    [replacement] = found["replacements"]
    [target] = replacement["targets"]
    [delimiter] = {part["options"]["delimiter"] for part in (replacement["source"], target)}
    [group] = [
        each for each in one("PrometheusRule", K8S / "alerts")["spec"]["groups"] if "alerts" in each["name"]
    ]
    replaced = {path.rpartition(".")[2] for path in target["fieldPaths"]}
    place, name = RUNBOOK_URL.split(delimiter)
    for rule in group["rules"]:
        links = {key: link for key, link in rule["annotations"].items() if link.startswith("https:")}
        assert links.keys() == replaced
        assert {link.split(delimiter)[0] for link in links.values()} == {place}
    assert settings_of(folder)["FISCAL_RUNBOOK_URL"].split(delimiter)[1] == name


def test_every_file_that_a_kustomization_names_is_there() -> None:
    """Resources, components and files of every kustomization exist, and no manifest is left out."""
    named: set[Path] = set()
    for folder, found in kustomizations():
        for reference in (*found.get("resources", []), *found.get("components", [])):
            path = (folder / reference).resolve()
            assert path.exists(), path
            named.add(path)
    manifests = {
        path
        for part in ("base", "components", "overlays")
        for path in (K8S / part).rglob("*.yaml")
        if path.name not in ("kustomization.yaml", "integrations.yaml")
    }
    assert manifests <= named
