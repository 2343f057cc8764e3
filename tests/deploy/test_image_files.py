"""What the image is built from: locks, the allow-list of its context, its base."""

from __future__ import annotations

import fnmatch
import inspect
import re
import tomllib

import pytest

from config.settings import Settings
from tests.deploy.manifests import ROOT, documents
from worker.cli.console import console

DOCKERFILE = (ROOT / "Dockerfile").read_text()
Pins = dict[str, frozenset[str]]


def pins(name: str) -> Pins:
    """Hashes by package and version."""
    found: Pins = {}
    for block in re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text()):
        if match := re.match(r"[a-z0-9-]+==\S+", block):
            found[match[0]] = frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", block))
    return found


@pytest.mark.parametrize("part", ["build", "worker", "sandbox", "journal", "console"])
def test_the_image_holds_what_was_tested(part: str) -> None:
    """Versions and hashes are what the tests ran with: `make lock-ship`."""
    everything, some = pins("requirements/dev.lock"), pins(f"requirements/{part}.lock")
    assert len(some) > 5
    assert some.items() <= everything.items()


def test_the_workers_lock_has_what_the_project_needs_and_no_tool() -> None:
    """Every dependency is in it; neither a web server nor a test tool is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {pin.partition("==")[0] for pin in pins("requirements/worker.lock")}
    needed = [*project["dependencies"], *project["optional-dependencies"]["otel"]]
    assert {match[0] for each in needed if (match := re.match(r"[a-z0-9-]+", each))} <= names
    assert not names & {"uvicorn", "starlette", "pytest", "mypy", "ruff", "pip", "hatchling", "setuptools"}
    assert {"uvicorn", "starlette"} <= {pin.partition("==")[0] for pin in pins("requirements/sandbox.lock")}
    kept = {pin.partition("==")[0] for pin in pins("requirements/journal.lock")}
    assert names | {"alembic", "psycopg", "psycopg-binary", "sqlalchemy"} <= kept
    assert not kept & {"uvicorn", "starlette"}
    shown = {pin.partition("==")[0] for pin in pins("requirements/console.lock")}
    assert kept | {"jinja2", "starlette", "uvicorn"} <= shown


@pytest.mark.parametrize("part", ["audit", "build", "console", "journal", "sandbox", "ship", "worker"])
def test_every_package_is_locked_and_no_index_is_named(part: str) -> None:
    """Hashes for all; the lock works with whatever index pip is configured for."""
    assert all(pins(f"requirements/{part}.lock").values())
    assert "://" not in (ROOT / f"requirements/{part}.lock").read_text()


NPM = ("k8s/dashboards/preview", "tests/console/axe", "tests/deploy/ship/types", "tests/docs/asyncapi")


@pytest.mark.parametrize("folder", NPM)
def test_an_npm_lock_names_no_registry(folder: str) -> None:
    """Packages are known by their hashes alone."""
    text = (ROOT / folder / "package-lock.json").read_text()
    assert '"integrity"' in text
    assert '"resolved"' not in text


def test_what_is_copied_is_allowed_and_nothing_else_reaches_the_builder() -> None:
    """The allow-list of .dockerignore and the COPY lines name the same things."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    allowed = {line[1:].removesuffix("/**") for line in lines if line.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == allowed
    denied = [line for line in lines[1:] if not line.startswith("!")]
    assert any(fnmatch.fnmatch("config/integrations.yaml", pattern) for pattern in denied)


def test_the_base_is_a_python_that_the_project_takes() -> None:
    """And a tag that says which."""
    match = re.search(
        r"^ARG PYTHON_IMAGE=docker\.io/library/python:3\.(\d+)-slim-\w+$", DOCKERFILE, re.MULTILINE
    )
    assert match is not None
    assert int(match[1]) >= 11
    assert len(re.findall(r"^FROM \$\{PYTHON_IMAGE\}", DOCKERFILE, re.MULTILINE)) == 2


def test_the_worker_is_what_is_built_when_nothing_is_asked_for() -> None:
    """The last stage is the default; Compose's targets exist, its worker is the one that reads a journal."""
    stages = re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE)
    assert stages[-1] == "worker"
    [compose] = documents(ROOT / "compose.yaml")
    targets = {service["build"]["target"] for service in compose["services"].values() if "build" in service}
    assert targets == {"console", "journal", "sandbox"}
    assert targets <= set(stages)


def test_the_ports_of_the_health_checks_are_those_that_are_listened_on() -> None:
    """EXPOSE and HEALTHCHECK say the port that worker and console open when nobody chose another."""
    metrics = Settings.model_fields["metrics_port"].default
    pages = inspect.signature(console).parameters["port"].default
    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [str(pages), str(metrics)]
    assert f"os.environ.get('FISCAL_METRICS_PORT', '{metrics}')" in DOCKERFILE
    assert f"'http://127.0.0.1:{pages}/sign-in'" in DOCKERFILE
