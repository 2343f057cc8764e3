"""Each command of README and documents does as typed, in a clone with an empty home."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import typer

from tests.docs.pages import PAGES, ROOT, Clone, blocks, clone, lines, mentioned, prose, typed
from worker.demo.free_ports import free_ports
from worker.demo.sandbox_process import SandboxProcess
from worker.demo.vhost import VirtualHost

START, KEPT, _, PLAYGROUND, OWN, DEVELOPING = blocks("README.md", "sh")
ACTIVATE = ". .venv/bin/activate"
RUNBOOKS = ("docs/runbook.md", "docs/runbook.uk.md", "docs/runbook.ru.md")
#: Pages whose blocks other tests type.
ELSEWHERE = {
    "docs/integration.md": "tests/docs/test_integration.py",
    "docs/security.md": "tests/system/test_security.py",
}
#: Mentioned, and of others: what they do is no promise of ours.
OF_OTHERS = ("docker ", "rabbitmq-queues ", "rabbitmqctl ", "pipx ")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return clone(tmp_path_factory.mktemp("beginner") / "fiscal-worker")


def test_no_block_is_left_out() -> None:
    """A page with commands that nobody types needs a test that does."""
    names = [str(page.relative_to(ROOT)) for page in PAGES]
    pages = {"README.md", "docs/sandbox.md", "docs/scaling.md", *RUNBOOKS, *ELSEWHERE}
    assert {name for name in names if typed(name)} == pages
    indented = re.compile(r"^ {4}(?:fiscal-worker|make|python) ", re.MULTILINE)
    assert [page for page in PAGES if indented.search(prose(page))] == []
    assert lines(START) == ["make demo", "make test"]
    assert lines(KEPT) == ["make install", ACTIVATE, "fiscal-worker demo --keep"]


def test_the_first_command(here: Clone) -> None:
    """Every example ends as its name says, and the books of the day agree."""
    done = here.type(lines(START)[0])
    assert done.returncode == 0, done.stdout + done.stderr
    examples, _, books = done.stdout.partition("The journal's day")
    assert "one_line_card" in examples
    assert "shop-main/olena" in books
    assert " shifts, no differences" in books


@contextmanager
def kept_demo(here: Clone) -> Iterator[list[str]]:
    """The five lines that it tells. Ctrl-C ends all of it."""
    script = KEPT.replace("fiscal-worker demo", "exec fiscal-worker demo")
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(
        ["bash", "-euc", script], cwd=here.folder, env=here.environment, text=True, **pipes
    ) as demo:
        try:
            assert demo.stderr is not None
            said = list(itertools.takewhile(lambda line: "Ctrl-C" not in line, demo.stderr))
            told = "".join(said).partition("In another terminal:\n")[2].strip().splitlines()
            assert len(told) == 5, said
            yield [line.strip() for line in told]
        finally:
            demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    assert not Path(shlex.split(told[0])[1]).exists()


def test_the_playground_knows_every_command(here: Clone) -> None:
    """Those that it tells, the README's and the runbooks', in a terminal that knows nothing else.

    The one thing that `doctor` finds is that nobody reads the events.
    """
    with kept_demo(here) as (first, *told):
        commands = dict.fromkeys([*told, *lines(PLAYGROUND), *itertools.chain(*map(typed, RUNBOOKS))])
        ended = {command: here.type(f"{first}\n{command}") for command in commands}
    doctor = ended.pop("fiscal-worker doctor")
    assert "nobody listens" in doctor.stdout
    assert "1 wrong" in doctor.stderr
    assert [(done.args, done.stdout, done.stderr) for done in ended.values() if done.returncode] == []


def test_a_worker_of_ones_own(
    here: Clone, vhost: VirtualHost, sandbox: SandboxProcess, eventually: Callable[..., object]
) -> None:
    """Without the file of integrations it names the one to copy; with both files it consumes."""
    *copied, run = lines(OWN)
    without = here.type(f"{ACTIVATE}\n{run}")
    assert without.returncode == 2
    assert "config/integrations.example.yaml" in without.stderr
    assert here.type("\n".join(copied)).returncode == 0
    (port,) = free_ports(1)
    written = {"RABBITMQ_URL": vhost.url, "CHECKBOX_URL": sandbox.url, "METRICS_PORT": str(port)}
    settings = here.folder / ".env"
    for name, value in written.items():
        line = re.compile(f"^FISCAL_{name}=.*$", re.MULTILINE)
        settings.write_text(line.sub(f"FISCAL_{name}={value}", settings.read_text()))
    command = ["bash", "-euc", f"{ACTIVATE}\nexec {run}"]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=here.folder, env=here.environment, **pipes) as worker:
        try:
            eventually(lambda: is_ready(port))
        finally:
            worker.terminate()
        assert worker.wait(30) == 0


def test_the_alerts_with_a_runbook_elsewhere(here: Clone) -> None:
    """What the line prints has the links of the example."""
    (block,) = blocks("docs/scaling.md", "sh")
    done = here.type(block)
    assert done.returncode == 0, done.stderr
    assert "https://wiki.example/fiscal-worker/runbook.md" in done.stdout
    assert "bimpsoft.com" not in done.stdout


def test_the_sandbox_alone(here: Clone) -> None:
    """Its help, and then itself."""
    (block,) = blocks("docs/sandbox.md", "sh")
    explain, serve = lines(block)
    assert "error_500" in here.type(f"{ACTIVATE}\n{explain}").stdout
    command = ["bash", "-euc", f"{ACTIVATE}\nexec {serve}"]
    with subprocess.Popen(
        command, cwd=here.folder, env=here.environment, text=True, stdout=subprocess.PIPE
    ) as sandbox:
        assert sandbox.stdout is not None
        assert sandbox.stdout.readline().startswith("Checkbox sandbox on http://")
        sandbox.terminate()
        assert sandbox.wait(30) == 0


def is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


@pytest.mark.parametrize("command", sorted({*lines(START), *lines(DEVELOPING)}))
def test_make_knows_its_targets(here: Clone, command: str) -> None:
    """What the target would run can be told, from its variables to its last line."""
    done = here.type(f"{command} --dry-run")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [str(page.relative_to(ROOT)) for page in PAGES])
def test_what_is_mentioned_is_there(page: str) -> None:
    """Commands, options, targets and modules that a sentence or a table names."""
    unknown = [command for command in mentioned(page) if not is_there(shlex.split(command))]
    assert unknown == []


def is_there(words: list[str]) -> bool:
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return all(word in targets or re.match("[A-Z_]+=", word) for word in words[1:])
    if words[0].endswith("python"):
        return words[1] == "-m" and importlib.util.find_spec(words[2]) is not None
    if words[0].endswith("fiscal-worker"):
        return has_options(words[1:])
    return " ".join(words).startswith(OF_OTHERS)


def has_options(words: list[str]) -> bool:
    """The command is one of the program's, and takes these options."""
    command: Any = program(words[0])
    for word in words[1:]:
        command = getattr(command, "commands", {}).get(word, command)
    known = {option for parameter in command.params for option in parameter.opts}
    return known | {"--help"} >= {word for word in words if word.startswith("--")}


def program(name: str) -> object:
    module = import_module(f"worker.cli.{name.replace('-', '_')}")
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(module, name))
    return typer.main.get_command(app)
