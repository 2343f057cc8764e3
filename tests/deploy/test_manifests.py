"""Manifests and code agree: what neither rendering nor a schema can show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.integrations_watch import load as load_integrations
from config.setting_lines import variable
from config.settings import Settings, load
from tests.deploy.manifests import (
    BASE,
    K8S,
    OVERLAYS,
    ROOT,
    documents,
    kustomizations,
    one,
    pod_specs,
    settings_of,
)
from tests.deploy.prometheus_rule import MANIFEST, manifest
from worker import __version__
from worker.rabbit.topology import DEAD_LETTERS, EVENTS_QUEUE, Topology

KNOWN = {variable(name) for name in Settings.model_fields}
SECRET = {"FISCAL_RABBITMQ_URL", "FISCAL_ARCHIVE_CHECK_TOKEN"}
#: Seconds that the worker may take from SIGTERM to its end.
GRACE = 25
#: Live tokens that Checkbox keeps for a cashier; each process has one.
TOKENS = 10
PARTS = ["main", "online"]
#: Folders whose settings are laid over the base's.
WITH_SETTINGS = [
    BASE / "worker",
    OVERLAYS / "staging",
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


def matches(selector: dict[str, Any], template: dict[str, Any]) -> bool:
    return bool(selector["matchLabels"].items() <= template["metadata"]["labels"].items())


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
    assert int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s")) > GRACE


def test_ports_and_pages_are_those_of_the_worker() -> None:
    """Probes, scrape and policy name the port that the settings open, and pages that it has."""
    worker = container(pod_specs()["fiscal-worker"])
    [port] = worker["ports"]
    assert str(port["containerPort"]) == settings_of()["FISCAL_METRICS_PORT"]
    probes = [worker[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    [scrape] = one("PodMonitor")["spec"]["podMetricsEndpoints"]
    [ingress] = one("NetworkPolicy")["spec"]["ingress"]
    assert {*(probe["port"] for probe in probes), scrape["port"], ingress["ports"][0]["port"]} == {
        port["name"]
    }
    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    served = str(Settings.model_fields["metrics_port"].description)
    assert all(f"`{path}`" in served for path in (*(probe["path"] for probe in probes), scrape["path"]))


def test_selectors_find_the_pods_that_they_mean() -> None:
    """Scrape and disruption budget mean the worker alone; the network policy means the replay too."""
    worker, replay = pod_specs().values()
    for kind in ("PodMonitor", "PodDisruptionBudget", "Deployment"):
        selector = one(kind)["spec"]["selector"]
        assert matches(selector, worker)
        assert not matches(selector, replay)
    policy = one("NetworkPolicy")["spec"]["podSelector"]
    assert matches(policy, worker)
    assert matches(policy, replay)


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
    """No Secret is a variable; each mounted one is brought by the component, with names that are settings."""
    template = pod_specs()["fiscal-worker"]
    paths = mounted(template)
    settings = settings_of()
    assert paths[settings["FISCAL_SECRETS_DIR"]]["secret"]["secretName"] == "fiscal-worker"
    assert all("subPath" not in mount for mount in container(template)["volumeMounts"])
    assert not {"secretRef", "secretKeyRef"} & set(re.findall(r"\w+", str(pod_specs())))
    brought = {
        each["spec"]["target"]["name"]: each["spec"]
        for each in documents(K8S / "components" / "external-secrets" / "externalsecrets.yaml")
    }
    assert brought.keys() == {v["secret"]["secretName"] for v in paths.values() if "secret" in v}
    keys = {entry["secretKey"] for entry in brought["fiscal-worker"]["data"]}
    assert "FISCAL_RABBITMQ_URL" in keys
    assert keys <= SECRET
    [replay_env] = container(pod_specs()["fiscal-worker-replay"])["env"]
    assert replay_env["name"] == "FISCAL_SECRETS_DIR"
    assert replay_env["value"] in mounted(pod_specs()["fiscal-worker-replay"])


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
    links = re.findall(r"runbook_url: (\S+)#", manifest("https://wiki.example/runbook"))
    assert set(links) == {"https://wiki.example/runbook"}
    [kustomization] = documents(K8S / "dashboards" / "kustomization.yaml")
    [generator] = kustomization["configMapGenerator"]
    assert generator["files"] == sorted(path.name for path in (K8S / "dashboards").glob("*.json"))


def test_images_have_the_version_of_the_code() -> None:
    """Nothing is deployed as `latest`."""
    images = [image for _, found in kustomizations() for image in found.get("images", [])]
    assert len(images) == len(list(OVERLAYS.iterdir()))
    assert {image["newTag"] for image in images} == {__version__}
    assert not [
        path for path in K8S.rglob("*.yaml") if re.search(r"image:.*(:latest|[^:]latest)$", path.read_text())
    ]


def test_autoscaling_stays_within_the_tokens_of_a_cashier() -> None:
    """Each process signs in for itself: an eleventh would sign the first one out."""
    scaled = one("ScaledObject", K8S / "components" / "keda")["spec"]
    processes = int(settings_of()["FISCAL_PROCESSES"])
    deployment = one("Deployment")["spec"]
    surge = deployment["strategy"]["rollingUpdate"]["maxSurge"]
    assert (scaled["maxReplicaCount"] + surge) * processes <= TOKENS
    assert scaled["triggers"][0]["metadata"]["queueName"] == Topology().queue
    assert scaled["minReplicaCount"] == deployment["replicas"]


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


def test_the_replay_template_is_a_command_that_exists() -> None:
    """Its arguments are options of `dead-letters replay`, and it never runs by itself."""
    replay = one("CronJob")["spec"]
    assert replay["suspend"] is True
    command, verb, *options = container(pod_specs()["fiscal-worker-replay"])["args"]
    done = subprocess.run(
        [sys.executable, "-m", "worker", command, verb, "--help"], capture_output=True, text=True, check=True
    )
    assert all(option.partition("=")[0] in done.stdout for option in options)


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
